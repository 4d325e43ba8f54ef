"""Nobody else can look into our folders, exchange our settings, or lead our files elsewhere."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

from smtp_desk.app.logs import _PrivateFile
from smtp_desk.app.words import failure_text
from smtp_desk.core.system import System
from smtp_desk.sender.outbox.database import Database
from smtp_desk.sender.outbox.outbox import OutboxUnavailableError
from smtp_desk.store import ownership
from smtp_desk.store.company_ca import TrustedCas
from smtp_desk.store.files import write_atomic
from smtp_desk.store.ownership import make_private_folder, refuse_changeable, refuse_links_of_others
from smtp_desk.store.paths import Paths
from smtp_desk.store.save_protocol import SaveError
from smtp_desk.store.settings_file import SettingsFileError, SettingsFileProblem
from smtp_desk.store.settings_store import SettingsStore
from tests.store.failing_credentials import save_old

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


pytestmark = pytest.mark.skipif(os.name != "posix", reason="has no such owners and modes")
as_root = pytest.mark.skipif(
    hasattr(os, "geteuid") and os.geteuid() != 0, reason="only root gives files to others"
)
SOMEBODY: Final = 4242
NOBODY: Final = 65534


@pytest.fixture(params=[0o000, 0o002, 0o077, 0o777], ids="umask {:03o}".format)
def any_umask(request: pytest.FixtureRequest) -> Iterator[None]:
    before = os.umask(request.param)
    try:
        yield
    finally:
        os.umask(before)


def give_away(path: Path, user: int = SOMEBODY) -> None:
    os.chown(path, user, user, follow_symlinks=False)


def log(home: Path) -> None:
    _PrivateFile(home / "log" / "smtp-desk.log")._append(b"line")


MAKERS: Final[dict[str, Callable[[Path], object]]] = {
    "settings": lambda home: Paths.below(home).ensure(),
    "company CA": lambda home: TrustedCas(home / "config" / "ca").add("host", "PEM"),
    "outbox": lambda home: Database(home / "state" / "outbox.sqlite3").close(),
    "log": log,
}


@pytest.mark.parametrize("make", MAKERS.values(), ids=MAKERS.keys())
@pytest.mark.usefixtures("any_umask")
def test_every_folder_we_make_is_private(tmp_path: Path, make: Callable[[Path], object]) -> None:
    home = tmp_path / "new" / "deep" / "home"
    make(home)
    made = [tmp_path / "new", *(path for path in (tmp_path / "new").rglob("*") if path.is_dir())]
    assert {stat.S_IMODE(path.stat().st_mode) for path in made} == {0o700}
    files = [path for path in home.rglob("*") if path.is_file()]
    assert not any(path.stat().st_mode & 0o177 for path in files)


@as_root
def test_a_folder_of_somebody_else_stays_as_it_is(tmp_path: Path) -> None:
    theirs = tmp_path / "theirs"
    theirs.mkdir(mode=0o755)
    give_away(theirs)
    make_private_folder(theirs)
    assert stat.S_IMODE(theirs.stat().st_mode) == 0o755


def test_a_file_in_the_place_of_a_folder_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for path in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(NotADirectoryError):
            make_private_folder(path)


@pytest.fixture
def home(tmp_path: Path, store: SettingsStore, paths: Paths) -> Path:
    """A home with saved settings."""
    (tmp_path / "home").mkdir(mode=0o700)
    save_old(store)
    assert store.load().server
    return paths.config.parent


def refused(store: SettingsStore) -> str:
    """Fail unless the settings are neither read nor replaced; return the words."""
    with pytest.raises(SettingsFileError) as caught:
        store.load()
    assert caught.value.kind is SettingsFileProblem.CHANGEABLE_BY_OTHERS
    with pytest.raises(SaveError) as not_saved:
        save_old(store)
    assert caught.value.detail in failure_text(not_saved.value)
    return caught.value.detail


@pytest.mark.parametrize("mode", [0o606, 0o602, 0o662, 0o666])
def test_a_settings_file_that_others_may_write(
    home: Path, store: SettingsStore, paths: Paths, mode: int
) -> None:
    paths.settings_file.chmod(mode)
    file = paths.settings_file
    assert refused(store) == f"other users can change {file}: “chmod go-w {file}” fixes that"
    paths.settings_file.chmod(0o644)
    assert store.load().server, "whoever reads it learns no secret"


@pytest.mark.parametrize("mode", [0o777, 0o703, 0o702])
def test_a_folder_above_that_others_may_write(home: Path, store: SettingsStore, mode: int) -> None:
    home.chmod(mode)
    assert f"can change {home}:" in refused(store)
    home.chmod(mode | stat.S_ISVTX)
    assert store.load().server, "in a sticky folder nobody exchanges what is ours"
    home.chmod(0o755)
    assert store.load().server


def test_our_own_folder_is_closed_at_the_next_save(
    home: Path, store: SettingsStore, paths: Paths
) -> None:
    paths.config.chmod(0o777)
    with pytest.raises(SettingsFileError, match="other users can change"):
        store.load()
    save_old(store)
    assert stat.S_IMODE(paths.config.stat().st_mode) == 0o700
    assert store.load().server


@as_root
@pytest.mark.parametrize("which", ["settings.toml", "config", "home", "link"])
def test_what_belongs_to_somebody_else(
    home: Path, store: SettingsStore, paths: Paths, which: str, tmp_path: Path
) -> None:
    if which == "link":
        paths.config.rename(tmp_path / "elsewhere")
        paths.config.symlink_to(tmp_path / "elsewhere")
        assert store.load().server, "a link of one's own is fine"
        give_away(paths.config)
    else:
        theirs = {"settings.toml": paths.settings_file, "config": paths.config, "home": home}
        give_away(theirs[which])
    assert f"belongs to user {SOMEBODY}" in refused(store)


@as_root
def test_owners_that_nobody_knows(home: Path, store: SettingsStore, paths: Paths) -> None:
    """In a container, or behind NFS, what is above our folder is nobody's; ours never is."""
    give_away(home, NOBODY)
    home.chmod(0o755)
    assert store.load().server
    give_away(paths.config, NOBODY)
    assert "belongs to" in refused(store)


@as_root
def test_a_group_of_ones_own_is_nobody_else(home: Path, store: SettingsStore) -> None:
    home.chmod(0o770)
    os.chown(home, 0, 0)
    assert store.load().server, "root's group has no other members"
    os.chown(home, 0, 1)
    assert "can change" in refused(store), "daemon's group is another"
    os.chown(home, 0, 54321)
    assert store.load().server, "a group of which there is no list"


def test_a_fresh_machine_is_not_configured_wherever_it_is(tmp_path: Path, paths: Paths) -> None:
    tmp_path.chmod(0o777)
    assert SettingsStore(paths, None).load().server is None  # type: ignore[arg-type]
    tmp_path.chmod(0o700)


def test_links_round_about(tmp_path: Path) -> None:
    (tmp_path / "real" / "below").mkdir(parents=True)
    (tmp_path / "one").symlink_to("real/below/../below")
    (tmp_path / "two").symlink_to(tmp_path / "one")
    refuse_changeable(tmp_path / "two" / "settings.toml")
    (tmp_path / "real").chmod(0o777)
    with pytest.raises(PermissionError, match="real:"):
        refuse_changeable(tmp_path / "two" / "settings.toml")
    (tmp_path / "loop").symlink_to("loop")
    with pytest.raises(OSError, match="symbolic links"):
        refuse_changeable(tmp_path / "loop")


@as_root
@pytest.mark.parametrize("kind", ["the file", "its folder", "on the way of another link"])
@pytest.mark.parametrize("folder_mode", [0o700, 0o1777])
def test_no_file_is_written_by_a_link_of_somebody_else(
    tmp_path: Path, kind: str, folder_mode: int
) -> None:
    shared = tmp_path / "shared"
    shared.mkdir()
    shared.chmod(folder_mode)
    victim = tmp_path / "victim"
    victim.mkdir()
    (victim / "file").write_text("precious")
    path, link = shared / "file", shared / "file"
    if kind == "the file":
        link.symlink_to(victim / "file")
    elif kind == "its folder":
        link = shared / "folder"
        link.symlink_to(victim)
        path = link / "file"
    else:
        link = shared / "hop"
        link.symlink_to(victim / "file")
        path.symlink_to(link)
    write_atomic(path, b"ours")
    assert (victim / "file").read_text() == "ours", "a link of one's own is followed"
    (victim / "file").write_text("precious")
    give_away(link)
    with pytest.raises(PermissionError, match=f"is a link owned by user {SOMEBODY}"):
        write_atomic(path, b"ours")
    assert (victim / "file").read_text() == "precious"
    assert {each.name for each in victim.iterdir()} == {"file"}


@as_root
def test_the_outbox_and_the_log_follow_no_link_of_somebody_else(tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.touch(mode=0o644)
    for name in ("state/outbox.sqlite3", "log/smtp-desk.log"):
        link = tmp_path / name
        make_private_folder(link.parent)
        link.symlink_to(victim)
        give_away(link)
    with pytest.raises(OutboxUnavailableError, match="is a link owned by"):
        Database(tmp_path / "state" / "outbox.sqlite3")
    with pytest.raises(OSError, match="symbolic links"):
        log(tmp_path)
    assert (victim.read_bytes(), stat.S_IMODE(victim.stat().st_mode)) == (b"", 0o644)


@as_root
def test_the_target_of_a_link_of_ones_own_keeps_a_mode_that_is_not_ours(tmp_path: Path) -> None:
    theirs = tmp_path / "theirs.sqlite3"
    theirs.touch(mode=0o644)
    theirs.chmod(0o644)
    give_away(theirs)
    (tmp_path / "outbox.sqlite3").symlink_to(theirs)
    Database(tmp_path / "outbox.sqlite3").close()
    assert stat.S_IMODE(theirs.stat().st_mode) == 0o644


def test_where_there_are_no_such_owners(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(ownership, "this_system", lambda: System.WINDOWS)
    tmp_path.chmod(0o777)
    refuse_changeable(tmp_path / "settings.toml")
    refuse_links_of_others(tmp_path / "settings.toml")
    make_private_folder(tmp_path / "folder")
    tmp_path.chmod(0o700)
