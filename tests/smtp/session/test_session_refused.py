"""Refusals: per recipient, by the server or here, and what they leave of the connection."""

from __future__ import annotations

import ssl

import pytest

from smtp_desk.core.errors import Acceptance
from smtp_desk.core.stages import Stage, StageStatus
from smtp_desk.smtp.session.envelope import Envelope, Status
from smtp_desk.smtp.wire.commands import CommandError
from tests.servers.script import (
    END_OF_DATA,
    Action,
    Close,
    CutBody,
    Delay,
    Reply,
    Reset,
    Script,
    Silence,
    once,
)
from tests.servers.session import Session as ServerSession
from tests.smtp.sessions import (
    ENVELOPE,
    MAIL,
    Sessions,
    Told,
    opened,
    statuses,
)

BIG = b"0123456789abcdef" * 4 + b"\r\n"
ACCEPTED, REFUSED, UNCERTAIN = Status.ACCEPTED, Status.REFUSED, Status.UNCERTAIN


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
        *,
        tls: ssl.SSLContext,
        extensions: tuple[str, ...],
        on: dict[str, Action],
        stage: Stage,
        line: str,
    ) -> None:
        played = Script(tls=tls, extensions=extensions, on=once(on))
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
        greedy: dict[str, Action] = {
            "RCPT": Reply("550 no"),
            "DATA": (Reply("354 go"), _take_message),
        }
        with opened(sessions, Script(tls=tls, on=greedy)) as (session, server):
            delivery = session.send(ENVELOPE, MAIL)
            assert server.messages[0].content == b""
            assert session.usable
        assert statuses(delivery) == [REFUSED]

    def test_a_server_that_takes_a_recipient_without_a_sender_gets_no_message(
        self, sessions: Sessions, tls: ssl.SSLContext
    ) -> None:
        careless: dict[str, Action] = {
            "MAIL": Reply("451 4.3.0 later"),
            "RCPT": Reply("250 ok"),
            "DATA": (Reply("354 go"), _take_message),
        }
        with opened(sessions, Script(tls=tls, on=careless)) as (session, server):
            delivery = session.send(ENVELOPE, MAIL)
            assert not session.usable
            server.wait_for(lambda server: not server.open_connections)
            assert not server.messages
        assert statuses(delivery) == [REFUSED]
        assert str(delivery.results[0].reply) == "451 4.3.0 later"

    @pytest.mark.parametrize("line", ["552 5.3.4 too big", "421 4.3.0 going down"])
    def test_in_the_middle_of_the_message_before_it_hangs_up(
        self, sessions: Sessions, tls: ssl.SSLContext, line: str
    ) -> None:
        # The pause lets the client read the reply before the reset destroys it.
        cut = CutBody(1000, (Reply(line), Delay(0.3), Reset()))
        with opened(sessions, Script(tls=tls, cut_body=cut)) as (session, _):
            delivery = session.send(ENVELOPE, BIG * 100_000)
            assert not session.usable
        assert statuses(delivery) == [REFUSED]
        assert delivery.failure is not None
        assert delivery.failure.stage is Stage.MESSAGE
        assert str(delivery.failure.reply) == line

    def test_more_recipients_than_the_facts_name(
        self, sessions: Sessions, tls: ssl.SSLContext
    ) -> None:
        told = Told()
        envelope = Envelope("ann@example.org", tuple(f"r{n}@x.test" for n in range(50)))
        with opened(sessions, Script(tls=tls), told) as (session, server):
            assert session.send(envelope, MAIL).failure is None
            assert len(server.messages[0].recipients) == 50
        recipients = told.facts(Stage.RECIPIENT)["recipients"]
        assert isinstance(recipients, list)
        assert len(recipients) == 20

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
            assert session.send(ENVELOPE, MAIL).failure is None
            commands = [line for line in server.commands if line.startswith(("MAIL", "RCPT"))]
            assert len(commands) == 1 + len(ENVELOPE.recipients)


def _take_message(server: ServerSession) -> Action:
    server.receive_message()
    return ()
