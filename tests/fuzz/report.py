"""Opening a report that may come from anybody, and showing it."""

from __future__ import annotations

import json
from typing import Final

from smtp_desk.app.diagnostics.comparison import compare_reports, comparison_lines
from smtp_desk.app.diagnostics.report_html import report_html
from smtp_desk.app.diagnostics.report_markdown import report_markdown
from smtp_desk.app.diagnostics.support_message import Audience, message_text
from smtp_desk.core.hiding import without_addresses
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
    (hidden,) = without_addresses(report)
    for each in (report, hidden):
        assert_harmless(report_markdown(each), allowed="\n")
        assert_harmless(report_html(each), allowed="\n")
        for audience in Audience:
            assert_harmless(message_text(each, audience), allowed="\n")
    for label, text in comparison_lines(compare_reports(report, reports.WRONG_PASSWORD)):
        assert_harmless(label + text)


def _octets(report: CheckReport) -> bytes:
    return json.dumps(report.to_json()).encode()
