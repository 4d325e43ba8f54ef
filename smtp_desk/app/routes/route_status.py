"""The status of a route: one value, read once. Words, JSON, banner and table rows use it."""

import logging
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from smtp_desk.app.services import Services
from smtp_desk.app.words import status_reason
from smtp_desk.core.address import parse_host
from smtp_desk.sender.outbox.outbox import OutboxUnavailableError
from smtp_desk.sender.routes.health import Ending, Probe, Resting, RouteHealth, Shut, asked
from smtp_desk.sender.routes.route import CUSTOM, DEFAULT
from smtp_desk.store.stored import (
    DefaultKind,
    DefaultService,
    ServerState,
    ServerStatus,
    StoredServer,
    StoredSettings,
)

if TYPE_CHECKING:
    from smtp_desk.core.stages import Json

_log: Final = logging.getLogger(__name__)

_SIGN_IN_AGAIN: Final = "auth.sign_in_again"
_UNUSED: Final = (ServerState.NOT_CONFIGURED, ServerState.OFF, ServerState.UNREADABLE)


class HealthState(StrEnum):
    """Whether a route may be used."""

    USABLE = "usable"
    RESTING = "resting"
    PROBING = "probing"
    DUE = "due"
    SHUT = "shut"


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthReport:
    """The health of a route, as shown to people.

    Attributes:
        state: Whether it may be used.
        until: End of the pause, or when a probe is given to another process.
        summary: The finding of the latest failure, as a sentence; "" for none.
        known: Everything known about it.
        at: When it was read.
    """

    state: HealthState
    until: datetime | None
    summary: str
    known: RouteHealth
    at: datetime = field(compare=False)

    @property
    def needs_sign_in(self) -> bool:
        """Whether only signing in again (OAuth 2.0), or other settings, can open it."""
        return self.state is HealthState.SHUT and self.known.code == _SIGN_IN_AGAIN


@dataclass(frozen=True, slots=True, kw_only=True)
class RouteStatus:
    """The status of a route; the default is the custom server of a new machine.

    Attributes:
        route: The route.
        kind: Its state before anything is sent, or that it is SENDMAIL or OUTBOX. A default
            service with a value that can't be used is UNPROVEN.
        why: Why it is UNPROVEN, SECRET_UNAVAILABLE or UNREADABLE, for people.
        proven: Whether its proof is valid; None if there is nothing to prove or it isn't known.
        enabled: Position of the switch; True if there is none.
        secret: `none`, `available` or `unavailable`.
        server: The saved server it uses, or None.
        service: The default email service, which takes what the custom server can't send.
        health: Its health; None if that was not or can't be read.
        paused_since: When a person paused all sending; None if nobody has.
        endings: What expires soon, the first to expire first; empty if that was not read.
    """

    route: str = CUSTOM
    kind: ServerState = ServerState.NOT_CONFIGURED
    why: str = ""
    proven: bool | None = None
    enabled: bool = True
    secret: str = "none"  # noqa: S105 - a word of the schema
    server: StoredServer | None = None
    service: DefaultService = field(default_factory=DefaultService)
    health: HealthReport | None = None
    paused_since: datetime | None = None
    endings: tuple[Ending, ...] = ()

    @property
    def on(self) -> bool:
        """Whether it is meant to send: configured, and switched on if it has a switch."""
        return self.enabled and self.kind not in _UNUSED

    @property
    def open(self) -> bool:
        """Whether emails are sent by it, now or after a pause, without anybody's help."""
        shut = self.health is not None and self.health.state is HealthState.SHUT
        return self.kind is ServerState.ACTIVE and not shut

    @property
    def out(self) -> bool:
        """Whether it is in an outage: emails are sent another way, or wait."""
        return self.on and self.health is not None and is_out(self.health.known)

    @property
    def needs_sign_in(self) -> bool:
        """Whether it sends no email until a person signs in again (OAuth 2.0)."""
        return self.on and self.health is not None and self.health.needs_sign_in

    @property
    def held(self) -> bool:
        """Whether the default service only holds emails in the outbox."""
        return self.service.kind is DefaultKind.OUTBOX

    @property
    def host(self) -> str:
        """The name of its server, for people; "" if it has none."""
        return parse_host(self.server.settings.host).unicode if self.server else ""

    @property
    def target(self) -> str:
        """The server or program it uses; "" for none."""
        if self.route != CUSTOM and self.service.kind is DefaultKind.SENDMAIL:
            return self.service.sendmail_path
        return f"{self.host}, port {self.server.settings.port}" if self.server else ""


def custom_status(stored: StoredSettings, evaluated: ServerStatus) -> RouteStatus:
    """Return the status of the custom server, without its health.

    Args:
        stored: What is saved.
        evaluated: What it could be used for if it were switched on.
    """
    status = replace(_of_server(CUSTOM, stored, stored.server, evaluated), enabled=stored.enabled)
    off = evaluated.state is ServerState.ACTIVE and not stored.enabled
    return replace(status, kind=ServerState.OFF) if off else status


def relay_status(stored: StoredSettings, evaluated: ServerStatus) -> RouteStatus:
    """Return the status of the default email service's relay, without its health."""
    return _of_server(DEFAULT, stored, stored.default.server, evaluated)


def _of_server(
    route: str, stored: StoredSettings, server: StoredServer | None, evaluated: ServerStatus
) -> RouteStatus:
    missing = evaluated.state is ServerState.SECRET_UNAVAILABLE
    return RouteStatus(
        route=route,
        kind=evaluated.state,
        why=status_reason(evaluated),
        proven={ServerState.ACTIVE: True, ServerState.UNPROVEN: False}.get(evaluated.state),
        secret="unavailable" if missing else "available" if server and server.key else "none",
        server=server,
        service=stored.default,
    )


def evaluate_saved(
    services: Services, stored: StoredSettings, *, default: bool = False
) -> ServerStatus:
    """Return whether a saved server can be used, whether or not it is in use; asks the keyring."""
    relay = replace(stored.default, kind=DefaultKind.SMTP)
    in_use = replace(stored, enabled=True, default=relay)
    return services.store.status(in_use, default=default)


def with_health(
    services: Services, status: RouteStatus, known: RouteHealth | None = None
) -> RouteStatus:
    """Return `status` with the route's health now; `known` if that was read already.

    Raises:
        OutboxUnavailableError: The health can't be read.
    """
    now, known = services.now(), known or route_health(services, status.route)
    state, until = health_state(known, now)
    summary = summary_of(services, known.code, status.server)
    health = HealthReport(state=state, until=until, summary=summary, known=known, at=now)
    return replace(status, health=health, paused_since=paused_since(services))


def paused_since(services: Services) -> datetime | None:
    """Return when sending was paused; creates nothing if nothing was ever sent."""
    return services.control.paused_since() if services.has_outbox else None


def try_with_health(services: Services, status: RouteStatus) -> RouteStatus:
    """Return the status with the route's health, or without it if it can't be read."""
    try:
        return with_health(services, status)
    except OutboxUnavailableError as error:
        _log.info("the health of the %s route can't be read: %s", status.route, error)
        return replace(status, health=None)


def route_health(services: Services, route: str) -> RouteHealth:
    """Return the health of a route; creates nothing if nothing was ever sent.

    Raises:
        OutboxUnavailableError: It can't be read.
    """
    if not services.has_outbox:
        return RouteHealth(route=route)
    return services.health.status(route)


def health_state(health: RouteHealth, now: datetime) -> tuple[HealthState, datetime | None]:
    """Return whether a route may be used, and when its pause or probe is over."""
    verdict = asked(health, now, "")[0]
    if isinstance(verdict, Resting):
        probed = verdict.until == health.probe_until
        return (HealthState.PROBING if probed else HealthState.RESTING), verdict.until
    if isinstance(verdict, Probe):
        return HealthState.DUE, None
    return (HealthState.SHUT if isinstance(verdict, Shut) else HealthState.USABLE), None


def is_out(health: RouteHealth) -> bool:
    """Whether the route is in an outage, and paused or shut because of it."""
    return health.out_since is not None and (health.shut or health.resting_until is not None)


def server_of(stored: StoredSettings, route: str) -> StoredServer | None:
    """Return the server that is saved for a route, whether or not it is in use."""
    return stored.server if route == CUSTOM else stored.default.server


def summary_of(services: Services, code: str, server: StoredServer | None = None) -> str:
    """Return the summary of the finding `code` for `server`; "" for no code."""
    if not code:
        return ""
    # Imported here: where no route ever failed the catalogue is not needed.
    from smtp_desk.core.findings.catalogue import cause  # noqa: PLC0415
    from smtp_desk.core.findings.oauth_errors import oauth_context  # noqa: PLC0415

    facts: dict[str, Json] = {"moment": "during a session"}
    if server is not None:
        settings = server.settings
        facts |= {"host": settings.host, "port": settings.port}
        facts |= {"username": settings.username, "from_email": settings.from_email}
        facts |= oauth_context(settings.oauth)
    return cause(services.catalogue, code, facts).summary
