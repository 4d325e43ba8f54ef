"""One connection as a scripted server sees it: bytes in, bytes out, TLS, and rude ways to end."""

from __future__ import annotations

import contextlib
import socket
import ssl
import struct
import weakref
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable

_CHUNK: Final = 65536
_server_names: Final[weakref.WeakKeyDictionary[object, str]] = weakref.WeakKeyDictionary()


class HangupError(Exception):
    """The connection is over: ended by the script, by the client, or by the end of the test."""


class Wire:
    """A server's end of a connection that records all it reads and writes.

    Attributes:
        received: every byte the client sent outside the TLS handshake, in order.
        flights: the same in the parts that each waited for something the script sent.
        sent: every byte the script sent outside the TLS handshake; a byte stands here before the
            client can see it.
        tls_version: `"TLSv1.3"` and the like once a handshake succeeded, else None.
        tls_error: the reason of a failed handshake, in OpenSSL's words, else None.
        server_name: the name the client asked for in the handshake (SNI), else None.
    """

    def __init__(
        self, sock: socket.socket, over: threading.Event, changed: Callable[[], None]
    ) -> None:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._sock = sock
        self._over = over
        self._changed = changed
        self._buffer = bytearray()
        self.received = bytearray()
        self.flights = [bytearray()]
        self.sent = bytearray()
        self.tls_version: str | None = None
        self.tls_error: str | None = None
        self.server_name: str | None = None

    @property
    def holds_more(self) -> bool:
        """Whether the client has sent more than what was taken so far: it did not wait."""
        return bool(self._buffer)

    def send(self, data: bytes) -> None:
        self.sent += data
        if self.flights[-1]:
            self.flights.append(bytearray())
        try:
            self._sock.sendall(data)
        except OSError as error:
            raise HangupError from error

    def peek(self) -> bytes:
        """What has come and was not taken, waited for and left where it is."""
        try:
            return self._sock.recv(65535, socket.MSG_PEEK)
        except OSError as error:
            raise HangupError from error

    def line(self) -> bytes:
        """The next line, up to and with its LF."""
        return self.until(b"\n")

    def until(self, end: bytes) -> bytes:
        """Everything up to and with `end`."""
        at = self._buffer.find(end)
        while at < 0:
            searched = max(0, len(self._buffer) - len(end) + 1)
            self._fill()
            at = self._buffer.find(end, searched)
        return self._take(at + len(end))

    def receive(self, count: int) -> bytes:
        """The next `count` bytes."""
        while len(self._buffer) < count:
            self._fill()
        return self._take(count)

    def starts_with(self, prefix: bytes) -> bool:
        """Whether the bytes to come begin with `prefix`; waits for enough of them."""
        while len(self._buffer) < len(prefix) and prefix.startswith(bytes(self._buffer)):
            self._fill()
        return self._buffer.startswith(prefix)

    def pause(self, seconds: float) -> None:
        """Do nothing for `seconds`, or until the test ends."""
        if self._over.wait(seconds):
            raise HangupError

    def hold(self, *, reading: bool) -> None:
        """Say nothing more; end when the client leaves (if `reading`) or the test does."""
        if not reading:
            self._over.wait()
            raise HangupError
        while True:
            self._fill()

    def handshake(self, context: ssl.SSLContext) -> None:
        """Become the server of a TLS session; what the client sent before in plain is dropped."""
        self._buffer.clear()
        context.sni_callback = _note_server_name
        wrapped = context.wrap_socket(
            self._sock, server_side=True, do_handshake_on_connect=False, suppress_ragged_eofs=True
        )
        self._sock = wrapped
        if self._over.is_set():
            raise HangupError
        try:
            wrapped.do_handshake()
        except OSError as error:
            self.tls_error = getattr(error, "reason", None) or str(error)
            raise HangupError from error
        finally:
            self.server_name = _server_names.get(wrapped)
            self._changed()
        self.tls_version = wrapped.version()

    def close(self, *, notify: bool = False) -> None:
        """End the connection with a FIN, never a RST, whatever the client has still in flight."""
        with contextlib.suppress(OSError):
            if notify and isinstance(self._sock, ssl.SSLSocket):
                self._sock.unwrap()
        with contextlib.suppress(OSError):
            socket.socket.shutdown(self._sock, socket.SHUT_WR)
            while socket.socket.recv(self._sock, _CHUNK):
                pass
        raise HangupError

    def reset(self) -> None:
        """End the connection with a RST."""
        self._sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._sock.close()
        raise HangupError

    def abort(self) -> None:
        """Wake whoever waits on this connection; safe from another thread."""
        with contextlib.suppress(OSError):
            socket.socket.shutdown(self._sock, socket.SHUT_RDWR)

    def discard(self) -> None:
        """Give the socket back."""
        self._sock.close()

    def _fill(self) -> None:
        try:
            data = self._sock.recv(_CHUNK)
        except OSError as error:
            raise HangupError from error
        if not data:
            raise HangupError
        self._buffer += data
        self.flights[-1] += data
        self.received += data
        self._changed()

    def _take(self, count: int) -> bytes:
        taken = bytes(self._buffer[:count])
        del self._buffer[:count]
        return taken


def _note_server_name(sock: object, name: str | None, _: ssl.SSLContext) -> None:
    if name is not None:
        _server_names[sock] = name
