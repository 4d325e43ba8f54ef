"""Opening a report that may come from anybody, and showing it."""

from __future__ import annotations

import json
from typing import Final

from smtp_desk.app.diagnostics.report_text import report_markdown
from smtp_desk.core.report import CheckReport
from smtp_desk.core.report_reader import ReportFormatError, read_report
from tests.fuzz.harmless import assert_harmless
from tests.ui import reports

WORDS: Final = (
    b'{"', b'": "', b'": [', b"null", b"true", b"1e999", b"NaN", b"\\u202e", b"\\ud800", b"\\n",
    b'"facts": {', b'"chain": [', b'"stage": "tls"', b'"status": "failed"', b'"ms": 1', b"[" * 50,
    b'"changes": {', b"-----BEGIN CERTIFICATE-----\\n", b"9" * 50,
)  # fmt: skip


def seeds() -> list[bytes]:
    """A report of each kind."""
    small = {name: each for name, each in reports.REPORTS.items() if name != "hostile"}
    return [_octets(report) for report in small.values()]


def run(data: bytes) -> None:
    """Open a file with this content."""
    try:
        report = read_report(data)
    except ReportFormatError as error:
        assert_harmless(str(error))
        return
    written = _octets(report)
    assert read_report(written).to_json() == report.to_json()
    assert_harmless(report_markdown(report), allowed="\n")


def _octets(report: CheckReport) -> bytes:
    return json.dumps(report.to_json()).encode()
