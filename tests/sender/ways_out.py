"""Pools and routes to scripted servers, and messages to send by them."""

from __future__ import annotations

import dataclasses
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Final, TypeVar

from smtp_desk.core.secret import Secret
from smtp_desk.core.settings import Security, ServerSettings
from smtp_desk.sender.mail.addressing import Identity
from smtp_desk.sender.outbox.clock import UtcClock, utc_now
from smtp_desk.sender.outbox.entries import OutboxMessage
from smtp_desk.sender.routes.pool import SessionPool
from smtp_desk.sender.routes.route import CUSTOM
from smtp_desk.sender.routes.share import ServerShare
from smtp_desk.sender.routes.smtp import SmtpRoute
from smtp_desk.sender.testing import MemoryThrottle
from smtp_desk.smtp.net.deadline import Deadline
from smtp_desk.smtp.session.envelope import Status
from smtp_desk.smtp.session.limits import SessionLimits
from tests.core.replies import load_catalogue
from tests.servers.scripted import ScriptedServer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from smtp_desk.sender.routes.health import Ending
    from smtp_desk.sender.routes.route import Route, RouteResult
    from smtp_desk.sender.routes.throttle import Throttle
    from tests.servers.certs import Certificates
    from tests.servers.postfix import Postfix

PASSWORD: Final = "s3cret"
PATIENCE_S: Final = 20.0
CATALOGUE: Final = load_catalogue()
IDENTITY: Final = Identity("desk@example.test", "Example Desk")
PATIENT: Final = SessionLimits(total=None, connect=10)
HASTY: Final = SessionLimits(total=None, connect=10, greeting=0.3, command=0.3, end=0.3, quit=0.3)
ACCEPTED, REFUSED, UNCERTAIN = Status.ACCEPTED, Status.REFUSED, Status.UNCERTAIN

_Result = TypeVar("_Result")


class TickClock:
    """A monotonic clock that stands still until it is turned."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@dataclasses.dataclass(frozen=True)
class WaysOut:
    """Makes pools and routes that trust the test's CA."""

    certs: Certificates

    def settings(self, host: str, port: int) -> ServerSettings:
        """Settings of a server of the tests."""
        return ServerSettings(
            host=host,
            port=port,
            from_email="desk@example.test",
            username="desk",
            ca_pem=self.certs.root.chain_file.read_text(),
        )

    def pool(
        self,
        server: ScriptedServer,
        *,
        password: str = PASSWORD,
        limits: SessionLimits = PATIENT,
        clock: Callable[[], float] = time.monotonic,
        idle_seconds: float = 30.0,
        throttle: Throttle | None = None,
    ) -> SessionPool:
        """A pool of sessions with a scripted server."""
        settings = self.settings(server.host, server.port)
        return SessionPool(
            settings,
            Security.STARTTLS,
            Secret(password),
            CATALOGUE,
            ServerShare(throttle or MemoryThrottle(), settings, clock=clock),
            limits=limits,
            clock=clock,
            idle_seconds=idle_seconds,
        )

    def route(
        self,
        server: ScriptedServer | Postfix,
        *,
        password: str = PASSWORD,
        limits: SessionLimits = PATIENT,
        clock: Callable[[], float] = time.monotonic,
        now: UtcClock = utc_now,
        throttle: Throttle | None = None,
        ends: Callable[[], Iterable[Ending]] = tuple,
    ) -> SmtpRoute:
        """A route to a server, by STARTTLS."""
        port = server.port if isinstance(server, ScriptedServer) else server.starttls_port
        return SmtpRoute(
            CUSTOM,
            self.settings(server.host, port),
            Security.STARTTLS,
            Secret(password),
            IDENTITY,
            CATALOGUE,
            throttle or MemoryThrottle(),
            limits=limits,
            clock=clock,
            now=now,
            ends=ends,
        )


def foreign(payload: bytes = b"", **metadata: str) -> OutboxMessage:
    """A message of another program, which may have several recipients."""
    text = b"From: desk@example.test\r\nSubject: hi\r\n\r\nHello.\r\n"
    return OutboxMessage(
        message_id="<1@example.test>",
        kind="foreign",
        payload=payload or text,
        recipients=("unused@example.test",),
        metadata=metadata,
    )


class Dots:
    """Counts the dots that were announced, or lets none pass."""

    def __init__(self, error: Exception | None = None) -> None:
        self.announced = 0
        self._error = error

    def __call__(self) -> None:
        self.announced += 1
        if self._error is not None:
            raise self._error


def patience() -> Deadline:
    """How long a test waits for its turn."""
    return Deadline.after(PATIENCE_S)


def send(
    route: Route, *recipients: str, before_dot: Callable[[], None] | None = None
) -> tuple[RouteResult, ...]:
    """Send a foreign message."""
    to = recipients or ("bo@example.test",)
    return route.send(foreign(), to, before_dot or Dots(), patience())


def statuses(results: Sequence[RouteResult]) -> list[Status]:
    """What came of each recipient."""
    return [result.status for result in results]


def codes(results: Sequence[RouteResult]) -> list[str]:
    """The finding of each recipient; "" where there is none."""
    return [result.finding.code if result.finding else "" for result in results]


def at_once(count: int, work: Callable[[], _Result]) -> list[_Result]:
    """Do the same in so many threads that all begin together."""
    start = threading.Barrier(count)

    def run() -> _Result:
        start.wait()
        return work()

    with ThreadPoolExecutor(count) as threads:
        return [future.result() for future in [threads.submit(run) for _ in range(count)]]
