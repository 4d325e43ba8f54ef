"""What the Delivery page shows besides its list, as one value.

How both routes do, in the words of the Delivery page.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Final

from smtp_desk.app.delivery.rows import Details
from smtp_desk.app.delivery.words import Standing, emails, route_name
from smtp_desk.app.notice import Notice
from smtp_desk.app.routes.outage import health_state, local_time, server_of, summary_of
from smtp_desk.app.services import Services
from smtp_desk.core.address import parse_host
from smtp_desk.sender.routes.health import RouteHealth
from smtp_desk.sender.routes.route import CUSTOM, DEFAULT
from smtp_desk.store.settings_file import SettingsFileError
from smtp_desk.store.stored import DefaultKind, DefaultService, StoredServer, StoredSettings


class RouteCondition(StrEnum):
    """How a route does: a `HealthState`, or why its health does not matter."""

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
    state, until = health_state(health, now)
    condition = _unused(health.route, stored) or RouteCondition(state)
    status = _STATUS.get(condition, "")
    if condition is RouteCondition.RESTING and until is not None:
        status = f"Rests until {local_time(until, now)}, then it is tried again."
    elif condition is RouteCondition.NOT_CONFIGURED and health.route == DEFAULT:
        status = _HOLDS
    elif condition is RouteCondition.USABLE and health.route == DEFAULT:
        status = _READY
    code = "" if condition in _SETTLED else health.code
    server = server_of(stored, health.route) if stored else None
    return RouteView(
        route=health.route,
        name=route_name(health.route),
        target=_target(health.route, stored) if stored else "",
        condition=condition,
        status=status,
        why=summary_of(services, code, server),
        code=code,
        fallbacks=_fallbacks(health, now),
    )


def _unused(route: str, stored: StoredSettings | None) -> RouteCondition | None:
    """Return why nothing can leave by a route, however its health is; None where it can."""
    if stored is None:
        return RouteCondition.UNREADABLE
    if route == CUSTOM and not stored.enabled and stored.server is not None:
        return RouteCondition.OFF
    return None if _target(route, stored) else RouteCondition.NOT_CONFIGURED


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


class DeliveryBusy(StrEnum):
    """What runs for the person; the values are texts for the person."""

    NOTHING = ""
    RETRYING = "Making the email due now…"
    DROPPING = "Dropping the email…"
    EXPORTING = "Exporting the email…"
    TRYING = "Trying the server…"


class Emptiness(StrEnum):
    """Why the list shows nothing."""

    UNREAD = "unread"
    NOT_EMPTY = "not_empty"
    NO_EMAILS = "no_emails"
    NO_MATCHES = "no_matches"


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryState:
    """Everything that the Delivery page shows, but the rows of its list.

    Attributes:
        routes: Both routes, the custom one first; () before they were read.
        counts: How many emails stand where, among those that match the search.
        text: What is searched for.
        standing: The emails that are shown; None for all.
        emptiness: Why the list shows nothing.
        details: The selected email; None where none is, or it is still being read.
        selected: The identifier of the selected email, or "".
        busy: What runs.
        notice: What came of the last action.
        trouble: What is wrong with the outbox and what to do, or "".
    """

    routes: tuple[RouteView, ...] = ()
    counts: Mapping[Standing, int] = field(default_factory=dict)
    text: str = ""
    standing: Standing | None = None
    emptiness: Emptiness = Emptiness.UNREAD
    details: Details | None = None
    selected: str = ""
    busy: DeliveryBusy = DeliveryBusy.NOTHING
    notice: Notice | None = None
    trouble: str = ""

    @property
    def total(self) -> int:
        """All emails that match the search."""
        return sum(self.counts.values())

    @property
    def choose_reason(self) -> str:
        """Why nothing can be done with an email, or ""."""
        if self.busy:
            return str(self.busy)
        if self.trouble:
            return "The outbox can’t be read."
        if self.emptiness in (Emptiness.NO_EMAILS, Emptiness.NO_MATCHES):
            return "There is no email in the list."
        if not self.selected:
            return "Select an email in the list first."
        return "" if self.details else "The email is being read."
