"""After a fork: what holds locks, threads or connections begins anew in the child.

They belong to the parent, which goes on with them: the threads that would let go of a lock
are not there, and a connection that both use is of no use to either.
"""

import os
from typing import Final, Protocol
from weakref import WeakSet


class Forkable(Protocol):
    """What has to begin anew."""

    def start_anew(self) -> None:
        """Forget locks, threads and connections without touching them."""
        ...


_forkables: Final[WeakSet[Forkable]] = WeakSet()


def start_anew_in_children(forkable: Forkable) -> None:
    """Have `forkable` begin anew in every child that is forked while it lives."""
    _forkables.add(forkable)


def _start_anew() -> None:
    for forkable in _forkables:
        forkable.start_anew()


# Absent on Windows, where nothing forks.
getattr(os, "register_at_fork", dict)(after_in_child=_start_anew)
