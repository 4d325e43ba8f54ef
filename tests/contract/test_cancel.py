"""An email that waits can be taken back, whatever the engine; the receipt says whether it was."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta

import pytest

from smtp_desk.sender import EmailError, Notification, Receipt, Sender, Status
from smtp_desk.sender.outbox.control import Control
from smtp_desk.sender.outbox.entries import Doubt, EntryState, MarkInDoubt, Refuse
from smtp_desk.sender.outbox.outbox import Outbox, change_one
from smtp_desk.sender.routes.route import CUSTOM
from tests.sender.outboxes import TurnedClock, claim_one
from tests.sender.ways import Way

NEWS = Notification(to="ann@example.org", title="Paid", body="We got it.")
BOTH = Notification(to=("ann@example.org", "bo@example.org"), title="Paid", body="We got it.")


def came_of(receipt: Receipt | None) -> list[tuple[Status, bool]]:
    assert receipt is not None
    return [(each.status, each.cancelled) for each in receipt.recipients]


TAKEN_BACK = (Status.REFUSED, True)


@pytest.mark.parametrize(
    "cancel",
    [
        lambda sender, receipt: sender.cancel(receipt.message_id),
        lambda sender, _receipt: sender.cancel(key="order-1"),
        lambda sender, receipt: sender.cancel(entry_id=receipt.recipients[0].entry_id),
    ],
    ids=["message_id", "key", "entry_id"],
)
@pytest.mark.parametrize("hours", [0, 3], ids=["now", "later"])
def test_what_waits_is_not_sent(
    sender: Sender,
    way: Way,
    clock: TurnedClock,
    cancel: Callable[[Sender, Receipt], Receipt | None],
    hours: int,
) -> None:
    wanted = clock() + timedelta(hours=hours) if hours else None
    queued = sender.queue(NEWS, key="order-1", send_at=wanted)
    taken = cancel(sender, queued)
    assert came_of(taken) == [TAKEN_BACK]
    assert taken is not None
    assert (taken.message_id, taken.cancelled, queued.cancelled) == (queued.message_id, True, False)
    assert cancel(sender, queued) == sender.status(queued.message_id) == taken
    assert sender.send(NEWS, key="order-1") == taken
    clock.turn(hours=hours)
    assert sender.drain() == 0
    assert way.sent == []


def test_one_recipient_of_two(sender: Sender, way: Way) -> None:
    queued = sender.queue(BOTH)
    only = sender.cancel(entry_id=queued.recipients[0].entry_id)
    assert came_of(only) == [TAKEN_BACK]
    sender.drain()
    assert way.given == [(queued.message_id, "bo@example.org")]
    after = sender.cancel(queued.message_id)
    assert came_of(after) == [TAKEN_BACK, (Status.ACCEPTED, False)]
    assert after is not None
    assert not after.cancelled


def test_what_was_accepted_or_refused_stays_so(sender: Sender, outbox: Outbox) -> None:
    sent = sender.send(NEWS)
    assert sender.cancel(sent.message_id) == sent
    queued = sender.queue(NEWS)
    change_one(outbox, Refuse(claim_one(outbox), ()))
    assert came_of(sender.cancel(queued.message_id)) == [(Status.REFUSED, False)]
    assert outbox.get(queued.recipients[0].entry_id).state is EntryState.REFUSED


def test_what_is_being_sent_is_stopped_before_its_dot(
    sender: Sender, outbox: Outbox, way: Way
) -> None:
    def answer(_recipient: str) -> str:
        (entry,) = outbox.page().entries
        assert came_of(sender.cancel(entry_id=entry.id)) == [TAKEN_BACK]
        return ""

    way.answer = answer
    receipt = sender.send(NEWS)
    assert came_of(sender.status(receipt.message_id)) == [TAKEN_BACK]
    assert way.given == []


def test_one_whose_dot_is_on_its_way_goes_on(sender: Sender, outbox: Outbox) -> None:
    queued = sender.queue(NEWS)
    change_one(outbox, MarkInDoubt(claim_one(outbox), CUSTOM))
    assert came_of(sender.cancel(queued.message_id)) == [(Status.UNCERTAIN, False)]
    assert outbox.get(queued.recipients[0].entry_id).state is EntryState.IN_DOUBT


@pytest.mark.parametrize("resend", [True, False], ids=["to be sent again", "held"])
def test_what_is_uncertain_stays_so_and_is_not_sent_again(
    sender: Sender, outbox: Outbox, way: Way, clock: TurnedClock, *, resend: bool
) -> None:
    queued = sender.queue(NEWS)
    claim = claim_one(outbox)
    change_one(outbox, MarkInDoubt(claim, CUSTOM))
    change_one(outbox, Doubt(claim, resend=resend))
    assert came_of(sender.cancel(queued.message_id)) == [(Status.UNCERTAIN, True)]
    clock.turn(hours=1)
    sender.drain()
    assert way.sent == []


def test_one_whose_sender_is_gone_after_its_dot(
    sender: Sender, outbox: Outbox, clock: TurnedClock
) -> None:
    queued = sender.queue(NEWS)
    change_one(outbox, MarkInDoubt(claim_one(outbox), CUSTOM))
    clock.turn(minutes=12)
    assert came_of(sender.cancel(queued.message_id)) == [(Status.UNCERTAIN, True)]


def test_what_is_not_there(sender: Sender, outbox: Outbox, control: Control) -> None:
    receipt = sender.queue(NEWS, key="order-1")
    control.erase([entry.id for entry in outbox.page().entries])
    assert sender.cancel(receipt.message_id) is None
    assert sender.cancel(key="order-1") is None
    assert sender.cancel(key="order-2") is None
    assert sender.cancel(entry_id=receipt.recipients[0].entry_id) is None
    assert sender.cancel("") is None


def test_what_names_no_email(sender: Sender) -> None:
    with pytest.raises(TypeError):
        sender.cancel()
    with pytest.raises(TypeError):
        sender.cancel("<1@example.org>", key="order-1")
    with pytest.raises(EmailError, match="key"):
        sender.cancel(key=" ")


def test_a_key_that_was_forgotten(sender: Sender, outbox: Outbox, clock: TurnedClock) -> None:
    receipt = sender.queue(NEWS, key="order-1", send_at=clock() + timedelta(days=30))
    clock.turn(days=8)
    outbox.prune()
    assert sender.cancel(key="order-1") is None
    assert came_of(sender.cancel(receipt.message_id)) == [TAKEN_BACK]


def test_what_a_worker_takes_meanwhile_is_sent_or_taken_back(
    sender: Sender, outbox: Outbox, way: Way
) -> None:
    queued = [sender.queue(NEWS) for _ in range(30)]
    start = threading.Barrier(2)

    def work() -> None:
        start.wait()
        sender.drain()

    worker = threading.Thread(target=work)
    worker.start()
    start.wait()
    for each in reversed(queued):
        sender.cancel(each.message_id)
    worker.join()
    sender.drain()
    after = [outbox.get(each.recipients[0].entry_id) for each in queued]
    assert {each.state for each in after} <= {EntryState.ACCEPTED, EntryState.DROPPED}
    assert {each.message_id for each in after if each.state is EntryState.ACCEPTED} == {
        message_id for message_id, _ in way.given
    }
    assert len(way.given) == len(set(way.given))
