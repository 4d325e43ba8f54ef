"""The outage of the custom server: when there is one, what is said, and what ends it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from smtp_desk.app.notice import Notice
from smtp_desk.app.routes.custom import load_saved, switch_saved
from smtp_desk.app.routes.outage import end_rest, try_again
from smtp_desk.app.routes.route_status import HealthState, RouteStatus, route_health, summary_of
from smtp_desk.app.routes.words import local_time, outage_consequence, outage_title, status_text
from smtp_desk.app.services import Services
from smtp_desk.core.secret import Secret
from smtp_desk.core.settings import Security
from smtp_desk.sender.outbox.entries import OutboxMessage, Postpone
from smtp_desk.sender.routes.health import Probe, RouteHealth, Usable
from smtp_desk.sender.routes.route import CUSTOM, DEFAULT
from smtp_desk.store.credentials import CredentialsUnavailableError, UnavailableReason
from smtp_desk.store.stored import DefaultKind, DefaultService, ServerState
from tests.servers.ports import free_port
from tests.store.settings import OLD, OLD_SECRET

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.app.page import Page

NOON = datetime(2026, 3, 4, 12, 0, tzinfo=UTC)
MESSAGE = OutboxMessage(
    message_id="<1@example.org>", kind="foreign", payload=b"", recipients=("a@example.org",)
)


@pytest.fixture
def services(tmp_path: Path) -> Services:
    """A custom server that is in use, at noon."""
    services = replace(Services.sandbox(tmp_path / "home"), now=lambda: NOON)
    services.store.save_server(OLD, Security.STARTTLS, OLD_SECRET)
    services.store.set_enabled(True)
    return services


def status_of(services: Services) -> RouteStatus:
    return load_saved(services).status


def outage_of(services: Services) -> RouteStatus:
    status = status_of(services)
    assert status.out
    return status


def break_outbox(services: Services) -> None:
    services.paths.outbox_file.parent.mkdir(parents=True, exist_ok=True)
    services.paths.outbox_file.write_bytes(b"no database" * 100)


def test_where_nothing_was_sent_nothing_is_made(services: Services) -> None:
    assert not status_of(services).out
    assert route_health(services, DEFAULT) == RouteHealth(route=DEFAULT)
    end_rest(services, CUSTOM)
    assert not services.paths.outbox_file.exists()


def test_an_outage_says_since_when_and_why(services: Services) -> None:
    services.store.save_default(DefaultService(DefaultKind.SENDMAIL, "/x", "a@example.org"))
    services.health.record_failure(CUSTOM, "connect.refused")
    outage = outage_of(services)
    since = local_time(NOON, NOON)
    assert outage.health
    summary = outage.health.summary
    assert summary == summary_of(services, "connect.refused", services.store.load().server)
    assert OLD.host in summary
    assert outage.health.state is HealthState.RESTING
    assert outage_title(outage) == f"Your mail server has been unavailable since {since}."
    assert status_text(outage) == f"Unavailable, using the default service since {since}."


@pytest.mark.parametrize(
    ("count", "words"),
    [(0, "0 emails were"), (1, "1 email was"), (12, "12 emails were")],
)
def test_fallbacks_are_counted(services: Services, count: int, words: str) -> None:
    services.store.save_default(DefaultService(DefaultKind.SENDMAIL, "/x", "a@example.org"))
    services.health.record_failure(CUSTOM, "connect.refused")
    services.health.record_fallback(CUSTOM, count)
    outage = outage_of(services)
    assert outage.health
    assert outage.health.known.fallbacks == count
    assert outage_consequence(outage).startswith(f"{words} sent by the default")
    assert outage_consequence(outage).endswith("The next email, or a worker, tries it again.")


def test_without_a_default_service_emails_wait(services: Services) -> None:
    services.health.record_failure(CUSTOM, "connect.refused")
    outage = outage_of(services)
    assert outage_consequence(outage).startswith("System emails wait in the outbox.")
    assert "emails wait in the outbox since" in status_text(outage)


def test_a_refused_sign_in_needs_a_person(services: Services) -> None:
    services.health.record_failure(CUSTOM, "auth.rejected")
    outage = outage_of(services)
    assert outage.health
    assert outage.health.state is HealthState.SHUT
    assert "until you press Try again" in outage_consequence(outage)


def test_try_again_tries_the_server_at_once_and_what_waits_is_due(saved: Page) -> None:
    services = saved.services
    services.store.set_enabled(True)
    services.health.record_failure(CUSTOM, "auth.rejected")
    services.outbox.add([MESSAGE])
    (claim,) = services.outbox.claim("ann", 1, timedelta(minutes=1))
    later = services.now() + timedelta(hours=1)
    services.outbox.apply([Postpone(claim, later)])
    notice = try_again(services)
    assert notice == Notice("The server works again. Emails in the outbox are queued to send now.")
    assert not status_of(services).out
    assert isinstance(services.health.may_use(CUSTOM), Usable)
    assert services.outbox.get(claim.entry.id).next_attempt_at < later


def test_nothing_is_promised_in_a_pause(saved: Page) -> None:
    services = saved.services
    services.store.set_enabled(True)
    services.health.record_failure(CUSTOM, "auth.rejected")
    services.control.pause()
    assert try_again(services) == Notice(
        "The server works again. Sending is paused. Nothing is sent until you resume it."
    )


def test_what_only_an_email_can_show_is_not_promised(saved: Page) -> None:
    services = saved.services
    services.store.set_enabled(True)
    services.health.record_failure(CUSTOM, "sender.not_owned")
    notice = try_again(services)
    assert not notice.error
    assert "The next email will show" in notice.text
    assert isinstance(services.health.may_use(CUSTOM), Usable)


def test_a_server_that_still_fails_is_said_with_its_cause(services: Services) -> None:
    settings = replace(OLD, host="127.0.0.1", port=free_port())
    services.store.save_server(settings, Security.STARTTLS, OLD_SECRET)
    services.health.record_failure(CUSTOM, "auth.rejected")
    notice = try_again(services)
    assert notice.error
    assert notice.text.startswith("Still unavailable. ")
    assert "127.0.0.1" in notice.text
    health = services.health.status(CUSTOM)
    assert (health.shut, health.code) == (False, "connect.refused")


def not_proven(services: Services, _monkeypatch: pytest.MonkeyPatch) -> None:
    file = services.paths.settings_file
    file.write_text(file.read_text().replace(OLD.host, "evil.example.test"))


def unreadable(services: Services, _monkeypatch: pytest.MonkeyPatch) -> None:
    services.paths.settings_file.write_text("no settings")


def differs(services: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(services.credentials, "get", lambda _key: Secret("another"))


def vanished(services: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(services.credentials, "get", lambda _key: None)


def locked(services: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    def get(_key: str) -> Secret:
        raise CredentialsUnavailableError(UnavailableReason.LOCKED)

    monkeypatch.setattr(services.credentials, "get", get)


@pytest.mark.parametrize("shut", [False, True])
@pytest.mark.parametrize(
    ("fault", "code"),
    [
        (not_proven, "settings.not_proven"),
        (unreadable, "settings.file_unreadable"),
        (differs, "settings.secret_differs"),
        (vanished, "settings.secret_unavailable"),
        (locked, "settings.secret_unavailable"),
    ],
)
def test_what_keeps_this_process_from_trying_is_told_and_never_written_as_the_route_s(
    services: Services,
    monkeypatch: pytest.MonkeyPatch,
    fault: Callable[[Services, pytest.MonkeyPatch], None],
    code: str,
    *,
    shut: bool,
) -> None:
    services.health.record_failure(CUSTOM, "auth.rejected" if shut else "connect.refused")
    before = services.health.status(CUSTOM)
    fault(services, monkeypatch)
    notice = try_again(services)
    assert notice.error
    assert notice.text == f"Still unavailable. {summary_of(services, code)}"
    after = services.health.status(CUSTOM)
    assert (after.code, after.failures) == (before.code, before.failures)
    # Another process that can use it gets the probe at once.
    assert isinstance(services.health.may_use(CUSTOM), Probe)


def test_a_route_that_is_off_is_left_alone(services: Services) -> None:
    services.health.record_failure(CUSTOM, "connect.refused")
    services.store.set_enabled(False)
    assert try_again(services).error
    assert services.health.status(CUSTOM).probe_until is None


@pytest.mark.parametrize("code", ["connect.refused", "auth.rejected"])
def test_saved_settings_end_it(services: Services, code: str) -> None:
    services.health.record_failure(CUSTOM, code)
    end_rest(services, CUSTOM)
    assert isinstance(services.health.may_use(CUSTOM), Usable)
    assert not status_of(services).out


def test_a_server_that_is_off_has_none(services: Services) -> None:
    services.health.record_failure(CUSTOM, "connect.refused")
    services.store.set_enabled(False)
    assert not status_of(services).out


def test_an_outbox_that_can_not_be_opened_is_no_outage(
    services: Services, caplog: pytest.LogCaptureFixture
) -> None:
    break_outbox(services)
    assert not status_of(services).out
    assert try_again(services).error
    end_rest(services, CUSTOM)
    assert "the outbox could not be told of other settings" in caplog.text


@pytest.mark.parametrize("kind", [kind for kind in ServerState if kind is not ServerState.ACTIVE])
def test_other_states_are_told_first(services: Services, kind: ServerState) -> None:
    services.health.record_failure(CUSTOM, "connect.refused")
    outage = outage_of(services)
    assert status_text(replace(outage, kind=kind)) == status_text(
        replace(outage, kind=kind, health=None)
    )


def test_no_outage_changes_nothing(services: Services) -> None:
    said = f"Active. System emails are sent through {OLD.host}."
    assert status_text(status_of(services)) == said


def test_every_code_has_a_sentence_without_gaps(services: Services) -> None:
    for code in services.catalogue.codes:
        summary = summary_of(services, code)
        assert summary
        assert "{" not in summary, code
    assert summary_of(services, "") == ""


def test_another_day_is_named() -> None:
    assert len(local_time(NOON, NOON)) == len("12:00")
    assert local_time(NOON, NOON + timedelta(days=2)).startswith(f"{NOON.astimezone():%Y-%m-%d} ")


def test_mail_that_waits_is_due_once_the_server_is_switched_on(services: Services) -> None:
    services.store.set_enabled(False)
    services.outbox.add((MESSAGE,))
    (claim,) = services.outbox.claim("test", 1, timedelta(minutes=1))
    services.outbox.apply((Postpone(claim, NOON + timedelta(minutes=15)),))
    switch_saved(services, on=True)
    assert services.outbox.get(claim.entry.id).next_attempt_at == NOON
