"""While sending is paused everything is stored, and nothing leaves; nor is anything lost."""

from __future__ import annotations

from typing import TYPE_CHECKING

from smtp_desk.sender.outbox.control_sqlite import SqliteControl
from smtp_desk.sender.outbox.entries import EntryState
from smtp_desk.sender.routes.route import nothing_upcoming
from smtp_desk.smtp.session.envelope import Status
from tests.sender.post_office import mail, opened
from tests.sender.ways import Way

if TYPE_CHECKING:
    from pathlib import Path

    from smtp_desk.sender.outbox.entries import OutboxMessage
    from smtp_desk.sender.routes.route import RouteResult, Upcoming
    from smtp_desk.smtp.net.deadline import Deadline
    from smtp_desk.smtp.session.transaction import BeforeDot
    from tests.sender.post_office import PostOffice


def control_of(post: PostOffice) -> SqliteControl:
    return SqliteControl(post.outbox._database, post.clock)


def test_send_stores_and_tells_that_it_is_queued(tmp_path: Path) -> None:
    custom, default = Way(), Way("default")
    with opened(tmp_path, custom, default) as post:
        control_of(post).pause()
        receipt = post.sender.send(mail(1))
        assert {each.status for each in receipt.recipients} == {Status.QUEUED}
        assert all(post.outbox.get(each.entry_id) for each in receipt.recipients)
        many = list(post.sender.send_many(mail(number) for number in range(2, 5)))
        assert {each.status for every in many for each in every.recipients} == {Status.QUEUED}
        post.sender.queue(mail(5))
        assert post.sender.drain() == 0
        assert (custom.sent, default.sent) == ([], [])
        assert post.outbox.counts().of(EntryState.READY) == 10


def test_a_send_during_a_pause_costs_one_commit(tmp_path: Path) -> None:
    with opened(tmp_path, Way()) as post:
        control_of(post).pause()
        before = post.outbox._database.commits
        post.sender.send(mail(1))
        assert post.outbox._database.commits == before + 1


def test_all_is_sent_once_after_the_pause(tmp_path: Path) -> None:
    custom = Way()
    with opened(tmp_path, custom) as post:
        control_of(post).pause()
        receipts = [post.sender.send(mail(number)) for number in range(3)]
        control_of(post).resume()
        assert post.sender.drain() == 6
        assert sorted(custom.given) == sorted(
            (receipt.message_id, each.recipient)
            for receipt in receipts
            for each in receipt.recipients
        )


def test_another_process_obeys(tmp_path: Path) -> None:
    with opened(tmp_path, Way()) as here, opened(tmp_path, custom := Way()) as there:
        control_of(here).pause()
        there.sender.send(mail(1))
        assert there.sender.drain() == 0
        assert custom.sent == []
        control_of(here).resume()
        assert there.sender.drain() == 2


class PausedMeanwhile(Way):
    """Sending is paused after the message was begun, and before its dot."""

    post: PostOffice

    def send(
        self,
        message: OutboxMessage,
        recipients: tuple[str, ...],
        before_dot: BeforeDot,
        patience: Deadline,
        upcoming: Upcoming = nothing_upcoming,
    ) -> tuple[RouteResult, ...]:
        control_of(self.post).pause()
        return super().send(message, recipients, before_dot, patience, upcoming)


def test_what_is_under_way_stops_before_its_dot_and_takes_no_other_route(tmp_path: Path) -> None:
    custom, default = PausedMeanwhile(), Way("default")
    with opened(tmp_path, custom, default) as post:
        custom.post = post
        receipt = post.sender.send(mail(1))
        assert {each.status for each in receipt.recipients} == {Status.QUEUED}
        assert (custom.given, default.sent) == ([], [])
        assert {entry.state for entry in post.entries} == {EntryState.READY}
        assert not any(entry.attempts or entry.doubts for entry in post.entries)
        assert post.health.status("custom").failures == 0
        control_of(post).resume()
        post.source.now = post.source.now.__class__(custom=default)
        assert post.sender.drain() == 2


class PausedAfterTheDot(Way):
    """Sending is paused while the answer to the dot is awaited."""

    post: PostOffice

    def send(
        self,
        message: OutboxMessage,
        recipients: tuple[str, ...],
        before_dot: BeforeDot,
        patience: Deadline,
        upcoming: Upcoming = nothing_upcoming,
    ) -> tuple[RouteResult, ...]:
        def then_pause() -> None:
            before_dot()
            control_of(self.post).pause()

        return super().send(message, recipients, then_pause, patience, upcoming)


def test_what_is_in_doubt_gets_its_answer(tmp_path: Path) -> None:
    custom = PausedAfterTheDot()
    with opened(tmp_path, custom) as post:
        custom.post = post
        receipt = post.sender.send(mail(1))
        assert {each.status for each in receipt.recipients} == {Status.ACCEPTED}
        assert {entry.state for entry in post.entries} == {EntryState.ACCEPTED}
