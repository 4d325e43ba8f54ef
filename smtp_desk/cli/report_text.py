"""A whole report, readable: on a terminal, in a pipe, or as Markdown for a ticket."""

import json
import re
from collections.abc import Iterator
from itertools import chain
from typing import Final

from rich.console import Console

from smtp_desk.cli.console import Row, print_rows, say
from smtp_desk.cli.stage_facts import shown
from smtp_desk.cli.stage_list import stage_line, stage_table
from smtp_desk.cli.verdict import WHO, chain_rows, outcome_text, print_verdict
from smtp_desk.core.findings import Finding
from smtp_desk.core.report import CheckReport, Direction
from smtp_desk.core.stages import Facts

_ARROWS: Final = {Direction.CLIENT: ">", Direction.SERVER: "<"}
_FENCE: Final = re.compile(r"`{3,}")
_TICKS: Final = re.compile(r"`+")


def print_report(console: Console, report: CheckReport) -> None:
    """Print all that a report holds: the outcome first, what explains it, then the details."""
    print_verdict(console, report)
    _heading(console, "Stages")
    if console.is_terminal:
        console.print(stage_table(console, report.stages))
    else:
        for result in report.stages:
            say(console, stage_line(result))
    if certificates := list(_certificates(report)):
        _heading(console, "Certificates")
        print_rows(console, certificates)
    if report.transcript:
        _heading(console, "Transcript")
        for line in _transcript(report):
            say(console, line)
    _heading(console, "Settings")
    print_rows(console, _rows(report.settings))
    _heading(console, "Environment")
    print_rows(console, _rows(report.environment))


def report_markdown(report: CheckReport) -> str:
    """Return the report as Markdown; nothing that a server said is read as markup there."""
    parts = chain(
        (f"# SMTP Desk report {report.id}".rstrip(), f"**{outcome_text(report)}**"),
        _finding_markdown("Cause", report.finding) if report.finding else (),
        *(_finding_markdown("Warning", warning) for warning in report.warnings),
        _block("Stages", map(stage_line, report.stages)),
        _block("Certificates", map(_joined, _certificates(report))),
        _block("Transcript", _transcript(report)),
        _block("Facts", (f"{result.stage}: {_compact(result.facts)}" for result in report.stages)),
        _block("Settings", map(_joined, _rows(report.settings))),
        _block("Environment", map(_joined, _rows(report.environment))),
    )
    return "\n\n".join(parts) + "\n"


def _heading(console: Console, title: str) -> None:
    say(console, "")
    say(console, title, "bold")


def _certificates(report: CheckReport) -> Iterator[Row]:
    for result in report.stages:
        yield from chain_rows(result.facts)


def _transcript(report: CheckReport) -> Iterator[str]:
    for line in report.transcript:
        yield f"{line.at_ms:>6} ms {_ARROWS[line.direction]} {line.text}"


def _rows(facts: Facts) -> list[Row]:
    return [(name, shown(value)) for name, value in facts.items()]


def _joined(row: Row) -> str:
    return ": ".join(row)


def _compact(facts: Facts) -> str:
    return json.dumps(dict(facts), ensure_ascii=False)


def _finding_markdown(title: str, finding: Finding) -> Iterator[str]:
    yield f"## {title}: {_code(finding.code)}"
    yield _plain(finding.summary)
    if finding.explanation:
        yield _plain(finding.explanation)
    told = [f"Who can mend it: {WHO[finding.who]}"]
    if finding.reply is not None:
        told.append(f"Server said: {_code(str(finding.reply))}")
    told.extend(f"Remedy: {_plain(remedy.text)}" for remedy in finding.remedies)
    yield "\n".join(f"- {line}" for line in told)


def _block(title: str, lines: Iterator[str]) -> Iterator[str]:
    """Yield a section with its lines as they are; nothing where there are none."""
    content = "\n".join(lines)
    if content:
        longest = max((len(run) for run in _FENCE.findall(content)), default=2)
        fence = "`" * (longest + 1)
        yield f"## {title}"
        yield f"{fence}text\n{content}\n{fence}"


def _code(text: str) -> str:
    """Return a code span that no run of backticks inside can end."""
    longest = max((len(run) for run in _TICKS.findall(text)), default=0)
    ticks = "`" * (longest + 1)
    space = " " if longest else ""
    return f"{ticks}{space}{text}{space}{ticks}"


def _plain(text: str) -> str:
    """Escape what Markdown or HTML would take for more than text."""
    return re.sub(r"([\\`*_\[\]<>&#|!~])", r"\\\1", text)
