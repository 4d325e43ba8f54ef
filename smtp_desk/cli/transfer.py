"""`smtp-desk export` and `import`: settings without secrets, for another workstation."""

import dataclasses
from pathlib import Path
from typing import Final

import click

from smtp_desk.app.diagnostics.report_text import Row
from smtp_desk.app.proving.proving import ProofRequest
from smtp_desk.app.routes.custom import load_saved
from smtp_desk.app.routes.words import after_save
from smtp_desk.app.words import failure_text
from smtp_desk.cli.invocation import ExitError, FileName, Invocation, print_rows, say, writing_to
from smtp_desk.cli.manual import FILES, PASSWORD_ENVIRONMENT, ManualCommand
from smtp_desk.cli.oauth_options import refuse_expiry, secret_options
from smtp_desk.cli.proof import SAVE_STATUSES, Shape, proof_options, prove_and_save
from smtp_desk.cli.settings_options import read_secret, refuse_against_locks
from smtp_desk.core.exit_status import ExitStatus
from smtp_desk.core.reply import visible
from smtp_desk.core.settings import OAUTH, SettingsDraft
from smtp_desk.core.translation import _, mark
from smtp_desk.store.portable import PortableError, Unusable, read_portable, write_portable
from smtp_desk.store.settings_file import SettingsFileError

# Translators: instead of a username.
_NONE: Final = mark("none")
_WHY: Final = {
    Unusable.UNREADABLE: mark("It can’t be read: {detail}."),
    Unusable.TOO_LARGE: mark("It’s larger than 64 KiB."),
    Unusable.NOT_TOML: mark("It isn’t a settings file (not TOML in UTF-8)."),
    Unusable.OTHER_SCHEMA: mark("It isn’t a file created by “smtp-desk export”."),
    Unusable.NEWER: mark(
        "It was created by a newer version of SMTP Desk (schema {detail}). Update SMTP Desk."
    ),
    Unusable.UNKNOWN_KEY: mark("It contains “{detail}”, which exported settings never do."),
    Unusable.BAD_VALUE: mark("Its value of “{detail}” isn’t valid."),
}


@click.command(
    cls=ManualCommand,
    short_help=mark("Write the saved settings to a file, without secrets."),
    statuses={
        ExitStatus.OK: mark("done"),
        ExitStatus.USAGE: mark("the command line is wrong"),
        ExitStatus.CANTCREAT: mark("FILE can’t be written"),
        ExitStatus.CONFIG: mark("nothing is configured, or the settings file can’t be read"),
    },
    files=FILES,
    examples=[(mark("Take the settings to another workstation"), "smtp-desk export server.toml")],
)
@click.argument("file", type=FileName(dir_okay=False))
@click.pass_obj
def export(invocation: Invocation, file: Path) -> ExitStatus:
    """Write the saved server settings to FILE, for “smtp-desk import” on another workstation.

    FILE contains no password, no certificate and no program, and proves nothing: the settings are
    tested again where they are imported.
    """
    try:
        stored = invocation.services.store.load()
    except SettingsFileError as error:
        raise ExitError(failure_text(error), ExitStatus.CONFIG) from error
    if stored.server is None:
        raise ExitError(_("Nothing is configured yet."), ExitStatus.CONFIG)
    settings = stored.server.settings
    with writing_to(file):
        write_portable(file, settings)
    say(invocation.out, _("Exported to {file}, without the password.", file=file))
    if settings.ca_pem:
        say(invocation.out, _("The company CA isn’t included. Use --ca-file where you import it."))
    return ExitStatus.OK


@click.command(
    "import",
    cls=ManualCommand,
    short_help=mark("Test exported settings, and save them if the test passed."),
    statuses={
        **SAVE_STATUSES,
        ExitStatus.DATAERR: mark("FILE can’t be imported, or its settings are wrong (settings.*)"),
    },
    environment=PASSWORD_ENVIRONMENT,
    files=FILES,
    examples=[
        (
            mark("Use the settings here (asks for the host and password)"),
            "smtp-desk import server.toml --to ann@example.org",
        ),
        (
            mark("From a script"),
            """
            smtp-desk import server.toml --accept smtp.example.org --to ann@example.org \\
              --password-stdin <password
            """,
        ),
    ],
)
@click.argument("source", metavar="FILE", type=FileName(dir_okay=False))
@click.option(
    "--to", "recipient", required=True, metavar="ADDR", help=mark("Where the test email goes.")
)
@click.option(
    "--accept",
    metavar="HOST",
    help=mark("The host you expect in FILE. You're asked if you don't give it."),
)
@click.option(
    "--ca-file",
    default="",
    metavar="PATH",
    help=mark("Company CA certificates (PEM) to trust in addition to the system's."),
)
@click.option(
    "--password-stdin",
    is_flag=True,
    help=mark("Read the password from standard input, without its final newline."),
)
@secret_options
@proof_options
@click.pass_context
def import_command(
    context: click.Context,
    /,
    source: Path,
    recipient: str,
    *,
    accept: str | None,
    ca_file: str,
    password_stdin: bool,
    timeout: float,
    as_json: bool,
    file: Path | None,
    **values: str,
) -> ExitStatus:
    """Test the settings that “smtp-desk export” wrote to FILE, and save them if that passed.

    The server and the sign-in are shown, and must be accepted, before a password is asked for:
    a file from a stranger would send it to the stranger’s server.
    """
    invocation: Invocation = context.obj
    managed = invocation.services.managed
    draft = managed.fill(dataclasses.replace(_read(source), ca_file=ca_file))
    refuse_expiry(draft.oauth, values)
    print_rows(invocation.err if as_json else invocation.out, _rows(draft))
    refuse_against_locks(managed, draft)
    _confirm(invocation, draft.host, accept)
    secret = read_secret(invocation, draft, values, from_stdin=password_stdin)
    day = values["client_secret_expires"]
    oauth = dataclasses.replace(draft.oauth, client_secret_expires=day)
    request = ProofRequest(
        draft=dataclasses.replace(draft, secret=secret, oauth=oauth),
        recipient=recipient,
        total_seconds=timeout,
        today=invocation.services.now().date(),
    )
    return prove_and_save(
        invocation,
        request,
        Shape(as_json, file),
        lambda services: after_save(load_saved(services).status),
    )


def _read(file: Path) -> SettingsDraft:
    try:
        return read_portable(file)
    except PortableError as error:
        why = _(_WHY[error.why], detail=visible(error.detail))
        raise ExitError(
            f"{_('{file} can’t be imported.', file=file)} {why}", ExitStatus.DATAERR
        ) from error


def _confirm(invocation: Invocation, host: str, accept: str | None) -> None:
    """Go on only where a person or a script named the host.

    Raises:
        click.UsageError: Nobody is there to ask.
        click.Abort: The person said no.
        ExitError: The file names another host.
    """
    if accept is None:
        if not invocation.attended:
            raise click.UsageError(_("Give the host you expect in FILE: --accept HOST."))
        click.confirm(_("Send your password to {host}?", host=visible(host)), abort=True, err=True)
    elif accept.strip().casefold() != host.strip().casefold():
        raise ExitError(
            _(
                "The file contains the host {host}, not {accept}. Nothing was done.",
                host=visible(host),
                accept=visible(accept),
            ),
            ExitStatus.DATAERR,
        )


def _rows(draft: SettingsDraft) -> list[Row]:
    oauth = draft.oauth
    sign_in = f"OAuth 2.0, {oauth.provider}" if draft.auth_method == OAUTH else _("password")
    rows = [
        (_("SMTP server host"), draft.host),
        (_("Port"), draft.port),
        (_("Username"), draft.username or _(_NONE)),
        (_("Sign-in"), sign_in if draft.username else _(_NONE)),
        (_("From email"), draft.from_email),
    ]
    return [(label, visible(value)) for label, value in rows]
