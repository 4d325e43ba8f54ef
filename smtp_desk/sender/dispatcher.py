"""What happens next: the routes in their order, by the scope of each finding.

A stored email goes to the custom server, then to the default email service, then back
into the outbox. Every step is written down before the next one is taken.

One recipient while it is dealt with, from route to route.
"""

import logging
import random as chance
import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, final

from smtp_desk.core.findings.catalogue import Catalogue, cause
from smtp_desk.core.findings.finding import Finding, Scope
from smtp_desk.sender.forks import run_after_fork
from smtp_desk.sender.mail.addressing import FOREIGN
from smtp_desk.sender.outbox import lifecycle as backoff
from smtp_desk.sender.outbox.clock import UtcClock, utc_now
from smtp_desk.sender.outbox.entries import (
    Accept,
    Attempt,
    Change,
    Claim,
    Doubt,
    MarkInDoubt,
    OutboxMessage,
    Postpone,
    Refuse,
    Renew,
    Resume,
)
from smtp_desk.sender.outbox.outbox import (
    LeaseLostError,
    Outbox,
    OutboxError,
    OutboxUnavailableError,
)
from smtp_desk.sender.receipts import Fate, RecipientReceipt
from smtp_desk.sender.routes.health import Health, Probe, Usable
from smtp_desk.sender.routes.probing import Prober, Refusals
from smtp_desk.sender.routes.route import (
    CUSTOM,
    DEFAULT,
    Route,
    RouteResult,
    Routes,
    UnsendableError,
)
from smtp_desk.smtp.session.envelope import RecipientStatus


@dataclass(slots=True)
class Case:
    """One recipient while it is dealt with.

    Attributes:
        claim: Its entry, in our hands.
        attempts: The routes that were tried or passed over.
        finding: Why the newest of them did not take it; None where it did.
        fallback: Why the custom server did not take it.
        in_doubt: Whether a dot was announced that has no answer yet.
        receipt: What the caller is told; None as long as it is open.
    """

    claim: Claim
    attempts: list[Attempt] = field(default_factory=list)
    finding: Finding | None = None
    fallback: Finding | None = None
    in_doubt: bool = False
    receipt: RecipientReceipt | None = None

    @property
    def recipient(self) -> str:
        """The address."""
        return self.claim.entry.recipient

    def failed(self, route: str, finding: Finding, now: datetime, reply: str = "") -> None:
        """Note that `route` did not take it, or was passed over."""
        self.attempts.append(Attempt(now, route, finding.code, reply))
        self.finding = finding
        if route == CUSTOM:
            self.fallback = finding

    def accepted(self, route: str, now: datetime, reply: str) -> None:
        """Note that `route` took the responsibility."""
        self.attempts.append(Attempt(now, route, reply=reply))
        self.finding = self.fallback if route != CUSTOM else None
        self.end(Fate.ACCEPTED)

    def end(self, fate: Fate) -> None:
        """Settle what the caller is told."""
        route = self.attempts[-1].route if self.attempts else ""
        if route == CUSTOM and fate is not Fate.QUEUED:
            self.fallback = None  # it ended there, if not at the first attempt
        entry_id = self.claim.entry.id
        self.receipt = RecipientReceipt(self.recipient, fate, route, self.finding, entry_id)

    def left(self) -> RecipientReceipt:
        """Return the receipt of one that is still in the outbox."""
        entry_id = self.claim.entry.id
        return RecipientReceipt(self.recipient, Fate.QUEUED, "", self.finding, entry_id)


LEASE: Final = timedelta(minutes=10)
"""How long a claimed entry is ours: more than all before its dot may take."""

ONLY_ROUTE: Final = "route"
"""Key of the metadata that names the one route a message may take, while there is that route."""

_TOO_MANY: Final = "recipient.throttled"
_INTERNAL: Final = "session.internal_error"
_INTERNATIONAL: Final = "sender.internationalized"
_UNCONFIRMED: Final = "message.unconfirmed"
# Without any route there is nothing to grow impatient with: look again now and then.
_WITHOUT_ROUTE: Final = timedelta(minutes=15)

_log: Final = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of the recipients of one message.

    Attributes:
        receipts: One for each claim, in their order.
        fallback: Why the custom server did not take it; None where it did or is not used.
    """

    receipts: tuple[RecipientReceipt, ...]
    fallback: Finding | None


@final
class Dispatcher:
    """Takes stored emails through the routes and writes down what comes of each.

    Many threads may use it. What a server, the network or a route does is never raised.

    Args:
        outbox: Where the emails are stored.
        health: What is known of the routes.
        catalogue: Tells causes.
        clock: Returns this moment with a time zone.
        random: Returns a number from 0 to 1, for the jitter of delays.
    """

    def __init__(
        self,
        outbox: Outbox,
        health: Health,
        catalogue: Catalogue,
        *,
        clock: UtcClock = utc_now,
        random: Callable[[], float] = chance.random,
    ) -> None:
        self._outbox = outbox
        self._health = health
        self._catalogue = catalogue
        self._clock = clock
        self._random = random
        self._refusals = Refusals(health)
        self._prober = Prober(health, outbox, self._refusals)
        self.after_fork()
        run_after_fork(self.after_fork)

    def after_fork(self) -> None:
        """Forget what belongs to the parent process; see `forks`."""
        self._late: list[Accept] = []
        self._late_lock = threading.Lock()

    def deliver(self, claims: Sequence[Claim], message: OutboxMessage, routes: Routes) -> Outcome:
        """Send one stored message to the recipients of these claims, in one transaction a route."""
        cases = [Case(claim) for claim in claims]
        try:
            self._renew(cases)
            for name in (CUSTOM, DEFAULT):
                waiting = [case for case in cases if _may_take(case, name, message, routes)]
                if routes.of(name) is not None and waiting:
                    self._try(name, waiting, message, routes)
            self._put_off([case for case in cases if case.receipt is None], routes)
        except OutboxError as error:
            # No dot leaves that could not be written down before: what has no end yet is
            # safe where it is stored, and is sent when its lease is over.
            _log.error("emails stay in the outbox, for it does not work: %s", error)
        finally:
            # Only now: a probe that works makes all waiting mail due, and this with it.
            self._prober.start_granted()
        receipts = tuple(case.receipt or case.left() for case in cases)
        for each in receipts:
            _log.info("%s %s %s", message.kind, each.entry_id, _told(each))
        fallback = next((case.fallback for case in cases if case.fallback is not None), None)
        return Outcome(receipts, fallback)

    def probe_rested(self, routes: Routes) -> None:
        """Probe the routes whose rest is over, though no mail asks for them."""
        for name in (CUSTOM, DEFAULT):
            if routes.of(name) and self._health.status(name).resting_until is not None:
                self._usable(name, routes)
        self._prober.start_granted()

    def catch_up(self) -> bool:
        """Write down what the storage did not take when it came; return whether all is.

        Acceptances count however late they are: only a server may leave us in doubt.
        """
        with self._late_lock:
            late, self._late = self._late, []
        if late and not self._is_recorded(late):
            return False  # nor would it take the rest: to wait for it twice helps nobody
        try:
            self._refusals.catch_up()
        except OutboxError as error:
            _log.error("a refused sign-in could not be stored: %s", error)
            return False
        return True

    def settle_probes(self, seconds: float) -> None:
        """Give the probes that run this long to end."""
        self._prober.wait(seconds)

    def _renew(self, cases: list[Case]) -> None:
        """Take more time where half of it is over; what others took over is left to them."""
        half_over = self._clock() + LEASE / 2
        leases = [(case, case.claim.entry.lease) for case in cases]
        short = [case for case, lease in leases if lease is None or lease.until <= half_over]
        if not short:
            return
        lost = self._outbox.apply(Renew(case.claim, LEASE) for case in short)
        for case in short:
            if case.claim.entry.id in lost:
                case.end(Fate.QUEUED)

    def _try(self, name: str, cases: list[Case], message: OutboxMessage, routes: Routes) -> None:
        way = self._usable(name, routes)
        if isinstance(way, Finding):
            for case in cases:
                case.failed(name, way, self._clock())
            return
        waiting = cases
        while waiting:
            throttled = self._send(way, waiting, message, routes)
            # Too many recipients at once: the rest follows on the same route, as long as
            # each transaction takes some of them.
            waiting = throttled if len(throttled) < len(waiting) else []

    def _usable(self, name: str, routes: Routes) -> Route | Finding:
        """Return the route, or why it is not used now; the one to probe it begins to."""
        self._refusals.catch_up()
        way = routes.of(name)
        if isinstance(way, Finding) and not routes.current():
            return way  # it says nothing of the settings that are saved by now
        verdict = self._health.may_use(name)
        if isinstance(way, Finding):
            if isinstance(verdict, Usable | Probe):
                token = verdict.token if isinstance(verdict, Probe) else ""
                self._health.record_failure(name, way.code, token)
            return way
        if way is not None and isinstance(verdict, Usable):
            return way
        if way is not None and isinstance(verdict, Probe):
            self._prober.grant(way, verdict.token, routes.current)
        return self._told(self._health.status(name).code)

    def _send(
        self, route: Route, cases: list[Case], message: OutboxMessage, routes: Routes
    ) -> list[Case]:
        """Send in one transaction; return the cases for which it had too many recipients."""

        def before_dot() -> None:
            self._mark(route, cases)

        recipients = tuple(case.recipient for case in cases)
        says_of_route = True
        try:
            results = route.send(message, recipients, before_dot)
        except LeaseLostError:
            left = [case for case in cases if case.receipt is None]
            return self._send(route, left, message, routes) if left else []
        except OutboxError:
            raise
        except Exception as error:  # noqa: BLE001 - the caller decides what an error means
            _log.exception("our own fault while sending by the route %s", route.name)
            results = tuple(self._our_fault(case) for case in cases)
            says_of_route = not isinstance(error, UnsendableError)
        resend = self._may_resend(route.name, results, routes)
        self._write_down(route.name, cases, results, resend=resend)
        if says_of_route:
            self._tell_health(route.name, cases, results, message, routes)
        throttled = [case for case in cases if case.finding and case.finding.code == _TOO_MANY]
        return [case for case in throttled if case.receipt is None]

    def _mark(self, route: Route, cases: list[Case]) -> None:
        """Write down that the dot comes next.

        Raises:
            LeaseLostError: Some entries belong to others by now: no dot for this message.
            OutboxUnavailableError: It could not be written.
        """
        lost = self._outbox.apply(MarkInDoubt(case.claim, route.name) for case in cases)
        for case in cases:
            if case.claim.entry.id in lost:
                case.end(Fate.QUEUED)
            else:
                case.in_doubt = True
        if lost:
            self._resume([case for case in cases if case.receipt is None])
            raise LeaseLostError(f"{len(lost)} of {len(cases)} entries were taken over or given up")

    def _our_fault(self, case: Case) -> RouteResult:
        if case.in_doubt:
            finding = self._told(_UNCONFIRMED)
            return RouteResult(case.recipient, RecipientStatus.UNCERTAIN, finding=finding)
        finding = self._told(_INTERNAL)
        return RouteResult(case.recipient, RecipientStatus.REFUSED, finding=finding)

    def _may_resend(self, name: str, results: tuple[RouteResult, ...], routes: Routes) -> bool:
        """Return whether an email of these that is uncertain may be sent once more."""
        if all(result.status is not RecipientStatus.UNCERTAIN for result in results):
            return False
        try:
            return self._health.record_uncertain(name).may_resend and routes.resend_uncertain
        except OutboxError as error:
            _log.error("the health of the route %s could not be stored: %s", name, error)
            return False

    def _write_down(
        self, name: str, cases: list[Case], results: tuple[RouteResult, ...], *, resend: bool
    ) -> None:
        changes: list[Change] = []
        going_on: list[Case] = []
        for case, result in zip(cases, results, strict=True):
            change = self._judge(name, case, result, resend=resend)
            if change is not None:
                changes.append(change)
            else:
                going_on.append(case)
        self._record(changes)
        self._resume(going_on)

    def _tell_health(
        self,
        name: str,
        cases: list[Case],
        results: tuple[RouteResult, ...],
        message: OutboxMessage,
        routes: Routes,
    ) -> None:
        """Tell what the results say of the routes, unless other settings are saved by now."""
        if not routes.current():
            return
        accepted = sum(result.status is RecipientStatus.ACCEPTED for result in results)
        fallen_back = sum(case.fallback is not None for case in cases)
        broken = (result.finding for result in results if _breaks_route(result, message))
        finding = next(broken, None)
        try:
            if accepted:  # whatever it said of others, it works
                self._health.record_success(name)
            elif finding is not None:
                self._refusals.tell(name, finding.code, current=routes.current)
            if name == DEFAULT and accepted and fallen_back:
                self._health.record_fallback(CUSTOM, min(accepted, fallen_back))
        except OutboxError as error:
            _log.error("the health of the route %s could not be stored: %s", name, error)

    def _judge(self, name: str, case: Case, result: RouteResult, *, resend: bool) -> Change | None:
        """Return the change that ends the case; None where the next route is to be tried."""
        now, claim = self._clock(), case.claim
        if result.status is RecipientStatus.ACCEPTED:
            case.accepted(name, now, result.reply)
            return Accept(claim, tuple(case.attempts))
        finding = result.finding or self._told(_INTERNAL)
        if finding.scope is Scope.NONE and result.status is RecipientStatus.REFUSED:
            case.end(Fate.QUEUED)  # cancelled: given back untried
            return Postpone(claim, now)
        case.failed(name, finding, now, result.reply)
        if result.status is RecipientStatus.UNCERTAIN:
            case.end(Fate.UNCERTAIN)
            return Doubt(claim, resend, tuple(case.attempts))
        if finding.final:
            case.end(Fate.REFUSED)
            return Refuse(claim, tuple(case.attempts))
        return None

    def _put_off(self, cases: list[Case], routes: Routes) -> None:
        """Leave what no route took in the outbox."""
        now = self._clock()
        changes: list[Change] = []
        for case in cases:
            entry = case.claim.entry
            if entry.only_route and routes.of(entry.only_route) is None:
                # In doubt on a route that is gone: held, or it would wait for ever.
                changes.append(Refuse(case.claim, tuple(case.attempts)))
                case.end(Fate.UNCERTAIN)
                continue
            wait = backoff.delay(entry.tries, self._random) if case.attempts else _WITHOUT_ROUTE
            changes.append(Postpone(case.claim, now + wait, tuple(case.attempts)))
            case.end(Fate.QUEUED)
        self._record(changes)

    def _resume(self, cases: list[Case]) -> None:
        """Write down that the dot was refused or not sent: surely not accepted."""
        marked = [case for case in cases if case.in_doubt]
        for case in marked:
            case.in_doubt = False
        self._record(Resume(case.claim) for case in marked)

    def _record(self, changes: Iterable[Change]) -> None:
        """Write down what came of a message.

        Where that fails an acceptance is written down later; if we end before that, the
        entry counts as uncertain. The message itself is not taken back, so nothing is raised.
        """
        wanted = tuple(changes)
        if wanted and self._is_recorded(wanted):
            self.catch_up()

    def _is_recorded(self, changes: Sequence[Change]) -> bool:
        try:
            lost = self._outbox.apply(changes)
        except OutboxUnavailableError as error:
            _log.error("what came of %d emails could not be stored: %s", len(changes), error)
            with self._late_lock:
                self._late += [change for change in changes if isinstance(change, Accept)]
            return False
        if lost:
            _log.warning("%d emails were taken over before their end was stored", len(lost))
        return True

    def _told(self, code: str) -> Finding:
        return cause(self._catalogue, code)


def _told(receipt: RecipientReceipt) -> str:
    """Return what came of a recipient, for the log: no address, which the entry has."""
    by = f" by {receipt.route}" if receipt.route else ""
    return f"{receipt.fate}{by}" + (f": {receipt.finding.code}" if receipt.finding else "")


def _may_take(case: Case, name: str, message: OutboxMessage, routes: Routes) -> bool:
    """Whether the case is open, and `name` one of the routes it may take."""
    if case.receipt is not None:
        return False
    bound = message.metadata.get(ONLY_ROUTE, "")
    if bound and routes.of(bound) is None:
        bound = ""  # another will do: it would wait for ever
    return (case.claim.entry.only_route or bound) in ("", name)


def _breaks_route(result: RouteResult, message: OutboxMessage) -> bool:
    """Whether the result is the fault of the route, and not of this one message.

    What a foreign message's sender may is no matter of the route; nor is an address with
    letters beyond ASCII, which the test of the settings would have shown in From.
    """
    finding = result.finding
    if finding is None or finding.scope is not Scope.ROUTE or finding.code == _INTERNATIONAL:
        return False
    return not (message.kind == FOREIGN and finding.code.startswith("sender."))
