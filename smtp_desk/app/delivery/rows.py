"""Entries of the outbox as a person sees them: a row of the list, and one in full."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final, TypeAlias

from smtp_desk.app.delivery.words import (
    Cause,
    DeliveryStatus,
    kind_name,
    minute,
    reason,
    route_name,
    second,
    short_route_name,
)
from smtp_desk.app.diagnostics.report_text import Row
from smtp_desk.core.reply import visible
from smtp_desk.sender.outbox import lifecycle
from smtp_desk.sender.outbox.entries import Attempt, EntryState, OutboxEntry
from smtp_desk.sender.outbox.outbox import EntryStateError

COLUMNS: Final = ("Time", "To", "Subject", "Kind", "State", "Route", "Why")
"""The titles of the texts in a row."""

DeliveryRow: TypeAlias = tuple[str, ...]
"""One line of the list: `ID`, `STANDING`, and from `CELLS` on a text for each of `COLUMNS`.

A plain tuple of texts, for there are many: the garbage collector passes over those.
"""

ID: Final = 0
STANDING: Final = 1
CELLS: Final = 2

_LONGEST_CELL: Final = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """One attempt, in words.

    Attributes:
        when: When it ended, with seconds.
        route: The route.
        accepted: Whether the route accepted the email.
        cause: What prevented it, or what the route did.
        code: The finding's code; "" if it was accepted.
        reply: The server's reply; "" if there was none.
    """

    when: str
    route: str
    accepted: bool
    cause: str
    code: str
    reply: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Details:
    """One email in full.

    Attributes:
        id: The entry's identifier.
        subject: The subject, as a heading.
        recipient: The address.
        message_id: The Message-ID field.
        status: The email's status.
        facts: Labels and values.
        attempts: Newest first.
        retry_reason: Why it can't be sent again, or "".
        drop_reason: Why it can't be dropped, or "".
        may_arrive_twice: Whether it may arrive twice if it is sent again.
    """

    id: str
    subject: str
    recipient: str
    message_id: str
    status: DeliveryStatus
    facts: tuple[Row, ...]
    attempts: tuple[Tried, ...]
    retry_reason: str
    drop_reason: str
    may_arrive_twice: bool


def row_of(entry: OutboxEntry, cause: Cause) -> DeliveryRow:
    """Return the line for an entry."""
    status = DeliveryStatus.of(entry.state)
    return (
        entry.id,
        status.value,
        minute(entry.created_at),
        visible(entry.recipient),
        visible(entry.subject[:_LONGEST_CELL]),
        kind_name(entry.kind),
        status.label,
        short_route_name(entry.route),
        reason(entry, cause),
    )


def details_of(entry: OutboxEntry, cause: Cause, now: datetime) -> Details:
    """Return everything known about an entry."""
    return Details(
        id=entry.id,
        subject=visible(entry.subject) or "(no subject)",
        recipient=visible(entry.recipient),
        message_id=visible(entry.message_id),
        status=DeliveryStatus.of(entry.state),
        facts=tuple(_facts(entry)),
        attempts=tuple(_tried(attempt, cause) for attempt in reversed(entry.attempts)),
        retry_reason=_refusal(lifecycle.retried, entry, now),
        drop_reason=_drop_refusal(entry, now),
        may_arrive_twice=entry.state is not EntryState.ACCEPTED
        and bool(entry.doubts or entry.doubt_token),
    )


def _facts(entry: OutboxEntry) -> list[Row]:
    facts = [
        ("Kind", kind_name(entry.kind)),
        ("State", f"{DeliveryStatus.of(entry.state).label} since {second(entry.changed_at)}"),
        ("Stored", second(entry.created_at)),
    ]
    if entry.state is EntryState.READY:
        facts.append(("Next attempt", second(entry.next_attempt_at)))
        facts.append(("Given up", second(entry.expires_at)))
    if entry.only_route and not entry.state.settled:
        facts.append(("Only by", route_name(entry.only_route)))
    if entry.doubts:
        facts.append(("Unanswered", f"Times after the email was handed over: {entry.doubts}"))
    return facts


def _tried(attempt: Attempt, cause: Cause) -> Tried:
    return Tried(
        when=second(attempt.at),
        route=route_name(attempt.route),
        accepted=not attempt.code,
        cause=cause(attempt.code) if attempt.code else "Accepted.",
        code=attempt.code,
        reply=visible(attempt.reply),
    )


def _drop_refusal(entry: OutboxEntry, now: datetime) -> str:
    if entry.state is EntryState.DROPPED:
        return "It was already dropped."
    return _refusal(lifecycle.dropped, entry, now)


def _refusal(
    rule: Callable[[OutboxEntry, datetime], OutboxEntry], entry: OutboxEntry, now: datetime
) -> str:
    """Return why the outbox would refuse; the rule itself is asked."""
    try:
        rule(entry, now)
    except EntryStateError as error:
        return str(error)
    return ""
