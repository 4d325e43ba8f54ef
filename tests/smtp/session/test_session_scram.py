"""Signing in where both sides prove that they know the password."""

from __future__ import annotations

import base64
import ssl

import pytest

from smtp_desk.core.stages import Stage
from tests.servers.script import Action, Reply, Script
from tests.servers.scripted import ScriptedServer
from tests.servers.session import Session as ServerSession
from tests.smtp.session.test_session_auth import fails
from tests.smtp.sessions import Sessions, Told
from tests.smtp.wire.test_auth import ScramServer


class TestScram:
    """RFC 7677: the server must prove that it knows the password, too."""

    def played(
        self, tls: ssl.SSLContext, password: str, *, silent: bool = False, refusal: str = ""
    ) -> Script:
        def act(server: ServerSession) -> Action:
            scram = ScramServer(password)
            first = base64.b64decode(server.line.split()[2])
            server.wire.send(b"334 " + scram.challenge(first) + b"\r\n")
            verdict = scram.verdict(base64.b64decode(server.wire.line()))
            if silent:
                return Reply("235 2.7.0 welcome")
            if verdict is None and refusal:
                server.wire.send(b"334 " + base64.b64encode(b"e=invalid-proof") + b"\r\n")
                assert server.wire.line() == b"\r\n"
                return Reply(refusal)
            if verdict is None:
                return Reply("535 5.7.8 no")
            server.wire.send(b"334 " + base64.b64encode(verdict) + b"\r\n")
            assert server.wire.line() == b"\r\n"
            return Reply("235 2.7.0 welcome")

        return Script(tls=tls, extensions=("AUTH SCRAM-SHA-256",), on={"AUTH": act})

    def test_it_signs_in(self, sessions: Sessions, tls: ssl.SSLContext) -> None:
        told = Told()
        with ScriptedServer(self.played(tls, "s3cret")) as server:
            session = sessions.new(server, told=told)
            session.open()
            session.quit()
        assert told.facts(Stage.AUTH)["mechanism"] == "SCRAM-SHA-256"

    def test_a_wrong_password(self, sessions: Sessions, tls: ssl.SSLContext) -> None:
        with ScriptedServer(self.played(tls, "other")) as server:
            failure = fails(sessions, server)
        assert str(failure.reply) == "535 5.7.8 no"

    def test_a_wrong_password_that_is_told_in_a_challenge(
        self, sessions: Sessions, tls: ssl.SSLContext
    ) -> None:
        with ScriptedServer(self.played(tls, "other", refusal="535 5.7.8 bad proof")) as server:
            failure = fails(sessions, server)
        assert str(failure.reply) == "535 5.7.8 bad proof"

    @pytest.mark.parametrize("line", ["235 2.7.0 welcome", "334 "])
    def test_a_server_that_goes_on_after_its_refusal(
        self, sessions: Sessions, tls: ssl.SSLContext, line: str
    ) -> None:
        with ScriptedServer(self.played(tls, "other", refusal=line)) as server:
            failure = fails(sessions, server)
            assert not [each for each in server.commands if each.startswith("MAIL")]
        assert failure.code == "session.protocol_error"

    def test_a_server_that_proves_nothing(self, sessions: Sessions, tls: ssl.SSLContext) -> None:
        with ScriptedServer(self.played(tls, "s3cret", silent=True)) as server:
            failure = fails(sessions, server)
            assert not [line for line in server.commands if line.startswith("MAIL")]
        assert failure.code == "session.protocol_error"
        assert "prove" in str(failure.facts["detail"])
