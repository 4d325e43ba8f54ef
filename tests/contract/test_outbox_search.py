"""How every outbox, whatever its engine, searches: slice by slice, and nothing is left out."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise, product
from typing import TYPE_CHECKING

import pytest

from smtp_desk.sender.outbox.entries import EntryState
from smtp_desk.sender.outbox.outbox import Outbox, OutboxLimits, Query
from tests.sender.outboxes import TurnedClock, accept, claim_one, message

if TYPE_CHECKING:
    from collections.abc import Callable

    from smtp_desk.sender.outbox.control import Control
    from smtp_desk.sender.outbox.outbox import EntryPage

FINAL = frozenset({EntryState.DROPPED, EntryState.ACCEPTED})


@pytest.fixture
def outbox(make_outbox: Callable[[OutboxLimits], Outbox], clock: TurnedClock) -> Outbox:
    """Twenty entries in three states; a slice has three."""
    made = make_outbox(OutboxLimits(searched=3))
    for number in range(20):
        clock.turn(seconds=1)
        name = "ann" if number % 7 == 0 else f"person.{number}"
        made.add([message(f"{name}@example.org", subject=f"Number {number}")])
        if number in {0, 5, 6, 7, 13}:
            accept(made, claim_one(made), clock)
        if number in {1, 2, 8, 14}:
            made.drop(made.page(limit=1).entries[0].id)
    return made


def pages(outbox: Outbox, query: Query, limit: int) -> list[EntryPage]:
    read = [outbox.page(query, limit=limit)]
    while read[-1].next:
        if len(read) < 3:
            outbox.add([message("late@example.org")])  # it never moves what is being searched
        read.append(outbox.page(query, before=read[-1].next, limit=limit))
    return read


@pytest.mark.parametrize(
    "states",
    [frozenset[EntryState](), frozenset({EntryState.DROPPED}), FINAL, frozenset(EntryState)],
    ids=len,
)
def test_a_search_finds_what_matches_newest_first(
    outbox: Outbox, states: frozenset[EntryState]
) -> None:
    for text, limit in product(("ann@", "person.1", "NUMBER", "nobody"), (1, 2, 200)):
        query = Query(text=text, states=states)
        expected = [each for each in outbox.page(limit=1000).entries if query.matches(each)]
        read = pages(outbox, query, limit)
        assert [entry for page in read for entry in page.entries] == expected
        assert outbox.counts(query).total == len(expected)
        assert all(len(page.entries) <= limit for page in read)
        ends = [page.next for page in read if page.next]
        assert all(newer > older for newer, older in pairwise(ends))


def test_a_page_of_a_search_looks_through_one_slice_only(outbox: Outbox) -> None:
    everything = outbox.page().entries
    page = outbox.page(Query(text="number 0"))
    assert (page.entries, page.next) == ((), everything[2].id)
    page = outbox.page(Query(text="number 0"), before=everything[-2].id)
    assert (page.entries, page.next) == ((everything[-1],), None)
    rare = outbox.page(Query(text="number 5", states=frozenset({EntryState.ACCEPTED})))
    assert [entry.subject for entry in rare.entries] == ["Number 5"] or rare.next


@pytest.mark.parametrize(
    "spelled", ["ann@example.org", "ANN@EXAMPLE.ORG", " Ann@Example.org ", '"ann"@example.org']
)
def test_the_emails_to_a_mailbox_are_found_however_it_is_spelled(
    outbox: Outbox, control: Control, spelled: str
) -> None:
    outbox.add([message("joann@example.org", "Ann@example.org", '"ann"@example.org')])
    sought = Query(recipient=spelled)
    found = outbox.page(sought).entries
    assert [entry.recipient for entry in found] == [
        '"ann"@example.org', "Ann@example.org", *["ann@example.org"] * 3,
    ]  # fmt: skip
    assert {entry.id for entry in found} == set(control.entries_to(spelled))
    assert outbox.counts(sought).total == 5
    assert outbox.page(sought, before=found[1].id, limit=1).entries == (found[2],)
    waiting = replace(sought, states=frozenset({EntryState.READY}))
    assert set(outbox.page(waiting).entries) == set(filter(waiting.matches, found))


def test_umlauts_of_a_mailbox_are_found_in_both_spellings(outbox: Outbox) -> None:
    outbox.add([message("jörg@münchen.example"), message("Jörg@xn--mnchen-3ya.example")])
    for spelled in ("JÖRG@MÜNCHEN.example", "jörg@xn--mnchen-3ya.example"):
        assert outbox.counts(Query(recipient=spelled)).total == 2
    assert outbox.counts(Query(recipient="jorg@münchen.example")).total == 0


def test_some_entries_are_read_again_wherever_they_are(outbox: Outbox) -> None:
    everything = outbox.page().entries
    ids = frozenset({everything[0].id, everything[-1].id, "gone"})
    query = Query(ids=ids, text="number")
    assert outbox.page(query).entries == (everything[0], everything[-1])
    assert outbox.page(query).next is None
    assert not outbox.page(replace(query, states=frozenset({EntryState.HELD}))).entries
    assert not outbox.page(Query(ids=frozenset())).entries
    assert outbox.counts(query).total == 2
