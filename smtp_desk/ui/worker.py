"""The one background thread: jobs wait in a queue, results come back as signals.

A plain daemon thread, not a `QThread`: a job can be blocked where nothing can wake it, in
a keyring's prompt for instance. Destroying a running `QThread` ends the process with
"QThread: Destroyed while thread is still running"; a daemon thread can be left behind.
"""

from __future__ import annotations

import queue
import threading
from dataclasses import dataclass
from enum import Enum, auto
from typing import TYPE_CHECKING, Any, Final, TypeVar

from PySide6.QtCore import QObject, Qt, Signal, Slot

from smtp_desk.smtp.net.deadline import Cancel

if TYPE_CHECKING:
    from collections.abc import Callable

    from smtp_desk.app.runner import Emit, Job
    from smtp_desk.core.stages import StageEvent

T = TypeVar("T")

PATIENCE_S: Final = 3.0
"""How long closing waits for a job that is being cancelled, or that saves."""
_left_behind: Final[list[object]] = []
"""What jobs hold that did not end in time. It stays: they would let go of it in their thread."""


class _AnswerKind(Enum):
    EVENT = auto()
    DONE = auto()
    ERROR = auto()


@dataclass(frozen=True, slots=True)
class _Answer:
    """What crosses from the thread: of which job, what kind, and the one immutable object."""

    job: int
    kind: _AnswerKind
    value: object


@dataclass(frozen=True, slots=True)
class _Request:
    """A job that waits for the thread."""

    number: int
    job: Job[Any]
    cancel: Cancel


@dataclass(frozen=True, slots=True)
class _Callbacks:
    """Who wants to know, in the main thread, which lets go of the job: it may hold widgets."""

    job: Job[Any]
    done: Callable[[Any], None]
    error: Callable[[Exception], None]
    event: Emit | None
    cancel: Cancel


class Worker(QObject):
    """Runs one job at a time in the background; calls back in the thread it was made in."""

    _answered = Signal(_Answer)

    def __init__(self) -> None:
        super().__init__()
        self._requests: queue.SimpleQueue[_Request | None] = queue.SimpleQueue()
        self._waiting: dict[int, _Callbacks] = {}
        self._numbered = 0
        self._thread: threading.Thread | None = None
        # Held while a signal is emitted: once `close` has it, no more is emitted, so the
        # thread never touches a QObject that Qt may have deleted.
        self._gate = threading.Lock()
        self._closed = False
        self._answered.connect(self._deliver, Qt.ConnectionType.QueuedConnection)

    def run(
        self,
        job: Job[T],
        *,
        on_done: Callable[[T], None],
        on_error: Callable[[Exception], None],
        on_event: Emit | None = None,
    ) -> Cancel:
        """Start `job` behind those already waiting; see `smtp_desk.app.runner.Runner`."""
        cancel = Cancel()
        self._numbered += 1
        self._waiting[self._numbered] = _Callbacks(job, on_done, on_error, on_event, cancel)
        self._requests.put(_Request(self._numbered, job, cancel))
        if self._thread is None and not self._closed:
            self._thread = threading.Thread(target=self._work, name="worker", daemon=True)
            self._thread.start()
        return cancel

    def close(self, patience: float = PATIENCE_S) -> bool:
        """Cancel everything, wait at most `patience` seconds, call nobody back any more.

        Jobs that still wait in the queue are run, cancelled: a save that was asked for is
        not lost because the window was closed at once.

        Returns:
            Whether the thread has ended; otherwise it is left behind and ends with the process.
        """
        waiting, self._waiting = self._waiting, {}
        for callbacks in waiting.values():
            callbacks.cancel.cancel()
        self._requests.put(None)
        with self._gate:
            self._closed = True
        if self._thread is None:
            return True
        self._thread.join(patience)
        ended = not self._thread.is_alive()
        if not ended:
            _left_behind.append(waiting)
        return ended

    def _work(self) -> None:
        while (request := self._requests.get()) is not None:
            answer = self._carry_out(request)
            # Before the answer: with it, the main thread lets go of the job.
            del request
            self._answer(answer)
            del answer

    def _carry_out(self, request: _Request) -> _Answer:
        number = request.number

        def emit(event: StageEvent) -> None:
            self._answer(_Answer(number, _AnswerKind.EVENT, event))

        try:
            return _Answer(number, _AnswerKind.DONE, request.job(emit, request.cancel))
        except Exception as error:  # noqa: BLE001 - the caller decides what an error means
            return _Answer(number, _AnswerKind.ERROR, error)

    def _answer(self, answer: _Answer) -> None:
        with self._gate:
            if not self._closed:
                self._answered.emit(answer)

    @Slot(_Answer)
    def _deliver(self, answer: _Answer) -> None:
        callbacks = self._waiting.get(answer.job)
        if callbacks is None:
            return
        if answer.kind is _AnswerKind.EVENT:
            if callbacks.event is not None:
                callbacks.event(answer.value)
            return
        del self._waiting[answer.job]
        if answer.kind is _AnswerKind.DONE:
            callbacks.done(answer.value)
        else:
            callbacks.error(answer.value)  # type: ignore[arg-type]
