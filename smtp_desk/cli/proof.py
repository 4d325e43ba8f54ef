"""Run a test that Ctrl-C can stop, show it, give its report, and save what it proved."""

import math
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final, TypeVar

import click

from smtp_desk.app.diagnostics.report_file import report_octets, save_report
from smtp_desk.app.proving.proving import ProofRequest, ProofResult, keep_copy, prove, save
from smtp_desk.app.services import Services
from smtp_desk.app.words import failure_text
from smtp_desk.cli.invocation import (
    ExitError,
    FileName,
    Invocation,
    in_background,
    say,
    write_octets,
)
from smtp_desk.cli.manual import TEST_STATUSES, Meanings
from smtp_desk.cli.oauth_options import show_prompt
from smtp_desk.cli.render import StagePrinter, Way, print_verdict
from smtp_desk.cli.settings_options import (
    draft_of,
    options_of,
    read_secret,
    refuse_against_locks,
    settings_given,
)
from smtp_desk.core.exit_status import ExitStatus, exit_status
from smtp_desk.core.findings.finding import Remedy
from smtp_desk.core.report import CheckReport
from smtp_desk.core.secret import Secret
from smtp_desk.core.stages import StageEvent
from smtp_desk.core.translation import _, mark
from smtp_desk.oauth.prompt import Prompt
from smtp_desk.store.managed import Managed
from smtp_desk.store.save_protocol import SaveError
from smtp_desk.store.settings_file import SettingsFileError


def run_proof(
    services: Services, request: ProofRequest, show: Callable[[StageEvent | Prompt], None]
) -> ProofResult:
    """Run a test; the first Ctrl-C cancels it, a second one ends the program.

    Args:
        services: As for `prove`.
        request: What to test.
        show: Called in the calling thread for each event.
    """
    return in_background(
        lambda emit, cancel: prove(services, replace(request, ask=emit), emit, cancel), show
    )


_F = TypeVar("_F", bound=Callable[..., Any])

DEFAULT_SECONDS: Final = 60.0
LONGEST_SECONDS: Final = 3600.0


@dataclass(frozen=True, slots=True)
class Shape:
    """The form in which the report is given.

    Attributes:
        as_json: Print only the report on standard output, as JSON.
        file: Where it is also saved, or None.
    """

    as_json: bool
    file: Path | None


def _seconds(_context: click.Context, _parameter: click.Parameter, value: float) -> float:
    if not 0 < value <= LONGEST_SECONDS or math.isnan(value):
        most, given = f"{LONGEST_SECONDS:g}", f"{value:g}"
        text = _(
            "Enter more than 0 and at most {most} seconds, not {given}.", most=most, given=given
        )
        raise click.BadParameter(text)
    return value


def proof_options(command: _F) -> _F:
    """Give a command the options that every test has."""
    for option in (
        click.option(
            "--report",
            "file",
            metavar="FILE",
            type=FileName(dir_okay=False),
            help=mark("Also save the report as FILE, readable only by you."),
        ),
        click.option(
            "--json",
            "as_json",
            is_flag=True,
            help=mark("Print only the report, as JSON, on standard output."),
        ),
        click.option(
            "--timeout",
            type=float,
            default=DEFAULT_SECONDS,
            show_default=f"{DEFAULT_SECONDS:g}",
            metavar="SECONDS",
            callback=_seconds,
            help=mark("Time limit for the whole test."),
        ),
    ):
        command = option(command)
    return command


def run_shown(invocation: Invocation, request: ProofRequest, shape: Shape) -> ProofResult:
    """Run the test and show its stages; with a JSON report only on a terminal."""
    console = invocation.err if shape.as_json else invocation.out
    shown = None if shape.as_json and not console.is_terminal else StagePrinter(console)

    def show(event: StageEvent | Prompt) -> None:
        if isinstance(event, Prompt):
            opening = invocation.attended and not shape.as_json
            show_prompt(console, event, opening=opening)
        elif shown is not None:
            shown.show(event)

    with shown or nullcontext():
        return run_proof(invocation.services, request, show)


def by_options(remedy: Remedy) -> str:
    """Return the options that make the changes of a remedy, if SETTINGS were given."""
    return options_of(remedy.changes)


def by_configuring(remedy: Remedy) -> str:
    """Return how a remedy changes saved settings: one option means that all must be given."""
    options = options_of(remedy.changes)
    return (
        _("“smtp-desk configure” with all SETTINGS and {options}", options=options)
        if options
        else ""
    )


def present(
    invocation: Invocation, report: CheckReport, shape: Shape, way: Way = by_options
) -> ExitStatus:
    """Give the report in its form, and return the exit status for its finding.

    Args:
        invocation: Where to print it.
        report: The report of a test that was run here.
        shape: Its form.
        way: Returns how to carry out a remedy here.

    Raises:
        ExitError: The report could not be saved in a file.
    """
    if shape.as_json:
        write_octets(report_octets(report))
    else:
        print_verdict(invocation.out, report, way)
    if shape.file is not None:
        try:
            save_report(shape.file, report)
        except OSError as error:
            raise ExitError(
                _(
                    "Couldn’t save the report as {file}: {why}.",
                    file=shape.file,
                    why=error.strerror,
                ),
                ExitStatus.CANTCREAT,
            ) from error
    return exit_status(report.finding)


SAVE_STATUSES: Meanings = {
    **TEST_STATUSES,
    ExitStatus.CANTCREAT: mark("the test passed, but the settings or the report couldn't be saved"),
}
"""The exit statuses of commands that test and save."""


def settings_request(
    context: click.Context,
    recipient: str,
    settings: Mapping[str, str],
    *,
    timeout: float,
    password_stdin: bool,
    default: bool = False,
) -> ProofRequest:
    """Return the test of SETTINGS, with the password from where it was given for this server.

    Raises:
        click.UsageError: The command line has none of SETTINGS.
        ExitError: The password can't be read, or the organization locked another value.
    """
    if not settings_given(context):
        raise click.UsageError(_("Give the SETTINGS to save, at least --host."), context)
    managed = Managed() if default else context.obj.services.managed
    draft = draft_of(context.obj, settings, Secret(""), managed=managed)
    refuse_against_locks(managed, draft)
    secret = read_secret(
        context.obj,
        draft,
        settings,
        from_stdin=password_stdin,
        default=default,
    )
    return ProofRequest(
        draft=replace(draft, secret=secret),
        recipient=recipient,
        total_seconds=timeout,
        today=context.obj.services.now().date(),
    )


def prove_and_save(
    invocation: Invocation,
    request: ProofRequest,
    shape: Shape,
    after_save: Callable[[Services], str],
    *,
    default: bool = False,
    may_keep_copy: bool = False,
) -> ExitStatus:
    """Run the test, give its report, and save the settings if it passed.

    Args:
        invocation: Where to show and to save it.
        request: A full test.
        shape: The form of the report.
        after_save: Returns what to say after saving.
        default: Save them as the relay of the default email service.
        may_keep_copy: Rename a settings file that can't be read.

    Raises:
        ExitError: The settings or the report could not be saved.
    """
    if not may_keep_copy:
        _refuse_unreadable(invocation.services)
    result = run_shown(invocation, request, shape)
    status = present(invocation, result.report, shape)
    if not result.proven:
        return status
    console = invocation.err if shape.as_json else invocation.out
    try:
        kept = keep_copy(invocation.services) if may_keep_copy else None
        if kept:
            say(console, _("The unreadable settings file was kept as {kept}.", kept=kept))
        save(invocation.services, result, default=default)
    except SaveError as error:
        raise ExitError(f"{_('Not saved.')} {failure_text(error)}", ExitStatus.CANTCREAT) from error
    say(console, after_save(invocation.services))
    return status


def _refuse_unreadable(services: Services) -> None:
    """End before a test whose settings could not be saved."""
    try:
        services.store.load()
    except SettingsFileError as error:
        text = _(
            "Nothing was tested. {why}. Fix this problem, or start over: “smtp-desk "
            "configure --keep-copy” keeps a copy of the file.",
            why=failure_text(error),
        )
        raise ExitError(text, ExitStatus.CANTCREAT) from error
