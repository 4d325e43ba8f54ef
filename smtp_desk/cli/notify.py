"""`smtp-desk default notify`: who is told of outages and of stored emails that were refused."""

import sys

import click

from smtp_desk.app.extras import Extra, installed, missing_text
from smtp_desk.app.routes.notifying import (
    InvalidNotifyError,
    NotifyState,
    load_notify,
    notify_address,
    save_alert_urls,
    try_alerts,
)
from smtp_desk.app.words import failure_text
from smtp_desk.cli.invocation import ExitError, Invocation, print_rows, system_option
from smtp_desk.cli.manual import FILES, ManualCommand
from smtp_desk.core.exit_status import ExitStatus
from smtp_desk.core.secret import Secret
from smtp_desk.core.translation import _, mark, pgettext, told
from smtp_desk.sender.alerts import AlertUrlError
from smtp_desk.store.credentials import CredentialsUnavailableError
from smtp_desk.store.save_protocol import SaveError
from smtp_desk.store.settings_file import SettingsFileError

_MOST_OCTETS = 64 * 1024


@click.command(
    cls=ManualCommand,
    short_help=mark("Choose who is notified of outages and refused emails."),
    statuses={
        ExitStatus.OK: mark("done"),
        ExitStatus.USAGE: mark("the command line is wrong"),
        ExitStatus.DATAERR: mark("the address or an alert URL is refused; nothing changed"),
        ExitStatus.UNAVAILABLE: mark(
            "a test alert wasn’t sent, or the extra “alerts” isn’t installed"
        ),
        ExitStatus.CANTCREAT: mark("it couldn't be saved; nothing changed"),
        ExitStatus.CONFIG: mark("the settings file or the keyring can’t be read"),
    },
    environment={
        "CREDENTIALS_DIRECTORY": mark(
            "set by systemd; its credential “smtp-desk.alerts” contains the alert URLs if no "
            "keyring has them"
        ),
    },
    files=FILES,
    examples=[
        (mark("See who is notified"), "smtp-desk default notify"),
        (
            mark("Notify an administrator by email"),
            "smtp-desk default notify --to admin@example.org",
        ),
        (
            mark("Notify a chat as well, and test it"),
            "smtp-desk default notify --alerts-stdin --test <urls",
        ),
    ],
)
@click.option(
    "--to", "address", metavar="ADDR", help=mark("Notify this address; '' to notify nobody.")
)
@click.option(
    "--alerts-stdin",
    is_flag=True,
    help=mark(
        "Read alert URLs from standard input, one per line. Empty input turns alerts off. "
        "Schemes: slack, discord, workflows, ntfys, gotifys, jsons."
    ),
)
@click.option("--test", is_flag=True, help=mark("Send a test alert."))
@system_option
@click.pass_obj
def notify(
    invocation: Invocation, *, address: str | None, alerts_stdin: bool, test: bool
) -> ExitStatus:
    """Say who gets an email, or an alert, when an outage begins or ends.

    The same are told, at most once an hour, of stored emails that were refused later. Alerts are
    sent by Apprise, as its URLs say; a URL is a secret, kept in the keyring. An alert names
    no recipient.
    """
    services = invocation.services
    try:
        if alerts_stdin:
            _refuse_without_part(invocation)
            save_alert_urls(services, _read())
        if address is not None:
            notify_address(services, address)
        state = load_notify(services)
        _show(invocation, state)
        return _try(invocation) if test else ExitStatus.OK
    except (AlertUrlError, InvalidNotifyError) as error:
        raise ExitError(told(error), ExitStatus.DATAERR) from error
    except SaveError as error:
        raise ExitError(failure_text(error), ExitStatus.CANTCREAT) from error
    except (SettingsFileError, CredentialsUnavailableError) as error:
        raise ExitError(failure_text(error), ExitStatus.CONFIG) from error


def _read() -> Secret:
    octets = sys.stdin.buffer.read(_MOST_OCTETS) if sys.stdin is not None else b""
    return Secret(octets.decode("utf-8", "replace"))


def _show(invocation: Invocation, state: NotifyState) -> None:
    rows = [
        (_("Notify this address"), state.address or _("nobody")),
        (_("Alerts"), ", ".join(state.services) or pgettext("alerts", "none")),
    ]
    print_rows(invocation.out, rows)


def _try(invocation: Invocation) -> ExitStatus:
    _refuse_without_part(invocation)
    results = try_alerts(invocation.services)
    print_rows(
        invocation.out,
        [(scheme, problem or pgettext("an alert", "sent")) for scheme, problem in results],
    )
    failed = not results or any(problem for _scheme, problem in results)
    return ExitStatus.UNAVAILABLE if failed else ExitStatus.OK


def _refuse_without_part(invocation: Invocation) -> None:
    if not installed(Extra.ALERTS):
        text = missing_text(Extra.ALERTS, invocation.services.catalogue)
        raise ExitError(text, ExitStatus.UNAVAILABLE)
