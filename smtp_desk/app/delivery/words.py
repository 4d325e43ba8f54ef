"""The words for the outbox's content, the same in the window and on the command line."""

from collections.abc import Callable, Mapping
from datetime import datetime
from enum import StrEnum
from functools import cache
from typing import Final, TypeAlias

from smtp_desk.app.extras import Extra, missing_text
from smtp_desk.app.notice import Notice
from smtp_desk.app.routes.route_status import summary_of
from smtp_desk.app.routes.words import NAMES, PAUSED, SHORT_NAMES
from smtp_desk.app.services import Services
from smtp_desk.app.words import failure_text
from smtp_desk.core.translation import _
from smtp_desk.sender.outbox.entries import EntryState, OutboxEntry
from smtp_desk.sender.outbox.outbox import (
    Counts,
    EntryNotFoundError,
    OutboxBusyError,
    OutboxError,
    OutboxPartMissingError,
    OutboxVersionError,
)
from smtp_desk.sender.receipts import Receipt, RecipientReceipt
from smtp_desk.smtp.session.envelope import Status
from smtp_desk.store.resources import read_catalogue

Cause: TypeAlias = Callable[[str], str]
"""Returns the sentence that names a finding, by its code; an unknown code stays a code."""


class DeliveryStatus(StrEnum):
    """The status of an email, as people search for it."""

    WAITING = "waiting"
    SENDING = "sending"
    SENT = "sent"
    UNCERTAIN = "uncertain"
    REFUSED = "refused"
    DROPPED = "dropped"

    @property
    def states(self) -> frozenset[EntryState]:
        """The states of the outbox that it stands for."""
        return _STATES[self]

    @property
    def label(self) -> str:
        """Its name in the window."""
        return self.value.capitalize()

    @classmethod
    def of(cls, state: EntryState) -> "DeliveryStatus":
        """Return the status of an entry in `state`."""
        return _STATUS_OF[state]


_STATES: Final[Mapping[DeliveryStatus, frozenset[EntryState]]] = {
    DeliveryStatus.WAITING: frozenset({EntryState.READY}),
    DeliveryStatus.SENDING: frozenset({EntryState.SENDING, EntryState.IN_DOUBT}),
    DeliveryStatus.SENT: frozenset({EntryState.ACCEPTED}),
    DeliveryStatus.UNCERTAIN: frozenset({EntryState.HELD}),
    DeliveryStatus.REFUSED: frozenset({EntryState.REFUSED}),
    DeliveryStatus.DROPPED: frozenset({EntryState.DROPPED}),
}
_STATUS_OF: Final = {state: status for status, states in _STATES.items() for state in states}
_UNCERTAIN: Final = (
    "The server didn’t say whether it accepted the email. It may arrive. The Delivery page "
    "shows what happens next."
)
_NO_SERVER: Final = "The email waits in the outbox, because no server is available."
_FOREIGN: Final = "Other program"
_BUSY: Final = "Wait a moment and try again."
_NEWER: Final = "Or use the newer version of SMTP Desk that wrote it."
_TWICE: Final = "May have been delivered twice: the server once didn’t confirm it."


def kind_name(kind: str) -> str:
    """Return the name of a kind of email."""
    return _kind_names().get(kind) or kind.replace("_", " ").capitalize()


@cache
def _kind_names() -> Mapping[str, str]:
    # Imported here: how emails are made is of no matter where none is shown.
    from smtp_desk.sender.mail.addressing import FOREIGN  # noqa: PLC0415
    from smtp_desk.sender.mail.kinds import kinds  # noqa: PLC0415

    return {FOREIGN: _FOREIGN} | {kind.name: kind.label for kind in kinds()}


def route_name(route: str) -> str:
    """Return the name of a route; "" for none."""
    return _(NAMES.get(route, route))


def short_route_name(route: str) -> str:
    """Return the name of a route for a narrow column; "" for none."""
    return _(SHORT_NAMES.get(route, route))


def causes(services: Services) -> Cause:
    """Return a function that names findings by their codes, and remembers them."""
    return cache(lambda code: summary_of(services, code) or code)


def reason(entry: OutboxEntry, cause: Cause) -> str:
    """Return why an entry has its state, or took this route; "" if all went well."""
    if entry.state is EntryState.ACCEPTED and entry.doubts:
        return _TWICE
    codes = (attempt.code for attempt in reversed(entry.attempts) if attempt.code)
    code = next(codes, "")
    return cause(code) if code else ""


def minute(moment: datetime) -> str:
    """Return day and time on the person's clock, to the minute."""
    return f"{moment.astimezone():%Y-%m-%d %H:%M}"


def second(moment: datetime) -> str:
    """Return day and time on the person's clock, to the second."""
    return f"{moment.astimezone():%Y-%m-%d %H:%M:%S}"


def count_by_status(counts: Counts) -> Mapping[DeliveryStatus, int]:
    """Return the number of emails by status."""
    return {status: counts.of(*status.states) for status in DeliveryStatus}


def outbox_trouble(error: OutboxError) -> str:
    """Return what is wrong with the outbox and what to do about it."""
    match error:
        case OutboxBusyError():
            return f"{error} {_BUSY}"
        case OutboxVersionError():
            return f"{error} {_NEWER}"
        case OutboxPartMissingError():
            return missing_text(Extra.POSTGRES, read_catalogue())
        case EntryNotFoundError():
            return "The email is no longer in the outbox."
        case _:
            return str(error)


def outbox_failure_text(error: Exception) -> str:
    """Return what to tell a person about a background job with the outbox that failed."""
    return outbox_trouble(error) if isinstance(error, OutboxError) else failure_text(error)


def sent_notice(services: Services, receipt: Receipt) -> Notice:
    """Return the result of an email to one recipient; if it waits, check whether all emails do."""
    waits = any(each.status is Status.QUEUED for each in receipt.recipients)
    return receipt_notice(receipt, paused=waits and services.control.paused_since() is not None)


def receipt_notice(receipt: Receipt, *, paused: bool = False) -> Notice:
    """Return the result of an email to one recipient."""
    (recipient,) = receipt.recipients
    fallback = receipt.fallback.summary if receipt.fallback is not None else ""
    why = recipient.finding.summary if recipient.finding is not None else fallback
    match recipient.status:
        case Status.ACCEPTED:
            return Notice(_accepted(recipient, fallback))
        case Status.QUEUED:
            if paused:
                return Notice(f"The email waits in the outbox. {PAUSED}")
            return Notice(f"{_NO_SERVER} {why}".strip(), error=bool(why))
        case Status.REFUSED:
            return Notice(f"Refused. {why}".strip(), error=True)
        case Status.UNCERTAIN:
            return Notice(_UNCERTAIN, error=True)


def _accepted(recipient: RecipientReceipt, fallback: str) -> str:
    text = f"Accepted for {recipient.recipient} by: {route_name(recipient.route)}."
    return f"{text} Your own server didn’t send it: {fallback}" if fallback else text
