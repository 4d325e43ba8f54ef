"""How sending stands, read by Prometheus's own parser."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from prometheus_client.parser import text_string_to_metric_families

from smtp_desk.app.routes.default import use_sendmail
from smtp_desk.app.routes.metrics import exposition
from smtp_desk.app.routes.status import read_status
from smtp_desk.app.services import Services
from smtp_desk.core.settings import Security
from smtp_desk.sender.outbox.entries import EntryState, OutboxMessage
from smtp_desk.sender.routes.health import Ending, Needed
from smtp_desk.sender.routes.route import CUSTOM, DEFAULT
from smtp_desk.store.stored import Preferences
from tests.store.settings import OLD, OLD_SECRET

if TYPE_CHECKING:
    from pathlib import Path

NOON = datetime(2026, 3, 4, 12, 0, tzinfo=UTC)
MESSAGE = OutboxMessage(
    message_id="<1@example.org>", kind="foreign", payload=b"", recipients=("a@example.org",)
)

Samples = dict[tuple[str, frozenset[tuple[str, str]]], float]


@pytest.fixture
def services(tmp_path: Path) -> Services:
    return replace(Services.sandbox(tmp_path / "home"), now=lambda: NOON)


def read(text: str) -> Samples:
    """What Prometheus makes of a text: each sample once, each metric described once."""
    families = list(text_string_to_metric_families(text))
    assert len({family.name for family in families}) == len(families)
    samples: Samples = {}
    for family in families:
        assert (family.type, bool(family.documentation)) == ("gauge", True), family
        for name, labels, value, *_ in family.samples:
            key = (name, frozenset(labels.items()))
            assert key not in samples, key
            samples[key] = value
    assert text.count("# TYPE") == len(families)
    return samples


def metrics(services: Services) -> Samples:
    return read(exposition(read_status(services)))


def value(samples: Samples, name: str, **labels: str) -> float | None:
    return samples.get((f"smtp_desk_{name}", frozenset(labels.items())))


def chosen(samples: Samples, name: str, **labels: str) -> list[str]:
    """The labels besides those given, of the samples of a metric that are 1."""
    wanted = labels.items()
    return [
        "".join(dict(known - wanted).values())
        for (found, known), number in samples.items()
        if found == f"smtp_desk_{name}" and known >= wanted and number == 1
    ]


def use_custom(services: Services) -> None:
    services.store.save_server(OLD, Security.STARTTLS, OLD_SECRET)
    services.store.set_enabled(True)


def test_a_fresh_machine_and_nothing_is_made(services: Services, tmp_path: Path) -> None:
    found = metrics(services)
    assert value(found, "configured") == 0
    assert value(found, "status_timestamp_seconds") == NOON.timestamp()
    assert chosen(found, "route_state", route=CUSTOM) == ["not_configured"]
    assert chosen(found, "default_service") == ["outbox"]
    assert [value(found, "outbox_emails", state=state) for state in EntryState] == [0] * 7
    assert value(found, "outbox_readable") == 1
    assert value(found, "outbox_next_due_timestamp_seconds") is None
    assert value(found, "route_out_since_timestamp_seconds", route=CUSTOM) is None
    assert list(tmp_path.iterdir()) == []


def test_a_server_in_use_and_one_that_is_off(services: Services) -> None:
    use_custom(services)
    use_sendmail(services, "/usr/sbin/sendmail", "desk@example.org")
    found = metrics(services)
    assert chosen(found, "route_state", route=CUSTOM) == ["active"]
    assert chosen(found, "default_service") == ["sendmail"]
    assert chosen(found, "route_health", route=CUSTOM) == ["usable"]
    services.store.set_enabled(False)
    assert chosen(metrics(services), "route_state", route=CUSTOM) == ["off"]


def test_an_outage_and_what_waits(services: Services) -> None:
    use_custom(services)
    services.health.record_failure(CUSTOM, "auth.rejected")
    services.health.record_fallback(CUSTOM, 3)
    services.outbox.add([MESSAGE, MESSAGE])
    services.control.announce("a worker")
    found = metrics(services)
    assert chosen(found, "route_health", route=CUSTOM) == ["shut"]
    assert chosen(found, "route_failure_info", route=CUSTOM) == ["auth.rejected"]
    assert value(found, "route_out", route=CUSTOM) == 1
    assert value(found, "route_out", route=DEFAULT) == 0
    assert value(found, "route_out_since_timestamp_seconds", route=CUSTOM) == NOON.timestamp()
    assert value(found, "route_fallbacks", route=CUSTOM) == 3
    assert value(found, "route_failures", route=CUSTOM) == 1
    assert value(found, "outbox_emails", state="ready") == 2
    assert value(found, "outbox_next_due_timestamp_seconds") == NOON.timestamp()
    assert (value(found, "workers"), value(found, "worker_needed")) == (1, 0)
    assert value(found, "outbox_paused") == 0
    services.control.pause()
    assert value(metrics(services), "outbox_paused") == 1


def test_what_ends_soon(services: Services) -> None:
    use_custom(services)
    end = NOON + timedelta(days=9)
    services.health.record_endings(CUSTOM, [Ending(end, Needed.SERVER_CERTIFICATE)])
    found = metrics(services)
    what = {"route": CUSTOM, "what": "server_certificate"}
    assert value(found, "route_expiry_timestamp_seconds", **what) == end.timestamp()
    assert value(found, "problems") == 1


def test_an_outbox_that_can_not_be_read(services: Services) -> None:
    use_custom(services)
    services.paths.outbox_file.parent.mkdir(parents=True, exist_ok=True)
    services.paths.outbox_file.write_bytes(b"no database" * 100)
    found = metrics(services)
    assert value(found, "outbox_readable") == 0
    assert chosen(found, "route_state", route=CUSTOM) == ["active"]
    assert not any(name.startswith("smtp_desk_outbox_emails") for name, _ in found)
    assert not any(name.startswith("smtp_desk_route_health") for name, _ in found)


def test_no_address_no_host_and_no_secret(services: Services) -> None:
    services.store.save_preferences(Preferences(company_name="Example Ltd", notify='no\n"body\\'))
    use_custom(services)
    file = services.paths.settings_file
    file.write_text(file.read_text().replace(OLD.host, "evil.example.test"))
    services.outbox.add([MESSAGE])
    code = 'a"code\\with\neverything'
    services.health.record_failure(CUSTOM, code)
    text = exposition(read_status(services))
    for hidden in ("@", "evil.example", OLD.username, OLD_SECRET.reveal(), "Example Ltd", "body"):
        assert hidden not in text
    assert chosen(read(text), "route_failure_info", route=CUSTOM) == [code]
