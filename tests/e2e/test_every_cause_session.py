"""What ends a session at any stage: the server, the clock, the person, or a fault of our own."""

from __future__ import annotations

import signal
import sys
from typing import TYPE_CHECKING

import pytest

from tests.e2e.causes import Cause, Checking, Play, played
from tests.e2e.program import run, settings_for, start
from tests.servers.script import Action, Close, Raw, Reply, Script, Silence
from tests.servers.scripted import ScriptedServer

if TYPE_CHECKING:
    from tests.servers.certs import Certificates
    from tests.servers.postfix import Postfix

SOON = ("--timeout", "1")
TO = ("--to", "ann@example.test", "--password-stdin", "--json")


def _on(command: str, *actions: Action) -> Play:
    return lambda certs: Script(tls=certs.good.tls, on={command: actions})


@pytest.mark.parametrize(
    ("play", "arguments"),
    [
        played("session.closed", "ehlo", 75, _on("EHLO", Close())),
        played("session.closed", "sender", 75, _on("MAIL", Close())),
        played("session.closed", "recipient", 75, _on("RCPT", Reply("421 4.4.2 bye"), Close())),
        played("session.timeout", "ehlo", 75, _on("EHLO", Silence()), *SOON),
        played("session.timeout", "auth", 75, _on("AUTH", Silence()), *SOON),
        played("session.timeout", "recipient", 75, _on("RCPT", Silence()), *SOON),
        played("session.protocol_error", "ehlo", 76, _on("EHLO", Raw(b"250-a\r\n550 b\r\n"))),
        played("session.protocol_error", "ehlo", 76, _on("EHLO", Raw(b"250-" + b"a" * 9000))),
        played("session.protocol_error", "sender", 76, _on("MAIL", Raw(b"no reply\r\n"))),
    ],
)
def test_the_server_or_the_clock(
    cause: Cause,
    *,
    check: Checking,
    certs: Certificates,
    play: Play,
    arguments: tuple[str, ...],
) -> None:
    with ScriptedServer(play(certs)) as server:
        ended = check(server, *arguments)
    cause.told(ended.status, ended.out)


@pytest.mark.skipif(sys.platform == "win32", reason="sends a POSIX signal")
@pytest.mark.cause("session.cancelled", stage="auth", status=130)
def test_the_person(cause: Cause, certs: Certificates) -> None:
    script = Script(tls=certs.good.tls, on={"AUTH": Silence()})
    with ScriptedServer(script) as server:
        settings = settings_for(server.port, certs.root.chain_file)
        with start("check", *settings, "--host", server.host, *TO) as program:
            assert program.stdin is not None
            program.stdin.write(b"s3cret")
            program.stdin.close()
            program.stdin = None
            server.wait_for(lambda server: server.auth_attempts == 1)
            program.send_signal(signal.SIGINT)
            out, _ = program.communicate(timeout=20)
    cause.told(program.returncode, out)


@pytest.mark.cause("session.internal_error", stage="auth", status=70)
def test_our_own_fault(
    cause: Cause, check: Checking, certs: Certificates, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("smtp_desk.smtp.session.session.AuthExchange", fail)
    with ScriptedServer(Script(tls=certs.good.tls)) as server:
        ended = check(server)
    finding = cause.told(ended.status, ended.out)
    assert finding.reply is None


@pytest.mark.needs("postfix")
@pytest.mark.parametrize(
    ("username", "password", "recipient"),
    [
        pytest.param(
            *("desk", "wrong", "ann@example.test"),
            marks=pytest.mark.cause("auth.rejected", stage="auth", status=77),
        ),
        pytest.param(
            *("desk", "s3cret", "nobody@example.test"),
            marks=pytest.mark.cause("recipient.unknown", stage="recipient", status=69),
        ),
        pytest.param(
            *("desk", "s3cret", "tempfail@example.test"),
            marks=pytest.mark.cause("recipient.temporary", stage="recipient", status=75),
        ),
        pytest.param(
            *("", "", "bo@elsewhere.test"),
            marks=pytest.mark.cause("recipient.relay_denied", stage="recipient", status=69),
        ),
    ],
)
def test_a_real_server(
    cause: Cause,
    *,
    postfix: Postfix,
    certs: Certificates,
    username: str,
    password: str,
    recipient: str,
) -> None:
    settings = settings_for(postfix.starttls_port, certs.root.chain_file, username=username)
    arguments = ("--to", recipient, "--password-stdin", "--json")
    done = run("check", *settings, *arguments, stdin=password.encode())
    cause.told(done.returncode, done.stdout)
