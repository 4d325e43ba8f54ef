"""Sessions with scripted servers, and what was told of them."""

from __future__ import annotations

import contextlib
import dataclasses
from typing import TYPE_CHECKING, Any

from smtp_desk.core.secret import Secret
from smtp_desk.core.settings import ServerSettings
from smtp_desk.core.stages import Json, Stage, StageEvent, StageStatus
from smtp_desk.smtp.session.envelope import Delivery, Envelope, Status
from smtp_desk.smtp.session.limits import SessionLimits
from smtp_desk.smtp.session.session import Session
from tests.servers.script import Script
from tests.servers.scripted import ScriptedServer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from smtp_desk.smtp.net.deadline import Cancel
    from smtp_desk.smtp.wire.auth import Credential
    from tests.servers.certs import Certificates

PATIENT = SessionLimits(total=60, connect=10, patience=10)
HASTY = SessionLimits(
    total=60, connect=10, greeting=0.3, command=0.3, end=0.3, quit=0.3, patience=10
)
ENVELOPE = Envelope("ann@example.org", ("bo@example.test",))
MAIL = b"Subject: test\r\n\r\nHello.\r\n"
PASSWORD = Secret("s3cret")


class Told:
    """What a session told of its stages."""

    def __init__(self) -> None:
        self.events: list[StageEvent] = []

    def __call__(self, event: StageEvent) -> None:
        self.events.append(event)

    def ends(self) -> list[tuple[Stage, StageStatus]]:
        """Every end of a stage, in order."""
        ended = (event for event in self.events if event.status is not StageStatus.STARTED)
        return [(event.stage, event.status) for event in ended]

    def facts(self, stage: Stage) -> dict[str, Json]:
        """All facts of a stage."""
        return {
            name: value
            for event in self.events
            if event.stage is stage
            for name, value in event.facts.items()
        }


@dataclasses.dataclass(frozen=True)
class Sessions:
    """Makes sessions that trust the test's CA and sign in as the scripted server expects."""

    certs: Certificates

    def settings(self, server: ScriptedServer, **fields: Any) -> ServerSettings:  # noqa: ANN401 - by name
        """Settings of a scripted server."""
        usual: dict[str, Any] = {
            "host": server.host,
            "port": server.port,
            "from_email": "ann@example.org",
            "username": "desk",
            "ca_pem": self.certs.root.chain_file.read_text(),
        }
        return ServerSettings(**{**usual, **fields})

    def new(
        self,
        server: ScriptedServer,
        *,
        limits: SessionLimits = PATIENT,
        cancel: Cancel | None = None,
        told: Told | None = None,
        credential: Credential | None = PASSWORD,
        **fields: Any,  # noqa: ANN401 - by name
    ) -> Session:
        """A session with a scripted server, not yet open."""
        return Session(
            self.settings(server, **fields),
            credential,
            limits=limits,
            cancel=cancel,
            observe=told,
            keep_transcript=True,
        )


@contextlib.contextmanager
def opened(
    sessions: Sessions,
    played: Script,
    told: Told | None = None,
    limits: SessionLimits = PATIENT,
) -> Iterator[tuple[Session, ScriptedServer]]:
    """A session that is open, and its server."""
    with ScriptedServer(played) as server:
        session = sessions.new(server, told=told, limits=limits)
        session.open()
        try:
            yield session, server
        finally:
            session.abort()


def statuses(delivery: Delivery) -> list[Status]:
    """What came of each recipient."""
    return [result.status for result in delivery.results]
