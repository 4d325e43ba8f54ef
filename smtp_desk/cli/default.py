"""`smtp-desk default`: what takes the emails that the custom server can't."""

from collections.abc import Callable
from pathlib import Path
from typing import Final

import click

from smtp_desk.app.diagnostics.report_text import Row
from smtp_desk.app.routes.default import (
    DefaultState,
    InvalidSendmailError,
    default_text,
    load_default,
    use_outbox,
    use_relay,
    use_sendmail,
)
from smtp_desk.app.words import failure_text
from smtp_desk.cli.invocation import ExitError, Invocation, print_rows, say, system_option
from smtp_desk.cli.manual import (
    FILES,
    RELAY_PASSWORD_ENVIRONMENT,
    ManualCommand,
    ManualGroup,
    Meanings,
)
from smtp_desk.cli.notify import notify
from smtp_desk.cli.proof import (
    SAVE_STATUSES,
    Shape,
    proof_options,
    prove_and_save,
    settings_request,
)
from smtp_desk.cli.settings_options import settings_given, settings_options
from smtp_desk.core.exit_status import ExitStatus
from smtp_desk.core.translation import _, mark, told
from smtp_desk.store.save_protocol import SaveError
from smtp_desk.store.settings_file import SettingsFileError
from smtp_desk.store.stored import NotProvenError

_SHOW_STATUSES: Final[Meanings] = {
    ExitStatus.OK: mark("done"),
    ExitStatus.USAGE: mark("the command line is wrong"),
    ExitStatus.CONFIG: mark("the settings file can’t be read"),
}
_STATUSES: Final[Meanings] = {
    **_SHOW_STATUSES,
    ExitStatus.CANTCREAT: mark("it couldn't be saved; nothing changed"),
}


@click.group(cls=ManualGroup, short_help=mark("Choose what sends emails the custom server can’t."))
def default() -> None:
    """Choose the default email service.

    It sends system emails while no custom server is in use, and those the custom server can’t
    send: through the organization’s relay, through this machine’s own sendmail, or by holding
    them in the outbox until a server is available, as a new installation does.
    """


@default.command(
    cls=ManualCommand,
    short_help=mark("Show the default email service."),
    statuses=_SHOW_STATUSES,
    files=FILES,
    examples=[(mark("See where emails go without a custom server"), "smtp-desk default show")],
)
@system_option
@click.pass_obj
def show(invocation: Invocation) -> ExitStatus:
    """Show the default email service and a saved relay. Never shows the password."""
    print_rows(invocation.out, _rows(_told(lambda: load_default(invocation.services))))
    return ExitStatus.OK


@default.command(
    cls=ManualCommand,
    short_help=mark("Hold emails in the outbox until a server is available."),
    statuses=_STATUSES,
    files=FILES,
    examples=[
        (mark("Keep emails until the custom server is available"), "smtp-desk default outbox")
    ],
)
@system_option
@click.pass_obj
def outbox(invocation: Invocation) -> ExitStatus:
    """Hold emails in the outbox until a server is available. A saved relay stays saved."""
    return _change(invocation, lambda: use_outbox(invocation.services))


@default.command(
    cls=ManualCommand,
    short_help=mark("Pass emails to this computer’s own MTA."),
    statuses={**_STATUSES, ExitStatus.DATAERR: mark("the path or the address can’t be used")},
    files=FILES,
    examples=[
        (
            mark("Let this computer’s Postfix send what the custom server can’t"),
            "smtp-desk default sendmail /usr/sbin/sendmail --from-email desk@example.org",
        )
    ],
)
@click.argument("path")
@click.option(
    "--from-email",
    required=True,
    metavar="ADDR",
    help=mark("The address that emails are sent from."),
)
@system_option
@click.pass_obj
def sendmail(invocation: Invocation, path: str, from_email: str) -> ExitStatus:
    """Hand emails to PATH, the sendmail command of this machine’s own MTA.

    PATH is the absolute path of a program other than SMTP Desk. A saved relay stays saved.
    """
    return _change(invocation, lambda: use_sendmail(invocation.services, path, from_email))


@default.command(
    cls=ManualCommand,
    short_help=mark("Test the relay in SETTINGS, and use it if the test passes."),
    statuses={
        **SAVE_STATUSES,
        ExitStatus.DATAERR: mark(
            "the settings are wrong (settings.*), before anything was sent; or, "
            "without SETTINGS, no proven relay is saved"
        ),
        ExitStatus.CONFIG: mark("the settings file can’t be read"),
    },
    environment=RELAY_PASSWORD_ENVIRONMENT,
    files=FILES,
    examples=[
        (
            mark("Use a relay that recognizes this computer by its address"),
            """
            smtp-desk default smtp --host relay.example.org --from-email desk@example.org \\
              --to ann@example.org
            """,
        ),
        (mark("Go back to the saved relay"), "smtp-desk default smtp"),
    ],
)
@settings_options
@click.option(
    "--to", "recipient", default="", metavar="ADDR", help=mark("Where the test email goes.")
)
@proof_options
@system_option
@click.pass_context
def smtp(
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
    """Test the organization's relay with a real email, and use it if that was accepted.

    Its password has its own entry in the keyring; that of the custom server is never used for
    it. Without SETTINGS the saved relay is used again.
    """
    invocation: Invocation = context.obj
    if not settings_given(context) and not (recipient or password_stdin or as_json or file):
        return _change(invocation, lambda: use_relay(invocation.services))
    if not recipient:
        raise click.UsageError(_("Give the address for the test email: --to ADDR."), context)
    request = settings_request(
        context,
        recipient,
        settings,
        timeout=timeout,
        password_stdin=password_stdin,
        default=True,
    )
    return prove_and_save(
        invocation,
        request,
        Shape(as_json, file),
        lambda services: f"{_('Saved.')} {default_text(load_default(services))}",
        default=True,
    )


default.add_command(notify)


def _change(invocation: Invocation, change: Callable[[], DefaultState]) -> ExitStatus:
    say(invocation.out, default_text(_told(change)))
    return ExitStatus.OK


def _told(action: Callable[[], DefaultState]) -> DefaultState:
    """Do it, and end with the exit status for what keeps it from being done.

    Raises:
        ExitError: It can't be done.
    """
    try:
        return action()
    except InvalidSendmailError as error:
        raise ExitError(told(error), ExitStatus.DATAERR) from error
    except NotProvenError as error:
        raise ExitError(failure_text(error), ExitStatus.DATAERR) from error
    except SettingsFileError as error:
        raise ExitError(failure_text(error), ExitStatus.CONFIG) from error
    except SaveError as error:
        raise ExitError(failure_text(error), ExitStatus.CANTCREAT) from error


def _rows(state: DefaultState) -> list[Row]:
    rows = [(_("Default email service"), str(state.kind)), (_("Status"), default_text(state))]
    if state.sendmail_path:
        rows.append((_("Path of sendmail"), state.sendmail_path))
    if state.from_email:
        rows.append((_("From email"), state.from_email))
    if state.relay is not None:
        relay = state.relay
        rows += [(_("Relay"), relay.host), (_("From email of the relay"), relay.from_email)]
        rows.append(
            (_("Relay proven"), _("yes") if relay.proven else _("no: {why}", why=relay.why))
        )
    return rows
