"""What a caller learns of an email that was sent."""

from dataclasses import dataclass
from enum import StrEnum

from smtp_desk.core.findings.finding import Finding


class Fate(StrEnum):
    """What came of one recipient so far.

    ACCEPTED: a route took the responsibility. QUEUED: stored durably, to be sent by the
    worker. REFUSED: it will not be sent. UNCERTAIN: a server may have accepted it and did
    not say; it is sent once more after 15 minutes, or held for a person.
    """

    ACCEPTED = "accepted"
    QUEUED = "queued"
    REFUSED = "refused"
    UNCERTAIN = "uncertain"


@dataclass(frozen=True, slots=True)
class RecipientReceipt:
    """What came of one recipient.

    Attributes:
        recipient: The address.
        fate: What came of it.
        route: `custom` or `default`: where it was tried last; "" where it was not tried.
        finding: Why the newest route that was tried or passed over did not accept it; None
            where it was accepted at once or never tried.
        entry_id: Its entry in the outbox, for `smtp-desk outbox`.
    """

    recipient: str
    fate: Fate
    route: str = ""
    finding: Finding | None = None
    entry_id: str = ""


@dataclass(frozen=True, slots=True)
class Receipt:
    """What came of one email.

    Attributes:
        message_id: Its Message-ID field, the same on every route and for every recipient.
        recipients: One for each, in the order given.
        fallback: Why the custom server did not take it, for at least one recipient; None
            where no fallback was needed.
    """

    message_id: str
    recipients: tuple[RecipientReceipt, ...]
    fallback: Finding | None = None

    @property
    def refused(self) -> bool:
        """Whether it will reach nobody: every recipient is refused."""
        return all(each.fate is Fate.REFUSED for each in self.recipients)

    @property
    def route(self) -> str:
        """The route that accepted it for the first accepted recipient; "" for none."""
        accepted = (each.route for each in self.recipients if each.fate is Fate.ACCEPTED)
        return next(accepted, "")
