"""Routes whose answers a test decides, and what a dispatcher needs beside them."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from smtp_desk.core.findings.catalogue import cause
from smtp_desk.core.findings.finding import Scope
from smtp_desk.sender.routes.route import (
    CUSTOM,
    NoTurnError,
    RouteResult,
    Upcoming,
    nothing_upcoming,
)
from smtp_desk.smtp.session.envelope import Status
from smtp_desk.store.resources import read_catalogue

if TYPE_CHECKING:
    from collections.abc import Callable

    from smtp_desk.core.findings.finding import Finding
    from smtp_desk.core.reply import Reply
    from smtp_desk.sender.outbox.entries import OutboxMessage
    from smtp_desk.sender.routes.health import Ending
    from smtp_desk.smtp.net.deadline import Deadline
    from smtp_desk.smtp.session.transaction import BeforeDot

CATALOGUE: Final = read_catalogue()

ACCEPTED: Final = ""
UNCERTAIN: Final = "message.unconfirmed"


def finding(code: str) -> Finding:
    return cause(CATALOGUE, code)


@dataclass
class Way:
    """A route that answers with a code for each recipient; "" accepts.

    Attributes:
        name: The route's name.
        answer: The code for a recipient; by default everything is accepted.
        dotted: Whether codes other than "" come after the dot.
        sent: Message-ID and recipients of each transaction.
        given: What was accepted: Message-ID and recipient.
        probes: Codes of the probes to come, before those of `answer`; "" works.
        fault: Raised instead of an answer, before the dot.
        late_fault: Raised after it.
        reply: What the server says with a refusal.
        ends: What of it ends soon.
        slow: Whether it wants a pause: then nothing more goes by it in this delivery.
    """

    name: str = CUSTOM
    answer: Callable[[str], str] = lambda _recipient: ACCEPTED
    dotted: bool = False
    sent: list[tuple[str, tuple[str, ...]]] = field(default_factory=list)
    given: list[tuple[str, str]] = field(default_factory=list)
    probes: list[str] = field(default_factory=list)
    probed: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))
    fault: Exception | None = None
    late_fault: Exception | None = None
    reply: Reply | None = None
    slow: bool = False
    ends: tuple[Ending, ...] = ()
    retired: bool = False
    closed: bool = False

    def send(
        self,
        message: OutboxMessage,
        recipients: tuple[str, ...],
        before_dot: BeforeDot,
        patience: Deadline,
        upcoming: Upcoming = nothing_upcoming,
    ) -> tuple[RouteResult, ...]:
        if self.slow and not patience.passed:
            self.slow = False
            raise NoTurnError
        self.sent.append((message.message_id, recipients))
        if self.fault:
            raise self.fault
        codes = [self.answer(recipient) for recipient in recipients]
        if self.dotted or ACCEPTED in codes or UNCERTAIN in codes:
            before_dot()
        if self.late_fault:
            raise self.late_fault
        self.slow = {finding(code).scope for code in codes} == {Scope.SLOW}
        return tuple(
            self._result(message.message_id, *pair) for pair in zip(recipients, codes, strict=True)
        )

    def probe(self) -> Finding | None:
        code = self.probes.pop(0) if self.probes else self.answer("")
        self.probed.release()
        return finding(code) if code else None

    def endings(self) -> tuple[Ending, ...]:
        return self.ends

    def abandon(self) -> None:
        pass

    def retire(self) -> None:
        self.retired = True

    def close(self) -> None:
        self.closed = True

    def _result(self, message_id: str, recipient: str, code: str) -> RouteResult:
        if code == ACCEPTED:
            self.given.append((message_id, recipient))
            return RouteResult(recipient, Status.ACCEPTED, "250 2.0.0 queued")
        unsure = code == UNCERTAIN
        status = Status.UNCERTAIN if unsure else Status.REFUSED
        found = replace(finding(code), reply=self.reply)
        return RouteResult(recipient, status, "words of the server", found)


def failing(code: str, name: str = CUSTOM, *, dotted: bool = False) -> Way:
    """A route that answers `code` to everything."""
    return Way(name, lambda _recipient: code, dotted=dotted)
