"""The service's thread outlives whatever clients do to it, and ends when it is told to."""

import errno
import logging
import socket
import ssl
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack

import pytest

from smtp_desk.core.secret import Secret
from smtp_desk.sandbox.authority import make_tls_identity
from smtp_desk.sandbox.conversation import Conversation, Postmaster
from smtp_desk.sandbox.inbox import Inbox
from smtp_desk.sandbox.server import Sandbox
from smtp_desk.sandbox.service import Service, listen_on_loopback
from tests.sandbox.conftest import NOW
from tests.sandbox.wire import Wire, eventually, plain_wire, signed_in_wire, tls_wire

CLIENT_HELLO = bytes.fromhex("16030102000100")


def starttls(wire: Wire) -> None:
    wire.reply()
    wire.say("EHLO client.example.org")
    assert wire.say("STARTTLS").startswith("220 ")


def probe(sandbox: Sandbox, trust: ssl.SSLContext) -> None:
    for port in (sandbox.starttls_port, sandbox.tls_port):
        with plain_wire(port):
            pass


def reset_at_once(sandbox: Sandbox, trust: ssl.SSLContext) -> None:
    for port in (sandbox.starttls_port, sandbox.tls_port):
        with plain_wire(port) as wire:
            wire.reset()


def speak_plainly_to_tls(sandbox: Sandbox, trust: ssl.SSLContext) -> None:
    with plain_wire(sandbox.tls_port) as wire:
        wire.send(b"EHLO client.example.org\r\n")
        wire.socket.settimeout(5)
        while wire.socket.recv(1024):
            pass


def speak_tls_to_starttls(sandbox: Sandbox, trust: ssl.SSLContext) -> None:
    with plain_wire(sandbox.starttls_port) as wire, pytest.raises(ssl.SSLError):
        trust.wrap_socket(wire.socket, server_hostname="localhost")


def begin_a_handshake_and_leave(sandbox: Sandbox, trust: ssl.SSLContext) -> None:
    with plain_wire(sandbox.tls_port) as wire:
        wire.send(CLIENT_HELLO)
    with plain_wire(sandbox.tls_port) as wire:
        wire.send(CLIENT_HELLO)
        wire.reset()


def distrust(sandbox: Sandbox, trust: ssl.SSLContext) -> None:
    with plain_wire(sandbox.tls_port) as wire, pytest.raises(ssl.SSLCertVerificationError):
        ssl.create_default_context().wrap_socket(wire.socket, server_hostname="localhost")
    with plain_wire(sandbox.starttls_port) as wire:
        starttls(wire)
        with pytest.raises(ssl.SSLCertVerificationError):
            ssl.create_default_context().wrap_socket(wire.socket, server_hostname="localhost")


def leave_after_starttls(sandbox: Sandbox, trust: ssl.SSLContext) -> None:
    with plain_wire(sandbox.starttls_port) as wire:
        starttls(wire)


def reset_after_starttls(sandbox: Sandbox, trust: ssl.SSLContext) -> None:
    with plain_wire(sandbox.starttls_port) as wire:
        starttls(wire)
        wire.reset()


def speak_plainly_after_starttls(sandbox: Sandbox, trust: ssl.SSLContext) -> None:
    with plain_wire(sandbox.starttls_port) as wire:
        starttls(wire)
        wire.send(b"EHLO client.example.org\r\n")
        wire.socket.settimeout(5)
        while wire.socket.recv(1024):
            pass


def leave_in_the_login(sandbox: Sandbox, trust: ssl.SSLContext) -> None:
    with tls_wire(sandbox, trust) as wire:
        wire.say("AUTH LOGIN")


def leave_in_the_mail(sandbox: Sandbox, trust: ssl.SSLContext) -> None:
    with signed_in_wire(sandbox, trust) as wire:
        for command in ("MAIL FROM:<bo@example.org>", "RCPT TO:<ann@example.org>", "DATA"):
            wire.say(command)
        wire.send(b"Subject: half a ma")


def reset_with_replies_on_the_way(sandbox: Sandbox, trust: ssl.SSLContext) -> None:
    with signed_in_wire(sandbox, trust) as wire:
        wire.send(b"NOOP\r\n" * 20_000)
        wire.reset()


RUDENESS: list[Callable[[Sandbox, ssl.SSLContext], None]] = [
    probe,
    reset_at_once,
    speak_plainly_to_tls,
    speak_tls_to_starttls,
    begin_a_handshake_and_leave,
    distrust,
    leave_after_starttls,
    reset_after_starttls,
    speak_plainly_after_starttls,
    leave_in_the_login,
    leave_in_the_mail,
    reset_with_replies_on_the_way,
]


@pytest.mark.parametrize("rude", RUDENESS, ids=lambda rude: rude.__name__)
def test_rude_clients_leave_no_trace(
    sandbox: Sandbox,
    trust: ssl.SSLContext,
    rude: Callable[[Sandbox, ssl.SSLContext], None],
    capfd: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    for _ in range(3):
        rude(sandbox, trust)
    assert eventually(lambda: not sandbox._running.service._connections)
    with signed_in_wire(sandbox, trust) as wire:
        for command in ("MAIL FROM:<bo@example.org>", "RCPT TO:<ann@example.org>", "DATA"):
            wire.say(command)
        assert wire.say("Subject: still here\r\n\r\n.").startswith("250 ")
    sandbox.stop()
    assert capfd.readouterr() == ("", "")
    assert not [record for record in caplog.records if record.levelno >= logging.INFO]


def test_stop_ends_every_conversation_at_once(sandbox: Sandbox, trust: ssl.SSLContext) -> None:
    assert sandbox._run
    thread = sandbox._run.service._thread
    with ExitStack() as clients:
        wires = [
            clients.enter_context(plain_wire(sandbox.starttls_port)),
            clients.enter_context(plain_wire(sandbox.tls_port)),
            clients.enter_context(tls_wire(sandbox, trust)),
            clients.enter_context(signed_in_wire(sandbox, trust)),
        ]
        handshaking = clients.enter_context(plain_wire(sandbox.starttls_port))
        starttls(handshaking)
        in_data = clients.enter_context(signed_in_wire(sandbox, trust))
        for command in ("MAIL FROM:<bo@example.org>", "RCPT TO:<ann@example.org>", "DATA"):
            in_data.say(command)
        in_data.send(b"half a line")
        assert wires[0].reply().startswith("220 ")
        begun = time.monotonic()
        sandbox.stop()
        assert time.monotonic() - begun < 5
        assert all(wire.ended() for wire in (*wires, handshaking, in_data))
    assert not thread.is_alive()


def test_stop_does_not_wait_for_a_slow_recipient() -> None:
    with Sandbox(slow_seconds=3600.0) as sandbox:
        trust = ssl.create_default_context(cadata=sandbox.ca_pem)
        with signed_in_wire(sandbox, trust) as wire:
            wire.say("MAIL FROM:<bo@example.org>")
            wire.send(b"RCPT TO:<slow@sandbox.test>\r\n")
            sandbox.stop()
            assert wire.ended()


def test_a_start_that_fails_says_so_and_leaves_nothing() -> None:
    before = set(threading.enumerate())
    starttls_listeners, tls_listeners = listen_on_loopback(), listen_on_loopback()
    tls_listeners[0].close()
    service = Service(
        Postmaster(Inbox(lambda: NOW), "bo", Secret("secret"), slow_seconds=0.0),
        make_tls_identity(NOW).context,
        starttls=starttls_listeners,
        tls=tls_listeners,
    )
    with pytest.raises(OSError, match="Bad file descriptor") as failed:
        service.start()
    assert failed.value.errno == errno.EBADF
    assert all(at.fileno() == -1 for at in (*starttls_listeners, *tls_listeners))
    assert set(threading.enumerate()) <= before


def test_a_fault_at_the_end_is_not_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[threading.ExceptHookArgs] = []

    async def fail(service: Service) -> None:
        raise ValueError

    monkeypatch.setattr(threading, "excepthook", told.append)
    monkeypatch.setattr(Service, "_end_conversations", fail)
    with Sandbox():
        pass
    assert [args.exc_type for args in told] == [ValueError]


def test_a_fault_in_one_conversation_is_noted_and_ends_no_other(
    sandbox: Sandbox,
    trust: ssl.SSLContext,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    caplog.set_level(logging.DEBUG)
    leave = Conversation.connection_lost

    def leave_and_fail(conversation: Conversation, error: Exception | None) -> None:
        leave(conversation, error)
        raise ValueError("what the client sent")

    with tls_wire(sandbox, trust) as other:
        monkeypatch.setattr(Conversation, "connection_lost", leave_and_fail)
        probe(sandbox, trust)
        assert eventually(lambda: "ended by ValueError" in caplog.text)
        assert other.say("NOOP").startswith("250 ")
        monkeypatch.undo()
    assert "what the client sent" not in caplog.text
    assert capfd.readouterr() == ("", "")


def test_no_port_means_no_sandbox(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*args: object, **kwargs: object) -> socket.socket:
        raise OSError(errno.EMFILE, "too many open files")

    monkeypatch.setattr(socket, "create_server", refuse)
    sandbox = Sandbox()
    with pytest.raises(OSError, match="too many"):
        sandbox.start()
    assert not sandbox.running
