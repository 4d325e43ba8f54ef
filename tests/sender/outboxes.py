"""What tests of the outbox share: a clock to turn, messages, and the opened database."""

from __future__ import annotations

import tempfile
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

from smtp_desk.sender.outbox.database import Database
from smtp_desk.sender.outbox.entries import Accept, Attempt, Claim, MarkInDoubt, OutboxMessage
from smtp_desk.sender.outbox.outbox import change_one
from smtp_desk.store.files import PRIVATE
from smtp_desk.store.ownership import make_private_folder

if TYPE_CHECKING:
    from smtp_desk.sender.outbox.outbox import Outbox

LEASE: Final = timedelta(minutes=2)


@cache
def _empty() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "outbox.sqlite3"
        Database(file).close()
        return file.read_bytes()


def lay_empty(file: Path) -> Path:
    """Lay an empty outbox there if there is none: for tests of other things than its schema.

    A database that makes its schema waits for the disk several times.
    """
    if not file.exists():
        make_private_folder(file.parent)
        file.touch(PRIVATE)
        file.write_bytes(_empty())
    return file


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
