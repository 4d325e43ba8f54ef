"""The next message begins behind the dot of the one before, and is sent or surely not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pytest

from smtp_desk.core.stages import Stage
from smtp_desk.smtp.session.envelope import Envelope, Status
from smtp_desk.smtp.wire.commands import CommandError
from tests.servers.script import (
    END_OF_DATA,
    ONE_BY_ONE,
    PIPELINING_SERVER,
    Action,
    Close,
    Default,
    Raw,
    Reply,
    Reset,
    Script,
    Silence,
    Turns,
)
from tests.smtp.sessions import ENVELOPE, HASTY, MAIL, Sessions, Told, opened, statuses

if TYPE_CHECKING:
    import ssl

    from smtp_desk.smtp.session.session import Session

SECOND: Final = (
    Envelope("ann@example.org", ("eve@example.test",)),
    b"Subject: two\r\n\r\nTwo.\r\n",
)
ACCEPTED, REFUSED = [Status.ACCEPTED], [Status.REFUSED]
CLOSING: Final = Reply("421 4.3.2 closing")


def send_first(session: Session) -> list[Status]:
    """Send a message that `SECOND` follows."""
    return statuses(session.send(ENVELOPE, MAIL, following=lambda: SECOND))


def test_one_flight_a_message(sessions: Sessions, tls: ssl.SSLContext) -> None:
    mails = [(ENVELOPE, b"Subject: %d\r\n\r\n.\r\n" % number) for number in range(5)]
    with opened(sessions, Script(tls=tls)) as (session, server):
        for number, (envelope, content) in enumerate(mails):
            following = mails[number + 1] if number < 4 else None
            delivery = session.send(envelope, content, following=lambda: following)  # noqa: B023 - called at once
            assert statuses(delivery) == ACCEPTED
        session.quit()
        assert [message.content for message in server.messages] == [mail for _, mail in mails]
        behind = (
            b".\r\nMAIL FROM:<ann@example.org> SIZE=17\r\nRCPT TO:<bo@example.test>\r\nDATA\r\n"
        )
        assert server.received.count(behind) == 4
        assert server.commands[-1] == "QUIT"


@pytest.mark.parametrize("extensions", [PIPELINING_SERVER, ONE_BY_ONE])
def test_what_is_refused_is_the_one_and_not_the_other(
    sessions: Sessions, tls: ssl.SSLContext, extensions: tuple[str, ...]
) -> None:
    refusal = {END_OF_DATA: Turns(Reply("554 5.7.1 spam"), Default())}
    with opened(sessions, Script(tls=tls, extensions=extensions, on=refusal)) as (session, server):
        assert send_first(session) == REFUSED
        assert session.usable
        assert statuses(session.send(*SECOND)) == ACCEPTED
        assert session.usable
        assert [message.accepted for message in server.messages] == [False, True]


@pytest.mark.parametrize(
    ("on", "stage"),
    [
        ({"MAIL": Turns(Default(), Reply("550 no"), Default())}, Stage.SENDER),
        ({"RCPT TO:<eve": Reply("550 no")}, Stage.RECIPIENT),
        ({"DATA": Turns(Default(), Reply("451 no"), Default())}, Stage.MESSAGE),
    ],
)
def test_a_beginning_that_is_refused_ends_that_message_alone(
    sessions: Sessions, tls: ssl.SSLContext, on: dict[str, Action], stage: Stage
) -> None:
    with opened(sessions, Script(tls=tls, on=on)) as (session, server):
        assert send_first(session) == ACCEPTED
        failure = session.send(*SECOND).failure
        assert failure is not None
        assert failure.stage is stage
        assert statuses(session.send(ENVELOPE, MAIL)) == ACCEPTED
        assert [message.content for message in server.messages if message.accepted] == [MAIL, MAIL]


@pytest.mark.parametrize("answer", [CLOSING, (CLOSING, Close()), Close(), Reset()])
@pytest.mark.parametrize("at", ["MAIL", "RCPT TO:<eve", "DATA"])
def test_a_server_that_leaves_at_its_beginning_has_not_got_it(
    sessions: Sessions, tls: ssl.SSLContext, at: str, answer: Action
) -> None:
    on = {at: answer if at.startswith("RCPT") else Turns(Default(), answer)}
    with opened(sessions, Script(tls=tls, on=on)) as (session, server):
        assert send_first(session) == ACCEPTED
        if session.usable:  # it may have left before its answer to the dot was read
            assert statuses(session.send(*SECOND)) == REFUSED
        assert not session.usable
        assert len(server.messages) == 1


def test_a_goodbye_in_the_answer_to_the_dot_is_that_of_both(
    sessions: Sessions, tls: ssl.SSLContext
) -> None:
    with opened(sessions, Script(tls=tls, on={END_OF_DATA: CLOSING})) as (session, server):
        assert send_first(session) == REFUSED
        assert not session.usable
        assert len(server.messages) == 1


@pytest.mark.parametrize("odd", [b"250 queued\r\n250 queued again\r\n", b"250 ok\r\n354 go\r\n"])
def test_a_reply_too_many_never_lets_a_dot_out(
    sessions: Sessions, tls: ssl.SSLContext, odd: bytes
) -> None:
    with opened(sessions, Script(tls=tls, on={END_OF_DATA: Raw(odd)})) as (session, server):
        assert send_first(session) == ACCEPTED
        dots: list[str] = []
        assert statuses(session.send(*SECOND, before_dot=lambda: dots.append("dot"))) == REFUSED
        assert not dots
        assert len(server.messages) == 1


def test_a_server_that_swallows_what_rides_has_not_got_it(
    sessions: Sessions, tls: ssl.SSLContext
) -> None:
    played = Script(tls=tls, on={END_OF_DATA: (Reply("250 2.0.0 queued"), Silence())})
    with opened(sessions, played, limits=HASTY) as (session, server):
        assert send_first(session) == ACCEPTED
        failure = session.send(*SECOND).failure
        assert failure is not None
        assert failure.code == "session.timeout"
        assert len(server.messages) == 1


def test_no_other_message_takes_the_place_of_the_one_that_was_begun(
    sessions: Sessions, tls: ssl.SSLContext
) -> None:
    with opened(sessions, Script(tls=tls)) as (session, server):
        assert send_first(session) == ACCEPTED
        with pytest.raises(CommandError):
            session.send(ENVELOPE, MAIL)
        assert statuses(session.send(*SECOND)) == ACCEPTED
        assert len(server.messages) == 2


def test_a_session_that_ends_sends_nothing_of_what_was_begun(
    sessions: Sessions, tls: ssl.SSLContext
) -> None:
    with opened(sessions, Script(tls=tls)) as (session, server):
        assert send_first(session) == ACCEPTED
        session.quit()
        assert not session.usable
        server.wait_for(lambda s: s.open_connections == 0)
        assert [message.content for message in server.messages] == [MAIL]


@pytest.mark.parametrize(
    "second",
    [
        (Envelope("ann@example.org", ("bö@example.test",)), MAIL),
        (ENVELOPE, b"x" * 200),
        (Envelope("ann@example.org", ("eve@example.test>",)), MAIL),
        (Envelope("ann@example.org", ()), MAIL),
    ],
)
def test_what_the_server_would_not_take_does_not_ride(
    sessions: Sessions, tls: ssl.SSLContext, second: tuple[Envelope, bytes]
) -> None:
    played = Script(tls=tls, extensions=("PIPELINING", "SIZE 100", "AUTH PLAIN"))
    with opened(sessions, played) as (session, server):
        delivery = session.send(ENVELOPE, MAIL, following=lambda: second)
        assert statuses(delivery) == ACCEPTED
        assert session.usable
        assert server.sessions[0].wire.flights[-2].endswith(b".\r\n")


def test_the_stages_are_told_to_who_watches_only(sessions: Sessions, tls: ssl.SSLContext) -> None:
    told = Told()
    with opened(sessions, Script(tls=tls), told) as (session, _):
        assert send_first(session) == ACCEPTED
        assert told.facts(Stage.MESSAGE)["reply_code"] == 250
        assert statuses(session.send(*SECOND)) == ACCEPTED
        assert [stage for stage, _ in told.ends()].count(Stage.SENDER) == 2
        session.unwatch()
        count = len(told.events)
        assert statuses(session.send(ENVELOPE, MAIL)) == ACCEPTED
        assert len(told.events) == count
