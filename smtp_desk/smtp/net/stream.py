"""One TCP connection, plain or TLS: bytes with a deadline, cancelled within milliseconds.

Every wait is one `poll` of the socket and the `Cancel`, so nothing wakes up in vain, and a peer
that sends drop by drop can't extend a time limit.
"""

import contextlib
import selectors
import socket
import ssl
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from smtp_desk.core.settings import Security
from smtp_desk.core.system import flag, this_system
from smtp_desk.smtp.net.deadline import Cancel, Deadline
from smtp_desk.smtp.net.forks import run_after_fork
from smtp_desk.smtp.net.tls import TlsConnection, TlsInfo, TlsTicket

if TYPE_CHECKING:
    from smtp_desk.smtp.net.tls_failures import Handshake

_CHUNK: Final = 65536
# More than this is not read ahead for a peer that talks while it should listen.
_MOST_READ_AHEAD: Final = 1 << 20
_NO_SIGNAL: Final = flag(socket, "MSG_NOSIGNAL")
_QUICKACK: Final = flag(socket, "TCP_QUICKACK")

_Selector: Final = selectors.PollSelector if this_system().has_poll else selectors.SelectSelector


class StreamError(Exception):
    """The connection can't be used any further."""


class TimedOutError(StreamError):
    """The deadline passed."""


class ClosedError(StreamError):
    """The peer closed the connection properly: there is nothing more to read."""


class ResetError(StreamError):
    """The connection broke: reset by the peer, or lost; `__cause__` is the system's error."""


class Stream:
    """A connection to one server, for one thread at a time.

    Its waits raise `TimedOutError`, `ClosedError`, `ResetError`, or `CancelledError` of
    `cancel`. Whatever the peer sent before it closed the connection can still be read.

    Attributes:
        local_address: IP address of this end.
        peer_address: IP address of the server.
        tls: What was agreed in the handshake, or None in plain text.
    """

    def __init__(self, sock: socket.socket, cancel: Cancel, peer: str = "") -> None:
        """Take over a connected socket, even one that is already broken: the first read tells.

        Args:
            sock: The socket.
            cancel: Ends every wait.
            peer: IP address of the server; by default the socket's peer.
        """
        sock.setblocking(False)
        with contextlib.suppress(OSError):
            # Some systems refuse options and names once the peer has reset the connection.
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.local_address = _address_of(sock.getsockname)
        self.peer_address = peer or _address_of(sock.getpeername)
        self.tls: TlsInfo | None = None
        self._socket = sock
        self._cancel = cancel
        self._connection: TlsConnection | None = None
        self._received = b""
        self._ended: StreamError | None = None
        self._selector = _Selector()
        self._events = selectors.EVENT_READ
        self._selector.register(sock, self._events)
        self._selector.register(cancel, selectors.EVENT_READ)
        run_after_fork(self.after_fork)

    def after_fork(self) -> None:
        """Close what a child inherited, so that the server notices when the parent closes it."""
        self._selector.close()
        self._socket.close()

    def read(self, deadline: Deadline, limit: int = _CHUNK) -> bytes:
        """Return between one byte and `limit` bytes, waiting for them if necessary.

        Raises:
            StreamError: Nothing was received; its type says why.
            CancelledError: Cancelled while nothing came.
            SmtpFailure: TLS broke; code and facts say how (TLS 1.3 refuses a missing client
                certificate only here).
        """
        while True:
            data = self._take(limit)
            if data:
                return data
            if self._ended:
                raise self._ended
            self._wait(selectors.EVENT_READ, deadline)
            self._receive()

    def write(self, data: bytes | memoryview, deadline: Deadline) -> None:
        """Send all of `data`; what the peer sends meanwhile is kept for `read`.

        Raises:
            StreamError: It could not be sent; its type says why.
            CancelledError: Cancelled before it was sent.
        """
        if self._connection is None:
            self._send(data, deadline)
            return
        view = memoryview(data)
        for start in range(0, len(view), _CHUNK):
            self._send(self._connection.encrypt(view[start : start + _CHUNK]), deadline)

    def ready(self) -> bytes:
        """Return what has been received, without waiting; b"" if nothing has.

        Raises:
            SmtpFailure: TLS broke.
        """
        if self._ended is None:
            self._receive()
        return self._take(_CHUNK)

    @property
    def ended(self) -> bool:
        """Whether the end of the connection has been read."""
        return self._ended is not None

    def start_tls(
        self,
        context: ssl.SSLContext,
        host: str,
        mode: Security,
        deadline: Deadline,
        ticket: TlsTicket | None = None,
    ) -> TlsInfo:
        """Begin TLS; returns only once certificate and name are verified.

        Args:
            context: From `tls.client_context`.
            host: The host that the certificate must be for.
            mode: TLS from the start, or STARTTLS: then plain bytes that follow the
                server's reply to it are an attack (`tls.injected_data`).
            deadline: For the whole handshake.
            ticket: From an earlier connection to this host; see `keep_ticket`.

        Raises:
            SmtpFailure: With the `tls.*` code, and the chain of this handshake among its facts.
            CancelledError: Cancelled.
        """
        # Imported here: only TLS needs it, and it loads cryptography, a seventh of a short command.
        from smtp_desk.smtp.net.tls_failures import Handshake, PlainAnswerError  # noqa: PLC0415

        handshake = Handshake(TlsConnection(context, host, ticket), host, mode)
        if mode is Security.STARTTLS:
            self._refuse_early_bytes(handshake)
        try:
            self._shake_hands(handshake, deadline)
        except StreamError as error:
            raise handshake.cut(timed_out=isinstance(error, TimedOutError)) from error
        except PlainAnswerError as error:
            raise handshake.plain_answer() from error
        self._connection = handshake.connection
        self.tls = handshake.connection.info
        return self.tls

    def keep_ticket(self) -> None:
        """Keep what resumes TLS on a later connection, once the server has spoken inside TLS."""
        if self._connection is not None:
            self._connection.keep_ticket()

    def close(self) -> None:
        """Send TLS's close_notify, without waiting for an answer, and close."""
        if self._connection is not None and self._ended is None:
            goodbye = self._connection.goodbye()
            with contextlib.suppress(OSError):
                self._socket.send(goodbye, _NO_SIGNAL)
        self.abort()

    def abort(self) -> None:
        """Close at once, without close_notify; the peer sees an end (FIN), not a reset."""
        if self._socket.fileno() < 0:
            return
        self._selector.close()
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_WR)
            # Closing with bytes unread would send a reset, which can destroy what the
            # peer has not read yet.
            for _ in range(_MOST_READ_AHEAD // _CHUNK):
                if not self._socket.recv(_CHUNK):
                    break
        self._socket.close()

    def _take(self, limit: int) -> bytes:
        if self._connection is None:
            data, self._received = self._received[:limit], self._received[limit:]
            return data
        try:
            return self._connection.decrypt(limit)
        except EOFError:
            self._ended = self._ended or ClosedError()
            return b""
        except ssl.SSLError as error:
            from smtp_desk.smtp.net.tls_failures import broken  # noqa: PLC0415 - as above

            raise broken(error) from error

    def _send(self, data: bytes | memoryview, deadline: Deadline) -> None:
        view = memoryview(data)
        while view:
            try:
                sent = self._socket.send(view, _NO_SIGNAL)
            except BlockingIOError:
                self._wait_to_send(deadline)
            except OSError as error:
                self._drain()
                self._ended = ResetError()
                raise self._ended from error
            else:
                view = view[sent:]

    def _wait_to_send(self, deadline: Deadline) -> None:
        events = selectors.EVENT_WRITE
        # A peer that waits for us to read would never let us write.
        if self._ended is None and self._read_ahead < _MOST_READ_AHEAD:
            events |= selectors.EVENT_READ
        if self._wait(events, deadline) & selectors.EVENT_READ:
            self._receive()

    @property
    def _read_ahead(self) -> int:
        return len(self._received) if self._connection is None else self._connection.backlog

    def _wait(self, events: int, deadline: Deadline) -> int:
        if events != self._events:
            self._selector.modify(self._socket, events)
            self._events = events
        if _QUICKACK and events & selectors.EVENT_READ:
            # Servers that write twice wait for our acknowledgement of the first part, which
            # the kernel would delay by 40 ms; it forgets the option, so it is set each time.
            self._socket.setsockopt(socket.IPPROTO_TCP, _QUICKACK, 1)
        while True:
            self._cancel.check()
            if deadline.passed:
                raise TimedOutError
            for key, mask in self._selector.select(deadline.remaining):
                if key.fileobj is self._socket:
                    return mask

    def _receive(self) -> None:
        """Take what is there from the network; never waits."""
        try:
            data = self._socket.recv(_CHUNK)
        except BlockingIOError:
            return
        except OSError as error:
            self._ended = ResetError()
            self._ended.__cause__ = error
            data = b""
        else:
            if not data:
                self._ended = ClosedError()
        if self._connection is None:
            self._received += data
        else:
            self._connection.feed(data)

    def _drain(self) -> None:
        """Keep what the peer said before it hung up."""
        before = -1
        while before < self._read_ahead:
            before = self._read_ahead
            self._receive()

    def _refuse_early_bytes(self, handshake: "Handshake") -> None:
        self._receive()
        if self._received:
            handshake.answer = self._received
            raise handshake.plain_answer()

    def _shake_hands(self, handshake: "Handshake", deadline: Deadline) -> None:
        connection = handshake.connection
        try:
            while not connection.shake_hands():
                self._send(connection.outgoing(), deadline)
                while not self._received:
                    if self._ended:
                        raise self._ended
                    self._wait(selectors.EVENT_READ, deadline)
                    self._receive()
                handshake.hear(self._received)
                self._received = b""
        except ssl.SSLError as error:
            with contextlib.suppress(OSError):
                # The alert tells the server's log why.
                self._socket.send(connection.outgoing(), _NO_SIGNAL)
            raise handshake.refused(error) from error
        self._send(connection.outgoing(), deadline)


def _address_of(name: Callable[[], Any]) -> str:
    try:
        return str(name()[0])
    except OSError:
        return ""
