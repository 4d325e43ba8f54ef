"""Spans and metrics of a program's emails, for OpenTelemetry.

    from smtp_desk.contrib.opentelemetry import TelemetrySender

    with TelemetrySender.from_settings() as sender:
        sender.send(Invitation(to="ann@example.org", invited_by="Bo", link="…"))

Each call gets a span below the current one, such as `send invitation`. The metrics are
`smtp_desk.emails`, which counts recipients by result, and `smtp_desk.call.duration`, in seconds.
They contain kinds, routes, numbers and the codes of failures: no address, no subject, no
Message-ID, no key, and no text of an error or a server. This needs opentelemetry-api, the extra
`telemetry`; the program sets up where they go, with an SDK and an exporter.
"""

import time
from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import datetime
from types import TracebackType
from typing import Final, Self, final

from opentelemetry import metrics, trace
from opentelemetry.trace import SpanKind, StatusCode

from smtp_desk import __version__
from smtp_desk.sender import AnyEmail, Email, KeyedEmail, OutboxMessage, Receipt, Sender
from smtp_desk.sender.dispatcher import PATIENCE_S
from smtp_desk.sender.mail.addressing import FOREIGN

# Where a program sets its providers later, these are told of it.
_TRACER: Final = trace.get_tracer("smtp_desk", __version__)
_METER: Final = metrics.get_meter("smtp_desk", __version__)
_EMAILS: Final = _METER.create_counter("smtp_desk.emails", "{email}", "Emails by result.")
_DURATION: Final = _METER.create_histogram(
    "smtp_desk.call.duration", "s", "How long a program waited for a call."
)


@final
class TelemetrySender(Sender):
    """A `Sender` that reports each call to OpenTelemetry; `AsyncSender` can use it, too.

    It uses the program's global providers. `drain`, and so the worker, isn't reported:
    `smtp-desk status --prometheus` has metrics of that.
    """

    def send(
        self,
        email: AnyEmail,
        *,
        key: str | None = None,
        send_at: datetime | None = None,
        timeout: float = PATIENCE_S,
    ) -> Receipt:
        """Do what `Sender.send` does, and raise what it raises."""
        with _Call("send", _kind(email)) as call:
            return call.told(super().send(email, key=key, send_at=send_at, timeout=timeout))

    def queue(
        self, email: AnyEmail, *, key: str | None = None, send_at: datetime | None = None
    ) -> Receipt:
        """Do what `Sender.queue` does, and raise what it raises."""
        with _Call("queue", _kind(email)) as call:
            return call.told(super().queue(email, key=key, send_at=send_at))

    def send_many(self, emails: Iterable[AnyEmail | KeyedEmail]) -> Iterator[Receipt]:
        """Do what `Sender.send_many` does, and raise what it raises.

        Its span lasts until the last receipt was taken, or the loop ended.
        """
        with _Call("send_many") as call:
            for receipt in super().send_many(emails):
                yield call.told(receipt)


@final
class _Call:
    """A call while it lasts; its end is reported."""

    def __init__(self, operation: str, kind: str = "") -> None:
        self._facts: Final = {"smtp_desk.operation": operation}
        if kind:
            self._facts["smtp_desk.kind"] = kind
        # It never is the current span: `send_many` would leave it so between two receipts.
        self._span: Final = _TRACER.start_span(
            f"{operation} {kind}".rstrip(), kind=SpanKind.PRODUCER, attributes=self._facts
        )
        self._results: Final = Counter[str]()
        self._began: Final = time.perf_counter()

    def __enter__(self) -> Self:
        return self

    def told(self, receipt: Receipt) -> Receipt:
        """Count the recipients of a receipt; return it."""
        for each in receipt.recipients:
            result = {"smtp_desk.status": each.status.value}
            if each.route:
                result["smtp_desk.route"] = each.route
            if each.finding is not None:
                result["error.type"] = each.finding.code
            _EMAILS.add(1, self._facts | result)
            self._results[each.status.value] += 1
        return receipt

    def __exit__(
        self,
        error_type: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        for status, count in self._results.items():
            self._span.set_attribute(f"smtp_desk.emails.{status}", count)
        facts = dict(self._facts)
        # A loop over receipts that ends early isn't an error.
        if error_type is not None and error_type is not GeneratorExit:
            # Its name only: its text may have an address in it.
            facts["error.type"] = error_type.__name__
            self._span.set_attribute("error.type", error_type.__name__)
            self._span.set_status(StatusCode.ERROR)
        _DURATION.record(time.perf_counter() - self._began, facts)
        self._span.end()


def _kind(email: AnyEmail) -> str:
    return email.kind if isinstance(email, Email | OutboxMessage) else FOREIGN
