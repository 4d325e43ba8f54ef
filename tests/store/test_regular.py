"""Only regular files are read, and nothing blocks."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from smtp_desk.store.files import read_regular


def test_reads(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_bytes(b"\r\n\0\xff")
    link = tmp_path / "link"
    link.symlink_to(file)
    assert read_regular(file, 4) == b"\r\n\0\xff"
    assert read_regular(link, 4) == b"\r\n\0\xff"


def test_too_large(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_bytes(b"12345")
    with pytest.raises(OSError, match="larger than 4 bytes") as caught:
        read_regular(file, 4)
    assert caught.value.errno == errno.EFBIG


def test_directory(tmp_path: Path) -> None:
    with pytest.raises(IsADirectoryError):
        read_regular(tmp_path, 4)


def test_pipe(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(OSError, match="not a regular file"):
        read_regular(tmp_path / "pipe", 4)


@pytest.mark.parametrize("device", ["/dev/zero", "/dev/null"])
def test_device(device: str) -> None:
    with pytest.raises(OSError, match="not a regular file"):
        read_regular(Path(device), 4)


def test_a_pipe_put_there_at_the_last_moment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file, pipe = tmp_path / "file", tmp_path / "pipe"
    file.touch()
    os.mkfifo(pipe)
    really = os.open
    monkeypatch.setattr(os, "open", lambda _path, flags: really(pipe, flags))
    with pytest.raises(OSError, match="not a regular file"):
        read_regular(file, 4)


def test_missing(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        read_regular(tmp_path / "nothing", 4)
