"""Reports as files: written for somebody else, read from anybody."""

import errno
import json
import os
import stat
from pathlib import Path
from typing import Final

from smtp_desk.core.reply import visible
from smtp_desk.core.report import CheckReport
from smtp_desk.core.report_reader import (
    MAX_BYTES,
    NewerReportError,
    ReportFormatError,
    read_report,
)
from smtp_desk.core.system import flag
from smtp_desk.store.files import read_regular, write_atomic
from smtp_desk.store.ownership import refuse_links_of_others, refuse_pipe_of_others

# A pipe that nobody reads is an error, not a wait. Windows has no such pipes in its file system.
_NO_WAIT: Final = flag(os, "O_NONBLOCK")
_INTO_SPECIAL: Final = os.O_WRONLY | _NO_WAIT | flag(os, "O_NOCTTY")


def report_octets(report: CheckReport) -> bytes:
    """Return the report as the file of its schema: JSON in UTF-8.

    Half a surrogate pair, which only a command line can contain, becomes its JSON escape.
    """
    text = json.dumps(report.to_json(), ensure_ascii=False, indent=2)
    return f"{text}\n".encode("utf-8", "backslashreplace")


def save_report(path: Path, report: CheckReport) -> None:
    """Write the report, readable by its owner only, completely or not at all.

    A device or pipe can be written to. Links and pipes of other users are refused.

    Raises:
        OSError: The file can't be written.
    """
    write_for_others(path, report_octets(report))


def write_for_others(path: Path, octets: bytes) -> None:
    """Write text to pass on to a file, as `save_report` does.

    Raises:
        OSError: The file can't be written.
    """
    refuse_links_of_others(path)
    if _is_special(path):
        with os.fdopen(os.open(path, _INTO_SPECIAL), "wb") as file:
            refuse_pipe_of_others(file.fileno(), path)
            if _NO_WAIT:
                os.set_blocking(file.fileno(), True)  # whoever reads it may take time
            file.write(octets)
    else:
        write_atomic(path, octets)


def load_report(path: Path) -> CheckReport:
    """Read a report without trusting it.

    Raises:
        OSError: It can't be read, isn't a regular file, or is too large.
        ReportFormatError: It isn't a report.
    """
    return read_report(read_regular(path, MAX_BYTES))


def from_file(name: str) -> str:
    """Return where a report comes from, in words."""
    return f"Report file {visible(name)}"


def unreadable_text(name: str, error: Exception) -> str:
    """Return why `load_report` could not read the file of this name; "" for another error."""
    shown = visible(name)
    match error:
        case NewerReportError():
            return f"{shown} comes from a newer SMTP Desk ({error}). Update SMTP Desk to open it."
        case ReportFormatError():
            return f"{shown} isn’t a report: {error}."
        case IsADirectoryError():
            return f"{shown} is a folder. Open one of the report files in it."
        case OSError(errno=errno.EFBIG):
            return f"{shown} isn’t a report: it is larger than {MAX_BYTES // 1024**2} MiB."
        case OSError():
            return f"{shown} can’t be read: {error.strerror}."
    return ""


def _is_special(path: Path) -> bool:
    try:
        mode = path.stat().st_mode
    except OSError:
        return False
    return not stat.S_ISREG(mode) and not stat.S_ISDIR(mode)
