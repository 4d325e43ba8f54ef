"""Drains the outbox: sends each waiting email when its time comes."""

import logging
import select
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import suppress
from datetime import datetime, timedelta
from itertools import groupby
from typing import Final, TypeAlias, TypeVar, final

from smtp_desk.sender.attempts import MessageAttempt, Run
from smtp_desk.sender.dispatcher import LEASE, Dispatcher
from smtp_desk.sender.mail.addressing import FOREIGN
from smtp_desk.sender.notices import Notices
from smtp_desk.sender.outbox.clock import UtcClock, utc_now
from smtp_desk.sender.outbox.control import Control
from smtp_desk.sender.outbox.entries import Claim, Doubt, Postpone
from smtp_desk.sender.outbox.outage_log import OutageLog
from smtp_desk.sender.outbox.outbox import (
    EntryNotFoundError,
    Outbox,
    OutboxError,
    OutboxUnavailableError,
)
from smtp_desk.sender.routes.route import Routes, RouteSource
from smtp_desk.smtp.net.deadline import Cancel

T = TypeVar("T")

CONNECTIONS: Final = 3
"""So many emails are on their way at once, by as many connections."""

Pause: TypeAlias = Callable[[Cancel, float], None]
"""Waits so many seconds, or until cancelled."""

_CLAIMED_AT_ONCE: Final = 10
_MOST_RECIPIENTS: Final = 100
_POLL_S: Final = 1.0
_SAY_S: Final = 10.0
_PRUNE_EVERY_S: Final = 3600.0
_GRACE_S: Final = 5.0
_PROBE_S: Final = 5.0
_LOOK_EVERY: Final = timedelta(minutes=10)
_LOOK_S: Final = 0.05

_log: Final = logging.getLogger(__name__)


def pause(cancel: Cancel, seconds: float) -> None:
    """Wait this many seconds, or until cancelled."""
    select.select([cancel], [], [], seconds)


@final
class Drain:
    """Sends the due emails in the outbox, through up to `CONNECTIONS` connections.

    Args:
        outbox: The outbox.
        source: The routes.
        dispatcher: Sends emails through them.
        notices: Reports outages and refusals.
        owner: The name of this worker in leases.
        clock: Returns the current time, with a time zone.
        wait_for: How to wait between rounds.
        control: Is told that a worker is running.
    """

    def __init__(
        self,
        outbox: Outbox,
        source: RouteSource,
        dispatcher: Dispatcher,
        notices: Notices,
        *,
        owner: str,
        clock: UtcClock = utc_now,
        wait_for: Pause = pause,
        control: Control | None = None,
    ) -> None:
        self._outbox = outbox
        self._source = source
        self._dispatcher = dispatcher
        self._notices = notices
        self._owner = owner
        self._clock = clock
        self._wait_for = wait_for
        self._routes: Routes | None = None
        self._control = control
        self._pruned_at: float | None = None
        self._looked_at: datetime | None = None
        self._announced_at: float | None = None
        self._outage = OutageLog(_log, "the outbox does not work: %s", "the outbox works again")

    def run(self, cancel: Cancel, *, once: bool) -> int:
        """Send until nothing is due, or until cancelled; return how many emails were processed.

        Args:
            cancel: Ends it: emails that are being sent get 5 s, the rest stays stored.
            once: Stop when nothing is due, and raise an error if the storage fails.

        Raises:
            OutboxUnavailableError: The storage does not work, and `once` is set.
        """
        handled = 0
        try:
            while not cancel.cancelled:
                try:
                    if not once:
                        self._announce()
                    done = self._round(cancel)
                    self._outage.worked()
                except OutboxUnavailableError as error:
                    if once:
                        raise
                    self._outage.failed(error)
                    done = 0
                handled += done
                if not done and once:
                    break
                if not done:
                    self._wait_for(cancel, _POLL_S)
        finally:
            self._leave()
        return handled

    def _announce(self) -> None:
        """Let everybody know that a worker runs."""
        now = time.monotonic()
        if self._control and (self._announced_at is None or now - self._announced_at >= _SAY_S):
            self._control.announce(self._owner)
            self._announced_at = now

    def _leave(self) -> None:
        if self._control and self._announced_at is not None:
            with suppress(OutboxUnavailableError):  # it says so no more, which is enough
                self._control.leave(self._owner)

    def _round(self, cancel: Cancel) -> int:
        """Do all that is due now; return how many emails that were."""
        self._follow_settings()
        self._dispatcher.catch_up()
        self._judge_abandoned()
        self._prune()
        self._look()
        due = self._outbox.next_due()
        if due is None or due > self._clock() or self._dispatcher.waits_until:
            return self._probe_rested(cancel)
        senders = [lambda: self._send_due(cancel) for _ in range(CONNECTIONS)]
        handled = sum(self._at_once(cancel, *senders))
        self._tell(cancel)
        return handled

    def _tell(self, cancel: Cancel) -> None:
        if not cancel.cancelled:
            self._at_once(cancel, self._tell_all)

    def _tell_all(self) -> None:
        routes = self._source.routes()
        self._notices.tell(routes)
        self._notices.tell_refusals(routes)

    def _follow_settings(self) -> None:
        routes = self._source.routes()
        if self._routes is not None and routes is not self._routes:
            self._outbox.make_due()
            _log.info("other settings are used from now on")
        self._routes = routes

    def _probe_rested(self, cancel: Cancel) -> int:
        """Probe what rested long enough, and tell of outages; return how much is due by that."""
        self._dispatcher.probe_rested(self._source.routes())
        self._dispatcher.settle_probes(_PROBE_S)
        self._tell(cancel)
        due = self._outbox.next_due()
        return int(
            due is not None and due <= self._clock() and self._dispatcher.waits_until is None
        )

    def _judge_abandoned(self) -> None:
        """Settle the entries whose sender died between its dot and the reply."""
        resend = self._source.routes().resend_uncertain
        while claims := self._outbox.claim_in_doubt(self._owner, _CLAIMED_AT_ONCE, LEASE):
            self._outbox.apply(Doubt(claim, resend) for claim in claims)
            _log.warning("%d emails are uncertain: their sender is gone", len(claims))

    def _prune(self) -> None:
        now = time.monotonic()
        if self._pruned_at is None or now - self._pruned_at >= _PRUNE_EVERY_S:
            self._pruned_at = now
            self._outbox.prune()

    def _look(self) -> None:
        now = self._clock()
        if self._looked_at is None or not timedelta() <= now - self._looked_at < _LOOK_EVERY:
            self._looked_at = now
            self._dispatcher.look(self._source.routes())

    def _at_once(self, cancel: Cancel, *work: Callable[[], T]) -> list[T]:
        with ThreadPoolExecutor(CONNECTIONS, "drain") as pool:
            running = [pool.submit(each) for each in work]
            self._await(running, cancel)
        return [future.result() for future in running]

    def _await(self, running: Sequence[Future[T]], cancel: Cancel) -> None:
        """Wait for the end; after a cancel only so long, then what is on its way is cut."""
        while not cancel.cancelled:
            if not wait(running, _LOOK_S).not_done:
                return
        if wait(running, _GRACE_S).not_done:
            self._source.close()

    def _send_due(self, cancel: Cancel) -> int:
        """Send what is due, in this thread; return how many emails that were."""
        handled = 0
        run = Run(self._due(cancel))
        try:
            for attempt in run:
                handled += self._send(attempt, run, cancel)
        finally:
            self._dispatcher.finish(run)
        return handled

    def _due(self, cancel: Cancel) -> Iterator[MessageAttempt]:
        """Claim what is due, message by message, until nothing is."""
        while not cancel.cancelled and self._dispatcher.waits_until is None:
            claims = self._outbox.claim(self._owner, _CLAIMED_AT_ONCE, LEASE)
            if not claims:
                return
            for batch in _by_message(claims):
                if attempt := self._attempt(batch):
                    yield attempt

    def _attempt(self, batch: Sequence[Claim]) -> MessageAttempt | None:
        """Read the message of these claims; None where it can't be sent."""
        entry_id = batch[0].entry.id
        try:
            return MessageAttempt.of(batch, self._outbox.message(entry_id), self._source.routes())
        except EntryNotFoundError:
            return None
        except OutboxError:
            raise
        except Exception:  # noqa: BLE001 - one email that fails must not stop the others
            _log.exception("our own fault while reading %s", entry_id)
            return None

    def _send(self, attempt: MessageAttempt, run: Run, cancel: Cancel) -> int:
        """Send one message; return how many emails that were."""
        claims = [recipient.claim for recipient in attempt.recipients]
        until = self._clock() if cancel.cancelled else self._dispatcher.waits_until
        if until is not None:
            self._outbox.apply(Postpone(claim, until) for claim in claims)
            return 0
        try:
            self._dispatcher.deliver(attempt, run=run)
        except OutboxError:
            raise
        except Exception:  # noqa: BLE001 - one email that fails must not stop the others
            _log.exception("our own fault while sending %s", claims[0].entry.id)
        return len(claims)


def _by_message(claims: Sequence[Claim]) -> Iterator[list[Claim]]:
    """Return the claims message by message: of another program's all at once, else one by one."""
    ordered = sorted(claims, key=_message_key)
    for _, group in groupby(ordered, key=_message_key):
        yield from batches(list(group))


def batches(claims: Sequence[Claim]) -> Iterator[list[Claim]]:
    """Return the claims of one message, split into those of each transaction.

    Our own emails name one recipient in To, so each is sent alone; another program's are sent
    together, up to the 100 recipients that every server accepts (RFC 5321, 4.5.3.1.8).
    """
    if not claims:
        return
    size = _MOST_RECIPIENTS if claims[0].entry.kind == FOREIGN else 1
    for start in range(0, len(claims), size):
        yield list(claims[start : start + size])


def _message_key(claim: Claim) -> str:
    return claim.entry.message_key
