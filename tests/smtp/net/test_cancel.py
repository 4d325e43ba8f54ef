"""Cancel: from any thread, at once, for all who wait, and for whoever comes later."""

from __future__ import annotations

import gc
import os
import select
import threading

import pytest

from smtp_desk.smtp.net.deadline import Cancel, CancelledError


def _readable(cancel: Cancel, seconds: float = 0.0) -> bool:
    return bool(select.select([cancel], [], [], seconds)[0])


def test_nothing_happens_before_it() -> None:
    cancel = Cancel()
    cancel.check()
    assert not cancel.cancelled
    assert not _readable(cancel)


def test_it_wakes_all_who_wait() -> None:
    cancel = Cancel()
    cancel.fileno()
    woken = [False, False]

    def wait(index: int) -> None:
        woken[index] = _readable(cancel, 20)

    threads = [threading.Thread(target=wait, args=(index,)) for index in range(2)]
    for thread in threads:
        thread.start()
    cancel.cancel()
    for thread in threads:
        thread.join()
    assert woken == [True, True]


def test_who_waits_afterwards_wakes_too() -> None:
    cancel = Cancel()
    cancel.cancel()
    assert cancel.cancelled
    assert _readable(cancel)
    with pytest.raises(CancelledError):
        cancel.check()


def test_twice_is_once() -> None:
    cancel = Cancel()
    fileno = cancel.fileno()
    cancel.cancel()
    cancel.cancel()
    assert os.read(fileno, 10) == b"\0"


def test_a_parent_cancels_its_children_and_not_the_reverse() -> None:
    parent = Cancel()
    one, other = Cancel(parent), Cancel(parent)
    one.cancel()
    assert not parent.cancelled
    assert not other.cancelled
    parent.cancel()
    assert other.cancelled


def test_a_child_of_a_cancelled_parent_is_cancelled() -> None:
    parent = Cancel()
    parent.cancel()
    assert Cancel(parent).cancelled


def test_its_descriptors_go_with_it() -> None:
    cancel = Cancel()
    fileno = cancel.fileno()
    del cancel
    gc.collect()
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(fileno)
