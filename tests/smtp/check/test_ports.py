"""Which other ports of a host would work, on real ports of this machine."""

from __future__ import annotations

import contextlib
import threading
import time
from typing import TYPE_CHECKING

import pytest

from smtp_desk.core.settings import Security, ServerSettings
from smtp_desk.smtp.check.ports import MAIL_PORTS, PortAnswer, PortState, probe_ports
from smtp_desk.smtp.net.deadline import Cancel, CancelledError
from tests.servers.ports import black_hole, refusing_port
from tests.servers.script import HTTP, Reply, Script, Silence
from tests.servers.scripted import ScriptedServer

if TYPE_CHECKING:
    from tests.servers.certs import Certificates


def settings(certs: Certificates, port: int = 1) -> ServerSettings:
    return ServerSettings(
        host="localhost",
        port=port,
        from_email="bo@example.test",
        username="desk",
        security=Security.TLS,
        ca_pem=certs.root.chain_file.read_text(),
    )


def probe(certs: Certificates, script: Script) -> tuple[PortAnswer, ScriptedServer]:
    with ScriptedServer(script) as server:
        found = probe_ports(
            settings(certs), ["127.0.0.1"], Cancel(), ports=[server.port], seconds=2
        )
        server.wait_for(lambda server: server.open_connections == 0)
    (answer,) = found
    assert answer.port == server.port
    assert server.auth_attempts == 0
    assert server.messages == []
    return answer, server


def test_a_port_for_starttls(certs: Certificates) -> None:
    answer, server = probe(certs, Script(tls=certs.good.tls))
    assert (answer.answer, answer.detail) == (PortState.STARTTLS, "")
    assert answer.security is Security.STARTTLS
    assert [line.split()[0] for line in server.commands] == ["EHLO", "STARTTLS", "EHLO", "QUIT"]
    assert answer.facts() == {"port": server.port, "answer": "starttls", "detail": ""}


def test_a_port_for_tls_from_the_start(certs: Certificates) -> None:
    answer, server = probe(certs, Script(tls=certs.good.tls, implicit_tls=True))
    assert answer.answer is PortState.TLS
    assert answer.security is Security.TLS
    assert [line.split()[0] for line in server.commands] == ["EHLO", "QUIT"]


@pytest.mark.parametrize(
    ("script", "state", "detail"),
    [
        pytest.param(Script(), PortState.SMTP_WITHOUT_TLS, "tls.not_offered", id="no TLS"),
        pytest.param(HTTP, PortState.OTHER, "greeting.wrong_protocol", id="HTTP"),
        pytest.param(
            Script(greeting=Silence()), PortState.SILENT, "greeting.timeout", id="silence"
        ),
        pytest.param(
            Script(greeting=Reply("554 5.7.1 go away")),
            PortState.OTHER,
            "554 5.7.1 go away",
            id="554",
        ),
    ],
)
def test_ports_that_would_not_work(
    certs: Certificates, script: Script, state: PortState, detail: str
) -> None:
    answer, _ = probe(certs, script)
    assert answer.answer is state
    assert answer.detail == detail
    assert answer.security is None


def test_a_certificate_that_is_refused_would_not_work(certs: Certificates) -> None:
    answer, _ = probe(certs, Script(tls=certs.expired.tls))
    assert (answer.answer, answer.detail) == (PortState.OTHER, "tls.expired")


def test_all_at_once_and_never_the_one_that_failed(certs: Certificates) -> None:
    with contextlib.ExitStack() as stack:
        dead = stack.enter_context(refusing_port())
        silent = stack.enter_context(black_hole())
        working = stack.enter_context(ScriptedServer(Script(tls=certs.good.tls)))
        ports = [dead, 1, silent, working.port]
        began = time.monotonic()
        found = probe_ports(
            settings(certs, port=1), ["127.0.0.1"], Cancel(), ports=ports, seconds=1
        )
        assert time.monotonic() - began < 10
    assert [(each.port, each.answer) for each in found] == [
        (dead, PortState.CLOSED),
        (silent, PortState.SILENT),
        (working.port, PortState.STARTTLS),
    ]


def test_the_ports_of_mail() -> None:
    assert MAIL_PORTS == (587, 465, 25, 2525)


def test_cancel_ends_it(certs: Certificates) -> None:
    cancel = Cancel()
    with ScriptedServer(Script(greeting=Silence())) as server:

        def cancel_then() -> None:
            server.wait_for(lambda server: bool(server.sessions))
            cancel.cancel()

        cancelling = threading.Thread(target=cancel_then)
        cancelling.start()
        with pytest.raises(CancelledError):
            probe_ports(settings(certs), ["127.0.0.1"], cancel, ports=[server.port], seconds=60)
        cancelling.join()
