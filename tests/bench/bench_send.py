"""How many emails a second leave, and their commits: `python -m tests.bench.bench_send [FOLDER]`.

Paired: in each round smtplib sends the same octets to the same server, over connections that
stay open. `session` is the wire alone; `sender` stores every email before its first byte, and
its state before the dot and after the reply. FOLDER says on whose disk the outbox lies. Servers:
a sink that keeps nothing, and Postfix (where installed) with STARTTLS, AUTH and delivery.
"""

from __future__ import annotations

import contextlib
import smtplib
import ssl
import statistics
import sys
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from smtp_desk.core.secret import Secret
from smtp_desk.core.settings import Security, ServerSettings
from smtp_desk.sender.mail.addressing import Identity
from smtp_desk.sender.mail.templates import Templates
from smtp_desk.sender.outbox.database import Database
from smtp_desk.sender.outbox.entries import OutboxMessage
from smtp_desk.sender.outbox.sqlite import SqliteOutbox
from smtp_desk.sender.routes.health_sqlite import SqliteHealth
from smtp_desk.sender.routes.route import CUSTOM, Routes
from smtp_desk.sender.routes.smtp import SmtpRoute
from smtp_desk.sender.sender import Sender
from smtp_desk.sender.testing import MemoryThrottle
from smtp_desk.smtp.session.envelope import Envelope, Status
from smtp_desk.smtp.session.session import Session
from tests.sender.post_office import FixedRoutes
from tests.sender.ways import CATALOGUE
from tests.servers import parts
from tests.servers.certs import Certificates
from tests.servers.postfix import Postfix
from tests.servers.sink import Sink

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ROUNDS: Final = 5
MAILS: Final = 600
PAYLOAD: Final = (
    b"Subject: Hello\r\nMessage-ID: <%06d@example.org>\r\n\r\n" + (b"x" * 70 + b"\r\n") * 28
)
FROM: Final = "ann@example.test"
TO: Final = "bo@example.test"


@dataclass(frozen=True)
class Target:
    """A server to send to.

    Attributes:
        name: for people.
        host: its name.
        port: with STARTTLS.
        username: to sign in with.
        password: to sign in with.
        ca_file: what its certificate comes from.
    """

    name: str
    host: str
    port: int
    username: str
    password: str
    ca_file: Path

    @property
    def settings(self) -> ServerSettings:
        return ServerSettings(
            host=self.host,
            port=self.port,
            from_email=FROM,
            username=self.username,
            security=Security.STARTTLS,
            ca_pem=self.ca_file.read_text(),
        )


def content(number: int) -> bytes:
    return PAYLOAD % number


def by_smtplib(target: Target, mails: int) -> None:
    context = ssl.create_default_context(cafile=target.ca_file)
    with smtplib.SMTP(target.host, target.port) as client:
        client.starttls(context=context)
        client.login(target.username, target.password)
        for number in range(mails):
            client.sendmail(FROM, [TO], content(number))


def by_session(target: Target, mails: int) -> None:
    session = Session(target.settings, Secret(target.password))
    session.open()
    for number in range(mails):
        delivery = session.send(Envelope(FROM, (TO,)), content(number))
        assert delivery.failure is None
    session.quit()


def in_threads(count: int, work: Callable[[Target, int], None]) -> Callable[[Target, int], None]:
    def run(target: Target, mails: int) -> None:
        threads = [
            threading.Thread(target=work, args=(target, mails // count)) for _ in range(count)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    return run


@contextlib.contextmanager
def sender(target: Target, folder: Path) -> Iterator[tuple[Sender, Database]]:
    route = SmtpRoute(
        CUSTOM,
        target.settings,
        Security.STARTTLS,
        Secret(target.password),
        Identity(FROM),
        CATALOGUE,
        MemoryThrottle(),
    )
    with Database(folder / "outbox.sqlite3") as database:
        parts_of_it = (SqliteOutbox(database), SqliteHealth(database))
        source, templates = FixedRoutes(Routes(custom=route)), Templates(folder / "templates")
        with Sender(*parts_of_it, source, templates, CATALOGUE) as opened:
            yield opened, database


def stored(number: int) -> OutboxMessage:
    return OutboxMessage(
        message_id=f"<{number:06d}@example.org>",
        kind="foreign",
        payload=content(number),
        recipients=(TO,),
    )


def by_sender(target: Target, mails: int, folder: Path) -> float:
    """Send many at once; return the commits an email."""
    with sender(target, folder) as (opened, database):
        before = database.commits
        receipts = opened.send_many(stored(number) for number in range(mails))
        assert all(each.recipients[0].status is Status.ACCEPTED for each in receipts)
        return (database.commits - before) / mails


def one_by_one(target: Target, mails: int, folder: Path) -> float:
    """Send one after the other; return the commits an email."""
    with sender(target, folder) as (opened, database):
        before = database.commits
        for number in range(mails):
            assert opened.send(stored(number)).recipients[0].status is Status.ACCEPTED
        return (database.commits - before) / mails


def one_round(target: Target, parent: str | None) -> dict[str, tuple[float, float]]:
    """Return emails a second and commits an email, by client."""
    plain: dict[str, Callable[[Target, int], None]] = {
        "smtplib, 1 connection": by_smtplib,
        "session, 1 connection": by_session,
        "smtplib, 3 connections": in_threads(3, by_smtplib),
        "session, 3 connections": in_threads(3, by_session),
    }
    storing: dict[str, Callable[[Target, int, Path], float]] = {
        "sender.send, 1 connection": one_by_one,
        "sender.send_many, 3 connections": by_sender,
    }
    rates: dict[str, tuple[float, float]] = {}
    for name, send in plain.items():
        begun = time.perf_counter()
        send(target, MAILS)
        rates[name] = (MAILS / (time.perf_counter() - begun), 0.0)
    for name, send_stored in storing.items():
        with tempfile.TemporaryDirectory(dir=parent) as folder:
            begun = time.perf_counter()
            commits = send_stored(target, MAILS, Path(folder))
            rates[name] = (MAILS / (time.perf_counter() - begun), commits)
    return rates


def tell(target: Target, parent: str | None) -> None:
    """Measure against one server and print."""
    rounds = [one_round(target, parent) for _ in range(ROUNDS)]
    for name in rounds[0]:
        rates = [each[name][0] for each in rounds]
        peer = f"smtplib, {name.rpartition(', ')[2]}"
        ratio = statistics.median(each[name][0] / each[peer][0] for each in rounds)
        commits = statistics.median(each[name][1] for each in rounds)
        sys.stdout.write(
            f"{target.name}: {name}: {statistics.median(rates):.0f} emails/s"
            f" ({min(rates):.0f}..{max(rates):.0f}), {ratio:.2f} of smtplib's,"
            f" {commits:.2f} commits an email\n"
        )


def main(parent: str | None) -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        home.chmod(0o755)
        certs = Certificates(home)
        ca_file = certs.root.chain_file
        with Sink(certs.good) as sink:
            tell(Target("sink", "127.0.0.1", sink.port, "desk", "s3cret", ca_file), parent)
        if parts.missing("postfix"):
            sys.stdout.write("Postfix is not installed: not measured\n")
            return
        queue = home / "postfix"
        queue.mkdir()
        with Postfix(queue, certs.good) as postfix:
            target = Target(
                "Postfix", postfix.host, postfix.starttls_port, "desk", "s3cret", ca_file
            )
            tell(target, parent)


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else None)
