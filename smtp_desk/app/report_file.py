"""Reports as files: written for somebody else, read from anybody."""

import json
from pathlib import Path

from smtp_desk.core.report import CheckReport
from smtp_desk.core.report_reader import MAX_BYTES, read_report
from smtp_desk.store.atomic import write_atomic
from smtp_desk.store.regular import read_regular


def report_octets(report: CheckReport) -> bytes:
    """Return the report as the file of its schema: JSON in UTF-8.

    Half a surrogate pair, which only a command line can hold, becomes the escape that JSON
    has for it.
    """
    text = json.dumps(report.to_json(), ensure_ascii=False, indent=2)
    return f"{text}\n".encode("utf-8", "backslashreplace")


def save_report(path: Path, report: CheckReport) -> None:
    """Write the report, readable by its owner only, whole or not at all.

    Raises:
        OSError: The file can't be written.
    """
    write_atomic(path, report_octets(report))


def load_report(path: Path) -> CheckReport:
    """Read a report, trusting nothing in it.

    Raises:
        OSError: It can't be read, is no regular file, or is too large.
        ReportFormatError: It is no report.
    """
    return read_report(read_regular(path, MAX_BYTES))
