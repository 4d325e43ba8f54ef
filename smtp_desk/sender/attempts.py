"""A message while it is dealt with, and what comes next by the scope of a route's answer."""

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
        claim: Its entry, in our hands.
        routes: The routes there are.
        bound: The one route that its message may take, while there is that route.
        attempts: The routes that were tried or passed over.
        finding: Why the newest of them did not take it; None where it did.
        fallback: Why the custom server did not take it.
        in_doubt: Whether a dot was announced that has no answer yet.
        receipt: What the caller is told; None as long as it is open.
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
        """Who it is."""
        return self.claim.entry.recipient

    def may_take(self, route: str) -> bool:
        """Whether it is open, and `route` one of those it may take."""
        # Another will do where it is bound to a route that is gone: it would wait for ever.
        bound = self.bound if self.routes.of(self.bound) is not None else ""
        allowed = (self.claim.entry.only_route or bound) in ("", route)
        return allowed and self.receipt is None and self.routes.of(route) is not None

    def waits_on(self, route: str) -> bool:
        """Whether `route` takes it, but slower."""
        slow = self.finding is not None and self.finding.scope is Scope.SLOW
        return slow and self.receipt is None and self.attempts[-1].route == route

    def failed(self, route: str, finding: Finding, now: datetime, reply: str = "") -> None:
        """Note that `route` did not take it, or was passed over."""
        self.attempts.append(Attempt(now, route, finding.code, reply))
        self.finding = finding
        if route == CUSTOM:
            self.fallback = finding

    def end(self, status: Status) -> None:
        """Settle what the caller is told."""
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
        """Return the change that ends it; None where the next route is to be tried.

        Args:
            route: Which one answered.
            result: Its answer.
            catalogue: Tells causes.
            now: This moment.
            resend: Whether an email that is uncertain is sent once more.
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
        """Return the change that leaves it in the outbox, for no route took it.

        Args:
            now: This moment.
            random: Returns a number from 0 to 1, for the jitter of delays.
            until: When it is its turn, where a route would take it but for its rate.
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
        """Return its receipt, or what is known where it is still under way or in the outbox."""
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
        recipients: To whom.
        routes: The routes there are.
    """

    message: OutboxMessage
    recipients: tuple[RecipientAttempt, ...]
    routes: Routes

    @classmethod
    def of(cls, claims: Sequence[Claim], message: OutboxMessage, routes: Routes) -> Self:
        """Begin with these claims."""
        bound = message.metadata.get(ONLY_ROUTE, "")
        return cls(
            message, tuple(RecipientAttempt(claim, routes, bound) for claim in claims), routes
        )

    def use(self, routes: Routes) -> None:
        """Go on by other routes: settings were saved since it began."""
        self.routes = routes
        for recipient in self.recipients:
            recipient.routes = routes

    def open_on(self, route: str) -> list[RecipientAttempt]:
        """Return those that are open, and may take `route`."""
        return [each for each in self.recipients if each.may_take(route)]

    def leave(self) -> None:
        """Nobody waits any longer for what comes of those who are still open."""
        for recipient in self.recipients:
            if recipient.receipt is None:
                recipient.claim = replace(recipient.claim, awaited=False)

    @property
    def receipt(self) -> Receipt:
        """What came of it so far."""
        fallback = next((each.fallback for each in self.recipients if each.fallback), None)
        receipts = tuple(each.so_far() for each in self.recipients)
        return Receipt(self.message.message_id, receipts, fallback)


class Run:
    """The messages that one thread sends one after the other.

    The end of one is written down in the commit that says that the dot of the next comes, so a
    process that is killed leaves no more emails in doubt than it has threads that send.

    Attributes:
        ends: Acceptances to be written down with the next commit.
    """

    def __init__(self, attempts: Iterator[MessageAttempt], *, ahead: bool = True) -> None:
        """Send `attempts`; each is asked for when its turn comes.

        Args:
            attempts: The messages.
            ahead: Whether the next one may be asked for a moment before, to be begun already.
        """
        self.ends: list[Accept] = []
        self._attempts = attempts
        self._looks_ahead = ahead
        self._ahead: MessageAttempt | None = None
        self._fault: Exception | None = None
        self._begun: tuple[Route, MessageAttempt] | None = None

    def __iter__(self) -> Iterator[MessageAttempt]:
        """Give out each message in its turn."""
        while (attempt := self._ahead or next(self._attempts, None)) is not None:
            self._ahead = None
            yield attempt
            if self._begun is not None and self._begun[1] is attempt:
                self.abandon()  # it went another way
        if self._fault is not None:
            raise self._fault

    @property
    def goes_on(self) -> bool:
        """Whether the next message was begun with the present one."""
        return self._begun is not None

    def look_ahead(self) -> None:
        """Ask for the next message now, so that nothing keeps a dot waiting that was announced."""
        if self._looks_ahead and self._ahead is None:
            try:
                self._ahead = next(self._attempts, None)
            except Exception as fault:  # noqa: BLE001 - not that of the present message
                self._fault = fault

    def upcoming(
        self, route: Route, present: MessageAttempt
    ) -> tuple[OutboxMessage, tuple[str, ...]] | None:
        """Return the message that `route` gets next, and its recipients; None where none is sure.

        Args:
            route: The one that sends now.
            present: What it sends.
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
        """Note that `attempt` goes by `route` now: where it was begun by that, it is sent."""
        if self._begun is not None and self._begun[1] is attempt:
            if self._begun[0] is not route:
                self._begun[0].abandon()
            self._begun = None

    def abandon(self) -> None:
        """End what was begun, for it is not sent."""
        if self._begun is not None:
            self._begun[0].abandon()
            self._begun = None
