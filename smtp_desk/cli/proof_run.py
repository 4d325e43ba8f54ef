"""Running a test in the background while the main thread shows it and waits for Ctrl-C."""

import queue
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from typing import Final, TypeAlias

from smtp_desk.app.proving import ProofRequest, ProofResult, prove
from smtp_desk.app.services import Services
from smtp_desk.cli.interrupts import first_interrupt
from smtp_desk.core.stages import StageEvent
from smtp_desk.smtp.cancel import Cancel

_TICK_S: Final = 0.05
# Not a SimpleQueue: a signal at the end of its wait makes that wait endless (CPython to 3.13).
_Events: TypeAlias = "queue.Queue[StageEvent | None]"


def run_proof(
    services: Services, request: ProofRequest, show: Callable[[StageEvent], None]
) -> ProofResult:
    """Run a test; the first Ctrl-C cancels it, a second one ends the program.

    Signals reach Python's main thread only, and on Windows only between two of its
    instructions: so that thread never waits for the network.

    Args:
        services: As for `prove`.
        request: What to test.
        show: Called in the calling thread for each event.
    """
    cancel = Cancel()
    events: _Events = queue.Queue()
    outcome: Future[ProofResult] = Future()

    def work() -> None:
        try:
            outcome.set_result(prove(services, request, events.put, cancel))
        except BaseException as fault:  # noqa: BLE001 - raised again in the calling thread
            outcome.set_exception(fault)
        finally:
            events.put(None)

    with first_interrupt() as interrupted:
        threading.Thread(target=work, name="test", daemon=True).start()
        for event in _until_the_end(events):
            if interrupted.is_set():
                cancel.cancel()
            if event is not None:
                show(event)
    return outcome.result()


def _until_the_end(events: _Events) -> Iterator[StageEvent | None]:
    """Yield the events, and None whenever there was none for a moment."""
    while True:
        try:
            event = events.get(timeout=_TICK_S)
        except queue.Empty:
            yield None
            continue
        if event is None:
            return
        yield event
