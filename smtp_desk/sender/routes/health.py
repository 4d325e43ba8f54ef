"""The health of one route as a value, and its rules, without storage.

A route that failed is paused; when the pause is over one process gets a probe, and only the
probe's success makes the route usable again. An outage that no probe can see, such as a refused
sender, ends with the next email that is accepted. A route whose sign-in was refused is shut until a
person acts, so that this program locks nobody's account.

All sending processes share it: `health_sqlite.SqliteHealth` keeps it in the outbox database,
`testing.MemoryHealth` in memory; any other has to pass tests/contract/test_health.py.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final, Protocol, TypeAlias

from smtp_desk.core.address import mailbox_key
from smtp_desk.sender.outbox.clock import from_ms, to_ms, whole_ms

UNCERTAIN_LIMIT: Final = 3
"""So many unanswered dots in a row on a route stop the re-sends and raise an alarm."""

PROBE_LEASE: Final = timedelta(minutes=2)
"""A probe has this long; then another gets one."""

UNKNOWN_LIMIT: Final = 3
"""So many refusals in a row in words that nobody knows are the route's fault, not the emails'."""

LOOK_EVERY: Final = timedelta(days=1)
"""So often somebody looks whether a route still works, where nobody sends by it."""

_FIRST_REST: Final = timedelta(seconds=60)
_LONGEST_REST: Final = timedelta(minutes=15)
_DOUBLINGS: Final = 4  # 60 s, 2, 4, 8, 15 min
_SHUTTING: Final = ("auth.", "oauth.")
_NOT_SHUTTING: Final = frozenset(
    {"auth.temporary", "auth.closed", "oauth.unreachable", "oauth.untrusted"}
)
# A probe is a session up to AUTH: it comes through though the server refuses every message.
_SEEN_BY_A_PROBE: Final = frozenset(
    {"settings", "oauth", "resolve", "connect", "greeting", "ehlo", "tls", "auth"}
)


@dataclass(frozen=True, slots=True)
class Usable:
    """The route may be used."""


@dataclass(frozen=True, slots=True)
class Resting:
    """The route is paused, or another process is probing it.

    Attributes:
        until: When it is worth asking again.
    """

    until: datetime


@dataclass(frozen=True, slots=True)
class Probe:
    """The caller shall try the route: a session up to AUTH, no message; then record its end.

    Attributes:
        token: The token to record the end with.
        until: When somebody else gets the probe.
    """

    token: str
    until: datetime


@dataclass(frozen=True, slots=True)
class Shut:
    """The route must not be used until settings are saved or a person presses Try again.

    Attributes:
        code: The finding that shut it.
    """

    code: str


Verdict: TypeAlias = Usable | Resting | Probe | Shut


class HealthEventKind(StrEnum):
    """What happened to a route.

    An outage BEGAN or ENDED, too many emails were UNCERTAIN in a row, or what the route needs
    is ENDING soon.
    """

    BEGAN = "began"
    ENDED = "ended"
    UNCERTAIN = "uncertain"
    ENDING = "ending"


class Needed(StrEnum):
    """What a route needs and that expires.

    COMPANY_CA is that of a CA file in the settings; CLIENT_SECRET expires when a person said so,
    REFRESH_TOKEN, a person's sign-in, when the service said so.
    """

    SERVER_CERTIFICATE = "server_certificate"
    CLIENT_CERTIFICATE = "client_certificate"
    CLIENT_SECRET = "client_secret"  # noqa: S105 - a word of the schema
    REFRESH_TOKEN = "refresh_token"  # noqa: S105 - as above
    COMPANY_CA = "company_ca"


@dataclass(frozen=True, slots=True, order=True)
class Ending:
    """Something that expires soon.

    Attributes:
        at: When.
        what: What it is.
    """

    at: datetime
    what: Needed


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthEvent:
    """Something worth an email to "Notify this address".

    Attributes:
        id: Unique in its storage.
        kind: What happened.
        route: The route it happened to.
        at: When it happened.
        code: The finding of the latest failed session; "" if there was none.
        out_since: When the outage began; None for UNCERTAIN outside an outage.
        fallbacks: Emails sent by another route in this outage, so far.
        endings: For ENDING: what expires, the first to expire first.
    """

    id: int
    kind: HealthEventKind
    route: str
    at: datetime
    code: str
    out_since: datetime | None
    fallbacks: int
    endings: tuple[Ending, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RouteHealth:
    """The health of a route; the default is a route that never failed.

    Attributes:
        route: The route's name.
        failures: Failed sessions since the last one that worked.
        resting_until: End of the pause; None if it isn't paused.
        shut: Whether only a person can open it again.
        code: The finding of the latest failure; "" for none.
        probe_token: The token of the running probe; "" for none.
        probe_until: When the probe is given to another process.
        out_since: When the current outage began; None if there is none. An outage ends with
            the first session that gets past the stage of the latest failure.
        fallbacks: Emails sent by another route since the latest outage began.
        uncertain: Unanswered dots in a row.
        unknown: Refusals in a row in unknown words: recipient and message of each.
        looked_at: When somebody last began to check whether it still works; None for never.
        endings: What expires soon, as the latest check found; reported once each.
    """

    route: str
    failures: int = 0
    resting_until: datetime | None = None
    shut: bool = False
    code: str = ""
    probe_token: str = ""
    probe_until: datetime | None = None
    out_since: datetime | None = None
    fallbacks: int = 0
    uncertain: int = 0
    unknown: tuple[tuple[str, str], ...] = ()
    looked_at: datetime | None = None
    endings: tuple[Ending, ...] = ()

    @property
    def may_resend(self) -> bool:
        """Whether an uncertain email may be sent once more by this route."""
        return self.uncertain < UNCERTAIN_LIMIT


def refuses_login(code: str) -> bool:
    """Whether the finding `code` says that the sign-in was refused.

    Trying again automatically could lock the account: a person has to act first.
    """
    return code.startswith(_SHUTTING) and code not in _NOT_SHUTTING


def asked(health: RouteHealth, now: datetime, token: str) -> tuple[Verdict, RouteHealth]:
    """Return whether the route may be used, and its health, in which a granted probe is noted."""
    if health.shut:
        return Shut(health.code), health
    if health.resting_until is None:
        return Usable(), health
    if _is_ahead(health.resting_until, now, _LONGEST_REST):
        return Resting(health.resting_until), health
    if health.probe_until is not None and _is_ahead(health.probe_until, now, PROBE_LEASE):
        return Resting(health.probe_until), health
    until = now + PROBE_LEASE
    return Probe(token, until), replace(health, probe_token=token, probe_until=until)


def failed(health: RouteHealth, code: str, now: datetime, token: str) -> RouteHealth:
    """Return the health after a session that ended in a finding of scope `route`.

    Sessions that began before the pause or the probe, and fail during it, change nothing.
    """
    shuts = refuses_login(code)
    if health.shut or (not shuts and _is_old_news(health, now, token)):
        return health
    out_since = health.out_since or now
    rest = min(_FIRST_REST * (1 << min(health.failures, _DOUBLINGS)), _LONGEST_REST)
    return replace(
        health,
        failures=health.failures + 1,
        resting_until=None if shuts else now + rest,
        shut=shuts,
        code=code,
        probe_token="",
        probe_until=None,
        out_since=out_since,
        fallbacks=health.fallbacks if health.out_since else 0,
    )


def succeeded(health: RouteHealth, now: datetime, token: str) -> RouteHealth:
    """Return the health after a session that worked: `token` names a probe, "" means an email.

    A session that began before the pause doesn't end it; the probe does.
    """
    if not token:
        health = replace(health, uncertain=0, unknown=())
    if health.shut or _is_old_news(health, now, token):
        return health
    if token and health.code.partition(".")[0] not in _SEEN_BY_A_PROBE:
        # The next email tries it; should that fail too, the rests go on growing.
        return replace(health, resting_until=None, probe_token="", probe_until=None)
    return RouteHealth(
        route=health.route,
        fallbacks=health.fallbacks,
        uncertain=health.uncertain,
        unknown=health.unknown,
        looked_at=health.looked_at,
        endings=health.endings,
    )


def is_look_due(health: RouteHealth, now: datetime) -> bool:
    """Whether to check that the route still works, unless it is paused (it is probed) or shut.

    The first day counts from the first call: what was just proven works.
    """
    if health.shut or health.resting_until is not None or health.looked_at is None:
        return False
    return not timedelta() <= now - health.looked_at < LOOK_EVERY


def looked(health: RouteHealth, now: datetime) -> RouteHealth:
    """Return the health after somebody asked whether to check."""
    if health.looked_at is None or is_look_due(health, now):
        return replace(health, looked_at=now)
    return health


def ending(health: RouteHealth, endings: Iterable[Ending]) -> RouteHealth:
    """Return the health with exactly these endings."""
    found = (replace(each, at=whole_ms(each.at)) for each in endings)
    return replace(health, endings=tuple(sorted(found)))


def written(endings: Iterable[Ending]) -> str:
    """Return endings as text, for storage."""
    return json.dumps([(to_ms(each.at), each.what.value) for each in endings])


def endings_of(text: str) -> tuple[Ending, ...]:
    """Return the endings in a text of `written`."""
    return tuple(Ending(from_ms(at), Needed(what)) for at, what in json.loads(text))


def refused(
    health: RouteHealth, code: str, recipient: str, message_id: str, now: datetime
) -> RouteHealth:
    """Return the health after a refusal in unknown words.

    One recipient or one message may be the reason; with three different ones of each the
    route is, and it is paused.
    """
    if any(recipient == known or message_id == of for known, of in health.unknown):
        return health
    unknown = (*health.unknown, (recipient, message_id))
    if len(unknown) < UNKNOWN_LIMIT:
        return replace(health, unknown=unknown)
    return failed(replace(health, unknown=()), code, now, "")


def left_uncertain(health: RouteHealth) -> RouteHealth:
    """Return the health after an unanswered dot."""
    return replace(health, uncertain=health.uncertain + 1)


def fell_back(health: RouteHealth, count: int) -> RouteHealth:
    """Return the health after `count` emails were sent by another route."""
    return replace(health, fallbacks=health.fallbacks + count)


def without(health: RouteHealth, recipient: str) -> RouteHealth:
    """Return the health without this recipient's address."""
    sought = mailbox_key(recipient)
    return replace(
        health, unknown=tuple(each for each in health.unknown if mailbox_key(each[0]) != sought)
    )


def reopened(health: RouteHealth) -> RouteHealth:
    """Return the health after new settings were proven and saved: usable at once."""
    return replace(
        health,
        failures=0,
        resting_until=None,
        shut=False,
        probe_token="",
        probe_until=None,
        uncertain=0,
        unknown=(),
        looked_at=None,
        endings=(),
    )


def to_be_tried(health: RouteHealth, now: datetime) -> RouteHealth:
    """Return the health after a person pressed Try again: the next caller gets the probe."""
    if not health.shut and health.resting_until is None:
        return health
    return replace(health, resting_until=now, shut=False, probe_token="", probe_until=None)


def event_between(
    before: RouteHealth, after: RouteHealth, now: datetime, number: int = 0
) -> HealthEvent | None:
    """Return the event, numbered `number`, that a change of health means; None for none."""
    told = after
    new = tuple(each for each in after.endings if each not in before.endings)
    if before.out_since is None and after.out_since is not None:
        kind = HealthEventKind.BEGAN
    elif before.out_since is not None and after.out_since is None:
        kind, told = HealthEventKind.ENDED, before
    elif before.uncertain < UNCERTAIN_LIMIT <= after.uncertain:
        kind = HealthEventKind.UNCERTAIN
    elif new:
        kind = HealthEventKind.ENDING
    else:
        return None
    return HealthEvent(
        id=number,
        kind=kind,
        route=told.route,
        at=now,
        code=told.code,
        out_since=told.out_since,
        fallbacks=told.fallbacks,
        endings=new if kind is HealthEventKind.ENDING else (),
    )


def _is_old_news(health: RouteHealth, now: datetime, token: str) -> bool:
    if health.resting_until is None or (token and token == health.probe_token):
        return False
    return isinstance(asked(health, now, "-")[0], Resting)


def _is_ahead(moment: datetime, now: datetime, longest: timedelta) -> bool:
    """Whether `moment` is still to come, and no further than it can be if clocks are right."""
    return now < moment <= now + longest


EVENT_LEASE: Final = timedelta(minutes=2)
"""A taken event that nobody acknowledged goes to another after this."""

KEPT_EVENTS: Final = 100
"""The oldest beyond these are forgotten: nobody wanted them."""


class Health(Protocol):
    """The health of all routes. Each call may raise `OutboxUnavailableError`.

    Any names of routes will do; the sender has `custom` and `default`. Record only failures
    whose finding has the scope `route`.
    """

    def may_use(self, route: str) -> Verdict:
        """Return whether to use the route now.

        Only one caller gets a `Probe`, and passes it to `record_success` or `record_failure` at
        its end. Asking costs no write unless a probe is granted.
        """

    def status(self, route: str) -> RouteHealth:
        """Return the route's health, for people, without granting a probe."""

    def record_success(self, route: str, probe: str = "") -> None:
        """Record that the route accepted an email, or that a probe succeeded.

        Args:
            route: The route.
            probe: The probe's token; "" for an email.
        """

    def record_failure(self, route: str, code: str, probe: str = "") -> None:
        """Record that a session failed because of the route: it is paused, or shut.

        Args:
            route: The route.
            code: The finding.
            probe: The probe's token; "" if it wasn't a probe.
        """

    def record_uncertain(self, route: str) -> RouteHealth:
        """Record an unanswered dot; the result says whether the email may be sent again."""

    def record_refusal(self, route: str, code: str, recipient: str, message_id: str) -> None:
        """Record a refusal in unknown words, whose finding has the scope `generic`.

        Args:
            route: The route.
            code: The finding.
            recipient: The recipient.
            message_id: The email's Message-ID.
        """

    def record_fallback(self, route: str, count: int = 1) -> None:
        """Record that `count` emails were sent by another route; a loss of power may forget it."""

    def may_look(self, route: str) -> bool:
        """Return whether to check now that the route still works: one caller in `LOOK_EVERY`."""

    def record_endings(self, route: str, endings: Iterable[Ending]) -> None:
        """Record what expires soon; what was recorded before makes no new event."""

    def forget(self, route: str, recipient: str) -> None:
        """Forget this recipient's address, however it is spelled."""

    def reopen(self, route: str) -> None:
        """Make the route usable at once: new settings were proven and saved."""

    def try_again(self, route: str) -> None:
        """End the pause, or open a shut route, for one probe that a person asked for."""

    def take_event(self) -> HealthEvent | None:
        """Return the oldest event that nobody has reported to people, or None.

        One caller gets it; without `acknowledge` within `EVENT_LEASE` the next one does.
        """

    def acknowledge(self, event: HealthEvent) -> None:
        """Note that people were told of the event, or that nobody wants to know."""
