"""An email with a key is stored once, whatever the engine."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from smtp_desk.sender.outbox.control import Control
from smtp_desk.sender.outbox.entries import EntryState, OutboxMessage, SendingKey
from smtp_desk.sender.outbox.outbox import (
    KeyKnownError,
    KnownKey,
    Outbox,
    OutboxFullError,
    OutboxLimits,
    Query,
)
from tests.sender.outboxes import LEASE, TurnedClock, accept, claim_one, message

if TYPE_CHECKING:
    from collections.abc import Callable

KEY = SendingKey("order-1", "what it says")


def keyed(*recipients: str, key: SendingKey = KEY, number: int = 1) -> OutboxMessage:
    return replace(message(*recipients), key=key, message_id=f"<{number}@example.org>")


def test_a_second_message_with_the_key_is_not_stored(outbox: Outbox) -> None:
    stored = outbox.add([keyed("ann@example.org", "bo@example.org")])
    for store in (
        lambda: outbox.add([keyed(number=2)]),
        lambda: outbox.add_claimed([keyed(number=3)], "ann's desk", LEASE),
        lambda: outbox.add([message(), keyed(key=replace(KEY, content="other"))]),
    ):
        with pytest.raises(KeyKnownError) as caught:
            store()
        assert caught.value.known[KEY.name] == KnownKey("<1@example.org>", KEY.content, stored)
    assert outbox.counts().total == 2


def test_other_keys_and_none_are_no_matter_of_it(outbox: Outbox) -> None:
    outbox.add([keyed(), keyed(key=replace(KEY, name="order-2")), message(), message()])
    assert outbox.counts().total == 4


def test_all_keys_that_are_known_are_told(outbox: Outbox) -> None:
    first = outbox.add([keyed("ann@example.org", "bo@example.org")])
    second = outbox.add([keyed(key=replace(KEY, name="order-2"), number=2)])
    third = replace(KEY, name="order-3")
    with pytest.raises(KeyKnownError) as caught:
        outbox.add(
            [
                keyed(key=third, number=3),
                message(),
                keyed(key=replace(KEY, name="order-2"), number=4),
                keyed(number=5),
            ]
        )
    assert caught.value.known == {
        "order-1": KnownKey("<1@example.org>", KEY.content, first),
        "order-2": KnownKey("<2@example.org>", KEY.content, second),
    }
    assert outbox.counts().total == 3
    assert outbox.add([keyed(key=third, number=6)])


def test_a_message_is_found_by_its_key(outbox: Outbox, clock: TurnedClock) -> None:
    outbox.add([message(), keyed("ann@example.org", "bo@example.org"), message()])
    outbox.add([keyed(key=replace(KEY, name="order-2"), number=2)])
    sought = Query(key="order-1")
    assert [each.recipient[:2] for each in outbox.page(sought).entries] == ["bo", "an"]
    assert outbox.counts(sought).total == 2
    assert [each.recipient[:2] for each in outbox.page(sought, limit=1).entries] == ["bo"]
    assert outbox.page(replace(sought, states=frozenset({EntryState.HELD}))).entries == ()
    assert outbox.page(Query(key="order-3")).entries == ()
    clock.turn(days=8)
    outbox.prune()
    assert outbox.page(sought).entries == ()


def test_two_messages_with_one_key_are_not_stored_together(outbox: Outbox) -> None:
    with pytest.raises(ValueError, match="same key"):
        outbox.add([keyed(), message(), keyed(number=2)])
    assert outbox.counts().total == 0
    assert outbox.add([keyed()])


def test_what_is_due_later_is_not_claimed_at_once(outbox: Outbox, clock: TurnedClock) -> None:
    wanted = clock() + timedelta(hours=1)
    later, now = outbox.add_claimed(
        [replace(message(), send_at=wanted), message()], "ann's desk", LEASE
    )
    assert (later.entry.state, later.entry.lease) == (EntryState.READY, None)
    assert now.entry.state is EntryState.SENDING
    assert outbox.get(later.entry.id).send_at == wanted
    clock.now = wanted
    assert later.entry.id in {each.entry.id for each in outbox.claim("bo's desk", 9, LEASE)}


def test_what_comes_of_the_first_is_told(outbox: Outbox, clock: TurnedClock) -> None:
    (claim,) = outbox.add_claimed([keyed()], "ann's desk", LEASE)
    assert claim.keyed
    accept(outbox, claim, clock)
    with pytest.raises(KeyKnownError) as caught:
        outbox.add([keyed(number=2)])
    assert [entry.state for entry in caught.value.known[KEY.name].entries] == [EntryState.ACCEPTED]


def test_a_key_is_not_taken_by_what_was_not_stored(
    make_outbox: Callable[[OutboxLimits], Outbox],
) -> None:
    outbox = make_outbox(OutboxLimits(total_octets=512 * 1024))
    with pytest.raises(OutboxFullError):
        outbox.add([replace(keyed(), payload=bytes(600 * 1024))])
    assert len(outbox.add([keyed(number=2)])) == 1


def test_a_key_is_known_for_its_time(outbox: Outbox, clock: TurnedClock) -> None:
    outbox.add([keyed()])
    clock.turn(days=7)
    outbox.prune()
    with pytest.raises(KeyKnownError):
        outbox.add([keyed(number=2)])
    clock.turn(seconds=1)
    outbox.prune()
    (entry,) = outbox.add([keyed(number=3)])
    assert entry.message_id == "<3@example.org>"


def test_a_key_outlives_its_entries(
    make_outbox: Callable[[OutboxLimits], Outbox], clock: TurnedClock
) -> None:
    """The place of a message that was erased may be another's by now."""
    outbox = make_outbox(OutboxLimits(kept_for=timedelta(hours=1)))
    outbox.add([keyed()])
    accept(outbox, claim_one(outbox), clock)
    clock.turn(hours=2)
    assert outbox.prune() == 1
    outbox.add([replace(message("eve@example.org"), message_id="<9@example.org>")])
    with pytest.raises(KeyKnownError) as caught:
        outbox.add([keyed(number=2)])
    assert (caught.value.known[KEY.name].entries, caught.value.known[KEY.name].message_id) == (
        (),
        "<1@example.org>",
    )


def test_what_is_erased_is_not_sent_anew(outbox: Outbox, control: Control) -> None:
    (entry,) = outbox.add([keyed()])
    control.erase([entry.id])
    with pytest.raises(KeyKnownError) as caught:
        outbox.add([keyed(number=2)])
    assert caught.value.known[KEY.name].entries == ()


def test_one_of_many_threads_stores_it(outbox: Outbox) -> None:
    stored: list[str] = []
    known: list[str] = []
    start = threading.Barrier(6)

    def store(number: int) -> None:
        start.wait()
        try:
            stored.extend(each.message_id for each in outbox.add([keyed(number=number)]))
        except KeyKnownError as error:
            known.append(error.known[KEY.name].message_id)

    threads = [threading.Thread(target=store, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(stored) == 1
    assert known == stored * 5


def test_a_message_is_found_by_its_message_id(outbox: Outbox) -> None:
    outbox.add([keyed("ann@example.org", "bo@example.org", number=7), message()])
    sought = Query(message_id="<7@example.org>")
    assert [each.recipient[:2] for each in outbox.page(sought).entries] == ["bo", "an"]
    assert outbox.counts(sought).total == 2
    assert not outbox.page(Query(message_id="<8@example.org>")).entries
    assert not outbox.page(Query(message_id="<7@example.org>", route="custom")).entries
