"""A client that says exactly what it is told to, and reads what comes back."""

import base64
import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from smtp_desk.sandbox.server import Sandbox

PATIENCE = 20.0


class Wire:
    """One connection, spoken to in octets."""

    def __init__(self, connected: socket.socket) -> None:
        self.socket = connected
        self._buffer = b""

    def send(self, octets: bytes) -> None:
        self.socket.sendall(octets)

    def reply(self) -> str:
        """Read one reply, all its lines."""
        lines = [self._line()]
        while lines[-1][3:4] == "-":
            lines.append(self._line())
        return "\n".join(lines)

    def say(self, command: str) -> str:
        self.send(command.encode() + b"\r\n")
        return self.reply()

    def ended(self) -> bool:
        """Wait for the server's end of the connection; False if it says something instead."""
        try:
            return self.socket.recv(1) == b""
        except OSError:
            return True

    def reset(self) -> None:
        """Break the connection off with a TCP reset."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()

    def _line(self) -> str:
        while b"\r\n" not in self._buffer:
            octets = self.socket.recv(65536)
            if not octets:
                raise EOFError(f"the server closed after {self._buffer!r}")
            self._buffer += octets
        line, _, self._buffer = self._buffer.partition(b"\r\n")
        return line.decode("utf-8")


@contextmanager
def plain_wire(port: int) -> Iterator[Wire]:
    """Connect; nothing is said yet."""
    with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as connected:
        yield Wire(connected)


@contextmanager
def tls_wire(sandbox: Sandbox, trust: ssl.SSLContext) -> Iterator[Wire]:
    """Connect with TLS from the start and say EHLO."""
    with (
        plain_wire(sandbox.tls_port) as plain,
        trust.wrap_socket(plain.socket, server_hostname="localhost") as wrapped,
    ):
        wire = Wire(wrapped)
        assert wire.reply().startswith("220 ")
        assert wire.say("EHLO client.example.org").startswith("250-")
        yield wire


@contextmanager
def signed_in_wire(sandbox: Sandbox, trust: ssl.SSLContext) -> Iterator[Wire]:
    """As `tls_wire`, and sign in."""
    with tls_wire(sandbox, trust) as wire:
        plain = auth_plain(sandbox.username, sandbox.password.reveal())
        assert wire.say(f"AUTH PLAIN {plain}") == "235 2.7.0 Authentication successful"
        yield wire


def auth_plain(username: str, password: str) -> str:
    """The initial response of PLAIN (RFC 4616)."""
    return encoded(f"\0{username}\0{password}")


def encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode("ascii")


def eventually(condition: Callable[[], bool]) -> bool:
    """Wait until `condition` holds; False if it doesn't for much too long."""
    pause = threading.Event()
    tries = int(PATIENCE / 0.01)
    return any(condition() or pause.wait(0.01) for _ in range(tries))
