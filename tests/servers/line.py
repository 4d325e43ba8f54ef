"""A line to a server that a test can cut, before or after what is said arrives."""

from __future__ import annotations

import contextlib
import socket
import threading
from enum import Enum
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import TracebackType


class Fate(Enum):
    """What becomes of a piece that a client says: the server gets it and answers, the line is cut
    before it arrives and the server never learns of that, or it arrives and the answer doesn't.
    """

    PASSES = "passes"
    IS_LOST = "is lost"
    LOSES_ITS_ANSWER = "loses its answer"


class Line:
    """Passes bytes on from a port of its own to another.

    Attributes:
        port: Where it listens on 127.0.0.1.
        open: Whether it takes new connections.
        fate: Tells what becomes of each piece.
    """

    def __init__(self, target: int) -> None:
        self._target = target
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.open = True
        self.fate: Callable[[bytes], Fate] = lambda _: Fate.PASSES
        self._sockets: list[socket.socket] = []
        self._deaf: set[socket.socket] = set()
        self._threads: list[threading.Thread] = []

    def __enter__(self) -> Self:
        self._start(self._accept)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        _end(self._listener)
        self.cut()
        for thread in tuple(self._threads):
            thread.join()
        for each in (self._listener, *self._sockets):
            each.close()

    def cut(self) -> None:
        """End all connections."""
        for each in tuple(self._sockets):
            _end(each)

    def _start(self, work: Callable[..., None], *arguments: object) -> None:
        self._threads = [each for each in self._threads if each.is_alive()]
        thread = threading.Thread(target=work, args=arguments, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            try:
                server = socket.create_connection(("127.0.0.1", self._target))
            except OSError:
                client.close()
                continue
            if not self.open:
                client.close()
                server.close()
                continue
            self._sockets += [client, server]
            halves = threading.Semaphore(1)
            self._start(self._pass_on, halves, self._to_server, client, server)
            self._start(self._pass_on, halves, self._to_client, server, client)

    def _pass_on(
        self,
        halves: threading.Semaphore,
        work: Callable[[socket.socket, socket.socket], None],
        source: socket.socket,
        target: socket.socket,
    ) -> None:
        work(source, target)
        if halves.acquire(blocking=False):
            return  # the other half goes on
        for each in (source, target):
            self._sockets.remove(each)
            self._deaf.discard(each)
            each.close()

    def _to_server(self, client: socket.socket, server: socket.socket) -> None:
        for piece in _pieces(client):
            fate = self.fate(piece)
            if fate is Fate.LOSES_ITS_ANSWER:
                self._deaf.add(client)
            if fate is not Fate.IS_LOST:
                with contextlib.suppress(OSError):
                    server.sendall(piece)
            if fate is not Fate.PASSES:
                _end(client)
                return  # and the server goes on waiting for more
        _end(server)

    def _to_client(self, server: socket.socket, client: socket.socket) -> None:
        for piece in _pieces(server):
            if client in self._deaf:
                return
            with contextlib.suppress(OSError):
                client.sendall(piece)
        _end(client)


def _pieces(source: socket.socket) -> Iterator[bytes]:
    with contextlib.suppress(OSError):
        while piece := source.recv(65536):
            yield piece


def _end(each: socket.socket) -> None:
    with contextlib.suppress(OSError):
        each.shutdown(socket.SHUT_RDWR)
