"""The envelope that a server gets with a message, and the result for each recipient."""

from dataclasses import dataclass
from enum import StrEnum

from smtp_desk.core.errors import Acceptance, SmtpFailure
from smtp_desk.core.reply import Reply


@dataclass(frozen=True, slots=True)
class Envelope:
    """The envelope of one message (RFC 5321, 2.3.1); addresses as on the wire (`Mailbox.wire`).

    Attributes:
        sender: The address for bounces; "" for none.
        recipients: At least one, unless only the sender is tried.
        smtputf8: The message's header holds UTF-8 (RFC 6531).
    """

    sender: str
    recipients: tuple[str, ...]
    smtputf8: bool = False

    @property
    def needs_smtputf8(self) -> bool:
        """Whether the server must offer SMTPUTF8."""
        return self.smtputf8 or not "".join((self.sender, *self.recipients)).isascii()


class Status(StrEnum):
    """The status of one recipient, from the session to the receipt.

    ACCEPTED: a server or program took responsibility. QUEUED: stored durably, to be sent
    later. REFUSED: it won't be sent, or not by this route. UNCERTAIN: the final dot was sent
    and no reply came: it may have been accepted.
    """

    ACCEPTED = "accepted"
    QUEUED = "queued"
    REFUSED = "refused"
    UNCERTAIN = "uncertain"


@dataclass(frozen=True, slots=True)
class RecipientResult:
    """One recipient and its result.

    Attributes:
        recipient: The address.
        status: ACCEPTED: the server took responsibility. REFUSED: it did not; nothing was sent
            to this recipient. UNCERTAIN: the final dot was sent and no reply came.
        reply: The reply that decided, or None if none did.
        failure: Why it isn't ACCEPTED; its stage tells where.
    """

    recipient: str
    status: Status
    reply: Reply | None = None
    failure: SmtpFailure | None = None

    @classmethod
    def failed(cls, recipient: str, failure: SmtpFailure) -> "RecipientResult":
        """Return the result of a recipient that `failure` prevented."""
        uncertain = failure.acceptance is Acceptance.UNKNOWN
        status = Status.UNCERTAIN if uncertain else Status.REFUSED
        return cls(recipient, status, failure.reply, failure)


@dataclass(frozen=True, slots=True)
class Delivery:
    """The result of sending one message.

    Attributes:
        results: One for each recipient, in the order of the envelope.
    """

    results: tuple[RecipientResult, ...]

    @property
    def failure(self) -> SmtpFailure | None:
        """The first failure, or None where every recipient was accepted."""
        return next((result.failure for result in self.results if result.failure), None)

    @property
    def reply(self) -> Reply | None:
        """The reply to the final dot that accepted the message, or None."""
        accepted = (r for r in self.results if r.status is Status.ACCEPTED)
        return next((result.reply for result in accepted), None)
