"""A whole report, readable: on a terminal or in a pipe."""

from rich.console import Console

from smtp_desk.app.report_text import fact_rows, report_chain, stage_line, transcript_lines
from smtp_desk.cli.console import print_rows, say
from smtp_desk.cli.stage_list import stage_table
from smtp_desk.cli.verdict import print_verdict
from smtp_desk.core.report import CheckReport


def print_report(console: Console, report: CheckReport) -> None:
    """Print all that a report holds: the outcome first, what explains it, then the details."""
    print_verdict(console, report)
    _heading(console, "Stages")
    if console.is_terminal:
        console.print(stage_table(console, report.stages))
    else:
        for result in report.stages:
            say(console, stage_line(result))
    if certificates := report_chain(report):
        _heading(console, "Certificates")
        print_rows(console, certificates)
    if report.transcript:
        _heading(console, "Transcript")
        for line in transcript_lines(report):
            say(console, line)
    _heading(console, "Settings")
    print_rows(console, fact_rows(report.settings))
    _heading(console, "Environment")
    print_rows(console, fact_rows(report.environment))


def _heading(console: Console, title: str) -> None:
    say(console, "")
    say(console, title, "bold")
