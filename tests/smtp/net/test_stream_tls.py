"""The stream inside TLS: handshakes, ends, and large writes."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from smtp_desk.core.errors import SmtpFailure
from smtp_desk.core.settings import Security
from smtp_desk.core.stages import Stage
from smtp_desk.smtp.net.deadline import Cancel, CancelledError, Deadline
from smtp_desk.smtp.net.stream import ClosedError, ResetError, Stream, TimedOutError
from smtp_desk.smtp.net.tls import TlsInfo, client_context
from tests.servers.script import (
    Action,
    Close,
    Handshake,
    Raw,
    Receive,
    Reply,
    Reset,
    Script,
    Silence,
)
from tests.servers.scripted import ScriptedServer
from tests.servers.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.servers.certs import Certificates

SOON = 20.0
LARGE = 8 << 20
GREETING = Reply("220 mail")


class Client:
    """A client of one scripted server, told what to say."""

    def __init__(self, server: ScriptedServer, certs: Certificates) -> None:
        self.cancel = Cancel()
        self.deadline = Deadline.after(SOON)
        self.stream = Stream(socket.create_connection((server.host, server.port)), self.cancel)
        self._context = client_context(certs.root.chain_file.read_text())

    def start(self, mode: Security = Security.TLS, host: str = "localhost") -> TlsInfo:
        return self.stream.start_tls(self._context, host, mode, self.deadline)

    def starttls(self) -> TlsInfo:
        assert self.line().startswith(b"220 mail")
        self.stream.write(b"STARTTLS\r\n", self.deadline)
        assert self.line().startswith(b"220 ")
        return self.start(Security.STARTTLS)

    def line(self) -> bytes:
        data = b""
        while not data.endswith(b"\n"):
            data += self.stream.read(self.deadline, 1)
        return data


@contextlib.contextmanager
def client_of(script: Script, certs: Certificates) -> Iterator[tuple[Client, ScriptedServer]]:
    """A client connected to a server that plays `script`."""
    with ScriptedServer(script) as server:
        client = Client(server, certs)
        try:
            yield client, server
        finally:
            client.stream.abort()


def tls_server(certs: Certificates, greeting: Action = GREETING) -> Script:
    return Script(tls=certs.good.tls, implicit_tls=True, greeting=greeting)


@pytest.mark.parametrize("newest", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_both_modes_reach_the_server(certs: Certificates, newest: ssl.TLSVersion) -> None:
    context = certs.with_intermediate.server_context(newest=newest)
    with client_of(Script(tls=context, implicit_tls=True), certs) as (client, server):
        info = client.start()
        assert client.stream.tls == info
        assert client.line().startswith(b"220 mail")
        assert server.sessions[0].wire.tls_version == info.version
        assert server.sessions[0].wire.server_name == "localhost"
    with client_of(Script(tls=context), certs) as (client, _):
        info = client.starttls()
        client.stream.write(b"NOOP\r\n", client.deadline)
        assert client.line() == b"250 2.0.0 Ok\r\n"
    sent = (certs.with_intermediate.certificate, certs.intermediate.certificate)
    assert info.chain == tuple(each.public_bytes(Encoding.DER) for each in sent)
    assert info.cipher


def test_an_address_needs_a_certificate_for_it(certs: Certificates) -> None:
    with client_of(tls_server(certs), certs) as (client, _):
        client.start(host="127.0.0.1")
        assert client.line() == b"220 mail\r\n"


def test_no_certificate_names_a_zone(certs: Certificates) -> None:
    with client_of(tls_server(certs), certs) as (client, _):
        client.start(host="::1%lo")
        assert client.line() == b"220 mail\r\n"


def test_a_polite_end_inside_tls(certs: Certificates) -> None:
    greeting = (Reply("221 bye"), Close(notify=True))
    with client_of(tls_server(certs, greeting), certs) as (client, _):
        client.start()
        assert client.line() == b"221 bye\r\n"
        for _ in range(2):
            with pytest.raises(ClosedError):
                client.line()
        client.stream.close()


def test_an_end_without_notice_is_an_end(certs: Certificates) -> None:
    with client_of(tls_server(certs, (Reply("221 bye"), Close())), certs) as (client, _):
        client.start()
        assert client.line() == b"221 bye\r\n"
        with pytest.raises(ClosedError):
            client.line()


def test_a_reset_inside_tls(certs: Certificates) -> None:
    with client_of(tls_server(certs, (Receive(), Reset())), certs) as (client, _):
        client.start()
        client.stream.write(b"x", client.deadline)
        with pytest.raises(ResetError):
            client.line()


def test_silence_and_cancel_inside_tls(certs: Certificates) -> None:
    with client_of(tls_server(certs, Silence()), certs) as (client, _):
        client.start()
        with pytest.raises(TimedOutError):
            client.stream.read(Deadline.after(0.05))
        client.cancel.cancel()
        with pytest.raises(CancelledError):
            client.line()


def test_garbage_inside_tls_is_no_reply(certs: Certificates) -> None:
    def plain(session: object) -> Action:
        wire = session.wire  # type: ignore[attr-defined]
        socket.socket.send(wire._sock, b"\x17\x03\x03\x00\x20" + bytes(32))
        return ()

    with client_of(tls_server(certs, plain), certs) as (client, _):
        client.start()
        with pytest.raises(SmtpFailure) as raised:
            client.line()
        assert (raised.value.stage, raised.value.code) == (Stage.TLS, "tls.failed")
        assert raised.value.facts["reason"]


def test_closing_tells_the_server_so(certs: Certificates) -> None:
    ends: list[bytes | None] = []

    def until_the_end(session: object) -> Action:
        sock = session.wire._sock  # type: ignore[attr-defined]
        # Now an end without close_notify is an error.
        sock.suppress_ragged_eofs = False
        ends.append(sock.recv(10))
        return ()

    with client_of(tls_server(certs, (Reply("220 mail"), until_the_end)), certs) as (
        client,
        server,
    ):
        client.start()
        client.line()
        client.stream.close()
        server.wait_for(lambda server: bool(ends))
    assert ends == [b""]


@pytest.mark.parametrize(
    "talk",
    [
        pytest.param(LARGE // 16, id="the server talks first"),
        pytest.param(0, id="the server listens"),
    ],
)
def test_a_large_message_goes_through(certs: Certificates, talk: int) -> None:
    received: list[bytes] = []

    def talk_then_listen(session: object) -> Action:
        wire = session.wire  # type: ignore[attr-defined]
        # What the kernel does not hold the client must take, though it is writing.
        wire._sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 16)
        wire.send(b"x" * talk)
        received.append(wire.receive(LARGE))
        return Reply("250 got it")

    with client_of(tls_server(certs, talk_then_listen), certs) as (client, _):
        client.start()
        client.stream._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 16)
        message = b"0123456789abcdef" * (LARGE // 16)
        client.stream.write(message, client.deadline)
        left = talk
        while left:
            left -= len(client.stream.read(client.deadline, left))
        assert client.line() == b"250 got it\r\n"
    assert received == [message]


def test_cancel_in_the_handshake(certs: Certificates) -> None:
    with client_of(Script(connect=(Receive(), Silence())), certs) as (client, server):

        def cancel() -> None:
            server.wait_for(lambda server: bool(server.received))
            client.cancel.cancel()

        cancelling = threading.Thread(target=cancel)
        cancelling.start()
        with pytest.raises(CancelledError):
            client.start()
        cancelling.join()


@pytest.mark.parametrize(
    ("connect", "silent"),
    [
        pytest.param((Receive(), Close()), True, id="closed"),
        pytest.param((Receive(), Reset()), True, id="reset"),
        pytest.param(Close(), True, id="closed at once"),
        pytest.param((Receive(), Raw(b"\x16\x03\x03"), Close()), False, id="cut"),
    ],
)
def test_a_handshake_that_is_cut(certs: Certificates, connect: Action, silent: bool) -> None:
    with client_of(Script(connect=connect), certs) as (client, _):
        with pytest.raises(SmtpFailure) as raised:
            client.start()
        assert (raised.value.stage, raised.value.code) == (Stage.TLS, "tls.handshake_closed")
        assert raised.value.facts == {"host": "localhost", "silent": silent, "chain": []}


def test_a_handshake_that_never_ends(certs: Certificates) -> None:
    with client_of(Script(connect=Silence()), certs) as (client, _):
        client.deadline = Deadline.after(0.1)
        with pytest.raises(SmtpFailure) as raised:
            client.start()
        assert raised.value.code == "tls.handshake_timeout"


def test_tls_on_a_plain_port_is_recognised(certs: Certificates) -> None:
    script = Script(greeting=Reply("220 mail\x1b[2J ESMTP"))
    with client_of(script, certs) as (client, _), pytest.raises(SmtpFailure) as raised:
        client.start()
    assert raised.value.code == "tls.wrong_mode"
    assert raised.value.facts == {
        "host": "localhost",
        "answer": "220 mail\\x1b[2J ESMTP",
        "working_security": "starttls",
    }


def test_something_else_on_the_port_names_no_mode(certs: Certificates) -> None:
    script = Script(greeting=Reply("* OK IMAP4rev1 ready"))
    with client_of(script, certs) as (client, _), pytest.raises(SmtpFailure) as raised:
        client.start()
    assert raised.value.code == "tls.wrong_mode"
    assert raised.value.facts == {"host": "localhost", "answer": "* OK IMAP4rev1 ready"}


@pytest.mark.parametrize(
    "injection",
    [
        pytest.param((Raw(b"220 go\r\n"), Raw(b"250-AUTH PLAIN\r\n")), id="before our first byte"),
        pytest.param(
            (Raw(b"220 go\r\n"), Receive(), Raw(b"250-AUTH PLAIN\r\n")), id="after our first byte"
        ),
    ],
)
def test_plain_bytes_behind_starttls_are_an_attack(certs: Certificates, injection: Action) -> None:
    script = Script(tls=certs.good.tls, before_tls={"STARTTLS": (injection, Handshake())})
    with client_of(script, certs) as (client, server):
        client.line()
        client.stream.write(b"STARTTLS\r\n", client.deadline)
        assert client.line() == b"220 go\r\n"
        if not isinstance(injection[1], Receive):  # type: ignore[index]
            wait_until(lambda: b"AUTH" in server.sessions[0].wire.sent, "the injection")
        with pytest.raises(SmtpFailure) as raised:
            client.start(Security.STARTTLS)
    assert raised.value.code == "tls.injected_data"
    assert raised.value.facts["answer"] == "250-AUTH PLAIN"


def test_the_server_learns_why_we_left(certs: Certificates) -> None:
    script = Script(tls=certs.self_signed.tls, implicit_tls=True)
    with client_of(script, certs) as (client, server):
        with pytest.raises(SmtpFailure):
            client.start()
        client.stream.abort()
        server.wait_for(lambda server: bool(server.sessions[0].wire.tls_error))
        assert "UNKNOWN_CA" in str(server.sessions[0].wire.tls_error)
