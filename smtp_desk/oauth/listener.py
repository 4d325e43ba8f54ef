"""The listener on loopback to which the browser brings its answer (RFC 8252, 7.3).

Any page that the person has open may call it, and browsers open connections in advance without
using them, so all connections are read side by side, each limited, and only the answer to our own
request counts.
"""

import contextlib
import errno
import secrets
import selectors
import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final, Self, final
from urllib.parse import parse_qsl, urlsplit

from smtp_desk.core.system import flag
from smtp_desk.smtp.net.deadline import Cancel, Deadline

_ADDRESSES: Final = ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1"))
_TRIES: Final = 20
_BACKLOG: Final = 16
_MOST_CONNECTIONS: Final = 32
_MOST_OCTETS: Final = 16 * 1024
_SECONDS: Final = 10.0
_END: Final = b"\r\n\r\n"
_EXCLUSIVE: Final = flag(socket, "SO_EXCLUSIVEADDRUSE")
_NO_IPV6: Final = (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT, errno.EPROTONOSUPPORT)

_PAGE: Final = (
    "<!doctype html><html lang=en><meta charset=utf-8><title>SMTP Desk</title>"
    "<style>body{{font:1.2em sans-serif;max-width:34em;margin:4em auto;padding:0 1em}}</style>"
    "<h1>{title}</h1><p>{text}</p>"
)
_HEADERS: Final = (
    "Content-Type: text/html; charset=utf-8\r\nCache-Control: no-store\r\n"
    "Content-Security-Policy: default-src 'none'; style-src 'unsafe-inline'\r\n"
    "Referrer-Policy: no-referrer\r\nX-Content-Type-Options: nosniff\r\nConnection: close\r\n"
)
_ANSWERS: Final[Mapping[str, tuple[str, str, str]]] = {
    "done": ("200 OK", "Almost done", "Close this tab and go back to SMTP Desk."),
    "refused": (
        *("200 OK", "Not signed in"),
        "Close this tab and go back to SMTP Desk, which shows why and what to do.",
    ),
    "other": (
        *("400 Bad Request", "Not this sign-in"),
        "This page belongs to another sign-in. Close this tab and start again in SMTP Desk.",
    ),
    "unknown": ("404 Not Found", "Nothing here", "SMTP Desk is waiting for a sign-in here."),
    "method": (
        "405 Method Not Allowed",
        "Nothing here",
        ("SMTP Desk is waiting for a sign-in here."),
    ),
    "host": ("421 Misdirected Request", "Nothing here", "This isn’t the host you asked for."),
}


@dataclass(slots=True, eq=False)
class _BrowserConnection:
    """One connection of a browser."""

    sock: socket.socket
    deadline: Deadline
    received: bytearray = field(default_factory=bytearray)
    left: bytes = b""


@final
class Listener:
    """Listens from `__enter__` to `__exit__` on one port of 127.0.0.1 and ::1, which is ours alone.

    Attributes:
        redirect_uri: The address to which the browser is redirected.
        state: The value that the answer must contain besides the code.
    """

    def __init__(self, host: str, is_issuer: Callable[[str], bool]) -> None:
        """Touch nothing yet.

        Args:
            host: The host of `redirect_uri`, as registered.
            is_issuer: Whether an answer may come from this issuer (RFC 9207).
        """
        self._host = host
        self._is_issuer = is_issuer
        self.redirect_uri = ""
        self.state = secrets.token_urlsafe(32)
        self._listening: list[socket.socket] = []
        self._connections: dict[int, _BrowserConnection] = {}
        self._authorities: frozenset[str] = frozenset()

    def __enter__(self) -> Self:
        """Listen.

        Raises:
            OSError: No port is available.
        """
        self._listening = _listen()
        port = self._listening[0].getsockname()[1]
        self.redirect_uri = f"http://{self._host}:{port}"
        names = ("localhost", "127.0.0.1", "[::1]")
        self._authorities = frozenset(f"{name}:{port}" for name in names)
        return self

    def __exit__(self, *_: object) -> None:
        for sock in (*self._listening, *(each.sock for each in self._connections.values())):
            sock.close()
        self._listening, self._connections = [], {}

    def answer(self, cancel: Cancel, deadline: Deadline) -> Mapping[str, str] | None:
        """Return the parameters of the answer; None if none came in time.

        The browser gets its page first. After that nothing is accepted any more.

        Raises:
            CancelledError: Cancelled.
        """
        while not deadline.passed:
            with selectors.DefaultSelector() as selector:
                selector.register(cancel, selectors.EVENT_READ)
                for sock in self._listening if self._has_room() else ():
                    selector.register(sock, selectors.EVENT_READ)
                for connection in self._connections.values():
                    wanted = selectors.EVENT_WRITE if connection.left else selectors.EVENT_READ
                    selector.register(connection.sock, wanted)
                ready = selector.select(self._wait(deadline))
            cancel.check()
            for key, _ in ready:
                found = self._serve(key.fd)
                if found is not None:
                    return found
            self._drop_slow()
        return None

    def _has_room(self) -> bool:
        return len(self._connections) < _MOST_CONNECTIONS

    def _wait(self, deadline: Deadline) -> float:
        ends = [each.deadline.remaining for each in self._connections.values()]
        return min([deadline.remaining, *ends])

    def _serve(self, descriptor: int) -> Mapping[str, str] | None:
        connection = self._connections.get(descriptor)
        if connection is None:
            self._accept(descriptor)
            return None
        try:
            if connection.left:
                self._send(connection)
                return None
            octets = connection.sock.recv(_MOST_OCTETS)
        except BlockingIOError:
            return None
        except OSError:
            octets = b""
        connection.received += octets
        if octets and _END not in connection.received:
            if len(connection.received) > _MOST_OCTETS:
                self._drop(connection)
            return None
        if not octets:
            self._drop(connection)
            return None
        name, found = self._judge(bytes(connection.received))
        connection.left = _page(name)
        self._send(connection)
        return found

    def _accept(self, descriptor: int) -> None:
        for listening in self._listening:
            if listening.fileno() == descriptor:
                with contextlib.suppress(OSError):
                    sock, _ = listening.accept()
                    sock.setblocking(False)
                    self._connections[sock.fileno()] = _BrowserConnection(
                        sock, Deadline.after(_SECONDS)
                    )

    def _send(self, connection: _BrowserConnection) -> None:
        try:
            sent = connection.sock.send(connection.left)
        except BlockingIOError:
            return
        except OSError:
            self._drop(connection)
            return
        connection.left = connection.left[sent:]
        if not connection.left:
            with contextlib.suppress(OSError):
                connection.sock.shutdown(socket.SHUT_WR)
            self._drop(connection)

    def _drop(self, connection: _BrowserConnection) -> None:
        self._connections.pop(connection.sock.fileno(), None)
        connection.sock.close()

    def _drop_slow(self) -> None:
        for connection in list(self._connections.values()):
            if connection.deadline.passed:
                self._drop(connection)

    def _judge(self, request: bytes) -> tuple[str, Mapping[str, str] | None]:
        """Return which page answers a request, and its parameters if it is the answer."""
        head = request.partition(_END)[0].decode("latin-1").split("\r\n")
        method, _, rest = head[0].partition(" ")
        target = rest.rpartition(" ")[0]
        hosts = [line[5:].strip() for line in head[1:] if line[:5].lower() == "host:"]
        if len(hosts) != 1 or hosts[0].lower() not in self._authorities:
            return "host", None
        if method != "GET":
            return "method", None
        parts = urlsplit(target)
        if parts.path != "/" or parts.netloc or not parts.query:
            return "unknown", None
        pairs = parse_qsl(parts.query, keep_blank_values=True)
        found = dict(pairs)
        if len(found) != len(pairs) or not self._is_ours(found):
            return "other", None
        return ("refused" if "error" in found else "done"), found

    def _is_ours(self, found: Mapping[str, str]) -> bool:
        given = found.get("state", "")
        if not secrets.compare_digest(given.encode(), self.state.encode()):
            return False
        if ("code" in found) == ("error" in found):
            return False
        return "iss" not in found or self._is_issuer(found["iss"])


def _page(name: str) -> bytes:
    status, title, text = _ANSWERS[name]
    content = _PAGE.format(title=title, text=text).encode()
    return (
        f"HTTP/1.1 {status}\r\n{_HEADERS}Content-Length: {len(content)}\r\n\r\n".encode() + content
    )


def _listen() -> list[socket.socket]:
    """Return sockets that listen on one port of each loopback address there is."""
    error = OSError(errno.EADDRINUSE, "there’s no free port")
    for _ in range(_TRIES):
        listening: list[socket.socket] = []
        try:
            for family, address in _ADDRESSES:
                port = listening[0].getsockname()[1] if listening else 0
                listening.append(_bound(family, address, port))
        except OSError as problem:
            if listening and problem.errno in _NO_IPV6:
                return listening
            for sock in listening:
                sock.close()
            if problem.errno != errno.EADDRINUSE:
                raise
            error = problem
        else:
            return listening
    raise error


def _bound(family: int, address: str, port: int) -> socket.socket:
    """Return a socket that nobody else can share: neither a port nor an address is reused."""
    sock = socket.socket(family, socket.SOCK_STREAM)
    try:
        if _EXCLUSIVE:
            sock.setsockopt(socket.SOL_SOCKET, _EXCLUSIVE, 1)
        if family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        sock.bind((address, port))
        sock.listen(_BACKLOG)
        sock.setblocking(False)
    except OSError:
        sock.close()
        raise
    return sock
