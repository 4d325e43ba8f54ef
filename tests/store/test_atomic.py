"""A file is the old or the new, private before it has data, and nothing is left behind."""

from __future__ import annotations

import errno
import os
import stat
import time
from typing import TYPE_CHECKING, Any

import pytest

from smtp_desk.store import files as atomic
from smtp_desk.store.files import remove_leftovers, write_atomic
from tests.store.tiny_disk import tiny_disk

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def file(tmp_path: Path) -> Path:
    folder = tmp_path / "folder"
    folder.mkdir()
    return folder / "file"


def names(folder: Path) -> list[str]:
    return sorted(entry.name for entry in folder.iterdir())


def mode(file: Path) -> int:
    return stat.S_IMODE(file.stat().st_mode)


def test_writes_and_replaces(file: Path) -> None:
    for data in (b"", b"one\r\n\0", b"two" * 100_000):
        write_atomic(file, data)
        assert file.read_bytes() == data
        assert names(file.parent) == ["file"]


@pytest.mark.parametrize("umask", [0o000, 0o077, 0o777])
@pytest.mark.parametrize("wanted", [0o600, 0o644])
def test_mode(file: Path, umask: int, wanted: int) -> None:
    before = os.umask(umask)
    try:
        write_atomic(file, b"x", mode=wanted)
    finally:
        os.umask(before)
    assert mode(file) == wanted


def test_private_before_data_and_durable_in_order(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file.write_text("old")
    file.chmod(0o644)
    steps: list[object] = []
    fsync, replace = os.fsync, os.replace

    def watched_fsync(descriptor: int) -> None:
        found = os.fstat(descriptor)
        steps.append("folder" if stat.S_ISDIR(found.st_mode) else (found.st_size, mode(leftover())))
        fsync(descriptor)

    def watched_replace(source: Any, target: Any) -> None:  # noqa: ANN401 - as os.replace
        steps.append("replace")
        replace(source, target)

    def leftover() -> Path:
        return next(file.parent.glob(".file.*.tmp"))

    monkeypatch.setattr(os, "fsync", watched_fsync)
    monkeypatch.setattr(os, "replace", watched_replace)
    monkeypatch.setattr(os, "fdopen", watched_open(steps, mode_of=leftover))
    write_atomic(file, b"new")
    assert steps == [(0, 0o600), (3, 0o600), "replace", "folder"]


def watched_open(steps: list[object], mode_of: Any) -> Any:  # noqa: ANN401 - as os.fdopen
    really = os.fdopen

    def fdopen(descriptor: int, how: str) -> Any:  # noqa: ANN401 - as os.fdopen
        steps.append((os.fstat(descriptor).st_size, mode(mode_of())))
        return really(descriptor, how)

    return fdopen


@pytest.mark.parametrize("step", ["open", "fsync", "replace"])
@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EIO, errno.EROFS])
def test_failure_leaves_the_old_file(
    file: Path, monkeypatch: pytest.MonkeyPatch, step: str, number: int
) -> None:
    write_atomic(file, b"old")

    def fail(*_: object, **__: object) -> None:
        raise OSError(number, os.strerror(number))

    with monkeypatch.context() as patch:
        patch.setattr(os, step, fail)
        with pytest.raises(OSError, match=os.strerror(number)):
            write_atomic(file, b"new")
    assert file.read_bytes() == b"old"
    assert names(file.parent) == ["file"]


def test_really_full_disk(file: Path) -> None:
    with tiny_disk(file.parent, kib=64):
        write_atomic(file, b"old")
        with pytest.raises(OSError, match="No space left") as caught:
            write_atomic(file, b"n" * 1024 * 1024)
        assert caught.value.errno == errno.ENOSPC
        assert file.read_bytes() == b"old"
        assert names(file.parent) == ["file"]


def test_a_link_stays_a_link(file: Path, tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to(file)
    write_atomic(link, b"x")
    assert link.is_symlink()
    assert file.read_bytes() == b"x"
    assert names(file.parent) == ["file"]


def test_leftovers_of_killed_writers(file: Path) -> None:
    mine, other = file.with_name(".file.0123.tmp"), file.with_name(".file2.0123.tmp")
    for leftover in (mine, other):
        leftover.touch()
    write_atomic(file, b"x")
    assert mine.exists(), "its writer may still be at work"
    old = time.time() - 7200
    for leftover in (mine, other):
        os.utime(leftover, (old, old))
    write_atomic(file, b"y")
    assert names(file.parent) == [".file2.0123.tmp", "file"]


def test_leftovers_under_a_lock(file: Path) -> None:
    file.with_name(".file.0123.tmp").touch()
    file.with_name(".file.is-a-folder.tmp").mkdir()
    file.with_name(".file.else").touch()
    remove_leftovers(file)
    assert names(file.parent) == [".file.else", ".file.is-a-folder.tmp"]
    remove_leftovers(file / "nowhere")


def test_where_folders_can_not_be_opened(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As on Windows."""
    monkeypatch.setattr(atomic, "_O_DIRECTORY", None)
    write_atomic(file, b"x")
    assert file.read_bytes() == b"x"


def test_a_failure_names_the_file_that_was_to_be_written(tmp_path: Path) -> None:
    file = tmp_path / "missing" / "settings.toml"
    with pytest.raises(FileNotFoundError) as caught:
        write_atomic(file, b"new")
    assert caught.value.filename == str(file)
