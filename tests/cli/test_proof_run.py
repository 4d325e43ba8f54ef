"""A test in the background: events in order, Ctrl-C, faults."""

from __future__ import annotations

import contextlib
import dataclasses
import signal
import sys
import threading
import time
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING

import pytest

from smtp_desk import __main__ as program
from smtp_desk.app.proving.proving import ProofRequest, ProofResult
from smtp_desk.app.startup import ending_at_once
from smtp_desk.cli import invocation, main
from smtp_desk.cli import proof as proof_run
from smtp_desk.cli.invocation import first_interrupt
from smtp_desk.cli.proof import run_proof
from smtp_desk.core.settings import SettingsDraft
from smtp_desk.core.stages import Stage, StageEvent, StageStatus
from smtp_desk.oauth.prompt import Prompt
from tests.cli.reports import REPORT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import FrameType

    from smtp_desk.smtp.net.deadline import Cancel
    from tests.cli.desk import Desk

REQUEST = ProofRequest(draft=SettingsDraft())
_SECONDS = 5.0
EVENT = StageEvent(Stage.RESOLVE, StageStatus.STARTED)


@pytest.fixture(autouse=True)
def usual_interrupt() -> Iterator[None]:
    """A shell lets what it runs in the background ignore SIGINT."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def prove_by(
    monkeypatch: pytest.MonkeyPatch, prove: Callable[[Callable[[StageEvent], None], Cancel], object]
) -> None:
    monkeypatch.setattr(proof_run, "prove", lambda _services, _request, emit, c: prove(emit, c))


def test_every_event_is_shown_before_the_result(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    events = [dataclasses.replace(EVENT, ms=number) for number in range(100)]

    def prove(emit: Callable[[StageEvent], None], _: Cancel) -> ProofResult:
        for event in events:
            emit(event)
        return ProofResult(REPORT)

    prove_by(monkeypatch, prove)
    shown: list[StageEvent | Prompt] = []
    assert run_proof(desk.services, REQUEST, shown.append) == ProofResult(REPORT)
    assert shown == events


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_cancels_the_test(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, number: signal.Signals
) -> None:
    cancelled = threading.Event()

    def prove(emit: Callable[[StageEvent], None], cancel: Cancel) -> ProofResult:
        emit(EVENT)
        while not cancel.cancelled:
            cancelled.wait(0.01)
        return ProofResult(REPORT)

    prove_by(monkeypatch, prove)
    run_proof(desk.services, REQUEST, lambda _event: signal.raise_signal(number))


@pytest.mark.skipif(sys.platform == "win32", reason="sends a POSIX signal to a thread")
def test_a_signal_at_the_end_of_a_wait_for_events_is_not_lost(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Handling it takes longer here than the wait would still have lasted."""
    never = threading.Event()

    @contextlib.contextmanager
    def slow_interrupt() -> Iterator[threading.Event]:
        with first_interrupt() as interrupted:

            def note_slowly(number: int, frame: FrameType | None) -> None:
                late = time.monotonic() + 2 * invocation._TICK_S
                while time.monotonic() < late:
                    pass
                assert callable(quick)
                quick(number, frame)

            quick = signal.signal(signal.SIGINT, note_slowly)
            yield interrupted

    def prove(_: Callable[[StageEvent], None], cancel: Cancel) -> ProofResult:
        never.wait(invocation._TICK_S / 2)  # the other thread waits for events by now
        signal.pthread_kill(main, signal.SIGINT)
        ends = time.monotonic() + _SECONDS
        while not cancel.cancelled and time.monotonic() < ends:
            never.wait(0.01)
        return ProofResult(dataclasses.replace(REPORT, id=f"cancelled: {cancel.cancelled}"))

    main = threading.get_ident()
    monkeypatch.setattr(invocation, "first_interrupt", slow_interrupt)
    prove_by(monkeypatch, prove)
    result = run_proof(desk.services, REQUEST, lambda _event: None)
    assert result.report.id == "cancelled: True"


def test_a_fault_of_ours_reaches_the_caller(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    def prove(_: Callable[[StageEvent], None], __: Cancel) -> ProofResult:
        raise ZeroDivisionError

    prove_by(monkeypatch, prove)
    with pytest.raises(ZeroDivisionError):
        run_proof(desk.services, REQUEST, lambda _event: None)


def test_the_second_interrupt_has_its_usual_effect() -> None:
    before = signal.getsignal(signal.SIGTERM)
    with first_interrupt() as interrupted:
        assert not interrupted.is_set()
        signal.raise_signal(signal.SIGTERM)
        assert interrupted.is_set()
        assert signal.getsignal(signal.SIGINT) is signal.SIG_DFL
        assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
    assert signal.getsignal(signal.SIGTERM) is before


def test_while_the_program_loads_itself_an_interrupt_ends_it_without_a_word() -> None:
    before = signal.getsignal(signal.SIGINT)
    assert before is signal.default_int_handler
    with ending_at_once():
        assert signal.getsignal(signal.SIGINT) is signal.SIG_DFL
    assert signal.getsignal(signal.SIGINT) is before


def test_a_command_is_loaded_so(monkeypatch: pytest.MonkeyPatch, desk: Desk) -> None:
    handlers: list[object] = []

    def load(name: str) -> object:
        handlers.append(signal.getsignal(signal.SIGINT))
        return import_module(name)

    monkeypatch.setattr(main, "import_module", load)
    assert desk("show").status == 78
    assert handlers == [signal.SIG_DFL]


def test_the_window_is_loaded_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """Else Qt, interrupted half-way, would be said to be broken."""
    handlers: list[object] = []

    class Application(ModuleType):
        @property
        def open_desk(self) -> Callable[..., int]:
            handlers.append(signal.getsignal(signal.SIGINT))
            return lambda *_: 7

    monkeypatch.setitem(sys.modules, "smtp_desk.ui.application", Application("application"))
    monkeypatch.setattr(program, "missing_for_window", lambda _environ: None)
    assert program._open_window({}, None) == 7
    assert handlers == [signal.SIG_DFL]


def test_one_that_is_ignored_stays_so_while_the_program_loads_itself() -> None:
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with ending_at_once():
            assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGINT, before)


def test_what_was_ignored_from_the_start_stays_ignored() -> None:
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with first_interrupt() as interrupted:
            signal.raise_signal(signal.SIGINT)
            assert not interrupted.is_set()
    finally:
        signal.signal(signal.SIGINT, before)
