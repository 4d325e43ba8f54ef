"""What every outbox keeps where its clock is wrong or time passed without it."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from smtp_desk.sender.outbox.entries import EntryState, MarkInDoubt, Postpone
from smtp_desk.sender.outbox.lifecycle import FEWEST_TRIES, LIFETIME, LONGEST_DELAY, MORE_LIFE
from smtp_desk.sender.outbox.outbox import change_one
from tests.sender.outboxes import LEASE, TurnedClock, accept, attempt, claim_one, message

if TYPE_CHECKING:
    from smtp_desk.sender.outbox.outbox import Outbox


def test_a_life_that_passed_without_attempts_is_prolonged(
    outbox: Outbox, clock: TurnedClock
) -> None:
    """The computer slept for five days, or its clock was set forward, wrong or right."""
    outbox.add([message()])
    failed = (attempt(clock, "connect.unreachable"),)
    change_one(outbox, Postpone(claim_one(outbox), clock(), failed))
    clock.turn(days=5)
    claim = claim_one(outbox)
    change_one(outbox, Postpone(claim, clock() + LONGEST_DELAY, failed))
    entry = outbox.get(claim.entry.id)
    assert (entry.state, entry.next_attempt_at, entry.expires_at) == (
        EntryState.READY, clock() + LONGEST_DELAY, clock() + MORE_LIFE,
    )  # fmt: skip
    for _ in range(2, FEWEST_TRIES):
        assert outbox.get(claim.entry.id).state is EntryState.READY
        clock.turn(days=1)
        change_one(outbox, Postpone(claim_one(outbox), clock(), failed))
    assert outbox.get(claim.entry.id).state is EntryState.REFUSED


def test_a_clock_set_back_keeps_nothing_waiting_for_ever(
    outbox: Outbox, clock: TurnedClock
) -> None:
    outbox.add([message("ann@example.org", "bo@example.org", "cy@example.org")])
    ann, bo, cy = outbox.claim("ann's desk", 3, LEASE)
    change_one(outbox, Postpone(ann, clock(), (attempt(clock, "connect.refused"),)))
    change_one(outbox, MarkInDoubt(bo, "custom"))
    clock.turn(days=-400)
    assert outbox.next_due() == clock()
    taken = outbox.claim("bo's desk", 9, LEASE)
    assert {claim.entry.id for claim in taken} == {ann.entry.id, cy.entry.id}
    (judge,) = outbox.claim_in_doubt("bo's desk", 9, LEASE)
    assert judge.entry.id == bo.entry.id
    for claim in (bo, cy):
        assert outbox.apply([MarkInDoubt(claim, "custom")]) == {claim.entry.id}
    (again,) = [claim for claim in taken if claim.entry.id == ann.entry.id]
    failed = (attempt(clock, "connect.refused"),)
    change_one(outbox, Postpone(again, clock() + timedelta(days=9), failed))
    entry = outbox.get(again.entry.id)
    assert (entry.next_attempt_at, entry.expires_at) == (
        clock() + LONGEST_DELAY, clock() + LIFETIME,
    )  # fmt: skip


def test_a_clock_set_forward_costs_no_attempt(outbox: Outbox, clock: TurnedClock) -> None:
    outbox.add([message()])
    clock.turn(days=9000)
    accept(outbox, claim_one(outbox), clock)
    assert outbox.counts().of(EntryState.ACCEPTED) == 1
