"""What check and configure have in common: how a test is shown, and its report given."""

import math
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeVar

import click

from smtp_desk.app.proving import ProofRequest, ProofResult
from smtp_desk.app.report_file import report_octets, save_report
from smtp_desk.cli.console import write_octets
from smtp_desk.cli.file_name import FileName
from smtp_desk.cli.invocation import CommandError, Invocation
from smtp_desk.cli.proof_run import run_proof
from smtp_desk.cli.settings_options import options_of
from smtp_desk.cli.stage_list import StageList
from smtp_desk.cli.verdict import Way, print_verdict
from smtp_desk.core.exit_status import ExitStatus, exit_status
from smtp_desk.core.findings import Remedy
from smtp_desk.core.report import CheckReport

_F = TypeVar("_F", bound=Callable[..., Any])

DEFAULT_SECONDS: Final = 60.0
LONGEST_SECONDS: Final = 3600.0


@dataclass(frozen=True, slots=True)
class Shape:
    """In which shape the report is given.

    Attributes:
        as_json: The report on standard output, and nothing else there.
        file: Where it is also saved, or None.
    """

    as_json: bool
    file: Path | None


def _seconds(_context: click.Context, _parameter: click.Parameter, value: float) -> float:
    if not 0 < value <= LONGEST_SECONDS or math.isnan(value):
        raise click.BadParameter(
            f"A test takes more than 0 and at most {LONGEST_SECONDS:g} seconds, not {value:g}."
        )
    return value


def proof_options(command: _F) -> _F:
    """Give a command the options that every test has."""
    for option in (
        click.option(
            "--report",
            "file",
            metavar="FILE",
            type=FileName(dir_okay=False),
            help="Also save the report there, readable by you only.",
        ),
        click.option(
            "--json",
            "as_json",
            is_flag=True,
            help="Print the report as JSON on standard output, and nothing else there.",
        ),
        click.option(
            "--timeout",
            type=float,
            default=DEFAULT_SECONDS,
            show_default=f"{DEFAULT_SECONDS:g}",
            metavar="SECONDS",
            callback=_seconds,
            help="Longest time for the whole test.",
        ),
    ):
        command = option(command)
    return command


def run_shown(invocation: Invocation, request: ProofRequest, shape: Shape) -> ProofResult:
    """Run the test and show its stages, beside a JSON report on a terminal only."""
    console = invocation.err if shape.as_json else invocation.out
    shown = None if shape.as_json and not console.is_terminal else StageList(console)
    with shown or nullcontext():
        return run_proof(invocation.services, request, shown.show if shown else lambda _event: None)


def by_options(remedy: Remedy) -> str:
    """Return the options that make the changes of a remedy, where SETTINGS were given."""
    return options_of(remedy.changes)


def by_configuring(remedy: Remedy) -> str:
    """Tell how a remedy changes what is saved: with one option all come from the command line."""
    options = options_of(remedy.changes)
    return f"“smtp-desk configure” with all SETTINGS and {options}" if options else ""


def present(
    invocation: Invocation, report: CheckReport, shape: Shape, way: Way = by_options
) -> ExitStatus:
    """Give the report in its shape, and return the exit status for its finding.

    Args:
        invocation: Where to give it.
        report: The report of a test that was run here.
        shape: Its shape.
        way: Tells how a remedy is done here.

    Raises:
        CommandError: The report could not be saved in a file.
    """
    if shape.as_json:
        write_octets(report_octets(report))
    else:
        print_verdict(invocation.out, report, way)
    if shape.file is not None:
        try:
            save_report(shape.file, report)
        except OSError as error:
            raise CommandError(
                f"The report could not be saved as {shape.file}: {error.strerror}.",
                ExitStatus.CANTCREAT,
            ) from error
    return exit_status(report.finding)
