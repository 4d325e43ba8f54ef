"""A sending process is killed at random moments: nothing is lost, what is doubled is recorded."""

from __future__ import annotations

import multiprocessing
import random
import sys
import threading
from collections import Counter
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from smtp_desk.sender.outbox.clock import utc_now
from smtp_desk.sender.outbox.database import Database
from smtp_desk.sender.outbox.entries import EntryState, OutboxEntry
from smtp_desk.sender.outbox.sqlite import SqliteOutbox
from smtp_desk.sender.routes.throttle import MAX_CONNECTIONS
from tests.sender.sending_process import Place, drain_for_ever, send_for_ever, short
from tests.servers.script import Script
from tests.servers.scripted import ScriptedServer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from multiprocessing.process import BaseProcess
    from multiprocessing.synchronize import Event
    from pathlib import Path

    from tests.servers.certs import Certificates

LONGEST_LIFE_S = 1.0
_never = threading.Event()

pytestmark = pytest.mark.skipif(
    "forkserver" not in multiprocessing.get_all_start_methods(), reason="needs a fork server"
)


@pytest.fixture
def server(certs: Certificates) -> Iterator[ScriptedServer]:
    with ScriptedServer(Script(tls=certs.good.tls)) as running:
        yield running


@pytest.fixture
def place(server: ScriptedServer, certs: Certificates, tmp_path: Path) -> Place:
    return Place(tmp_path, server.port, certs.root.chain_file.read_text())


def killed(place: Place, work: Callable[..., None], name: str, seconds: float) -> None:
    """Let a process work for so long after its start, and kill it."""
    process, started = begun(place, work, name)
    assert started.wait(30)
    _never.wait(seconds)
    process.kill()
    process.join()


def begun(place: Place, work: Callable[..., None], name: str) -> tuple[BaseProcess, Event]:
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.sender.sending_process"])
    started = context.Event()
    process = context.Process(target=work, args=(place, name, started), daemon=True)
    process.start()
    return process, started


def drained(place: Place) -> list[OutboxEntry]:
    """Let leases and waits pass, and the worker work; return all entries."""
    ahead = timedelta()

    def clock() -> datetime:
        return utc_now() + ahead

    with place.sender(clock) as (sender, outbox):
        for _ in range(8):
            sender.drain()
            ahead += timedelta(minutes=16)
        entries: list[OutboxEntry] = []
        before = None
        while True:
            page = outbox.page(before=before)
            entries += page.entries
            before = page.next
            if before is None:
                return entries


def count_or_fail(server: ScriptedServer, entries: list[OutboxEntry]) -> Counter[str]:
    """Fail if one is lost, or doubled without a record; return what to tell."""
    count = Counter(_message_id(message.content) for message in server.messages)
    for entry in entries:
        assert entry.state in (EntryState.ACCEPTED, EntryState.HELD), entry
        assert count[entry.message_id] >= 1, f"lost: {entry}"
        assert count[entry.message_id] <= 2, f"more than once again: {entry}"
        if count[entry.message_id] == 2:
            assert entry.doubts, f"doubled without a record: {entry}"
    return Counter(
        emails=len(entries),
        doubled=sum(times > 1 for times in count.values()),
        uncertain=sum(entry.doubts > 0 for entry in entries),
        held=sum(entry.state is EntryState.HELD for entry in entries),
    )


def _message_id(content: bytes) -> str:
    _, _, rest = content.partition(b"Message-ID: ")
    return rest.partition(b"\r\n")[0].decode()


def in_doubt(place: Place) -> int:
    """How many emails a killed process left without an answer."""
    with Database(place.folder / "outbox.sqlite3") as database:
        return SqliteOutbox(database).counts().of(EntryState.IN_DOUBT)


def kill_senders(server: ScriptedServer, place: Place, kills: int, seed: int) -> Counter[str]:
    draw = random.Random(seed)  # noqa: S311 - moments, no secrets
    for number in range(kills):
        before = in_doubt(place)
        killed(place, send_for_ever, f"{number}", draw.uniform(0, LONGEST_LIFE_S))
        assert in_doubt(place) <= before + MAX_CONNECTIONS
    return count_or_fail(server, drained(place))


def kill_workers(server: ScriptedServer, place: Place, kills: int, seed: int) -> Counter[str]:
    """Two workers on one outbox; one of them is killed and followed by another, again and again."""
    draw = random.Random(seed)  # noqa: S311 - moments, no secrets
    with place.sender() as (sender, _):
        for number in range(kills * 20):
            sender.queue(short(f"{number}"))
    other, started = begun(place, drain_for_ever, "other")
    assert started.wait(30)
    for number in range(kills):
        mine, started = begun(place, drain_for_ever, f"{number}")
        assert started.wait(30)
        _never.wait(draw.uniform(0, LONGEST_LIFE_S))
        other.kill()
        other.join()
        other = mine
    other.kill()
    other.join()
    entries = drained(place)
    assert len(entries) == kills * 20
    return count_or_fail(server, entries)


def test_a_sender_that_is_killed_loses_nothing(server: ScriptedServer, place: Place) -> None:
    # How many, a busy machine decides: each life is short.
    assert kill_senders(server, place, kills=12, seed=1)["emails"] > 0


def test_two_workers_that_are_killed_lose_nothing(server: ScriptedServer, place: Place) -> None:
    assert kill_workers(server, place, kills=8, seed=2)["emails"] == 160


@pytest.mark.soak
def test_five_hundred_killed_senders(
    server: ScriptedServer, place: Place, capsys: pytest.CaptureFixture[str]
) -> None:
    told = kill_senders(server, place, kills=500, seed=3)
    with capsys.disabled():
        sys.stdout.write(f"\n500 killed senders: {dict(told)}\n")


@pytest.mark.soak
def test_five_hundred_killed_workers(
    server: ScriptedServer, place: Place, capsys: pytest.CaptureFixture[str]
) -> None:
    told = kill_workers(server, place, kills=500, seed=4)
    with capsys.disabled():
        sys.stdout.write(f"\n500 killed workers: {dict(told)}\n")
