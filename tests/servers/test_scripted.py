"""The scripted server does what its script says and remembers what it saw."""

from __future__ import annotations

import smtplib
import socket
import ssl
from typing import TYPE_CHECKING

import pytest

from tests.servers.script import (
    CREDENTIALS,
    END_OF_DATA,
    HTTP,
    SSH,
    Close,
    CutBody,
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

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.servers.certs import Certificates

MESSAGE = "Subject: hello\r\n\r\n.a dot\r\nand more\r\n"


def connect(server: ScriptedServer) -> socket.socket:
    return socket.create_connection((server.host, server.port), 10)


def read_all(sock: socket.socket) -> bytes:
    data = b""
    while chunk := sock.recv(4096):
        data += chunk
    return data


@pytest.fixture
def client(certs: Certificates) -> Iterator[tuple[ScriptedServer, smtplib.SMTP]]:
    """A server that wants STARTTLS and a login, and a client that has done the first."""
    script = Script(tls=certs.good.tls, login_required=True)
    with ScriptedServer(script) as server, smtplib.SMTP(server.host, server.port) as client:
        client.starttls(context=certs.trusting_context())
        yield server, client


@pytest.mark.parametrize("mechanism", ["plain", "login"])
def test_takes_a_message_after_starttls_and_login(
    client: tuple[ScriptedServer, smtplib.SMTP], mechanism: str
) -> None:
    server, smtp = client
    smtp.ehlo()
    smtp.user, smtp.password = "desk", "s3cret"
    smtp.auth(mechanism, getattr(smtp, f"auth_{mechanism}"))
    refused = smtp.sendmail("bo@example.org", ["ann@example.org", "reject@example.org"], MESSAGE)
    assert refused["reject@example.org"][0] == 550
    (message,) = server.messages
    assert message.recipients == ("ann@example.org",)
    assert message.content == MESSAGE.encode()
    assert (message.username, message.in_tls, message.accepted) == ("desk", True, True)
    assert server.auth_attempts == 1
    (session,) = server.sessions
    assert [line[:4] for line in session.commands_in_clear] == ["ehlo", "STAR"]
    assert session.wire.tls_version == "TLSv1.3"


def test_refuses_mail_before_login(client: tuple[ScriptedServer, smtplib.SMTP]) -> None:
    _, smtp = client
    with pytest.raises(smtplib.SMTPSenderRefused, match="Authentication required"):
        smtp.sendmail("bo@example.org", "ann@example.org", MESSAGE)


def test_cram_md5_is_checked(certs: Certificates) -> None:
    script = Script(tls=certs.good.tls, implicit_tls=True, extensions=("AUTH CRAM-MD5",))
    with (
        ScriptedServer(script) as server,
        smtplib.SMTP_SSL(server.host, server.port, context=certs.trusting_context()) as smtp,
    ):
        with pytest.raises(smtplib.SMTPAuthenticationError):
            smtp.login("desk", "wrong")
        assert smtp.login("desk", "s3cret")[0] == 235


def test_credentials_can_be_echoed(client: tuple[ScriptedServer, smtplib.SMTP]) -> None:
    server, smtp = client
    server.sessions[0].script = Script(
        tls=server.sessions[0].script.tls,
        on={CREDENTIALS: lambda session: Reply(f"535 5.7.8 {session.password} is wrong")},
    )
    with pytest.raises(smtplib.SMTPAuthenticationError, match="s3cret is wrong"):
        smtp.login("desk", "s3cret")


def test_bytes_behind_the_starttls_reply() -> None:
    script = Script(on={"STARTTLS": (Raw(b"220 go\r\n250 injected\r\n"), Close())})
    with ScriptedServer(script) as server, connect(server) as sock:
        sock.sendall(b"STARTTLS\r\n")
        assert read_all(sock).endswith(b"220 go\r\n250 injected\r\n")


def test_handshake_with_another_context(certs: Certificates) -> None:
    script = Script(
        tls=certs.good.tls,
        on={"STARTTLS": (Reply("220 go"), Handshake(certs.expired.tls))},
    )
    with ScriptedServer(script) as server, smtplib.SMTP(server.host, server.port) as smtp:
        with pytest.raises(ssl.SSLCertVerificationError, match="expired"):
            smtp.starttls(context=certs.trusting_context())
        server.wait_for(lambda server: server.sessions[0].wire.tls_error is not None)


def test_greeting_in_drips() -> None:
    with ScriptedServer(Script(greeting=Drip(b"220 slow\r\n", 0.001))) as server:
        assert smtplib.SMTP(server.host, server.port).quit()[0] == 221


def test_silence_lasts_until_the_test_ends() -> None:
    with ScriptedServer(Script(greeting=Silence())) as server, connect(server) as sock:
        sock.sendall(b"hello?")
        server.wait_for(lambda server: server.received == b"hello?")
        sock.settimeout(0.05)
        with pytest.raises(TimeoutError):
            sock.recv(1)
    assert server.open_connections == 0


def test_a_server_that_stops_reading_lets_sends_pile_up() -> None:
    script = Script(greeting=Silence(reading=False))
    with ScriptedServer(script) as server, connect(server) as sock:
        sock.settimeout(0.2)
        with pytest.raises(TimeoutError):
            sock.sendall(bytes(64_000_000))


@pytest.mark.parametrize("before", [(), (Receive(10),)])
def test_a_close_is_no_reset_even_with_unread_bytes(before: tuple[Receive, ...]) -> None:
    with ScriptedServer(Script(greeting=(*before, Close()))) as server, connect(server) as sock:
        sock.sendall(bytes(5000))
        assert read_all(sock) == b""


def test_reset() -> None:
    with ScriptedServer(Script(greeting=(Receive(10), Reset()))) as server:
        sock = connect(server)
        sock.sendall(bytes(10))
        with sock, pytest.raises(ConnectionResetError):
            read_all(sock)


def test_turns_and_scripts_follow_each_other() -> None:
    first = Script(greeting=(Delay(0.001), Reply("421 busy"), Close()))
    greylisting = Turns(Reply("450 4.2.0 greylisted"), Default())
    second = Script(on={"RCPT TO:<ann@": greylisting})
    with ScriptedServer(first, second) as server:
        with pytest.raises(smtplib.SMTPConnectError):
            smtplib.SMTP(server.host, server.port)
        for code in (450, 250):
            with smtplib.SMTP(server.host, server.port) as smtp:
                smtp.ehlo()
                smtp.mail("bo@example.org")
                assert smtp.rcpt("bo@example.org")[0] == 250
                assert smtp.rcpt("ann@example.org")[0] == code
        assert len(server.sessions) == 3


def test_connection_lost_after_the_dot_keeps_the_message() -> None:
    with ScriptedServer(Script(on={END_OF_DATA: Close()})) as server:
        smtp = smtplib.SMTP(server.host, server.port)
        with pytest.raises(smtplib.SMTPServerDisconnected):
            smtp.sendmail("bo@example.org", "ann@example.org", MESSAGE)
        assert [message.accepted for message in server.messages] == [False]


def test_connection_cut_in_the_body_keeps_no_message() -> None:
    with ScriptedServer(Script(cut_body=CutBody(20, Reset()))) as server:
        smtp = smtplib.SMTP(server.host, server.port)
        with pytest.raises(smtplib.SMTPServerDisconnected):
            smtp.sendmail("bo@example.org", "ann@example.org", MESSAGE)
        assert server.messages == []


def test_pipelining_is_noticed() -> None:
    with ScriptedServer() as server, connect(server) as sock:
        sock.sendall(b"EHLO a\r\nNOOP\r\nQUIT\r\n")
        assert read_all(sock).endswith(b"221 2.0.0 Bye\r\n")
        assert server.sessions[0].pipelined
        assert server.commands == ["EHLO a", "NOOP", "QUIT"]


def test_an_empty_message() -> None:
    with ScriptedServer() as server, connect(server) as sock:
        sock.sendall(b"MAIL FROM:<>\r\nRCPT TO:<a@example.org>\r\nDATA\r\n.\r\nQUIT\r\n")
        read_all(sock)
        assert [message.content for message in server.messages] == [b""]


def test_the_longest_prefix_wins() -> None:
    script = Script(on={"*": Reply("500 no"), "NOOP": Reply("250 x"), "noop hard": Reply("251 y")})
    with ScriptedServer(script) as server, connect(server) as sock:
        sock.sendall(b"WHAT\r\nNOOP\r\nNOOP harder\r\n")
        lines = sock.makefile("rb")
        greeting, *answers = (lines.readline()[:3] for _ in range(4))
        assert (greeting, answers) == (b"220", [b"500", b"250", b"251"])


def test_other_protocols() -> None:
    with ScriptedServer(SSH) as server, connect(server) as sock:
        assert sock.recv(100).startswith(b"SSH-2.0-")
    with ScriptedServer(HTTP, host="::1") as server, connect(server) as sock:
        sock.sendall(b"E")
        assert read_all(sock).startswith(b"HTTP/1.1 400")


def test_a_client_certificate_can_be_demanded(certs: Certificates) -> None:
    context = certs.good.server_context(client_ca=certs.root.chain_file)
    with ScriptedServer(Script(tls=context, implicit_tls=True)) as server:
        trusting = certs.trusting_context()
        with pytest.raises(smtplib.SMTPServerDisconnected, match="CERTIFICATE_REQUIRED"):
            smtplib.SMTP_SSL(server.host, server.port, context=trusting)
        trusting.load_cert_chain(certs.client.chain_file, certs.client.key_file)
        with smtplib.SMTP_SSL(server.host, server.port, context=trusting) as smtp:
            assert smtp.noop()[0] == 250


def play_without_certificate() -> None:
    with ScriptedServer(Script(greeting=Handshake())) as server:
        connect(server).close()
        server.wait_for(lambda server: bool(server.sessions) and not server.open_connections)


def test_a_broken_script_fails_the_test() -> None:
    with pytest.raises(AssertionError, match="has no `tls`"):
        play_without_certificate()
