"""What the tests of the routes share."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from smtp_desk.sender.alerts import Alerts
from smtp_desk.sender.outbox.database import Database
from tests.sender.post_office import PostOffice, opened
from tests.sender.ways import Way
from tests.sender.ways_out import WaysOut
from tests.servers.certs import Certificates


@pytest.fixture(autouse=True)
def _quick_proofs(quick_proofs: None) -> None:
    """No test here is about the cost of a proof."""


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str]]:
    """Title and text of each alert; nothing leaves."""
    taken: list[tuple[str, str]] = []

    def send(_alerts: Alerts, urls: Sequence[str], title: str, body: str) -> None:
        if urls:
            taken.append((title, body))

    monkeypatch.setattr(Alerts, "send", send)
    return taken


@pytest.fixture
def way() -> Way:
    """The one route of `office`; it accepts all."""
    return Way()


@pytest.fixture
def office(tmp_path: Path, way: Way) -> Iterator[PostOffice]:
    """A sender by `way`, and what it stores in."""
    with opened(tmp_path, way) as office:
        yield office


@pytest.fixture
def ways_out(certs: Certificates) -> WaysOut:
    """Pools and routes that trust the test's CA."""
    return WaysOut(certs)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the database of an outbox lies; its folder is not there yet."""
    return tmp_path / "state" / "outbox.sqlite3"


@pytest.fixture
def database(path: Path) -> Iterator[Database]:
    """An open database, which waits for others a little only."""
    with Database(path, busy_timeout_s=0.2) as opened:
        yield opened
