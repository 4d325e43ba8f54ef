"""How sending stands: both routes, their health, what the outbox holds. Makes no file.

As JSON it is this document, `smtp-desk/status/1`; `null` is what does not apply or can't be
known, times are RFC 3339 in UTC:

    {"schema": "smtp-desk/status/1", "at": TIME, "configured": bool,
     "custom": {"state": "not_configured" | "off" | "unproven" | "secret_unavailable" | "active",
                "reason": why it is UNPROVEN or SECRET_UNAVAILABLE, for people, else "",
                "configured": bool, "on": bool, "proven": bool | null,
                "secret": "none" | "available" | "unavailable",
                "host": str | null, "port": int | null, "from_email": str | null,
                "health": HEALTH | null},
     "default": {… as custom, and "kind": "outbox" | "sendmail" | "smtp", "path": str | null},
     "outbox": {"ready", "sending", "in_doubt", "accepted", "refused", "held", "dropped": int,
                "next_due": TIME | null} | null,
     "worker_needed": bool | null, "problems": [str…]}

    HEALTH: {"state": "usable" | "resting" | "probing" | "due" | "shut",
             "out_since": TIME | null, "fallbacks": int since the newest outage began,
             "until": TIME | null of a rest or a probe, "code": finding of the newest failure,
             "summary": the same as a sentence, "failures": int in a row,
             "unanswered": messages in a row without an answer}

`due` is a route that is tried again with the next email. `worker_needed` says that emails
wait that only a worker, or the next email, sends. `problems` tells what could not be read or used.
"""

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Final

from smtp_desk.app.routes.custom import judge, status_line
from smtp_desk.app.routes.default import DefaultState, address_problems, default_state
from smtp_desk.app.routes.outage import (
    HealthState,
    health_state,
    in_outage,
    outage_of,
    route_health,
    server_of,
    summary_of,
)
from smtp_desk.app.services import Services
from smtp_desk.core.reply import visible
from smtp_desk.core.stages import Json
from smtp_desk.sender.outbox.entries import EntryState
from smtp_desk.sender.outbox.outbox import Counts, OutboxUnavailableError
from smtp_desk.sender.routes.health import RouteHealth
from smtp_desk.sender.routes.route import CUSTOM, DEFAULT
from smtp_desk.store.stored import (
    DefaultKind,
    DefaultService,
    ServerState,
    ServerStatus,
    StoredServer,
    StoredSettings,
)

SCHEMA: Final = "smtp-desk/status/1"


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthReport:
    """How a route does.

    Attributes:
        state: Whether it may be used.
        until: End of the rest, or when a probe is given to another.
        summary: The finding of the newest failure, as a sentence; "" for none.
        known: All that is known of it.
    """

    state: HealthState
    until: datetime | None
    summary: str
    known: RouteHealth


@dataclass(frozen=True, slots=True, kw_only=True)
class RouteReport:
    """A route: what is saved for it, and how it does.

    Attributes:
        status: What a saved server is good for; of SENDMAIL and OUTBOX whether it is one. A
            default service with a value that can't be used is UNPROVEN.
        proven: Whether its proof holds; None where there is nothing to prove or no telling.
        secret: `none`, `available` or `unavailable`.
        server: The saved server that it leads to, or None.
        health: How it does; None where that can't be read.
    """

    status: ServerStatus
    proven: bool | None = None
    secret: str = "none"  # noqa: S105 - a word of the schema
    server: StoredServer | None = None
    health: HealthReport | None = None

    @property
    def open(self) -> bool:
        """Whether emails leave by it, now or after a rest, without anybody's help."""
        shut = self.health is not None and self.health.state is HealthState.SHUT
        return self.status.state is ServerState.ACTIVE and not shut


@dataclass(frozen=True, slots=True, kw_only=True)
class OutboxReport:
    """What the outbox holds.

    Attributes:
        counts: How many entries by state.
        next_due: When a worker next finds something to do; None for never.
        waiting: Whether something is due that nobody is at work on.
    """

    counts: Counts
    next_due: datetime | None
    waiting: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class SendingStatus:
    """How sending stands at one moment.

    Attributes:
        at: The moment.
        custom: The custom server.
        default: The default email service.
        service: What is saved for that.
        outbox: What waits; None where it can't be read.
        problems: What could not be read or used, and why.
        custom_text: The status line of the custom server.
        default_text: What becomes of the emails that the default email service gets.
    """

    at: datetime
    custom: RouteReport
    default: RouteReport
    service: DefaultService
    outbox: OutboxReport | None
    problems: tuple[str, ...]
    custom_text: str
    default_text: str

    @property
    def configured(self) -> bool:
        """Whether any route was ever configured; else emails can only wait in the outbox."""
        return self.custom.server is not None or self.service.kind is not DefaultKind.OUTBOX

    @property
    def has_route(self) -> bool:
        """Whether any route is open."""
        return self.custom.open or self.default.open

    @property
    def worker_needed(self) -> bool | None:
        """Whether emails wait that a worker would send; None where there is no telling."""
        return None if self.outbox is None else self.outbox.waiting and self.has_route

    def to_json(self) -> dict[str, Json]:
        """Return the document of the schema."""
        outbox = self.outbox
        default: dict[str, Json] = {
            **_route_json(self.default),
            "kind": str(self.service.kind),
            "path": self.service.sendmail_path or None
            if self.service.kind is DefaultKind.SENDMAIL
            else None,
        }
        if self.service.kind is DefaultKind.SENDMAIL:
            default["from_email"] = self.service.from_email
        return {
            "schema": SCHEMA,
            "at": _time(self.at),
            "configured": self.configured,
            "custom": _route_json(self.custom),
            "default": default,
            "outbox": None if outbox is None else _outbox_json(outbox),
            "worker_needed": self.worker_needed,
            "problems": list(self.problems),
        }


def read_status(services: Services) -> SendingStatus:
    """Read how sending stands; asks the disk and the keyring, never the network.

    Raises:
        SettingsFileError: The settings can't be read.
    """
    stored, now = services.store.load(), services.now()
    judged, default = judge(services, stored), default_state(services, stored)
    health: dict[str, HealthReport] = {}
    outbox: OutboxReport | None = None
    problems = _problems(stored)
    try:
        for route in (CUSTOM, DEFAULT):
            health[route] = _health(services, stored, route, now)
        outbox = _outbox(services, now)
    except OutboxUnavailableError as error:
        problems += (str(error),)
    custom = health.get(CUSTOM)
    outage = outage_of(services, stored, custom.known) if custom else None
    return SendingStatus(
        at=now,
        custom=_custom(stored, judged, custom),
        default=_default(stored, default, health.get(DEFAULT)),
        service=stored.default,
        outbox=outbox,
        problems=problems,
        custom_text=in_outage(status_line(stored, judged), outage).text,
        default_text=default.text,
    )


def _custom(
    stored: StoredSettings, judged: ServerStatus, health: HealthReport | None
) -> RouteReport:
    report = _report(stored.server, judged, health)
    if stored.server is not None and not stored.enabled:
        return replace(report, status=ServerStatus(ServerState.OFF))
    return report


def _default(
    stored: StoredSettings, default: DefaultState, health: HealthReport | None
) -> RouteReport:
    used = default.kind is DefaultKind.SENDMAIL
    state = ServerState.ACTIVE if used else ServerState.NOT_CONFIGURED
    report = RouteReport(status=ServerStatus(state), health=health)
    if default.kind is DefaultKind.SMTP and default.relay is not None:
        report = _report(stored.default.server, default.relay.state, health)
    if default.problem:
        return replace(report, status=ServerStatus(ServerState.UNPROVEN, default.problem))
    return report


def _problems(stored: StoredSettings) -> tuple[str, ...]:
    """Say which preferences are of no use."""
    address = stored.preferences.tell_address
    if not address or not any(notice.error for notice in address_problems(address)):
        return ()
    said = f"“Tell this address” holds no email address, but “{visible(address)}”."
    return (f"{said} Nobody is told of an outage.",)


def _report(
    server: StoredServer | None, status: ServerStatus, health: HealthReport | None
) -> RouteReport:
    proven = {ServerState.ACTIVE: True, ServerState.UNPROVEN: False}.get(status.state)
    missing = status.state is ServerState.SECRET_UNAVAILABLE
    secret = "unavailable" if missing else "available" if server and server.key else "none"
    return RouteReport(status=status, proven=proven, secret=secret, server=server, health=health)


def _health(services: Services, stored: StoredSettings, route: str, now: datetime) -> HealthReport:
    known = route_health(services, route)
    state, until = health_state(known, now)
    summary = summary_of(services, known.code, server_of(stored, route))
    return HealthReport(state=state, until=until, summary=summary, known=known)


def _outbox(services: Services, now: datetime) -> OutboxReport:
    if not services.paths.outbox_file.exists():
        return OutboxReport(counts=Counts(), next_due=None, waiting=False)
    counts, next_due = services.outbox.counts(), services.outbox.next_due()
    left_behind = next_due is not None and next_due <= now
    waiting = counts.of(EntryState.READY) > 0 or left_behind
    return OutboxReport(counts=counts, next_due=next_due, waiting=waiting)


def _route_json(route: RouteReport) -> dict[str, Json]:
    settings = route.server.settings if route.server else None
    state = route.status.state
    return {
        "state": str(state),
        "reason": route.status.reason,
        "configured": state is not ServerState.NOT_CONFIGURED,
        "on": state not in (ServerState.NOT_CONFIGURED, ServerState.OFF),
        "proven": route.proven,
        "secret": route.secret,
        "host": settings.host if settings else None,
        "port": settings.port if settings else None,
        "from_email": settings.from_email if settings else None,
        "health": None if route.health is None else _health_json(route.health),
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
