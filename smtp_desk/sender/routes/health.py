"""The health of one route as a value, and its rules, without storage.

A route that failed rests; when the rest is over one process gets a probe, and only the
probe's success makes the route usable again. What no probe can see, such as a sender that
the server refuses, ends as an outage with the next email that goes through. A route whose
sign-in was refused is shut until a person acts, so that this program locks nobody's account.

All processes that send share it: `health_sqlite.SqliteHealth` keeps it in the outbox database,
`testing.MemoryHealth` in memory; tests/contract/test_health.py is what any other has to pass.
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
    """The route rests, or another probes it just now.

    Attributes:
        until: When it is worth to ask again.
    """

    until: datetime


@dataclass(frozen=True, slots=True)
class Probe:
    """The asker is the one to try: a session up to AUTH, no message; then tell its end.

    Attributes:
        token: Belongs to what is told.
        until: When somebody else gets the probe.
    """

    token: str
    until: datetime


@dataclass(frozen=True, slots=True)
class Shut:
    """Not to be used until settings are saved or a person presses Try again.

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
    """What a route needs and that has an end: a certificate of its server, of our own, or a CA's.

    COMPANY_CA is that of a CA file in the settings.
    """

    SERVER_CERTIFICATE = "server_certificate"
    CLIENT_CERTIFICATE = "client_certificate"
    COMPANY_CA = "company_ca"


@dataclass(frozen=True, slots=True, order=True)
class Ending:
    """Something that ends soon.

    Attributes:
        at: When.
        what: What it is.
    """

    at: datetime
    what: Needed


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthEvent:
    """Something worth a mail to "Notify this address".

    Attributes:
        id: Unique in its storage.
        kind: What happened.
        route: To which route.
        at: When.
        code: The finding that ended the newest failed session; "" where it was none.
        out_since: When the outage began; None for UNCERTAIN out of an outage.
        fallbacks: Emails that went by another route in this outage, so far.
        endings: For ENDING: what ends, the first to end first.
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
    """How a route does; the default is a route that never failed.

    Attributes:
        route: The route's name.
        failures: Failed sessions since the last one that worked.
        resting_until: End of the rest; None where it does not rest.
        shut: Whether only a person opens it again.
        code: The finding of the newest failure; "" for none.
        probe_token: Who probes it; "" for nobody.
        probe_until: When the probe is given to another.
        out_since: When the present outage began; None where there is none. An outage ends
            with the first session that works, up to where the newest failure came.
        fallbacks: Emails that went by another route since the newest outage began.
        uncertain: Unanswered dots in a row.
        unknown: Refusals in a row in words that nobody knows: recipient and message of each.
        looked_at: When somebody last began to look whether it still works; None for never.
        endings: What of it ends soon, as the newest look has found; told once each.
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

    To try again on our own could lock the account: a person has to act first.
    """
    return code.startswith(_SHUTTING) and code not in _NOT_SHUTTING


def asked(health: RouteHealth, now: datetime, token: str) -> tuple[Verdict, RouteHealth]:
    """Return whether the route may be used, and its health: a probe granted is noted there."""
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

    Sessions that began before the rest or the probe, and fail in it, tell nothing new.
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
    """Return the health after a session that worked: `token` names a probe, "" is an email.

    A session that began before the rest does not end it; the probe does.
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
    """Whether to look if the route still works; what rests is probed, what is shut is left alone.

    The first day counts from the first time that somebody asks: what was just proven works.
    """
    if health.shut or health.resting_until is not None or health.looked_at is None:
        return False
    return not timedelta() <= now - health.looked_at < LOOK_EVERY


def looked(health: RouteHealth, now: datetime) -> RouteHealth:
    """Return the health after somebody asked whether to look."""
    if health.looked_at is None or is_look_due(health, now):
        return replace(health, looked_at=now)
    return health


def ending(health: RouteHealth, endings: Iterable[Ending]) -> RouteHealth:
    """Return the health of which this ends soon, and nothing else."""
    found = (replace(each, at=whole_ms(each.at)) for each in endings)
    return replace(health, endings=tuple(sorted(found)))


def written(endings: Iterable[Ending]) -> str:
    """Return endings as a text, for storage."""
    return json.dumps([(to_ms(each.at), each.what.value) for each in endings])


def endings_of(text: str) -> tuple[Ending, ...]:
    """Return the endings that `written` made a text of."""
    return tuple(Ending(from_ms(at), Needed(what)) for at, what in json.loads(text))


def refused(
    health: RouteHealth, code: str, recipient: str, message_id: str, now: datetime
) -> RouteHealth:
    """Return the health after a refusal in words that nobody knows.

    One recipient or one message may be at fault; three of each that are not the same are
    not, and the route rests.
    """
    if any(recipient == known or message_id == of for known, of in health.unknown):
        return health
    unknown = (*health.unknown, (recipient, message_id))
    if len(unknown) < UNKNOWN_LIMIT:
        return replace(health, unknown=unknown)
    return failed(replace(health, unknown=()), code, now, "")


def left_uncertain(health: RouteHealth) -> RouteHealth:
    """Return the health after a dot without an answer."""
    return replace(health, uncertain=health.uncertain + 1)


def fell_back(health: RouteHealth, count: int) -> RouteHealth:
    """Return the health after `count` emails took another route."""
    return replace(health, fallbacks=health.fallbacks + count)


def without(health: RouteHealth, recipient: str) -> RouteHealth:
    """Return the health that names this recipient no more."""
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
    """Return the health after a person pressed Try again: the next asker gets the probe."""
    if not health.shut and health.resting_until is None:
        return health
    return replace(health, resting_until=now, shut=False, probe_token="", probe_until=None)


def event_between(
    before: RouteHealth, after: RouteHealth, now: datetime, number: int = 0
) -> HealthEvent | None:
    """Return what a change of health means to people, as event `number`; None for nothing."""
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
    """What is known of the routes. Each call may raise `OutboxUnavailableError`.

    Names of routes are free; the sender has `custom` and `default`. Tell only failures
    whose finding has the scope `route`.
    """

    def may_use(self, route: str) -> Verdict:
        """Return whether to use the route now.

        Whoever gets a `Probe` is the only one, and tells its end by `record_success` or
        `record_failure` with it. Asking costs no write unless a probe is granted.
        """

    def status(self, route: str) -> RouteHealth:
        """Return the route's health, for people; grants nothing."""

    def record_success(self, route: str, probe: str = "") -> None:
        """Tell that the route accepted an email, or that a probe came through.

        Args:
            route: The route.
            probe: The probe's token; "" for an email.
        """

    def record_failure(self, route: str, code: str, probe: str = "") -> None:
        """Tell that a session failed by the fault of the route: it rests, or is shut.

        Args:
            route: The route.
            code: The finding.
            probe: The probe's token; "" where it was no probe.
        """

    def record_uncertain(self, route: str) -> RouteHealth:
        """Tell that a dot got no answer; the result says whether it may be sent again."""

    def record_refusal(self, route: str, code: str, recipient: str, message_id: str) -> None:
        """Tell of a refusal in words that nobody knows, whose finding has the scope `generic`.

        Args:
            route: The route.
            code: The finding.
            recipient: Whose email was refused.
            message_id: Which email.
        """

    def record_fallback(self, route: str, count: int = 1) -> None:
        """Tell that `count` emails took another route; a loss of power may forget it."""

    def may_look(self, route: str) -> bool:
        """Return whether to look now if the route still works: one asker in `LOOK_EVERY`."""

    def record_endings(self, route: str, endings: Iterable[Ending]) -> None:
        """Tell what of the route ends soon; what was told before makes no new event."""

    def forget(self, route: str, recipient: str) -> None:
        """Keep this recipient's address no more, however it is spelled."""

    def reopen(self, route: str) -> None:
        """Make the route usable at once: new settings were proven and saved."""

    def try_again(self, route: str) -> None:
        """End the rest, or open what is shut, for one probe: a person asked for it."""

    def take_event(self) -> HealthEvent | None:
        """Return the oldest event that nobody told people of, or None.

        It is given to one asker; without `acknowledge` within `EVENT_LEASE` to the next.
        """

    def acknowledge(self, event: HealthEvent) -> None:
        """Tell that people were told, or that nobody wants to know."""
