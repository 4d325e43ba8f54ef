"""The status of sending as metrics, in the text format of Prometheus and node exporter.

They contain no settings, hosts, addresses or sentences: more people read them than the settings. A
value that doesn't apply or isn't known has no sample. Times are Unix times in seconds.

The format is version 0.0.4: https://prometheus.io/docs/instrumenting/exposition_formats/
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from smtp_desk import __version__
from smtp_desk.app.routes.route_status import HealthState, RouteStatus
from smtp_desk.app.routes.status import SendingStatus, route_state
from smtp_desk.sender.outbox.entries import EntryState
from smtp_desk.store.stored import DefaultKind, ServerState

_ROUTE_STATES: Final = tuple(each for each in ServerState if each is not ServerState.UNREADABLE)


@dataclass(frozen=True, slots=True)
class _Sample:
    """One value, and the labels that tell it from the others of its metric."""

    value: float | datetime | None
    labels: tuple[tuple[str, str], ...] = ()

    @classmethod
    def of(cls, value: float | datetime | None, **labels: str) -> "_Sample":
        return cls(value, tuple(labels.items()))


def exposition(found: SendingStatus) -> str:
    """Return all metrics as one text, each of them a gauge."""
    return "".join(
        line
        for name, text, samples in (*_of_program(found), *_of_routes(found), *_of_outbox(found))
        for line in _lines(f"smtp_desk_{name}", text, samples)
    )


_Metric = tuple[str, str, Iterable[_Sample]]


def _of_program(found: SendingStatus) -> Iterator[_Metric]:
    one = _Sample.of
    yield "build_info", "The version of SMTP Desk.", [one(1, version=__version__)]
    yield "status_timestamp_seconds", "When these values were read.", [one(found.at)]
    yield "configured", "Whether any route was ever configured.", [one(found.configured)]
    yield "problems", "What can’t be read or used, or ends soon.", [one(len(found.problems))]


def _of_routes(found: SendingStatus) -> Iterator[_Metric]:
    routes = (found.custom, found.default)
    kind = found.default.service.kind
    yield (
        "route_state",
        "How a route stands, its health aside: 1 for its state, 0 for the others.",
        _one_of(((each.route, route_state(each)) for each in routes), _ROUTE_STATES),
    )
    yield (
        "default_service",
        "What the default email service is: 1 for its kind, 0 for the others.",
        [_Sample.of(each is kind, kind=each) for each in DefaultKind],
    )
    known = [(each, each.health) for each in routes if each.health]
    yield (
        "route_health",
        "Whether a route may be used: 1 for its state, 0 for the others.",
        _one_of(((each.route, health.state) for each, health in known), HealthState),
    )
    yield (
        "route_out",
        "Whether a route is in an outage, so that emails go another way or wait.",
        [_Sample.of(each.out, route=each.route) for each, _ in known],
    )
    for name, text, read in _HEALTH:
        samples = [_Sample.of(getattr(health.known, read), route=each.route)
                   for each, health in known]  # fmt: skip
        yield name, text, samples
    yield (
        "route_failure_info",
        "The code of the newest failure of a route.",
        [
            _Sample.of(1, route=each.route, code=health.known.code)
            for each, health in known
            if health.known.code
        ],
    )
    yield "route_expiry_timestamp_seconds", _EXPIRY, _endings(routes)


_HEALTH: Final = (
    ("route_out_since_timestamp_seconds", "When the present outage of a route began.", "out_since"),
    ("route_fallbacks", "Emails sent another way since the newest outage began.", "fallbacks"),
    ("route_failures", "Failed sessions since the last one that worked.", "failures"),
    ("route_unanswered", "Emails in a row that the server did not confirm.", "uncertain"),
)
_EXPIRY: Final = "When something that a route needs ends, once that is soon (30 days)."


def _endings(routes: Iterable[RouteStatus]) -> Iterator[_Sample]:
    for route in routes:
        for each in route.endings:
            yield _Sample.of(each.at, route=route.route, what=each.what)


def _of_outbox(found: SendingStatus) -> Iterator[_Metric]:
    outbox, one = found.outbox, _Sample.of
    yield "outbox_readable", "Whether the outbox can be read.", [one(outbox is not None)]
    if outbox is None:
        return
    yield (
        "outbox_emails",
        "Emails in the outbox, one for each recipient.",
        [one(outbox.counts.of(state), state=state) for state in EntryState],
    )
    due = "When a worker next finds something to do."
    yield "outbox_next_due_timestamp_seconds", due, [one(outbox.next_due)]
    paused = outbox.paused_since
    yield "outbox_paused", "Whether a person has paused sending.", [one(paused is not None)]
    yield "workers", "Workers that run.", [one(outbox.workers)]
    needed = "Whether emails wait that only a worker, or the next email, sends."
    yield "worker_needed", needed, [one(found.worker_needed)]


def _one_of(states: Iterable[tuple[str, str]], every: Iterable[str]) -> list[_Sample]:
    known = tuple(every)
    return [
        _Sample.of(each == state, route=route, state=each) for route, state in states
        for each in known
    ]  # fmt: skip


def _lines(name: str, text: str, samples: Iterable[_Sample]) -> list[str]:
    """Return a metric; nothing where none of its values is known."""
    lines = [
        f"{name}{_labels(each.labels)} {_number(each.value)}\n"
        for each in samples
        if each.value is not None
    ]
    return [f"# HELP {name} {_escaped(text)}\n", f"# TYPE {name} gauge\n", *lines] if lines else []


def _labels(labels: tuple[tuple[str, str], ...]) -> str:
    quoted = (f'{name}="{_escaped(value, quote=True)}"' for name, value in labels)
    return f"{{{','.join(quoted)}}}" if labels else ""


def _escaped(text: str, *, quote: bool = False) -> str:
    text = text.replace("\\", r"\\").replace("\n", r"\n")
    return text.replace('"', r"\"") if quote else text


def _number(value: float | datetime) -> str:
    if isinstance(value, datetime):
        value = value.timestamp()
    return repr(int(value)) if value == int(value) else repr(float(value))
