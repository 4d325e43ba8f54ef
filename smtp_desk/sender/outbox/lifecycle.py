"""The rules of an entry's life, without storage: every engine applies them.

A change under a lost lease returns None and has no effect. Clocks may jump: a lease or a delay that
is further ahead than possible comes from a wrong clock and counts as over; its holder learns so
before the dot.

Retries come after growing delays, with jitter, for four days.
"""

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from smtp_desk.sender.outbox.clock import whole_ms
from smtp_desk.sender.outbox.entries import (
    NOTICES,
    Accept,
    Attempt,
    Change,
    Doubt,
    EntryState,
    Lease,
    MarkInDoubt,
    OutboxEntry,
    OutboxMessage,
    Postpone,
    Refuse,
    Renew,
    Resume,
)
from smtp_desk.sender.outbox.outbox import EntryStateError, MessageTooLargeError, OutboxLimits

LIFETIME: Final = timedelta(days=4)
"""After this a failed attempt is the last (RFC 5321, 4.5.4.1 asks for four to five days)."""

FEWEST_TRIES: Final = 12
"""No email is given up before so many attempts, which are half a day of trying.

The life of one can pass without any: the computer slept, or its clock was wrong or is.
"""

MORE_LIFE: Final = timedelta(days=1)
"""What an email lives on that had fewer attempts in its life."""

RESEND_AFTER: Final = timedelta(minutes=15)
"""From an unanswered final dot to its one re-send."""

LONGEST_DELAY: Final = timedelta(hours=4)
"""No attempt is further ahead; one that is stands for a clock that was wrong, and is due."""

_FIRST_DELAY: Final = timedelta(minutes=1)
_JITTER: Final = 0.25


def delay(tries: int, random: Callable[[], float]) -> timedelta:
    """Return how long to wait after the attempt that follows `tries` postponed ones.

    One minute, doubling, each shortened by up to a quarter so that many entries aren't due at
    the same moment; never more than `LONGEST_DELAY`.

    Args:
        tries: `OutboxEntry.tries` of the entry that just failed, from 0 on.
        random: Returns a number from 0 to 1, such as `random.random`.
    """
    doublings = min(tries, 16)
    longest = min(_FIRST_DELAY * (1 << doublings), LONGEST_DELAY)
    return longest * (1 - _JITTER * random())


LONGEST_LEASE: Final = timedelta(minutes=30)

_KEPT_ATTEMPTS: Final = 40
_LONGEST_REPLY: Final = 1000


def admitted(messages: Iterable[OutboxMessage], limits: OutboxLimits) -> tuple[OutboxMessage, ...]:
    """Return the messages to store together, unless no outbox accepts them.

    Raises:
        MessageTooLargeError: One is larger than the limit.
        ValueError: One has no recipient, or two have the same key.
    """
    stored = tuple(messages)
    for message in stored:
        if message.size > limits.message_octets:
            raise MessageTooLargeError(message.size, limits.message_octets)
        if not message.recipients:
            raise ValueError(f"message {message.message_id} has no recipient")
    names = key_names(stored)
    if len(names) > len(set(names)):
        raise ValueError("two messages have the same key")
    return stored


def key_names(messages: Iterable[OutboxMessage]) -> list[str]:
    """Return the names of the messages' keys."""
    return [message.key.name for message in messages if message.key]


def queued(
    message: OutboxMessage, *, entry_id: str, message_key: str, recipient: str, now: datetime
) -> OutboxEntry:
    """Return the new entry of one recipient, due now or when the message is to be sent."""
    send_at = message.send_at and whole_ms(message.send_at)
    later = send_at if send_at and send_at > now else None
    return OutboxEntry(
        id=entry_id,
        message_key=message_key,
        message_id=message.message_id,
        kind=message.kind,
        subject=message.subject,
        recipient=recipient,
        size=message.size,
        created_at=now,
        expires_at=(later or now) + LIFETIME,
        state=EntryState.READY,
        changed_at=now,
        next_attempt_at=later or now,
        submitter=message.submitter,
        send_at=later,
    )


def due(entry: OutboxEntry, now: datetime) -> bool:
    """Whether a sender may claim the entry to send it."""
    if entry.state is EntryState.READY:
        if entry.send_at:
            return entry.send_at <= now
        return not now < entry.next_attempt_at <= now + LONGEST_DELAY
    return entry.state is EntryState.SENDING and _lease_is_over(entry, now)


def abandoned_in_doubt(entry: OutboxEntry, now: datetime) -> bool:
    """Whether the entry is uncertain because its sender is gone."""
    return entry.state is EntryState.IN_DOUBT and _lease_is_over(entry, now)


def due_at(entry: OutboxEntry, now: datetime) -> datetime:
    """Return when an unsettled entry can be claimed; it may be in the past."""
    moment = entry.lease.until if entry.lease else entry.next_attempt_at
    return now if due(entry, now) or abandoned_in_doubt(entry, now) else moment


def claim_order(entry: OutboxEntry) -> tuple[datetime, str]:
    """Sort entries for a claim: longest due first."""
    return (entry.lease.until if entry.lease else entry.next_attempt_at, entry.id)


def claimed(
    entry: OutboxEntry, owner: str, token: str, now: datetime, lease: timedelta
) -> OutboxEntry:
    """Return the entry leased to `owner`; one in doubt stays in doubt."""
    state = EntryState.IN_DOUBT if entry.state is EntryState.IN_DOUBT else EntryState.SENDING
    return replace(
        entry,
        state=state,
        changed_at=now,
        lease=Lease(owner, token, _until(now, lease)),
        send_at=None,
    )


def claimed_at_once(
    entry: OutboxEntry, owner: str, token: str, now: datetime, lease: timedelta
) -> OutboxEntry:
    """Return a new entry leased to `owner`, unless it is due later."""
    return entry if entry.send_at else claimed(entry, owner, token, now, lease)


def changed(entry: OutboxEntry, change: Change, now: datetime) -> OutboxEntry | None:
    """Return the entry after a sender's change; None if its lease was lost."""
    lease, token = entry.lease, change.claim.token
    if isinstance(change, Accept) and _is_late_answer(entry, token):
        return _settled(_tried(entry, change.attempts), EntryState.ACCEPTED, now)
    if lease is None or lease.token != token or not _is_allowed(entry, change):
        return None
    match change:
        case MarkInDoubt():
            after = _in_doubt(entry, lease, change, now)
        case Resume(_, attempts):
            after = _resumed(_tried(entry, attempts), now)
        case Renew(_, until):
            after = replace(entry, lease=replace(lease, until=_until(now, until)))
        case Accept(_, attempts):
            after = _settled(_tried(entry, attempts), EntryState.ACCEPTED, now)
        case Refuse(_, attempts):
            after = _given_up(_tried(entry, attempts), now)
        case Postpone():
            after = _postponed(entry, change, now)
        case _:
            after = _doubted(entry, change, now)
    if after.state is EntryState.REFUSED:
        unheard = not change.claim.awaited and entry.submitter != NOTICES
        return replace(after, untold=unheard)
    return after


def retried(entry: OutboxEntry, now: datetime) -> OutboxEntry:
    """Return the entry due now, at a person's request; a settled one starts a new life.

    Raises:
        EntryStateError: It is being sent, or was accepted.
    """
    if entry.state.leased:
        raise EntryStateError("The message is being sent at this moment.", entry.state)
    if entry.state is EntryState.ACCEPTED:
        raise EntryStateError("The message was accepted; it is not sent twice.", entry.state)
    if entry.state is EntryState.READY:
        return replace(entry, next_attempt_at=now, send_at=None)
    return replace(
        entry,
        state=EntryState.READY,
        changed_at=now,
        next_attempt_at=now,
        expires_at=now + LIFETIME,
        tries=0,
        doubts=0,
        only_route="",
        doubt_token="",
        untold=False,
    )


def dropped(entry: OutboxEntry, now: datetime) -> OutboxEntry:
    """Return the entry given up by a person.

    Raises:
        EntryStateError: It is in doubt at this moment, or was accepted.
    """
    if entry.state is EntryState.ACCEPTED:
        raise EntryStateError("The message was accepted; it can’t be taken back.", entry.state)
    if entry.state is EntryState.IN_DOUBT and not _lease_is_over(entry, now):
        raise EntryStateError("The server may be accepting the message just now.", entry.state)
    return replace(_settled(entry, EntryState.DROPPED, now), untold=False)


def made_due(entry: OutboxEntry, cause: str, now: datetime) -> OutboxEntry | None:
    """Return an entry that waits, or was refused because of `cause`, due now; None for any other.

    An uncertain entry keeps its time or waits for a person, and one scheduled for later keeps
    its schedule.
    """
    if entry.doubts or entry.send_at or cause not in ("", entry.code):
        return None
    waits = entry.state is EntryState.READY and entry.next_attempt_at > now
    return retried(entry, now) if waits or (cause and entry.state is EntryState.REFUSED) else None


def may_be_pruned(entry: OutboxEntry) -> bool:
    """Whether the entry may be removed by age alone: settled, and not held."""
    return entry.state.settled and entry.state is not EntryState.HELD


def may_be_erased(entry: OutboxEntry, now: datetime) -> bool:
    """Whether no sender is handling the entry: otherwise its result would be lost."""
    return not entry.state.leased or _lease_is_over(entry, now)


def given_back(entry: OutboxEntry, change: Change, now: datetime) -> OutboxEntry | None:
    """Return the entry back in the queue instead; None if its lease was lost."""
    return changed(entry, Postpone(change.claim, now), now)


def _is_late_answer(entry: OutboxEntry, token: str) -> bool:
    """Whether the answer to the dot of this claim is still what everybody waits for."""
    return entry.doubt_token == token and entry.state is not EntryState.ACCEPTED


def _is_allowed(entry: OutboxEntry, change: Change) -> bool:
    """Whether the claim is more than one to judge an entry whose sender is gone."""
    if entry.state is not EntryState.IN_DOUBT or entry.doubt_token == change.claim.token:
        return True
    return isinstance(change, Doubt | Renew)


def _in_doubt(entry: OutboxEntry, lease: Lease, change: MarkInDoubt, now: datetime) -> OutboxEntry:
    return replace(
        entry,
        state=EntryState.IN_DOUBT,
        changed_at=now,
        route=change.route,
        doubt_token=lease.token,
        lease=replace(lease, until=_until(now, change.lease)),
    )


def _resumed(entry: OutboxEntry, now: datetime) -> OutboxEntry:
    return replace(entry, state=EntryState.SENDING, changed_at=now, doubt_token=_older_doubt(entry))


def _older_doubt(entry: OutboxEntry) -> str:
    """The unanswered dot that stays when the one of the present claim has its answer."""
    ours = entry.lease is not None and entry.doubt_token == entry.lease.token
    return "" if ours else entry.doubt_token


def _postponed(entry: OutboxEntry, change: Postpone, now: datetime) -> OutboxEntry:
    entry = _tried(entry, change.attempts)
    tries = entry.tries + bool(change.attempts)
    # A clock that was ahead when the entry was made gives it no longer life than others.
    expires_at = min(entry.expires_at, now + LIFETIME)
    if change.attempts and now >= expires_at:
        if tries >= FEWEST_TRIES or entry.doubts:
            return _given_up(entry, now)
        expires_at = now + MORE_LIFE
    until = min(change.until, now + LONGEST_DELAY)
    return replace(
        entry,
        state=EntryState.READY,
        changed_at=now,
        expires_at=expires_at,
        # The last attempt falls on the end of the entry's life, not a delay after it.
        next_attempt_at=whole_ms(min(until, expires_at) if now < expires_at else until),
        tries=tries,
        lease=None,
        doubt_token=_older_doubt(entry),
    )


def _doubted(entry: OutboxEntry, change: Doubt, now: datetime) -> OutboxEntry:
    entry = replace(_tried(entry, change.attempts), doubts=entry.doubts + 1)
    if entry.doubts > 1 or not change.resend:
        return _settled(entry, EntryState.HELD, now)
    return replace(
        entry,
        state=EntryState.READY,
        changed_at=now,
        next_attempt_at=now + RESEND_AFTER,
        only_route=entry.route,
        lease=None,
    )


def _given_up(entry: OutboxEntry, now: datetime) -> OutboxEntry:
    return _settled(entry, EntryState.HELD if entry.doubts else EntryState.REFUSED, now)


def _settled(entry: OutboxEntry, state: EntryState, now: datetime) -> OutboxEntry:
    return replace(entry, state=state, changed_at=now, lease=None)


def _tried(entry: OutboxEntry, attempts: tuple[Attempt, ...]) -> OutboxEntry:
    if not attempts:
        return entry
    kept = tuple(
        replace(attempt, at=whole_ms(attempt.at), reply=attempt.reply[:_LONGEST_REPLY])
        for attempt in attempts
    )
    history = (*entry.attempts, *kept)[-_KEPT_ATTEMPTS:]
    return replace(entry, attempts=history, route=kept[-1].route)


def _until(now: datetime, lease: timedelta) -> datetime:
    return whole_ms(now + min(lease, LONGEST_LEASE))


def _lease_is_over(entry: OutboxEntry, now: datetime) -> bool:
    return entry.lease is None or not now < entry.lease.until <= now + LONGEST_LEASE
