"""`smtp-desk configure`: run the test, and save what it proved."""

from pathlib import Path
from typing import Final

import click

from smtp_desk.app.routes.custom import load_saved
from smtp_desk.app.routes.words import after_save
from smtp_desk.app.services import Services
from smtp_desk.cli.invocation import system_option
from smtp_desk.cli.manual import (
    FILES,
    PASSWORD_ENVIRONMENT,
    SYSTEM_ENVIRONMENT,
    SYSTEM_FILES,
    ManualCommand,
)
from smtp_desk.cli.proof import (
    SAVE_STATUSES,
    Shape,
    proof_options,
    prove_and_save,
    settings_request,
)
from smtp_desk.cli.settings_options import settings_options
from smtp_desk.core.exit_status import ExitStatus
from smtp_desk.core.oauth import INTERACTIVE
from smtp_desk.core.translation import _, mark

_NO_PERSON: Final = mark(
    "The system-wide worker has no keyring for a person’s sign-in. Use --oauth-flow app or "
    "service-account."
)


@click.command(
    cls=ManualCommand,
    short_help=mark("Test SETTINGS, and save them if the test passes."),
    statuses=SAVE_STATUSES,
    environment={**PASSWORD_ENVIRONMENT, **SYSTEM_ENVIRONMENT},
    files={**FILES, **SYSTEM_FILES},
    examples=[
        (
            mark("Save a server (asks for the password)"),
            """
            smtp-desk configure --host smtp.example.org --username desk@example.org \\
              --from-name 'Example Ltd' --from-email desk@example.org --to ann@example.org
            """,
        ),
        (
            mark("From a script, with the password in a file"),
            """
            smtp-desk configure --host smtp.example.org --username desk@example.org \\
              --from-email desk@example.org --to ann@example.org --password-stdin <password
            """,
        ),
        (
            mark("For all users of this computer, as root"),
            """
            smtp-desk configure --system --host smtp.example.org --username desk@example.org \\
              --from-email desk@example.org --to ann@example.org
            """,
        ),
    ],
)
@settings_options
@click.option(
    "--to", "recipient", required=True, metavar="ADDR", help=mark("Where the test email goes.")
)
@click.option(
    "--keep-copy",
    "may_keep_copy",
    is_flag=True,
    help=mark("If the settings file can't be read, keep a copy of it and start over."),
)
@proof_options
@system_option
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
    may_keep_copy: bool,
    **settings: str,
) -> ExitStatus:
    """Test an SMTP server with a real email, and save the settings if it was accepted.

    The password goes into the operating system’s keyring, never into a file. Nothing is saved
    unless the test email was accepted. “smtp-desk enable” then sends system emails through the
    server. A settings file that can’t be read is never overwritten.
    """
    request = settings_request(
        context, recipient, settings, timeout=timeout, password_stdin=password_stdin
    )
    if context.obj.system and request.draft.oauth.flow in map(str, INTERACTIVE):
        raise click.UsageError(_(_NO_PERSON), context)
    return prove_and_save(
        context.obj,
        request,
        Shape(as_json, file),
        lambda services: _after_save(services, system=context.obj.system),
        may_keep_copy=may_keep_copy,
    )


def _after_save(services: Services, *, system: bool) -> str:
    text = after_save(load_saved(services).status)
    if not system:
        return text
    restart = _("Run “systemctl restart smtp-desk” to give a running worker the new password.")
    return f"{text} {restart}"
