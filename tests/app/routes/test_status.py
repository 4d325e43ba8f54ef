"""How sending stands, as a value and as the document of its schema."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from smtp_desk.app.routes.default import default_state, use_outbox, use_sendmail
from smtp_desk.app.routes.status import SCHEMA, SendingStatus, read_status
from smtp_desk.app.services import Services
from smtp_desk.core.settings import Security
from smtp_desk.sender.outbox.entries import EntryState, OutboxMessage
from smtp_desk.sender.routes.route import CUSTOM, DEFAULT
from smtp_desk.store.credentials import CredentialsUnavailableError, UnavailableReason
from smtp_desk.store.stored import Preferences
from tests.store.settings import NEW, NEW_SECRET, OLD, OLD_SECRET, RELAY

if TYPE_CHECKING:
    from pathlib import Path

NOON = datetime(2026, 3, 4, 12, 0, tzinfo=UTC)
MESSAGE = OutboxMessage(
    message_id="<1@example.org>", kind="foreign", payload=b"", recipients=("a@example.org",)
)


class Clock:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def services(tmp_path: Path, clock: Clock) -> Services:
    return replace(Services.sandbox(tmp_path / "home"), now=clock)


def document(services: Services) -> dict[str, Any]:
    """What a script reads."""
    told: dict[str, Any] = json.loads(json.dumps(read_status(services).to_json()))
    return told


def use_custom(services: Services) -> None:
    services.store.save_server(OLD, Security.STARTTLS, OLD_SECRET)
    services.store.set_enabled(True)


def test_a_fresh_machine_and_nothing_is_made(services: Services, tmp_path: Path) -> None:
    told = document(services)
    assert told["schema"] == SCHEMA
    assert told["at"] == "2026-03-04T12:00:00Z"
    assert not told["configured"]
    assert told["custom"]["state"] == told["default"]["state"] == "not_configured"
    assert told["default"]["kind"] == "outbox"
    assert told["custom"]["health"]["state"] == "usable"
    assert told["outbox"] == {**{str(state): 0 for state in EntryState}, "next_due": None}
    assert told["worker_needed"] is False
    assert told["problems"] == []
    assert list(tmp_path.iterdir()) == []


def test_a_server_in_use(services: Services) -> None:
    use_custom(services)
    custom = document(services)["custom"]
    assert (custom["state"], custom["on"], custom["proven"]) == ("active", True, True)
    assert custom["secret"] == "available"
    assert (custom["host"], custom["port"]) == (OLD.host, OLD.port)
    assert custom["from_email"] == OLD.from_email
    services.store.set_enabled(False)
    custom = document(services)["custom"]
    assert (custom["state"], custom["on"], custom["proven"]) == ("off", False, True)


def test_a_server_without_credentials_needs_no_secret(services: Services) -> None:
    services.store.save_server(RELAY, Security.STARTTLS, None, default=True)
    default = document(services)["default"]
    assert (default["kind"], default["state"], default["secret"]) == ("smtp", "active", "none")


def test_a_server_that_was_edited_by_hand(services: Services) -> None:
    use_custom(services)
    file = services.paths.settings_file
    file.write_text(file.read_text().replace(OLD.host, "evil.example.test"))
    custom = document(services)["custom"]
    assert (custom["state"], custom["on"], custom["proven"]) == ("unproven", True, False)
    assert "changed outside" in custom["reason"]


def test_a_keyring_that_does_not_answer(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    use_custom(services)

    def locked(_key: str) -> None:
        raise CredentialsUnavailableError(UnavailableReason.LOCKED)

    monkeypatch.setattr(services.credentials, "get", locked)
    custom = document(services)["custom"]
    assert (custom["state"], custom["secret"]) == ("secret_unavailable", "unavailable")
    assert custom["proven"] is None
    assert str(custom["reason"]).startswith("The keyring is locked. Unlock it")


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("desk@example.org", "desk", "From email: “desk” is no email address."),
        (sys.executable, "/no/such/file", "Path of sendmail: This file doesn’t exist."),
        ('"Example"', '"Exam\\nple"', "Company name: it has a line break"),
    ],
)
def test_a_default_service_that_was_edited_by_hand(
    services: Services, old: str, new: str, reason: str
) -> None:
    services.store.save_preferences(Preferences(company_name="Example"))
    use_sendmail(services, sys.executable, "desk@example.org")
    file = services.paths.settings_file
    file.write_text(file.read_text().replace(old, new))
    default = document(services)["default"]
    assert default["state"] == "unproven"
    assert default["reason"].startswith(reason)
    assert read_status(services).default_text.startswith(f"Not used. {reason}")
    assert not default_state(services, services.store.load()).works


def test_an_address_to_tell_that_is_none(services: Services) -> None:
    services.store.save_preferences(Preferences(notify="it@example.org"))
    assert document(services)["problems"] == []
    services.store.save_preferences(Preferences(notify="nobody\a"))
    (problem,) = document(services)["problems"]
    assert "“nobody\\x07”" in problem


def test_sendmail_has_a_path_and_an_address(services: Services) -> None:
    use_sendmail(services, sys.executable, "desk@example.org")
    default = document(services)["default"]
    assert (default["kind"], default["state"]) == ("sendmail", "active")
    assert (default["path"], default["from_email"]) == (sys.executable, "desk@example.org")
    use_outbox(services)
    default = document(services)["default"]
    assert (default["path"], default["from_email"]) == (None, None)


def test_the_health_of_a_route(services: Services, clock: Clock) -> None:
    use_custom(services)
    services.health.record_failure(CUSTOM, "connect.refused")
    services.health.record_fallback(CUSTOM, 3)
    health = document(services)["custom"]["health"]
    assert (health["state"], health["code"]) == ("resting", "connect.refused")
    assert (health["out_since"], health["until"]) == (
        "2026-03-04T12:00:00Z",
        "2026-03-04T12:01:00Z",
    )
    assert (health["fallbacks"], health["failures"], health["unanswered"]) == (3, 1, 0)
    assert OLD.host in health["summary"]
    assert read_status(services).custom_text.startswith("Unavailable, ")
    clock.now += timedelta(minutes=2)
    assert document(services)["custom"]["health"]["state"] == "due"
    services.health.may_use(CUSTOM)
    health = document(services)["custom"]["health"]
    assert (health["state"], health["until"]) == ("probing", "2026-03-04T12:04:00Z")
    services.health.record_failure(DEFAULT, "auth.rejected")
    health = document(services)["default"]["health"]
    assert (health["state"], health["until"]) == ("shut", None)


def test_asking_grants_no_probe(services: Services, clock: Clock) -> None:
    services.health.record_failure(CUSTOM, "connect.refused")
    clock.now += timedelta(minutes=2)
    before = services.health.status(CUSTOM)
    read_status(services)
    assert services.health.status(CUSTOM) == before


def test_what_waits_needs_a_worker(services: Services, clock: Clock) -> None:
    use_custom(services)
    services.outbox.add([MESSAGE])
    told = document(services)
    assert told["outbox"]["ready"] == 1
    assert told["outbox"]["next_due"] == "2026-03-04T12:00:00Z"
    assert told["worker_needed"] is True
    services.outbox.claim("ann", 1, timedelta(minutes=1))
    told = document(services)
    assert (told["outbox"]["sending"], told["worker_needed"]) == (1, False)
    clock.now += timedelta(minutes=2)
    assert document(services)["worker_needed"] is True


def test_where_no_route_can_be_used_a_worker_is_of_no_use(services: Services) -> None:
    services.outbox.add([MESSAGE])
    assert document(services)["worker_needed"] is False
    use_custom(services)
    assert document(services)["worker_needed"] is True
    services.health.record_failure(CUSTOM, "connect.refused")  # it rests, then it is tried again
    assert document(services)["worker_needed"] is True
    services.health.record_failure(CUSTOM, "auth.rejected")
    assert document(services)["worker_needed"] is False
    services.store.save_server(RELAY, Security.STARTTLS, None, default=True)
    assert document(services)["worker_needed"] is True


def test_an_outbox_that_can_not_be_read_is_said(services: Services) -> None:
    use_custom(services)
    services.paths.outbox_file.write_bytes(b"no database" * 100)
    told = document(services)
    assert told["outbox"] is told["worker_needed"] is told["custom"]["health"] is None
    (problem,) = told["problems"]
    assert "outbox" in problem
    assert told["custom"]["state"] == "active"


def test_no_secret_is_told(services: Services) -> None:
    use_custom(services)
    services.store.save_server(NEW, Security.TLS, NEW_SECRET, default=True)
    status: SendingStatus = read_status(services)
    for secret in (OLD_SECRET, NEW_SECRET):
        assert secret.reveal() not in repr(status)
        assert secret.reveal() not in json.dumps(status.to_json())
