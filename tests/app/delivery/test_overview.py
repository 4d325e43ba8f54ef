"""What goes on in all of the outbox, and what a person does to all of it."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from smtp_desk.app.delivery.last_day import DayResult, hours_of, totals
from smtp_desk.app.delivery.overview import OverviewPresenter, OverviewState, Stopped, Threads
from smtp_desk.app.delivery.overview_words import day_text, hour_text, hours_text
from smtp_desk.app.notice import Notice
from smtp_desk.app.page_presenter import Busy
from smtp_desk.sender.mail.personal_copy import COPY
from smtp_desk.sender.outbox.entries import (
    Doubt,
    EntryState,
    MarkInDoubt,
    OutboxMessage,
    Postpone,
    Refuse,
)
from smtp_desk.sender.outbox.outbox import OutboxBusyError, OutboxUnavailableError
from smtp_desk.sender.receipts import Receipt, RecipientReceipt
from smtp_desk.sender.testing import MemoryHealth, MemoryOutbox
from smtp_desk.smtp.session.envelope import Status
from smtp_desk.store.stored import Preferences
from tests.app.delivery_page import services_with
from tests.app.faces import DeferredRunner
from tests.sender.outboxes import LEASE, TurnedClock, accept, attempt, claim_one, message

if TYPE_CHECKING:
    from pathlib import Path

    from smtp_desk.sender.mail.kinds import Email
    from smtp_desk.smtp.net.deadline import Cancel

ME = "me@example.net"


class Desk:
    """The presenter, and all that stands behind it."""

    def __init__(self, home: Path) -> None:
        self.clock = TurnedClock()
        self.outbox = MemoryOutbox(self.clock)
        health = MemoryHealth(self.clock)
        self.services = services_with(home, self.clock, self.outbox, health)
        self.runner, self.drain, self.sender = (DeferredRunner() for _ in range(3))
        self.states: list[OverviewState] = []
        self.sent: list[OutboxMessage] = []
        self.status, self.error = Status.ACCEPTED, None
        threads = Threads(self.runner, self.drain, self.sender)
        self.presenter = OverviewPresenter(self.services, threads, self._send, self)

    def render_overview(self, state: OverviewState) -> None:
        self.states.append(state)

    @property
    def state(self) -> OverviewState:
        return self.states[-1]

    def look(self) -> OverviewState:
        self.presenter.refresh()
        self.runner.finish()
        return self.state

    def finish(self) -> OverviewState:
        for runner in (self.runner, self.sender):
            runner.finish()
        return self.state

    def _send(self, email: Email | OutboxMessage, cancel: Cancel) -> Receipt:
        cancel.check()
        assert isinstance(email, OutboxMessage)
        self.sent.append(email)
        return Receipt("<1@x.test>", (RecipientReceipt(ME, self.status, "custom"),))


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def refuse(desk: Desk, code: str) -> str:
    (entry,) = desk.outbox.add([message()])
    claim = claim_one(desk.outbox)
    desk.outbox.apply([Refuse(claim, (attempt(desk.clock, code),))])
    return entry.id


def test_a_quiet_day(desk: Desk) -> None:
    state = desk.look()
    assert len(state.hours) == 24
    assert state.hours[0].begin == desk.clock() - timedelta(days=1)
    assert day_text(state.hours) == "No emails in the last 24 hours."
    assert hours_text(state.hours) == ""
    assert (state.paused_since, state.workers, state.working) == (None, 0, False)


def test_the_day_is_counted_by_route_and_result(desk: Desk) -> None:
    desk.outbox.add([message()])
    accept(desk.outbox, claim_one(desk.outbox), desk.clock)
    refuse(desk, "recipient.unknown")
    desk.clock.turn(hours=2)
    desk.outbox.add([message(), message()])
    desk.outbox.drop(desk.outbox.page().entries[0].id)
    state = desk.look()
    assert {each: count for each, count in totals(state.hours).items() if count} == {
        DayResult.CUSTOM: 1,
        DayResult.REFUSED: 1,
        DayResult.WAITING: 1,
    }
    assert state.hours[23].total == 1, "what was dropped is left out"
    assert "3 emails stored in the last 24 hours" in day_text(state.hours)
    assert hour_text(state.hours[22]).endswith(": Sent by the custom server: 1, Refused: 1.")
    assert hour_text(state.hours[0]).endswith(": no emails.")
    assert hours_text(state.hours).count("From ") == 2


def test_a_clock_that_was_ahead_counts_in_the_last_hour() -> None:
    hours = hours_of({(400, EntryState.READY, ""): 2}, TurnedClock()())
    assert hours[23].total == 2


def test_the_day_is_counted_now_and_then_and_after_each_action(desk: Desk) -> None:
    desk.look()
    desk.outbox.add([message()])
    desk.clock.turn(seconds=10)
    assert totals(desk.look().hours)[DayResult.WAITING] == 0
    desk.clock.turn(seconds=10)
    assert totals(desk.look().hours)[DayResult.WAITING] == 1
    desk.outbox.add([message()])
    desk.presenter.pause()
    assert totals(desk.finish().hours)[DayResult.WAITING] == 2


def test_pause_and_resume(desk: Desk) -> None:
    desk.presenter.pause()
    assert desk.state.busy is Busy.PAUSING
    assert desk.finish().paused_since == desk.clock()
    desk.presenter.resume()
    state = desk.finish()
    assert state.paused_since is None
    assert state.notice is not None
    assert "resumed" in state.notice.text


def test_causes_are_counted_and_retried_without_what_is_uncertain(desk: Desk) -> None:
    for code in ("sender.quota", "recipient.unknown", "sender.quota"):
        refuse(desk, code)
    desk.outbox.add([message()])
    waiting = claim_one(desk.outbox)
    later, tried = desk.clock() + timedelta(hours=1), (attempt(desk.clock, "sender.quota"),)
    desk.outbox.apply([Postpone(waiting, later, tried)])
    desk.outbox.add([message()])
    held = claim_one(desk.outbox)
    desk.outbox.apply([MarkInDoubt(held, "custom"), Doubt(held, resend=False, attempts=tried)])
    desk.presenter.ask_causes()
    stopped = desk.finish().stopped
    assert stopped is not None
    assert [(each.code, each.count) for each in stopped] == [
        ("sender.quota", 3),
        ("recipient.unknown", 1),
    ]
    assert all(each.cause.endswith(".") for each in stopped)
    desk.presenter.retry_cause(stopped[0])
    state = desk.finish()
    assert state.notice is not None
    assert state.notice.text == "3 emails queued to send now."
    assert desk.outbox.get(held.entry.id).state is EntryState.HELD
    desk.presenter.retry_cause(stopped[0])
    assert "no longer stops any emails" in (desk.finish().notice or state.notice).text


def test_what_is_retried_in_a_pause_waits_for_its_end(desk: Desk) -> None:
    refuse(desk, "sender.quota")
    desk.services.control.pause()
    desk.presenter.retry_cause(Stopped("sender.quota", "The account is full.", 1))
    state = desk.finish()
    assert state.notice == Notice(
        "1 email queued. Sending is paused. Nothing is sent until you resume it."
    )


def test_a_recipient_is_looked_up_and_erased(desk: Desk) -> None:
    desk.outbox.add([message("Ann@example.org"), message("bo@example.org")])
    desk.presenter.look_up(" ann@EXAMPLE.org ")
    found = desk.finish().found
    assert found is not None
    assert (found.address, found.total) == ("ann@EXAMPLE.org", 1)
    desk.presenter.erase()
    state = desk.finish()
    assert state.found is None
    assert state.erasure is not None
    assert state.erasure.text.startswith("Erased: 1 email to ann@EXAMPLE.org")
    assert [each.recipient for each in desk.outbox.page().entries] == ["bo@example.org"]
    desk.presenter.erase()
    desk.finish()
    assert desk.outbox.counts().total == 1, "nothing is erased that was not looked up"


def test_another_address_forgets_what_was_found(desk: Desk) -> None:
    desk.outbox.add([message("ann@example.org")])
    desk.presenter.look_up("ann@example.org")
    assert desk.finish().found is not None
    desk.presenter.look_up("")
    assert (desk.state.found, desk.state.erasure) == (None, None)
    desk.presenter.erase()
    desk.finish()
    assert desk.outbox.counts().total == 1


def test_a_copy_goes_to_me_and_counts_as_no_original(desk: Desk) -> None:
    (entry,) = desk.outbox.add([message(payload=b"Subject: Hi\r\n\r\nText", subject="Hi")])
    desk.presenter.send_copy(entry.id, f" {ME} ")
    assert desk.state.busy is Busy.SENDING
    state = desk.finish()
    (copy,) = desk.sent
    assert (copy.kind, copy.recipients, copy.subject) == (COPY, (ME,), "[Copy] Hi")
    assert copy.message_id != entry.message_id
    assert desk.outbox.get(entry.id) == entry
    assert state.notice is not None
    assert state.notice.text == f"Accepted for {ME} by: Custom SMTP server."


def test_a_copy_in_a_pause_waits_for_its_end(desk: Desk) -> None:
    (entry,) = desk.outbox.add([message()])
    desk.services.control.pause()
    desk.status = Status.QUEUED
    desk.presenter.send_copy(entry.id, ME)
    state = desk.finish()
    assert state.notice == Notice(
        "The email waits in the outbox. Sending is paused. Nothing is sent until you resume it."
    )


@pytest.mark.parametrize("address", ["", "no address", "a@b, c@d", "x@"])
def test_a_copy_needs_an_address(desk: Desk, address: str) -> None:
    (entry,) = desk.outbox.add([message()])
    desk.presenter.send_copy(entry.id, address)
    state = desk.finish()
    assert any(each.error for each in state.address)
    assert desk.sent == []


def test_a_copy_of_an_email_that_is_gone_is_told(desk: Desk) -> None:
    desk.presenter.send_copy("gone", ME)
    state = desk.finish()
    assert state.notice is not None
    assert state.notice.error
    assert "no longer in the outbox" in state.notice.text


def test_a_worker_works_until_it_is_stopped(desk: Desk) -> None:
    desk.services.store.save_preferences(Preferences())
    desk.outbox.add([message()])
    desk.presenter.start_worker()
    assert desk.state.working
    desk.presenter.start_worker()
    assert desk.drain.waiting == 1
    desk.presenter.close()
    desk.drain.finish()
    assert not desk.state.working


class Broken:
    """Storage that does not do what is asked of it."""

    def __init__(self, error: OutboxUnavailableError) -> None:
        self.error = error

    def __getattr__(self, _name: str) -> object:
        error = self.error

        def fail(*_arguments: object) -> None:
            raise error

        return fail


@pytest.mark.parametrize(
    "error",
    [
        OutboxBusyError("The outbox is held by another program."),
        OutboxUnavailableError("The outbox can’t be used: attempt to write a readonly database."),
    ],
)
@pytest.mark.parametrize("action", ["pause", "resume", "ask_causes", "look_up", "erase"])
def test_storage_that_fails_is_told_at_each_button(
    desk: Desk, error: OutboxUnavailableError, action: str
) -> None:
    desk.outbox.add([message("ann@example.org")])
    desk.look()
    if action == "erase":
        desk.presenter.look_up("ann@example.org")
        desk.finish()
    vars(desk.services).update(control=Broken(error))
    arguments = ("ann@example.org",) if action == "look_up" else ()
    getattr(desk.presenter, action)(*arguments)
    state = desk.finish()
    assert state.busy is Busy.NOTHING
    assert str(error) in " ".join([state.notice.text if state.notice else "", state.trouble])
    assert desk.outbox.counts().total == 1
    vars(desk.services).update(control=desk.outbox.control)
    assert desk.look().trouble == ""


def test_what_is_being_sent_is_told_by_an_erasure(desk: Desk) -> None:
    desk.outbox.add([message("ann@example.org")])
    desk.outbox.claim("other", 1, LEASE)
    desk.presenter.look_up("ann@example.org")
    desk.finish()
    desk.presenter.erase()
    erasure = desk.finish().erasure
    assert erasure is not None
    assert erasure.error
    assert "being sent right now" in erasure.text
