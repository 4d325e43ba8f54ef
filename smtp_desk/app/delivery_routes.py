"""How both routes do, in words: the same on the Delivery page and on the command line."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from smtp_desk.app.delivery_words import emails, route_name
from smtp_desk.app.outage import local_time, summary_of
from smtp_desk.app.services import Services
from smtp_desk.core.address import parse_host
from smtp_desk.sender import route_health
from smtp_desk.sender.route_health import Probe, Resting, RouteHealth, Shut, Usable
from smtp_desk.sender.transport import CUSTOM, DEFAULT
from smtp_desk.store.settings_file import SettingsFileError
from smtp_desk.store.stored import DefaultKind, DefaultService, StoredServer, StoredSettings


class RouteCondition(StrEnum):
    """How a route does."""

    NOT_CONFIGURED = "not_configured"
    OFF = "off"
    UNREADABLE = "unreadable"
    USABLE = "usable"
    RESTING = "resting"
    PROBING = "probing"
    DUE = "due"
    SHUT = "shut"


@dataclass(frozen=True, slots=True, kw_only=True)
class RouteView:
    """A route, in words.

    Attributes:
        route: Which one.
        name: Its name.
        target: Where it leads; "" where it leads nowhere.
        condition: How it does.
        status: The same as a sentence.
        why: The cause of the newest failure, while it is out of use; else "".
        code: The finding's code; "" for none.
        fallbacks: How many emails went another way, as a sentence; "" for none.
    """

    route: str
    name: str
    target: str = ""
    condition: RouteCondition
    status: str
    why: str = ""
    code: str = ""
    fallbacks: str = ""

    @property
    def may_be_tried(self) -> bool:
        """Whether Try again would change anything."""
        return self.condition in (RouteCondition.RESTING, RouteCondition.SHUT)


_UNREADABLE: Final = "The settings file can’t be read; no email leaves until it can."
_HOLDS: Final = "There is none: emails that the custom server can’t take wait in the outbox."
_READY: Final = "Ready for emails that the custom server can’t take."
_SETTLED: Final = (
    RouteCondition.NOT_CONFIGURED,
    RouteCondition.OFF,
    RouteCondition.UNREADABLE,
    RouteCondition.USABLE,
)
_CONDITIONS: Final[Mapping[type, RouteCondition]] = {
    Usable: RouteCondition.USABLE,
    Probe: RouteCondition.DUE,
    Shut: RouteCondition.SHUT,
}
_STATUS: Final = {
    RouteCondition.NOT_CONFIGURED: "Not configured.",
    RouteCondition.OFF: "Off: the switch on Integrations is off.",
    RouteCondition.UNREADABLE: _UNREADABLE,
    RouteCondition.USABLE: "In use.",
    RouteCondition.PROBING: "Being tried at this moment.",
    RouteCondition.DUE: "Will be tried again with the next email.",
    RouteCondition.SHUT: "Shut until settings are saved, or you press Try again.",
}


def route_views(services: Services, now: datetime) -> tuple[RouteView, ...]:
    """Read how both routes do, the custom one first; asks disk and outbox, not the keyring.

    Raises:
        OutboxUnavailableError: The outbox, which keeps it, does not work.
    """
    try:
        stored: StoredSettings | None = services.store.load()
    except SettingsFileError:
        stored = None
    return tuple(
        _view(services, services.health.status(route), stored, now) for route in (CUSTOM, DEFAULT)
    )


def _view(
    services: Services, health: RouteHealth, stored: StoredSettings | None, now: datetime
) -> RouteView:
    condition = _condition(health, stored, now)
    until = health.resting_until
    status = _STATUS.get(condition, "")
    if condition is RouteCondition.RESTING and until is not None:
        status = f"Rests until {local_time(until, now)}, then it is tried again."
    elif condition is RouteCondition.NOT_CONFIGURED and health.route == DEFAULT:
        status = _HOLDS
    elif condition is RouteCondition.USABLE and health.route == DEFAULT:
        status = _READY
    out = condition not in _SETTLED
    return RouteView(
        route=health.route,
        name=route_name(health.route),
        target=_target(health.route, stored) if stored else "",
        condition=condition,
        status=status,
        why=summary_of(services, health.code, _saved(health.route, stored))
        if out and health.code
        else "",
        code=health.code if out else "",
        fallbacks=_fallbacks(health, now),
    )


def _condition(health: RouteHealth, stored: StoredSettings | None, now: datetime) -> RouteCondition:
    if stored is None:
        return RouteCondition.UNREADABLE
    if health.route == CUSTOM and not stored.enabled and stored.server is not None:
        return RouteCondition.OFF
    if not _target(health.route, stored):
        return RouteCondition.NOT_CONFIGURED
    verdict = route_health.asked(health, now, "")[0]
    if isinstance(verdict, Resting):
        probed = verdict.until == health.probe_until
        return RouteCondition.PROBING if probed else RouteCondition.RESTING
    return _CONDITIONS[type(verdict)]


def _saved(route: str, stored: StoredSettings | None) -> StoredServer | None:
    if stored is None:
        return None
    return stored.server if route == CUSTOM else stored.default.server


def _target(route: str, stored: StoredSettings) -> str:
    return _server(stored.server) if route == CUSTOM else _service(stored.default)


def _service(default: DefaultService) -> str:
    if default.kind is DefaultKind.SENDMAIL:
        return default.sendmail_path
    return _server(default.server) if default.kind is DefaultKind.SMTP else ""


def _server(server: StoredServer | None) -> str:
    if server is None:
        return ""
    return f"{parse_host(server.settings.host).unicode}, port {server.settings.port}"


def _fallbacks(health: RouteHealth, now: datetime) -> str:
    if not health.fallbacks:
        return ""
    if health.out_since is None:
        return f"{emails(health.fallbacks)} went another way in the newest outage."
    since = local_time(health.out_since, now)
    return f"{emails(health.fallbacks)} went another way since {since}."
