"""What a caller is told about an email that was sent."""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Self

from smtp_desk.core.findings.finding import Finding
from smtp_desk.sender.outbox.entries import EntryState, OutboxEntry
from smtp_desk.sender.routes.route import CUSTOM
from smtp_desk.smtp.session.envelope import Status

if TYPE_CHECKING:
    from smtp_desk.core.findings.catalogue import Catalogue

_STATUS: Final = {
    EntryState.IN_DOUBT: Status.UNCERTAIN,
    EntryState.ACCEPTED: Status.ACCEPTED,
    EntryState.REFUSED: Status.REFUSED,
    EntryState.HELD: Status.UNCERTAIN,
    EntryState.DROPPED: Status.REFUSED,
}


class EmailRefusedError(Exception):
    """An email was refused for at least one of its recipients.

    Attributes:
        receipt: The results for all recipients, including those not refused.
    """

    def __init__(self, receipt: "Receipt") -> None:
        refused = [each for each in receipt.recipients if each.status is Status.REFUSED]
        why = next((each.finding.summary for each in refused if each.finding), "")
        count = f"{len(refused)} of {len(receipt.recipients)} recipients refused"
        super().__init__(f"{count}: {why}" if why else f"{count}.")
        self.receipt = receipt


@dataclass(frozen=True, slots=True)
class RecipientReceipt:
    """The result for one recipient.

    Attributes:
        recipient: The address.
        status: ACCEPTED, QUEUED, REFUSED, or UNCERTAIN, which is sent once more after 15 minutes
            or held for a person.
        route: The route that was tried last, `custom` or `default`; "" if none was tried.
        finding: Why the latest route that was tried or passed over didn't accept it; None
            if it was accepted at once or never tried.
        entry_id: The ID of its entry in the outbox, for `smtp-desk outbox`.
        local: Whether it is stored on this machine only, because the database that many
            machines share can't be reached; it is handed over when that is back.
        cancelled: Whether it was taken back, by `Sender.cancel` or a person, and won't be sent
            any more. It is then REFUSED; UNCERTAIN if a server may have it nevertheless.
    """

    recipient: str
    status: Status
    route: str = ""
    finding: Finding | None = None
    entry_id: str = ""
    local: bool = False
    cancelled: bool = False

    @property
    def fate(self) -> Status:
        """The old name of `status`; it will be removed in the next release."""
        warnings.warn("fate is now status", DeprecationWarning, stacklevel=2)
        return self.status


@dataclass(frozen=True, slots=True)
class Receipt:
    """The result for one email.

    Attributes:
        message_id: Its Message-ID field, the same on every route and for every recipient.
        recipients: The result for each recipient, in the order given.
        fallback: Why the custom server didn't accept it, for at least one recipient; None
            if no fallback was needed.
    """

    message_id: str
    recipients: tuple[RecipientReceipt, ...]
    fallback: Finding | None = None

    @classmethod
    def joined(cls, parts: Sequence[Self]) -> Self:
        """Return one receipt for an email that was sent in `parts`, each to some recipients."""
        recipients = tuple(each for part in parts for each in part.recipients)
        fallback = next((part.fallback for part in parts if part.fallback), None)
        return cls(parts[0].message_id, recipients, fallback)

    def raise_if_refused(self) -> None:
        """Raise an error if a recipient was refused, for callers that don't look at each.

        Raises:
            EmailRefusedError: At least one was refused; others may have been accepted.
        """
        if any(each.status is Status.REFUSED for each in self.recipients):
            raise EmailRefusedError(self)

    @property
    def refused(self) -> bool:
        """Whether every recipient was refused."""
        return all(each.status is Status.REFUSED for each in self.recipients)

    @property
    def cancelled(self) -> bool:
        """Whether it was taken back for every recipient."""
        return all(each.cancelled for each in self.recipients)

    @property
    def route(self) -> str:
        """The route that accepted it for the first accepted recipient; "" if none did."""
        accepted = (each.route for each in self.recipients if each.status is Status.ACCEPTED)
        return next(accepted, "")


def receipt_of(message_id: str, entries: Sequence[OutboxEntry], catalogue: "Catalogue") -> Receipt:
    """Return the result so far of the email that has these entries."""
    recipients = tuple(_recipient(entry, catalogue) for entry in entries)
    passed_over = (_fallback(entry, catalogue) for entry in entries)
    return Receipt(message_id, recipients, next(filter(None, passed_over), None))


def _recipient(entry: OutboxEntry, catalogue: "Catalogue") -> RecipientReceipt:
    cancelled = entry.state is EntryState.DROPPED
    status = _STATUS.get(entry.state, Status.QUEUED)
    if cancelled and (entry.doubts or entry.doubt_token):
        status = Status.UNCERTAIN
    finding = _told(entry.code, catalogue) or _fallback(entry, catalogue)
    return RecipientReceipt(
        entry.recipient, status, entry.route, finding, entry.id, entry.local, cancelled
    )


def _fallback(entry: OutboxEntry, catalogue: "Catalogue") -> Finding | None:
    """Return why another route than the custom server was tried last."""
    if entry.route == CUSTOM:
        return None
    codes = [each.code for each in entry.attempts if each.route == CUSTOM and each.code]
    return _told(codes[-1], catalogue) if codes else None


def _told(code: str, catalogue: "Catalogue") -> Finding | None:
    # Imported here: what only shows a receipt does without the catalogue. A sender has it already.
    from smtp_desk.core.findings.catalogue import cause  # noqa: PLC0415

    return cause(catalogue, code) if code else None
