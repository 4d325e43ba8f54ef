"""What send and sendmail share: storing and sending, and reporting the result."""

import contextlib
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Final

from smtp_desk.app.diagnostics.report_text import Row
from smtp_desk.app.routes.status import SendingStatus, read_status
from smtp_desk.app.routes.words import local_time
from smtp_desk.app.services import Services
from smtp_desk.cli.invocation import ExitError, Invocation, Output, print_rows
from smtp_desk.cli.manual import FILES, Meanings
from smtp_desk.core.exit_status import ExitStatus
from smtp_desk.core.report import finding_json
from smtp_desk.core.stages import Json
from smtp_desk.core.translation import _, mark, plural, told
from smtp_desk.sender.outbox.entries import EntryState
from smtp_desk.sender.outbox.outbox import KeyReusedError, MessageTooLargeError, OutboxError
from smtp_desk.sender.receipts import Receipt, RecipientReceipt
from smtp_desk.sender.routes.route import CUSTOM, DEFAULT
from smtp_desk.smtp.session.envelope import Status
from smtp_desk.store.settings_file import SettingsFileError
from smtp_desk.store.stored import ServerState

if TYPE_CHECKING:
    from smtp_desk.sender.sender import Sender

RECEIPT_SCHEMA: Final = "smtp-desk/receipt/1"

SEND_STATUSES: Final[Meanings] = {
    ExitStatus.OK: mark(
        "for at least one recipient: accepted by a route, waiting in the outbox, or uncertain; "
        "nothing is lost"
    ),
    ExitStatus.USAGE: mark("the command line is wrong; nothing was stored"),
    ExitStatus.DATAERR: mark("the email is wrong; nothing was stored"),
    ExitStatus.UNAVAILABLE: mark("refused for every recipient"),
    ExitStatus.SOFTWARE: mark("an internal error"),
    ExitStatus.TEMPFAIL: mark("nothing was stored because the outbox can’t be written, or is full"),
}
"""The exit statuses of commands that send emails."""

SEND_ENVIRONMENT: Final[Mapping[str, str]] = {
    "SMTP_DESK_PASSWORD": mark(
        "the custom server's password, if no keyring has it; removed from the environment at once"
    ),
    "SMTP_DESK_DEFAULT_PASSWORD": mark("the same for the default service's relay"),
    "CREDENTIALS_DIRECTORY": mark(
        "set by systemd; its credentials “smtp-desk.password” and “smtp-desk.default-password” "
        "are these passwords if the variables aren't set"
    ),
}
SEND_FILES: Final[Mapping[str, str]] = {
    "outbox.sqlite3": mark(
        "the outbox, in the platform's state folder (~/.local/state/smtp-desk on "
        "Linux) or in $SMTP_DESK_HOME/state"
    ),
    **FILES,
}

_WAITS_HERE: Final = mark("waits on this computer, because the shared outbox can’t be reached")
_BY: Final[Mapping[Status, Mapping[str, str]]] = {
    Status.ACCEPTED: {
        CUSTOM: mark("accepted by the custom server"),
        DEFAULT: mark("accepted by the default email service"),
        "": mark("accepted by {route}"),
    },
    Status.REFUSED: {
        CUSTOM: mark("refused by the custom server"),
        DEFAULT: mark("refused by the default email service"),
        "": mark("refused by {route}"),
    },
    Status.UNCERTAIN: {
        CUSTOM: mark("uncertain: the custom server may have accepted it"),
        DEFAULT: mark("uncertain: the default email service may have accepted it"),
        "": mark("uncertain: {route} may have accepted it"),
    },
}
"""What a route did with an email: the custom server, the default service, another one."""


def services_to_send(invocation: Invocation) -> Services:
    """Return the services.

    Raises:
        ExitError: Something they need can't be read; nothing was stored.
    """
    try:
        return invocation.services
    except ExitError as error:
        raise _not_stored(error) from error


@contextlib.contextmanager
def open_sender(services: Services) -> "Iterator[Sender]":
    """Yield the sender over the saved settings.

    Raises:
        ExitError: The email could not be stored.
    """
    try:
        with services.open_sender() as sender:
            yield sender
    except (KeyReusedError, MessageTooLargeError) as error:
        raise ExitError(told(error), ExitStatus.DATAERR) from error
    except OutboxError as error:
        raise _not_stored(error) from error


def _not_stored(error: Exception) -> ExitError:
    return ExitError(f"{_('Nothing was stored or sent.')} {told(error)}", ExitStatus.TEMPFAIL)


def receipt_status(receipt: Receipt) -> ExitStatus:
    """Return the exit status: refused for all is a failure, waiting is not."""
    return ExitStatus.UNAVAILABLE if receipt.refused else ExitStatus.OK


def print_receipt(console: Output, receipt: Receipt) -> None:
    """Print the result for each recipient."""
    print_rows(console, map(receipt_row, receipt.recipients))


def receipt_row(each: RecipientReceipt) -> Row:
    """Return a recipient and the result."""
    match each.status:
        case Status.QUEUED:
            words = _(_WAITS_HERE) if each.local else _("waits in the outbox")
        case Status.REFUSED if each.cancelled:
            words = _("cancelled")
        case Status.REFUSED if not each.route:
            words = _("refused")
        case _:
            by = _BY[each.status]
            words = _(by.get(each.route, by[""]), route=each.route)
    finding = each.finding
    if finding is None:
        return each.recipient, words
    told_why = f"{words}. {_(finding.summary)}"
    if finding.reply is not None:
        told_why = f"{told_why} ({_('the server said: {reply}', reply=finding.reply)})"
    return each.recipient, told_why


def receipt_json(receipt: Receipt) -> dict[str, Json]:
    """Return the document of schema `smtp-desk/receipt/1`."""
    return {
        "schema": RECEIPT_SCHEMA,
        "message_id": receipt.message_id,
        "recipients": [
            {
                "recipient": each.recipient,
                "status": str(each.status),
                "fate": str(each.status),  # the old name, for one release
                "route": each.route or None,
                "finding": finding_json(each.finding) if each.finding else None,
                "entry_id": each.entry_id,
                "local": each.local,
                "cancelled": each.cancelled,
            }
            for each in receipt.recipients
        ],
        "fallback": finding_json(receipt.fallback) if receipt.fallback else None,
    }


RESUME_FIRST: Final = mark("Sending is paused. Run “smtp-desk outbox resume” to resume.")
NOTHING: Final = mark("Nothing is configured. Run “smtp-desk configure” to test and save a server.")


_WHY_WAITING: Final = {
    ServerState.OFF: mark("The custom server is off. Run “smtp-desk enable” to turn it on."),
    ServerState.UNPROVEN: mark(
        "The custom server isn’t proven. Run “smtp-desk configure” to test and save it."
    ),
    ServerState.ACTIVE: mark(
        "The custom server is unavailable. Run “smtp-desk enable” to try it again."
    ),
}


def why_waiting(found: SendingStatus) -> str:
    """Return why no route can be used, and what a person can do; "" if one can."""
    if found.outbox is not None and found.outbox.paused_since:
        return _(RESUME_FIRST)
    if found.has_route:
        return ""
    if not found.configured:
        return _(NOTHING)
    state = found.custom.kind
    if state is ServerState.NOT_CONFIGURED:
        return _("The default email service isn’t available right now.")
    if state is ServerState.SECRET_UNAVAILABLE:
        return f"{_('The custom server’s password isn’t available.')} {found.custom.why}"
    return _(_WHY_WAITING[state])


def no_route(services: Services) -> str:
    """Return `why_waiting` at this moment; "" if the settings can't be read."""
    try:
        return why_waiting(read_status(services))
    except SettingsFileError:
        return ""


def what_waits(services: Services) -> str:
    """Return how many emails wait, until when, and why; "" for none, or if it isn't known."""
    try:
        found = read_status(services)
    except SettingsFileError:
        return ""
    count = found.outbox.counts.of(EntryState.READY) if found.outbox else 0
    if found.outbox is None or found.outbox.next_due is None or not count:
        return ""
    waiting = plural(
        "{count} email waits in the outbox; next attempt at {due}.",
        "{count} emails wait in the outbox; next attempt at {due}.",
        count,
        due=local_time(found.outbox.next_due, found.at),
    )
    return f"{waiting} {why_waiting(found)}".rstrip()
