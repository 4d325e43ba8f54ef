"""The gate that keeps a fork waiting, without any fork: who waits for whom."""

from __future__ import annotations

import gc
import os
import socket
import ssl
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from smtp_desk.smtp.net import forks
from smtp_desk.smtp.net.deadline import Cancel
from smtp_desk.smtp.net.forks import _Gate, run_after_fork, run_before_fork
from smtp_desk.smtp.net.stream import Stream
from tests.servers.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

PATIENCE_S = 20.0


@pytest.fixture
def gate() -> _Gate:
    return _Gate()


@pytest.fixture
def threads() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(4) as pool:
        yield pool


class Guest:
    """Somebody inside until let go."""

    def __init__(self, gate: _Gate) -> None:
        self.gate = gate
        self.inside, self.go = threading.Event(), threading.Event()

    def stay(self) -> None:
        with self.gate:
            self.inside.set()
            assert self.go.wait(PATIENCE_S)
            with self.gate:
                pass  # who is inside may enter again, though a fork waits


def test_a_fork_waits_for_who_is_inside(gate: _Gate, threads: ThreadPoolExecutor) -> None:
    guest = Guest(gate)
    staying = threads.submit(guest.stay)
    assert guest.inside.wait(PATIENCE_S)
    shutting = threads.submit(gate.shut)
    wait_until(lambda: gate._forking is not None, "the fork")
    assert not shutting.done()
    guest.go.set()
    shutting.result(PATIENCE_S)
    staying.result(PATIENCE_S)


def test_who_comes_meanwhile_waits_for_the_fork(gate: _Gate, threads: ThreadPoolExecutor) -> None:
    gate.shut()
    guest = Guest(gate)
    guest.go.set()
    staying = threads.submit(guest.stay)
    wait_until(lambda: not gate._inside, "the guest to step back")
    assert not guest.inside.is_set()
    with gate:
        pass  # the thread that forks passes
    gate.open()
    staying.result(PATIENCE_S)


def test_a_thread_that_forks_waits_for_itself_in_vain(gate: _Gate) -> None:
    with gate:
        gate.shut()
        gate.open()


def test_two_forks_come_one_after_the_other(gate: _Gate, threads: ThreadPoolExecutor) -> None:
    gate.shut()
    second = threads.submit(gate.shut)
    assert not second.done()
    gate.open()
    second.result(PATIENCE_S)
    gate.open()


def test_what_hangs_holds_a_fork_for_a_while_only(
    gate: _Gate, threads: ThreadPoolExecutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(forks, "_PATIENCE_S", 0.01)
    guest = Guest(gate)
    staying = threads.submit(guest.stay)
    assert guest.inside.wait(PATIENCE_S)
    gate.shut()
    gate.open()
    guest.go.set()
    staying.result(PATIENCE_S)


def test_an_error_inside_leaves_nobody_there(gate: _Gate) -> None:
    @gate
    def fail() -> None:
        raise LookupError("mine")

    with pytest.raises(LookupError, match="mine"):
        fail()
    assert gate._inside == {}


def test_no_fork_slips_through_between_thousands_who_come_and_go(
    gate: _Gate, threads: ThreadPoolExecutor
) -> None:
    inside: set[int] = set()
    done = threading.Event()

    def come_and_go() -> None:
        while not done.is_set():
            with gate:
                inside.add(threading.get_ident())
                inside.discard(threading.get_ident())

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        running = [threads.submit(come_and_go) for _ in range(3)]
        for _ in range(300):
            gate.shut()
            assert not inside
            gate.open()
    finally:
        sys.setswitchinterval(interval)
        done.set()
    for each in running:
        each.result(PATIENCE_S)


class Witness:
    """Notes what it is told."""

    def __init__(self) -> None:
        self.told: list[str] = []

    def before(self) -> None:
        self.told.append("before")
        raise LookupError("a hook that fails must not keep the others from theirs")

    def after(self) -> None:
        self.told.append("after")


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.filterwarnings("ignore:.*multi-threaded, use of fork:DeprecationWarning")
def test_hooks_are_called_as_long_as_their_objects_live() -> None:
    lost, kept = Witness(), Witness()
    told = lost.told
    for each in (lost, kept):
        run_before_fork(each.before)
        run_after_fork(each.after)
    del lost, each
    gc.collect()
    child = os.fork()
    if child == 0:
        os._exit(kept.told != ["before", "after"] or told != [])
    assert os.waitpid(child, 0)[1] == 0
    assert (kept.told, told) == (["before"], [])


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.filterwarnings("ignore:.*multi-threaded, use of fork:DeprecationWarning")
def test_a_child_holds_no_connection_of_its_parent_open() -> None:
    """A server sees the end of a parent that is killed, though its children live."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        near = socket.create_connection(server.getsockname())
        far, _ = server.accept()
    with far:
        stream = Stream(near, Cancel())
        alive, done = os.pipe()
        child = os.fork()
        if child == 0:
            os.close(done)
            far.close()
            os._exit(os.read(alive, 1) != b"")
        near.close()  # as the system does for a process that is killed
        far.settimeout(PATIENCE_S)
        assert far.recv(1) == b""
        os.close(done)
        assert os.waitpid(child, 0)[1] == 0
        os.close(alive)
        stream.abort()


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_a_thread_that_is_joined_is_gone_before_a_fork() -> None:
    """What OpenSSL cleans up after it takes locks that a child would wait for."""
    for _ in range(50):
        thread = threading.Thread(target=ssl.RAND_bytes, args=(16,))
        thread.start()
        native = str(thread.native_id)
        thread.join()
        forks._await_dying_threads()
        assert not Path(f"/proc/self/task/{native}").exists()


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_a_thread_that_python_does_not_know_is_waited_for_once(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(forks, "_TASKS", tmp_path)
    monkeypatch.setattr(forks, "_DYING_S", 0.05)
    (tmp_path / "4194305").touch()  # no process has so high a number
    for at_least in (0.05, 0.0):
        began = time.monotonic()
        forks._await_dying_threads()
        assert at_least <= time.monotonic() - began < at_least + 0.05
    forks._foreign.discard(4194305)
