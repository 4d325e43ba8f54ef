"""Senders that send, stall, die and come back late, over clocks that jump.

All outboxes that ship do the same, step for step; and whatever happens, no email is lost,
and none is delivered twice unless the doubt was recorded (or a person asked for it).
"""

from __future__ import annotations

import itertools
import tempfile
from collections import Counter
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    invariant,
    multiple,
    rule,
    run_state_machine_as_test,
)

from smtp_desk.sender.outbox.database import Database
from smtp_desk.sender.outbox.entries import (
    Accept,
    Attempt,
    Change,
    Claim,
    Doubt,
    EntryState,
    IdentifierSource,
    MarkInDoubt,
    OutboxEntry,
    Postpone,
    Refuse,
    Renew,
    Resume,
)
from smtp_desk.sender.outbox.outbox import EntryStateError, Outbox, OutboxLimits
from smtp_desk.sender.outbox.postgres import PostgresOutbox
from smtp_desk.sender.outbox.postgres_address import read_address
from smtp_desk.sender.outbox.postgres_database import PostgresDatabase
from smtp_desk.sender.outbox.sqlite import SqliteOutbox
from smtp_desk.sender.testing import MemoryOutbox
from tests.sender.outboxes import LEASE, TurnedClock, lay_empty, message

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.servers.postgres import Postgres

LIMITS: Final = OutboxLimits(kept_rows=3)


@dataclass(frozen=True)
class Sender:
    """One who holds the same claim in both outboxes."""

    recipient: str
    claims: tuple[Claim, ...]


class Senders(RuleBasedStateMachine):
    """The world around two outboxes that must not differ."""

    sending = Bundle("sending")
    unanswered = Bundle("unanswered")

    def __init__(self) -> None:
        super().__init__()
        self.clock = TurnedClock()
        self.closing = ExitStack()
        shipped, memory = self.shipped(), MemoryOutbox(self.clock, LIMITS)
        for outbox in (shipped, memory):
            # Both draw rising numbers, so that entries of one moment sort alike.
            outbox._identifiers = IdentifierSource(self.rising())
        self.outboxes: tuple[Outbox, ...] = (shipped, memory)
        self.recipients = (f"{number}@example.org" for number in itertools.count())
        self.added: set[str] = set()
        self.pruned = 0
        self.delivered: Counter[str] = Counter()
        self.excused: Counter[str] = Counter()

    def shipped(self) -> SqliteOutbox | PostgresOutbox:
        """An empty outbox of the engine that is compared with the one in memory."""
        folder = self.closing.enter_context(tempfile.TemporaryDirectory())
        database = self.closing.enter_context(Database(lay_empty(Path(folder) / "outbox.sqlite3")))
        return SqliteOutbox(database, self.clock, LIMITS)

    @staticmethod
    def rising() -> Callable[[int], int]:
        numbers = itertools.count()
        return lambda _: next(numbers) << 40

    def teardown(self) -> None:
        self.drain()
        self.check_nothing_is_lost_or_doubled()
        self.closing.close()

    def entries(self, outbox: Outbox) -> dict[str, OutboxEntry]:
        return {entry.recipient: entry for entry in outbox.page(limit=10_000).entries}

    def pair(self, claims: tuple[tuple[Claim, ...], ...]) -> list[Sender]:
        assert len({tuple(each.entry.recipient for each in side) for side in claims}) == 1
        return [Sender(both[0].entry.recipient, both) for both in zip(*claims, strict=True)]

    def tell(self, sender: Sender, change: Callable[[Claim], Change]) -> bool:
        """Make a change in both; return whether it counted."""
        lost = {
            bool(outbox.apply([change(claim)]))
            for outbox, claim in zip(self.outboxes, sender.claims, strict=True)
        }
        assert len(lost) == 1
        return lost == {False}

    def tried(self, code: str = "") -> tuple[Attempt, ...]:
        return (Attempt(self.clock(), "custom", code),)

    def mark(self, sender: Sender) -> bool:
        return self.tell(sender, lambda claim: MarkInDoubt(claim, "custom"))

    @rule(target=sending, count=st.integers(1, 3), at_once=st.booleans())
    def add(self, count: int, at_once: bool) -> object:
        new = message(*itertools.islice(self.recipients, count))
        self.added |= set(new.recipients)
        if not at_once:
            for outbox in self.outboxes:
                outbox.add([new])
            return multiple()
        claims = tuple(outbox.add_claimed([new], "a sender", LEASE) for outbox in self.outboxes)
        return multiple(*self.pair(claims))

    @rule(target=sending, limit=st.integers(1, 4))
    def claim(self, limit: int) -> object:
        claims = tuple(outbox.claim("a worker", limit, LEASE) for outbox in self.outboxes)
        return multiple(*self.pair(claims))

    @rule(sender=consumes(sending), lose=st.booleans())
    def send(self, sender: Sender, lose: bool) -> None:
        """The dot is answered; `lose` is a crash before that is written down."""
        if self.mark(sender):
            self.delivered[sender.recipient] += 1
            if not lose:
                self.tell(sender, lambda claim: Accept(claim, self.tried()))

    @rule(target=unanswered, sender=consumes(sending))
    def send_and_wait(self, sender: Sender) -> object:
        if not self.mark(sender):
            return multiple()
        self.delivered[sender.recipient] += 1
        return sender

    @rule(sender=consumes(unanswered))
    def answer_late(self, sender: Sender) -> None:
        self.tell(sender, lambda claim: Accept(claim, self.tried()))

    @rule(sender=consumes(unanswered), resend=st.booleans())
    def give_up_waiting(self, sender: Sender, resend: bool) -> None:
        self.excused[sender.recipient] += 1
        self.tell(sender, lambda claim: Doubt(claim, resend, self.tried("message.unconfirmed")))

    @rule(sender=consumes(sending), minutes=st.sampled_from([0, 1, 300]), dotted=st.booleans())
    def fail_for_now(self, sender: Sender, minutes: int, dotted: bool) -> None:
        if not dotted or self.mark(sender):
            until = self.clock() + timedelta(minutes=minutes)
            self.tell(sender, lambda claim: Postpone(claim, until, self.tried("connect.refused")))

    @rule(target=sending, sender=consumes(sending))
    def fail_and_go_on(self, sender: Sender) -> Sender:
        if self.mark(sender):
            self.tell(sender, lambda claim: Resume(claim, self.tried("message.unauthenticated")))
        return sender

    @rule(sender=consumes(sending))
    def refuse(self, sender: Sender) -> None:
        self.tell(sender, lambda claim: Refuse(claim, self.tried("recipient.unknown")))

    @rule(target=sending, sender=consumes(sending))
    def renew(self, sender: Sender) -> Sender:
        self.tell(sender, lambda claim: Renew(claim, LEASE))
        return sender

    @rule(resend=st.booleans())
    def judge(self, resend: bool) -> None:
        claims = tuple(outbox.claim_in_doubt("a judge", 2, LEASE) for outbox in self.outboxes)
        for judge in self.pair(claims):
            self.excused[judge.recipient] += 1
            assert not self.mark(judge)
            assert self.tell(judge, lambda claim: Doubt(claim, resend))

    @rule(data=st.data(), ask=st.sampled_from(["retry", "drop"]))
    def person_acts(self, data: st.DataObject, ask: str) -> None:
        known = sorted(self.entries(self.outboxes[0]))
        if not known:
            return
        recipient = data.draw(st.sampled_from(known))
        answers = set()
        for outbox in self.outboxes:
            entry = self.entries(outbox)[recipient]
            try:
                getattr(outbox, ask)(entry.id)
                answers.add("done")
            except EntryStateError as error:
                answers.add(error.state)
        assert len(answers) == 1
        self.excused[recipient] += ask == "retry" and answers == {"done"}

    @rule(cause=st.sampled_from(["", "connect.refused", "recipient.unknown", "message.temporary"]))
    def make_due(self, cause: str) -> None:
        before = self.entries(self.outboxes[0])
        assert len({outbox.make_due(cause) for outbox in self.outboxes}) == 1
        for recipient, entry in self.entries(self.outboxes[0]).items():
            self.excused[recipient] += entry.state is not before[recipient].state

    @rule()
    def prune(self) -> None:
        before = self.entries(self.outboxes[0])
        pruned = {outbox.prune() for outbox in self.outboxes}
        assert len(pruned) == 1
        gone = before.keys() - self.entries(self.outboxes[0]).keys()
        assert all(before[recipient].state.settled for recipient in gone)
        self.pruned += len(gone)
        self.added -= gone

    @rule(seconds=st.sampled_from([1, 59, 121, 700, 901, 15_000, 400_000, -300, -90_000]))
    def time_passes(self, seconds: int) -> None:
        self.clock.turn(seconds=seconds)

    @invariant()
    def both_are_alike(self) -> None:
        shipped, memory = (
            {name: self.comparable(entry) for name, entry in self.entries(outbox).items()}
            for outbox in self.outboxes
        )
        assert shipped == memory
        assert len({outbox.next_due() for outbox in self.outboxes}) == 1
        counts = [dict(outbox.counts().by_state_and_route) for outbox in self.outboxes]
        assert counts[0] == counts[1]

    def comparable(self, entry: OutboxEntry) -> OutboxEntry:
        lease = entry.lease and replace(entry.lease, token="")
        return replace(
            entry, id="", message_key="", lease=lease, doubt_token=str(bool(entry.doubt_token))
        )

    @invariant()
    def check_nothing_is_lost_or_doubled(self) -> None:
        entries = self.entries(self.outboxes[0])
        assert entries.keys() == self.added
        for recipient, entry in entries.items():
            assert self.delivered[recipient] <= 1 + self.excused[recipient]
            assert entry.state is not EntryState.ACCEPTED or self.delivered[recipient]

    def drain(self) -> None:
        """After all is said, a worker alone settles everything within days."""
        for _ in range(200):
            if all(outbox.next_due() is None for outbox in self.outboxes):
                break
            self.clock.turn(minutes=31)
            self.judge(resend=True)
            claims = tuple(outbox.claim("the last", 50, LEASE) for outbox in self.outboxes)
            for sender in self.pair(claims):
                self.send(sender, lose=False)
        assert all(entry.state.settled for entry in self.entries(self.outboxes[0]).values())


Senders.TestCase.settings = settings(
    max_examples=settings().max_examples * 2 // 5, stateful_step_count=40
)
TestSenders = Senders.TestCase


@pytest.mark.parametrize(
    "examples", [6, pytest.param(500, marks=pytest.mark.soak)], ids=["some", "many"]
)
@pytest.mark.needs("postgres")
def test_postgres_does_the_same(postgres: Postgres, examples: int) -> None:
    with PostgresDatabase(read_address(postgres.empty_database(), {})) as database:

        class SendersOnPostgres(Senders):
            def shipped(self) -> PostgresOutbox:
                database.write(
                    lambda transaction: transaction.execute(
                        "DELETE FROM entries; DELETE FROM messages"
                    )
                )
                return PostgresOutbox(database, self.clock, LIMITS)

        few = settings(settings(), max_examples=examples, stateful_step_count=30)
        run_state_machine_as_test(SendersOnPostgres, settings=few)
