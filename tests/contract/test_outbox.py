"""What every outbox keeps, whatever its engine: the sender's side."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

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
    Resume,
)
from smtp_desk.sender.outbox.lifecycle import (
    FEWEST_TRIES,
    LIFETIME,
    LONGEST_DELAY,
    LONGEST_LEASE,
    RESEND_AFTER,
)
from smtp_desk.sender.outbox.outbox import (
    LeaseLostError,
    MessageTooLargeError,
    Outbox,
    OutboxFullError,
    OutboxLimits,
    change_one,
)
from tests.sender.outboxes import LEASE, TurnedClock, accept, attempt, claim_one, message

if TYPE_CHECKING:
    from collections.abc import Callable

KIB = 1024


def state(outbox: Outbox, claim: Claim) -> EntryState:
    return outbox.get(claim.entry.id).state


def test_one_entry_for_each_recipient_and_one_message_for_all(outbox: Outbox) -> None:
    entries = outbox.add([message("ann@example.org", "bo@example.org"), message("cy@example.org")])
    assert [entry.recipient.partition("@")[0] for entry in entries] == ["ann", "bo", "cy"]
    assert {entry.state for entry in entries} == {EntryState.READY}
    assert sorted(entry.id for entry in entries) == [entry.id for entry in entries]
    assert entries[0].message_key == entries[1].message_key != entries[2].message_key
    stored = outbox.message(entries[1].id)
    assert stored == replace(message("ann@example.org"), recipients=("bo@example.org",))
    assert [outbox.get(entry.id) for entry in entries] == list(entries)


def test_a_message_without_recipients_is_refused_and_none_is_stored(outbox: Outbox) -> None:
    with pytest.raises(ValueError, match="no recipient"):
        outbox.add([message(), replace(message(), recipients=())])
    assert outbox.counts().total == 0


def test_a_message_too_large_is_refused_and_none_is_stored(
    make_outbox: Callable[[OutboxLimits], Outbox],
) -> None:
    outbox = make_outbox(OutboxLimits(message_octets=KIB))
    with pytest.raises(MessageTooLargeError) as caught:
        outbox.add([message(), message(payload=bytes(KIB))])
    assert caught.value.limit == KIB < caught.value.size
    assert outbox.counts().total == 0


def test_a_full_outbox_takes_no_more_until_something_was_sent(
    make_outbox: Callable[[OutboxLimits], Outbox], clock: TurnedClock
) -> None:
    outbox = make_outbox(OutboxLimits(total_octets=1024 * KIB))
    large = message(payload=bytes(400 * KIB))
    first, _ = outbox.add([large, large])
    with pytest.raises(OutboxFullError):
        outbox.add([large])
    with pytest.raises(OutboxFullError):
        outbox.add_claimed([large], "ann's desk", LEASE)
    assert outbox.counts().total == 2
    accept(outbox, claim_one(outbox), clock)
    outbox.add([large])
    assert [entry.state for entry in outbox.page().entries] == [EntryState.READY, EntryState.READY]
    assert first.id not in {entry.id for entry in outbox.page().entries}


def test_an_entry_goes_to_one_claim(outbox: Outbox) -> None:
    outbox.add([message("ann@example.org", "bo@example.org", "cy@example.org")])
    first = outbox.claim("ann's desk", 2, LEASE)
    second = outbox.claim("bo's desk", 2, LEASE)
    assert [claim.entry.recipient[:2] for claim in (*first, *second)] == ["an", "bo", "cy"]
    assert outbox.claim("cy's desk", 2, LEASE) == ()
    assert first[0].entry.lease is not None
    assert first[0].entry.lease.owner == "ann's desk"


def test_adding_and_claiming_is_one_step(outbox: Outbox) -> None:
    (claim,) = outbox.add_claimed([message()], "ann's desk", LEASE)
    assert claim.entry.state is EntryState.SENDING
    assert outbox.claim("bo's desk", 1, LEASE) == ()
    assert outbox.get(claim.entry.id) == claim.entry


def test_the_way_of_an_accepted_entry(outbox: Outbox, clock: TurnedClock) -> None:
    outbox.add([message()])
    claim = claim_one(outbox)
    assert state(outbox, claim) is EntryState.SENDING
    change_one(outbox, MarkInDoubt(claim, "custom"))
    assert state(outbox, claim) is EntryState.IN_DOUBT
    change_one(outbox, Accept(claim, (attempt(clock),)))
    entry = outbox.get(claim.entry.id)
    assert (entry.state, entry.route, entry.code, entry.lease) == (
        EntryState.ACCEPTED, "custom", "", None,
    )  # fmt: skip
    assert entry.attempts == (attempt(clock),)
    assert outbox.next_due() is None
    clock.turn(days=2)
    assert outbox.claim("bo's desk", 9, LEASE) == outbox.claim_in_doubt("bo's desk", 9, LEASE) == ()


def test_a_route_without_a_dot_accepts_at_once(outbox: Outbox, clock: TurnedClock) -> None:
    (claim,) = outbox.add_claimed([message()], "ann's desk", LEASE)
    change_one(outbox, Accept(claim, (attempt(clock),)))
    assert state(outbox, claim) is EntryState.ACCEPTED


def test_a_lease_that_is_over_goes_to_another_and_the_first_aborts_before_the_dot(
    outbox: Outbox, clock: TurnedClock
) -> None:
    outbox.add([message()])
    first = claim_one(outbox)
    clock.turn(seconds=LEASE.total_seconds())
    second = claim_one(outbox, "bo's desk")
    with pytest.raises(LeaseLostError):
        change_one(outbox, MarkInDoubt(first, "custom"))
    accept(outbox, second, clock)
    for change in (
        Postpone(first, clock()),
        Refuse(first, (attempt(clock, "message.refused"),)),
        Doubt(first, resend=True),
        Accept(first, (attempt(clock),)),
    ):
        assert outbox.apply([change]) == {first.entry.id}
    assert state(outbox, second) is EntryState.ACCEPTED


def test_changes_are_made_in_order_and_only_the_lost_ones_are_left_out(
    outbox: Outbox, clock: TurnedClock
) -> None:
    outbox.add([message("ann@example.org", "bo@example.org")])
    ann, bo = outbox.claim("ann's desk", 2, LEASE)
    stranger = Claim(bo.entry, "0" * 16)
    unknown = Claim(replace(bo.entry, id="0" * 26), bo.token)
    lost = outbox.apply(
        [
            MarkInDoubt(ann, "custom"),
            MarkInDoubt(stranger, "custom"),
            Accept(ann, (attempt(clock),)),
            Accept(unknown, (attempt(clock),)),
        ]
    )
    assert lost == {bo.entry.id, "0" * 26}
    assert (state(outbox, ann), state(outbox, bo)) == (EntryState.ACCEPTED, EntryState.SENDING)
    assert outbox.apply([]) == frozenset()


def test_a_renewed_lease_stays(outbox: Outbox, clock: TurnedClock) -> None:
    outbox.add([message()])
    claim = claim_one(outbox)
    clock.turn(seconds=100)
    change_one(outbox, Renew(claim, LEASE))
    clock.turn(seconds=100)
    assert outbox.claim("bo's desk", 1, LEASE) == ()
    assert outbox.next_due() == clock() + timedelta(seconds=20)


def test_the_dot_prolongs_the_lease_for_the_answer(outbox: Outbox, clock: TurnedClock) -> None:
    outbox.add([message()])
    claim = claim_one(outbox)
    change_one(outbox, MarkInDoubt(claim, "custom"))
    clock.turn(minutes=10)
    assert outbox.claim_in_doubt("bo's desk", 1, LEASE) == ()
    change_one(outbox, Accept(claim, (attempt(clock),)))


def test_a_refused_dot_leads_on_to_the_next_route(outbox: Outbox, clock: TurnedClock) -> None:
    outbox.add([message()])
    claim = claim_one(outbox)
    change_one(outbox, MarkInDoubt(claim, "custom"))
    change_one(outbox, Resume(claim, (attempt(clock, "message.unauthenticated"),)))
    assert state(outbox, claim) is EntryState.SENDING
    change_one(outbox, MarkInDoubt(claim, "default"))
    change_one(outbox, Accept(claim, (attempt(clock, route="default"),)))
    entry = outbox.get(claim.entry.id)
    assert [(each.route, each.code) for each in entry.attempts] == [
        ("custom", "message.unauthenticated"),
        ("default", ""),
    ]
    assert (entry.route, entry.doubts) == ("default", 0)


def test_postponed_entries_come_back_in_their_time(outbox: Outbox, clock: TurnedClock) -> None:
    outbox.add([message("ann@example.org", "bo@example.org")])
    ann, bo = outbox.claim("ann's desk", 2, LEASE)
    why = (attempt(clock, "connect.refused"),)
    change_one(outbox, Postpone(ann, clock() + timedelta(minutes=2), why))
    change_one(outbox, Postpone(bo, clock() + timedelta(minutes=1), why))
    assert outbox.claim("ann's desk", 2, LEASE) == ()
    assert outbox.next_due() == clock() + timedelta(minutes=1)
    clock.turn(minutes=2)
    assert outbox.next_due() == clock()
    again = outbox.claim("ann's desk", 2, LEASE)
    assert [claim.entry.recipient[:2] for claim in again] == ["bo", "an"]
    assert {claim.entry.tries for claim in again} == {1}


def test_given_back_untried_it_is_due_at_once(outbox: Outbox, clock: TurnedClock) -> None:
    outbox.add([message()])
    change_one(outbox, Postpone(claim_one(outbox), clock()))
    assert claim_one(outbox).entry.tries == 0


def test_after_four_days_a_failed_attempt_is_the_last(outbox: Outbox, clock: TurnedClock) -> None:
    outbox.add([message()])
    failed = (attempt(clock, "connect.timeout"),)
    for _ in range(FEWEST_TRIES - 2):
        change_one(outbox, Postpone(claim_one(outbox), clock(), failed))
    clock.turn(days=3, hours=23)
    claim = claim_one(outbox)
    change_one(outbox, Postpone(claim, clock() + LONGEST_DELAY, failed))
    assert outbox.next_due() == claim.entry.created_at + LIFETIME
    clock.turn(hours=1)
    claim = claim_one(outbox)
    change_one(outbox, Postpone(claim, clock()))
    claim = claim_one(outbox)
    change_one(outbox, Postpone(claim, clock() + LONGEST_DELAY, failed))
    entry = outbox.get(claim.entry.id)
    assert (entry.state, entry.code) == (EntryState.REFUSED, "connect.timeout")


def test_an_unanswered_dot_is_sent_once_more_by_the_same_route(
    outbox: Outbox, clock: TurnedClock
) -> None:
    outbox.add([message()])
    claim = claim_one(outbox)
    change_one(outbox, MarkInDoubt(claim, "custom"))
    unanswered = (attempt(clock, "message.unconfirmed"),)
    change_one(outbox, Doubt(claim, resend=True, attempts=unanswered))
    assert outbox.next_due() == clock() + RESEND_AFTER
    clock.turn(seconds=RESEND_AFTER.total_seconds())
    again = claim_one(outbox)
    assert (again.entry.only_route, again.entry.doubts) == ("custom", 1)
    accept(outbox, again, clock)
    assert outbox.get(claim.entry.id).doubts == 1


@pytest.mark.parametrize("second", ["unanswered", "refused", "too old"])
def test_what_is_in_doubt_twice_is_held(outbox: Outbox, clock: TurnedClock, second: str) -> None:
    outbox.add([message()])
    claim = claim_one(outbox)
    change_one(outbox, MarkInDoubt(claim, "custom"))
    change_one(outbox, Doubt(claim, resend=True))
    clock.turn(days=5)
    again = claim_one(outbox)
    failed = (attempt(clock, "message.refused"),)
    if second == "too old":
        change_one(outbox, Postpone(again, clock(), failed))
    else:
        change_one(outbox, MarkInDoubt(again, "custom"))
        change = Doubt(again, resend=True) if second == "unanswered" else Refuse(again, failed)
        change_one(outbox, change)
    assert state(outbox, again) is EntryState.HELD
    clock.turn(days=1)
    assert outbox.next_due() is None


def test_without_a_resend_it_is_held_at_once(outbox: Outbox) -> None:
    outbox.add([message()])
    claim = claim_one(outbox)
    change_one(outbox, MarkInDoubt(claim, "custom"))
    change_one(outbox, Doubt(claim, resend=False))
    assert state(outbox, claim) is EntryState.HELD


def test_a_sender_that_dies_after_the_dot_leaves_an_uncertain_entry(
    outbox: Outbox, clock: TurnedClock
) -> None:
    outbox.add([message()])
    claim = claim_one(outbox)
    change_one(outbox, MarkInDoubt(claim, "custom"))
    clock.turn(seconds=DOT_LEASE.total_seconds())
    assert outbox.next_due() == clock()
    assert outbox.claim("bo's desk", 1, LEASE) == ()
    (judge,) = outbox.claim_in_doubt("bo's desk", 1, LEASE)
    assert outbox.claim_in_doubt("cy's desk", 1, LEASE) == ()
    for change in (
        MarkInDoubt(judge, "custom"),
        Postpone(judge, clock()),
        Resume(judge),
        Accept(judge, (attempt(clock),)),
        Refuse(judge, (attempt(clock, "message.refused"),)),
    ):
        with pytest.raises(LeaseLostError):
            change_one(outbox, change)
    change_one(outbox, Renew(judge, LEASE))
    change_one(outbox, Doubt(judge, resend=True))
    assert outbox.get(judge.entry.id).only_route == "custom"


def test_a_late_answer_is_better_than_a_second_message(outbox: Outbox, clock: TurnedClock) -> None:
    outbox.add([message()])
    slow = claim_one(outbox)
    change_one(outbox, MarkInDoubt(slow, "custom"))
    clock.turn(minutes=12)
    (judge,) = outbox.claim_in_doubt("bo's desk", 1, LEASE)
    change_one(outbox, Doubt(judge, resend=True))
    clock.turn(minutes=15)
    again = claim_one(outbox)
    change_one(outbox, Accept(slow, (attempt(clock),)))
    with pytest.raises(LeaseLostError):
        change_one(outbox, MarkInDoubt(again, "custom"))
    assert state(outbox, slow) is EntryState.ACCEPTED


def test_the_first_doubt_stays_while_the_second_sender_can_not_connect(
    outbox: Outbox, clock: TurnedClock
) -> None:
    outbox.add([message()])
    slow = claim_one(outbox)
    change_one(outbox, MarkInDoubt(slow, "custom"))
    change_one(outbox, Doubt(slow, resend=True))
    clock.turn(minutes=15)
    failed = (attempt(clock, "connect.refused"),)
    change_one(outbox, Postpone(claim_one(outbox), clock(), failed))
    change_one(outbox, Accept(slow, (attempt(clock),)))


def test_a_lease_has_a_longest(outbox: Outbox, clock: TurnedClock) -> None:
    outbox.add([message()])
    outbox.claim("ann's desk", 1, timedelta(days=1))
    assert outbox.next_due() == clock() + LONGEST_LEASE


def test_histories_are_bounded(outbox: Outbox, clock: TurnedClock) -> None:
    outbox.add([message()])
    for _ in range(50):
        failed = replace(attempt(clock, "connect.refused"), reply="é" * 5000)
        change_one(outbox, Postpone(claim_one(outbox), clock(), (failed,)))
    entry = outbox.page().entries[0]
    assert (entry.tries, len(entry.attempts), len(entry.attempts[0].reply)) == (50, 40, 1000)
