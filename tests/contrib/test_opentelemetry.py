"""What OpenTelemetry is told of emails, and what it never is."""

from __future__ import annotations

import asyncio
import gc
import subprocess
import sys
from email.message import EmailMessage
from typing import TYPE_CHECKING

import pytest
from opentelemetry import metrics, trace
from opentelemetry.sdk.metrics import Counter, Histogram, MeterProvider
from opentelemetry.sdk.metrics.export import AggregationTemporality, InMemoryMetricReader
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode

from smtp_desk.contrib.opentelemetry import TelemetrySender
from smtp_desk.sender import AsyncSender, EmailError, KeyedEmail, Notification
from smtp_desk.sender.mail.templates import Templates
from smtp_desk.sender.routes.route import Routes
from smtp_desk.sender.testing import MemoryHealth, MemoryOutbox
from tests.sender.post_office import FixedRoutes
from tests.sender.ways import CATALOGUE, Way

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

BOTH = Notification(to=("ann@example.org", "bo@example.org"), title="Paid 47 €", body="Secret.")


class Told:
    """What the process's providers were told of; they can be set only once."""

    def __init__(self) -> None:
        self.exporter = InMemorySpanExporter()
        tracers = TracerProvider(shutdown_on_exit=False)
        tracers.add_span_processor(SimpleSpanProcessor(self.exporter))
        trace.set_tracer_provider(tracers)
        delta = AggregationTemporality.DELTA
        self.reader = InMemoryMetricReader({Counter: delta, Histogram: delta})
        metrics.set_meter_provider(MeterProvider([self.reader], shutdown_on_exit=False))

    def forget(self) -> None:
        self.exporter.clear()
        self.reader.get_metrics_data()

    @property
    def spans(self) -> tuple[ReadableSpan, ...]:
        return self.exporter.get_finished_spans()

    def points(self, name: str) -> list[dict[str, object]]:
        """The attributes of each point, and its value as `value` or its number as `count`."""
        data = self.reader.get_metrics_data()
        assert data is not None
        return [
            {**(point.attributes or {}), "value": getattr(point, "value", None)}
            for resource in data.resource_metrics
            for scope in resource.scope_metrics
            for metric in scope.metrics
            if metric.name == name
            for point in metric.data.data_points
        ]

    @property
    def everything(self) -> str:
        data = self.reader.get_metrics_data()
        spans = "".join(span.to_json() for span in self.spans)
        return spans + (data.to_json() if data else "")


@pytest.fixture(scope="session")
def providers() -> Told:
    return Told()


@pytest.fixture
def told(providers: Told) -> Told:
    providers.forget()
    return providers


@pytest.fixture
def way() -> Way:
    return Way(answer=lambda each: "recipient.unknown" if each.startswith("bo") else "")


@pytest.fixture
def sender(tmp_path: Path, way: Way) -> Iterator[TelemetrySender]:
    routes = FixedRoutes(Routes(custom=way))
    parts = (MemoryOutbox(), MemoryHealth(), routes, Templates(tmp_path), CATALOGUE)
    with TelemetrySender(*parts) as sender:
        yield sender


def test_a_call_is_a_span(told: Told, sender: TelemetrySender) -> None:
    with trace.get_tracer("program").start_as_current_span("order"):
        sender.send(BOTH)
    span, parent = told.spans
    assert (span.name, span.kind) == ("send notification", SpanKind.PRODUCER)
    assert span.parent == parent.context
    assert span.attributes == {
        "smtp_desk.operation": "send",
        "smtp_desk.kind": "notification",
        "smtp_desk.emails.accepted": 1,
        "smtp_desk.emails.refused": 1,
    }
    assert span.status.status_code is StatusCode.UNSET


def test_recipients_are_counted_by_result(told: Told, sender: TelemetrySender) -> None:
    for _ in range(2):
        sender.send(BOTH)
    shared = {"smtp_desk.operation": "send", "smtp_desk.kind": "notification", "value": 2}
    custom = {"smtp_desk.route": "custom"}
    assert told.points("smtp_desk.emails") == [
        {**shared, **custom, "smtp_desk.status": "accepted"},
        {**shared, **custom, "smtp_desk.status": "refused", "error.type": "recipient.unknown"},
    ]


def test_how_long_a_call_took(told: Told, sender: TelemetrySender) -> None:
    sender.send(BOTH)
    (duration,) = told.points("smtp_desk.call.duration")
    assert duration["smtp_desk.operation"] == "send"


def test_what_is_stored_or_many(told: Told, sender: TelemetrySender) -> None:
    message = EmailMessage()
    message["To"] = "ann@example.org"
    sender.queue(message)
    list(sender.send_many([BOTH, KeyedEmail(BOTH, "a"), message]))
    assert [span.name for span in told.spans] == ["queue foreign", "send_many"]
    queued, many = (span.attributes or {} for span in told.spans)
    assert queued["smtp_desk.emails.queued"] == 1
    assert (many["smtp_desk.emails.accepted"], many["smtp_desk.emails.refused"]) == (3, 2)


def test_a_loop_that_ends_early_is_no_error(told: Told, sender: TelemetrySender) -> None:
    for _ in sender.send_many([BOTH, BOTH]):
        break
    gc.collect()
    (span,) = told.spans
    assert span.status.status_code is StatusCode.UNSET
    assert span.attributes is not None
    assert "error.type" not in span.attributes


def test_an_error_is_told_by_its_name_only(told: Told, sender: TelemetrySender) -> None:
    message = EmailMessage()
    message["To"] = "ann at example.org"
    with pytest.raises(EmailError):
        sender.send(message)
    (span,) = told.spans
    assert (span.status.status_code, span.status.description) == (StatusCode.ERROR, None)
    assert span.attributes is not None
    assert span.attributes["error.type"] == "EmailError"
    assert span.events == ()
    (duration,) = told.points("smtp_desk.call.duration")
    assert duration["error.type"] == "EmailError"
    assert "ann" not in told.everything


def test_nothing_personal_is_told(told: Told, sender: TelemetrySender, way: Way) -> None:
    sender.send(BOTH, key="order of ann")
    way.answer = lambda _recipient: "message.unconfirmed"
    receipt = sender.send(BOTH)
    with pytest.raises(EmailError):
        sender.queue(BOTH, key="\n")
    list(sender.send_many([BOTH]))
    everything = told.everything
    assert "message.unconfirmed" in everything
    for personal in ("ann", "bo@", "example.org", "Paid", "Secret", receipt.message_id):
        assert personal not in everything


def test_asyncio(told: Told, sender: TelemetrySender) -> None:
    async def send() -> None:
        async with AsyncSender(sender) as own:
            with trace.get_tracer("program").start_as_current_span("order"):
                await own.send(BOTH)

    asyncio.run(send())
    span, parent = told.spans
    assert (span.name, parent.name) == ("send notification", "order")
    assert span.parent == parent.context


def test_nothing_of_it_is_loaded_unasked() -> None:
    code = "import sys, smtp_desk.sender as s; s.Sender; print('opentelemetry' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True)
    assert done.stdout == "False\n"
