"""How fast emails leave, beside what others send with: `python -m tests.bench.bench_wire`.

Two servers on this machine, both with TLS from the start: a sink (stunnel before Postfix's
smtp-sink, without AUTH), which costs next to nothing and keeps nothing, and Postfix with Dovecot
for AUTH, which writes each email to disk and then discards it. In each round every client sends
emails of 2 KiB in turn, so that all meet the same machine. Nothing is stored by any: this is the
wire alone. What is not installed is named and left out.
"""

from __future__ import annotations

import contextlib
import importlib.util
import json
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from tests.bench.clients import OCTETS, PASSWORD, RECIPIENT, SENDER, mail
from tests.servers import parts
from tests.servers.certs import Certificates
from tests.servers.postfix import Postfix
from tests.servers.process import server_folder
from tests.servers.stunnel import TlsSink

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ROUNDS: Final = 5
MAILS: Final = 1000
# Of a program that sends one email and ends.
SINGLE_MAILS: Final = 20


@dataclass(frozen=True)
class Server:
    """Where to send.

    Attributes:
        tls_port: TLS from the start.
        plain_port: no TLS; 0 where there is no such.
        username: to sign in with; "" for none.
        folder: for files that a client wants.
    """

    name: str
    host: str
    tls_port: int
    plain_port: int
    username: str
    ca_file: pathlib.Path
    folder: pathlib.Path


@dataclass(frozen=True)
class Figure:
    """What one client did in one round.

    Attributes:
        rate: emails a second.
        cpu_ms: CPU of the client an email.
    """

    rate: float
    cpu_ms: float

    @classmethod
    def of(cls, mails: int, seconds: float, cpu: float) -> Figure:
        return cls(mails / seconds, cpu * 1000 / mails)


@dataclass(frozen=True)
class Client:
    """One way to send.

    Attributes:
        needs: the program or module it can't do without.
        measure: sends, and tells how fast.
    """

    name: str
    needs: str
    measure: Callable[[Server], Figure]

    @property
    def missing(self) -> bool:
        path = os.pathsep.join([os.environ.get("PATH", os.defpath), "/usr/sbin", "/sbin"])
        if self.needs.startswith("npm:"):
            return not (parts.NODE_FOLDER / "node_modules" / self.needs[4:]).exists()
        return not (shutil.which(self.needs, path=path) or importlib.util.find_spec(self.needs))


def told(server: Server, connections: int, *command: str) -> Figure:
    """Run a client that measures itself."""
    arguments = (server.host, server.tls_port, server.ca_file, server.username, MAILS, connections)
    done = subprocess.run(
        [*command, *map(str, arguments)], capture_output=True, text=True, check=True
    )
    figures = json.loads(done.stdout)
    return Figure.of(MAILS, figures["seconds"], figures["cpu"])


def python(name: str, connections: int) -> Callable[[Server], Figure]:
    command = (sys.executable, "-m", "tests.bench.clients", name)
    return lambda server: told(server, connections, *command)


def nodemailer(connections: int) -> Callable[[Server], Figure]:
    script = str(parts.NODE_FOLDER / "bench.js")
    return lambda server: told(server, connections, parts.program("node"), script)


def waited(command: list[str], stdin: bytes = b"") -> tuple[float, float]:
    """Run a program to its end; return its seconds and its CPU seconds."""
    before, began = os.times(), time.perf_counter()
    subprocess.run(command, input=stdin, check=True, capture_output=True)
    after = os.times()
    cpu = after.children_user + after.children_system
    return time.perf_counter() - began, cpu - before.children_user - before.children_system


def smtp_source(connections: int) -> Callable[[Server], Figure]:
    """Postfix's own source in C; it knows neither TLS nor AUTH."""

    def measure(server: Server) -> Figure:
        command = [
            *(parts.program("smtp-source"), "-d", "-s", str(connections), "-m", str(MAILS)),
            *("-l", str(OCTETS), "-f", SENDER, "-t", RECIPIENT),
            f"127.0.0.1:{server.plain_port}",
        ]
        return Figure.of(MAILS, *waited(command))

    return measure


def single(command: Callable[[Server], list[str]]) -> Callable[[Server], Figure]:
    """A program that is started for each email."""

    def measure(server: Server) -> Figure:
        argv = command(server)
        times = [waited(argv, mail(number)) for number in range(SINGLE_MAILS)]
        seconds, cpu = map(sum, zip(*times, strict=True))
        return Figure.of(SINGLE_MAILS, seconds, cpu)

    return measure


def _private(server: Server, name: str, text: str) -> str:
    path = server.folder / name
    path.touch(mode=0o600)
    path.write_text(text)
    return str(path)


def swaks(server: Server) -> list[str]:
    login = f"--auth PLAIN\n--auth-user {server.username}\n--auth-password {PASSWORD}\n"
    config = _private(server, "swaks", login if server.username else "")
    return [
        *("swaks", "--config", config, "--server", server.host, "--port", str(server.tls_port)),
        *("--tls-on-connect", "--tls-verify", "--tls-ca-path", str(server.ca_file)),
        *("--from", SENDER, "--to", RECIPIENT, "--data", "-"),
    ]


def msmtp(server: Server) -> list[str]:
    lines = [
        *("account default", f"host {server.host}", f"port {server.tls_port}", f"from {SENDER}"),
        *("tls on", "tls_starttls off", f"tls_trust_file {server.ca_file}"),
    ]
    if server.username:
        lines += ["auth plain", f"user {server.username}", f"password {PASSWORD}"]
    return ["msmtp", "-C", _private(server, "msmtprc", "\n".join(lines) + "\n"), RECIPIENT]


def curl(server: Server) -> list[str]:
    login = f'user = "{server.username}:{PASSWORD}"\n' if server.username else ""
    return [
        *("curl", "-sS", "-K", _private(server, "curl", login), "--cacert", str(server.ca_file)),
        *("--mail-from", SENDER, "--mail-rcpt", RECIPIENT, "--upload-file", "-"),
        f"smtps://{server.host}:{server.tls_port}",
    ]


CLIENTS: Final = (
    Client("SMTP Desk, 1 connection", "python3", python("smtp-desk", 1)),
    Client("SMTP Desk, 4 connections", "python3", python("smtp-desk", 4)),
    Client("smtplib, 1 connection", "python3", python("smtplib", 1)),
    Client("smtplib, 4 connections", "python3", python("smtplib", 4)),
    Client("aiosmtplib, 1 connection", "aiosmtplib", python("aiosmtplib", 1)),
    Client("aiosmtplib, 4 connections", "aiosmtplib", python("aiosmtplib", 4)),
    Client("aiosmtplib, 8 connections", "aiosmtplib", python("aiosmtplib", 8)),
    Client("nodemailer, pool of 1", "npm:nodemailer", nodemailer(1)),
    Client("nodemailer, pool of 5", "npm:nodemailer", nodemailer(5)),
    Client("swaks, a process an email", "swaks", single(swaks)),
    Client("msmtp, a process an email", "msmtp", single(msmtp)),
    Client("curl, a process an email", "curl", single(curl)),
    Client("pipelined by hand, 1 connection", "python3", python("by-hand", 1)),
    Client("pipelined by hand, 4 connections", "python3", python("by-hand", 4)),
    Client("smtp-source (C, no TLS), 1 connection", "smtp-source", smtp_source(1)),
    Client("smtp-source (C, no TLS), 4 connections", "smtp-source", smtp_source(4)),
)


def missing_clients() -> list[str]:
    """Return the names of what is not installed."""
    return sorted({client.needs.removeprefix("npm:") for client in CLIENTS if client.missing})


def measured(server: Server, rounds: int = ROUNDS) -> dict[str, list[Figure]]:
    """Let every client send in turn, round by round; return its figures."""
    clients = [each for each in CLIENTS if not each.missing]
    if not server.plain_port:
        clients = [each for each in clients if each.needs != "smtp-source"]
    figures: dict[str, list[Figure]] = {client.name: [] for client in clients}
    for _ in range(rounds):
        for client in clients:
            figures[client.name].append(client.measure(server))
    return figures


@contextlib.contextmanager
def sink() -> Iterator[Server]:
    """The server that costs next to nothing."""
    with server_folder("bench") as folder:
        certs = Certificates(folder)
        ca_file = certs.root.chain_file
        with TlsSink(folder, certs.good) as running:
            ports = (running.tls_port, running.plain_port)
            yield Server("sink", running.host, *ports, "", ca_file, folder)


@contextlib.contextmanager
def postfix() -> Iterator[Server]:
    """Postfix, which signs in and writes to disk."""
    with server_folder("bench") as folder:
        certs = Certificates(folder)
        queue = folder / "postfix"
        queue.mkdir()
        with Postfix(queue, certs.good, settings="mynetworks = 127.0.0.0/8\n") as running:
            ca_file = certs.root.chain_file
            yield Server("Postfix", running.host, running.tls_port, 0, "desk", ca_file, folder)


def medians(figures: list[Figure]) -> Figure:
    return Figure(
        statistics.median(each.rate for each in figures),
        statistics.median(each.cpu_ms for each in figures),
    )


def ratio(figures: dict[str, list[Figure]], one: str, other: str) -> float:
    """Return how many times as many emails a second one sends, as the median of the rounds."""
    pairs = zip(figures[one], figures[other], strict=True)
    return statistics.median(mine.rate / theirs.rate for mine, theirs in pairs)


def servers() -> list[Callable[[], contextlib.AbstractContextManager[Server]]]:
    """Return the servers that can be started here."""
    return [sink, *([] if parts.missing("postfix") else [postfix])]


def main() -> None:
    """Measure and print."""
    for name in missing_clients():
        sys.stdout.write(f"{name} is not installed: not measured\n")
    for start in servers():
        with start() as server:
            for name, figures in measured(server).items():
                middle = medians(figures)
                sys.stdout.write(
                    f"{server.name}: {name}: {middle.rate:.0f} emails/s,"
                    f" {middle.cpu_ms:.3f} ms CPU an email\n"
                )


if __name__ == "__main__":
    main()
