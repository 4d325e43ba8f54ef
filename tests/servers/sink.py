"""A mail server in a process of its own that takes everything and keeps nothing but a count.

For measurements: it costs little, and what it costs is not the client's. Without Qt, without
the program under test: STARTTLS, PIPELINING, AUTH PLAIN, one thread a connection.
"""

from __future__ import annotations

import multiprocessing
import socket
import ssl
import threading
from typing import TYPE_CHECKING, Final, Self

if TYPE_CHECKING:
    from multiprocessing.connection import Connection
    from types import TracebackType

    from tests.servers.certs import Identity

_EHLO: Final = (
    b"250-sink.example.test\r\n250-PIPELINING\r\n250-8BITMIME\r\n250-SIZE 20000000\r\n"
    b"250-SMTPUTF8\r\n250-ENHANCEDSTATUSCODES\r\n"
)
_REPLIES: Final = {
    b"AUTH": b"235 2.7.0 Authentication successful\r\n",
    b"DATA": b"354 End data with <CR><LF>.<CR><LF>\r\n",
    b"QUIT": b"221 2.0.0 Bye\r\n",
}
_OK: Final = b"250 2.0.0 Ok\r\n"


class Sink:
    """The server, from `__enter__` to `__exit__`.

    Attributes:
        port: where it listens on 127.0.0.1.
    """

    def __init__(self, identity: Identity) -> None:
        context = multiprocessing.get_context("spawn")
        self._ours, theirs = context.Pipe()
        files = (str(identity.chain_file), str(identity.key_file))
        self._process = context.Process(target=_serve, args=(theirs, *files), daemon=True)
        self.port = 0

    @property
    def mails(self) -> int:
        """How many emails it took so far."""
        self._ours.send(b"")
        count: int = self._ours.recv()
        return count

    def __enter__(self) -> Self:
        self._process.start()
        self.port = self._ours.recv()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._process.kill()
        self._process.join()


class _Count:
    """Emails, counted by many threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.mails = 0

    def one_more(self) -> None:
        with self._lock:
            self.mails += 1


def _serve(pipe: Connection, chain: str, key: str) -> None:
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(chain, key)
    listener = socket.create_server(("127.0.0.1", 0))
    count = _Count()

    def accept() -> None:
        while True:
            sock, _ = listener.accept()
            threading.Thread(target=_converse, args=(sock, tls, count), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    pipe.send(listener.getsockname()[1])
    while True:
        pipe.recv()
        pipe.send(count.mails)


def _converse(sock: socket.socket, tls: ssl.SSLContext, count: _Count) -> None:
    try:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock.sendall(b"220 sink.example.test ESMTP\r\n")
        if _in_plain(sock):
            _in_tls(tls.wrap_socket(sock, server_side=True), count)
    except OSError:
        pass
    finally:
        sock.close()


def _in_plain(sock: socket.socket) -> bool:
    """Answer until STARTTLS; False where the client leaves."""
    while command := sock.recv(1024)[:4].upper():
        if command == b"STAR":
            sock.sendall(b"220 2.0.0 Ready to start TLS\r\n")
            return True
        sock.sendall(_EHLO + b"250 STARTTLS\r\n")
    return False


def _in_tls(sock: ssl.SSLSocket, count: _Count) -> None:
    buffer = b""
    while True:
        while b"\r\n" not in buffer:
            received = sock.recv(65536)
            if not received:
                return
            buffer += received
        lines, _, buffer = buffer.rpartition(b"\r\n")
        verbs = [line[:4].upper() for line in lines.split(b"\r\n")]
        sock.sendall(b"".join(map(_reply, verbs)))
        if verbs[-1] == b"QUIT":
            return
        if verbs[-1] == b"DATA":
            buffer = _after_message(sock, buffer)
            count.one_more()
            sock.sendall(_OK)


def _reply(verb: bytes) -> bytes:
    return _EHLO + b"250 AUTH PLAIN\r\n" if verb == b"EHLO" else _REPLIES.get(verb, _OK)


def _after_message(sock: ssl.SSLSocket, buffer: bytes) -> bytes:
    """Take a message; return what came behind it."""
    while b"\r\n.\r\n" not in buffer:
        received = sock.recv(65536)
        if not received:
            raise ConnectionAbortedError
        buffer = buffer[-4:] + received
    return buffer.partition(b"\r\n.\r\n")[2]
