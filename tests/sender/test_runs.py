"""Emails that one thread sends one after the other: begun behind dots, written down by twos."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pytest

from smtp_desk.sender import Status, sender
from smtp_desk.sender.attempts import MessageAttempt, Run
from smtp_desk.sender.dispatcher import LEASE
from smtp_desk.sender.outbox.entries import EntryState
from smtp_desk.sender.outbox.outbox import OutboxUnavailableError
from smtp_desk.sender.routes.route import DEFAULT, Routes
from tests.sender.post_office import HASTY, PostOffice, accepted, mail, opened, route_to
from tests.sender.posts import Post
from tests.sender.ways import Way, failing
from tests.servers.script import (
    END_OF_DATA,
    ONE_BY_ONE,
    Default,
    Reply,
    Script,
    Silence,
    Turns,
)
from tests.servers.scripted import ScriptedServer

if TYPE_CHECKING:
    import ssl
    from collections.abc import Iterator
    from pathlib import Path

    from smtp_desk.sender.receipts import Receipt
    from tests.servers.certs import Certificates

COUNT: Final = 8
SHORT: Final = b"Hello.\r\n"


@pytest.fixture
def one_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sender, "CONNECTIONS", 1)


def send_many(office: PostOffice, count: int = COUNT) -> list[Receipt]:
    mails = (mail(number, (f"p{number}@example.test",), SHORT) for number in range(count))
    return list(office.sender.send_many(mails))


def statuses(receipts: list[Receipt]) -> list[Status]:
    return [each.recipients[0].status for each in receipts]


def riding(server: ScriptedServer) -> int:
    """How many emails were begun in one flight with the dot of the one before."""
    flights = [flight for session in server.sessions for flight in session.wire.flights]
    return sum(b"\r\n.\r\nMAIL FROM:" in flight for flight in flights)


@pytest.mark.usefixtures("one_connection")
class TestOneConnection:
    def test_one_flight_and_one_commit_an_email(
        self, certs: Certificates, tls: ssl.SSLContext, tmp_path: Path
    ) -> None:
        with (
            ScriptedServer(Script(tls=tls)) as server,
            opened(tmp_path, route_to(server, certs)) as office,
        ):
            before = office.outbox._database.commits
            assert statuses(send_many(office)) == [Status.ACCEPTED] * COUNT
            # One to store them all, one for each dot, one for the last end; one leases.
            assert office.outbox._database.commits - before <= COUNT + 3
            assert riding(server) == COUNT - 1
            assert set(accepted(server).values()) == {1}
            assert {entry.state for entry in office.entries} == {EntryState.ACCEPTED}

    def test_a_server_that_takes_nothing_behind_a_dot_gets_one_after_the_other(
        self, certs: Certificates, tls: ssl.SSLContext, tmp_path: Path
    ) -> None:
        swallowing = Script(tls=tls, on={END_OF_DATA: (Reply("250 queued"), Silence())})
        with (
            ScriptedServer(swallowing, Script(tls=tls)) as server,
            opened(tmp_path, route_to(server, certs, limits=HASTY)) as office,
        ):
            assert statuses(send_many(office)) == [Status.ACCEPTED] * COUNT
            assert [entry.doubts for entry in office.entries] == [0] * COUNT
            assert set(accepted(server).values()) == {1}
            assert riding(server) == 1

    def test_a_message_that_is_refused_spoils_no_other(
        self, certs: Certificates, tls: ssl.SSLContext, tmp_path: Path
    ) -> None:
        spam = Reply("554 5.7.1 Message rejected as spam")
        with (
            ScriptedServer(
                Script(tls=tls, on={END_OF_DATA: Turns(Default(), spam, Default())})
            ) as server,
            opened(tmp_path, route_to(server, certs)) as office,
        ):
            results = statuses(send_many(office))
            assert results.count(Status.REFUSED) == 1
            assert results[1] is Status.REFUSED
            assert len(server.sessions) == 1

    @pytest.mark.parametrize("at", ["MAIL", "DATA"])
    def test_a_server_that_says_goodbye_gets_the_rest_on_another_connection(
        self, certs: Certificates, tls: ssl.SSLContext, tmp_path: Path, at: str
    ) -> None:
        leaving = Script(tls=tls, on={at: Turns(Default(), Default(), Reply("421 4.3.2 enough"))})
        with (
            ScriptedServer(leaving, Script(tls=tls)) as server,
            opened(tmp_path, route_to(server, certs)) as office,
        ):
            assert statuses(send_many(office)) == [Status.ACCEPTED] * COUNT
            assert set(accepted(server).values()) == {1}
            assert len(server.sessions) == 2

    def test_where_so_many_may_go_in_an_hour_none_begins_before_its_turn(
        self, certs: Certificates, tls: ssl.SSLContext, tmp_path: Path
    ) -> None:
        with (
            ScriptedServer(Script(tls=tls)) as server,
            opened(tmp_path, route_to(server, certs, per_hour=100)) as office,
        ):
            assert statuses(send_many(office)) == [Status.ACCEPTED] * COUNT
            assert riding(server) == 0

    def test_without_pipelining_one_after_the_other(
        self, certs: Certificates, tls: ssl.SSLContext, tmp_path: Path
    ) -> None:
        with (
            ScriptedServer(Script(tls=tls, extensions=ONE_BY_ONE)) as server,
            opened(tmp_path, route_to(server, certs)) as office,
        ):
            assert statuses(send_many(office)) == [Status.ACCEPTED] * COUNT
            assert riding(server) == 0

    def test_a_worker_does_the_same(
        self, certs: Certificates, tls: ssl.SSLContext, tmp_path: Path
    ) -> None:
        with (
            ScriptedServer(Script(tls=tls)) as server,
            opened(tmp_path, route_to(server, certs)) as office,
        ):
            for number in range(40):
                office.sender.queue(mail(number, (f"p{number}@example.test",), SHORT))
            assert office.sender.drain() == 40
            assert riding(server) > 20
            assert set(accepted(server).values()) == {1}
            assert {entry.state for entry in office.entries} == {EntryState.ACCEPTED}


class BegunWay(Way):
    """A route that begins whatever is named, and notes what becomes of it."""

    def __init__(self) -> None:
        super().__init__()
        self.abandoned = 0

    def abandon(self) -> None:
        self.abandoned += 1


def attempts(post: Post, count: int) -> list[MessageAttempt]:
    messages = [mail(number, ("bo@example.test",), SHORT) for number in range(count)]
    claims = post.outbox.add_claimed(messages, "test", LEASE)
    pairs = zip(claims, messages, strict=True)
    return [MessageAttempt.of([claim], message, post.routes) for claim, message in pairs]


class TestRun:
    def test_what_comes_next_is_named_once_and_comes_next(self) -> None:
        way = BegunWay()
        all_of_them = attempts(Post(way, None), 3)
        run, taken = Run(iter(all_of_them)), []
        for attempt in run:
            taken.append(attempt)
            run.sends(attempt, way)
            run.upcoming(way, attempt)
            assert run.upcoming(way, attempt) is None
        assert taken == all_of_them
        assert way.abandoned == 0

    def test_what_goes_another_way_is_abandoned(self) -> None:
        way, other = BegunWay(), BegunWay()
        other.name = DEFAULT
        run = Run(iter(attempts(Post(way, other), 3)))
        for attempt in run:
            run.sends(attempt, other)
            assert run.upcoming(other, attempt) is None, "its first way is the custom one"
            run.upcoming(way, attempt)
        assert way.abandoned == 2

    def test_what_is_not_sent_at_all_is_abandoned(self) -> None:
        way = BegunWay()
        run = Run(iter(attempts(Post(way, None), 2)))
        for attempt in run:
            run.upcoming(way, attempt)
        assert way.abandoned == 1

    def test_settings_that_change_begin_nothing(self) -> None:
        way = BegunWay()
        first, second = attempts(Post(way, None), 2)
        second.use(Routes(custom=way))
        assert Run(iter([second])).upcoming(way, first) is None

    def test_a_source_that_fails_is_told_when_the_present_one_is_done(self) -> None:
        way = BegunWay()
        first, _ = attempts(Post(way, None), 2)

        def source() -> Iterator[MessageAttempt]:
            yield first
            raise OutboxUnavailableError("gone")

        run = Run(source())
        taken = iter(run)
        assert run.upcoming(way, next(taken)) is None
        with pytest.raises(OutboxUnavailableError):
            next(taken)


def test_an_end_that_can_t_be_written_with_the_next_beginning_is_written_later(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The second dot stays, and the first acceptance is not forgotten."""
    post = Post(Way(), None)
    first, second = attempts(post, 2)
    run, apply = Run(iter([first, second])), post.outbox.apply
    monkeypatch.setattr(Run, "goes_on", property(lambda _: True))
    post.dispatcher.deliver(first, run=run)
    assert [type(each).__name__ for each in run.ends] == ["Accept"]

    def fail(_changes: object) -> frozenset[str]:
        raise OutboxUnavailableError("disk full")

    monkeypatch.setattr(post.outbox, "apply", fail)
    post.dispatcher.deliver(second, run=run)
    monkeypatch.setattr(post.outbox, "apply", apply)
    assert post.dispatcher.catch_up()
    states = {entry.message_id: entry.state for entry in post.outbox.page().entries}
    assert states[first.message.message_id] is EntryState.ACCEPTED
    assert states[second.message.message_id] is EntryState.SENDING


def test_where_threads_commit_in_turns_they_come_to_commit_together(
    certs: Certificates, tls: ssl.SSLContext, tmp_path: Path
) -> None:
    with (
        ScriptedServer(Script(tls=tls)) as server,
        opened(tmp_path, route_to(server, certs)) as office,
    ):
        assert statuses(send_many(office, 60)) == [Status.ACCEPTED] * 60
        assert office.outbox._database.commits < 2 * 60
        assert set(accepted(server).values()) == {1}


def test_who_refuses_all_gets_all_by_the_other_way() -> None:
    custom, default = failing("connect.refused"), Way()
    post = Post(custom, default)
    run = Run(iter(attempts(post, 4)))
    for attempt in run:
        post.dispatcher.deliver(attempt, run=run)
    post.dispatcher.finish(run)
    assert len(default.given) == 4
    assert {entry.state for entry in post.entries} == {EntryState.ACCEPTED}
