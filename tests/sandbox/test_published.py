"""The sandbox's own mail configuration, by https."""

import socket
import ssl

import pytest

from smtp_desk.sandbox.published import PATHS
from smtp_desk.sandbox.server import Sandbox


def asked(sandbox: Sandbox, trust: ssl.SSLContext, request: bytes, name: str) -> bytes:
    with (
        socket.create_connection(("127.0.0.1", sandbox.https_port), 20) as plain,
        trust.wrap_socket(plain, server_hostname=name) as wire,
    ):
        wire.sendall(request)
        received = b""
        while data := wire.recv(4096):
            received += data
    return received


@pytest.mark.parametrize(
    ("name", "path"), [("autoconfig.sandbox.test", PATHS[0]), ("sandbox.test", PATHS[1])]
)
def test_it_is_there(sandbox: Sandbox, trust: ssl.SSLContext, name: str, path: str) -> None:
    request = f"GET {path}?a=b HTTP/1.1\r\nHost: {name}\r\n\r\n".encode()
    received = asked(sandbox, trust, request, name)
    assert received.startswith(b"HTTP/1.1 200 OK\r\n")
    assert f"<port>{sandbox.starttls_port}</port>".encode() in received
    assert f"<port>{sandbox.tls_port}</port>".encode() in received


@pytest.mark.parametrize(
    "request_line",
    [b"GET /other HTTP/1.1", b"POST /mail/config-v1.1.xml HTTP/1.1", b"GET", b"\xff\xff", b""],
)
def test_nothing_else_is_there(
    sandbox: Sandbox, trust: ssl.SSLContext, request_line: bytes
) -> None:
    received = asked(sandbox, trust, request_line + b"\r\n\r\n", "sandbox.test")
    assert received.startswith(b"HTTP/1.1 404 Not Found\r\n")


def test_a_request_without_end_is_cut(sandbox: Sandbox, trust: ssl.SSLContext) -> None:
    assert asked(sandbox, trust, b"a" * 20000, "sandbox.test") == b""


def test_stopping_ends_a_client_that_says_nothing() -> None:
    with Sandbox() as sandbox:
        plain = socket.create_connection(("127.0.0.1", sandbox.https_port), 20)
        wire = trust_of(sandbox).wrap_socket(plain, server_hostname="sandbox.test")
    with wire:
        assert wire.recv(1) == b""


def trust_of(sandbox: Sandbox) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(cadata=sandbox.ca_pem)
    return context
