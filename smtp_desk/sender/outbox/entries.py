"""The entries of the outbox, and the changes that a sender makes to them, as values.

An entry is one recipient of one message. It goes one way:

    ready > sending (under a lease) > in_doubt > accepted | refused | held | dropped

`in_doubt` is written before the final dot and means that the server may have accepted the message.
An entry found in that state without its sender is uncertain, and never sent again silently. A
change names the claim under which it is made, and counts only while that claim holds the entry's
lease: a sender that lost it must not send the dot.
"""

import secrets
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final, TypeAlias, final

from smtp_desk.smtp.net.forks import run_after_fork

NOTICES: Final = "smtp-desk"
"""The submitter of our own notices, of whose end nobody is told: that would go in circles."""

DOT_LEASE: Final = timedelta(minutes=11)
"""Lease from the final dot on: the 10 minutes of RFC 5321, 4.5.3.2.6, and one to write it down."""


class EntryState(StrEnum):
    """The state of an entry.

    READY waits for its next attempt; SENDING is leased and certainly not accepted; IN_DOUBT is
    perhaps accepted. The others are settled: ACCEPTED by a route, REFUSED for good or too
    old, HELD for a person because it is uncertain, DROPPED by a person.
    """

    READY = "ready"
    SENDING = "sending"
    IN_DOUBT = "in_doubt"
    ACCEPTED = "accepted"
    REFUSED = "refused"
    HELD = "held"
    DROPPED = "dropped"

    @property
    def settled(self) -> bool:
        """Whether no sender will touch it any more."""
        return self not in (EntryState.READY, EntryState.SENDING, EntryState.IN_DOUBT)

    @property
    def leased(self) -> bool:
        """Whether it belongs to a sender."""
        return self in (EntryState.SENDING, EntryState.IN_DOUBT)


WAITING: Final = frozenset(
    {EntryState.READY, EntryState.SENDING, EntryState.IN_DOUBT, EntryState.HELD}
)
"""What nothing final was said of."""

FINISHED: Final = (EntryState.ACCEPTED, EntryState.DROPPED)
"""What needs no attention, and makes room for others."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """One attempt to send, as shown to people.

    Attributes:
        at: When it ended.
        route: The route's name: `custom` or `default`.
        code: The finding's code; "" if the route accepted it.
        reply: The server's reply, safe to show; "" if there was none.
    """

    at: datetime
    route: str
    code: str = ""
    reply: str = ""


@dataclass(frozen=True, slots=True)
class Lease:
    """A sender's right to an entry.

    Attributes:
        owner: The sender's name, for people.
        token: Identifies the claim; unique.
        until: When others may take the entry.
    """

    owner: str
    token: str
    until: datetime


@dataclass(frozen=True, slots=True)
class SendingKey:
    """Identifies an email that is stored once, however often it is submitted.

    Attributes:
        name: A digest of the program's own name for it, which may contain personal data.
        content: A digest of its content and recipients.
    """

    name: str
    content: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OutboxMessage:
    """A message to send, stored once for all its recipients.

    Attributes:
        message_id: The Message-ID field, the same on every route.
        kind: The kind of email; `foreign` for a message of another program.
        payload: Enough to build the message for any route; the outbox does not look inside.
        recipients: At least one address; each gets an entry and a message of its own.
        subject: For lists and searches.
        metadata: Small facts beside the payload, such as a foreign envelope sender.
        submitter: The id of the user who handed it to the system-wide worker; "" for the user
            whose outbox this is; `NOTICES` for this program itself.
        send_at: When it is due; None for now. Stored with its entries, not with the message.
        key: Its key; None for none. Not stored with the message either.
    """

    message_id: str
    kind: str
    payload: bytes
    recipients: tuple[str, ...]
    subject: str = ""
    metadata: Mapping[str, str] = field(default_factory=dict)
    submitter: str = ""
    send_at: datetime | None = None
    key: SendingKey | None = None

    @property
    def size(self) -> int:
        """The size of payload and metadata, in octets."""
        texts = (text for pair in self.metadata.items() for text in pair)
        return len(self.payload) + sum(len(text.encode()) for text in texts)


@dataclass(frozen=True, slots=True, kw_only=True)
class OutboxEntry:
    """One recipient of one message.

    Attributes:
        id: Unique everywhere; later entries sort after earlier ones.
        message_key: The same for all entries of one stored message.
        message_id: The Message-ID field.
        kind: The kind of email.
        subject: The subject.
        recipient: The address.
        size: Octets of the stored message.
        created_at: When it was added.
        expires_at: After this a failed attempt is the last one, if there were enough of them.
        state: Its state.
        changed_at: When it reached that state.
        next_attempt_at: When it is due again, while READY.
        tries: How often it was postponed after an attempt; the delay grows with it.
        doubts: How often no answer came after the final dot. An accepted entry with doubts
            may have been delivered twice.
        only_route: The only route that may send it again, because it is uncertain there; ""
            for any.
        route: The route of the latest attempt.
        attempts: The latest attempts, oldest first.
        lease: The sender's lease, while SENDING or IN_DOUBT.
        doubt_token: The claim whose final dot is unanswered; "" for none.
        submitter: As in `OutboxMessage`.
        untold: Whether it was refused while nobody waited for its receipt, and nobody has been
            told yet.
        local: Whether it waits on this machine until the shared database is back.
        send_at: When a program wants it sent; None for at once, and once it was claimed.
    """

    id: str
    message_key: str
    message_id: str
    kind: str
    subject: str
    recipient: str
    size: int
    created_at: datetime
    expires_at: datetime
    state: EntryState
    changed_at: datetime
    next_attempt_at: datetime
    tries: int = 0
    doubts: int = 0
    only_route: str = ""
    route: str = ""
    attempts: tuple[Attempt, ...] = ()
    lease: Lease | None = None
    doubt_token: str = ""
    submitter: str = ""
    untold: bool = False
    local: bool = False
    send_at: datetime | None = None

    @property
    def code(self) -> str:
        """The finding of the latest attempt; "" if there is none."""
        return self.attempts[-1].code if self.attempts else ""


@dataclass(frozen=True, slots=True)
class Claim:
    """An entry leased to one sender.

    Attributes:
        entry: The entry as it was claimed.
        token: The token of the lease.
        awaited: Whether somebody waits for the receipt.
        keyed: Whether the message has a key: its result then survives a loss of power.
    """

    entry: OutboxEntry
    token: str
    awaited: bool = False
    keyed: bool = False


@dataclass(frozen=True, slots=True)
class MarkInDoubt:
    """The final dot comes next. If this isn't stored before it, the dot must not be sent.

    Attributes:
        claim: The claim.
        route: The route that will send the dot.
        lease: How long the entry stays leased from now on.
    """

    claim: Claim
    route: str
    lease: timedelta = DOT_LEASE


@dataclass(frozen=True, slots=True)
class Resume:
    """The dot was answered with a refusal; the same sender continues by another route.

    Attributes:
        claim: The claim.
        attempts: What was tried.
    """

    claim: Claim
    attempts: tuple[Attempt, ...] = ()


@dataclass(frozen=True, slots=True)
class Renew:
    """The sender needs more time.

    Attributes:
        claim: The claim.
        lease: How long from now on.
    """

    claim: Claim
    lease: timedelta


@dataclass(frozen=True, slots=True)
class Accept:
    """A route took responsibility.

    It counts even after the lease was lost, as long as this claim's dot was the unanswered
    one: a late answer is better than a second message.

    Attributes:
        claim: The claim.
        attempts: The attempts, the accepted one last.
    """

    claim: Claim
    attempts: tuple[Attempt, ...]


@dataclass(frozen=True, slots=True)
class Refuse:
    """Refused for good. An entry that was ever in doubt is held for a person instead.

    Attributes:
        claim: The claim.
        attempts: What was tried.
    """

    claim: Claim
    attempts: tuple[Attempt, ...]


@dataclass(frozen=True, slots=True)
class Postpone:
    """Certainly not accepted; to be tried again, or given back untried.

    At the end of its life the entry is refused instead, if it had `lifecycle.FEWEST_TRIES`; one
    that was ever in doubt is held.

    Attributes:
        claim: The claim.
        until: When it is due again; now to give it back.
        attempts: What was tried; () leaves the growing delay as it is.
    """

    claim: Claim
    until: datetime
    attempts: tuple[Attempt, ...] = ()


@dataclass(frozen=True, slots=True)
class Doubt:
    """No answer came after the final dot, or its sender is gone.

    The first time, the entry is due again after `RESEND_AFTER` by the same route only;
    the second time it is held for a person.

    Attributes:
        claim: The claim.
        resend: False to hold it the first time already.
        attempts: What was tried.
    """

    claim: Claim
    resend: bool
    attempts: tuple[Attempt, ...] = ()


Change: TypeAlias = MarkInDoubt | Resume | Renew | Accept | Refuse | Postpone | Doubt


_ALPHABET: Final = "0123456789abcdefghjkmnpqrstvwxyz"  # Crockford's, as ULIDs have
_LENGTH: Final = 26
_RANDOM_BITS: Final = 80
_DRAWN_BITS: Final = _RANDOM_BITS - 1  # room to count on without a carry into the time


@final
class IdentifierSource:
    """Creates identifiers: 48 bits of milliseconds since 1970, 80 random bits (a ULID).

    Within one millisecond they count up, so that the identifiers of one source sort in the
    order of creation as long as the clock isn't set back.
    """

    def __init__(self, draw: Callable[[int], int] = secrets.randbits) -> None:
        self._draw = draw
        self.after_fork()
        run_after_fork(self.after_fork)

    def after_fork(self) -> None:
        """Create identifiers that differ from the parent process's; see `forks`."""
        self._lock = threading.Lock()
        self._last = (-1, 0)

    def next(self, milliseconds: int) -> str:
        """Return an identifier created at `milliseconds` since 1970."""
        with self._lock:
            time, chance = self._last
            chance = chance + 1 if time == milliseconds else self._draw(_DRAWN_BITS)
            self._last = (milliseconds, chance)
        return _encode(milliseconds, chance)


def first_identifier(milliseconds: int) -> str:
    """Return the lowest identifier that can be created at `milliseconds` or later."""
    return _encode(milliseconds, 0)


def new_token() -> str:
    """Return a unique name for a claim."""
    return secrets.token_hex(8)


def _encode(milliseconds: int, chance: int) -> str:
    number = max(milliseconds, 0) << _RANDOM_BITS | chance
    return "".join(_ALPHABET[number >> shift & 31] for shift in range(5 * (_LENGTH - 1), -1, -5))
