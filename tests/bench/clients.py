"""The Python clients of `bench_wire`, each in a process of its own.

    python -m tests.bench.clients NAME HOST PORT CA_FILE USERNAME MAILS CONNECTIONS

Each opens its connections (TLS from the start; signed in where there is a username), then sends
the emails over them and prints, as JSON, the seconds and the CPU seconds of that: from the first
MAIL to the last reply to a dot. Reading certificates, connecting and QUIT are left out, for all.
"""

from __future__ import annotations

import asyncio
import base64
import importlib
import json
import smtplib
import socket
import ssl
import sys
import threading
import time
from dataclasses import dataclass
from functools import partial
from itertools import chain, pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

from smtp_desk.core.secret import Secret
from smtp_desk.core.settings import Security, ServerSettings
from smtp_desk.smtp.session.envelope import Envelope
from smtp_desk.smtp.session.session import Session

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")

SENDER: Final = "desk@example.test"
RECIPIENT: Final = "x@discard.test"
PASSWORD: Final = "s3cret"
OCTETS: Final = 2048

_HEAD: Final = (
    f"From: <{SENDER}>\r\nTo: <{RECIPIENT}>\r\nSubject: bench\r\n"
    "Message-ID: <%06d.bench@example.test>\r\nDate: Mon, 23 Nov 2026 00:00:00 +0000\r\n\r\n"
)
_BODY: Final = (b"x" * 70 + b"\r\n") * 30


def mail(number: int) -> bytes:
    """Return an email of `OCTETS` octets, line ends CRLF."""
    return ((_HEAD % number).encode() + _BODY)[: OCTETS - 2] + b"\r\n"


@dataclass(frozen=True)
class Target:
    """Where to send.

    Attributes:
        username: to sign in with; "" for a server without AUTH.
    """

    host: str
    port: int
    ca_file: Path
    username: str

    @property
    def tls(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=self.ca_file)


class Watch:
    """Measures from the moment when all connections are open."""

    def __init__(self, connections: int) -> None:
        self._barrier = threading.Barrier(connections, self.start)
        self._began = (0.0, 0.0)

    def start(self) -> None:
        self._began = (time.perf_counter(), time.process_time())

    def wait(self) -> None:
        """Be ready; all begin together."""
        self._barrier.wait()

    def tell(self) -> str:
        begun, begun_cpu = self._began
        seconds, cpu = time.perf_counter() - begun, time.process_time() - begun_cpu
        return json.dumps({"seconds": seconds, "cpu": cpu})


def in_threads(
    work: Callable[[Target, range, Watch], None], target: Target, mails: int, connections: int
) -> Watch:
    watch = Watch(connections)
    shares = [range(number, mails, connections) for number in range(connections)]
    threads = [threading.Thread(target=work, args=(target, share, watch)) for share in shares]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return watch


def by_smtplib(target: Target, numbers: range, watch: Watch) -> None:
    client = smtplib.SMTP_SSL(target.host, target.port, context=target.tls)
    client.ehlo("client.example.test")
    if target.username:
        client.login(target.username, PASSWORD)
    watch.wait()
    for number in numbers:
        client.sendmail(SENDER, [RECIPIENT], mail(number))


def by_smtp_desk(target: Target, numbers: range, watch: Watch) -> None:
    settings = ServerSettings(
        host=target.host,
        port=target.port,
        from_email=SENDER,
        username=target.username,
        security=Security.TLS,
        ca_pem=target.ca_file.read_text(),
    )
    session = Session(settings, Secret(PASSWORD) if target.username else None)
    session.open()
    watch.wait()
    session.unwatch()
    envelope = Envelope(SENDER, (RECIPIENT,))
    mails = ((envelope, mail(number)) for number in numbers)
    for this, following in pairwise(chain(mails, (None,))):
        assert this is not None
        delivery = session.send(*this, following=partial(_same, following))
        assert delivery.failure is None


def _same(value: T) -> T:
    return value


class _ByHand:
    """Pure Python at its fastest: MAIL, RCPT and DATA in one flight, the message in another."""

    def __init__(self, target: Target) -> None:
        plain = socket.create_connection((target.host, target.port))
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._socket = target.tls.wrap_socket(plain, server_hostname=target.host)
        self._buffer = b""
        self.hear()
        self.say(b"EHLO client.example.test\r\n")
        if target.username:
            token = base64.b64encode(f"\0{target.username}\0{PASSWORD}".encode())
            self.say(b"AUTH PLAIN %b\r\n" % token)

    def say(self, octets: bytes, replies: int = 1) -> None:
        self._socket.sendall(octets)
        for _ in range(replies):
            self.hear()

    def hear(self) -> None:
        while True:
            end = self._buffer.find(b"\n")
            if end < 0:
                self._buffer += self._socket.recv(65536)
                continue
            line, self._buffer = self._buffer[:end], self._buffer[end + 1 :]
            if line[3:4] != b"-":
                assert line[:1] in b"23", line
                return


def by_hand(target: Target, numbers: range, watch: Watch) -> None:
    client = _ByHand(target)
    envelope = f"MAIL FROM:<{SENDER}>\r\nRCPT TO:<{RECIPIENT}>\r\nDATA\r\n".encode()
    watch.wait()
    for number in numbers:
        client.say(envelope, 3)
        client.say(mail(number).replace(b"\r\n.", b"\r\n..") + b".\r\n")


def by_aiosmtplib(target: Target, mails: int, connections: int) -> Watch:
    library: Any = importlib.import_module("aiosmtplib")
    watch = Watch(1)

    async def opened() -> Any:  # noqa: ANN401 - it has no types here
        client = library.SMTP(
            hostname=target.host,
            port=target.port,
            use_tls=True,
            tls_context=target.tls,
            local_hostname="client.example.test",
        )
        await client.connect()
        if target.username:
            await client.login(target.username, PASSWORD)
        return client

    async def send(client: Any, numbers: range) -> None:  # noqa: ANN401 - as above
        for number in numbers:
            await client.sendmail(SENDER, [RECIPIENT], mail(number))

    async def run() -> None:
        clients = [await opened() for _ in range(connections)]
        watch.start()
        shares = [range(number, mails, connections) for number in range(connections)]
        await asyncio.gather(*map(send, clients, shares))

    asyncio.run(run())
    return watch


THREADED: Final = {"smtplib": by_smtplib, "smtp-desk": by_smtp_desk, "by-hand": by_hand}


def main(name: str, host: str, port: str, ca_file: str, *more: str) -> None:
    username, mails, connections = more[0], int(more[1]), int(more[2])
    target = Target(host, int(port), Path(ca_file), username)
    if name == "aiosmtplib":
        watch = by_aiosmtplib(target, mails, connections)
    else:
        watch = in_threads(THREADED[name], target, mails, connections)
    # Connections end with the process: what a goodbye costs is none of the emails'.
    sys.stdout.write(watch.tell() + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
