"""One recipient while it is dealt with, from route to route."""

from dataclasses import dataclass, field
from datetime import datetime

from smtp_desk.core.findings import Finding
from smtp_desk.sender.entries import Attempt, Claim
from smtp_desk.sender.receipts import Fate, RecipientReceipt
from smtp_desk.sender.transport import CUSTOM


@dataclass(slots=True)
class Case:
    """One recipient while it is dealt with.

    Attributes:
        claim: Its entry, in our hands.
        attempts: The routes that were tried or passed over.
        finding: Why the newest of them did not take it; None where it did.
        fallback: Why the custom server did not take it.
        in_doubt: Whether a dot was announced that has no answer yet.
        receipt: What the caller is told; None as long as it is open.
    """

    claim: Claim
    attempts: list[Attempt] = field(default_factory=list)
    finding: Finding | None = None
    fallback: Finding | None = None
    in_doubt: bool = False
    receipt: RecipientReceipt | None = None

    @property
    def recipient(self) -> str:
        """The address."""
        return self.claim.entry.recipient

    def failed(self, route: str, finding: Finding, now: datetime, reply: str = "") -> None:
        """Note that `route` did not take it, or was passed over."""
        self.attempts.append(Attempt(now, route, finding.code, reply))
        self.finding = finding
        if route == CUSTOM:
            self.fallback = finding

    def accepted(self, route: str, now: datetime, reply: str) -> None:
        """Note that `route` took the responsibility."""
        self.attempts.append(Attempt(now, route, reply=reply))
        self.finding = self.fallback if route != CUSTOM else None
        self.end(Fate.ACCEPTED)

    def end(self, fate: Fate) -> None:
        """Settle what the caller is told."""
        route = self.attempts[-1].route if self.attempts else ""
        if route == CUSTOM and fate is not Fate.QUEUED:
            self.fallback = None  # it ended there, if not at the first attempt
        entry_id = self.claim.entry.id
        self.receipt = RecipientReceipt(self.recipient, fate, route, self.finding, entry_id)

    def left(self) -> RecipientReceipt:
        """Return the receipt of one that is still in the outbox."""
        entry_id = self.claim.entry.id
        return RecipientReceipt(self.recipient, Fate.QUEUED, "", self.finding, entry_id)
