"""The outbox: every email is a row before its first byte, and until its fate is known.

The interface names no engine. `sqlite.SqliteOutbox` is that of one machine,
`postgres.PostgresOutbox` that of many, `testing.MemoryOutbox` their twin for tests;
tests/contract/test_outbox.py is what any other has to pass. The rules that all share stand in
`lifecycle`.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, Protocol

from smtp_desk.sender.outbox.entries import Change, Claim, EntryState, OutboxEntry, OutboxMessage

MEBIBYTE: Final = 1024 * 1024


class OutboxError(Exception):
    """The outbox could not do it; nothing was changed."""


class OutboxUnavailableError(OutboxError):
    """The storage does not work: disk full, no right to write, input or output error."""


class OutboxBusyError(OutboxUnavailableError):
    """Others held the storage for longer than we wait."""


class OutboxCorruptError(OutboxUnavailableError):
    """The storage is damaged or not an outbox; it is left as it is, for a person."""


class OutboxAddressError(OutboxUnavailableError):
    """What names the database of many machines is of no use until a person changes it."""


class OutboxPartMissingError(OutboxAddressError):
    """The database of many machines needs a part that isn't installed."""


class OutboxUnreachableError(OutboxUnavailableError):
    """The database of many machines doesn't answer, or not to us; it may answer later."""


class OutboxUnconfirmedError(OutboxUnreachableError):
    """The storage went away in the middle of a write, which is done or not.

    Attributes:
        transaction: Which write, for the storage to tell when it is back.
        entries: What it would have stored, if it was to store some.
    """

    def __init__(self, text: str, transaction: str) -> None:
        super().__init__(text)
        self.transaction = transaction
        self.entries: tuple[OutboxEntry, ...] = ()


class OutboxVersionError(OutboxUnavailableError):
    """The storage was written by a newer version of this program; it is left as it is."""


class OutboxFullError(OutboxError):
    """The outbox has reached its limit, and nothing in it may be thrown away."""

    def __init__(self, limit: int) -> None:
        super().__init__(
            f"The outbox has reached its limit of {limit} octets."
            " Let its messages be sent, or drop some."
        )


class MessageTooLargeError(OutboxError):
    """The message is larger than the outbox takes.

    Attributes:
        size: Its octets.
        limit: The most it may have.
    """

    def __init__(self, size: int, limit: int) -> None:
        super().__init__(f"The message has {size} octets; at most {limit} are allowed.")
        self.size = size
        self.limit = limit


class KeyKnownError(OutboxError):
    """A message with this key was stored before; nothing is stored now.

    Attributes:
        message_id: Its Message-ID.
        content: What `SendingKey.content` was then.
        entries: Its entries; those that were thrown away or erased since are missing.
    """

    def __init__(self, message_id: str, content: str, entries: tuple[OutboxEntry, ...]) -> None:
        super().__init__(f"The key stands for the message {message_id}.")
        self.message_id = message_id
        self.content = content
        self.entries = entries


class KeyReusedError(OutboxError):
    """The idempotency key stands for an email that says something else; nothing was sent.

    Attributes:
        message_id: The Message-ID of that email.
    """

    def __init__(self, message_id: str) -> None:
        super().__init__(f"The key is already used by another email, {message_id}.")
        self.message_id = message_id


class EntryNotFoundError(OutboxError):
    """There is no such entry (any more)."""


class EntryStateError(OutboxError):
    """What a person asked for is not possible where the entry stands.

    Attributes:
        state: Where it stands.
    """

    def __init__(self, text: str, state: EntryState) -> None:
        super().__init__(text)
        self.state = state


class LeaseLostError(OutboxError):
    """The entry belongs to another by now; the dot must not be sent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OutboxLimits:
    """How much the outbox takes and keeps.

    Held entries are never thrown away; refused ones only by age.

    Attributes:
        message_octets: The largest message.
        total_octets: The largest outbox; accepted and dropped entries make room.
        kept_rows: How many accepted and dropped entries are kept.
        kept_for: How long settled entries are kept.
        keys_for: How long a message's key is known.
    """

    message_octets: int = 64 * MEBIBYTE
    total_octets: int = 2048 * MEBIBYTE
    kept_rows: int = 100_000
    kept_for: timedelta = timedelta(days=90)
    keys_for: timedelta = timedelta(days=7)


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """Which entries to show; what is left out asks for nothing.

    Attributes:
        states: One of these.
        route: Newest attempt by this route.
        kind: This kind of email.
        text: Somewhere in recipient, subject, Message-ID or finding, in any case.
        submitter: Handed over by this user.
        message_id: Of the message with this Message-ID.
        untold: Refused, and nobody was told.
    """

    states: frozenset[EntryState] = frozenset()
    route: str = ""
    kind: str = ""
    text: str = ""
    submitter: str = ""
    message_id: str = ""
    untold: bool = False

    @property
    def columns(self) -> Mapping[str, str]:
        """What an entry's attributes, and the columns of their names, must be."""
        asked = {
            "route": self.route,
            "kind": self.kind,
            "submitter": self.submitter,
            "message_id": self.message_id,
        }
        return {name: value for name, value in asked.items() if value}

    def matches(self, entry: OutboxEntry) -> bool:
        """Whether `entry` is one of them."""
        sought = self.text.casefold()
        return (
            (not self.states or entry.state in self.states)
            and all(getattr(entry, name) == value for name, value in self.columns.items())
            and (entry.untold or not self.untold)
            and (sought in searched_text(entry) or sought in entry.code)
        )


def searched_text(entry: OutboxEntry) -> str:
    """Return what a search for text goes through, case folded; the finding comes beside it."""
    return f"{entry.recipient}\n{entry.subject}\n{entry.message_id}".casefold()


EVERYTHING: Final = Query()


@dataclass(frozen=True, slots=True)
class EntryPage:
    """A part of the list, newest entries first.

    Attributes:
        entries: The entries.
        next: Give it as `before` for the following page; None where this was the last.
    """

    entries: tuple[OutboxEntry, ...]
    next: str | None


@dataclass(frozen=True, slots=True)
class Counts:
    """How many entries there are.

    Attributes:
        by_state_and_route: How many of each; the route is "" before the first attempt.
    """

    by_state_and_route: Mapping[tuple[EntryState, str], int] = field(default_factory=dict)

    @property
    def total(self) -> int:
        """All of them."""
        return sum(self.by_state_and_route.values())

    def of(self, *states: EntryState, route: str | None = None) -> int:
        """Return how many stand in one of `states`, by `route` where it is given."""
        return sum(
            count
            for (state, name), count in self.by_state_and_route.items()
            if state in states and route in (None, name)
        )


class OutboxQueue(Protocol):
    """The outbox as a sender sees it.

    Every call commits before it returns, as one: all of it or nothing; those of several
    threads may share one commit. What `add` and `add_claimed` store and each `MarkInDoubt`
    survive a loss of power from then on, the rest within a second: an email whose end is
    forgotten by that is uncertain, and recorded so. Calls may come from any thread and, where
    the engine spans them, any process. Each may raise `OutboxUnavailableError`.
    """

    def add(self, messages: Iterable[OutboxMessage]) -> tuple[OutboxEntry, ...]:
        """Store messages, due now or at `send_at`; return their entries, recipient by recipient.

        Raises:
            KeyKnownError: A message with the key of one was stored before; none is stored.
            MessageTooLargeError: One is larger than the limit; none is stored.
            OutboxFullError: There is no room; none is stored.
            ValueError: One has no recipient.
        """

    def add_claimed(
        self, messages: Iterable[OutboxMessage], owner: str, lease: timedelta
    ) -> tuple[Claim, ...]:
        """Do `add` and `claim` in one commit, for a sender that sends at once.

        While sending is paused it only adds: the claims' entries wait, under no lease. What
        comes of a message that has a key is as durable as a `MarkInDoubt`.

        Raises:
            KeyKnownError: As `add`.
            MessageTooLargeError: As `add`.
            OutboxFullError: As `add`.
            ValueError: As `add`.
        """

    def claim(self, owner: str, limit: int, lease: timedelta) -> tuple[Claim, ...]:
        """Take up to `limit` entries to send: those due, and those left in SENDING.

        An entry goes to one claim only. It is the owner's until the lease is over, then
        anybody's. Longest due first. While sending is paused there are none.

        Args:
            owner: Who asks, for people.
            limit: The most to take.
            lease: How long; longer than `lifecycle.LONGEST_LEASE` counts as that.
        """

    def claim_in_doubt(self, owner: str, limit: int, lease: timedelta) -> tuple[Claim, ...]:
        """Take up to `limit` entries whose sender is gone since before or after its dot.

        They must not be sent: tell `Doubt` of each.
        """

    def apply(self, changes: Iterable[Change]) -> frozenset[str]:
        """Make changes, in their order, in one commit.

        Returns:
            The ids of the entries whose lease was lost: of those nothing was changed. While
            sending is paused, also those of each `MarkInDoubt`: they are back in the queue.
        """

    def next_due(self) -> datetime | None:
        """Return when `claim` or `claim_in_doubt` may next find something; None for never.

        What others add or finish meanwhile is not foreseen.
        """


class OutboxRecords(Protocol):
    """The outbox as a person sees it. Each call may raise `OutboxUnavailableError`."""

    def get(self, entry_id: str) -> OutboxEntry:
        """Return an entry.

        Raises:
            EntryNotFoundError: There is none.
        """

    def message(self, entry_id: str) -> OutboxMessage:
        """Return the message of an entry, for sending or export; its recipient alone in it.

        Raises:
            EntryNotFoundError: There is none.
        """

    def page(
        self, query: Query = EVERYTHING, *, before: str | None = None, limit: int = 200
    ) -> EntryPage:
        """Return the entries that `query` asks for, newest first, from `before` on."""

    def counts(self, query: Query = EVERYTHING) -> Counts:
        """Count the entries that `query` asks for."""

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
        """Somebody was told that these entries were refused."""

    def make_due(self, cause: str = "") -> int:
        """Make all waiting entries due now, but those in doubt; return how many.

        For the moment when a route works again, or a cause is mended.

        Args:
            cause: Only those that this finding keeps waiting, and those that were refused by it,
                with a new life; "" for whatever waits.
        """

    def prune(self) -> int:
        """Throw away settled entries and keys beyond the limits; return how many entries."""


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
