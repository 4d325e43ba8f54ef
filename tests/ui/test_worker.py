"""The contract of `Runner`, kept by the worker; and closing at any moment."""

from __future__ import annotations

import threading
import weakref
from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import QThread

from smtp_desk.core.stages import Stage, StageEvent, StageStatus
from smtp_desk.smtp.net.deadline import Cancel
from smtp_desk.ui.worker import Worker
from tests.servers.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pytestqt.qtbot import QtBot

    from smtp_desk.app.runner import Emit

STARTED = StageEvent(Stage.CONNECT, StageStatus.STARTED)


@pytest.fixture
def worker(qtbot: QtBot) -> Iterator[Worker]:
    made = Worker()
    yield made
    assert made.close()


def unwanted(error: Exception) -> None:
    raise AssertionError(error)


def returning(value: object) -> Callable[[Emit, Cancel], object]:
    return lambda _emit, _cancel: value


def test_the_result_arrives_in_the_callers_thread(worker: Worker, qtbot: QtBot) -> None:
    seen: list[tuple[object, object]] = []
    worked_in: list[int] = []

    def job(_emit: Emit, _cancel: Cancel) -> str:
        worked_in.append(threading.get_ident())
        return "result"

    worker.run(
        job,
        on_done=lambda result: seen.append((result, threading.get_ident())),
        on_error=unwanted,
    )
    qtbot.waitUntil(lambda: bool(seen))
    assert seen == [("result", threading.get_ident())]
    assert worked_in != [threading.get_ident()]


def test_an_error_arrives_as_the_very_object(worker: Worker, qtbot: QtBot) -> None:
    trouble = ValueError("no")
    seen: list[Exception] = []

    def job(_emit: Emit, _cancel: Cancel) -> None:
        raise trouble

    worker.run(job, on_done=lambda _result: None, on_error=seen.append)
    qtbot.waitUntil(lambda: bool(seen))
    assert seen == [trouble]


def test_events_arrive_in_order_before_the_result(worker: Worker, qtbot: QtBot) -> None:
    seen: list[object] = []
    events = [StageEvent(stage, StageStatus.PASSED) for stage in Stage]

    def job(emit: Emit, _cancel: Cancel) -> str:
        for event in events:
            emit(event)
        return "done"

    worker.run(job, on_done=seen.append, on_error=unwanted, on_event=seen.append)
    qtbot.waitUntil(lambda: "done" in seen)
    assert seen == [*events, "done"]


def test_jobs_run_one_after_another(worker: Worker, qtbot: QtBot) -> None:
    seen: list[object] = []
    running = threading.Semaphore(1)

    def job(_emit: Emit, _cancel: Cancel) -> bool:
        alone = running.acquire(blocking=False)
        running.release()
        return alone

    for number in range(50):
        worker.run(job, on_done=seen.append, on_error=unwanted)
        worker.run(returning(number), on_done=seen.append, on_error=unwanted)
    qtbot.waitUntil(lambda: len(seen) == 100)
    assert seen == [each for number in range(50) for each in (True, number)]


def test_cancel_reaches_a_running_job_at_once(worker: Worker, qtbot: QtBot) -> None:
    seen: list[object] = []
    began = threading.Event()

    def job(_emit: Emit, cancel: Cancel) -> str:
        began.set()
        wait_until(lambda: cancel.cancelled, "the cancel")
        return "cancelled"

    cancel = worker.run(job, on_done=seen.append, on_error=unwanted)
    assert began.wait(10)
    cancel.cancel()
    qtbot.waitUntil(lambda: seen == ["cancelled"])


def test_a_job_started_by_a_result_runs(worker: Worker, qtbot: QtBot) -> None:
    seen: list[object] = []

    def again(_first: object) -> None:
        worker.run(returning("second"), on_done=seen.append, on_error=unwanted)

    worker.run(returning("first"), on_done=again, on_error=unwanted)
    qtbot.waitUntil(lambda: seen == ["second"])


@pytest.mark.parametrize("attempt", range(50))
def test_closing_at_any_moment_is_clean(qtbot: QtBot, attempt: int) -> None:
    worker = Worker()
    called_back: list[object] = []
    gate = threading.Barrier(2)

    def job(emit: Emit, cancel: Cancel) -> None:
        gate.wait(10)
        for _ in range(attempt * 20):
            emit(STARTED)
            if cancel.cancelled:
                break

    worker.run(
        job,
        on_done=called_back.append,
        on_error=unwanted,
        on_event=called_back.append,
    )
    gate.wait(10)
    assert worker.close()
    qtbot.wait(0)
    assert called_back == []
    worker.deleteLater()
    qtbot.wait(0)


def test_a_blocked_job_does_not_block_closing(qtbot: QtBot) -> None:
    worker = Worker()
    prompt = threading.Event()
    after: list[object] = []

    def job(emit: Emit, _cancel: Cancel) -> None:
        prompt.wait(30)
        emit(STARTED)

    others = threading.enumerate()  # of an earlier test, still ending
    worker.run(job, on_done=after.append, on_error=unwanted, on_event=after.append)
    assert not worker.close(patience=0.05)
    left_behind = [
        thread
        for thread in threading.enumerate()
        if thread.name == "worker" and thread not in others
    ]
    assert [thread.daemon for thread in left_behind] == [True]
    worker.deleteLater()
    qtbot.wait(0)
    prompt.set()
    left_behind[0].join(10)
    assert after == []


def test_a_save_that_waits_is_still_done_when_closing(qtbot: QtBot) -> None:
    worker = Worker()
    done: list[str] = []
    began, go = threading.Event(), threading.Event()

    def first(_emit: Emit, _cancel: Cancel) -> None:
        began.set()
        go.wait(10)

    worker.run(first, on_done=lambda _result: None, on_error=unwanted)
    worker.run(
        lambda _emit, _cancel: done.append("saved"),
        on_done=lambda _result: None,
        on_error=unwanted,
    )
    assert began.wait(10)
    go.set()
    assert worker.close()
    assert done == ["saved"]


def test_no_qthread_is_involved(worker: Worker, qtbot: QtBot) -> None:
    seen: list[object] = []
    worker.run(
        lambda _emit, _cancel: threading.current_thread().daemon,
        on_done=seen.append,
        on_error=unwanted,
    )
    qtbot.waitUntil(lambda: seen == [True])
    assert worker.thread() is QThread.currentThread()


class Owner:
    """Whose method is a job; as a view would, it has widgets, which end with it."""

    def __init__(self, go: threading.Event) -> None:
        self._go = go

    def job(self, _emit: Emit, _cancel: Cancel) -> str:
        self._go.wait(10)
        return "done"


def ends_in(owner: Owner) -> list[int]:
    """Note in which thread it ends."""
    noted: list[int] = []
    weakref.finalize(owner, lambda: noted.append(threading.get_ident()))
    return noted


def test_whose_job_is_done_ends_in_the_callers_thread(worker: Worker, qtbot: QtBot) -> None:
    go = threading.Event()
    owner = Owner(go)
    noted = ends_in(owner)
    worker.run(owner.job, on_done=lambda _result: None, on_error=unwanted)
    del owner
    go.set()
    qtbot.waitUntil(lambda: bool(noted))
    assert noted == [threading.get_ident()]


@pytest.mark.parametrize("before", [0, 2])
def test_whose_job_is_done_while_closing_ends_in_the_callers_thread(
    before: int, qtbot: QtBot
) -> None:
    worker = Worker()
    go = threading.Event()
    for _ in range(before):
        worker.run(returning("first"), on_done=lambda _result: None, on_error=unwanted)
    owner = Owner(go)
    noted = ends_in(owner)
    worker.run(owner.job, on_done=lambda _result: None, on_error=unwanted)
    del owner
    threading.Timer(0.05, go.set).start()
    assert worker.close()
    assert noted == [threading.get_ident()]


def test_whose_job_is_left_behind_does_not_end_in_its_thread(qtbot: QtBot) -> None:
    worker = Worker()
    go = threading.Event()
    owner = Owner(go)
    noted = ends_in(owner)
    worker.run(owner.job, on_done=lambda _result: None, on_error=unwanted)
    del owner
    thread = worker._thread
    assert thread is not None
    assert not worker.close(patience=0)
    go.set()
    thread.join(10)
    assert noted == []
