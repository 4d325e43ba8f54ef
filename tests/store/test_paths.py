"""Where the files lie, and that nobody else can look."""

from __future__ import annotations

import stat
import sys
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

import platformdirs
import pytest

from smtp_desk.core.system import System
from smtp_desk.store.paths import Paths, site_folder

if TYPE_CHECKING:
    from collections.abc import Iterator


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


class Registry(ModuleType):
    """Windows's registry, as far as it is asked here."""

    HKEY_LOCAL_MACHINE = object()

    def __init__(self, values: dict[str, str]) -> None:
        super().__init__("winreg")
        self.values = values

    @contextmanager
    def OpenKey(self, root: object, key: str) -> Iterator[str]:  # noqa: N802 - its name
        assert root is self.HKEY_LOCAL_MACHINE
        yield key

    def QueryValueEx(self, key: str, name: str) -> tuple[str, int]:  # noqa: N802 - its name
        if name not in self.values:
            raise FileNotFoundError(name)
        return self.values[name], 1


@pytest.mark.parametrize(
    ("values", "folder"),
    [
        ({"ProgramFilesDir": "D:/Programs"}, Path("D:/Programs/SMTP Desk")),
        ({}, Path("C:\\Program Files", "SMTP Desk")),
    ],
)
def test_on_windows_administrators_alone_write_what_holds_for_all(
    monkeypatch: pytest.MonkeyPatch, values: dict[str, str], folder: Path
) -> None:
    monkeypatch.setenv("ProgramFiles", "E:/of/anybody")
    monkeypatch.setitem(sys.modules, "winreg", Registry(values))
    assert site_folder(System.WINDOWS) == folder


def test_elsewhere_it_is_where_the_platform_has_it() -> None:
    for system in (System.UNIX, System.MACOS):
        assert site_folder(system) == platformdirs.site_config_path("smtp-desk", appauthor=False)


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
