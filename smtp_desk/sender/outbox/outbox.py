"""The outbox: every email is stored before its first byte is sent, until its result is known.

The interface names no engine. `sqlite.SqliteOutbox` is that of one machine,
`postgres.PostgresOutbox` that of many, `testing.MemoryOutbox` their twin for tests;
any other has to pass tests/contract/test_outbox.py. The rules that all share are in `lifecycle`.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, Protocol

from smtp_desk.core.address import mailbox_key
from smtp_desk.sender.outbox.entries import Change, Claim, EntryState, OutboxEntry, OutboxMessage

MEBIBYTE: Final = 1024 * 1024

SEARCHED_AT_ONCE: Final = 5000
"""Entries of each state that one page of a search looks through: a few hundredths of a second."""


class OutboxError(Exception):
    """The outbox could not do it; nothing was changed."""


class OutboxUnavailableError(OutboxError):
    """The storage doesn't work: disk full, no permission to write, I/O error."""


class OutboxBusyError(OutboxUnavailableError):
    """Others locked the storage for longer than we wait."""


class OutboxCorruptError(OutboxUnavailableError):
    """The storage is damaged or isn't an outbox; it is left unchanged, for a person to look at."""


class OutboxAddressError(OutboxUnavailableError):
    """The address of the shared database can't be used until a person changes it."""


class OutboxPartMissingError(OutboxAddressError):
    """The shared database needs a part that isn't installed."""


class OutboxUnreachableError(OutboxUnavailableError):
    """The shared database doesn't answer, or not to us; it may answer later."""


class OutboxUnconfirmedError(OutboxUnreachableError):
    """The storage went away during a write, which may have been done or not.

    Attributes:
        transaction: Identifies the write; the storage can tell its result when it is back.
        entries: The entries that it was to store, if any.
    """

    def __init__(self, text: str, transaction: str) -> None:
        super().__init__(text)
        self.transaction = transaction
        self.entries: tuple[OutboxEntry, ...] = ()


class OutboxVersionError(OutboxUnavailableError):
    """The storage was written by a newer version of this program; it is left unchanged."""


class OutboxFullError(OutboxError):
    """The outbox has reached its limit, and nothing in it may be removed."""

    def __init__(self, limit: int) -> None:
        super().__init__(
            f"The outbox has reached its limit of {limit} octets."
            " Let its messages be sent, or drop some."
        )


class MessageTooLargeError(OutboxError):
    """The message is larger than the outbox accepts.

    Attributes:
        size: Its size in octets.
        limit: The limit in octets.
    """

    def __init__(self, size: int, limit: int) -> None:
        super().__init__(f"The message has {size} octets; at most {limit} are allowed.")
        self.size = size
        self.limit = limit


@dataclass(frozen=True, slots=True)
class KnownKey:
    """What is known of a key: the message that was stored with it.

    Attributes:
        message_id: Its Message-ID.
        content: What `SendingKey.content` was then.
        entries: Its entries, without those removed or erased since.
    """

    message_id: str
    content: str
    entries: tuple[OutboxEntry, ...]


class KeyKnownError(OutboxError):
    """A message with this key was stored before; nothing is stored now.

    Attributes:
        known: What is known of the keys of these messages, by `SendingKey.name`: at least one.
    """

    def __init__(self, known: Mapping[str, KnownKey]) -> None:
        ids = ", ".join(each.message_id for each in known.values())
        super().__init__(f"The key stands for the message {ids}.")
        self.known = known


class KeyReusedError(OutboxError):
    """The idempotency key belongs to an email with different content; nothing was sent.

    Attributes:
        message_id: The Message-ID of that email.
    """

    def __init__(self, message_id: str) -> None:
        super().__init__(f"The key is already used by another email, {message_id}.")
        self.message_id = message_id


class EntryNotFoundError(OutboxError):
    """There is no such entry, or not any more."""


class EntryStateError(OutboxError):
    """The entry's state doesn't allow what a person asked for.

    Attributes:
        state: Its state.
    """

    def __init__(self, text: str, state: EntryState) -> None:
        super().__init__(text)
        self.state = state


class LeaseLostError(OutboxError):
    """Another sender has the entry by now; the dot must not be sent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OutboxLimits:
    """How much the outbox accepts and keeps.

    Held entries are never removed; refused ones only by age.

    Attributes:
        message_octets: The largest message, in octets.
        total_octets: The largest outbox, in octets; accepted and dropped entries make room.
        kept_rows: How many accepted and dropped entries are kept.
        kept_for: How long settled entries, and with the last one the message, are kept.
        keys_for: How long a message's key is remembered.
        searched: How many entries of each state one page of a search looks through.
    """

    message_octets: int = 64 * MEBIBYTE
    total_octets: int = 2048 * MEBIBYTE
    kept_rows: int = 100_000
    kept_for: timedelta = timedelta(days=30)
    keys_for: timedelta = timedelta(days=7)
    searched: int = SEARCHED_AT_ONCE


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """Which entries to show; an attribute that isn't set doesn't restrict them.

    Attributes:
        states: In one of these states.
        route: With the latest attempt by this route.
        kind: Of this kind of email.
        text: With this in recipient, subject, Message-ID or finding, in upper or lower case.
        recipient: To this mailbox, however it is spelled.
        submitter: Handed over by this user.
        message_id: Of the message with this Message-ID.
        key: Of the message that was stored with the key of this name, `SendingKey.name`.
        untold: Refused, and nobody has been told.
        ids: With one of these ids.
    """

    states: frozenset[EntryState] = frozenset()
    route: str = ""
    kind: str = ""
    text: str = ""
    recipient: str = ""
    submitter: str = ""
    message_id: str = ""
    key: str = ""
    untold: bool = False
    ids: frozenset[str] | None = None

    @property
    def columns(self) -> Mapping[str, str]:
        """The values that an entry's attributes, and the columns of the same names, must have."""
        asked = {
            "route": self.route,
            "kind": self.kind,
            "submitter": self.submitter,
            "message_id": self.message_id,
        }
        return {name: value for name, value in asked.items() if value}

    @property
    def indexed(self) -> bool:
        """Whether an index tells the few entries that may match."""
        named = self.recipient or self.message_id or self.key
        return bool(named) or self.untold or self.ids is not None

    @property
    def searches(self) -> bool:
        """Whether the text of one entry after the other must be looked at."""
        return bool(self.text) and not self.indexed

    def matches(self, entry: OutboxEntry) -> bool:
        """Whether `entry` is one of them, apart from `key`, which no entry knows."""
        sought = self.text.casefold()
        return (
            (not self.states or entry.state in self.states)
            and all(getattr(entry, name) == value for name, value in self.columns.items())
            and (entry.untold or not self.untold)
            and (self.ids is None or entry.id in self.ids)
            and mailbox_key(self.recipient) in ("", mailbox_key(entry.recipient))
            and (sought in searched_text(entry) or sought in entry.code)
        )


def searched_text(entry: OutboxEntry) -> str:
    """Return the text that a search looks through, case-folded; the finding is searched besides."""
    return f"{entry.recipient}\n{entry.subject}\n{entry.message_id}".casefold()


EVERYTHING: Final = Query()


@dataclass(frozen=True, slots=True)
class EntryPage:
    """A page of the list, newest entries first.

    Attributes:
        entries: The entries.
        next: Pass it as `before` for the next page; None if this is the last.
    """

    entries: tuple[OutboxEntry, ...]
    next: str | None


@dataclass(frozen=True, slots=True)
class Counts:
    """The number of entries.

    Attributes:
        by_state_and_route: The number for each; the route is "" before the first attempt.
    """

    by_state_and_route: Mapping[tuple[EntryState, str], int] = field(default_factory=dict)

    @property
    def total(self) -> int:
        """The number of all entries."""
        return sum(self.by_state_and_route.values())

    def of(self, *states: EntryState, route: str | None = None) -> int:
        """Return how many are in one of `states`, and of `route` if it is given."""
        return sum(
            count
            for (state, name), count in self.by_state_and_route.items()
            if state in states and route in (None, name)
        )


class OutboxQueue(Protocol):
    """The outbox from a sender's point of view.

    Every call commits before it returns, all of it or nothing; several threads may share one
    commit. What `add` and `add_claimed` store, and each `MarkInDoubt`, survives a loss of power
    from then on, everything else within a second: an email whose end is lost that way is
    uncertain, and recorded as such. Calls may come from any thread and, where the engine spans
    them, any process. Each may raise `OutboxUnavailableError`.
    """

    def add(self, messages: Iterable[OutboxMessage]) -> tuple[OutboxEntry, ...]:
        """Store messages, due now or at `send_at`; return their entries, recipient by recipient.

        Raises:
            KeyKnownError: A message with the key of one was stored before; none is stored.
            MessageTooLargeError: One is larger than the limit; none is stored.
            OutboxFullError: There is no room; none is stored.
            ValueError: One has no recipient, or two have the same key.
        """

    def add_claimed(
        self, messages: Iterable[OutboxMessage], owner: str, lease: timedelta
    ) -> tuple[Claim, ...]:
        """Do `add` and `claim` in one commit, for a sender that sends at once.

        Entries that are due later only wait, without a lease, and so do all while sending is
        paused. The result of a message with a key is as durable as a `MarkInDoubt`.

        Raises:
            KeyKnownError: As `add`.
            MessageTooLargeError: As `add`.
            OutboxFullError: As `add`.
            ValueError: As `add`.
        """

    def claim(self, owner: str, limit: int, lease: timedelta) -> tuple[Claim, ...]:
        """Take up to `limit` entries to send: those due, and those left in SENDING.

        An entry goes to one claim only. It belongs to the owner until the lease is over, then to
        anybody. The longest due come first. While sending is paused there are none.

        Args:
            owner: The sender's name, for people.
            limit: The most to take.
            lease: The time of the lease, at most `lifecycle.LONGEST_LEASE`.
        """

    def claim_in_doubt(self, owner: str, limit: int, lease: timedelta) -> tuple[Claim, ...]:
        """Take up to `limit` entries whose sender disappeared around its final dot.

        They must not be sent: apply `Doubt` to each.
        """

    def apply(self, changes: Iterable[Change]) -> frozenset[str]:
        """Make changes, in order, in one commit.

        Returns:
            The ids of the entries whose lease was lost, which were not changed. While sending
            is paused, also those of each `MarkInDoubt`: they are back in the queue.
        """

    def next_due(self) -> datetime | None:
        """Return when `claim` or `claim_in_doubt` may find something next; None for never.

        This doesn't foresee what others add or finish meanwhile.
        """


class OutboxRecords(Protocol):
    """The outbox from a person's point of view. Each call may raise `OutboxUnavailableError`."""

    def get(self, entry_id: str) -> OutboxEntry:
        """Return an entry.

        Raises:
            EntryNotFoundError: There is none.
        """

    def message(self, entry_id: str) -> OutboxMessage:
        """Return the message of an entry, with only its recipient, for sending or export.

        Raises:
            EntryNotFoundError: There is none.
        """

    def page(
        self, query: Query = EVERYTHING, *, before: str | None = None, limit: int = 200
    ) -> EntryPage:
        """Return the entries that match `query`, newest first, starting after `before`.

        A search for a text looks through `OutboxLimits.searched` entries of each state, so that
        it takes no longer the more there are: a page may have fewer than `limit` entries, even
        none, and only one whose `next` is None is the last.
        """

    def counts(self, query: Query = EVERYTHING) -> Counts:
        """Count the entries that match `query`."""

    def retry(self, entry_id: str) -> OutboxEntry:
        """Make an entry due now, with a new life if it was settled.

        Raises:
            EntryNotFoundError: There is none.
            EntryStateError: It is being sent, or was accepted.
        """

    def drop(self, entry_id: str) -> OutboxEntry:
        """Give an entry up. One that is being sent is stopped before its final dot.

        Raises:
            EntryNotFoundError: There is none.
            EntryStateError: It is in doubt at this moment, or was accepted.
        """

    def mark_told(self, entry_ids: Iterable[str]) -> None:
        """Note that somebody was told of these refused entries."""

    def make_due(self, cause: str = "") -> int:
        """Make all waiting entries except those in doubt due now; return how many.

        For the moment when a route works again, or a cause is fixed.

        Args:
            cause: Only entries that wait because of this finding, and those refused because of
                it, with a new life; "" for everything that waits.
        """

    def prune(self) -> int:
        """Remove settled entries and keys beyond the limits; return the number of entries."""


class Outbox(OutboxQueue, OutboxRecords, Protocol):
    """The whole outbox."""


def change_one(queue: OutboxQueue, change: Change) -> None:
    """Make one change.

    Raises:
        LeaseLostError: The entry belongs to another by now; nothing was changed.
        OutboxUnavailableError: The storage does not work.
    """
    if queue.apply((change,)):
        entry = change.claim.entry
        raise LeaseLostError(f"entry {entry.id} was taken over or given up")
