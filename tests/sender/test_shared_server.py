"""Four programs and two workers, one outbox, and a server that allows three connections."""

from __future__ import annotations

import multiprocessing
import threading
from typing import TYPE_CHECKING, Final

from smtp_desk.sender.outbox.database import Database
from smtp_desk.sender.outbox.entries import EntryState
from smtp_desk.sender.outbox.sqlite import SqliteOutbox
from smtp_desk.sender.routes.health_sqlite import SqliteHealth
from smtp_desk.sender.routes.route import CUSTOM
from smtp_desk.smtp.net.deadline import Cancel
from tests.sender.sending_process import Place, short
from tests.servers.script import Close, Reply, Script
from tests.servers.scripted import ScriptedServer
from tests.servers.waiting import wait_until

if TYPE_CHECKING:
    from multiprocessing.synchronize import Event
    from pathlib import Path

    from tests.servers.certs import Certificates
    from tests.servers.script import Action
    from tests.servers.session import Session

PROGRAMS: Final = 4
WORKERS: Final = 2
EMAILS: Final = 12
FULL: Final = (Reply("421 4.7.0 Too many connections from this account"), Close())


def send_some(place: Place, name: str) -> None:
    with place.sender() as (sender, _):
        for _ in sender.send_many(short(f"{name}-{number}") for number in range(EMAILS)):
            pass
        for number in range(3):
            sender.send(short(f"{name}-one-{number}"), timeout=5)


def work(place: Place, stop: Event) -> None:
    cancel = Cancel()

    def end() -> None:
        stop.wait()
        cancel.cancel()

    threading.Thread(target=end, daemon=True).start()
    with place.sender() as (sender, _):
        sender.drain(cancel, once=False)


def test_nobody_falls_back_because_we_are_many(certs: Certificates, tmp_path: Path) -> None:
    """The server counts: a fourth connection is refused, as Exchange Online does it."""
    most = [0]

    def greet(session: Session) -> Action:
        del session
        most[0] = max(most[0], server.open_connections)
        return FULL if server.open_connections > 3 else Reply("220 mail.example.test ESMTP")

    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.sender.sending_process"])
    stop = context.Event()
    tls = certs.good.tls
    with (
        ScriptedServer(Script(tls=tls, greeting=greet)) as server,
        ScriptedServer(Script(tls=tls)) as default,
    ):
        place = Place(tmp_path, server.port, certs.root.chain_file.read_text(), default.port)
        with Database(tmp_path / "outbox.sqlite3") as database:
            outbox, health = SqliteOutbox(database), SqliteHealth(database)
            workers = [context.Process(target=work, args=(place, stop)) for _ in range(WORKERS)]
            programs = [
                context.Process(target=send_some, args=(place, f"p{number}"))
                for number in range(PROGRAMS)
            ]
            for process in (*workers, *programs):
                process.start()
            for process in programs:
                process.join(180)
                assert process.exitcode == 0
            wait_until(
                lambda: outbox.counts().of(EntryState.ACCEPTED) == PROGRAMS * (EMAILS + 3),
                "every email is accepted",
                seconds=120,
            )
            stop.set()
            for process in workers:
                process.join(60)
                assert process.exitcode == 0
            status = health.status(CUSTOM)
            assert (status.failures, status.fallbacks, status.out_since) == (0, 0, None), status
            assert not default.sessions
            routes = {
                attempt.route for entry in outbox.page().entries for attempt in entry.attempts
            }
            assert routes == {CUSTOM}
        accepted = [message for message in server.messages if message.accepted]
        assert len(accepted) == PROGRAMS * (EMAILS + 3), "once each"
