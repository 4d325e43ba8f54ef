"""An https server inside the test's own process that answers with the bytes it was given.

pages = {
    "autoconfig.example.test/mail/config-v1.1.xml": page(b"<clientConfig/>"),
    "example.test/elsewhere": redirect("https://other.example.test/"),
}
with WebServer(certs.for_names("autoconfig.example.test").tls, pages) as server:
    ...ask server.host, server.port...
assert server.requests == ["autoconfig.example.test/mail/config-v1.1.xml?a=b"]
"""

from __future__ import annotations

import contextlib
import functools
import socket
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping
from typing import Final, Self, TypeAlias

Pieces: TypeAlias = Callable[[], Iterator[bytes]]
Answers: TypeAlias = Mapping[str, bytes | Pieces]

_PATIENCE: Final = 30.0


def page(content: bytes, *, status: str = "200 OK") -> bytes:
    """Return a whole answer with this content."""
    head = f"HTTP/1.1 {status}\r\nContent-Type: text/xml\r\nContent-Length: {len(content)}\r\n\r\n"
    return head.encode("ascii") + content


def redirect(url: str, *, status: str = "302 Found") -> bytes:
    """Return an answer that leads elsewhere."""
    head = f"HTTP/1.1 {status}\r\nLocation: {url}\r\nContent-Length: 0\r\n\r\n"
    return head.encode("latin-1")


class WebServer:
    """Answers from `__enter__` to `__exit__`, one thread a connection, one request each.

    Attributes:
        requests: host and target of each request, such as `example.test/path?query`.
        heads: each request as it came.
    """

    def __init__(
        self,
        context: ssl.SSLContext | None,
        answers: Answers,
        host: str = "127.0.0.1",
        port: int = 0,
    ) -> None:
        """Listen.

        Args:
            context: the certificate; None never speaks.
            answers: by host and path: the octets, or a function that yields them piece by
                piece as long as the client stays. Nothing for a name is a 404.
            host: where to listen.
            port: where to listen; 0 for any.
        """
        self._context = context
        self._answers = answers
        self._listener = socket.create_server((host, port))
        self.host: str = host
        self.port: int = self._listener.getsockname()[1]
        self.requests: list[str] = []
        self.heads: list[bytes] = []
        self.over = threading.Event()
        self._threads: list[threading.Thread] = []

    def __enter__(self) -> Self:
        self._run(self._listen)
        return self

    def __exit__(self, *_: object) -> None:
        self.over.set()
        self._listener.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join()
        self._listener.close()

    def _run(self, work: Callable[[], None]) -> None:
        thread = threading.Thread(target=work, name=f"web:{self.port}", daemon=True)
        self._threads.append(thread)
        thread.start()

    def _listen(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self._run(functools.partial(self._serve, connection))

    def _serve(self, sock: socket.socket) -> None:
        with sock, contextlib.suppress(OSError):
            sock.settimeout(_PATIENCE)
            if self._context is None:
                self.over.wait(_PATIENCE)
                return
            with self._context.wrap_socket(sock, server_side=True) as tls:
                for octets in self._reply(tls):
                    tls.sendall(octets)
                    if self.over.is_set():
                        return

    def _reply(self, tls: ssl.SSLSocket) -> Iterator[bytes]:
        with tls.makefile("rb") as lines:
            head = list(iter(lines.readline, b"\r\n"))
        if not head or not head[0]:
            return
        self.heads.append(b"".join(head))
        request = head[0].split()
        headers = dict(line.split(b": ", 1) for line in head[1:])
        host = headers[b"Host"].strip().decode("ascii")
        target = host + request[1].decode("ascii")
        self.requests.append(target)
        answer = self._answers.get(target.partition("?")[0], page(b"", status="404 Not Found"))
        if isinstance(answer, bytes):
            yield answer
        else:
            yield from answer()
