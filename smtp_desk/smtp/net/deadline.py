"""What ends a wait on the network: `Cancel`, at once and from any thread, and `Deadline`.

A deadline is a moment on a monotonic clock, so a peer that sends drop by drop can't extend it.
"""

import socket
import threading
import time
import weakref
from collections.abc import Callable
from typing import NamedTuple, Self, TypeAlias


class CancelledError(Exception):
    """The operation was cancelled."""


class Cancel:
    """A signal that any thread sets once; wakes everything that waits with it, without polling.

    Its `fileno` is readable from the moment of `cancel()`, so that it can be waited for
    together with any set of sockets, on every system.
    """

    def __init__(self, parent: "Cancel | None" = None) -> None:
        """Create one that is not cancelled.

        Args:
            parent: Cancelling it cancels this one too, but not the other way round.
        """
        self._lock = threading.Lock()
        self._cancelled = False
        self._children: weakref.WeakSet[Cancel] = weakref.WeakSet()
        self._pair: tuple[socket.socket, socket.socket] | None = None
        if parent is not None:
            parent._adopt(self)  # noqa: SLF001 - its own class

    @property
    def cancelled(self) -> bool:
        """Whether `cancel` was called, here or on a parent."""
        return self._cancelled

    def cancel(self) -> None:
        """Wake everything that waits; waits that begin from now on end at once."""
        with self._lock:
            if self._cancelled:
                return
            self._cancelled = True
            if self._pair is not None:
                self._pair[1].send(b"\0")
            children = list(self._children)
        for child in children:
            child.cancel()

    def check(self) -> None:
        """Do nothing unless cancelled.

        Raises:
            CancelledError: It was cancelled.
        """
        if self._cancelled:
            raise CancelledError

    def fileno(self) -> int:
        """Return a descriptor that becomes readable when cancelled; for selectors only."""
        with self._lock:
            if self._pair is None:
                self._pair = socket.socketpair()
                weakref.finalize(self, _close, *self._pair)
                if self._cancelled:
                    self._pair[1].send(b"\0")
            return self._pair[0].fileno()

    def _adopt(self, child: "Cancel") -> None:
        with self._lock:
            self._children.add(child)
        if self._cancelled:
            child.cancel()


def _close(*sockets: socket.socket) -> None:
    for sock in sockets:
        sock.close()


Clock: TypeAlias = Callable[[], float]
"""Seconds since any fixed moment; never goes back."""


class Deadline(NamedTuple):
    """The moment at which waiting ends.

    Attributes:
        at: That moment, in seconds of `clock`.
        clock: Returns the time.
    """

    at: float
    clock: Clock = time.monotonic

    @classmethod
    def after(cls, seconds: float, clock: Clock = time.monotonic) -> Self:
        """Return the deadline that passes in `seconds`."""
        return cls(clock() + seconds, clock)

    def within(self, seconds: float) -> "Deadline":
        """Return the deadline of one stage: in `seconds`, but never later than this one."""
        return Deadline(min(self.at, self.clock() + seconds), self.clock)

    @property
    def remaining(self) -> float:
        """Seconds left; 0 once it has passed."""
        return max(0.0, self.at - self.clock())

    @property
    def passed(self) -> bool:
        """Whether the moment is over."""
        return self.clock() >= self.at
