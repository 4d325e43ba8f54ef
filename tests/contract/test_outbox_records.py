"""What every outbox keeps, whatever its engine: the person's side."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from smtp_desk.sender.outbox.entries import (
    DOT_LEASE,
    NOTICES,
    Doubt,
    EntryState,
    MarkInDoubt,
    OutboxEntry,
    Postpone,
    Refuse,
)
from smtp_desk.sender.outbox.lifecycle import LIFETIME, RESEND_AFTER
from smtp_desk.sender.outbox.outbox import (
    EntryNotFoundError,
    EntryStateError,
    LeaseLostError,
    Outbox,
    OutboxLimits,
    Query,
    change_one,
)
from tests.sender.outboxes import LEASE, TurnedClock, accept, attempt, claim_one, message

if TYPE_CHECKING:
    from collections.abc import Callable


def refuse(outbox: Outbox, clock: TurnedClock) -> OutboxEntry:
    claim = claim_one(outbox)
    change_one(outbox, Refuse(claim, (attempt(clock, "recipient.unknown"),)))
    return outbox.get(claim.entry.id)


def hold(outbox: Outbox) -> OutboxEntry:
    claim = claim_one(outbox)
    change_one(outbox, MarkInDoubt(claim, "custom"))
    change_one(outbox, Doubt(claim, resend=False))
    return outbox.get(claim.entry.id)


def recipients(outbox: Outbox, query: Query) -> list[str]:
    return [entry.recipient.partition("@")[0] for entry in outbox.page(query).entries]


def test_pages_hold_every_entry_once_newest_first(outbox: Outbox, clock: TurnedClock) -> None:
    added: list[OutboxEntry] = []
    for _ in range(7):
        clock.turn(seconds=1)
        added += outbox.add([message("ann@example.org", "bo@example.org", "cy@example.org")])
    seen: list[OutboxEntry] = []
    before, pages = None, 0
    while True:
        page = outbox.page(before=before, limit=7)
        seen += page.entries
        pages += 1
        outbox.add([message("late@example.org")])  # a page never moves under the reader
        if (before := page.next) is None:
            break
    assert (pages, seen) == (3, added[::-1])


def test_a_refusal_that_nobody_waits_for_is_untold_until_it_is_told(
    outbox: Outbox, clock: TurnedClock
) -> None:
    own = replace(message("own@example.org"), submitter=NOTICES)
    outbox.add([message("ann@example.org"), own])
    refuse(outbox, clock)
    refuse(outbox, clock)
    (awaited,) = outbox.add_claimed([message("bo@example.org")], "sender", LEASE)
    outbox.apply([Refuse(awaited, ())])
    (left,) = outbox.add_claimed([message("cy@example.org")], "sender", LEASE)
    outbox.apply([Refuse(replace(left, awaited=False), ())])
    assert recipients(outbox, Query(untold=True)) == ["cy", "ann"]
    (newest, _) = outbox.page(Query(untold=True)).entries
    outbox.mark_told([newest.id, "no such entry"])
    assert recipients(outbox, Query(untold=True)) == ["ann"]
    assert outbox.get(newest.id).state is EntryState.REFUSED


def test_what_a_query_asks_for(outbox: Outbox, clock: TurnedClock) -> None:
    outbox.add([message("Ann@example.org", subject="Grüße")])
    accept(outbox, claim_one(outbox), clock)
    outbox.add([replace(message("bo@example.org"), kind="welcome")])
    refuse(outbox, clock)
    outbox.add([replace(message("cy@example.org", subject="100 % _off"), submitter="33")])
    assert recipients(outbox, Query()) == ["cy", "bo", "Ann"]
    assert recipients(outbox, Query(states=frozenset({EntryState.ACCEPTED, EntryState.READY}))) == [
        "cy", "Ann",
    ]  # fmt: skip
    assert recipients(outbox, Query(route="custom")) == ["bo", "Ann"]
    assert recipients(outbox, Query(kind="welcome")) == ["bo"]
    assert recipients(outbox, Query(text="aNN@")) == ["Ann"]
    assert recipients(outbox, Query(text="GRÜSSE")) == ["Ann"]
    assert recipients(outbox, Query(text="Recipient.Unknown")) == ["bo"]
    assert recipients(outbox, Query(text="% _")) == ["cy"]
    assert recipients(outbox, Query(text="<1@example.org>", kind="invitation")) == ["cy", "Ann"]
    assert recipients(outbox, Query(text="nobody")) == []
    assert outbox.counts(Query(kind="welcome")).total == 1
    assert recipients(outbox, Query(submitter="33")) == ["cy"]
    assert outbox.counts(Query(submitter="3")).total == 0
    counts = outbox.counts()
    assert (
        counts.total,
        counts.of(EntryState.ACCEPTED),
        counts.of(EntryState.READY, route=""),
    ) == (3, 1, 1)
    assert counts.of(EntryState.ACCEPTED, EntryState.REFUSED, route="custom") == 2
    assert counts.of(EntryState.ACCEPTED, route="default") == 0


def test_an_unknown_entry_is_told(outbox: Outbox) -> None:
    for ask in (outbox.get, outbox.message, outbox.retry, outbox.drop):
        with pytest.raises(EntryNotFoundError):
            ask("0" * 26)


def test_retry_of_a_waiting_entry_makes_it_due_now(outbox: Outbox, clock: TurnedClock) -> None:
    outbox.add([message()])
    claim = claim_one(outbox)
    failed = (attempt(clock, "connect.refused"),)
    change_one(outbox, Postpone(claim, clock() + timedelta(hours=1), failed))
    entry = outbox.retry(claim.entry.id)
    assert (entry.next_attempt_at, entry.tries) == (clock(), 1)
    assert claim_one(outbox).entry.id == entry.id


@pytest.mark.parametrize("how", ["refused", "held", "dropped"])
def test_retry_of_a_settled_entry_gives_it_a_new_life(
    outbox: Outbox, clock: TurnedClock, how: str
) -> None:
    (entry,) = outbox.add([message()])
    if how == "refused":
        refuse(outbox, clock)
    elif how == "held":
        hold(outbox)
    else:
        outbox.drop(entry.id)
    clock.turn(days=30)
    again = outbox.retry(entry.id)
    assert (again.state, again.expires_at) == (EntryState.READY, clock() + LIFETIME)
    assert (again.doubts, again.only_route, again.tries) == (0, "", 0)
    accept(outbox, claim_one(outbox), clock)


def test_what_is_being_sent_or_was_accepted_is_not_retried(
    outbox: Outbox, clock: TurnedClock
) -> None:
    outbox.add([message()])
    claim = claim_one(outbox)
    with pytest.raises(EntryStateError, match="being sent") as caught:
        outbox.retry(claim.entry.id)
    assert caught.value.state is EntryState.SENDING
    accept(outbox, claim, clock)
    with pytest.raises(EntryStateError, match="not sent twice"):
        outbox.retry(claim.entry.id)


def test_dropping_stops_a_sender_before_its_dot(outbox: Outbox) -> None:
    outbox.add([message()])
    claim = claim_one(outbox)
    assert outbox.drop(claim.entry.id).state is EntryState.DROPPED
    with pytest.raises(LeaseLostError):
        change_one(outbox, MarkInDoubt(claim, "custom"))


def test_what_is_in_doubt_is_not_dropped_before_its_lease_is_over(
    outbox: Outbox, clock: TurnedClock
) -> None:
    outbox.add([message()])
    claim = claim_one(outbox)
    change_one(outbox, MarkInDoubt(claim, "custom"))
    with pytest.raises(EntryStateError, match="just now"):
        outbox.drop(claim.entry.id)
    clock.turn(seconds=DOT_LEASE.total_seconds())
    assert outbox.drop(claim.entry.id).state is EntryState.DROPPED


def test_what_was_accepted_is_not_dropped(outbox: Outbox, clock: TurnedClock) -> None:
    outbox.add([message()])
    claim = claim_one(outbox)
    accept(outbox, claim, clock)
    with pytest.raises(EntryStateError, match="taken back"):
        outbox.drop(claim.entry.id)


def test_make_due_moves_what_waits_but_not_what_is_in_doubt(
    outbox: Outbox, clock: TurnedClock
) -> None:
    outbox.add([message("ann@example.org", "bo@example.org", "cy@example.org")])
    ann, bo, _ = outbox.claim("ann's desk", 3, LEASE)
    failed = (attempt(clock, "connect.refused"),)
    change_one(outbox, Postpone(ann, clock() + timedelta(hours=1), failed))
    change_one(outbox, MarkInDoubt(bo, "custom"))
    change_one(outbox, Doubt(bo, resend=True))
    outbox.add([message("due@example.org")])
    assert outbox.make_due() == 1
    assert outbox.get(ann.entry.id).next_attempt_at == clock()
    assert outbox.get(bo.entry.id).next_attempt_at == clock() + RESEND_AFTER


def test_what_one_finding_stopped_is_retried_and_nothing_else(
    outbox: Outbox, clock: TurnedClock
) -> None:
    names = ("waits", "refused", "other", "in doubt", "held", "dropped", "sent")
    outbox.add([message(f"{name.replace(' ', '')}@example.org") for name in names])
    claims = dict(zip(names, outbox.claim("ann's desk", len(names), LEASE), strict=True))
    mended = (attempt(clock, "sender.quota"),)
    later = clock() + timedelta(hours=1)
    change_one(outbox, Postpone(claims["waits"], later, mended))
    change_one(outbox, Refuse(claims["refused"], mended))
    change_one(outbox, Refuse(claims["other"], (attempt(clock, "recipient.unknown"),)))
    for uncertain in ("in doubt", "held"):
        change_one(outbox, MarkInDoubt(claims[uncertain], "custom"))
        change_one(outbox, Doubt(claims[uncertain], uncertain == "in doubt", mended))
    change_one(outbox, Postpone(claims["dropped"], later, mended))
    outbox.drop(claims["dropped"].entry.id)
    clock.turn(minutes=30)
    before = {name: outbox.get(claim.entry.id) for name, claim in claims.items()}
    assert outbox.make_due("sender.quota") == 2
    after = {name: outbox.get(claim.entry.id) for name, claim in claims.items()}
    assert [name for name in names if after[name] != before[name]] == ["waits", "refused"]
    for name in ("waits", "refused"):
        assert (after[name].state, after[name].next_attempt_at) == (EntryState.READY, clock())
    assert after["refused"].expires_at == clock() + LIFETIME
    assert [outbox.make_due(cause) for cause in ("sender.quota", "no.such", "")] == [0, 0, 0]


def test_pruning_by_age_keeps_what_waits_for_a_person(
    make_outbox: Callable[[OutboxLimits], Outbox], clock: TurnedClock
) -> None:
    outbox = make_outbox(OutboxLimits(kept_for=timedelta(days=30)))
    outbox.add([message(f"{name}@example.org") for name in ("ann", "bo", "cy", "di", "ed")])
    accept(outbox, claim_one(outbox), clock)
    refuse(outbox, clock)
    hold(outbox)
    outbox.drop(claim_one(outbox).entry.id)
    clock.turn(days=30)
    assert outbox.prune() == 0
    clock.turn(seconds=1)
    outbox.add([message("new@example.org")])
    assert outbox.prune() == 3
    assert recipients(outbox, Query()) == ["new", "ed", "cy"]
    assert outbox.message(outbox.page().entries[-1].id).payload == b"payload"


def test_age_counts_from_when_an_email_was_settled(
    make_outbox: Callable[[OutboxLimits], Outbox], clock: TurnedClock
) -> None:
    """It may have waited for months for a route: people still see that it was refused."""
    outbox = make_outbox(OutboxLimits(kept_for=timedelta(days=30)))
    outbox.add([message("ann@example.org")])
    clock.turn(days=100)
    refuse(outbox, clock)
    assert outbox.prune() == 0
    clock.turn(days=30, seconds=1)
    assert outbox.prune() == 1


def test_pruning_by_number_keeps_the_newest(
    make_outbox: Callable[[OutboxLimits], Outbox], clock: TurnedClock
) -> None:
    outbox = make_outbox(OutboxLimits(kept_rows=2))
    outbox.add([message(*(f"{name}@example.org" for name in ("ann", "bo", "cy", "di", "ed")))])
    refuse(outbox, clock)
    for _ in range(4):
        accept(outbox, claim_one(outbox), clock)
    assert outbox.prune() == 2
    assert recipients(outbox, Query()) == ["ed", "di", "ann"]
    assert outbox.prune() == 0
