"""Reading a file that a person named: never a pipe, a device or something endless."""

import errno
import os
import stat
from pathlib import Path
from typing import Final

# A pipe without a writer must not block the open; Windows knows neither pipes nor the flag.
_OPEN_FLAGS: Final = (
    os.O_RDONLY
    | getattr(os, "O_NONBLOCK", 0)
    | getattr(os, "O_CLOEXEC", 0)
    | getattr(os, "O_BINARY", 0)
)


def read_regular(path: Path, limit: int) -> bytes:
    """Read a regular file of at most `limit` bytes; symbolic links are followed.

    Raises:
        IsADirectoryError: It is a directory.
        OSError: There is none, it can't be read, or it is no regular file (EINVAL) or
            larger than `limit` (EFBIG).
    """
    _refuse_special(path.stat(), path)
    with os.fdopen(os.open(path, _OPEN_FLAGS), "rb") as file:
        _refuse_special(os.fstat(file.fileno()), path)
        data = file.read(limit + 1)
    if len(data) > limit:
        raise OSError(errno.EFBIG, f"larger than {limit} bytes", str(path))
    return data


def _refuse_special(found: os.stat_result, path: Path) -> None:
    if stat.S_ISDIR(found.st_mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    if not stat.S_ISREG(found.st_mode):
        raise OSError(errno.EINVAL, "not a regular file", str(path))
