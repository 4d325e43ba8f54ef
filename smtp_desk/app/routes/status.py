"""The status of sending: both routes, their health, the outbox. Creates no file.

As JSON it is this document, `smtp-desk/status/1`; `null` means that something doesn't apply or
isn't known, times are RFC 3339 in UTC:

    {"schema": "smtp-desk/status/1", "at": TIME, "configured": bool,
     "custom": {"state": "not_configured" | "off" | "unproven" | "secret_unavailable" | "active",
                "reason": why it is UNPROVEN or SECRET_UNAVAILABLE, for people, else "",
                "configured": bool, "on": bool, "proven": bool | null,
                "secret": "none" | "available" | "unavailable",
                "host": str | null, "port": int | null, "from_email": str | null,
                "health": HEALTH | null,
                "endings": [{"what": "server_certificate" | "client_certificate" | "client_secret"
                                     | "refresh_token" | "company_ca", "at": TIME}…]},
     "default": {… as custom, and "kind": "outbox" | "sendmail" | "smtp", "path": str | null},
     "outbox": {"ready", "sending", "in_doubt", "accepted", "refused", "held", "dropped": int,
                "next_due": TIME | null} | null,
     "paused_since": TIME | null, "workers": int | null,
     "worker_needed": bool | null, "problems": [str…]}

    HEALTH: {"state": "usable" | "resting" | "probing" | "due" | "shut",
             "out_since": TIME | null, "fallbacks": int since the newest outage began,
             "until": TIME | null of a rest or a probe, "code": finding of the newest failure,
             "summary": the same as a sentence, "failures": int in a row,
             "unanswered": messages in a row without an answer}

`endings` lists what expires soon (30 days) or has expired; for the server's own certificate, what
a worker's daily check found; for a client secret, the end of the day that a person gave; for a
refresh token, a person's sign-in, what its service told, in the second half of its life. `due`
means that the route is tried again with the next email. `worker_needed` means that emails wait
that only a worker, or the next email, sends; `workers` is the number of running ones. While sending
is paused nothing is sent, whatever the routes say. `problems` lists what could not be read or used,
and what expires soon.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Final

from smtp_desk.app.routes.default import (
    DefaultState,
    address_problems,
    default_state,
    default_text,
)
from smtp_desk.app.routes.endings import endings_of_saved
from smtp_desk.app.routes.route_status import (
    HealthReport,
    RouteStatus,
    custom_status,
    evaluate_saved,
    relay_status,
    with_health,
)
from smtp_desk.app.routes.words import NAMES, ending_text, status_text
from smtp_desk.app.services import Services
from smtp_desk.app.words import file_text
from smtp_desk.core.reply import visible
from smtp_desk.core.stages import Json
from smtp_desk.core.translation import _
from smtp_desk.sender.outbox.entries import EntryState
from smtp_desk.sender.outbox.outbox import Counts, OutboxUnavailableError
from smtp_desk.sender.routes.route import CUSTOM, DEFAULT
from smtp_desk.store.settings_file import SettingsFileError
from smtp_desk.store.stored import (
    DefaultKind,
    ServerState,
    ServerStatus,
    StoredServer,
    StoredSettings,
)

SCHEMA: Final = "smtp-desk/status/1"


@dataclass(frozen=True, slots=True, kw_only=True)
class OutboxReport:
    """The state of the outbox.

    Attributes:
        counts: The number of entries by state.
        next_due: When a worker will find something to do next; None for never.
        waiting: Whether something is due that nobody is working on.
        paused_since: When sending was paused; None if it isn't.
        workers: The number of running workers.
    """

    counts: Counts
    next_due: datetime | None
    waiting: bool
    paused_since: datetime | None = None
    workers: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class SendingStatus:
    """The status of sending at one moment.

    Attributes:
        at: The moment.
        custom: The custom server.
        default: The default email service.
        outbox: The outbox; None if it can't be read.
        problems: What could not be read or used, and why.
        default_text: What happens to the emails that the default email service gets.
    """

    at: datetime
    custom: RouteStatus
    default: RouteStatus
    outbox: OutboxReport | None
    problems: tuple[str, ...]
    default_text: str

    @property
    def custom_text(self) -> str:
        """The status line of the custom server."""
        return status_text(self.custom)

    @property
    def configured(self) -> bool:
        """Whether a route is configured; otherwise emails can only wait in the outbox."""
        return self.custom.server is not None or self.default.service.kind is not DefaultKind.OUTBOX

    @property
    def has_route(self) -> bool:
        """Whether any route is open."""
        return self.custom.open or self.default.open

    @property
    def worker_needed(self) -> bool | None:
        """Whether emails wait that a worker would send; None if that isn't known."""
        outbox = self.outbox
        if outbox is None:
            return None
        return outbox.waiting and self.has_route and not (outbox.paused_since or outbox.workers)

    def to_json(self) -> dict[str, Json]:
        """Return the document of the schema."""
        outbox = self.outbox
        default: dict[str, Json] = {
            **_route_json(self.default),
            "kind": str(self.default.service.kind),
            "path": self.default.service.sendmail_path or None
            if self.default.service.kind is DefaultKind.SENDMAIL
            else None,
        }
        if self.default.service.kind is DefaultKind.SENDMAIL:
            default["from_email"] = self.default.service.from_email
        return {
            "schema": SCHEMA,
            "at": _time(self.at),
            "configured": self.configured,
            "custom": _route_json(self.custom),
            "default": default,
            "outbox": None if outbox is None else _outbox_json(outbox),
            "paused_since": None if outbox is None else _time(outbox.paused_since),
            "workers": None if outbox is None else outbox.workers,
            "worker_needed": self.worker_needed,
            "problems": list(self.problems),
        }


def read_status(services: Services) -> SendingStatus:
    """Read the status of sending; asks the disk and the keyring, never the network.

    Raises:
        SettingsFileError: The settings can't be read.
    """
    stored, now = services.store.load(), services.now()
    default = default_state(services, stored)
    routes = (custom_status(stored, evaluate_saved(services, stored)), _default(stored, default))
    outbox: OutboxReport | None = None
    problems = _problems(stored)
    try:
        routes = (with_health(services, routes[0]), with_health(services, routes[1]))
        outbox = _outbox(services, now)
    except OutboxUnavailableError as error:
        problems += (str(error),)
    custom, relay = (_with_endings(services, route) for route in routes)
    return SendingStatus(
        at=now,
        custom=custom,
        default=relay,
        outbox=outbox,
        problems=(*problems, *_warnings(custom, now), *_warnings(relay, now)),
        default_text=default_text(default),
    )


def read_routes(services: Services) -> tuple[RouteStatus, ...]:
    """Read the status of both routes, the custom one first; asks disk and outbox, not the keyring.

    So it can't tell whether the settings are proven.

    Raises:
        OutboxUnavailableError: The outbox, which keeps their health, can't be read.
    """
    try:
        stored = services.store.load()
    except SettingsFileError as error:
        unread = RouteStatus(kind=ServerState.UNREADABLE, why=file_text(error))
        return tuple(
            with_health(services, replace(unread, route=route), services.health.status(route))
            for route in (CUSTOM, DEFAULT)
        )
    custom, service = _presumed(stored.server), stored.default
    used = service.server if service.kind is DefaultKind.SMTP else None
    default = relay_status(replace(stored, default=replace(service, server=used)), _presumed(used))
    if service.kind is DefaultKind.SENDMAIL:
        default = replace(default, kind=ServerState.ACTIVE)
    return tuple(
        with_health(services, each, services.health.status(each.route))
        for each in (custom_status(stored, custom), default)
    )


def _presumed(server: StoredServer | None) -> ServerStatus:
    """Return what a saved server is good for if its proof holds."""
    return ServerStatus(ServerState.ACTIVE if server else ServerState.NOT_CONFIGURED)


def _default(stored: StoredSettings, default: DefaultState) -> RouteStatus:
    used = default.kind is DefaultKind.SENDMAIL
    state = ServerState.ACTIVE if used else ServerState.NOT_CONFIGURED
    status = RouteStatus(route=DEFAULT, kind=state, service=stored.default)
    if default.kind is DefaultKind.SMTP and default.relay is not None:
        status = relay_status(stored, default.relay.state)
    if default.problem:
        return replace(status, kind=ServerState.UNPROVEN, why=default.problem)
    return status


def _problems(stored: StoredSettings) -> tuple[str, ...]:
    """Say which preferences are of no use."""
    address = stored.preferences.notify
    if not address or not any(notice.error for notice in address_problems(address)):
        return ()
    said = f"“Notify this address” isn’t an email address: “{visible(address)}”."
    return (f"{said} Nobody will be notified of an outage.",)


def _with_endings(services: Services, route: RouteStatus) -> RouteStatus:
    known = route.health.known if route.health else None
    return replace(route, endings=endings_of_saved(services, route.server, known))


def _warnings(route: RouteStatus, now: datetime) -> Iterator[str]:
    """Say what of a route ends soon."""
    for each in route.endings:
        text = ending_text(each, now)
        if route.route != CUSTOM:
            text = _("{name}: {problem}", name=_(NAMES[route.route]), problem=text)
        yield text


def _outbox(services: Services, now: datetime) -> OutboxReport:
    if not services.has_outbox:
        return OutboxReport(counts=Counts(), next_due=None, waiting=False)
    counts, next_due = services.outbox.counts(), services.outbox.next_due()
    left_behind = next_due is not None and next_due <= now
    waiting = counts.of(EntryState.READY) > 0 or left_behind
    return OutboxReport(
        counts=counts,
        next_due=next_due,
        waiting=waiting,
        paused_since=services.control.paused_since(),
        workers=services.control.workers(),
    )


def route_state(route: RouteStatus) -> ServerState:
    """Return the state of a route; a route that is switched off is `off`, whatever else it is."""
    configured = route.kind is not ServerState.NOT_CONFIGURED
    return ServerState.OFF if configured and not route.enabled else route.kind


def _route_json(route: RouteStatus) -> dict[str, Json]:
    settings, state = route.server.settings if route.server else None, route_state(route)
    return {
        "state": str(state),
        "reason": "" if state is ServerState.OFF else route.why,
        "configured": state is not ServerState.NOT_CONFIGURED,
        "on": route.on,
        "proven": route.proven,
        "secret": route.secret,
        "host": settings.host if settings else None,
        "port": settings.port if settings else None,
        "from_email": settings.from_email if settings else None,
        "health": None if route.health is None else _health_json(route.health),
        "endings": [{"what": str(each.what), "at": _time(each.at)} for each in route.endings],
    }


def _health_json(health: HealthReport) -> dict[str, Json]:
    known = health.known
    return {
        "state": str(health.state),
        "out_since": _time(known.out_since),
        "fallbacks": known.fallbacks,
        "until": _time(health.until),
        "code": known.code,
        "summary": health.summary,
        "failures": known.failures,
        "unanswered": known.uncertain,
    }


def _outbox_json(outbox: OutboxReport) -> dict[str, Json]:
    counts: dict[str, Json] = {str(state): outbox.counts.of(state) for state in EntryState}
    return {**counts, "next_due": _time(outbox.next_due)}


def _time(moment: datetime | None) -> str | None:
    if moment is None:
        return None
    return moment.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
