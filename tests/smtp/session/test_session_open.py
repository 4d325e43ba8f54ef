"""Opening: every stage, in the right order, and what ends each."""

from __future__ import annotations

import socket
import ssl
from typing import TYPE_CHECKING, Any

import pytest

from smtp_desk.core.errors import SmtpFailure
from smtp_desk.core.settings import Security
from smtp_desk.core.stages import Stage, StageEvent, StageStatus
from smtp_desk.smtp.session.envelope import Envelope
from smtp_desk.smtp.session.limits import SessionLimits
from smtp_desk.smtp.wire.commands import CommandError
from tests.servers import script
from tests.servers.script import (
    Action,
    Close,
    Default,
    Delay,
    Drip,
    Handshake,
    Raw,
    Receive,
    Reply,
    Reset,
    Script,
    Silence,
    Turns,
)
from tests.servers.scripted import ScriptedServer
from tests.smtp.sessions import HASTY, PATIENT, Sessions, Told

if TYPE_CHECKING:
    from tests.servers.certs import Certificates
    from tests.servers.session import Session as ServerSession

TLS_FIRST: dict[str, Any] = {"security": Security.TLS}


def fails(
    sessions: Sessions,
    server: ScriptedServer,
    *,
    limits: SessionLimits = PATIENT,
    told: Told | None = None,
    **fields: Any,  # noqa: ANN401 - by name
) -> SmtpFailure:
    """What ends the opening of a session."""
    session = sessions.new(server, limits=limits, told=told, **fields)
    with pytest.raises(SmtpFailure) as caught:
        session.open()
    assert not session.usable
    return caught.value


def until_silent(action: Action) -> SessionLimits:
    """Limits that only a server reaches that falls silent: a busy machine looks like one, too."""
    return HASTY if any(silent in repr(action) for silent in ("Silence", "Drip")) else PATIENT


class TestStages:
    def test_with_starttls(self, sessions: Sessions, tls: ssl.SSLContext) -> None:
        told = Told()
        with ScriptedServer(Script(tls=tls)) as server:
            session = sessions.new(server, told=told)
            session.open()
            session.quit()
        passed = [stage for stage, status in told.ends() if status is StageStatus.PASSED]
        assert passed == [
            *(Stage.SETTINGS, Stage.RESOLVE, Stage.CONNECT, Stage.GREETING),
            *(Stage.EHLO, Stage.TLS, Stage.EHLO, Stage.AUTH, Stage.DONE),
        ]
        assert session.mode is Security.STARTTLS
        assert server.sessions[0].commands_in_clear == ["EHLO [127.0.0.1]", "STARTTLS"]
        assert server.sessions[0].authenticated

    def test_with_tls_from_the_start(self, sessions: Sessions, tls: ssl.SSLContext) -> None:
        told = Told()
        with ScriptedServer(Script(tls=tls, implicit_tls=True)) as server:
            session = sessions.new(server, told=told, **TLS_FIRST)
            session.open()
            session.quit()
        stages = [stage for stage, _ in told.ends()]
        assert stages[2:] == [
            *(Stage.CONNECT, Stage.TLS, Stage.GREETING, Stage.EHLO, Stage.AUTH, Stage.DONE)
        ]
        assert server.sessions[0].commands_in_clear == []

    def test_facts(self, sessions: Sessions, tls: ssl.SSLContext) -> None:
        told = Told()
        with ScriptedServer(Script(tls=tls)) as server:
            session = sessions.new(server, told=told, ehlo_name="desk.example.org")
            session.open()
            session.quit()
        assert told.facts(Stage.GREETING)["banner"] == "mail.example.test ESMTP"
        ehlo = told.facts(Stage.EHLO)
        assert ehlo["ehlo_name"] == "desk.example.org"
        assert ehlo["server_name"] == "mail.example.test"
        before, after = ehlo["extensions_before_tls"], ehlo["extensions"]
        assert isinstance(before, list)
        assert isinstance(after, list)
        assert "STARTTLS" in before
        assert "AUTH PLAIN LOGIN" in after
        assert told.facts(Stage.TLS)["version"] == "TLSv1.3"
        assert told.facts(Stage.TLS)["mode"] == "starttls"
        assert told.facts(Stage.AUTH).items() >= {("mechanism", "PLAIN"), ("reply_code", 235)}
        assert told.facts(Stage.DONE)["reply_code"] == 221
        assert all(event.ms >= 0 for event in told.events)

    def test_up_to_tls_nobody_signs_in(self, sessions: Sessions, tls: ssl.SSLContext) -> None:
        with ScriptedServer(Script(tls=tls)) as server:
            session = sessions.new(server)
            session.open(through=Stage.TLS)
            session.quit()
            assert server.auth_attempts == 0

    def test_without_credentials_auth_is_skipped(
        self, sessions: Sessions, tls: ssl.SSLContext
    ) -> None:
        told = Told()
        with ScriptedServer(Script(tls=tls)) as server:
            session = sessions.new(server, told=told, credential=None, username="")
            session.open()
            session.quit()
        assert (Stage.AUTH, StageStatus.SKIPPED) in told.ends()


class TestSettings:
    @pytest.mark.parametrize(
        ("fields", "code"),
        [
            ({"ca_pem": "no certificate"}, "settings.ca_file_unreadable"),
            ({"ca_pem": "kein Zertifikät"}, "settings.ca_file_unreadable"),
            ({"username": ""}, "settings.credentials_incomplete"),
            ({"credential": None}, "settings.credentials_incomplete"),
        ],
    )
    def test_what_can_be_known_before_the_first_packet(
        self, sessions: Sessions, fields: dict[str, Any], code: str
    ) -> None:
        with ScriptedServer() as server:
            failure = fails(sessions, server, **fields)
            assert (failure.stage, failure.code) == (Stage.SETTINGS, code)
            assert not server.sessions

    def test_a_session_that_is_not_open_says_so(self, sessions: Sessions) -> None:
        with ScriptedServer() as server:
            session = sessions.new(server)
            with pytest.raises(CommandError):
                session.try_sender(Envelope("ann@example.org", ()), b"")
            session.quit()
            session.abort()


class TestGreeting:
    @pytest.mark.parametrize(
        ("greeting", "code"),
        [
            (Close(), "greeting.closed"),
            (Reset(), "greeting.closed"),
            ((Delay(0.2), Reset()), "greeting.closed"),
            (Silence(), "greeting.timeout"),
            (Drip(b"220 x", every=0.02, endless=True), "greeting.timeout"),
            (Raw(b"hello\r\n"), "greeting.not_smtp"),
            ((Raw(b"SSH"), Close()), "greeting.not_smtp"),
            ((Raw(b"\x00\x01\x02"), Silence()), "greeting.not_smtp"),
            (Raw(b"x" * 9000), "greeting.not_smtp"),
            (Reply("200 hello"), "greeting.not_smtp"),
            (Reply("354 hello"), "greeting.not_smtp"),
            (Raw(b"220-a\r\n554 b\r\n"), "session.protocol_error"),
            ((Raw(b"220-a\r\n"), Close()), "greeting.closed"),
            ((Raw(b"220 mail.exam"), Close()), "greeting.closed"),
            ((Raw(b"22"), Close()), "greeting.closed"),
            (Raw(b"220 a\r\n220 b\r\n"), "session.protocol_error"),
            (Raw(b"220 a\r\n250-b\r\n"), "session.protocol_error"),
            ((Raw(b"\x15\x03\x01\x00\x02\x02"), Close()), "tls.wrong_mode"),
        ],
    )
    def test_known_without_words(
        self, sessions: Sessions, greeting: Action, code: str, tls: ssl.SSLContext
    ) -> None:
        with ScriptedServer(Script(tls=tls, greeting=greeting)) as server:
            failure = fails(sessions, server, limits=until_silent(greeting))
        assert failure.code == code

    @pytest.mark.parametrize("line", ["421 busy", "450 later", "500 no", "530 no", "554 no"])
    def test_refused_in_words(self, sessions: Sessions, line: str) -> None:
        with ScriptedServer(Script(greeting=Reply(line))) as server:
            failure = fails(sessions, server)
        assert (failure.stage, failure.code) == (Stage.GREETING, None)
        assert str(failure.reply) == line

    @pytest.mark.parametrize(
        ("played", "protocol"),
        [
            (script.IMAP, "IMAP"),
            (script.POP3, "POP3"),
            (script.SSH, "SSH"),
            (script.FTP, "FTP"),
            (Script(greeting=Raw(b"J\0\0\0\x0a8.0.36\0\x08")), "MySQL"),
            (Script(greeting=Reply("200 InterNetNews ready")), "NNTP"),
        ],
    )
    def test_another_protocol(self, sessions: Sessions, played: Script, protocol: str) -> None:
        with ScriptedServer(played) as server:
            failure = fails(sessions, server)
        assert failure.code == "greeting.wrong_protocol"
        assert failure.facts["protocol"] == protocol

    @pytest.mark.parametrize(
        "greeting", [Silence(), Drip(b"220 x", every=0.02, endless=True), (Raw(b"220"), Silence())]
    )
    def test_the_stage_names_the_cause_whichever_limit_ended_it(
        self, sessions: Sessions, greeting: Action
    ) -> None:
        with ScriptedServer(Script(greeting=greeting)) as server:
            failure = fails(sessions, server, limits=SessionLimits(total=0.2, connect=10))
        assert failure.code == "greeting.timeout"
        assert failure.facts["stage"] == "greeting"

    def test_a_bare_lf_is_told(self, sessions: Sessions, tls: ssl.SSLContext) -> None:
        told = Told()
        with ScriptedServer(Script(tls=tls, greeting=Raw(b"220 x\n"))) as server:
            session = sessions.new(server, told=told)
            session.open()
            session.quit()
        assert told.facts(Stage.GREETING)["bare_lf"] is True


class TestEhlo:
    @pytest.mark.parametrize(
        "line", ["220 x", "221 x", "354 x", "421 x", "450 x", "500 x", "502 x", "550 x"]
    )
    def test_only_250_goes_on(self, sessions: Sessions, line: str) -> None:
        with ScriptedServer(Script(on={"EHLO": Reply(line)})) as server:
            failure = fails(sessions, server)
            server.wait_for(lambda s: s.open_connections == 0)
            assert not [c for c in server.commands if c.startswith(("HELO", "AUTH", "MAIL"))]
        assert (failure.stage, failure.code, str(failure.reply)) == (Stage.EHLO, None, line)

    @pytest.mark.parametrize(
        ("action", "code"),
        [
            (Close(), "session.closed"),
            (Silence(), "session.timeout"),
            (Raw(b"250-a\r\n550 b\r\n"), "session.protocol_error"),
            (Raw(b"250-" + b"a" * 9000), "session.protocol_error"),
            (Raw(b"250-aaaa\r\n" * 7000), "session.protocol_error"),
        ],
    )
    def test_no_answer(self, sessions: Sessions, action: Action, code: str) -> None:
        with ScriptedServer(Script(on={"EHLO": action})) as server:
            failure = fails(sessions, server, limits=until_silent(action))
        assert (failure.stage, failure.code) == (Stage.EHLO, code)
        assert failure.facts["stage"] == "ehlo"

    def test_what_was_offered_before_tls_is_forgotten(
        self, sessions: Sessions, tls: ssl.SSLContext
    ) -> None:
        offer = ("SIZE 10", "AUTH CRAM-MD5", "SMTPUTF8", "STARTTLS")
        played = Script(tls=tls, extensions=("AUTH PLAIN",), extensions_before_tls=offer)
        with ScriptedServer(played) as server:
            session = sessions.new(server)
            session.open()
            assert session.extensions.words.keys() == {"AUTH"}
            session.quit()


class TestStartTls:
    def test_not_offered(self, sessions: Sessions) -> None:
        with ScriptedServer(Script()) as server:
            failure = fails(sessions, server)
            server.wait_for(lambda s: s.open_connections == 0)
            assert server.commands == ["EHLO [127.0.0.1]"]
        assert (failure.stage, failure.code) == (Stage.TLS, "tls.not_offered")
        assert "AUTH" in str(failure.facts["extensions"])

    @pytest.mark.parametrize(
        "line", ["250 x", "354 x", "421 x", "454 x", "500 x", "501 x", "502 x", "530 x"]
    )
    def test_refused(self, sessions: Sessions, tls: ssl.SSLContext, line: str) -> None:
        with ScriptedServer(Script(tls=tls, on={"STARTTLS": Reply(line)})) as server:
            failure = fails(sessions, server)
            server.wait_for(lambda s: s.open_connections == 0)
            assert server.commands[:2] == ["EHLO [127.0.0.1]", "STARTTLS"]
            assert server.commands[2:] in ([], ["QUIT"])
        assert (failure.stage, failure.code, str(failure.reply)) == (Stage.TLS, None, line)

    @pytest.mark.parametrize(
        ("action", "code"),
        [
            ((Raw(b"220 go\r\n250-x\r\n250 AUTH PLAIN\r\n"), Handshake()), "tls.injected_data"),
            ((Raw(b"220 go\r\n2"), Handshake()), "tls.injected_data"),
            (Close(), "tls.handshake_closed"),
            ((Reply("220 go"), Close()), "tls.handshake_closed"),
            (Silence(), "tls.handshake_timeout"),
        ],
    )
    def test_it_goes_wrong(
        self, sessions: Sessions, tls: ssl.SSLContext, action: Action, code: str
    ) -> None:
        with ScriptedServer(Script(tls=tls, on={"STARTTLS": action})) as server:
            failure = fails(sessions, server, limits=until_silent(action))
            assert server.auth_attempts == 0
        assert (failure.stage, failure.code) == (Stage.TLS, code)

    def test_plain_text_in_a_later_segment_breaks_the_handshake(
        self, sessions: Sessions, tls: ssl.SSLContext
    ) -> None:
        late = (Reply("220 go"), Delay(0.1), Reply("250 AUTH PLAIN"), Silence())
        with ScriptedServer(Script(tls=tls, on={"STARTTLS": late})) as server:
            failure = fails(sessions, server)
            assert server.auth_attempts == 0
        assert failure.stage is Stage.TLS
        assert failure.code == "tls.injected_data"

    @pytest.mark.parametrize("line", ["502 5.5.2 Unknown command", "454 4.7.0 TLS not available"])
    def test_agreed_to_and_then_refused_as_a_command(
        self, sessions: Sessions, tls: ssl.SSLContext, line: str
    ) -> None:
        """It says 220, reads the first bytes of TLS as a command, and knows none such."""
        agreed = (Reply("220 go"), Receive(), Reply(line))
        with ScriptedServer(Script(tls=tls, on={"STARTTLS": agreed})) as server:
            failure = fails(sessions, server)
            server.wait_for(lambda s: s.open_connections == 0)
            assert b"QUIT" not in server.received
        assert (failure.stage, failure.code, str(failure.reply)) == (Stage.TLS, None, line)
        assert failure.facts["answer"] == line

    def test_plain_text_slipped_into_tls_is_no_old_version_of_it(
        self, sessions: Sessions, tls: ssl.SSLContext
    ) -> None:
        def slip_in(server: ServerSession) -> Action:
            socket.socket.send(server.wire._sock, b"250-AUTH PLAIN\r\n250 ok\r\n")
            return Silence()

        after_tls = Turns(Default(), slip_in)
        with ScriptedServer(Script(tls=tls, on={"EHLO": after_tls})) as server:
            failure = fails(sessions, server)
            assert server.auth_attempts == 0
        assert (failure.stage, failure.code) == (Stage.TLS, "tls.failed")

    def test_a_bad_certificate_ends_it_before_auth(
        self, sessions: Sessions, certs: Certificates
    ) -> None:
        context = certs.self_signed.tls
        with ScriptedServer(Script(tls=context)) as server:
            failure = fails(sessions, server)
            server.wait_for(lambda s: s.open_connections == 0)
            assert server.commands == ["EHLO [127.0.0.1]", "STARTTLS"]
        assert (failure.stage, failure.code) == (Stage.TLS, "tls.self_signed")


def test_a_watcher_that_fails_leaves_no_connection_open(
    sessions: Sessions, tls: ssl.SSLContext
) -> None:
    class Broken(Told):
        def __call__(self, event: StageEvent) -> None:
            if event.stage is Stage.GREETING:
                raise ZeroDivisionError

    with ScriptedServer(Script(tls=tls)) as server:
        with pytest.raises(ZeroDivisionError):
            sessions.new(server, told=Broken()).open()
        server.wait_for(lambda s: bool(s.sessions) and s.open_connections == 0)
