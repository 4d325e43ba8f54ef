"""Files that people, crashes and newer versions leave: never overwritten, always named."""

from __future__ import annotations

import os
import time
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from smtp_desk.core.settings import Security
from smtp_desk.store.settings_file import (
    SettingsFile,
    SettingsFileError,
    SettingsFileProblem,
    ca_copy,
)
from smtp_desk.store.stored import StoredServer, StoredSettings
from tests.store.settings import OLD

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

FULL = StoredSettings(server=StoredServer(OLD, Security.STARTTLS, "key", None))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "settings.toml"


@pytest.fixture
def file(path: Path) -> SettingsFile:
    return SettingsFile(path)


def with_ca(ca_pem: str) -> StoredSettings:
    return StoredSettings(
        server=StoredServer(replace(OLD, ca_pem=ca_pem), Security.TLS, "key", None)
    )


@pytest.mark.parametrize("content", [None, b"", b"\n", b"\xef\xbb\xbf"])
def test_nothing_in_it(path: Path, file: SettingsFile, content: bytes | None) -> None:
    if content is not None:
        path.write_bytes(content)
    assert file.read() == StoredSettings()
    file.write(FULL)
    assert file.read() == FULL


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"schema = 1\nserv", SettingsFileProblem.NOT_TOML),
        (b'schema = 1\n[server]\nhost = "mail', SettingsFileProblem.NOT_TOML),
        (b'{"json": true}', SettingsFileProblem.NOT_TOML),
        (b"\x00" * 512, SettingsFileProblem.BINARY),
        ("schema = 1\n".encode("utf-16"), SettingsFileProblem.BINARY),
        (b"\x7fELF\x00\x01", SettingsFileProblem.BINARY),
        (b'company_name = "\xff"', SettingsFileProblem.BINARY),
        (b"schema = 3", SettingsFileProblem.NEWER_SCHEMA),
        (b"schema = 1\nenabled = 'on'", SettingsFileProblem.BAD_VALUE),
        (b"#" * (1024 * 1024 + 1), SettingsFileProblem.UNREADABLE),
    ],
    ids=range(10),
)
def test_content_that_can_not_be_read(
    path: Path, file: SettingsFile, content: bytes, kind: SettingsFileProblem
) -> None:
    path.write_bytes(content)
    with pytest.raises(SettingsFileError) as caught:
        file.read()
    assert (caught.value.kind, caught.value.path) == (kind, path)
    assert caught.value.detail in str(caught.value)
    aside = file.move_aside()
    assert aside.read_bytes() == content
    assert file.read() == StoredSettings()


def make_directory(path: Path) -> None:
    path.mkdir()


def make_loop(path: Path) -> None:
    path.symlink_to(path.name)


def make_dangling(path: Path) -> None:
    path.symlink_to("nowhere")


def make_pipe(path: Path) -> None:
    os.mkfifo(path)


@pytest.mark.parametrize(
    ("make", "kind"),
    [
        (make_directory, SettingsFileProblem.IS_DIRECTORY),
        (make_loop, SettingsFileProblem.UNREADABLE),
        (make_dangling, SettingsFileProblem.DANGLING_LINK),
        (make_pipe, SettingsFileProblem.UNREADABLE),
    ],
)
def test_what_is_no_file(
    path: Path,
    file: SettingsFile,
    make: Callable[[Path], None],
    kind: SettingsFileProblem,
) -> None:
    make(path)
    with pytest.raises(SettingsFileError) as caught:
        file.read()
    assert caught.value.kind is kind
    with pytest.raises(SettingsFileError):
        file.write(FULL)
    aside = file.move_aside()
    assert aside.is_symlink() or aside.exists()
    assert file.read() == StoredSettings()


def test_not_permitted(path: Path, file: SettingsFile, monkeypatch: pytest.MonkeyPatch) -> None:
    """Root may read all, hence by a refusing system."""
    path.touch(mode=0)

    def refuse(name: object, _flags: int) -> int:
        raise PermissionError(13, "Permission denied", str(name))

    monkeypatch.setattr(os, "open", refuse)
    with pytest.raises(SettingsFileError, match="Permission denied") as caught:
        file.read()
    assert caught.value.kind is SettingsFileProblem.UNREADABLE


def test_moved_aside_never_replaces(path: Path, file: SettingsFile) -> None:
    names = []
    for text in ("one", "two"):
        path.write_text(text)
        names.append(file.move_aside())
    assert [name.read_text() for name in names] == ["one", "two"]


def test_values_that_would_change_are_refused(path: Path, file: SettingsFile) -> None:
    """As settings that were not made by `parse`: the proof would no longer fit."""
    server = StoredServer(replace(OLD, from_name=" spaces "), Security.TLS, "key", None)
    with pytest.raises(ValueError, match="don’t keep their values"):
        file.write(StoredSettings(server=server))
    assert not path.exists()


def test_ca_is_copied_and_named_by_content(
    path: Path, file: SettingsFile, ca_pem: str, other_ca_pem: str
) -> None:
    file.write(with_ca(ca_pem))
    assert ca_copy(path, ca_pem).read_text() == ca_pem
    assert ca_copy(path, ca_pem).stat().st_mode & 0o777 == 0o600
    assert f'ca_file = "{ca_copy(path, ca_pem).name}"' in path.read_text()
    assert file.read() == with_ca(ca_pem)
    assert ca_copy(path, ca_pem) != ca_copy(path, other_ca_pem)


@pytest.mark.parametrize("damage", ["", "-----BEGIN CERTIFICATE-----\n"])
def test_damaged_ca_copy_counts_as_none(
    path: Path, file: SettingsFile, ca_pem: str, damage: str
) -> None:
    file.write(with_ca(ca_pem))
    ca_copy(path, ca_pem).write_text(damage)
    assert file.read() == with_ca("")
    ca_copy(path, ca_pem).unlink()
    assert file.read() == with_ca("")


def test_sweep(path: Path, file: SettingsFile, ca_pem: str, other_ca_pem: str) -> None:
    file.write(with_ca(other_ca_pem))
    file.write(with_ca(ca_pem))
    kept = {path.name, ca_copy(path, ca_pem).name, "ca-mine.pem", "other"}
    for name in ("ca-mine.pem", "other", ".settings.toml.12.tmp", ".ca-0123456789ab.pem.12.tmp"):
        path.with_name(name).touch()
    path.with_name("ca-0123456789ab.pem").mkdir()
    path.with_name(".ca-ffffffffffff.pem.12.tmp").mkdir()
    file.sweep(with_ca(ca_pem))
    assert {entry.name for entry in path.parent.iterdir() if entry.is_file()} == kept


def test_fingerprint(path: Path, file: SettingsFile) -> None:
    assert file.fingerprint() == ()
    file.write(FULL)
    seen = file.fingerprint()
    assert seen == file.fingerprint()
    file.write(FULL)
    assert file.fingerprint() != seen
    seen = file.fingerprint()
    os.utime(path, (time.time(), time.time() + 5))
    assert file.fingerprint() != seen
