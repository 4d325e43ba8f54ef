"""A proxy that logs who spoke when: how many flights a client needs."""

from __future__ import annotations

import contextlib
import socket
import threading
from typing import TYPE_CHECKING, Final, Self

if TYPE_CHECKING:
    from types import TracebackType

_CHUNK: Final = 65536


class LoggingProxy:
    """Passes one connection on to a server, from `__enter__` to `__exit__`.

    Attributes:
        host: where it listens.
        port: its port.
        flights: what the client sent, in the parts that each came after words of the server.
    """

    host: Final = "127.0.0.1"

    def __init__(self, port: int) -> None:
        """Stand before a server on `port` of this machine."""
        self.flights: list[bytes] = []
        self._server_port = port
        self._listener = socket.create_server((self.host, 0))
        self.port: int = self._listener.getsockname()[1]
        self._server_spoke = True
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._pass_on)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._listener.close()
        self._thread.join()

    def _pass_on(self) -> None:
        with contextlib.suppress(OSError):
            client, _ = self._listener.accept()
            server = socket.create_connection((self.host, self._server_port))
            with client, server:
                back = threading.Thread(target=self._pump, args=(server, client))
                back.start()
                self._pump(client, server)
                back.join()

    def _pump(self, source: socket.socket, target: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(_CHUNK):
                self._note(data, from_server=source.getpeername()[1] == self._server_port)
                target.sendall(data)
        with contextlib.suppress(OSError):
            target.shutdown(socket.SHUT_WR)

    def _note(self, data: bytes, *, from_server: bool) -> None:
        with self._lock:
            if from_server:
                self._server_spoke = True
                return
            if self._server_spoke:
                self.flights.append(b"")
            self._server_spoke = False
            self.flights[-1] += data
