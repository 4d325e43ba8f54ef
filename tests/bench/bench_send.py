"""How many stored emails a second leave: `python -m tests.bench.bench_send [FOLDER]`.

Paired: in each round smtplib, which stores nothing, sends the same octets to the same server,
over connections that stay open. `sender` stores every email before its first byte, and its state
before the dot and after the reply. FOLDER says on whose disk the outbox lies. Servers: a sink
that keeps nothing, and Postfix (where installed) with STARTTLS, AUTH and delivery.
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
from collections.abc import Callable
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
from smtp_desk.smtp.session.envelope import Status
from tests.sender.post_office import FixedRoutes
from tests.sender.ways import CATALOGUE
from tests.servers import parts
from tests.servers.certs import Certificates
from tests.servers.postfix import Postfix
from tests.servers.sink import Sink

if TYPE_CHECKING:
    from collections.abc import Iterator

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


def by_sender(opened: Sender, mails: int) -> None:
    """Send many at once."""
    receipts = opened.send_many(stored(number) for number in range(mails))
    assert all(each.recipients[0].status is Status.ACCEPTED for each in receipts)


def one_by_one(opened: Sender, mails: int) -> None:
    """Send one after the other."""
    for number in range(mails):
        assert opened.send(stored(number)).recipients[0].status is Status.ACCEPTED


@dataclass(frozen=True)
class Figure:
    """What one client did in one round.

    Attributes:
        rate: emails a second.
        commits: transactions an email.
        syncs: how often it waited for the disk, an email.
    """

    rate: float
    commits: float = 0.0
    syncs: float = 0.0


PLAIN: Final[dict[str, Callable[[Target, int], None]]] = {
    "smtplib, 1 connection": by_smtplib,
    "smtplib, 3 connections": in_threads(3, by_smtplib),
}
STORING: Final[dict[str, Callable[[Sender, int], None]]] = {
    "sender.send, 1 connection": one_by_one,
    "sender.send_many, 3 connections": by_sender,
}


def one_round(target: Target, parent: str | None) -> dict[str, Figure]:
    """Let each send in turn."""
    figures: dict[str, Figure] = {}
    for name, send in PLAIN.items():
        begun = time.perf_counter()
        send(target, MAILS)
        figures[name] = Figure(MAILS / (time.perf_counter() - begun))
    for name, send_stored in STORING.items():
        with (
            tempfile.TemporaryDirectory(dir=parent) as folder,
            sender(target, Path(folder)) as (opened, database),
        ):
            commits, syncs, begun = database.commits, database.syncs, time.perf_counter()
            send_stored(opened, MAILS)
            seconds = time.perf_counter() - begun
            figures[name] = Figure(
                MAILS / seconds,
                (database.commits - commits) / MAILS,
                (database.syncs - syncs) / MAILS,
            )
    return figures


def measured(target: Target, parent: str | None) -> dict[str, list[Figure]]:
    """Return the figures of all rounds."""
    rounds = [one_round(target, parent) for _ in range(ROUNDS)]
    return {name: [each[name] for each in rounds] for name in rounds[0]}


def peer_of(name: str) -> str:
    """Return what a client is compared with."""
    return f"smtplib, {name.rpartition(', ')[2]}"


def tell(target: Target, figures: dict[str, list[Figure]]) -> None:
    """Print what was measured against one server."""
    for name, mine in figures.items():
        pairs = zip(mine, figures[peer_of(name)], strict=True)
        ratio = statistics.median(each.rate / peer.rate for each, peer in pairs)
        rates = [each.rate for each in mine]
        commits = statistics.median(each.commits for each in mine)
        syncs = statistics.median(each.syncs for each in mine)
        sys.stdout.write(
            f"{target.name}: {name}: {statistics.median(rates):.0f} emails/s"
            f" ({min(rates):.0f}..{max(rates):.0f}), {ratio:.2f} of smtplib's,"
            f" {commits:.2f} commits and {syncs:.2f} waits for the disk an email\n"
        )


@contextlib.contextmanager
def targets() -> Iterator[list[Target]]:
    """The servers that can be started here."""
    with contextlib.ExitStack() as running:
        home = Path(running.enter_context(tempfile.TemporaryDirectory()))
        home.chmod(0o755)
        certs = Certificates(home)
        ca_file = certs.root.chain_file
        sink = running.enter_context(Sink(certs.good))
        found = [Target("sink", "127.0.0.1", sink.port, "desk", "s3cret", ca_file)]
        if not parts.missing("postfix"):
            queue = home / "postfix"
            queue.mkdir()
            postfix = running.enter_context(Postfix(queue, certs.good))
            port = postfix.starttls_port
            found.append(Target("Postfix", postfix.host, port, "desk", "s3cret", ca_file))
        yield found


def main(parent: str | None) -> None:
    """Measure and print."""
    with targets() as found:
        for target in found:
            tell(target, measured(target, parent))


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else None)
