"""Jobs outside the window's own thread: what a presenter needs, whoever provides the thread."""

from collections.abc import Callable
from typing import Any, Protocol, TypeVar

from smtp_desk.smtp.net.deadline import Cancel

T = TypeVar("T")
Emit = Callable[[Any], None]
"""Takes one event of a job, an immutable value: a stage of a test, a question of a search."""

Job = Callable[[Emit, Cancel], T]


class Runner(Protocol):
    """Runs one job at a time in the background and answers in the caller's thread."""

    def run(
        self,
        job: Job[T],
        *,
        on_done: Callable[[T], None],
        on_error: Callable[[Exception], None],
        on_event: Emit | None = None,
    ) -> Cancel:
        """Start `job` after those already waiting; the returned function cancels it.

        Args:
            job: Called in the background with a function that takes its events and the
                mark that tells it to stop.
            on_done: Called in the caller's thread with what the job returned.
            on_error: Called in the caller's thread with what the job raised.
            on_event: Called in the caller's thread for each event.
        """
        ...
