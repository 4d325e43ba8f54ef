"""Sending: per recipient, and exact about what was accepted, what was not, what is unknown."""

from __future__ import annotations

import contextlib
import ssl
from collections.abc import Iterator

import pytest

from smtp_desk.core.errors import Acceptance, SmtpFailure
from smtp_desk.core.stages import Stage, StageStatus
from smtp_desk.smtp.commands import CommandError
from smtp_desk.smtp.envelope import Envelope, RecipientStatus
from smtp_desk.smtp.limits import Limits
from smtp_desk.smtp.session import Session
from tests.servers.script import (
    END_OF_DATA,
    PIPELINING_SERVER,
    Action,
    Close,
    CutBody,
    Raw,
    Reply,
    Reset,
    Script,
    Silence,
    Turns,
)
from tests.servers.scripted import ScriptedServer
from tests.smtp.sessions import ENVELOPE, HASTY, MAIL, PATIENT, Sessions, Told

ONE_BY_ONE = tuple(word for word in PIPELINING_SERVER if word != "PIPELINING")
BIG = b"0123456789abcdef" * 4 + b"\r\n"
ACCEPTED, REFUSED, UNCERTAIN = RecipientStatus


@pytest.fixture(params=[PIPELINING_SERVER, ONE_BY_ONE], ids=["pipelining", "one_by_one"])
def extensions(request: pytest.FixtureRequest) -> tuple[str, ...]:
    """What the server offers: both ways must come to the same."""
    offered: tuple[str, ...] = request.param
    return offered


@contextlib.contextmanager
def opened(
    sessions: Sessions,
    played: Script,
    told: Told | None = None,
    limits: Limits = PATIENT,
) -> Iterator[tuple[Session, ScriptedServer]]:
    """A session that is open, and its server."""
    with ScriptedServer(played) as server:
        session = sessions.new(server, told=told, limits=limits)
        session.open()
        try:
            yield session, server
        finally:
            session.abort()


def statuses(results: object) -> list[RecipientStatus]:
    return [result.status for result in results.results]  # type: ignore[attr-defined]


class TestAccepted:
    def test_a_message(
        self, sessions: Sessions, tls: ssl.SSLContext, extensions: tuple[str, ...]
    ) -> None:
        told = Told()
        played = Script(tls=tls, extensions=extensions)
        with opened(sessions, played, told) as (session, server):
            delivery = session.send(ENVELOPE, MAIL)
            assert session.usable
            (message,) = server.messages
            assert server.sessions[0].pipelined is (extensions is PIPELINING_SERVER)
        assert statuses(delivery) == [ACCEPTED]
        assert delivery.failure is None
        assert str(delivery.reply) == "250 2.0.0 Ok: queued as 4C1D2E3F"
        assert (message.mail_from, message.recipients) == ("ann@example.org", ("bo@example.test",))
        assert message.content == MAIL
        assert told.facts(Stage.MESSAGE)["size"] == len(MAIL)
        assert told.ends()[-3:] == [
            (Stage.SENDER, StageStatus.PASSED),
            (Stage.RECIPIENT, StageStatus.PASSED),
            (Stage.MESSAGE, StageStatus.PASSED),
        ]

    @pytest.mark.parametrize(
        "content", [b"", b".", b"a\n.\nb\r.\rc", b".\r\n.\r\n", BIG * 20_000, b"x" * 200_000]
    )
    def test_any_content(
        self, sessions: Sessions, tls: ssl.SSLContext, content: bytes
    ) -> None:
        with opened(sessions, Script(tls=tls)) as (session, server):
            assert statuses(session.send(ENVELOPE, content)) == [ACCEPTED]
            (message,) = server.messages
        text = content.replace(b"\r\n", b"\n").replace(b"\r", b"\n").removesuffix(b"\n")
        assert message.content.replace(b"\r\n", b"\n").removesuffix(b"\n") == text

    def test_several_messages_on_one_connection(
        self, sessions: Sessions, tls: ssl.SSLContext, extensions: tuple[str, ...]
    ) -> None:
        with opened(sessions, Script(tls=tls, extensions=extensions)) as (session, server):
            for _ in range(3):
                assert session.send(ENVELOPE, MAIL).failure is None
            session.noop()
            session.reset()
            assert session.send(ENVELOPE, MAIL, last=True).failure is None
            assert session.usable is (extensions is ONE_BY_ONE)
            session.quit()
            assert not session.usable
            assert len(server.messages) == 4
            assert server.commands.count("QUIT") == 1

    def test_parameters_only_where_they_are_offered_and_needed(
        self, sessions: Sessions, tls: ssl.SSLContext
    ) -> None:
        with opened(sessions, Script(tls=tls)) as (session, server):
            session.send(ENVELOPE, MAIL)
            session.send(Envelope("", ("bö@example.test",)), "Subject: ä\r\n\r\n".encode())
            mails = [line for line in server.commands if line.startswith("MAIL")]
        assert mails == [
            f"MAIL FROM:<ann@example.org> SIZE={len(MAIL)}",
            "MAIL FROM:<> SIZE=15 BODY=8BITMIME SMTPUTF8",
        ]

    def test_no_parameters_for_a_server_that_offers_nothing(
        self, sessions: Sessions, tls: ssl.SSLContext
    ) -> None:
        with opened(sessions, Script(tls=tls, extensions=("AUTH PLAIN",))) as (session, server):
            session.send(ENVELOPE, "Subject: ä\r\n\r\n".encode())
            assert "MAIL FROM:<ann@example.org>" in server.commands

    def test_the_dot_is_announced_before_it_goes_out(
        self, sessions: Sessions, tls: ssl.SSLContext
    ) -> None:
        with opened(sessions, Script(tls=tls)) as (session, server):
            seen: list[int] = []
            session.send(ENVELOPE, BIG * 4000, before_dot=lambda: seen.append(len(server.messages)))
        assert seen == [0]


class TestRefused:
    @pytest.mark.parametrize(
        ("on", "stage", "line"),
        [
            ({"MAIL": Reply("553 5.7.1 not yours")}, Stage.SENDER, "553 5.7.1 not yours"),
            ({"MAIL": Reply("354 odd")}, Stage.SENDER, "354 odd"),
            ({"RCPT": Reply("550 5.1.1 unknown")}, Stage.RECIPIENT, "550 5.1.1 unknown"),
            ({"DATA": Reply("451 4.3.0 later")}, Stage.MESSAGE, "451 4.3.0 later"),
            ({"DATA": Reply("250 odd")}, Stage.MESSAGE, "250 odd"),
            ({END_OF_DATA: Reply("554 5.6.0 spam")}, Stage.MESSAGE, "554 5.6.0 spam"),
            ({END_OF_DATA: Reply("451 4.7.1 later")}, Stage.MESSAGE, "451 4.7.1 later"),
        ],
    )
    def test_by_a_reply_that_leaves_the_connection_in_use(
        self,
        sessions: Sessions,
        tls: ssl.SSLContext,
        extensions: tuple[str, ...],
        on: dict[str, Action],
        stage: Stage,
        line: str,
    ) -> None:
        first_only = {verb: Turns(action, _default()) for verb, action in on.items()}
        played = Script(tls=tls, extensions=extensions, on=first_only)
        with opened(sessions, played) as (session, _):
            delivery = session.send(ENVELOPE, MAIL)
            assert session.usable
            assert session.send(ENVELOPE, MAIL).failure is None
        failure = delivery.failure
        assert failure is not None
        assert (failure.stage, failure.code, str(failure.reply)) == (stage, None, line)
        assert failure.acceptance is Acceptance.NO
        assert statuses(delivery) == [REFUSED]

    @pytest.mark.parametrize("verb", ["MAIL", "RCPT", "DATA", END_OF_DATA])
    def test_by_421_the_connection_is_over(
        self,
        sessions: Sessions,
        tls: ssl.SSLContext,
        extensions: tuple[str, ...],
        verb: str,
    ) -> None:
        ended = (Reply("421 4.3.2 shutting down"), Close())
        played = Script(tls=tls, extensions=extensions, on={verb: ended})
        with opened(sessions, played) as (session, _):
            delivery = session.send(ENVELOPE, MAIL)
            assert not session.usable
        assert statuses(delivery) == [REFUSED]
        assert delivery.failure is not None
        assert str(delivery.failure.reply) == "421 4.3.2 shutting down"

    def test_by_421_that_does_not_close_nobody_waits(
        self, sessions: Sessions, tls: ssl.SSLContext
    ) -> None:
        silent = (Reply("421 4.3.2 shutting down"), Silence())
        with opened(sessions, Script(tls=tls, on={"MAIL": silent})) as (session, _):
            delivery = session.send(ENVELOPE, MAIL)
        assert delivery.failure is not None
        assert str(delivery.failure.reply) == "421 4.3.2 shutting down"

    def test_some_recipients(
        self, sessions: Sessions, tls: ssl.SSLContext, extensions: tuple[str, ...]
    ) -> None:
        told = Told()
        envelope = Envelope("ann@example.org", ("reject@x.test", "bo@x.test", "tempfail@x.test"))
        with opened(sessions, Script(tls=tls, extensions=extensions), told) as (session, server):
            delivery = session.send(envelope, MAIL)
            assert server.messages[0].recipients == ("bo@x.test",)
            assert session.usable
        assert statuses(delivery) == [REFUSED, ACCEPTED, REFUSED]
        assert [result.recipient for result in delivery.results] == list(envelope.recipients)
        codes = [result.reply and result.reply.code for result in delivery.results]
        assert codes == [550, 250, 450]
        assert delivery.failure is not None
        assert delivery.failure.facts["recipient"] == "reject@x.test"
        assert (Stage.RECIPIENT, StageStatus.WARNED) in told.ends()

    def test_all_recipients(
        self, sessions: Sessions, tls: ssl.SSLContext, extensions: tuple[str, ...]
    ) -> None:
        envelope = Envelope("ann@example.org", ("reject@x.test", "tempfail@x.test"))
        with opened(sessions, Script(tls=tls, extensions=extensions)) as (session, server):
            delivery = session.send(envelope, MAIL)
            assert not server.messages
        assert statuses(delivery) == [REFUSED, REFUSED]
        codes = [result.reply and result.reply.code for result in delivery.results]
        assert codes == [550, 450]

    def test_421_in_the_middle_of_the_recipients(
        self, sessions: Sessions, tls: ssl.SSLContext, extensions: tuple[str, ...]
    ) -> None:
        envelope = Envelope("ann@example.org", ("bo@x.test", "cy@x.test", "di@x.test"))
        ended = {"RCPT TO:<cy@": (Reply("421 4.7.0 TLS required"), Close())}
        played = Script(tls=tls, extensions=extensions, on=ended)
        with opened(sessions, played) as (session, _):
            delivery = session.send(envelope, MAIL)
        assert statuses(delivery) == [REFUSED] * 3
        assert {str(result.reply) for result in delivery.results} == {"421 4.7.0 TLS required"}

    def test_a_server_that_wants_a_message_for_nobody_gets_an_empty_one(
        self, sessions: Sessions, tls: ssl.SSLContext
    ) -> None:
        greedy = {"RCPT": Reply("550 no"), "DATA": (Reply("354 go"), _take_message)}
        with opened(sessions, Script(tls=tls, on=greedy)) as (session, server):
            delivery = session.send(ENVELOPE, MAIL)
            assert server.messages[0].content == b""
            assert session.usable
        assert statuses(delivery) == [REFUSED]

    @pytest.mark.parametrize("line", ["552 5.3.4 too big", "421 4.3.0 going down"])
    def test_in_the_middle_of_the_message(
        self, sessions: Sessions, tls: ssl.SSLContext, line: str
    ) -> None:
        cut = CutBody(1000, (Reply(line), Reset()))
        with opened(sessions, Script(tls=tls, cut_body=cut)) as (session, _):
            delivery = session.send(ENVELOPE, BIG * 60_000)
            assert not session.usable
        assert statuses(delivery) == [REFUSED]
        assert delivery.failure is not None
        assert delivery.failure.stage is Stage.MESSAGE

    @pytest.mark.parametrize(
        ("envelope", "content", "code"),
        [
            (ENVELOPE, b"x" * 1001, "message.too_large"),
            (Envelope("änn@example.org", ("bo@x.test",)), MAIL, "sender.internationalized"),
            (Envelope("ann@example.org", ("bö@x.test",)), MAIL, "sender.internationalized"),
            (Envelope("a@x.test", ("b@x.test",), smtputf8=True), MAIL, "sender.internationalized"),
        ],
    )
    def test_here_because_the_server_said_that_it_can_not(
        self,
        sessions: Sessions,
        tls: ssl.SSLContext,
        envelope: Envelope,
        content: bytes,
        code: str,
    ) -> None:
        with opened(sessions, Script(tls=tls, extensions=("SIZE 1000", "AUTH PLAIN"))) as (s, srv):
            delivery = s.send(envelope, content)
            assert not [line for line in srv.commands if line.startswith("MAIL")]
            assert s.usable
        assert statuses(delivery) == [REFUSED]
        assert delivery.failure is not None
        assert (delivery.failure.stage, delivery.failure.code) == (Stage.SENDER, code)

    def test_here_because_it_would_be_more_than_one_command(
        self, sessions: Sessions, tls: ssl.SSLContext
    ) -> None:
        with opened(sessions, Script(tls=tls)) as (session, server):
            for envelope in (
                Envelope("ann@x.test>\r\nRCPT TO:<eve@x.test", ("bo@x.test",)),
                Envelope("ann@x.test", ("bo@x.test\r\nDATA",)),
                Envelope("ann@x.test", ()),
            ):
                with pytest.raises(CommandError):
                    session.send(envelope, MAIL)
            assert session.usable
            session.noop()
            assert not [line for line in server.commands if line.startswith(("MAIL", "RCPT"))]


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


class TestBetweenMessages:
    def test_a_server_that_is_gone(self, sessions: Sessions, tls: ssl.SSLContext) -> None:
        with opened(sessions, Script(tls=tls, on={"NOOP": Close()})) as (session, _):
            with pytest.raises(SmtpFailure) as caught:
                session.noop()
            assert caught.value.code == "session.closed"
            assert not session.usable

    def test_a_server_that_says_no(self, sessions: Sessions, tls: ssl.SSLContext) -> None:
        with opened(sessions, Script(tls=tls, on={"NOOP": Reply("502 what")})) as (session, _):
            with pytest.raises(SmtpFailure) as caught:
                session.noop()
            assert str(caught.value.reply) == "502 what"
            assert session.usable

    @pytest.mark.parametrize(
        "action", [Close(), Reset(), Silence(), Raw(b"x\r\n"), Reply("500 what")]
    )
    def test_nothing_that_happens_at_quit_is_raised(
        self, sessions: Sessions, tls: ssl.SSLContext, action: Action
    ) -> None:
        told = Told()
        played = Script(tls=tls, on={"QUIT": action})
        with opened(sessions, played, told, HASTY) as (session, _):
            assert session.send(ENVELOPE, MAIL).failure is None
            session.quit()
        assert told.ends()[-1][0] is Stage.DONE
        assert told.ends()[-1][1] in (StageStatus.PASSED, StageStatus.WARNED)

    def test_the_sender_alone_can_be_tried(
        self, sessions: Sessions, tls: ssl.SSLContext
    ) -> None:
        with opened(sessions, Script(tls=tls)) as (session, server):
            session.try_sender(Envelope("ann@example.org", ()), MAIL)
            session.quit()
            assert server.commands[-3:] == [
                f"MAIL FROM:<ann@example.org> SIZE={len(MAIL)}",
                "RSET",
                "QUIT",
            ]

    def test_a_sender_that_is_refused(self, sessions: Sessions, tls: ssl.SSLContext) -> None:
        with opened(sessions, Script(tls=tls, on={"MAIL": Reply("550 no")})) as (session, _):
            with pytest.raises(SmtpFailure) as caught:
                session.try_sender(Envelope("ann@example.org", ()), MAIL)
        assert caught.value.stage is Stage.SENDER


def _default() -> Action:
    return lambda server: server.behave() or ()


def _take_message(server: object) -> Action:
    server.receive_message()  # type: ignore[attr-defined]
    return ()
