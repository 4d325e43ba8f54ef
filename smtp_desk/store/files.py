"""Files: written so that they are complete at every moment, read only if they are regular."""

import contextlib
import errno
import os
import secrets
import stat
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from smtp_desk.core.system import flag
from smtp_desk.store.ownership import refuse_links_of_others

PRIVATE: Final = 0o600
_ABANDONED_S: Final = 3600.0
_NEW_FILE: Final = os.O_WRONLY | os.O_CREAT | os.O_EXCL | flag(os, "O_CLOEXEC")
# A pipe without a writer must not block the open; Windows knows neither pipes nor the flag.
_OPEN_FLAGS: Final = (
    os.O_RDONLY | flag(os, "O_NONBLOCK") | flag(os, "O_CLOEXEC") | flag(os, "O_BINARY")
)
# Absent on Windows, where a folder can't be opened and a replace needs no fsync of it.
_O_DIRECTORY: Final = flag(os, "O_DIRECTORY")


def write_atomic(path: Path, data: bytes, *, mode: int = PRIVATE, group: int | None = None) -> None:
    """Write `data` to `path`, durably, replacing what is there in one step.

    The new file has its `mode` and `group` before it has any data. A symbolic link stays one: its
    target is replaced, but links of other users aren't followed. Temporary files that killed
    writers left beside it are removed.

    Raises:
        OSError: The file can't be written; the old one is untouched, unless only the
            last step failed, the fsync of the folder.
    """
    refuse_links_of_others(path)
    target = Path(os.path.realpath(path))
    remove_leftovers(target, older_than_s=_ABANDONED_S)
    temporary = target.with_name(f".{target.name}.{secrets.token_hex(8)}.tmp")
    try:
        _write_new(temporary, data, mode, group)
        temporary.replace(target)
    except BaseException as error:
        with contextlib.suppress(OSError):
            temporary.unlink()
        if isinstance(error, OSError):
            error.filename = str(path)  # the name that people know
        raise
    sync_folder(target.parent)


def remove_leftovers(path: Path, *, older_than_s: float = 0.0) -> None:
    """Remove the temporary files that killed writers of `path` left.

    An age of 0 is only for where a lock keeps others from writing at this moment.
    """
    newest = time.time() - older_than_s
    target = Path(os.path.realpath(path))
    with contextlib.suppress(OSError):
        for entry in os.scandir(target.parent):
            if entry.name.startswith(f".{target.name}.") and entry.name.endswith(".tmp"):
                _remove_if_older(Path(entry.path), newest)


def sync_folder(folder: Path) -> None:
    """Make the names in `folder` durable, where the platform needs that.

    Raises:
        OSError: The disk refuses.
    """
    if not _O_DIRECTORY:
        return
    descriptor = os.open(folder, os.O_RDONLY | _O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _write_new(path: Path, data: bytes, mode: int, group: int | None) -> None:
    with os.fdopen(os.open(path, _NEW_FILE, PRIVATE), "wb") as file:
        if group is not None:
            os.fchown(file.fileno(), -1, group)
        path.chmod(mode)  # whatever the umask is
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _remove_if_older(path: Path, newest: float) -> None:
    with contextlib.suppress(OSError):
        if path.stat().st_mtime <= newest:
            path.unlink()


def read_regular(path: Path, limit: int) -> bytes:
    """Read a regular file of at most `limit` bytes; symbolic links are followed.

    Raises:
        IsADirectoryError: It is a directory.
        OSError: It doesn't exist, can't be read, isn't a regular file (EINVAL) or is larger
            than `limit` (EFBIG).
    """
    _refuse_special(path.stat(), path)
    with os.fdopen(os.open(path, _OPEN_FLAGS), "rb") as file:
        _refuse_special(os.fstat(file.fileno()), path)
        data = file.read(limit + 1)
    if len(data) > limit:
        raise OSError(errno.EFBIG, f"larger than {limit} bytes", str(path))
    return data


def read_start(path: Path, limit: int, chunk: int) -> Iterator[bytes]:
    """Read the first `limit` bytes of a regular file of any size, `chunk` bytes at a time.

    Raises:
        IsADirectoryError: It is a directory.
        OSError: As `read_regular`, except for the size.
    """
    _refuse_special(path.stat(), path)
    with os.fdopen(os.open(path, _OPEN_FLAGS), "rb") as file:
        _refuse_special(os.fstat(file.fileno()), path)
        while limit > 0 and (data := file.read(min(chunk, limit))):
            limit -= len(data)
            yield data


def _refuse_special(found: os.stat_result, path: Path) -> None:
    if stat.S_ISDIR(found.st_mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    if not stat.S_ISREG(found.st_mode):
        raise OSError(errno.EINVAL, "not a regular file", str(path))
