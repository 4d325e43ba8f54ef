"""`smtp-desk report` and `smtp-desk open`: look at a saved report."""

import sys
from pathlib import Path
from typing import Final

import click

from smtp_desk.app.diagnostics.comparison import compare_reports, comparison_lines
from smtp_desk.app.diagnostics.report_file import (
    from_file,
    load_report,
    report_octets,
    unreadable_text,
)
from smtp_desk.app.diagnostics.report_html import report_html
from smtp_desk.app.diagnostics.report_markdown import report_markdown
from smtp_desk.app.diagnostics.report_text import (
    fact_rows,
    report_chain,
    stage_line,
    transcript_lines,
)
from smtp_desk.app.diagnostics.support_message import Audience, message_text
from smtp_desk.app.opened import Opened
from smtp_desk.cli.invocation import (
    ExitError,
    FileName,
    Invocation,
    Output,
    Pipe,
    print_rows,
    say,
    write_octets,
)
from smtp_desk.cli.manual import ManualCommand, Meanings
from smtp_desk.cli.render import print_verdict
from smtp_desk.core.exit_status import ExitStatus
from smtp_desk.core.hiding import without_addresses
from smtp_desk.core.report import CheckReport
from smtp_desk.core.report_reader import MAX_BYTES, ReportFormatError, read_report
from smtp_desk.core.translation import _, mark


def print_report(console: Output, report: CheckReport) -> None:
    """Print the whole report: the outcome first, its explanation, then the details."""
    print_verdict(console, report)
    _heading(console, _("Stages"))
    if isinstance(console, Pipe):
        for result in report.stages:
            say(console, stage_line(result))
    else:
        from smtp_desk.cli.terminal import stage_table  # noqa: PLC0415 - on one only

        console.print(stage_table(console, report.stages))
    if certificates := report_chain(report):
        _heading(console, _("Certificates"))
        print_rows(console, certificates)
    if report.transcript:
        _heading(console, _("Transcript"))
        for line in transcript_lines(report):
            say(console, line)
    _heading(console, _("Settings"))
    print_rows(console, fact_rows(report.settings))
    _heading(console, _("Environment"))
    print_rows(console, fact_rows(report.environment))


def _heading(console: Output, title: str) -> None:
    say(console, "")
    say(console, title, "bold")


_STANDARD_INPUT: Final = Path("-")
_STATUSES: Final[Meanings] = {
    ExitStatus.OK: mark("the report was shown"),
    ExitStatus.USAGE: mark("the command line is wrong"),
    ExitStatus.DATAERR: mark("the file can’t be read, or isn’t a report"),
}
_ONE_OF: Final = mark("Use only one of --markdown, --html, --json, --message and --compare.")
_CHANGES: Final = mark("Changes from the earlier to the later report:")
_NO_CHANGE: Final = mark("Only the times differ between the two reports.")


@click.command(
    cls=ManualCommand,
    short_help=mark("Show a saved report."),
    statuses=_STATUSES,
    examples=[
        (mark("Read a report that a customer sent"), "smtp-desk report report.json"),
        (mark("Paste it into a ticket"), "smtp-desk report report.json --markdown"),
        (
            mark("Write to the customer, without email addresses"),
            "smtp-desk report report.json --message customer --hide-addresses",
        ),
        (mark("See what changed since then"), "smtp-desk report before.json --compare after.json"),
        (
            mark("Read one without saving it"),
            "smtp-desk check --to ann@example.org --json | smtp-desk report -",
        ),
    ],
)
@click.argument("file", type=FileName(allow_dash=True))
@click.option("--markdown", is_flag=True, help=mark("Print it as Markdown, for a ticket."))
@click.option("--html", is_flag=True, help=mark("Print it as an HTML page."))
@click.option(
    "--json", "as_json", is_flag=True, help=mark("Print it as JSON, checked and safe to show.")
)
@click.option(
    "--message",
    "audience",
    type=click.Choice([str(each) for each in Audience]),
    help=mark("Print a message to send about it."),
)
@click.option(
    "--compare", "other", type=FileName(), help=mark("Show what changed between it and OTHER.")
)
@click.option("--hide-addresses", is_flag=True, help=mark("Hide email addresses and usernames."))
@click.pass_obj
def report(
    invocation: Invocation,
    file: Path,
    *,
    markdown: bool,
    html: bool,
    as_json: bool,
    audience: str | None,
    other: Path | None,
    hide_addresses: bool,
) -> ExitStatus:
    """Show a saved report: the outcome, its cause, and all that was seen.

    FILE comes from --report or Save report; “-” is standard input. Whoever wrote it, everything
    in it is shown as plain text.
    """
    if sum((markdown, html, as_json, audience is not None, other is not None)) > 1:
        raise click.UsageError(_(_ONE_OF))
    reports = tuple(report_of(each) for each in (file, other) if each is not None)
    found, *others = without_addresses(*reports) if hide_addresses else reports
    if others:
        _print_comparison(invocation.out, found, *others)
    elif as_json:
        write_octets(report_octets(found))
    elif markdown or html or audience is not None:
        text = message_text(found, Audience(audience)) if audience else ""
        text = text or (report_html if html else report_markdown)(found)
        write_octets(text.encode("utf-8", "backslashreplace"))
    else:
        print_report(invocation.out, found)
    return ExitStatus.OK


def _print_comparison(console: Output, first: CheckReport, second: CheckReport) -> None:
    compared = compare_reports(first, second)
    rows = list(comparison_lines(compared))
    say(console, _(_CHANGES if rows else _NO_CHANGE), "bold")
    print_rows(console, rows)


@click.command(
    "open",
    cls=ManualCommand,
    short_help=mark("Open a saved report in the window."),
    statuses={
        **_STATUSES,
        ExitStatus.OK: mark("the window was opened and closed"),
        ExitStatus.UNAVAILABLE: mark(
            "the window isn’t installed, or a library it needs is missing"
        ),
        ExitStatus.CONFIG: mark("there is no display to open a window on"),
    },
    environment={"DISPLAY, WAYLAND_DISPLAY": mark("the display, on systems that use these")},
    examples=[
        (mark("See a customer’s report as the customer saw it"), "smtp-desk open report.json")
    ],
)
@click.argument("file", type=FileName(allow_dash=True), required=False)
@click.pass_obj
def open_command(invocation: Invocation, file: Path | None) -> int:
    """Open a saved report on the Diagnostics page of the window. “-” is standard input.

    A file that is no report opens the window, too, which says why. Without a file, the window
    opens as usual.
    """
    if file is None:
        return invocation.open_window(None)
    try:
        opened = Opened(report_of(file), source=_source(file))
    except ExitError as error:
        # Whoever double-clicked it sees no terminal.
        say(invocation.err, f"smtp-desk: {error}")
        status = invocation.open_window(Opened(None, trouble=str(error)))
        return status or error.status
    return invocation.open_window(opened)


def _source(file: Path) -> str:
    return _("Standard input") if file == _STANDARD_INPUT else from_file(file.name)


def report_of(file: Path) -> CheckReport:
    """Read a report from its file.

    Raises:
        ExitError: It can't be read, or isn't a report.
    """
    name = _("Standard input") if file == _STANDARD_INPUT else str(file)
    try:
        if file == _STANDARD_INPUT:
            octets = sys.stdin.buffer.read(MAX_BYTES + 1) if sys.stdin is not None else b""
            return read_report(octets)
        return load_report(file)
    except (OSError, ReportFormatError) as error:
        raise ExitError(unreadable_text(name, error), ExitStatus.DATAERR) from error
