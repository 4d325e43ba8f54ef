"""`smtp-desk configure`: run the test, and save what it proved."""

from pathlib import Path

import click

from smtp_desk.app.proving import ProofRequest, save
from smtp_desk.app.saved import failure_text, load_saved
from smtp_desk.cli.console import say
from smtp_desk.cli.invocation import CommandError, Invocation
from smtp_desk.cli.manual import FILES, PASSWORD_ENVIRONMENT, TEST_STATUSES, ManualCommand
from smtp_desk.cli.proof_output import Shape, present, proof_options, run_shown
from smtp_desk.cli.settings_options import (
    draft_of,
    read_password,
    settings_given,
    settings_options,
)
from smtp_desk.core.exit_status import ExitStatus
from smtp_desk.store.settings_store import SaveError


@click.command(
    cls=ManualCommand,
    short_help="Run the test, and save SETTINGS if it passed.",
    statuses={
        **TEST_STATUSES,
        ExitStatus.CANTCREAT: "the test passed, but the settings or the report could not be saved",
    },
    environment=PASSWORD_ENVIRONMENT,
    files=FILES,
    examples=[
        (
            "Save a server; the password is asked for",
            """
            smtp-desk configure --host smtp.example.org --username desk@example.org \\
              --from-name 'Example Ltd' --from-email desk@example.org --to ann@example.org
            """,
        ),
        (
            "From a script that has the password in a file",
            """
            smtp-desk configure --host smtp.example.org --username desk@example.org \\
              --from-email desk@example.org --to ann@example.org --password-stdin <password
            """,
        ),
    ],
)
@settings_options
@click.option("--to", "recipient", required=True, metavar="ADDR", help="Where the test email goes.")
@proof_options
@click.pass_context
def configure(
    context: click.Context,
    /,
    recipient: str,
    *,
    timeout: float,
    as_json: bool,
    file: Path | None,
    password_stdin: bool,
    **settings: str,
) -> ExitStatus:
    """Test an SMTP server with a real email, and save the settings if it was accepted.

    The password goes into the keyring of the operating system, never into a file. Nothing is
    saved unless the test email was accepted. “smtp-desk enable” then sends system emails
    through the server.
    """
    invocation: Invocation = context.obj
    if not settings_given(context):
        raise click.UsageError("Give the SETTINGS to save, at least --host.", context)
    password = read_password(invocation, from_stdin=password_stdin, username=settings["username"])
    request = ProofRequest(
        draft=draft_of(settings, password), recipient=recipient, total_seconds=timeout
    )
    shape = Shape(as_json, file)
    result = run_shown(invocation, request, shape)
    status = present(invocation, result.report, shape)
    if not result.proven:
        return status
    try:
        save(invocation.services, result)
    except SaveError as error:
        raise CommandError(f"Not saved. {failure_text(error)}", ExitStatus.CANTCREAT) from error
    console = invocation.err if as_json else invocation.out
    say(console, load_saved(invocation.services).after_save)
    return status
