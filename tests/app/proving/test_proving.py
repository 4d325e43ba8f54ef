"""Proving and saving: what never reaches the network, and what may be saved."""

from dataclasses import replace
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from smtp_desk.app.proving import proving
from smtp_desk.app.proving.proving import ProofRequest, ProofResult, prove, save
from smtp_desk.app.services import Services
from smtp_desk.core.secret import Secret, StoredSecret
from smtp_desk.core.settings import Security, SettingsDraft
from smtp_desk.core.stages import StageEvent
from smtp_desk.sandbox.server import Sandbox
from smtp_desk.sender.routes.route import CUSTOM, DEFAULT
from smtp_desk.smtp.check.check import Steps
from smtp_desk.smtp.net.deadline import Cancel
from smtp_desk.store.credentials import CredentialsUnavailableError, UnavailableReason
from smtp_desk.store.settings_store import SettingsStore
from smtp_desk.store.stored import DefaultKind
from smtp_desk.store.unattended import GivenSecrets, UnattendedCredentials
from tests.store.settings import OLD, secret_of


def run(services: Services, draft: SettingsDraft, steps: Steps = Steps.FULL) -> ProofResult:
    events: list[StageEvent] = []
    request = ProofRequest(draft=draft, recipient="ann@sandbox.test", steps=steps)
    result = prove(services, request, events.append, Cancel())
    assert events
    return result


def changed(draft: SettingsDraft, **changes: object) -> SettingsDraft:
    values = {name: getattr(draft, name) for name in SettingsDraft.__slots__}
    return SettingsDraft(**(values | changes))


def test_a_sent_test_email_proves_and_may_be_saved(
    services: Services, draft: SettingsDraft, sandbox: Sandbox
) -> None:
    before = len(sandbox.inbox.mails())
    result = run(services, draft)
    assert result.report.sent
    assert result.proven
    assert len(sandbox.inbox.mails()) == before + 1
    stored = save(services, result)
    assert stored.server
    assert stored.server.mode == "tls"
    assert secret_of(services.store, stored.server) == draft.secret


@pytest.mark.parametrize("route", [CUSTOM, DEFAULT])
def test_what_is_saved_ends_the_rest_of_its_route_alone(
    services: Services, draft: SettingsDraft, route: str
) -> None:
    for each in (CUSTOM, DEFAULT):
        services.health.record_failure(each, "auth.rejected")
    save(services, run(services, draft), default=route == DEFAULT)
    shut = {each for each in (CUSTOM, DEFAULT) if services.health.status(each).shut}
    assert shut == {CUSTOM, DEFAULT} - {route}


def test_an_outbox_that_can_not_be_opened_keeps_nothing_from_being_saved(
    services: Services, draft: SettingsDraft
) -> None:
    services.paths.ensure()
    services.paths.outbox_file.write_bytes(b"no database" * 100)
    assert save(services, run(services, draft)) == services.store.load()


def test_the_relay_is_proven_with_its_own_stored_secret(
    services: Services, draft: SettingsDraft
) -> None:
    save(services, run(services, draft))
    stored = save(services, run(services, draft), default=True)
    assert stored.server
    assert stored.default.server
    assert stored.default.kind is DefaultKind.SMTP
    assert stored.default.server.key != stored.server.key
    services.credentials.delete(stored.server.key)
    untouched = changed(draft, secret=StoredSecret(stored.default.server.key))
    assert run(services, untouched).report.sent


@pytest.mark.parametrize("steps", [Steps.NO_SEND, Steps.NO_LOGIN])
def test_a_shorter_check_is_never_a_proof(
    services: Services, draft: SettingsDraft, steps: Steps, sandbox: Sandbox
) -> None:
    before = len(sandbox.inbox.mails())
    result = run(services, draft, steps)
    assert result.report.finding is None
    assert not result.proven
    assert len(sandbox.inbox.mails()) == before
    with pytest.raises(ValueError, match="successful test email"):
        save(services, result)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"host": "https://localhost"}, "settings.host_invalid"),
        ({"port": "70000"}, "settings.value_invalid"),
        ({"secret": Secret("")}, "settings.credentials_incomplete"),
        ({"username": ""}, "settings.credentials_incomplete"),
        ({"ca_file": "none.pem"}, "settings.ca_file_unreadable"),
        ({"secret": StoredSecret("gone")}, "settings.secret_unavailable"),
    ],
)
def test_what_can_not_be_tested_is_reported_and_sends_nothing(
    services: Services, draft: SettingsDraft, changes: dict[str, object], code: str
) -> None:
    result = run(services, changed(draft, **changes))
    report = result.report
    assert not report.sent
    assert report.finding
    assert report.finding.code == code
    assert [str(stage.stage) for stage in report.stages] == ["settings"]
    assert report.to_json()["message"] == (
        "Could not reach the SMTP server. Verify the host and port."
    )


@pytest.mark.parametrize(
    ("changes", "recipient", "fields"),
    [
        ({"ca_file": "none.pem"}, "ann", ["ca_file", "recipient"]),
        ({"ca_file": "none.pem", "port": "0"}, "", ["port", "ca_file", "recipient"]),
        ({"ca_file": "no\nne.pem", "host": ""}, "ann@sandbox.test", ["host", "ca_file"]),
    ],
)
def test_all_problems_are_told_at_once_those_of_files_among_them(
    services: Services,
    draft: SettingsDraft,
    changes: dict[str, object],
    recipient: str,
    fields: list[str],
) -> None:
    request = ProofRequest(draft=changed(draft, **changes), recipient=recipient)
    report = prove(services, request, lambda _event: None, Cancel()).report
    (stage,) = report.stages
    assert [str(each).split(":")[0] for each in stage.facts["problems"]] == fields  # type: ignore[union-attr]


def test_a_form_is_parsed_at_the_click_and_its_ca_file_is_read_by_the_test(
    services: Services, draft: SettingsDraft, monkeypatch: pytest.MonkeyPatch
) -> None:
    ca_file = Path(draft.ca_file)
    pem = ca_file.read_text("ascii")
    ca_file.write_text("nothing yet")
    request = ProofRequest(draft=draft, recipient="ann@sandbox.test")
    assert request.problems == ()
    ca_file.write_text(pem)
    monkeypatch.setattr(proving, "parse", None)
    result = prove(services, request, lambda _event: None, Cancel())
    assert result.proven
    assert result.values is not None
    assert result.values.settings.ca_pem == pem


@pytest.mark.parametrize("written", ["= 1", "schema = 999\n", "\x00"])
def test_a_settings_file_that_became_unreadable_ends_a_test_with_the_stored_secret(
    services: Services, draft: SettingsDraft, written: str
) -> None:
    services.paths.settings_file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    services.paths.settings_file.write_text(written)
    report = run(services, changed(draft, secret=StoredSecret("any"))).report
    assert report.finding
    assert report.finding.code == "settings.file_unreadable"
    assert not report.sent


def test_every_test_is_logged_by_the_id_of_its_report(
    services: Services, draft: SettingsDraft, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "smtp_desk")
    real = replace(services, sandboxed=False)
    refused = run(real, changed(draft, secret=Secret("wr0ng"))).report
    invalid = run(real, changed(draft, port="x")).report
    assert [record.getMessage() for record in caplog.records] == [
        f"report {refused.id}: auth.rejected at auth",
        f"report {invalid.id}: settings.value_invalid at settings",
    ]
    run(services, draft)
    assert len(caplog.records) == 2


def test_a_recipient_that_is_none_sends_nothing(services: Services, draft: SettingsDraft) -> None:
    request = ProofRequest(draft=draft, recipient="ann")
    result = prove(services, request, lambda _event: None, Cancel())
    assert result.report.finding
    assert result.report.finding.code == "settings.value_invalid"


def test_the_stored_secret_is_used_only_where_it_was_proven(
    services: Services, draft: SettingsDraft
) -> None:
    stored = save(services, run(services, draft))
    assert stored.server
    untouched = changed(draft, secret=StoredSecret(stored.server.key))
    assert run(services, untouched).report.sent
    elsewhere = run(services, changed(untouched, host="127.0.0.1"))
    assert elsewhere.report.finding
    assert elsewhere.report.finding.code == "settings.credentials_incomplete"


def test_a_locked_keyring_is_named(
    services: Services, draft: SettingsDraft, monkeypatch: pytest.MonkeyPatch
) -> None:
    stored = save(services, run(services, draft))
    assert stored.server

    def locked(_key: str) -> None:
        raise CredentialsUnavailableError(UnavailableReason.LOCKED)

    monkeypatch.setattr(services.credentials, "get", locked)
    result = run(services, changed(draft, secret=StoredSecret(stored.server.key)))
    assert result.report.finding
    assert result.report.finding.code == "settings.secret_unavailable"
    assert result.values


def test_a_stored_secret_that_vanished_is_named(services: Services, draft: SettingsDraft) -> None:
    stored = save(services, run(services, draft))
    assert stored.server
    services.credentials.delete(stored.server.key)
    result = run(services, changed(draft, secret=StoredSecret(stored.server.key)))
    assert result.report.finding
    assert result.report.finding.code == "settings.secret_unavailable"
    assert "The keyring has no entry" in result.report.finding.explanation


def test_the_secret_of_the_machine_reaches_no_other_server(
    services: Services, draft: SettingsDraft, sandbox: Sandbox
) -> None:
    """It stands in for any secret that the keyring does not give, and belongs to one server."""
    given = Secret("of the relay alone")
    stored = save(services, run(services, draft))
    relay = replace(OLD, host="relay.example.test")
    services.store.save_server(relay, Security.STARTTLS, given, default=True)
    assert stored.server
    services.credentials.delete(stored.server.key)
    unattended = UnattendedCredentials(GivenSecrets(given), services.credentials)
    machine = replace(services, store=SettingsStore(services.paths, unattended))
    before = len(sandbox.inbox.mails())
    result = run(machine, changed(draft, secret=StoredSecret(stored.server.key)))
    assert result.report.finding
    assert result.report.finding.code == "settings.secret_differs"
    assert len(sandbox.inbox.mails()) == before


@pytest.mark.parametrize("changes", [{}, {"host": ""}], ids=["tested", "refused"])
def test_a_report_says_when_it_was_made(
    services: Services, draft: SettingsDraft, changes: dict[str, object]
) -> None:
    noon = datetime(2026, 11, 23, 13, 0, 0, 5, tzinfo=timezone(timedelta(hours=1)))
    result = run(replace(services, now=lambda: noon), changed(draft, **changes))
    assert result.report.environment["time"] == "2026-11-23T12:00:00+00:00"
