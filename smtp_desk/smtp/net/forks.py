"""Forks: what they must not interrupt, and what begins anew in the child.

A child has only the thread that forked, so a lock that another thread held stays locked there: one
of ours, of Python's imports, or deep inside OpenSSL. SQLite's locks belong to a process, so a
database connection must not pass into a child at all. `gate` makes a fork wait while such things
are in progress, databases are closed before it, and owners of locks or threads create new ones in
the child.
"""

import os
import threading
import time
from collections.abc import Callable
from contextlib import ContextDecorator, suppress
from pathlib import Path
from typing import Final, final
from weakref import WeakMethod

from smtp_desk.core.system import this_system

_PATIENCE_S: Final = 30.0
_DYING_S: Final = 0.2
_LOOK_S: Final = 0.0005
_TASKS: Final = Path("/proc/self/task")  # on Linux only

_Hooks = set[WeakMethod[Callable[[], None]]]


@final
class _Gate(ContextDecorator):
    """A gate, open to any number of threads or shut for a fork. A thread may enter it twice."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Open it, with nobody inside."""
        # One that its own thread may take again: the garbage collector closes databases.
        self._changed = threading.Condition(threading.RLock())
        self._inside: dict[int, int] = {}
        self._forking: int | None = None

    def __enter__(self) -> None:
        # Without a lock, for it is passed at every turn: whoever shuts it says so first and
        # looks who is inside then; here it is the other way round.
        me = threading.get_ident()
        self._inside[me] = self._inside.get(me, 0) + 1
        if self._forking is not None:
            self._wait(me)

    def __exit__(self, *exc_info: object) -> None:
        me = threading.get_ident()
        if self._inside[me] > 1:
            self._inside[me] -= 1
            return
        del self._inside[me]
        if self._forking is not None:
            with self._changed:
                self._changed.notify_all()

    def _wait(self, me: int) -> None:
        with self._changed:
            if self._forking == me or self._inside[me] > 1:
                return
            del self._inside[me]
            self._changed.notify_all()
            self._changed.wait_for(lambda: self._forking is None)
            self._inside[me] = 1

    def shut(self) -> None:
        """Let no other thread in, and wait until all others have left.

        A signal handler that forks may find its own thread inside; and what hangs for half a
        minute may hang forever. What such threads use stays open: see `database`.
        """
        me = threading.get_ident()
        with self._changed:
            self._changed.wait_for(lambda: self._forking is None)
            self._forking = me
            self._changed.wait_for(lambda: not self._inside.keys() - {me}, _PATIENCE_S)

    def open(self) -> None:
        """Let everybody in again."""
        with self._changed:
            self._forking = None
            self._changed.notify_all()


gate: Final = _Gate()
"""Enter it, by `with` or as a decorator, for what a fork must not cut in two.

That is every call of OpenSSL or of a database, and what imports or builds something at its
first use: a child would wait for ever for the thread that began it.
"""

_foreign: Final[set[int]] = set()
_before: Final[_Hooks] = set()
_after: Final[_Hooks] = set()


def run_before_fork(hook: Callable[[], None]) -> None:
    """Call the method `hook` before every fork while its object lives, with `gate` shut."""
    _before.add(WeakMethod(hook, _before.discard))


def run_after_fork(hook: Callable[[], None]) -> None:
    """Call the method `hook` in every child that is forked while its object lives.

    The hook must forget locks, threads and connections without touching them.
    """
    _after.add(WeakMethod(hook, _after.discard))


def _run(hooks: _Hooks) -> None:
    # Copied at once: a walk through it could meet the garbage collector, which forgets hooks.
    for reference in hooks.copy():
        if hook := reference():
            with suppress(Exception):  # the fork comes, whatever happens: the others get their turn
                hook()


def _prepare() -> None:
    gate.shut()
    _run(_before)
    _await_dying_threads()


def _await_dying_threads() -> None:
    """Wait a moment for threads that Python has forgotten and the system has not.

    OpenSSL cleans up after each thread that used it, under a lock of its own, when `join` has
    returned long since. Threads that Python never knew, such as those of a library, stay:
    they are waited for once.
    """
    if not _TASKS.is_dir():
        return
    end = time.monotonic() + _DYING_S
    while True:
        tasks = {int(task) for task in os.listdir(_TASKS)}  # noqa: PTH208 - one call
        unknown = tasks - {thread.native_id for thread in threading.enumerate()} - _foreign
        if not unknown:
            return
        if time.monotonic() > end:
            _foreign.update(unknown)
            return
        time.sleep(_LOOK_S)


def _begin_anew() -> None:
    gate.reset()
    _run(_after)


if this_system().forks:
    os.register_at_fork(before=_prepare, after_in_parent=gate.open, after_in_child=_begin_anew)
