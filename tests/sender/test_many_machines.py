"""Many machines on one database, killed, cut off and restarted at random: nothing is lost.

What is sent twice was in doubt, and is recorded so.
"""

from __future__ import annotations

import dataclasses
import json
import multiprocessing
import random
import signal
import sys
import threading
from collections import Counter
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Final

import pytest

from smtp_desk.sender.mail.templates import Templates
from smtp_desk.sender.outbox.clock import UtcClock, utc_now
from smtp_desk.sender.outbox.entries import EntryState
from smtp_desk.sender.outbox.handovers import Handovers
from smtp_desk.sender.outbox.postgres import PostgresOutbox
from smtp_desk.sender.outbox.postgres_address import read_address
from smtp_desk.sender.outbox.postgres_database import PostgresDatabase
from smtp_desk.sender.routes.health_postgres import PostgresHealth
from smtp_desk.sender.routes.route import Routes
from smtp_desk.sender.sender import Sender
from smtp_desk.sender.testing import MemoryThrottle
from tests.sender.machine_process import Machine, send_for_ever, work_for_ever
from tests.sender.post_office import FixedRoutes
from tests.sender.ways import CATALOGUE
from tests.servers.line import Line
from tests.servers.namespaces import Cable, available, hub, hub_address
from tests.servers.postgres import Postgres, running_postgres
from tests.servers.script import Script
from tests.servers.scripted import ScriptedServer
from tests.servers.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from multiprocessing.process import BaseProcess
    from pathlib import Path

    from smtp_desk.sender.outbox.entries import OutboxEntry
    from tests.servers.certs import Certificates

_LONGEST_CUT_S: Final = 15.0  # longer than it takes to give a connection up
_never = threading.Event()

pytestmark = [
    pytest.mark.needs("postgres"),
    pytest.mark.skipif(
        "forkserver" not in multiprocessing.get_all_start_methods(), reason="needs a fork server"
    ),
]


@dataclasses.dataclass
class Running:
    """A machine, the line from it to the database or to all, and the process on it."""

    machine: Machine
    line: Line | Cable
    work: Callable[..., None]
    process: BaseProcess
    lives: int = 1


class Landscape:
    """All machines, the database and the mail server."""

    def __init__(
        self,
        folder: Path,
        postgres: Postgres,
        server: ScriptedServer,
        ca: str,
        *,
        namespaces: bool = False,
    ) -> None:
        self.postgres = postgres
        self.server = server
        self.machines: list[Running] = []
        self._folder = folder
        self._ca = ca
        self._namespaces = namespaces
        self._ended = False
        self.url = postgres.new_database()

    def begin(self, work: Callable[..., None]) -> None:
        """Put one more machine to work."""
        folder = self._folder / f"machine-{len(self.machines)}"
        folder.mkdir()
        line, machine = self._joined(folder)
        self.machines.append(Running(machine, line, work, begun(machine, work, "0")))

    def _joined(self, folder: Path) -> tuple[Line | Cable, Machine]:
        name = self.url.rpartition("/")[2]
        if not self._namespaces:
            line = Line(self.postgres.port)
            line.__enter__()
            url = self.postgres.tcp_url(name, port=line.port)
            return line, Machine(folder, url, "127.0.0.1", self.server.port, self._ca)
        cable = Cable(len(self.machines))
        root = folder / "ca.pem"
        root.write_text(self._ca)
        where = f"hostaddr={cable.hub}&sslrootcert={root}"
        url = f"postgresql://desk@mail.example.test:{self.postgres.port}/{name}?{where}"
        return cable, Machine(folder, url, cable.hub, self.server.port, self._ca, cable.name)

    def kill(self, running: Running) -> None:
        """End a process without a word; another follows it."""
        running.process.kill()
        running.process.join()
        name = str(running.lives)
        running.lives += 1
        running.process = begun(running.machine, running.work, name)

    def cut_off(self, running: Running, seconds: float) -> None:
        """Part a machine from the database for so long; in a namespace, from all."""
        if isinstance(running.line, Cable):
            running.line.unplug()
            _never.wait(seconds)
            running.line.plug()
            return
        running.line.open = False
        running.line.cut()
        _never.wait(seconds)
        running.line.open = True

    def end(self) -> None:
        """Kill all, and let nothing be cut off any longer."""
        if self._ended:
            return
        for running in self.machines:
            running.process.kill()
            running.process.join()
            if isinstance(running.line, Cable):
                running.line.remove()
            else:
                running.line.__exit__(None, None, None)
        self._ended = True

    def settle(self) -> list[OutboxEntry]:
        """Hand over what waits on machines, let leases and waits pass; return all entries."""
        with PostgresDatabase(read_address(self.url, {})) as database:
            for running in self.machines:
                left = Handovers(running.machine.folder / "outbox.sqlite3", database)
                left.hand_over()
                left.close()
            for rounds in range(8):
                ahead = timedelta(minutes=16 * rounds)
                self._work_off(database, partial(_later, ahead))
            outbox = PostgresOutbox(database)
            entries: list[OutboxEntry] = []
            before = None
            while True:
                page = outbox.page(before=before)
                entries += page.entries
                before = page.next
                if before is None:
                    return entries

    def _work_off(self, database: PostgresDatabase, clock: UtcClock) -> None:
        machine = dataclasses.replace(self.machines[0].machine, host="127.0.0.1")
        with Sender(
            PostgresOutbox(database, clock),
            PostgresHealth(database, clock),
            FixedRoutes(Routes(custom=machine.route(MemoryThrottle(clock)))),
            Templates(machine.folder / "templates"),
            CATALOGUE,
            clock=clock,
        ) as sender:
            sender.drain()


def _later(ahead: timedelta) -> datetime:
    return utc_now() + ahead


def begun(machine: Machine, work: Callable[..., None], name: str) -> BaseProcess:
    """Start a process on a machine."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.sender.machine_process"])
    unique = f"{machine.folder.name}-{name}"
    process = context.Process(target=work, args=(machine, unique), daemon=True)
    process.start()
    return process


@pytest.fixture
def landscape(certs: Certificates, tmp_path: Path) -> Iterator[Landscape]:
    script = Script(tls=certs.good.tls)
    with running_postgres() as postgres, ScriptedServer(script) as server:
        landscape = Landscape(tmp_path, postgres, server, certs.root.chain_file.read_text())
        try:
            yield landscape
        finally:
            landscape.end()


@pytest.fixture
def apart(certs: Certificates, tmp_path: Path) -> Iterator[Landscape]:
    """As `landscape`, with each machine in a network of its own."""
    addresses = ("127.0.0.1", *map(hub_address, range(16)))
    identity = certs.for_names("mail.example.test", *addresses)
    script = Script(tls=identity.tls)
    with (
        hub(),
        running_postgres(identity=identity, listens="*") as postgres,
        ScriptedServer(script, host="0.0.0.0") as server,  # noqa: S104 - in a network of its own
    ):
        ca = certs.root.chain_file.read_text()
        landscape = Landscape(tmp_path, postgres, server, ca, namespaces=True)
        try:
            yield landscape
        finally:
            landscape.end()


def storm(
    landscape: Landscape,
    *,
    senders: int,
    workers: int,
    blows: int,
    restarts: int,
    usual_s: float = 0.5,
) -> Counter[str]:
    """Let it storm, then settle; fail if one is lost, or doubled without a record."""
    draw = random.Random(blows)  # noqa: S311 - moments, no secrets
    for number in range(senders + workers):
        landscape.begin(send_for_ever if number < senders else work_for_ever)
    wait_until(
        lambda: all(each.machine.told.exists() for each in landscape.machines[:senders]),
        "all to send",
        120,
    )
    done = Counter[str]()
    for number in range(blows):
        running = draw.choice(landscape.machines)
        if draw.random() < 0.5:
            landscape.kill(running)
            done["kills"] += 1
        else:
            landscape.cut_off(running, min(draw.expovariate(1 / usual_s), _LONGEST_CUT_S))
            done["partitions"] += 1
        if (number + 1) * restarts // blows > number * restarts // blows:
            landscape.postgres.stop(draw.choice([signal.SIGINT, signal.SIGQUIT]))
            _never.wait(draw.uniform(0, 1))
            landscape.postgres.start()
            done["restarts"] += 1
        _never.wait(draw.uniform(0, 0.5))
    landscape.end()
    done.update(counted_or_failed(landscape))
    return done


def counted_or_failed(landscape: Landscape) -> Counter[str]:
    entries = {entry.message_id: entry for entry in landscape.settle()}
    told = [
        json.loads(line)
        for running in landscape.machines
        if running.machine.told.exists()
        for line in running.machine.told.read_text().splitlines()
    ]
    lost = [message_id for message_id, _ in told if message_id not in entries]
    assert not lost, f"lost: {lost}"
    count = Counter(_message_id(message.content) for message in landscape.server.messages)
    assert count.keys() <= entries.keys()
    for message_id, entry in entries.items():
        assert entry.state in (EntryState.ACCEPTED, EntryState.HELD), entry
        assert count[message_id] or entry.state is EntryState.HELD, f"lost: {entry}"
        assert count[message_id] <= 2, f"more than once again: {entry}"
        assert count[message_id] < 2 or entry.doubts, f"doubled without a record: {entry}"
    return Counter(
        emails=len(entries),
        told=len(told),
        waited_on_a_machine=sum(local for _, local in told),
        doubled=sum(times > 1 for times in count.values()),
        uncertain=sum(entry.doubts > 0 for entry in entries.values()),
        held=sum(entry.state is EntryState.HELD for entry in entries.values()),
        lost=0,
    )


def _message_id(content: bytes) -> str:
    _, _, rest = content.partition(b"Message-ID: ")
    return rest.partition(b"\r\n")[0].decode()


def test_machines_that_are_killed_and_cut_off_lose_nothing(landscape: Landscape) -> None:
    told = storm(landscape, senders=2, workers=2, blows=8, restarts=1)
    assert told["emails"] > 0
    assert told["restarts"] == 1


@pytest.mark.soak
def test_sixteen_machines_in_a_long_storm(
    landscape: Landscape, capsys: pytest.CaptureFixture[str]
) -> None:
    told = storm(landscape, senders=10, workers=6, blows=300, restarts=20)
    with capsys.disabled():
        sys.stdout.write(f"\nsixteen machines: {dict(told)}\n")


@pytest.mark.soak
@pytest.mark.skipif(not available(), reason="makes network namespaces, as root")
def test_sixteen_machines_in_networks_of_their_own(
    apart: Landscape, capsys: pytest.CaptureFixture[str]
) -> None:
    """A cable that is out tells nobody: what was said is said again, or given up after seconds."""
    told = storm(apart, senders=10, workers=6, blows=300, restarts=20, usual_s=1.5)
    with capsys.disabled():
        sys.stdout.write(f"\nsixteen machines apart: {dict(told)}\n")
