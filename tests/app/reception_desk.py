"""A reception that answers, over a real socket, for users as the test says."""

from __future__ import annotations

import contextlib
import socket
from typing import TYPE_CHECKING

from smtp_desk.app import reception
from smtp_desk.app.reception import Reception, open_listener
from smtp_desk.core.handover import (
    HEAD,
    MOST_ANSWER_OCTETS,
    Order,
    WorkerAnswer,
    frame_length,
    read_frame,
    read_head,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    import pytest

    from smtp_desk.app.services import Services

SECONDS = 20.0


@contextlib.contextmanager
def receiving(
    services: Services, path: Path, clock: Callable[[], float] | None = None, why: str = ""
) -> Iterator[Path]:
    """Give the path of the socket that is answered."""
    options = {} if clock is None else {"clock": clock}
    with services.open_sender() as sender, open_listener(path, {}) as listener:
        taken = Reception(services, sender, lambda: why, **options)
        with taken.open(listener):
            yield path


@contextlib.contextmanager
def connected(path: Path) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(SECONDS)
        connection.connect(str(path))
        yield connection


def answer_of(connection: socket.socket) -> WorkerAnswer:
    def read(count: int) -> bytes:
        found = b""
        while len(found) < count:
            part = connection.recv(count - len(found))
            assert part, "the connection ended without an answer"
            found += part
        return found

    read_head(read)
    return WorkerAnswer.parse(read_frame(read, MOST_ANSWER_OCTETS))


def ask(path: Path, order: Order, octets: bytes = b"") -> WorkerAnswer:
    content = order.to_octets()
    with connected(path) as connection:
        parts = (HEAD, frame_length(content), content, frame_length(octets), octets)
        with contextlib.suppress(BrokenPipeError):  # it is answered before it is read
            connection.sendall(b"".join(parts))
        return answer_of(connection)


def come_as(monkeypatch: pytest.MonkeyPatch, user: int) -> None:
    """Whoever connects from now on is this user to the reception."""
    monkeypatch.setattr(reception, "peer_user", lambda _connection: user)
