"""An email that a program wants sent later, whatever the engine."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import TYPE_CHECKING

import pytest

from smtp_desk.sender.outbox.control import Control
from smtp_desk.sender.outbox.entries import EntryState, OutboxMessage, Postpone
from smtp_desk.sender.outbox.lifecycle import LIFETIME
from smtp_desk.sender.outbox.outbox import Outbox, change_one
from tests.sender.outboxes import LEASE, TurnedClock, attempt, claim_one, message

if TYPE_CHECKING:
    pass


@pytest.fixture
def wanted(clock: TurnedClock) -> datetime:
    return clock() + timedelta(days=30)


def later(send_at: datetime) -> OutboxMessage:
    return replace(message(), send_at=send_at)


def test_it_is_due_then_and_not_before(
    outbox: Outbox, clock: TurnedClock, wanted: datetime
) -> None:
    (entry,) = outbox.add([later(wanted)])
    assert (entry.state, entry.send_at, entry.next_attempt_at) == (
        EntryState.READY, wanted, wanted,
    )  # fmt: skip
    assert entry.expires_at == wanted + LIFETIME
    assert outbox.get(entry.id) == entry
    assert outbox.next_due() == wanted
    assert outbox.claim("ann's desk", 9, LEASE) == ()
    clock.now = wanted - timedelta(milliseconds=1)
    assert outbox.claim("ann's desk", 9, LEASE) == ()
    clock.now = wanted
    assert outbox.next_due() == wanted
    claim = claim_one(outbox)
    assert (claim.entry.id, claim.entry.send_at) == (entry.id, None)
    assert outbox.next_due() != wanted


def test_it_keeps_nobody_waiting(outbox: Outbox, clock: TurnedClock, wanted: datetime) -> None:
    outbox.add([later(wanted)] * 5)
    (now,) = outbox.add([message("bo@example.org")])
    assert outbox.next_due() == clock()
    assert claim_one(outbox).entry.id == now.id


@pytest.mark.parametrize("ago", [timedelta(), timedelta(days=1), timedelta(days=3650)])
def test_a_moment_that_has_come_is_now(outbox: Outbox, clock: TurnedClock, ago: timedelta) -> None:
    (entry,) = outbox.add([later(clock() - ago)])
    assert (entry.send_at, entry.next_attempt_at) == (None, clock())
    assert claim_one(outbox).entry.id == entry.id


def test_a_moment_of_another_zone_is_the_same_moment(
    outbox: Outbox, clock: TurnedClock, wanted: datetime
) -> None:
    (entry,) = outbox.add([later(wanted.astimezone(timezone(timedelta(hours=-11, minutes=-30))))])
    assert entry.send_at == wanted
    assert outbox.get(entry.id).send_at == wanted
    assert outbox.get(entry.id).next_attempt_at.tzinfo is UTC


def test_what_makes_waiting_mail_due_leaves_it_alone(
    outbox: Outbox, control: Control, wanted: datetime
) -> None:
    """Saved settings, or Try again, are no reason to send a reminder today."""
    (entry,) = outbox.add([later(wanted)])
    assert outbox.make_due() == 0
    assert control.causes() == {}
    assert outbox.get(entry.id).send_at == wanted


def test_a_person_may_send_it_now(outbox: Outbox, clock: TurnedClock, wanted: datetime) -> None:
    (entry,) = outbox.add([later(wanted)])
    assert outbox.retry(entry.id).next_attempt_at == clock()
    assert claim_one(outbox).entry.id == entry.id


def test_a_person_may_drop_it(outbox: Outbox, clock: TurnedClock, wanted: datetime) -> None:
    (entry,) = outbox.add([later(wanted)])
    assert outbox.drop(entry.id).state is EntryState.DROPPED
    clock.now = wanted
    assert outbox.claim("ann's desk", 9, LEASE) == ()
    assert outbox.next_due() is None


@pytest.fixture
def _due(outbox: Outbox, clock: TurnedClock, wanted: datetime) -> None:
    outbox.add([later(wanted)])
    clock.now = wanted


@pytest.mark.usefixtures("_due")
def test_once_tried_it_waits_as_any_other(outbox: Outbox, clock: TurnedClock) -> None:
    claim = claim_one(outbox)
    soon = clock() + timedelta(minutes=1)
    change_one(outbox, Postpone(claim, soon, (attempt(clock, "connect.refused"),)))
    entry = outbox.get(claim.entry.id)
    assert (entry.state, entry.next_attempt_at, entry.send_at) == (EntryState.READY, soon, None)
    assert outbox.make_due() == 1


def test_it_is_not_sent_while_sending_is_paused(
    outbox: Outbox, control: Control, clock: TurnedClock, wanted: datetime
) -> None:
    outbox.add([later(wanted)])
    control.pause()
    clock.now = wanted
    assert outbox.claim("ann's desk", 9, LEASE) == ()
    control.resume()
    assert len(outbox.claim("ann's desk", 9, LEASE)) == 1


def test_a_clock_that_is_set_back_does_not_send_it_early(
    outbox: Outbox, clock: TurnedClock, wanted: datetime
) -> None:
    outbox.add([later(wanted)])
    clock.now -= timedelta(days=400)
    assert outbox.claim("ann's desk", 9, LEASE) == ()
    clock.now = wanted + timedelta(days=400)
    assert len(outbox.claim("ann's desk", 9, LEASE)) == 1
