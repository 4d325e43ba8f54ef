"""Connections that end: exact about what was not accepted and what nobody knows."""

from __future__ import annotations

import socket
import ssl

import pytest

from smtp_desk.core.errors import Acceptance
from smtp_desk.core.stages import Stage
from smtp_desk.smtp.net.deadline import Deadline
from smtp_desk.smtp.net.stream import ResetError
from smtp_desk.smtp.session.envelope import Envelope, Status
from smtp_desk.smtp.session.session import Session
from tests.servers.script import (
    END_OF_DATA,
    Action,
    Close,
    CutBody,
    Delay,
    Raw,
    Reply,
    Reset,
    Script,
    Silence,
)
from tests.servers.session import Session as ServerSession
from tests.smtp.sessions import (
    ENVELOPE,
    HASTY,
    MAIL,
    Sessions,
    opened,
    statuses,
)

BIG = b"0123456789abcdef" * 4 + b"\r\n"
ACCEPTED, REFUSED, UNCERTAIN = Status.ACCEPTED, Status.REFUSED, Status.UNCERTAIN


def _break_after_the_dot(session: Session) -> None:
    """Let the write that holds the dot fail, although the dot has gone out."""
    channel = session._opened
    written = channel.write

    def break_after(octets: bytes | memoryview, deadline: Deadline) -> None:
        written(octets, deadline)
        if bytes(octets).endswith(b".\r\n"):
            raise ResetError

    channel.write = break_after  # type: ignore[method-assign]


class TestCut:
    @pytest.mark.parametrize(
        ("verb", "stage", "code"),
        [
            ("MAIL", Stage.SENDER, "session.closed"),
            ("RCPT", Stage.RECIPIENT, "session.closed"),
            ("DATA", Stage.MESSAGE, "message.lost_before_end"),
        ],
    )
    @pytest.mark.parametrize("action", [Close(), Reset()])
    def test_before_the_message(
        self,
        sessions: Sessions,
        *,
        tls: ssl.SSLContext,
        extensions: tuple[str, ...],
        verb: str,
        stage: Stage,
        code: str,
        action: Action,
    ) -> None:
        played = Script(tls=tls, extensions=extensions, on={verb: action})
        with opened(sessions, played) as (session, _):
            delivery = session.send(ENVELOPE, MAIL)
            assert not session.usable
        failure = delivery.failure
        assert failure is not None
        assert (failure.stage, failure.code) == (stage, code)
        assert statuses(delivery) == [REFUSED]

    def test_before_the_dot_it_was_not_accepted(
        self, sessions: Sessions, tls: ssl.SSLContext
    ) -> None:
        played = Script(tls=tls, cut_body=CutBody(1000, Reset()))
        hook: list[str] = []
        with opened(sessions, played) as (session, _):
            delivery = session.send(
                ENVELOPE, BIG * 100_000, before_dot=lambda: hook.append("called")
            )
        failure = delivery.failure
        assert failure is not None
        assert (failure.code, failure.acceptance) == ("message.lost_before_end", Acceptance.NO)
        assert statuses(delivery) == [REFUSED]
        assert not hook

    @pytest.mark.parametrize(
        ("action", "cause"),
        [
            (Close(), "message.lost_before_end"),
            (Reset(), "message.lost_before_end"),
            (Silence(), "session.timeout"),
            (Raw(b"garbage\r\n"), "session.protocol_error"),
            (Raw(b"250-ok\r\n550 no\r\n"), "session.protocol_error"),
            ((Raw(b"250 ok"), Close()), "session.protocol_error"),
        ],
    )
    def test_after_the_dot_nobody_knows(
        self, sessions: Sessions, tls: ssl.SSLContext, action: Action, cause: str
    ) -> None:
        played = Script(tls=tls, on={END_OF_DATA: action})
        with opened(sessions, played, limits=HASTY) as (session, _):
            delivery = session.send(ENVELOPE, MAIL)
            assert not session.usable
        failure = delivery.failure
        assert failure is not None
        assert (failure.code, failure.acceptance) == ("message.unconfirmed", Acceptance.UNKNOWN)
        assert failure.facts["cause"] == cause
        assert statuses(delivery) == [UNCERTAIN]

    def test_a_reply_to_the_dot_that_is_none_leaves_it_unknown(
        self, sessions: Sessions, tls: ssl.SSLContext
    ) -> None:
        with opened(sessions, Script(tls=tls, on={END_OF_DATA: Reply("354 more")})) as (session, _):
            delivery = session.send(ENVELOPE, MAIL)
        assert statuses(delivery) == [UNCERTAIN]

    def test_a_reply_before_the_end_of_the_connection_counts(
        self, sessions: Sessions, tls: ssl.SSLContext
    ) -> None:
        ended = {END_OF_DATA: (Reply("250 2.0.0 queued"), Close())}
        with opened(sessions, Script(tls=tls, on=ended)) as (session, _):
            delivery = session.send(ENVELOPE, MAIL, last=True)
            session.quit()
        assert statuses(delivery) == [ACCEPTED]

    def test_refused_recipients_stay_refused_when_the_rest_is_unknown(
        self, sessions: Sessions, tls: ssl.SSLContext
    ) -> None:
        envelope = Envelope("ann@example.org", ("reject@x.test", "bo@x.test"))
        with opened(sessions, Script(tls=tls, on={END_OF_DATA: Close()})) as (session, _):
            delivery = session.send(envelope, MAIL)
        assert statuses(delivery) == [REFUSED, UNCERTAIN]

    def test_what_the_announcement_of_the_dot_raises_drops_the_connection(
        self, sessions: Sessions, tls: ssl.SSLContext
    ) -> None:
        def lease_lost() -> None:
            raise LookupError("lease lost")

        with opened(sessions, Script(tls=tls)) as (session, server):
            with pytest.raises(LookupError):
                session.send(ENVELOPE, MAIL, before_dot=lease_lost)
            assert not session.usable
            server.wait_for(lambda s: s.open_connections == 0)
            assert not server.messages

    def test_a_yes_in_the_middle_of_the_message_is_none(
        self, sessions: Sessions, tls: ssl.SSLContext
    ) -> None:
        cut = CutBody(1000, (Reply("250 queued"), Delay(0.3), Reset()))
        with opened(sessions, Script(tls=tls, cut_body=cut)) as (session, _):
            delivery = session.send(ENVELOPE, BIG * 100_000)
        assert statuses(delivery) == [REFUSED]
        assert delivery.failure is not None
        assert delivery.failure.code == "message.lost_before_end"

    def test_a_reply_before_the_dot_is_no_reply_to_it(
        self, sessions: Sessions, tls: ssl.SSLContext
    ) -> None:
        early = {"DATA": Raw(b"354 go\r\n250 queued\r\n")}
        with opened(sessions, Script(tls=tls, on=early)) as (session, server):
            delivery = session.send(ENVELOPE, MAIL)
            server.wait_for(lambda s: s.open_connections == 0)
            assert not server.messages
        assert statuses(delivery) == [REFUSED]
        assert delivery.failure is not None
        assert delivery.failure.code == "session.protocol_error"

    def test_a_message_that_is_taken_before_the_connection_breaks_is_taken(
        self, sessions: Sessions, tls: ssl.SSLContext
    ) -> None:
        """The last write fails, but the reply is here: only it counts."""
        with opened(sessions, Script(tls=tls)) as (session, _):
            _break_after_the_dot(session)
            delivery = session.send(ENVELOPE, MAIL)
        assert statuses(delivery) == [ACCEPTED]

    def test_a_last_write_that_fails_leaves_it_unknown(
        self, sessions: Sessions, tls: ssl.SSLContext
    ) -> None:
        with opened(sessions, Script(tls=tls, on={END_OF_DATA: Close()})) as (session, _):
            _break_after_the_dot(session)
            delivery = session.send(ENVELOPE, MAIL)
        assert statuses(delivery) == [UNCERTAIN]
        assert delivery.failure is not None
        assert delivery.failure.facts["cause"] == "message.lost_before_end"

    def test_tls_that_breaks_after_the_dot_leaves_it_unknown(
        self, sessions: Sessions, tls: ssl.SSLContext
    ) -> None:
        def break_tls(server: ServerSession) -> Action:
            socket.socket.send(server.wire._sock, b"\x17\x03\x03\x00\x20" + bytes(32))
            return Silence()

        with opened(sessions, Script(tls=tls, on={END_OF_DATA: break_tls})) as (session, _):
            delivery = session.send(ENVELOPE, MAIL)
            assert not session.usable
        assert statuses(delivery) == [UNCERTAIN]
        assert delivery.failure is not None
        assert delivery.failure.code == "message.unconfirmed"
