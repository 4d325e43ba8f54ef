"""Widgets are collected where they live."""

from __future__ import annotations

import gc
import threading
from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import QObject

from smtp_desk.ui.faults import GarbageCollection

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytestqt.qtbot import QtBot


class Cycle:
    """Refers to itself, and tells in which thread it ended."""

    ended: list[threading.Thread]

    def __init__(self, ended: list[threading.Thread]) -> None:
        self.me = self
        self.ended = ended

    def __del__(self) -> None:
        self.ended.append(threading.current_thread())


@pytest.fixture(autouse=True)
def _thawed() -> Iterator[None]:
    """Leave to the collector what these tests make, and nothing that was frozen for all tests."""
    gc.unfreeze()
    yield
    gc.unfreeze()
    gc.collect()
    gc.freeze()


def test_cycles_end_in_the_thread_of_the_window(qtbot: QtBot) -> None:
    parent, ended = QObject(), list[threading.Thread]()
    collection = GarbageCollection(parent)
    assert not gc.isenabled()
    for _ in range(2000):
        Cycle(ended)
    assert ended == []
    worker = threading.Thread(target=lambda: [[] for _ in range(5000)])
    worker.start()
    worker.join()
    assert ended == []
    collection._timer.setInterval(1)
    qtbot.waitUntil(lambda: len(ended) == 2000)
    assert set(ended) == {threading.current_thread()}


def test_what_was_loaded_before_is_not_looked_through_again(qtbot: QtBot) -> None:
    gc.collect()
    loaded = len(gc.get_objects())
    parent = QObject()
    GarbageCollection(parent).leave_what_is_there()
    assert len(gc.get_objects()) < loaded / 10
