"""A report as Markdown, for a ticket: text from servers is in code fences."""

import re
import textwrap
from collections.abc import Iterator
from typing import Final

from smtp_desk.app.diagnostics.report_text import Section, outcome_text, report_sections
from smtp_desk.core.report import CheckReport

_WIDTH: Final = 96
_TICKS: Final = re.compile(r"`+")


def report_markdown(report: CheckReport) -> str:
    """Return the report as Markdown; nothing that a server or stranger wrote is markup there."""
    parts = ["# SMTP Desk report", f"**{outcome_text(report)}**"]
    for section in report_sections(report):
        parts += f"## {section.title}", _fenced("\n".join(_lines(section)))
    return "\n\n".join(parts) + "\n"


def _lines(section: Section) -> Iterator[str]:
    """Return the lines; sentences wrapped, for code fences are not."""
    for line in section.lines:
        yield (
            line
            if section.exact
            else "\n".join(
                textwrap.wrap(line, _WIDTH, break_on_hyphens=False, drop_whitespace=True) or [""]
            )
        )


def _fenced(content: str) -> str:
    """Return a fence that is longer than any run of backticks inside, so that none ends it."""
    longest = max((len(run) for run in _TICKS.findall(content)), default=0)
    fence = "`" * max(longest + 1, 3)
    return f"{fence}text\n{content}\n{fence}"
