"""Ports of every temper: free, closed, and open but never answering."""

from __future__ import annotations

import contextlib
import os
import random
import socket
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

# Below the range from which the kernel gives ports to outgoing connections.
_LOWEST: Final = 10_000
_HIGHEST: Final = 32_000

_choose = random.Random(os.getpid())  # noqa: S311 - workers must only start at different places


def free_port(host: str = "127.0.0.1") -> int:
    """A port that nobody uses now, for servers that can't take port 0."""
    while True:
        port = _choose.randrange(_LOWEST, _HIGHEST)
        with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as sock:
            try:
                sock.bind((host, port))
            except OSError:
                continue
            return port


def answers(port: int, host: str = "127.0.0.1") -> bool:
    """Whether somebody accepts connections on the port."""
    with contextlib.suppress(OSError), socket.create_connection((host, port), 5):
        return True
    return False


@contextlib.contextmanager
def refusing_port(host: str = "127.0.0.1") -> Iterator[int]:
    """A port that refuses connections: bound, so nobody else gets it, but not listening."""
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as sock:
        sock.bind((host, 0))
        port: int = sock.getsockname()[1]
        yield port


@contextlib.contextmanager
def black_hole(host: str = "127.0.0.1", port: int = 0) -> Iterator[int]:
    """A port on which a connect neither succeeds nor fails: its backlog is full.

    Unless it is given, nobody has it on another address of this machine, nor is given it by the
    kernel.
    """
    family, anywhere = (
        (socket.AF_INET6, "::") if ":" in host else (socket.AF_INET, "0.0.0.0")  # noqa: S104
    )
    with contextlib.ExitStack() as stack:
        port = port or free_port(anywhere)
        stack.enter_context(socket.create_server((host, port), family=family, backlog=0))
        filling = True
        while filling:
            client = stack.enter_context(socket.socket(family))
            client.settimeout(0.2)
            try:
                client.connect((host, port))
            except TimeoutError:
                filling = False
        yield port
