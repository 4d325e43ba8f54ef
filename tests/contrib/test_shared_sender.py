"""One sender for all of a process."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from smtp_desk.contrib.shared_sender import SharedSender
from smtp_desk.sender import OutboxUnavailableError, Sender
from tests.sender.test_sender import Office

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Sender]:
    """Each sender that is opened over the saved settings."""
    opened: list[Sender] = []

    def from_settings() -> Sender:
        opened.append(Office(tmp_path).sender)
        return opened[-1]

    monkeypatch.setattr(Sender, "from_settings", from_settings)
    return opened


def test_many_threads_get_the_same_one(opened: list[Sender]) -> None:
    shared = SharedSender()
    assert not opened
    with ThreadPoolExecutor(8) as pool:
        got = set(pool.map(lambda _: shared.get(), range(40)))
    assert [*got] == opened
    shared.close()


def test_after_it_was_closed_another_is_opened(opened: list[Sender]) -> None:
    shared = SharedSender()
    first = shared.get()
    shared.close()
    shared.close()
    assert shared.get() is not first
    assert len(opened) == 2
    shared.close()


def test_a_child_shares_what_its_parent_opened(opened: list[Sender]) -> None:
    shared = SharedSender()
    parents = shared.get()
    shared._lock.acquire()  # as another thread of the parent may have had it
    shared.after_fork()
    assert shared.get() is parents
    shared.close()


def test_what_can_not_be_opened_is_tried_again(
    opened: list[Sender], monkeypatch: pytest.MonkeyPatch
) -> None:
    shared, works = SharedSender(), Sender.from_settings

    def fail() -> Sender:
        raise OutboxUnavailableError("the disk is away")

    monkeypatch.setattr(Sender, "from_settings", fail)
    with pytest.raises(OutboxUnavailableError):
        shared.get()
    monkeypatch.setattr(Sender, "from_settings", works)
    assert shared.get() is opened[0]
    shared.close()
