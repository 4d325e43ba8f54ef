"""A message while it is being sent, and the next step, by the scope of a route's answer."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Final, Self

from smtp_desk.core.findings.catalogue import Catalogue, cause
from smtp_desk.core.findings.finding import Finding, Scope
from smtp_desk.sender.outbox import lifecycle
from smtp_desk.sender.outbox.entries import (
    Accept,
    Attempt,
    Change,
    Claim,
    Doubt,
    OutboxMessage,
    Postpone,
    Refuse,
)
from smtp_desk.sender.receipts import Receipt, RecipientReceipt
from smtp_desk.sender.routes.route import CUSTOM, DEFAULT, Route, RouteResult, Routes
from smtp_desk.smtp.session.envelope import Status

ONLY_ROUTE: Final = "route"
"""Key of the metadata that names the one route a message may take, while there is that route."""

# Without any route there is nothing to grow impatient with: look again now and then.
_WITHOUT_ROUTE: Final = timedelta(minutes=15)
# A refusal in unknown words may be a matter of the moment: where no other route can tell, the
# same one is asked again after this.
_SECOND_OPINION: Final = timedelta(hours=1)


@dataclass(slots=True)
class RecipientAttempt:
    """One recipient on its way from route to route.

    Attributes:
        claim: Its entry, which we hold.
        routes: The routes there are.
        bound: The only route that its message may take, while that route exists.
        attempts: The routes that were tried or passed over.
        finding: Why the latest of them didn't accept it; None if it did.
        fallback: Why the custom server didn't accept it.
        in_doubt: Whether a final dot was announced that has no answer yet.
        receipt: The result for the caller; None while it is open.
    """

    claim: Claim
    routes: Routes
    bound: str = ""
    attempts: list[Attempt] = field(default_factory=list)
    finding: Finding | None = None
    fallback: Finding | None = None
    in_doubt: bool = False
    receipt: RecipientReceipt | None = None

    @property
    def address(self) -> str:
        """The recipient's address."""
        return self.claim.entry.recipient

    def may_take(self, route: str) -> bool:
        """Whether it is open and may be sent through `route`."""
        # Another will do where it is bound to a route that is gone: it would wait for ever.
        bound = self.bound if self.routes.of(self.bound) is not None else ""
        allowed = (self.claim.entry.only_route or bound) in ("", route)
        return allowed and self.receipt is None and self.routes.of(route) is not None

    def waits_on(self, route: str) -> bool:
        """Whether `route` accepts it, but at a slower rate."""
        slow = self.finding is not None and self.finding.scope is Scope.SLOW
        return slow and self.receipt is None and self.attempts[-1].route == route

    def failed(self, route: str, finding: Finding, now: datetime, reply: str = "") -> None:
        """Record that `route` didn't accept it, or was passed over."""
        self.attempts.append(Attempt(now, route, finding.code, reply))
        self.finding = finding
        if route == CUSTOM:
            self.fallback = finding

    def end(self, status: Status) -> None:
        """Set the result for the caller."""
        route = self.attempts[-1].route if self.attempts else ""
        if route == CUSTOM and status is not Status.QUEUED:
            self.fallback = None  # it ended there, if not at the first attempt
        entry = self.claim.entry
        self.receipt = RecipientReceipt(
            self.address, status, route, self.finding, entry.id, entry.local
        )

    def evaluate(
        self, route: str, result: RouteResult, catalogue: Catalogue, now: datetime, *, resend: bool
    ) -> Change | None:
        """Return the change that ends it; None if the next route should be tried.

        Args:
            route: The route that answered.
            result: Its answer.
            catalogue: The causes of failures.
            now: The current time.
            resend: Whether an uncertain email is sent once more.
        """
        if result.status is Status.ACCEPTED:
            self.attempts.append(Attempt(now, route, reply=result.reply))
            self.finding = self.fallback if route != CUSTOM else None
            self.end(Status.ACCEPTED)
            return Accept(self.claim, tuple(self.attempts))
        finding = result.finding or cause(catalogue, "session.internal_error")
        if finding.scope is Scope.NONE and result.status is Status.REFUSED:
            self.end(Status.QUEUED)  # cancelled: given back untried
            return Postpone(self.claim, now)
        self.failed(route, finding, now, result.reply)
        if result.status is Status.UNCERTAIN:
            self.end(Status.UNCERTAIN)
            return Doubt(self.claim, resend, tuple(self.attempts))
        if finding.final or (finding.unknown and self._is_confirmed(route, catalogue, now)):
            self.end(Status.REFUSED)
            return Refuse(self.claim, tuple(self.attempts))
        return None

    def put_off(
        self, now: datetime, random: Callable[[], float], until: datetime | None = None
    ) -> Change:
        """Return the change that leaves it in the outbox, because no route accepted it.

        Args:
            now: This moment.
            random: Returns a number from 0 to 1, for the jitter of delays.
            until: When its turn comes, if only the sending rate of a route delays it.
        """
        entry, attempts = self.claim.entry, tuple(self.attempts)
        if entry.only_route and self.routes.of(entry.only_route) is None:
            # In doubt on a route that is gone: held, or it would wait for ever.
            self.end(Status.UNCERTAIN)
            return Refuse(self.claim, attempts)
        wait = lifecycle.delay(entry.tries, random) if attempts else _WITHOUT_ROUTE
        if self.finding is not None and self.finding.unknown:
            wait = max(wait, _SECOND_OPINION)
        self.end(Status.QUEUED)
        return Postpone(self.claim, until or now + wait, attempts)

    def so_far(self) -> RecipientReceipt:
        """Return its receipt, or the result so far if it is being sent or in the outbox."""
        status = Status.UNCERTAIN if self.in_doubt else Status.QUEUED
        entry_id = self.claim.entry.id
        return self.receipt or RecipientReceipt(self.address, status, "", self.finding, entry_id)

    def _is_confirmed(self, route: str, catalogue: Catalogue, now: datetime) -> bool:
        """Whether a refusal in words that nobody knows is that of every route that sends.

        Where no second one does, the same route has to refuse once more after an hour.
        """
        entry = self.claim.entry
        if entry.only_route:
            return True  # a re-send: no other route may take it, so it is held
        refusals = [
            attempt
            for attempt in (*entry.attempts, *self.attempts[:-1])
            if cause(catalogue, attempt.code).scope is Scope.GENERIC
        ]
        other = DEFAULT if route == CUSTOM else CUSTOM
        if self.may_take(other):
            return any(refusal.route == other for refusal in refusals)
        return any(
            refusal.route == route and refusal.at <= now - _SECOND_OPINION for refusal in refusals
        )


@dataclass(slots=True)
class MessageAttempt:
    """One message on its way to some of its recipients, in one transaction a route.

    Attributes:
        message: The message.
        recipients: Its recipients.
        routes: The routes there are.
    """

    message: OutboxMessage
    recipients: tuple[RecipientAttempt, ...]
    routes: Routes

    @classmethod
    def of(cls, claims: Sequence[Claim], message: OutboxMessage, routes: Routes) -> Self:
        """Return an attempt at a message that has these claims."""
        bound = message.metadata.get(ONLY_ROUTE, "")
        return cls(
            message, tuple(RecipientAttempt(claim, routes, bound) for claim in claims), routes
        )

    def use(self, routes: Routes) -> None:
        """Continue with other routes, because settings were saved since it began."""
        self.routes = routes
        for recipient in self.recipients:
            recipient.routes = routes

    def open_on(self, route: str) -> list[RecipientAttempt]:
        """Return the recipients that are open and may be sent to through `route`."""
        return [each for each in self.recipients if each.may_take(route)]

    def leave(self) -> None:
        """Stop waiting for the results of the recipients that are still open."""
        for recipient in self.recipients:
            if recipient.receipt is None:
                recipient.claim = replace(recipient.claim, awaited=False)

    @property
    def receipt(self) -> Receipt:
        """The result so far."""
        fallback = next((each.fallback for each in self.recipients if each.fallback), None)
        receipts = tuple(each.so_far() for each in self.recipients)
        return Receipt(self.message.message_id, receipts, fallback)


class Run:
    """The messages that one thread sends one after the other.

    The result of one is recorded in the commit that announces the dot of the next, so a
    process that is killed leaves no more emails in doubt than it has sending threads.

    Attributes:
        ends: Acceptances to be recorded with the next commit.
    """

    def __init__(self, attempts: Iterator[MessageAttempt], *, ahead: bool = True) -> None:
        """Send `attempts`, taking each when its turn comes.

        Args:
            attempts: The messages.
            ahead: Whether the next one may be taken a little early, to start on it.
        """
        self.ends: list[Accept] = []
        self._attempts = attempts
        self._looks_ahead = ahead
        self._ahead: MessageAttempt | None = None
        self._fault: Exception | None = None
        self._begun: tuple[Route, MessageAttempt] | None = None

    def __iter__(self) -> Iterator[MessageAttempt]:
        """Yield each message in its turn."""
        while (attempt := self._ahead or next(self._attempts, None)) is not None:
            self._ahead = None
            yield attempt
            if self._begun is not None and self._begun[1] is attempt:
                self.abandon()  # it went another way
        if self._fault is not None:
            raise self._fault

    @property
    def goes_on(self) -> bool:
        """Whether the next message was started along with the present one."""
        return self._begun is not None

    def look_ahead(self) -> None:
        """Take the next message now, so that nothing delays a dot that was announced."""
        if self._looks_ahead and self._ahead is None:
            try:
                self._ahead = next(self._attempts, None)
            except Exception as fault:  # noqa: BLE001 - not that of the present message
                self._fault = fault

    def upcoming(
        self, route: Route, present: MessageAttempt
    ) -> tuple[OutboxMessage, tuple[str, ...]] | None:
        """Return the next message for `route`, and its recipients; None if that isn't certain.

        Args:
            route: The route that is sending now.
            present: The message it is sending.
        """
        if not self._looks_ahead or self._begun is not None:
            return None
        self.look_ahead()
        ahead = self._ahead
        if ahead is None or ahead.routes is not present.routes:
            return None
        first = next((name for name in (CUSTOM, DEFAULT) if ahead.open_on(name)), "")
        if first != route.name or len(ahead.open_on(first)) < len(ahead.recipients):
            return None
        self._begun = (route, ahead)
        return ahead.message, tuple(recipient.address for recipient in ahead.recipients)

    def sends(self, attempt: MessageAttempt, route: Route) -> None:
        """Record that `attempt` goes through `route` now: if that route started it, it is sent."""
        if self._begun is not None and self._begun[1] is attempt:
            if self._begun[0] is not route:
                self._begun[0].abandon()
            self._begun = None

    def abandon(self) -> None:
        """Abandon the message that was started, because it isn't sent."""
        if self._begun is not None:
            self._begun[0].abandon()
            self._begun = None
