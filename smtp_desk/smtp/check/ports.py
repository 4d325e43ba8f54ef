"""Which other ports of a host would work, after one has failed.

Each is opened as a session is, up to TLS with a verified certificate, and closed with QUIT, without
signing in.
"""

import dataclasses
import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from smtp_desk.core.errors import SmtpFailure
from smtp_desk.core.settings import Security, ServerSettings
from smtp_desk.core.stages import Json, Stage
from smtp_desk.smtp.net.deadline import Cancel, Deadline
from smtp_desk.smtp.session.limits import SessionLimits
from smtp_desk.smtp.session.session import Session

MAIL_PORTS: Final = (587, 465, 25, 2525)
"""Where mail servers listen, best first (RFC 8314; 2525 where 25 is blocked)."""
PROBE_SECONDS: Final = 5.0
"""How long a probe of all ports takes at most."""


class PortState(StrEnum):
    """What a port can be used for; STARTTLS and TLS would work."""

    STARTTLS = "starttls"
    TLS = "tls"
    SMTP_WITHOUT_TLS = "smtp_without_tls"
    CLOSED = "closed"
    SILENT = "silent"
    OTHER = "other"


_STATE_OF_CODE: Final[Mapping[str | None, PortState]] = {
    "connect.refused": PortState.CLOSED,
    "connect.unreachable": PortState.SILENT,
    "connect.timeout": PortState.SILENT,
    "greeting.timeout": PortState.SILENT,
    "tls.handshake_timeout": PortState.SILENT,
    "ehlo.not_supported": PortState.SMTP_WITHOUT_TLS,
    "tls.not_offered": PortState.SMTP_WITHOUT_TLS,
}


@dataclass(frozen=True, slots=True)
class PortAnswer:
    """How one port answered.

    Attributes:
        port: The port.
        answer: What it can be used for.
        detail: The finding's code, or the server's reply, where it would not work.
    """

    port: int
    answer: PortState
    detail: str = ""

    @property
    def security(self) -> Security | None:
        """The mode in which it would work; None if it would not."""
        if self.answer in (PortState.STARTTLS, PortState.TLS):
            return Security(self.answer.value)
        return None

    def facts(self) -> dict[str, Json]:
        """Return it in the form that a report contains."""
        return {"port": self.port, "answer": str(self.answer), "detail": self.detail}


def probe_ports(
    settings: ServerSettings,
    addresses: Sequence[str],
    cancel: Cancel,
    *,
    ports: Iterable[int] = MAIL_PORTS,
    seconds: float = PROBE_SECONDS,
) -> list[PortAnswer]:
    """Try `ports` but the one in `settings`, all at once, and return their answers in order.

    Args:
        settings: The server that failed; its mode doesn't matter.
        addresses: The resolved addresses of the host.
        cancel: Ends the attempts.
        ports: The ports to try.
        seconds: Time limit for all of them together.

    Raises:
        CancelledError: Cancelled.
    """
    cancel.check()
    probes = [
        _Probe(settings, port, addresses, cancel, seconds)
        for port in ports
        if port != settings.port
    ]
    for probe in probes:
        probe.start()
    for probe in probes:
        probe.join()
    cancel.check()
    return [probe.answer for probe in probes]


class _Probe(threading.Thread):
    """One port, in a thread of its own.

    Attributes:
        answer: Known once the thread has ended.
    """

    def __init__(
        self,
        settings: ServerSettings,
        port: int,
        addresses: Sequence[str],
        cancel: Cancel,
        seconds: float,
    ) -> None:
        super().__init__(name=f"probe {port}", daemon=True)
        self._session = Session(
            dataclasses.replace(settings, port=port, security=Security.AUTO),
            None,
            # Half of it is enough to connect: who drops everything keeps nobody waiting.
            limits=SessionLimits(
                total=seconds, connect=seconds / 2, patience=seconds / 4, quit=seconds / 4
            ),
            cancel=cancel,
            resolver=_Resolved(addresses),
        )
        self.answer = PortAnswer(port, PortState.OTHER)

    def run(self) -> None:
        """Open a session up to TLS and quit."""
        port = self.answer.port
        try:
            self._session.open(through=Stage.TLS)
        except SmtpFailure as failure:
            state = _STATE_OF_CODE.get(failure.code, PortState.OTHER)
            self.answer = PortAnswer(port, state, failure.code or str(failure.reply))
        else:
            self.answer = PortAnswer(port, PortState(self._session.mode.value))
            self._session.quit()


@dataclass(frozen=True, slots=True)
class _Resolved:
    """A resolver that already knows the answer."""

    addresses: Sequence[str]

    def resolve(self, _host: str, _cancel: Cancel, _deadline: Deadline) -> tuple[str, ...]:
        """Return the addresses."""
        return tuple(self.addresses)
