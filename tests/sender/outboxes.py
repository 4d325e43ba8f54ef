"""What tests of the outbox share: a clock to turn, messages, and the opened database."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from smtp_desk.sender.outbox.entries import Accept, Attempt, Claim, MarkInDoubt, OutboxMessage
from smtp_desk.sender.outbox.outbox import change_one

if TYPE_CHECKING:
    from smtp_desk.sender.outbox.outbox import Outbox

LEASE: Final = timedelta(minutes=2)


class TurnedClock:
    """A clock that stands still until it is turned."""

    def __init__(self) -> None:
        self.now = datetime(2026, 3, 1, 12, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def turn(self, **how_far: float) -> None:
        self.now += timedelta(**how_far)


def message(*recipients: str, payload: bytes = b"payload", subject: str = "Hi") -> OutboxMessage:
    return OutboxMessage(
        message_id="<1@example.org>",
        kind="invitation",
        payload=payload,
        recipients=recipients or ("ann@example.org",),
        subject=subject,
        metadata={"link": "https://example.org/é"},
    )


def attempt(clock: TurnedClock, code: str = "", route: str = "custom") -> Attempt:
    return Attempt(clock(), route, code, "250 2.0.0 queued" if not code else "451 4.3.0 later")


def claim_one(outbox: Outbox, owner: str = "ann's desk") -> Claim:
    (claim,) = outbox.claim(owner, 1, LEASE)
    return claim


def accept(outbox: Outbox, claim: Claim, clock: TurnedClock) -> None:
    change_one(outbox, MarkInDoubt(claim, "custom"))
    change_one(outbox, Accept(claim, (attempt(clock),)))
