"""How TLS begins: found out where the settings leave it open, named where they are wrong."""

from __future__ import annotations

import dataclasses
import ssl
from typing import TYPE_CHECKING, Any

import pytest

from smtp_desk.core.errors import SmtpFailure
from smtp_desk.core.settings import Security
from smtp_desk.core.stages import Stage, StageStatus
from smtp_desk.smtp.session import opening
from smtp_desk.smtp.session.limits import SENDER_LIMITS, SessionLimits
from tests.servers import script
from tests.servers.script import (
    Action,
    Close,
    Delay,
    Raw,
    Receive,
    Reply,
    Script,
    Silence,
    Turns,
)
from tests.servers.scripted import ScriptedServer
from tests.smtp.sessions import PATIENT, Sessions, Told

if TYPE_CHECKING:
    from tests.servers.certs import Certificates

QUICK = dataclasses.replace(PATIENT, greeting=10, patience=0.1)
GIVES_UP = dataclasses.replace(PATIENT, greeting=0.5, tls=0.5, patience=0.1)


def fails(
    sessions: Sessions,
    server: ScriptedServer,
    limits: SessionLimits = QUICK,
    **fields: Any,  # noqa: ANN401 - by name
) -> SmtpFailure:
    session = sessions.new(server, limits=limits, **fields)
    with pytest.raises(SmtpFailure) as caught:
        session.open()
    return caught.value


class TestAutomatic:
    def test_a_server_of_tls_from_the_start_is_found(
        self, sessions: Sessions, tls: ssl.SSLContext
    ) -> None:
        told = Told()
        with ScriptedServer(Script(tls=tls, implicit_tls=True)) as server:
            session = sessions.new(server, limits=QUICK, told=told)
            session.open()
            assert session.mode is Security.TLS
            session.quit()
            assert server.sessions[1].authenticated
            assert server.sessions[1].commands_in_clear == []
            assert server.sessions[0].commands == []
        assert told.facts(Stage.TLS)["mode"] == "tls"
        assert told.ends()[-4:] == [
            (Stage.GREETING, StageStatus.PASSED),
            (Stage.EHLO, StageStatus.PASSED),
            (Stage.AUTH, StageStatus.PASSED),
            (Stage.DONE, StageStatus.PASSED),
        ]

    def test_a_slow_plain_banner_wins_over_a_second_connection_that_says_nothing(
        self, sessions: Sessions, tls: ssl.SSLContext
    ) -> None:
        with ScriptedServer(
            Script(tls=tls, greeting=(Delay(0.4), Reply("220 slow"))),
            Script(greeting=Silence()),
        ) as server:
            session = sessions.new(server, limits=QUICK)
            session.open()
            assert session.mode is Security.STARTTLS
            session.quit()
            assert server.sessions[0].authenticated
            server.wait_for(lambda s: s.open_connections == 0)

    def test_a_slow_plain_banner_wins_over_one_on_the_second_connection(
        self, sessions: Sessions, tls: ssl.SSLContext
    ) -> None:
        with ScriptedServer(
            Script(tls=tls, greeting=(Delay(0.5), Reply("220 slow"))), Script(tls=tls)
        ) as server:
            session = sessions.new(server, limits=QUICK)
            session.open()
            assert session.mode is Security.STARTTLS
            session.quit()

    def test_a_bad_certificate_on_the_second_connection_is_the_cause(
        self, sessions: Sessions, certs: Certificates
    ) -> None:
        context = certs.expired.tls
        with ScriptedServer(Script(tls=context, implicit_tls=True)) as server:
            failure = fails(sessions, server)
        assert (failure.stage, failure.code) == (Stage.TLS, "tls.expired")

    def test_a_bad_banner_inside_tls_is_the_cause(
        self, sessions: Sessions, tls: ssl.SSLContext
    ) -> None:
        played = Script(tls=tls, implicit_tls=True, greeting=Reply("554 not you"))
        with ScriptedServer(played) as server:
            failure = fails(sessions, server)
            server.wait_for(lambda s: s.open_connections == 0)
        assert str(failure.reply) == "554 not you"

    def test_silence_on_both_is_no_banner(self, sessions: Sessions) -> None:
        with ScriptedServer(Script(greeting=Silence())) as server:
            failure = fails(sessions, server, GIVES_UP)
            assert len(server.sessions) == 2
        assert failure.code == "greeting.timeout"

    def test_a_first_connection_that_closes_leaves_it_to_the_second(
        self, sessions: Sessions, tls: ssl.SSLContext
    ) -> None:
        with ScriptedServer(
            Script(greeting=(Delay(0.3), Close())),
            Script(tls=tls, implicit_tls=True, connect=Delay(0.6)),
        ) as server:
            session = sessions.new(server, limits=QUICK)
            session.open()
            assert session.mode is Security.TLS
            session.quit()

    def test_both_close(self, sessions: Sessions) -> None:
        with ScriptedServer(Script(greeting=(Delay(0.3), Close()))) as server:
            failure = fails(sessions, server)
        assert failure.code == "greeting.closed"

    def test_a_web_server_is_known_by_its_answer_to_tls(self, sessions: Sessions) -> None:
        with ScriptedServer(script.HTTP) as server:
            failure = fails(sessions, server)
        assert failure.code == "greeting.wrong_protocol"
        assert failure.facts["protocol"] == "HTTP"

    def test_port_465_is_tls_from_the_start(
        self, sessions: Sessions, tls: ssl.SSLContext, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with ScriptedServer(Script(tls=tls, implicit_tls=True)) as server:
            monkeypatch.setattr(opening, "TLS_PORT", server.port)
            session = sessions.new(server)
            session.open()
            session.quit()
            assert len(server.sessions) == 1
        assert session.mode is Security.TLS


def test_with_no_patience_left_there_is_no_second_connection(sessions: Sessions) -> None:
    limits = dataclasses.replace(SENDER_LIMITS, greeting=0.2, patience=0.2)
    with ScriptedServer(Script(greeting=Silence())) as server:
        failure = fails(sessions, server, limits)
        assert len(server.sessions) == 1
    assert failure.code == "greeting.timeout"
    assert SENDER_LIMITS.patience >= SENDER_LIMITS.greeting


class TestWrong:
    def test_starttls_on_a_port_of_tls_from_the_start(
        self, sessions: Sessions, tls: ssl.SSLContext
    ) -> None:
        with ScriptedServer(Script(tls=tls, implicit_tls=True)) as server:
            failure = fails(sessions, server, security=Security.STARTTLS)
            server.wait_for(lambda s: s.open_connections == 0)
            assert server.auth_attempts == 0
        assert failure.code == "tls.wrong_mode"
        assert failure.facts["working_security"] == "tls"

    def test_tls_from_the_start_on_a_port_of_starttls(
        self, sessions: Sessions, tls: ssl.SSLContext
    ) -> None:
        with ScriptedServer(Script(tls=tls)) as server:
            failure = fails(sessions, server, security=Security.TLS)
        assert (failure.stage, failure.code) == (Stage.TLS, "tls.wrong_mode")
        assert failure.facts["working_security"] == "starttls"

    @pytest.mark.parametrize(
        ("played", "protocol"),
        [(script.HTTP, "HTTP"), (script.IMAP, "IMAP"), (script.FTP, "FTP")],
    )
    def test_tls_from_the_start_with_another_protocol(
        self, sessions: Sessions, played: Script, protocol: str
    ) -> None:
        with ScriptedServer(played) as server:
            failure = fails(sessions, server, security=Security.TLS)
        assert failure.code == "greeting.wrong_protocol"
        assert failure.facts["protocol"] == protocol

    def test_an_answer_to_tls_that_is_nothing_known_stays_what_it_is(
        self, sessions: Sessions
    ) -> None:
        with ScriptedServer(Script(greeting=(Receive(), Reply("hello")))) as server:
            failure = fails(sessions, server, security=Security.TLS)
        assert failure.code == "tls.wrong_mode"
        assert "working_security" not in failure.facts


class _TwoAddresses:
    """A host with two addresses, of which 127.0.0.1 comes first."""

    def resolve(self, *_: object) -> tuple[str, ...]:
        return ("127.0.0.1", "127.0.0.2")


class TestAddresses:
    def test_an_address_that_fails_before_ehlo_yields_to_the_next(
        self, sessions: Sessions, tls: ssl.SSLContext, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("smtp_desk.smtp.session.session.SystemResolver", _TwoAddresses)
        told = Told()
        first = Script(tls=tls, greeting=Turns(Reply("421 busy"), Reply("220 ok")))
        with (
            ScriptedServer(first) as one,
            ScriptedServer(Script(tls=tls), host="127.0.0.2", port=one.port) as other,
        ):
            # The certificate is for localhost, and the resolver says where that is.
            session = sessions.new(one, told=told, host="localhost")
            session.open()
            session.quit()
            assert other.sessions[0].authenticated
            assert one.sessions[0].commands == []
        ends = told.ends()
        assert (Stage.GREETING, StageStatus.FAILED) in ends
        assert (Stage.CONNECT, StageStatus.WARNED) in ends
        assert told.facts(Stage.CONNECT)["dead_addresses"] == ["127.0.0.1"]

    @pytest.mark.parametrize(
        "greeting",
        [
            Reply("* OK IMAP4rev1 ready"),
            Reply("+OK POP3 ready"),
            Reply("554 5.7.1 not you"),
            Reply("421 busy"),
            Raw(b"hello\r\n"),
            Raw(b"220-a\r\n554 b\r\n"),
            (Raw(b"220 half a ban"), Close()),
            Close(),
        ],
    )
    def test_whatever_one_address_greets_with_another_is_tried(
        self,
        sessions: Sessions,
        tls: ssl.SSLContext,
        monkeypatch: pytest.MonkeyPatch,
        greeting: Action,
    ) -> None:
        monkeypatch.setattr("smtp_desk.smtp.session.session.SystemResolver", _TwoAddresses)
        told = Told()
        with (
            ScriptedServer(Script(greeting=greeting)) as one,
            ScriptedServer(Script(tls=tls), host="127.0.0.2", port=one.port) as other,
        ):
            session = sessions.new(one, told=told, host="localhost")
            session.open()
            session.quit()
            assert other.sessions[-1].authenticated
        assert told.facts(Stage.CONNECT)["dead_addresses"] == ["127.0.0.1"]

    @pytest.mark.parametrize("name", ["expired", "wrong_host", "self_signed"])
    def test_a_bad_certificate_at_one_address_leaves_it_to_the_other(
        self,
        sessions: Sessions,
        certs: Certificates,
        monkeypatch: pytest.MonkeyPatch,
        name: str,
    ) -> None:
        monkeypatch.setattr("smtp_desk.smtp.session.session.SystemResolver", _TwoAddresses)
        bad = Script(tls=getattr(certs, name).tls, implicit_tls=True)
        good = Script(tls=certs.good.tls, implicit_tls=True)
        with (
            ScriptedServer(bad) as one,
            ScriptedServer(good, host="127.0.0.2", port=one.port) as other,
        ):
            session = sessions.new(one, host="localhost", security=Security.TLS)
            session.open()
            session.quit()
            assert other.sessions[-1].authenticated
            assert one.auth_attempts == 0

    @pytest.mark.parametrize("implicit_tls", [True, False])
    def test_what_a_second_connection_found_out_is_forgotten_with_its_address(
        self,
        sessions: Sessions,
        tls: ssl.SSLContext,
        monkeypatch: pytest.MonkeyPatch,
        *,
        implicit_tls: bool,
    ) -> None:
        monkeypatch.setattr("smtp_desk.smtp.session.session.SystemResolver", _TwoAddresses)
        bad = Script(tls=tls, implicit_tls=True, greeting=Reply("554 not you"))
        good = Script(tls=tls, implicit_tls=implicit_tls)
        with (
            ScriptedServer(bad) as one,
            ScriptedServer(good, host="127.0.0.2", port=one.port) as other,
        ):
            session = sessions.new(one, limits=QUICK, host="localhost")
            session.open()
            session.quit()
            assert other.sessions[-1].authenticated
        assert session.mode is (Security.TLS if implicit_tls else Security.STARTTLS)

    def test_when_all_fail_the_first_one_is_the_cause(
        self, sessions: Sessions, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("smtp_desk.smtp.session.session.SystemResolver", _TwoAddresses)
        with (
            ScriptedServer(Script(greeting=Reply("554 not you"))) as one,
            ScriptedServer(Script(greeting=Close()), host="127.0.0.2", port=one.port),
        ):
            failure = fails(sessions, one, host="localhost")
        assert str(failure.reply) == "554 not you"

    def test_a_second_address_that_is_closed_does_not_hide_the_first(
        self, sessions: Sessions, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("smtp_desk.smtp.session.session.SystemResolver", _TwoAddresses)
        with ScriptedServer(Script(greeting=Reply("554 not you"))) as one:
            failure = fails(sessions, one, host="localhost")
        assert str(failure.reply) == "554 not you"
