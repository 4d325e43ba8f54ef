"""Another process on the same outbox: what it did stands on its output after each commit."""

from __future__ import annotations

import os
import sys
from datetime import UTC, datetime
from pathlib import Path

from smtp_desk.sender.outbox.database import Database
from smtp_desk.sender.outbox.entries import Accept, Attempt, MarkInDoubt
from smtp_desk.sender.outbox.outbox import change_one
from smtp_desk.sender.outbox.sqlite import SqliteOutbox
from smtp_desk.sender.routes.health import Probe
from smtp_desk.sender.routes.health_sqlite import SqliteHealth
from tests.sender.outboxes import LEASE, TurnedClock, message


def tell(word: str, *names: str) -> None:
    """Write lines in one go, past all buffers, so that a kill leaves whole ones."""
    os.write(1, "".join(f"{word} {name}\n" for name in names).encode())


def claim_all(path: Path) -> None:
    """Claim in small bites until nothing is left."""
    outbox = SqliteOutbox(Database(path))
    while claims := outbox.claim(f"process {os.getpid()}", 3, LEASE):
        tell("claimed", *(claim.entry.id for claim in claims))


def send_for_ever(path: Path) -> None:
    """Add, mark and accept entries until somebody kills this process."""
    outbox = SqliteOutbox(Database(path))
    while True:
        entries = outbox.add([message("ann@example.org", "bo@example.org")])
        tell("ready", *(entry.id for entry in entries))
        for claim in outbox.claim("sender", 2, LEASE):
            change_one(outbox, MarkInDoubt(claim, "custom"))
            tell("in_doubt", claim.entry.id)
            change_one(outbox, Accept(claim, (Attempt(datetime.now(UTC), "custom"),)))
            tell("accepted", claim.entry.id)


def fail_together(path: Path) -> None:
    """Tell failures of the route, then ask for the probe and the event."""
    clock = TurnedClock()
    health = SqliteHealth(Database(path), clock)
    for _ in range(20):
        health.record_failure("custom", "connect.refused")
    clock.turn(seconds=60)
    for _ in range(20):
        verdict = health.may_use("custom")
        if isinstance(verdict, Probe):
            tell("probe", verdict.token)
        if event := health.take_event():
            tell("event", event.kind)


if __name__ == "__main__":
    {"claim": claim_all, "send": send_for_ever, "fail": fail_together}[sys.argv[1]](
        Path(sys.argv[2])
    )
