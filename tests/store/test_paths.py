"""Where the files lie, and that nobody else can look."""

from __future__ import annotations

import stat
from pathlib import Path
from typing import TYPE_CHECKING

from smtp_desk.store.paths import Paths

if TYPE_CHECKING:
    import pytest


def test_below_one_home(tmp_path: Path) -> None:
    paths = Paths.default({"SMTP_DESK_HOME": str(tmp_path)})
    assert paths == Paths(tmp_path / "config", tmp_path / "state", tmp_path / "log")
    assert paths.settings_file == tmp_path / "config" / "settings.toml"
    assert {paths.journal_file.parent, paths.lock_file.parent} == {paths.config}


def test_home_as_typed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path / "ann"))
    assert Paths.default({"SMTP_DESK_HOME": "~/x"}).config == tmp_path / "ann" / "x" / "config"
    assert Paths.default({"SMTP_DESK_HOME": "x"}).config == tmp_path / "x" / "config"


def test_environment_of_the_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SMTP_DESK_HOME", str(tmp_path))
    assert Paths.default().config == Paths.below(tmp_path).config


def test_no_home_moves_what_the_administrator_sets(tmp_path: Path) -> None:
    assert Paths.default({"SMTP_DESK_HOME": str(tmp_path)}).site == Paths.default({}).site


def test_of_the_platform(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SMTP_DESK_HOME")
    paths = Paths.default({"SMTP_DESK_HOME": ""})
    assert "smtp-desk" in paths.config.parts
    assert paths == Paths.default()
    assert len({paths.config, paths.state, paths.logs}) == 3


def test_folders_are_private(tmp_path: Path) -> None:
    paths = Paths.below(tmp_path / "deep" / "home")
    paths.config.mkdir(parents=True, mode=0o755)
    for _ in range(2):
        paths.ensure()
        modes = [stat.S_IMODE(p.stat().st_mode) for p in (paths.config, paths.state, paths.logs)]
        assert modes == [0o700] * 3


def test_a_folder_that_is_read_only_stays_that(tmp_path: Path) -> None:
    paths = Paths.below(tmp_path)
    paths.config.mkdir(mode=0o555)
    paths.ensure()
    assert stat.S_IMODE(paths.config.stat().st_mode) == 0o500
