"""Decides what happens next: the routes in their order, by the scope of each finding.

A stored email goes to the custom server, then to the default email service, then back
into the outbox. Every step is recorded before the next one is taken.
"""

import logging
import random as chance
import threading
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Final, final

from smtp_desk.core.findings.catalogue import Catalogue, cause
from smtp_desk.core.findings.finding import Finding, Scope
from smtp_desk.sender.attempts import MessageAttempt, RecipientAttempt, Run
from smtp_desk.sender.mail.addressing import FOREIGN
from smtp_desk.sender.outbox.clock import UtcClock, utc_now
from smtp_desk.sender.outbox.entries import (
    Accept,
    Change,
    MarkInDoubt,
    OutboxMessage,
    Renew,
    Resume,
)
from smtp_desk.sender.outbox.outage_log import OutageLog
from smtp_desk.sender.outbox.outbox import (
    LeaseLostError,
    Outbox,
    OutboxError,
    OutboxUnavailableError,
)
from smtp_desk.sender.receipts import Receipt, RecipientReceipt
from smtp_desk.sender.routes.health import Health, Probe, Usable
from smtp_desk.sender.routes.probing import Prober, Refusals
from smtp_desk.sender.routes.route import (
    CUSTOM,
    DEFAULT,
    NoTurnError,
    Route,
    RouteResult,
    Routes,
    UnsendableError,
)
from smtp_desk.smtp.net.deadline import Deadline
from smtp_desk.smtp.net.forks import run_after_fork
from smtp_desk.smtp.session.envelope import Status

LEASE: Final = timedelta(minutes=10)
"""How long a claimed entry is ours: more than all before its dot may take."""

PATIENCE_S: Final = 30.0
"""An email waits so long for its turn before it is left in the outbox."""

# A connection that others use now may be free by then.
_SOON: Final = timedelta(seconds=5)
_LONGEST_WAIT: Final = timedelta(minutes=1)
_INTERNAL: Final = "session.internal_error"
_INTERNATIONAL: Final = "sender.internationalized"
_UNCONFIRMED: Final = "message.unconfirmed"

_log: Final = logging.getLogger(__name__)


@final
class Dispatcher:
    """Sends stored emails through the routes, and records the result of each.

    Many threads may use it. A failure of a server, the network or a route is never raised.

    Args:
        outbox: Where the emails are stored.
        health: What is known of the routes.
        catalogue: The causes of failures.
        clock: Returns the current time, with a time zone.
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
        self._untold = OutageLog(
            _log, "a refused sign-in could not be stored: %s", "the refused sign-in is stored"
        )
        self._prober = Prober(health, outbox, self._refusals)
        self.after_fork()
        run_after_fork(self.after_fork)

    def after_fork(self) -> None:
        """Forget what belongs to the parent process; see `forks`."""
        self._late: list[Accept] = []
        self._late_lock = threading.Lock()
        self._waits_until: datetime | None = None

    def deliver(
        self,
        attempt: MessageAttempt,
        patience: Deadline | None = None,
        run: Run | None = None,
    ) -> Receipt:
        """Send a stored message through the routes in their order, and record the result.

        Args:
            attempt: The message; it has the result so far at any moment.
            patience: The deadline until which it may wait for its turn; by default `PATIENCE_S`.
            run: The run it belongs to, if it is one of many: its acceptance may then be recorded
                when the next one starts, or by `finish`.
        """
        patience = patience or Deadline.after(PATIENCE_S)
        run = run or Run(iter(()))
        try:
            self._renew(attempt.recipients)
            for name in (CUSTOM, DEFAULT):
                if attempt.open_on(name):
                    self._try(name, attempt, patience, run)
            self._put_off([each for each in attempt.recipients if each.receipt is None])
        except OutboxError as error:
            # No dot leaves that could not be written down before: what has no end yet is
            # safe where it is stored, and is sent when its lease is over.
            _log.error("emails stay in the outbox, for it does not work: %s", error)
        finally:
            # Only now: a probe that works makes all waiting mail due, and this with it.
            self._prober.start_granted()
            if not run.goes_on:
                self._write_ends(run)
        receipt = attempt.receipt
        if _log.isEnabledFor(logging.INFO):
            for each in receipt.recipients:
                _log.info("%s %s %s", attempt.message.kind, each.entry_id, _logged(each))
        return receipt

    def finish(self, run: Run) -> None:
        """Record the remaining results, when no more of `run` is delivered."""
        run.abandon()
        self._write_ends(run)

    def probe_rested(self, routes: Routes) -> None:
        """Probe the routes whose pause is over, even if no email is waiting for them."""
        for name in (CUSTOM, DEFAULT):
            if routes.of(name) and self._health.status(name).resting_until is not None:
                self._usable(name, routes)
        self._prober.start_granted()

    def look(self, routes: Routes) -> None:
        """Check once a day that each route still works, even if no email is waiting for it."""
        for name in (CUSTOM, DEFAULT):
            way = routes.of(name)
            if way and not isinstance(way, Finding) and self._health.may_look(name):
                self._prober.grant_look(way, routes.current)
        self._prober.start_granted()

    def catch_up(self) -> bool:
        """Record the results that the storage couldn't take before; return whether all are now.

        Acceptances count however late they are: only a server may leave us in doubt.
        """
        with self._late_lock:
            late, self._late = self._late, []
        if late and not self._is_recorded(late, anew=True):
            return False  # nor would it take the rest: to wait for it twice helps nobody
        try:
            self._refusals.catch_up()
        except OutboxError as error:
            self._untold.failed(error)
            return False
        self._untold.worked()
        return True

    @property
    def waits_until(self) -> datetime | None:
        """When the turn of waiting emails comes, as for the newest one; None if they don't wait.

        At most a minute from now: other emails may not need a turn.
        """
        until, now = self._waits_until, self._clock()
        return until if until is not None and now < until <= now + _LONGEST_WAIT else None

    def settle_probes(self, seconds: float) -> None:
        """Wait at most this many seconds for the running probes to end."""
        self._prober.wait(seconds)

    def _renew(self, recipients: Sequence[RecipientAttempt]) -> None:
        """Take more time where half of it is over; what others took over is left to them."""
        half_over = self._clock() + LEASE / 2
        leases = [(recipient, recipient.claim.entry.lease) for recipient in recipients]
        short = [recipient for recipient, lease in leases if lease and lease.until <= half_over]
        for recipient in (each for each, lease in leases if lease is None):
            recipient.end(Status.QUEUED)  # sending is paused
        if not short:
            return
        lost = self._outbox.apply(Renew(recipient.claim, LEASE) for recipient in short)
        for recipient in short:
            if recipient.claim.entry.id in lost:
                recipient.end(Status.QUEUED)

    def _try(self, name: str, attempt: MessageAttempt, patience: Deadline, run: Run) -> None:
        """Send to all who are open by one route: at once, in parts, or as fast as it lets us."""
        waiting = attempt.open_on(name)
        while waiting:
            way = self._usable(name, attempt.routes)
            if isinstance(way, Finding):
                for recipient in waiting:
                    recipient.failed(name, way, self._clock())
                return
            try:
                left = self._send(way, waiting, attempt, patience, run)
            except NoTurnError as error:
                self._leave_until(error.again_at, waiting)
                return
            if len(left) == len(waiting) and patience.passed:
                self._leave_until(None, left)
                return
            waiting = left

    def _leave_until(self, again_at: datetime | None, recipients: list[RecipientAttempt]) -> None:
        """Leave in the outbox whose turn does not come in time."""
        now = self._clock()
        until = again_at or now + _SOON
        self._waits_until = min(until, now + _LONGEST_WAIT)
        self._put_off(recipients, until)

    def _usable(self, name: str, routes: Routes) -> Route | Finding:
        """Return the route, or why it is not used now; the one to probe it begins to."""
        self._refusals.catch_up()
        way = routes.of(name)
        if isinstance(way, Finding):
            return way  # what this process can't use others may: nothing is told of the route
        verdict = self._health.may_use(name)
        if way is not None and isinstance(verdict, Usable):
            return way
        if way is not None and isinstance(verdict, Probe):
            self._prober.grant(way, verdict.token, routes.current)
        return self._told(self._health.status(name).code)

    def _send(
        self,
        route: Route,
        recipients: list[RecipientAttempt],
        attempt: MessageAttempt,
        patience: Deadline,
        run: Run,
    ) -> list[RecipientAttempt]:
        """Send in one transaction; return those who wait for their turn on the same route.

        Raises:
            NoTurnError: All of them wait longer than may be.
        """

        def before_dot() -> None:
            self._mark(route, recipients, run)

        addresses = tuple(recipient.address for recipient in recipients)
        says_of_route = True
        upcoming = partial(run.upcoming, route, attempt)
        run.sends(attempt, route)
        try:
            results = route.send(attempt.message, addresses, before_dot, patience, upcoming)
        except LeaseLostError:
            return [recipient for recipient in recipients if recipient.receipt is None]
        except (OutboxError, NoTurnError):
            raise
        except Exception as error:  # noqa: BLE001 - the caller decides what an error means
            _log.exception("our own fault while sending by the route %s", route.name)
            results = tuple(self._our_fault(recipient) for recipient in recipients)
            says_of_route = not isinstance(error, UnsendableError)
        resend = self._may_resend(route.name, results, attempt.routes)
        self._write_down(route.name, recipients, results, run, resend=resend)
        if says_of_route:
            self._tell_health(route.name, recipients, results, attempt)
        return [each for each in recipients if each.waits_on(route.name)]

    def _mark(self, route: Route, recipients: list[RecipientAttempt], run: Run) -> None:
        """Write down that the dot comes next, and what came of the message before.

        Raises:
            LeaseLostError: Some entries belong to others by now: no dot for this message.
            OutboxUnavailableError: It could not be written.
        """
        run.look_ahead()
        ends, run.ends = run.ends, []
        marks = [MarkInDoubt(recipient.claim, route.name) for recipient in recipients]
        try:
            lost = self._outbox.apply((*ends, *marks))
        except OutboxUnavailableError:
            self._keep_late(ends)
            raise
        self._warn_of_lost(lost, ends)
        lost &= {mark.claim.entry.id for mark in marks}
        for recipient in recipients:
            if recipient.claim.entry.id in lost:
                recipient.end(Status.QUEUED)
            else:
                recipient.in_doubt = True
        if lost:
            self._resume([recipient for recipient in recipients if recipient.receipt is None])
            raise LeaseLostError(
                f"{len(lost)} of {len(recipients)} entries were taken over or given up"
            )

    def _our_fault(self, recipient: RecipientAttempt) -> RouteResult:
        if recipient.in_doubt:
            finding = self._told(_UNCONFIRMED)
            return RouteResult(recipient.address, Status.UNCERTAIN, finding=finding)
        finding = self._told(_INTERNAL)
        return RouteResult(recipient.address, Status.REFUSED, finding=finding)

    def _may_resend(self, name: str, results: tuple[RouteResult, ...], routes: Routes) -> bool:
        """Return whether an email of these that is uncertain may be sent once more."""
        if all(result.status is not Status.UNCERTAIN for result in results):
            return False
        try:
            return self._health.record_uncertain(name).may_resend and routes.resend_uncertain
        except OutboxError as error:
            _log.error("the health of the route %s could not be stored: %s", name, error)
            return False

    def _write_down(
        self,
        name: str,
        recipients: list[RecipientAttempt],
        results: tuple[RouteResult, ...],
        run: Run,
        *,
        resend: bool,
    ) -> None:
        now = self._clock()
        changes: list[Change] = []
        going_on: list[RecipientAttempt] = []
        for recipient, result in zip(recipients, results, strict=True):
            change = recipient.evaluate(name, result, self._catalogue, now, resend=resend)
            if change is not None:
                changes.append(change)
            else:
                going_on.append(recipient)
        accepted = [change for change in changes if isinstance(change, Accept)]
        if run.goes_on and len(accepted) == len(recipients):
            run.ends += accepted
            return
        self._record(changes)
        self._resume(going_on)

    def _tell_health(
        self,
        name: str,
        recipients: list[RecipientAttempt],
        results: tuple[RouteResult, ...],
        attempt: MessageAttempt,
    ) -> None:
        """Tell what the results say of the routes, unless other settings are saved by now."""
        if not attempt.routes.current():
            return
        accepted = sum(result.status is Status.ACCEPTED for result in results)
        fallen_back = sum(recipient.fallback is not None for recipient in recipients)
        broken = (result.finding for result in results if _breaks_route(result, attempt.message))
        finding = next(broken, None)
        try:
            if accepted:  # whatever it said of others, it works
                self._health.record_success(name)
            elif finding is not None:
                self._refusals.tell(name, finding.code, current=attempt.routes.current)
            for result in results:
                refusal = result.finding
                if refusal is not None and refusal.unknown:
                    address, message_id = result.recipient, attempt.message.message_id
                    self._health.record_refusal(name, refusal.code, address, message_id)
            if name == DEFAULT and accepted and fallen_back:
                self._health.record_fallback(CUSTOM, min(accepted, fallen_back))
        except OutboxError as error:
            _log.error("the health of the route %s could not be stored: %s", name, error)

    def _put_off(self, recipients: list[RecipientAttempt], until: datetime | None = None) -> None:
        """Leave in the outbox what no route took, or took until then."""
        now = self._clock()
        self._record([each.put_off(now, self._random, until) for each in recipients])

    def _resume(self, recipients: list[RecipientAttempt]) -> None:
        """Write down that the dot was refused or not sent: surely not accepted."""
        marked = [recipient for recipient in recipients if recipient.in_doubt]
        for recipient in marked:
            recipient.in_doubt = False
        self._record(Resume(recipient.claim) for recipient in marked)

    def _record(self, changes: Iterable[Change]) -> None:
        """Write down what came of a message.

        Where that fails an acceptance is written down later; if we end before that, the
        entry counts as uncertain. The message itself is not taken back, so nothing is raised.
        """
        wanted = tuple(changes)
        if wanted and self._is_recorded(wanted):
            self.catch_up()

    def _is_recorded(self, changes: Sequence[Change], *, anew: bool = False) -> bool:
        try:
            lost = self._outbox.apply(changes)
        except OutboxUnavailableError as error:
            if not anew:  # or it was said before
                _log.error("what came of %d emails could not be stored: %s", len(changes), error)
            self._keep_late(changes)
            return False
        self._warn_of_lost(lost, changes)
        return True

    def _write_ends(self, run: Run) -> None:
        ends, run.ends = run.ends, []
        self._record(ends)

    def _keep_late(self, changes: Iterable[Change]) -> None:
        with self._late_lock:
            self._late += [change for change in changes if isinstance(change, Accept)]

    def _warn_of_lost(self, lost: frozenset[str], changes: Sequence[Change]) -> None:
        count = sum(change.claim.entry.id in lost for change in changes)
        if count:
            _log.warning("%d emails were taken over before their end was stored", count)

    def _told(self, code: str) -> Finding:
        return cause(self._catalogue, code)


def _logged(receipt: RecipientReceipt) -> str:
    """Return what came of a recipient, for the log: no address, which the entry has."""
    by = f" by {receipt.route}" if receipt.route else ""
    return f"{receipt.status}{by}" + (f": {receipt.finding.code}" if receipt.finding else "")


def _breaks_route(result: RouteResult, message: OutboxMessage) -> bool:
    """Whether the result is the fault of the route, and not of this one message.

    What a foreign message's sender may is no matter of the route; nor is an address with
    letters beyond ASCII, which the test of the settings would have shown in From.
    """
    finding = result.finding
    if finding is None or finding.scope is not Scope.ROUTE or finding.code == _INTERNATIONAL:
        return False
    return not (message.kind == FOREIGN and finding.code.startswith("sender."))
