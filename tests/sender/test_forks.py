"""A program that forks after it made a sender: no email is lost, and nobody disturbs another.

Every email for which `send`, `queue` or `send_many` returned, in whatever process, is at the
server in the end, and twice only where that is recorded.
"""

from __future__ import annotations

import multiprocessing
import os
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING, Final

import pytest

from smtp_desk.core.secret import Secret
from smtp_desk.sender import Sender, Status
from smtp_desk.sender.mail.templates import Templates
from smtp_desk.sender.outbox.clock import utc_now
from smtp_desk.sender.outbox.database import Database
from smtp_desk.sender.outbox.sqlite import SqliteOutbox
from smtp_desk.sender.routes.health_sqlite import SqliteHealth
from smtp_desk.sender.routes.route import CUSTOM
from smtp_desk.sender.routes.saved import SavedRoutes
from smtp_desk.sender.routes.throttle_sqlite import SqliteThrottle
from smtp_desk.smtp.net.forks import gate
from tests.sender.forking_process import ERRORS
from tests.sender.forking_process import main as run_program
from tests.sender.homes import Home
from tests.sender.post_office import accepted, mail, opened, route_to
from tests.sender.ways import CATALOGUE
from tests.servers.script import Script
from tests.servers.scripted import ScriptedServer
from tests.servers.waiting import wait_until
from tests.store.settings import OLD

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from smtp_desk.core.settings import ServerSettings
    from tests.servers.certs import Certificates

pytestmark = [
    pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork"),
    # Python warns of what is tested here.
    pytest.mark.filterwarnings("ignore:.*multi-threaded, use of fork:DeprecationWarning"),
]

PATIENCE_S: Final = 20.0
ROUNDS: Final = 200


def at(server: ScriptedServer, certs: Certificates) -> ServerSettings:
    ca_pem = certs.root.chain_file.read_text()
    return replace(OLD, host=server.host, port=server.port, username="desk", ca_pem=ca_pem)


def in_a_child(work: Callable[[], bool]) -> bool:
    """Do `work` in a forked child; return whether it said yes in time."""
    child = os.fork()
    if child == 0:
        good = False
        try:
            threading.Timer(PATIENCE_S, os._exit, (3,)).start()
            good = work()
        finally:
            os._exit(0 if good else 1)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def sent(sender: Sender, *names: str) -> bool:
    """Whether the custom server takes an email to each of these, all at once."""
    receipts = sender.send_many(mail(name, (f"{name}@example.test",)) for name in names)
    fates = [(each.status, each.route) for receipt in receipts for each in receipt.recipients]
    return fates == [(Status.ACCEPTED, CUSTOM)] * len(names)


def sent_at_last(sender: Sender, *names: str) -> bool:
    with sender:
        return sent(sender, *names)


def test_parent_and_child_send_by_connections_of_their_own(
    tmp_path: Path, certs: Certificates, tls: ssl.SSLContext
) -> None:
    home = Home(tmp_path)
    with ScriptedServer(Script(tls=tls)) as server, Database(tmp_path / "outbox.sqlite3") as file:
        home.save(at(server, certs), Secret("s3cret"))
        sender = Sender(
            SqliteOutbox(file),
            SqliteHealth(file),
            SavedRoutes(home.store, CATALOGUE, SqliteThrottle(file)),
            Templates(home.paths.templates),
            CATALOGUE,
        )
        with sender:
            assert sent(sender, "a", "b", "c"), "its threads and connections are there"
            assert in_a_child(lambda: sent_at_last(sender, "d", "e", "f"))
            assert sent(sender, "g", "h", "i")
            assert accepted(server) == {f"{name}@example.test": 1 for name in "abcdefghi"}


def test_a_lock_that_was_held_in_the_parent_holds_no_child(
    tmp_path: Path, certs: Certificates, tls: ssl.SSLContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The other threads of the parent are in the middle of something."""
    home = Home(tmp_path)
    with ScriptedServer(Script(tls=tls)) as server:
        home.save(at(server, certs), Secret("s3cret"))
        reading = threading.Event()
        load = home.store.load

        def slowly() -> object:
            if threading.current_thread() is not threading.main_thread():
                reading.set()
                wait_until(lambda: gate._forking is not None, "the fork")
            return load()

        monkeypatch.setattr(home.store, "load", slowly)
        with ThreadPoolExecutor(1) as threads:
            first = threads.submit(home.source.routes)
            assert reading.wait(PATIENCE_S)
            assert in_a_child(lambda: home.source.routes().custom is not None)
            assert first.result().custom is not None
        home.source.close()


WAYS: Final = (
    *(f"family-{fate}-{children}" for fate in ("leaves", "ends", "killed", "busy")
      for children in (1, 3)),
    "daemon",
    "pool",
    "prefork",
    "writing",
    "sending_many",
    "first_send",
)  # fmt: skip


@pytest.fixture
def server(tls: ssl.SSLContext) -> Iterator[ScriptedServer]:
    with ScriptedServer(Script(tls=tls)) as running:
        yield running


def play(way: str, server: ScriptedServer, certs: Certificates, folder: Path, seed: int) -> None:
    """Run a program that forks in this way; fail if it or one of its children does or hangs."""
    folder.mkdir()
    # What is imported at the first send must not be there yet, where that is the point.
    fresh, ready = multiprocessing.get_context("spawn"), multiprocessing.get_context("forkserver")
    ready.set_forkserver_preload(["tests.sender.forking_process"])
    context = fresh if way == "first_send" else ready
    ours, theirs = context.Pipe(duplex=False)
    place = (folder, server.port, certs.root.chain_file)
    process = context.Process(target=run_program, args=(theirs, way, place, seed))
    process.start()
    theirs.close()
    output = b""
    while octets := os.read(ours.fileno(), 65536):  # it ends with its last child
        output += octets
    ours.close()
    process.join()
    told = Counter(output.decode().split())
    errors = (folder / ERRORS).read_text()
    assert (process.exitcode in (0, -9), errors) == (True, ""), f"{way}, seed {seed}:\n{errors}"
    assert set(told.values()) == {1}
    with opened(folder, route_to(server, certs)) as office:
        office.clock.now = utc_now()
        office.settle()
        entries = {entry.recipient: entry for entry in office.entries}
    count = accepted(server)
    for recipient in told:
        assert recipient in entries, f"forgotten: {recipient}, {way}, seed {seed}"
        assert count[recipient], f"lost: {recipient}, {way}, seed {seed}"
    for recipient, times in count.items():
        assert times == 1 or entries[recipient].doubts, f"doubled: {recipient}, {way}, seed {seed}"
    with Database(folder / "outbox.sqlite3") as database:
        found = database.read(lambda at: at.execute("PRAGMA integrity_check").fetchall())
    assert found == [("ok",)]


@pytest.mark.parametrize("way", WAYS)
def test_no_email_is_lost_by_a_fork(
    way: str, server: ScriptedServer, certs: Certificates, tmp_path: Path
) -> None:
    play(way, server, certs, tmp_path / "0", 0)


@pytest.mark.soak
@pytest.mark.parametrize("way", WAYS)
def test_no_email_is_lost_by_two_hundred_forks(
    way: str, server: ScriptedServer, certs: Certificates, tmp_path: Path
) -> None:
    for seed in range(ROUNDS):
        play(way, server, certs, tmp_path / f"{seed}", seed)
        server.forget()
