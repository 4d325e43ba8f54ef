"""What frameworks send, by a sender over an outbox in memory that all of the process share."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from smtp_desk.contrib.shared_sender import shared_sender
from tests.sender.test_sender import Office
from tests.sender.ways import Way

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def custom() -> Way:
    return Way()


@pytest.fixture
def office(tmp_path: Path, custom: Way, monkeypatch: pytest.MonkeyPatch) -> Iterator[Office]:
    office = Office(tmp_path)
    office.ways(custom)
    with office.sender:
        monkeypatch.setattr(shared_sender, "_sender", office.sender)
        yield office
