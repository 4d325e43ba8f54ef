"""What every engine keeps of pausing, erasing and telling what goes on."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from smtp_desk.sender.outbox.control import Control, Erased
from smtp_desk.sender.outbox.entries import (
    DOT_LEASE,
    Accept,
    Claim,
    Doubt,
    EntryState,
    MarkInDoubt,
    Postpone,
    Refuse,
    Renew,
)
from smtp_desk.sender.outbox.outbox import EntryNotFoundError, Outbox, Query
from tests.sender.outboxes import LEASE, TurnedClock, accept, attempt, claim_one, message

if TYPE_CHECKING:
    from smtp_desk.sender.routes.health import Health


def add(outbox: Outbox, *recipients: str) -> tuple[str, ...]:
    return tuple(entry.id for entry in outbox.add([message(*recipients)]))


def refuse(outbox: Outbox, clock: TurnedClock, code: str) -> str:
    """Store an email and have it refused; any other that is due has to be claimed before."""
    (entry_id,) = add(outbox)
    claim = claim_one(outbox)
    assert claim.entry.id == entry_id
    outbox.apply([Refuse(claim, (attempt(clock, code),))])
    return entry_id


def hand_over(outbox: Outbox) -> Claim:
    """Leave an email with its final dot unanswered."""
    claim = claim_one(outbox)
    assert not outbox.apply([MarkInDoubt(claim, "custom")])
    return claim


def test_a_pause_is_kept_from_its_beginning_until_somebody_ends_it(
    control: Control, clock: TurnedClock
) -> None:
    assert control.paused_since() is None
    begun = clock()
    control.pause()
    clock.turn(minutes=5)
    control.pause()
    assert control.paused_since() == begun
    control.resume()
    assert control.paused_since() is None
    control.resume()
    control.pause()
    assert control.paused_since() == clock()


def test_nothing_is_claimed_during_a_pause(
    outbox: Outbox, control: Control, clock: TurnedClock
) -> None:
    add(outbox)
    control.pause()
    assert outbox.claim("worker", 10, LEASE) == ()
    assert outbox.next_due() is None
    clock.turn(days=3)
    assert outbox.claim("worker", 10, LEASE) == ()
    control.resume()
    assert outbox.next_due() == clock()
    assert len(outbox.claim("worker", 10, LEASE)) == 1


def test_what_is_sent_during_a_pause_is_stored_and_waits(outbox: Outbox, control: Control) -> None:
    control.pause()
    claims = outbox.add_claimed([message("ann@example.org", "bo@example.org")], "desk", LEASE)
    assert [claim.entry.recipient for claim in claims] == ["ann@example.org", "bo@example.org"]
    assert all(claim.awaited and claim.entry.lease is None for claim in claims)
    assert {outbox.get(claim.entry.id).state for claim in claims} == {EntryState.READY}
    # Nor can anybody go on with such a claim.
    assert outbox.apply([Renew(claims[0], LEASE)]) == {claims[0].entry.id}
    control.resume()
    assert len(outbox.claim("worker", 10, LEASE)) == 2


def test_the_dot_of_what_was_under_way_is_not_sent_during_a_pause(
    outbox: Outbox, control: Control, clock: TurnedClock
) -> None:
    add(outbox, "ann@example.org", "bo@example.org")
    claims = outbox.claim("worker", 10, LEASE)
    control.pause()
    ids = {claim.entry.id for claim in claims}
    assert outbox.apply(MarkInDoubt(claim, "custom") for claim in claims) == ids
    for entry_id in ids:
        entry = outbox.get(entry_id)
        assert (entry.state, entry.lease, entry.tries) == (EntryState.READY, None, 0)
        assert entry.next_attempt_at == clock()
        assert not entry.doubts
    control.resume()
    assert {claim.entry.id for claim in outbox.claim("worker", 10, LEASE)} == ids


def test_a_claim_that_was_lost_before_is_not_given_back_by_a_pause(
    outbox: Outbox, control: Control, clock: TurnedClock
) -> None:
    add(outbox)
    former = claim_one(outbox)
    clock.turn(minutes=3)
    newer = claim_one(outbox)
    control.pause()
    assert outbox.apply([MarkInDoubt(former, "custom")]) == {newer.entry.id}
    assert outbox.get(newer.entry.id).lease == newer.entry.lease


def test_what_is_in_doubt_is_seen_to_its_end_during_a_pause(
    outbox: Outbox, control: Control, clock: TurnedClock
) -> None:
    add(outbox, "ann@example.org", "bo@example.org", "cy@example.org")
    answered, refused, left = (hand_over(outbox) for _ in range(3))
    control.pause()
    assert not outbox.apply([Accept(answered, (attempt(clock),))])
    assert not outbox.apply([Refuse(refused, (attempt(clock, "message.spam"),))])
    assert outbox.get(answered.entry.id).state is EntryState.ACCEPTED
    assert outbox.get(refused.entry.id).state is EntryState.REFUSED
    assert outbox.next_due() == clock() + DOT_LEASE
    clock.turn(minutes=11)
    # Its sender is gone: that it is uncertain is written down all the same, and no more.
    (claim,) = outbox.claim_in_doubt("worker", 10, LEASE)
    assert claim.entry.id == left.entry.id
    assert not outbox.apply([Doubt(claim, resend=True)])
    clock.turn(hours=1)
    assert outbox.claim("worker", 10, LEASE) == ()
    control.resume()
    assert [each.entry.doubts for each in outbox.claim("worker", 10, LEASE)] == [1]


def test_a_person_may_retry_and_drop_during_a_pause(outbox: Outbox, control: Control) -> None:
    one, other = add(outbox, "ann@example.org", "bo@example.org")
    control.pause()
    assert outbox.drop(one).state is EntryState.DROPPED
    assert outbox.retry(one).state is EntryState.READY
    assert outbox.retry(other).state is EntryState.READY
    assert outbox.claim("worker", 10, LEASE) == ()


@pytest.mark.parametrize(
    ("stored", "asked"),
    [
        ("ann@example.org", "Ann@EXAMPLE.org"),
        ("Ann.Lee@example.org", " ann.lee@example.org "),
        ("ann@münchen.example", "ann@xn--mnchen-3ya.example"),
        ("ann@xn--mnchen-3ya.example", "ANN@MÜNCHEN.example"),
        ("ann@mu\u0308nchen.example", "ann@münchen.example"),
        ("ann@münchen\uff0eexample", "ann@münchen.example"),
        ("jörg@example.org", "JO\u0308RG@example.org"),
        ('"ann"@example.org', "ann@example.org"),
        ('"ann lee"@example.org', '"Ann Lee"@example.org'),
        ("root", "ROOT"),
        ("not an address", "Not an address"),
    ],
)
def test_entries_are_found_however_the_address_is_spelled(
    outbox: Outbox, control: Control, stored: str, asked: str
) -> None:
    sought, _other = add(outbox, stored, "bo@example.org")
    assert control.entries_to(asked) == (sought,)


@pytest.mark.parametrize(
    "asked",
    ["", "ann", "@example.org", "ann@example.or", "nn@example.org", "ann+x@example.org", "%"],
)
def test_no_other_address_is_meant(outbox: Outbox, control: Control, asked: str) -> None:
    add(outbox, "ann@example.org")
    assert control.entries_to(asked) == ()


def test_what_is_erased_is_gone_with_its_message(
    outbox: Outbox, control: Control, clock: TurnedClock
) -> None:
    (accepted,) = add(outbox, "ann@example.org")
    accept(outbox, claim_one(outbox), clock)
    (waiting,) = add(outbox, "ann@example.org")
    (other,) = add(outbox, "bo@example.org")
    erased = control.erase((accepted, waiting, "no-such-entry"))
    assert erased == Erased({EntryState.ACCEPTED: 1, EntryState.READY: 1}, 0, 0)
    assert erased.total == 2
    for entry_id in (accepted, waiting):
        with pytest.raises(EntryNotFoundError):
            outbox.get(entry_id)
        with pytest.raises(EntryNotFoundError):
            outbox.message(entry_id)
    assert [entry.id for entry in outbox.page().entries] == [other]
    assert control.erase((accepted,)) == Erased()


def test_every_state_that_no_sender_holds_is_erased(
    outbox: Outbox, control: Control, clock: TurnedClock
) -> None:
    refused = refuse(outbox, clock, "recipient.unknown")
    add(outbox)
    held = hand_over(outbox)
    outbox.apply([Doubt(held, resend=False)])
    (dropped,) = add(outbox)
    outbox.drop(dropped)
    (ready,) = add(outbox)
    assert control.erase((refused, held.entry.id, dropped, ready)).by_state == {
        EntryState.REFUSED: 1,
        EntryState.HELD: 1,
        EntryState.DROPPED: 1,
        EntryState.READY: 1,
    }
    assert outbox.counts().total == 0


def test_what_is_being_sent_is_neither_erased_nor_lost(
    outbox: Outbox, control: Control, clock: TurnedClock
) -> None:
    add(outbox, "ann@example.org", "ann@example.org")
    in_doubt, sending = hand_over(outbox), claim_one(outbox)
    ids = (in_doubt.entry.id, sending.entry.id)
    assert control.erase(ids) == Erased({}, 2, 0)
    assert not outbox.apply([Accept(in_doubt, (attempt(clock),))])
    assert not outbox.apply([MarkInDoubt(sending, "custom")])
    assert control.erase(ids) == Erased({EntryState.ACCEPTED: 1}, 1, 1)
    clock.turn(minutes=11)  # its sender is gone
    assert control.erase(ids) == Erased({EntryState.IN_DOUBT: 1}, 0, 0)


def test_a_message_stays_with_the_others_that_it_was_stored_for(
    outbox: Outbox, control: Control
) -> None:
    ann, bo = add(outbox, "ann@example.org", "bo@example.org")
    assert control.erase((ann,)) == Erased({EntryState.READY: 1}, 0, 1)
    assert outbox.message(bo).payload == b"payload"
    assert control.erase((bo,)) == Erased({EntryState.READY: 1}, 0, 0)


def test_many_entries_are_erased(outbox: Outbox, control: Control) -> None:
    outbox.add(message("ann@example.org") for _ in range(1_200))
    (other,) = add(outbox, "bo@example.org")
    found = control.entries_to("ann@example.org")
    assert len(set(found)) == 1_200
    assert control.erase(found).total == 1_200
    assert [entry.id for entry in outbox.page().entries] == [other]


def test_the_health_of_a_route_forgets_a_recipient(health: Health) -> None:
    health.record_refusal("custom", "recipient.refused", "Ann@Example.org", "<1@example.org>")
    health.record_refusal("custom", "recipient.refused", "bo@example.org", "<2@example.org>")
    health.forget("custom", "ann@example.org")
    assert health.status("custom").unknown == (("bo@example.org", "<2@example.org>"),)
    health.forget("default", "ann@example.org")


def test_activity_is_counted_by_hour_state_and_route(
    outbox: Outbox, control: Control, clock: TurnedClock
) -> None:
    add(outbox)  # before the time that is asked for
    accept(outbox, claim_one(outbox), clock)
    clock.turn(hours=1)
    since = clock()
    add(outbox)
    accept(outbox, claim_one(outbox), clock)
    clock.turn(minutes=59, seconds=59)
    refuse(outbox, clock, "recipient.unknown")
    clock.turn(seconds=1)
    add(outbox, "bo@example.org")
    clock.turn(hours=22)
    add(outbox, "cy@example.org", "di@example.org")
    assert control.activity(since) == {
        (0, EntryState.ACCEPTED, "custom"): 1,
        (0, EntryState.REFUSED, "custom"): 1,
        (1, EntryState.READY, ""): 1,
        (23, EntryState.READY, ""): 2,
    }
    assert control.activity(clock() + timedelta(hours=1)) == {}


def test_causes_count_what_a_retry_by_cause_makes_due(
    outbox: Outbox, control: Control, clock: TurnedClock
) -> None:
    assert control.causes() == {}
    for code in ("sender.quota", "sender.quota", "recipient.unknown"):
        refuse(outbox, clock, code)
    add(outbox)
    waiting = claim_one(outbox)
    tried = (attempt(clock, "sender.quota"),)
    outbox.apply([Postpone(waiting, clock() + timedelta(hours=1), tried)])
    add(outbox)
    uncertain = hand_over(outbox)
    outbox.apply([Doubt(uncertain, resend=True, attempts=tried)])
    add(outbox)  # due already, and stopped by nothing
    assert control.causes() == {"sender.quota": 3, "recipient.unknown": 1}
    assert outbox.make_due("sender.quota") == 3
    assert control.causes() == {"recipient.unknown": 1}
    assert outbox.get(uncertain.entry.id).next_attempt_at > clock()
    assert outbox.counts(Query(states=frozenset({EntryState.READY}))).total == 5


def test_a_worker_counts_as_running_as_long_as_it_says_so(
    control: Control, clock: TurnedClock
) -> None:
    assert control.workers() == 0
    control.announce("one")
    control.announce("other")
    control.announce("one")
    assert control.workers() == 2
    control.leave("other")
    control.leave("nobody")
    assert control.workers() == 1
    clock.turn(seconds=29)
    control.announce("one")
    clock.turn(seconds=29)
    assert control.workers() == 1
    clock.turn(seconds=2)
    assert control.workers() == 0


def test_a_clock_that_was_wrong_makes_no_worker_run(control: Control, clock: TurnedClock) -> None:
    clock.turn(days=2)
    control.announce("one")
    clock.turn(days=-2)
    assert control.workers() == 0
