"""Markdown for a ticket: what a stranger wrote stands in fences that it can't end."""

import re
from dataclasses import replace

import hypothesis
from hypothesis import strategies as st

from smtp_desk.app.diagnostics.report_markdown import report_markdown
from smtp_desk.core.reply import visible
from smtp_desk.core.report import CheckReport
from tests.app.diagnostics.hostile import ALL, FENCES, HTML, LINKS, hostile
from tests.cli.reports import REPORT
from tests.table import each_row
from tests.ui import reports

OURS = re.compile(r"# SMTP Desk report|## [A-Z][a-z ]+|\*\*[^*`<\[]+\*\*|")


def outside(markdown: str) -> list[str]:
    """Return the lines that are no part of a code fence (CommonMark 4.5)."""
    lines, fence = list[str](), ""
    for line in markdown.split("\n"):
        opened = re.match(r" {0,3}(`{3,})([^`]*)$", line)
        if fence:
            closed = re.fullmatch(r" {0,3}(`{3,})[ \t]*", line)
            if closed is not None and len(closed[1]) >= len(fence):
                fence = ""
        elif opened is not None:
            fence = opened[1]
        else:
            lines.append(line)
    assert not fence
    return lines


@each_row("text", [ALL, FENCES, HTML, LINKS, "`" * 5000, "~~~", "    ```", "\\"])
def test_outside_of_the_fences_stands_nothing_but_our_own_words(text: str) -> None:
    for line in outside(report_markdown(hostile(visible(text)))):
        assert OURS.fullmatch(line), line


@hypothesis.given(st.text(alphabet="`~\n #<>[]()!\\@ax", max_size=60))
def test_no_text_leaves_its_fence(text: str) -> None:
    for line in outside(report_markdown(hostile(visible(text)))):
        assert OURS.fullmatch(line), line


@each_row("report", [*reports.REPORTS.values(), REPORT, replace(REPORT, id="")])
def test_nothing_is_lost(report: CheckReport) -> None:
    squeezed = "".join(report_markdown(report).split())
    told = [line.text for line in report.transcript]
    if report.finding is not None and not report.cancelled:
        told += [
            report.finding.summary,
            report.finding.explanation,
            str(report.finding.reply or ""),
        ]
        told += [remedy.text for remedy in report.finding.remedies]
    for text in told:
        assert "".join(text.split()) in squeezed
