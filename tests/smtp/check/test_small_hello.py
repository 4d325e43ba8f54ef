"""A handshake that stays silent is tried once more with a small first message."""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING

import pytest

import smtp_desk.smtp.check.check
from smtp_desk.core.stages import Stage
from smtp_desk.smtp.session.limits import SessionLimits
from tests.servers.script import Action, Close, DropLargeHello, Reply, Script, Silence
from tests.servers.scripted import ScriptedServer
from tests.smtp.checks import Checks, code_of

if TYPE_CHECKING:
    from tests.servers.certs import Certificates

TLS_1_3 = ssl.TLSVersion.TLSv1_3


@pytest.fixture(autouse=True)
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    def limits(total: float) -> SessionLimits:
        return SessionLimits(total=total, connect=10, tls=0.5, greeting=5, patience=0.1)

    monkeypatch.setattr(smtp_desk.smtp.check.check, "limits_of_a_test", limits)


def _drops(tls: ssl.SSLContext) -> Script:
    return Script(tls=tls, on={"STARTTLS": (Reply("220 go"), DropLargeHello())})


def test_the_size_is_what_is_lost(checks: Checks, tls: ssl.SSLContext) -> None:
    with ScriptedServer(_drops(tls)) as server:
        report = checks(server)
        assert server.commands.count("STARTTLS") == 2
        assert [session.wire.tls_version for session in server.sessions] == [None, "TLSv1.2"]
        assert server.auth_attempts == 0
    assert code_of(report) == "tls.large_hello_dropped"
    assert report.finding is not None
    assert report.finding.stage is Stage.TLS
    assert report.mode == ""


def test_a_small_one_that_is_answered_with_another_fault_was_answered(
    checks: Checks, certs: Certificates
) -> None:
    with ScriptedServer(_drops(certs.expired.tls)) as server:
        assert code_of(checks(server)) == "tls.large_hello_dropped"


def test_a_server_without_tls_1_2_answers_too(checks: Checks, certs: Certificates) -> None:
    context = certs.good.server_context()
    context.minimum_version = TLS_1_3
    with ScriptedServer(_drops(context)) as server:
        assert code_of(checks(server)) == "tls.large_hello_dropped"


@pytest.mark.parametrize("second", [Silence(), Close(), Reply("220 go")])
def test_one_that_is_not_answered_either_is_a_handshake_without_end(
    checks: Checks, tls: ssl.SSLContext, second: Action
) -> None:
    first = Script(tls=tls, on={"STARTTLS": (Reply("220 go"), Silence())})
    then = Script(tls=tls, on={"STARTTLS": (Reply("220 go"), second)})
    with ScriptedServer(first, then) as server:
        assert code_of(checks(server)) == "tls.handshake_timeout"
        assert server.commands.count("STARTTLS") == 2


def test_what_is_no_silence_is_not_tried_again(checks: Checks, tls: ssl.SSLContext) -> None:
    played = Script(tls=tls, on={"STARTTLS": (Reply("220 go"), Close())})
    with ScriptedServer(played) as server:
        assert code_of(checks(server)) == "tls.handshake_closed"
        assert server.commands.count("STARTTLS") == 1
