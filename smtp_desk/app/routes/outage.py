"""The outage of the custom server, as the faces show it: since when, why, and what ends it."""

import logging
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from smtp_desk.app.notice import Notice, StatusKind, StatusLine
from smtp_desk.app.services import Services
from smtp_desk.core.findings.catalogue import cause
from smtp_desk.core.findings.finding import Finding
from smtp_desk.sender.outbox.outbox import OutboxUnavailableError
from smtp_desk.sender.routes.health import Probe, Resting, RouteHealth, Shut, asked
from smtp_desk.sender.routes.probing import Prober
from smtp_desk.sender.routes.route import CUSTOM
from smtp_desk.sender.routes.saved import SavedRoutes
from smtp_desk.store.settings_file import SettingsFileError
from smtp_desk.store.stored import DefaultKind, StoredServer, StoredSettings

_log: Final = logging.getLogger(__name__)

_WORKS: Final = "The server works again. What waits in the outbox is due now."
_LETS_US_IN: Final = (
    "The server can be reached. The next email shows whether it takes emails again."
)
_PROBE_S: Final = 60.0
"""Longest wait for a session: connecting, greeting and signing in have limits of their own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outage:
    """An outage of the custom server that is not over yet.

    Attributes:
        since: When it began, in words: the local time, with the date unless it is today.
        summary: The finding of its newest failure; "" where it is not known.
        fallbacks: Emails that took the default service instead, so far.
        shut: Whether only a person ends it: by Try again, or by saving new settings.
        held: Whether the default service only holds emails in the outbox.
    """

    since: str
    summary: str
    fallbacks: int
    shut: bool
    held: bool

    @property
    def title(self) -> str:
        """What happened."""
        return f"Your mail server has been unavailable since {self.since}."

    @property
    def consequence(self) -> str:
        """What that means for emails, and what comes next."""
        if self.held:
            fate = "System emails wait in the outbox."
        elif self.fallbacks == 1:
            fate = "1 email left through the default email service instead."
        else:
            fate = f"{self.fallbacks} emails left through the default email service instead."
        if self.shut:
            return f"{fate} The server is left alone until you press Try again or save settings."
        return f"{fate} The server is tried again by itself."


def route_health(services: Services, route: str) -> RouteHealth:
    """Return the health of a route; where nothing was ever sent nothing is made.

    Raises:
        OutboxUnavailableError: It can't be read.
    """
    if not services.paths.outbox_file.exists():
        return RouteHealth(route=route)
    return services.health.status(route)


class HealthState(StrEnum):
    """Whether a route may be used."""

    USABLE = "usable"
    RESTING = "resting"
    PROBING = "probing"
    DUE = "due"
    SHUT = "shut"


def health_state(health: RouteHealth, now: datetime) -> tuple[HealthState, datetime | None]:
    """Return whether a route may be used, and when its rest or its probe is over."""
    verdict = asked(health, now, "")[0]
    if isinstance(verdict, Resting):
        probed = verdict.until == health.probe_until
        return (HealthState.PROBING if probed else HealthState.RESTING), verdict.until
    if isinstance(verdict, Probe):
        return HealthState.DUE, None
    return (HealthState.SHUT if isinstance(verdict, Shut) else HealthState.USABLE), None


def is_out(health: RouteHealth) -> bool:
    """Whether the route is in an outage: out, and resting or shut for it."""
    return health.out_since is not None and (health.shut or health.resting_until is not None)


def read_outage(services: Services) -> Outage | None:
    """Return the outage of the custom server, or None; what can't be read is none."""
    try:
        return outage_of(services, services.store.load(), route_health(services, CUSTOM))
    except (SettingsFileError, OutboxUnavailableError) as error:
        _log.info("the health of the custom server can't be read: %s", error)
        return None


def outage_of(services: Services, stored: StoredSettings, health: RouteHealth) -> Outage | None:
    """Return the outage of the custom server, whose health this is, or None."""
    if not stored.enabled or stored.server is None or health.out_since is None:
        return None
    if not is_out(health):
        return None
    return Outage(
        since=local_time(health.out_since, services.now()),
        summary=summary_of(services, health.code, stored.server),
        fallbacks=health.fallbacks,
        shut=health.shut,
        held=stored.default.kind is DefaultKind.OUTBOX,
    )


def in_outage(status: StatusLine, outage: Outage | None) -> StatusLine:
    """Return the status line of the custom server, the outage told where there is one."""
    if outage is None or status.kind is not StatusKind.ACTIVE:
        return status
    instead = "emails wait in the outbox" if outage.held else "using the default service"
    return StatusLine(StatusKind.UNAVAILABLE, f"Unavailable, {instead} since {outage.since}.")


def try_again(services: Services, route: str = CUSTOM) -> Notice:
    """Try a route that rests or is shut at once, by one session up to AUTH; blocks until then.

    Where it works again, what waits in the outbox is due.
    """
    try:
        services.health.try_again(route)
        _probe(services, route)
        health = services.health.status(route)
    except OutboxUnavailableError as error:
        return Notice(str(error), error=True)
    if not is_out(health):
        return Notice(_WORKS if health.out_since is None else _LETS_US_IN)
    why = summary_of(services, health.code, _saved_server(services, route))
    return Notice(f"Still unavailable. {why}".rstrip(), error=True)


def _probe(services: Services, name: str) -> None:
    """Probe a route, unless somebody else does at this moment, and write down what came of it."""
    with closing(SavedRoutes(services.store, services.catalogue)) as source:
        route = source.routes().of(name)
        verdict = services.health.may_use(name) if route is not None else None
        if route is None or not isinstance(verdict, Probe):
            return
        if isinstance(route, Finding):
            services.health.record_failure(name, route.code, verdict.token)
            return
        prober = Prober(services.health, services.outbox)
        prober.grant(route, verdict.token)
        prober.start_granted()
        prober.wait(_PROBE_S)


def _saved_server(services: Services, route: str) -> StoredServer | None:
    try:
        return server_of(services.store.load(), route)
    except SettingsFileError:
        return None


def end_rest(services: Services, route: str) -> None:
    """Make a route usable at once, for new settings were saved, and the mail that waits due."""
    with _other_settings_count():
        if services.paths.outbox_file.exists():
            services.health.reopen(route)
    make_due(services)


def make_due(services: Services) -> None:
    """Make the mail that waits in the outbox due, for there is another way out now."""
    with _other_settings_count():
        if services.paths.outbox_file.exists():
            services.outbox.make_due()


@contextmanager
def _other_settings_count() -> Iterator[None]:
    """Log where the outbox can't be told of other settings: they are saved all the same."""
    try:
        yield
    except OutboxUnavailableError:
        _log.warning("the outbox could not be told of other settings", exc_info=True)


def server_of(stored: StoredSettings, route: str) -> StoredServer | None:
    """Return the server that is saved for a route, whether or not it is in use."""
    return stored.server if route == CUSTOM else stored.default.server


def summary_of(services: Services, code: str, server: StoredServer | None = None) -> str:
    """Return what the finding `code` of `server` comes to, in a sentence; "" for no code."""
    if not code:
        return ""
    facts: dict[str, str | int] = {"moment": "during a session"}
    if server is not None:
        settings = server.settings
        facts |= {"host": settings.host, "port": settings.port}
        facts |= {"username": settings.username, "from_email": settings.from_email}
    return cause(services.catalogue, code, facts).summary


def local_time(moment: datetime, now: datetime) -> str:
    """Return a moment as people here read it: the time, with the date unless it is today."""
    here = moment.astimezone()
    if here.date() == now.astimezone().date():
        return f"{here:%H:%M}"
    return f"{here:%Y-%m-%d %H:%M}"
