"""What configure and default smtp have in common: test SETTINGS, and save what was proven."""

from collections.abc import Callable, Mapping

import click

from smtp_desk.app.proving import ProofRequest, save
from smtp_desk.app.saved import failure_text
from smtp_desk.app.services import Services
from smtp_desk.cli.console import say
from smtp_desk.cli.invocation import CommandError, Invocation
from smtp_desk.cli.manual import TEST_STATUSES, Meanings
from smtp_desk.cli.proof_output import Shape, present, run_shown
from smtp_desk.cli.settings_options import draft_of, read_password, settings_given
from smtp_desk.core.exit_status import ExitStatus
from smtp_desk.store.settings_store import SaveError

SAVE_STATUSES: Meanings = {
    **TEST_STATUSES,
    ExitStatus.CANTCREAT: "the test passed, but the settings or the report could not be saved",
}
"""The exit statuses of commands that test and save."""


def settings_request(
    context: click.Context,
    recipient: str,
    settings: Mapping[str, str],
    *,
    timeout: float,
    password_stdin: bool,
) -> ProofRequest:
    """Make the test of SETTINGS; the password comes from where it was given.

    Raises:
        click.UsageError: None of SETTINGS stands on the command line.
        CommandError: The password can't be read.
    """
    if not settings_given(context):
        raise click.UsageError("Give the SETTINGS to save, at least --host.", context)
    password = read_password(context.obj, from_stdin=password_stdin, username=settings["username"])
    return ProofRequest(
        draft=draft_of(context.obj, settings, password),
        recipient=recipient,
        total_seconds=timeout,
    )


def prove_and_save(
    invocation: Invocation,
    request: ProofRequest,
    shape: Shape,
    after_save: Callable[[Services], str],
    *,
    default: bool = False,
) -> ExitStatus:
    """Run the test, give its report, and save the settings if it passed.

    Args:
        invocation: Where to show and to save it.
        request: A whole test.
        shape: In which shape the report is given.
        after_save: Says what holds once it was saved.
        default: Save them as the relay of the default email service.

    Raises:
        CommandError: The settings or the report could not be saved.
    """
    result = run_shown(invocation, request, shape)
    status = present(invocation, result.report, shape)
    if not result.proven:
        return status
    try:
        save(invocation.services, result, default=default)
    except SaveError as error:
        raise CommandError(f"Not saved. {failure_text(error)}", ExitStatus.CANTCREAT) from error
    say(invocation.err if shape.as_json else invocation.out, after_save(invocation.services))
    return status
