"""The outbox on disk under what only real processes do: race, and die."""

from __future__ import annotations

import random
import shutil
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Final

import pytest

from smtp_desk.sender.outbox.database import Database
from smtp_desk.sender.outbox.entries import Accept, Doubt, EntryState, MarkInDoubt, Refuse
from smtp_desk.sender.outbox.sqlite import SqliteOutbox
from tests.sender.outboxes import LEASE, TurnedClock, accept, attempt, claim_one, message
from tests.servers.child import Child

ROOT: Final = Path(__file__).resolve().parents[2]
ORDER: Final = [EntryState.READY, EntryState.SENDING, EntryState.IN_DOUBT, EntryState.ACCEPTED]


def start(what: str, path: Path) -> subprocess.Popen[str]:
    return Child(
        [sys.executable, "-m", "tests.sender.outbox_process", what, str(path)],
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    )


def output_of(processes: list[subprocess.Popen[str]]) -> list[str]:
    """Return all lines of processes that end by themselves."""
    lines: list[str] = []
    for process in processes:
        output, _ = process.communicate(timeout=60)
        assert process.returncode == 0
        lines += output.splitlines()
    return lines


def test_processes_never_claim_the_same_entry(path: Path) -> None:
    with Database(path) as database:
        outbox = SqliteOutbox(database)
        added = outbox.add([message(*["ann@example.org"] * 10) for _ in range(60)])
        claimed = output_of([start("claim", path) for _ in range(3)])
        assert sorted(claimed) == sorted(f"claimed {entry.id}" for entry in added)
        assert outbox.counts().of(EntryState.SENDING) == 600


def test_threads_never_claim_the_same_entry(path: Path) -> None:
    with Database(path) as database:
        outbox = SqliteOutbox(database)
        added = outbox.add([message(*["ann@example.org"] * 300)])
        claimed: list[str] = []

        def take() -> None:
            while claims := outbox.claim("a thread", 3, LEASE):
                claimed.extend(claim.entry.id for claim in claims)

        threads = [threading.Thread(target=take) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        assert sorted(claimed) == sorted(entry.id for entry in added)


def test_processes_share_one_probe_and_one_event(path: Path) -> None:
    with Database(path):
        lines = output_of([start("fail", path) for _ in range(3)])
    assert sorted(line.partition(" ")[0] for line in lines) == ["event", "probe"]


@pytest.mark.parametrize("kills", [6, pytest.param(100, marks=pytest.mark.soak)])
def test_a_killed_process_loses_nothing_that_it_was_told_is_stored(path: Path, kills: int) -> None:
    chance = random.Random(7)  # noqa: S311 - any moment will do
    told: dict[str, EntryState] = {}
    for _ in range(kills):
        with start("send", path) as process:
            assert process.stdout is not None
            lines = [process.stdout.readline() for _ in range(chance.randint(1, 60))]
            process.send_signal(signal.SIGKILL)
            lines += process.stdout.readlines()
        for line in lines:
            state, _, entry_id = line.strip().partition(" ")
            told[entry_id] = EntryState(state)
    with Database(path) as database:
        outbox = SqliteOutbox(database, TurnedClock())
        stored = {entry.id: entry.state for entry in outbox.page(limit=1_000_000).entries}
        assert told
        for entry_id, state in told.items():
            assert ORDER.index(stored[entry_id]) >= ORDER.index(state)
        integrity = database.read(lambda at: at.execute("PRAGMA integrity_check").fetchone()[0])
        assert integrity == "ok"


def test_asking_in_vain_writes_nothing(path: Path) -> None:
    clock = TurnedClock()
    with Database(path) as database:
        outbox = SqliteOutbox(database, clock)
        outbox.add([message()])
        accept(outbox, claim_one(outbox), clock)
        before = database.commits
        assert outbox.claim("a worker", 50, LEASE) == ()
        assert outbox.claim_in_doubt("a worker", 50, LEASE) == ()
        assert outbox.next_due() is None
        assert database.commits == before


def test_one_commit_for_each_step_of_a_batch(path: Path) -> None:
    clock = TurnedClock()
    with Database(path) as database:
        outbox = SqliteOutbox(database, clock)
        before = database.commits
        outbox.add([message(*["ann@example.org"] * 50)])
        outbox.claim("a worker", 50, LEASE)
        assert database.commits == before + 2


def test_room_that_pruning_made_goes_back_to_the_disk(path: Path) -> None:
    clock = TurnedClock()
    with Database(path) as database:
        outbox = SqliteOutbox(database, clock)
        outbox.add([message(payload=bytes(2_000_000))])
        accept(outbox, claim_one(outbox), clock)
        clock.turn(days=100)
        assert outbox.prune() == 1
    assert path.stat().st_size < 500_000


def test_an_address_that_no_database_takes_stores_nothing(path: Path) -> None:
    with Database(path) as database:
        outbox = SqliteOutbox(database)
        with pytest.raises(UnicodeEncodeError):
            outbox.add([message("ann@example.org", "\udcff@example.org")])
        assert outbox.counts().total == 0


def test_two_waits_for_the_disk_for_an_email_that_is_sent(path: Path) -> None:
    clock = TurnedClock()
    with Database(path) as database:
        outbox = SqliteOutbox(database, clock)
        before = (database.syncs, database.commits)
        claims = outbox.add_claimed([message(*["ann@example.org"] * 50)], "ann's desk", LEASE)
        outbox.apply(MarkInDoubt(claim, "custom") for claim in claims)
        outbox.apply(Accept(claim, (attempt(clock),)) for claim in claims)
        assert (database.syncs, database.commits) == (before[0] + 2, before[1] + 3)


@pytest.mark.parametrize("end", [Accept, Refuse])
def test_a_loss_of_power_in_the_last_second_leaves_an_email_uncertain(
    path: Path, tmp_path: Path, end: type[Accept | Refuse]
) -> None:
    clock = TurnedClock()
    log = path.with_name(f"{path.name}-wal")
    after = tmp_path / "after" / path.name
    after.parent.mkdir()
    with Database(path) as database:
        outbox = SqliteOutbox(database, clock)
        (claim,) = outbox.add_claimed([message()], "ann's desk", LEASE)
        outbox.apply([MarkInDoubt(claim, "custom")])
        on_the_disk = log.stat().st_size
        outbox.apply([end(claim, (attempt(clock),))])
        assert outbox.get(claim.entry.id).state.settled
        shutil.copy(path, after)
        after.with_name(log.name).write_bytes(log.read_bytes()[:on_the_disk])
    clock.turn(minutes=12)
    with Database(after) as database:
        outbox = SqliteOutbox(database, clock)
        assert outbox.claim("worker", 9, LEASE) == ()
        (found,) = outbox.claim_in_doubt("worker", 9, LEASE)
        outbox.apply([Doubt(found, resend=True)])
        entry = outbox.get(claim.entry.id)
        assert (entry.state, entry.doubts, entry.only_route) == (EntryState.READY, 1, "custom")
