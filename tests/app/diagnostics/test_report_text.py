"""A report in words, whatever a server or a stranger wrote into it."""

from dataclasses import replace

import pytest

from smtp_desk.app.diagnostics.report_text import CANCELLED, UNPROVEN, outcome_text, report_markdown
from smtp_desk.core.report import CheckReport, ReportOutcome
from smtp_desk.core.texts import SUCCESS, UNREACHABLE
from tests.cli.reports import MARKUP, REPORT, UNKNOWN_ISSUER


@pytest.mark.parametrize(
    ("report", "expected"),
    [
        (REPORT, UNREACHABLE),
        (replace(REPORT, finding=None), UNPROVEN),
        (replace(REPORT, finding=None, outcome=ReportOutcome.SENT), SUCCESS),
        (replace(REPORT, finding=replace(UNKNOWN_ISSUER, code="session.cancelled")), CANCELLED),
    ],
)
def test_the_outcome_word_for_word(report: CheckReport, expected: str) -> None:
    assert outcome_text(report) == expected


def test_no_fence_of_the_markdown_is_ended_by_what_a_server_said() -> None:
    opened: str | None = None
    for line in report_markdown(REPORT).splitlines():
        if opened is None and line.startswith("```"):
            opened = line.removesuffix("text")
        elif line == opened:
            opened = None
        elif MARKUP in line and not line.startswith("- Server said"):
            assert opened is not None
            assert len(opened) > 3
    assert opened is None
