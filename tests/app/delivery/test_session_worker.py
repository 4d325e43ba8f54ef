"""The worker of a window sends what waits, tells that it runs, and ends with the window."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, TypeVar

import pytest

from smtp_desk.app.delivery.overview import OverviewPresenter, OverviewState, Threads
from smtp_desk.sandbox.server import Sandbox
from smtp_desk.sender.mail.kinds import sample
from smtp_desk.sender.outbox.entries import EntryState
from smtp_desk.smtp.net.deadline import Cancel
from tests.app.faces import DeferredRunner
from tests.app.sandboxed import sending_through
from tests.servers.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from smtp_desk.app.runner import Emit, Job
    from smtp_desk.sender.mail.kinds import Email
    from smtp_desk.sender.outbox.entries import OutboxMessage
    from smtp_desk.sender.receipts import Receipt

T = TypeVar("T")


class ThreadRunner:
    """Runs a job in a thread at once; answers from there."""

    def __init__(self) -> None:
        self.threads: list[threading.Thread] = []

    def run(
        self,
        job: Job[T],
        *,
        on_done: Callable[[T], None],
        on_error: Callable[[Exception], None],
        on_event: Emit | None = None,
    ) -> Cancel:
        cancel = Cancel()
        emit = on_event or (lambda _event: None)

        def work() -> None:
            try:
                result = job(emit, cancel)
            except Exception as error:  # noqa: BLE001 - told as any runner does
                on_error(error)
            else:
                on_done(result)

        thread = threading.Thread(target=work, daemon=True)
        self.threads.append(thread)
        thread.start()
        return cancel


@pytest.fixture(scope="module")
def server() -> Iterator[Sandbox]:
    with Sandbox() as made:
        yield made


class Face:
    def __init__(self) -> None:
        self.states: list[OverviewState] = []

    def render_overview(self, state: OverviewState) -> None:
        self.states.append(state)

    def works(self) -> bool:
        return self.states[-1].working


def nobody(_email: Email | OutboxMessage, _cancel: Cancel) -> Receipt:
    raise AssertionError("no copy is sent here")


def test_it_sends_what_waits_and_ends_with_the_window(server: Sandbox, tmp_path: Path) -> None:
    services = sending_through(server, tmp_path / "desk")
    with services.open_sender() as sender:
        sender.queue(sample("invitation", to="ann@sandbox.test"))
    runner, drain, face = DeferredRunner(), ThreadRunner(), Face()
    presenter = OverviewPresenter(services, Threads(runner, drain, runner), nobody, face)
    presenter.start_worker()
    assert face.works()
    outbox, control = services.outbox, services.control
    wait_until(lambda: outbox.counts().of(EntryState.ACCEPTED) == 1, "the worker to send")
    assert control.workers() == 1
    control.pause()
    with services.open_sender() as sender:
        sender.queue(sample("invitation", to="bo@sandbox.test"))
    presenter.close()
    (thread,) = drain.threads
    thread.join(30)
    assert not thread.is_alive()
    assert control.workers() == 0
    assert not face.works()
    assert outbox.counts().of(EntryState.READY) == 1
