"""Sending: what is accepted, and what stands on the wire."""

from __future__ import annotations

import ssl

import pytest

from smtp_desk.core.errors import SmtpFailure
from smtp_desk.core.stages import Stage, StageStatus
from smtp_desk.smtp.session.envelope import Envelope, Status
from tests.servers.script import (
    ONE_BY_ONE,
    PIPELINING_SERVER,
    Action,
    Close,
    Raw,
    Reply,
    Reset,
    Script,
    Silence,
)
from tests.smtp.sessions import (
    ENVELOPE,
    HASTY,
    MAIL,
    Sessions,
    Told,
    opened,
    statuses,
)

BIG = b"0123456789abcdef" * 4 + b"\r\n"
ACCEPTED, REFUSED, UNCERTAIN = Status.ACCEPTED, Status.REFUSED, Status.UNCERTAIN


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
    def test_any_content(self, sessions: Sessions, tls: ssl.SSLContext, content: bytes) -> None:
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


class TestBetweenMessages:
    def test_a_server_that_is_gone(self, sessions: Sessions, tls: ssl.SSLContext) -> None:
        with opened(sessions, Script(tls=tls, on={"RSET": Close()})) as (session, _):
            with pytest.raises(SmtpFailure) as caught:
                session.try_sender(Envelope("ann@example.org", ()), MAIL)
            assert caught.value.code == "session.closed"
            assert not session.usable

    def test_a_server_that_says_no(self, sessions: Sessions, tls: ssl.SSLContext) -> None:
        with opened(sessions, Script(tls=tls, on={"MAIL": Reply("502 what")})) as (session, _):
            with pytest.raises(SmtpFailure) as caught:
                session.try_sender(Envelope("ann@example.org", ()), MAIL)
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

    def test_the_sender_alone_can_be_tried(self, sessions: Sessions, tls: ssl.SSLContext) -> None:
        with opened(sessions, Script(tls=tls)) as (session, server):
            session.try_sender(Envelope("ann@example.org", ()), MAIL)
            session.quit()
            assert server.commands[-3:] == [
                f"MAIL FROM:<ann@example.org> SIZE={len(MAIL)}",
                "RSET",
                "QUIT",
            ]

    def test_a_sender_that_is_refused(self, sessions: Sessions, tls: ssl.SSLContext) -> None:
        with (
            opened(sessions, Script(tls=tls, on={"MAIL": Reply("550 no")})) as (session, _),
            pytest.raises(SmtpFailure) as caught,
        ):
            session.try_sender(Envelope("ann@example.org", ()), MAIL)
        assert caught.value.stage is Stage.SENDER
