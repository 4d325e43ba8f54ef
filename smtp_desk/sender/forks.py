"""After a fork: what holds locks, threads or connections begins anew in the child.

They belong to the parent, which goes on with them: the threads that would let go of a lock
are not there, and a connection that both use is of no use to either.
"""

import os
from collections.abc import Callable
from typing import Final
from weakref import WeakMethod

_hooks: Final[set[WeakMethod[Callable[[], None]]]] = set()


def run_after_fork(hook: Callable[[], None]) -> None:
    """Call the method `hook` in every child that is forked while its object lives.

    It forgets locks, threads and connections without touching them.
    """
    _hooks.add(WeakMethod(hook, _hooks.discard))


def _run_hooks() -> None:
    for reference in tuple(_hooks):
        if hook := reference():
            hook()


# Absent on Windows, where nothing forks.
getattr(os, "register_at_fork", dict)(after_in_child=_run_hooks)
