"""A proxy for https (RFC 9110, 9.3.6) that leads everybody to one port of this machine."""

from __future__ import annotations

import contextlib
import socket
import threading
from typing import Final, Self

_LETS_THROUGH: Final = b"HTTP/1.1 200 Connection established\r\n\r\n"
_PATIENCE: Final = 20.0


class ConnectProxy:
    """Answers CONNECT from `__enter__` to `__exit__`, and hands octets on after a 200.

    Attributes:
        url: where it is, without a scheme.
        seen: the heads of what it was asked, in order.
    """

    def __init__(self, port: int, answer: bytes = _LETS_THROUGH) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url: Final = f"127.0.0.1:{self._listener.getsockname()[1]}"
        self.seen: list[bytes] = []
        self._port, self._answer = port, answer
        self._threads: list[threading.Thread] = []

    def __enter__(self) -> Self:
        self._run(self._listen)
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(_PATIENCE)
        self._listener.close()

    def _run(self, work: object, *arguments: object) -> None:
        thread = threading.Thread(target=work, args=arguments, daemon=True)  # type: ignore[arg-type]
        self._threads.append(thread)
        thread.start()

    def _listen(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                client.settimeout(_PATIENCE)
                self._run(self._serve, client)

    def _serve(self, client: socket.socket) -> None:
        with client, contextlib.suppress(OSError):
            head = b""
            while b"\r\n\r\n" not in head:
                octets = client.recv(4096)
                if not octets:
                    return
                head += octets
            self.seen.append(head)
            client.sendall(self._answer)
            if b" 200 " not in self._answer:
                return
            with socket.create_connection(("127.0.0.1", self._port), _PATIENCE) as server:
                back = threading.Thread(target=_hand_on, args=(server, client), daemon=True)
                back.start()
                _hand_on(client, server)
                back.join(_PATIENCE)


def _hand_on(one: socket.socket, other: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while octets := one.recv(65536):
            other.sendall(octets)
        other.shutdown(socket.SHUT_WR)
