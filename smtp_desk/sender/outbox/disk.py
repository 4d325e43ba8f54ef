"""The database's file as the system sees it: its owner, and errors that SQLite doesn't explain."""

import contextlib
import os
import shutil
from pathlib import Path
from typing import Final

from smtp_desk.core.system import flag
from smtp_desk.store.files import PRIVATE
from smtp_desk.store.ownership import (
    give_to_owner_of,
    make_private,
    make_private_folder,
    refuse_links_of_others,
)

_NEW_FILE: Final = os.O_WRONLY | os.O_CREAT | os.O_EXCL | flag(os, "O_CLOEXEC")
_LOG: Final = os.O_RDWR | flag(os, "O_CLOEXEC") | flag(os, "O_BINARY")
_LEAST_FREE_OCTETS: Final = 64 * 1024


def make_private_file(path: Path) -> None:
    """Make `path` private before SQLite opens it; its companion files take over the mode.

    The target of a symbolic link keeps the mode that its owner gave it.
    """
    make_private_folder(path.parent)
    refuse_links_of_others(path)
    target, linked = Path(os.path.realpath(path)), path.is_symlink()
    if linked and not target.parent.exists():
        make_private_folder(target.parent)
    try:
        descriptor = os.open(target, _NEW_FILE, PRIVATE)
    except FileExistsError:
        if not linked:
            make_private(path)
        return
    try:
        give_to_owner_of(target.parent, descriptor)
    finally:
        os.close(descriptor)
    target.chmod(PRIVATE)  # whatever the umask is


def identity(path: Path) -> tuple[int, int] | None:
    """Return what identifies the file at `path`; None if there is none."""
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    return found.st_dev, found.st_ino


def is_full(path: Path) -> bool:
    """Whether an I/O error means a full disk, which SQLite doesn't say."""
    with contextlib.suppress(OSError):
        return shutil.disk_usage(path.parent).free < _LEAST_FREE_OCTETS
    return False


def lacks_descriptors() -> str:
    """Return why no file can be opened at all, which SQLite doesn't say; "" if one can."""
    try:
        os.close(os.open(os.devnull, os.O_RDONLY))
    except OSError as error:
        return error.strerror or ""
    return ""


def sync_log(path: Path) -> None:
    """Wait until the disk has the write-ahead log of the database at `path`.

    A log that is gone was moved into the database, and synced with it. SQLite doesn't lock by
    this file: closing it releases no lock.

    Raises:
        OSError: The disk refuses.
    """
    with contextlib.suppress(FileNotFoundError):
        descriptor = os.open(f"{os.path.realpath(path)}-wal", _LOG)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
