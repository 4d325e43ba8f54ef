"""The worker over an outbox in memory."""

from __future__ import annotations

import logging
import threading
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from smtp_desk.core.secret import Secret
from smtp_desk.sender import worker as draining
from smtp_desk.sender.alerts import Alerts
from smtp_desk.sender.dispatcher import LEASE
from smtp_desk.sender.notices import Notices
from smtp_desk.sender.outbox.entries import (
    Accept,
    Change,
    Claim,
    EntryState,
    MarkInDoubt,
    OutboxMessage,
)
from smtp_desk.sender.outbox.outbox import OutboxUnavailableError, change_one
from smtp_desk.sender.routes.route import CUSTOM, DEFAULT, Routes, Upcoming, nothing_upcoming
from smtp_desk.sender.worker import Drain
from smtp_desk.smtp.net.deadline import Cancel, Deadline
from tests.sender.post_office import FixedRoutes, mail
from tests.sender.posts import Post
from tests.sender.ways import CATALOGUE, Way, failing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from smtp_desk.sender.routes.route import RouteResult, RouteSource
    from smtp_desk.smtp.session.transaction import BeforeDot


class Work:
    """A drain, and what stands around it."""

    def __init__(self, custom: Way | None, default: Way | None = None) -> None:
        self.post = Post(custom, default)
        self.source = FixedRoutes(self.post.routes)
        self.waits: list[float] = []
        self.meanwhile: Callable[[Cancel], None] = Cancel.cancel
        self.drain = self.with_source(self.source)

    def with_source(self, source: RouteSource, tell: Callable[[], None] = lambda: None) -> Drain:
        return Drain(
            self.post.outbox,
            source,
            self.post.dispatcher,
            Notices(
                self.post.health,
                self.post.outbox,
                CATALOGUE,
                lambda *_: tell,
                alerts=Alerts(lambda: Secret("")),
            ),
            owner="worker",
            clock=self.post.clock,
            wait_for=self._wait,
            control=self.post.outbox.control,
        )

    def _wait(self, cancel: Cancel, seconds: float) -> None:
        self.waits.append(seconds)
        self.meanwhile(cancel)

    def run(self, *, once: bool = True) -> int:
        return self.drain.run(Cancel(), once=once)

    def add(self, *messages: OutboxMessage) -> None:
        self.post.outbox.add(messages)


def test_it_sends_all_that_is_due_and_stops() -> None:
    custom = Way()
    work = Work(custom)
    work.add(*(mail(number, ("bo@example.test",)) for number in range(35)))
    assert work.run() == 35
    assert len(custom.given) == 35
    assert work.run() == 0
    assert not work.waits


def test_it_says_that_a_worker_runs_until_it_ends() -> None:
    work = Work(Way())
    control, seen = work.post.outbox.control, list[int]()

    def look(cancel: Cancel) -> None:
        seen.append(control.workers())
        if len(seen) == 2:
            cancel.cancel()

    work.meanwhile = look
    work.run()
    assert not seen
    work.run(once=False)
    assert seen == [1, 1]
    assert control.workers() == 0


def test_it_waits_for_more_until_it_is_cancelled() -> None:
    custom = Way()
    work = Work(custom)
    rounds: list[int] = []

    def meanwhile(cancel: Cancel) -> None:
        rounds.append(len(rounds))
        if len(rounds) == 3:
            cancel.cancel()
        else:
            work.add(mail(len(rounds), ("bo@example.test",)))

    work.meanwhile = meanwhile
    assert work.run(once=False) == 2
    assert len(custom.given) == 2


def test_mail_that_failed_is_tried_when_its_time_comes() -> None:
    custom = failing("recipient.greylisted")
    work = Work(custom)
    work.add(mail(1, ("bo@example.test",)))
    assert work.run() == 1
    assert work.run() == 0
    work.post.clock.turn(minutes=1)
    custom.answer = lambda _recipient: ""
    assert work.run() == 1
    assert work.post.entry.state is EntryState.ACCEPTED


def test_the_sender_of_a_mail_in_doubt_is_gone() -> None:
    custom = Way()
    work = Work(custom)
    (claim,) = work.post.outbox.add_claimed((mail(1, ("bo@example.test",)),), "gone", LEASE)
    change_one(work.post.outbox, MarkInDoubt(claim, CUSTOM))
    work.post.clock.turn(minutes=12)
    assert work.run() == 0
    assert work.post.entry.doubts == 1
    assert not custom.sent
    work.post.clock.turn(minutes=15)
    assert work.run() == 1
    assert work.post.entry.state is EntryState.ACCEPTED


def test_the_sender_of_a_mail_is_gone_before_the_dot() -> None:
    custom = Way()
    work = Work(custom)
    work.post.outbox.add_claimed((mail(1, ("bo@example.test",)),), "gone", LEASE)
    assert work.run() == 0
    work.post.clock.turn(minutes=11)
    assert work.run() == 1
    assert work.post.entry.doubts == 0


def test_re_sends_that_are_turned_off_hold_it_at_once() -> None:
    work = Work(Way())
    work.source.now = Routes(custom=Way(), resend_uncertain=False)
    (claim,) = work.post.outbox.add_claimed((mail(1, ("bo@example.test",)),), "gone", LEASE)
    change_one(work.post.outbox, MarkInDoubt(claim, CUSTOM))
    work.post.clock.turn(minutes=12)
    work.run()
    assert work.post.entry.state is EntryState.HELD


def test_other_settings_make_waiting_mail_due() -> None:
    work = Work(failing("recipient.greylisted"))
    work.add(mail(1, ("bo@example.test",)))
    work.run()
    work.source.now = Routes(custom=Way())
    assert work.run() == 1
    assert work.post.entry.state is EntryState.ACCEPTED


def test_a_rested_route_is_probed_though_no_mail_is_due() -> None:
    custom = failing("connect.refused")
    work = Work(custom)
    work.add(mail(1, ("bo@example.test",)))
    work.run()
    work.post.clock.turn(seconds=61)
    custom.probes, custom.answer = [""], lambda _recipient: ""
    assert work.run() >= 1
    assert work.post.entry.state is EntryState.ACCEPTED


def test_a_lease_that_is_half_over_is_renewed_before_its_mail_is_sent(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(draining, "CONNECTIONS", 1)
    custom = Way()
    work = Work(custom)
    taken: list[Claim] = []

    def slow(_recipient: str) -> str:
        work.post.clock.turn(minutes=6)
        taken.extend(work.post.outbox.claim("another", 10, LEASE))
        return ""

    custom.answer = slow
    work.add(*(mail(number, ("bo@example.test",)) for number in range(2)))
    assert work.run() == 2
    assert len(custom.given) == 2
    assert taken == []


def test_mail_that_another_took_over_is_left_to_it() -> None:
    custom = Way()
    work = Work(custom)

    def too_slow(_recipient: str) -> str:
        work.post.clock.turn(minutes=31)
        taken.extend(work.post.outbox.claim("another", 10, timedelta(minutes=25)))
        return ""

    taken: list[object] = []
    custom.answer = too_slow
    work.add(*(mail(number, ("bo@example.test",)) for number in range(3)))
    work.run()
    assert taken
    assert len(custom.given) + len(taken) >= 3
    assert len(set(custom.given)) == len(custom.given)


def test_dropped_mail_is_not_sent() -> None:
    custom = Way()
    work = Work(custom)
    work.add(mail(1, ("bo@example.test",)), mail(2, ("bo@example.test",)))
    work.post.outbox.drop(work.post.outbox.page().entries[0].id)
    assert work.run() == 1
    assert custom.given == [("<1@example.org>", "bo@example.test")]


def test_a_storage_that_fails_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    work = Work(Way())
    work.add(mail(1, ("bo@example.test",)))
    broken = True
    works = work.post.outbox.claim

    def claim(owner: str, limit: int, lease: timedelta) -> tuple[Claim, ...]:
        if broken:
            raise OutboxUnavailableError("the disk is full")
        return works(owner, limit, lease)

    monkeypatch.setattr(work.post.outbox, "claim", claim)
    with pytest.raises(OutboxUnavailableError):
        work.run()

    def mend(cancel: Cancel) -> None:
        nonlocal broken
        broken = False
        if len(work.waits) == 3:
            cancel.cancel()

    work.meanwhile = mend
    assert work.run(once=False) == 1


def test_a_storage_that_is_away_is_logged_when_it_goes_and_when_it_is_back(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    work = Work(Way())
    caplog.set_level(logging.INFO, "smtp_desk")
    works, away = work.post.outbox.next_due, "11111000011100"

    def next_due() -> datetime | None:
        if away[len(work.waits)] == "1":
            raise OutboxUnavailableError(f"connection {len(work.waits)} refused")
        return works()

    monkeypatch.setattr(work.post.outbox, "next_due", next_due)
    work.meanwhile = lambda cancel: cancel.cancel() if len(work.waits) == len(away) else None
    assert work.run(once=False) == 0
    assert [(each.levelname, each.getMessage()) for each in caplog.records] == [
        ("ERROR", "the outbox does not work: connection 0 refused"),
        ("INFO", "the outbox works again"),
        ("ERROR", "the outbox does not work: connection 9 refused"),
        ("INFO", "the outbox works again"),
    ]


def test_an_acceptance_that_can_not_be_stored_is_logged_once(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    work = Work(Way())
    work.add(mail(1, ("bo@example.test",)))
    works = work.post.outbox.apply

    def apply(changes: Iterable[Change]) -> frozenset[str]:
        wanted = tuple(changes)
        if len(work.waits) < 5 and any(isinstance(each, Accept) for each in wanted):
            raise OutboxUnavailableError("the database is gone")
        return works(wanted)

    monkeypatch.setattr(work.post.outbox, "apply", apply)
    work.meanwhile = lambda cancel: cancel.cancel() if len(work.waits) == 7 else None
    assert work.run(once=False) == 1
    (error,) = (each.getMessage() for each in caplog.records if each.levelno >= logging.ERROR)
    assert error == "what came of 1 emails could not be stored: the database is gone"
    (entry,) = work.post.outbox.page().entries
    assert entry.state is EntryState.ACCEPTED


def test_a_refused_sign_in_that_can_not_be_stored_is_logged_once(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    work = Work(failing("auth.rejected"))
    work.add(mail(1, ("bo@example.test",)))
    works = work.post.health.record_failure

    def record_failure(route: str, code: str, probe: str = "") -> None:
        if len(work.waits) < 5:
            raise OutboxUnavailableError("the database is gone")
        works(route, code, probe)

    monkeypatch.setattr(work.post.health, "record_failure", record_failure)
    work.meanwhile = lambda cancel: cancel.cancel() if len(work.waits) == 7 else None
    work.run(once=False)
    told = [each.getMessage() for each in caplog.records if "sign-in" in each.getMessage()]
    assert told == ["a refused sign-in could not be stored: the database is gone"]
    assert work.post.health.status(CUSTOM).shut


def test_cancelled_in_the_middle_it_gives_back_what_it_did_not_begin(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(draining, "CONNECTIONS", 1)
    cancel = Cancel()
    custom = Way()

    def stop(_recipient: str) -> str:
        cancel.cancel()
        return ""

    custom.answer = stop
    work = Work(custom)
    work.add(*(mail(number, ("bo@example.test",)) for number in range(5)))
    assert work.drain.run(cancel, once=False) == 1
    states = [entry.state for entry in work.post.entries]
    assert sorted(states) == [EntryState.ACCEPTED, *([EntryState.READY] * 4)]
    assert {entry.tries for entry in work.post.entries} == {0}


def cancel_once(drain: Drain, began: threading.Event) -> None:
    """Run it until that has begun, then cancel it and wait for its end."""
    cancel = Cancel()
    worker = threading.Thread(target=drain.run, args=(cancel,), kwargs={"once": False})
    worker.start()
    assert began.wait(20)
    cancel.cancel()
    worker.join(20)
    assert not worker.is_alive()


def test_what_does_not_end_after_a_cancel_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(draining, "_GRACE_S", 0.05)
    began, cut = threading.Event(), threading.Event()

    class Stuck(Way):
        def send(
            self,
            message: OutboxMessage,
            recipients: tuple[str, ...],
            before_dot: BeforeDot,
            patience: Deadline,
            upcoming: Upcoming = nothing_upcoming,
        ) -> tuple[RouteResult, ...]:
            del message, recipients, before_dot, patience, upcoming
            began.set()
            assert cut.wait(20)
            raise RuntimeError("cut")

    class Source(FixedRoutes):
        def close(self) -> None:
            cut.set()

    work = Work(None)
    drain = work.with_source(Source(Routes(custom=Stuck(), default=Way(DEFAULT))))
    work.add(mail(1, ("bo@example.test",)))
    cancel_once(drain, began)
    assert cut.is_set()


def test_a_mail_of_an_outage_that_does_not_end_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(draining, "_GRACE_S", 0.05)
    began, cut = threading.Event(), threading.Event()

    class Source(FixedRoutes):
        def close(self) -> None:
            cut.set()

    def tell() -> None:
        began.set()
        assert cut.wait(20)

    work = Work(failing("connect.refused"))
    routes = Routes(custom=work.post.routes.custom, notify="it@example.org")
    drain = work.with_source(Source(routes), tell)
    work.add(mail(1, ("bo@example.test",)))
    cancel_once(drain, began)
    assert cut.is_set()


def test_a_message_that_is_our_own_fault_stops_no_other(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    custom = Way()
    work = Work(custom)
    work.add(*(mail(number, (f"p{number}@example.test",)) for number in range(12)))
    read = work.post.outbox.message

    def message(entry_id: str) -> OutboxMessage:
        found = read(entry_id)
        if found.message_id == "<3@example.org>":
            raise MemoryError("too much for this machine")
        return found

    monkeypatch.setattr(work.post.outbox, "message", message)
    work.run()
    assert len(custom.given) == 11
    assert "too much for this machine" in caplog.text
    monkeypatch.undo()
    work.post.clock.turn(minutes=11)
    work.run()
    assert len(custom.given) == 12


def test_it_prunes_once_an_hour(monkeypatch: pytest.MonkeyPatch) -> None:
    work = Work(None)
    pruned: list[int] = []

    def prune() -> int:
        pruned.append(1)
        return 0

    monkeypatch.setattr(work.post.outbox, "prune", prune)
    work.run()
    work.run()
    assert len(pruned) == 1
    monkeypatch.setattr(draining, "_PRUNE_EVERY_S", 0.0)
    work.run()
    assert len(pruned) == 2


def test_a_pause_ends_when_it_is_cancelled() -> None:
    cancel = Cancel()
    cancel.cancel()
    draining.pause(cancel, 60)
