"""A test's connection counts among those of our own sending."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

import pytest

from smtp_desk.app.proving.proving import ProofRequest, prove
from smtp_desk.core.secret import Secret
from smtp_desk.core.settings import Security, ServerSettings, SettingsDraft
from smtp_desk.sender.routes import share
from smtp_desk.sender.routes.throttle import ConnectionLease, Login
from smtp_desk.smtp.net.deadline import Cancel
from tests.servers.script import Reply, Script
from tests.servers.scripted import ScriptedServer
from tests.store.settings import OLD

if TYPE_CHECKING:
    from smtp_desk.app.services import Services
    from smtp_desk.core.report import CheckReport
    from smtp_desk.sandbox.server import Sandbox
    from tests.servers.certs import Certificates

PASSWORD: Final = Secret("s3cret")
SENDING: Final = "SMTP Desk is using"
WAIT: Final = "wait_for_sending"


@pytest.fixture(autouse=True)
def _hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(share, "_PATIENCE_S", 0.1)


def login_of(draft: SettingsDraft) -> Login:
    return Login(draft.host, int(draft.port), draft.username)


def save(services: Services, draft: SettingsDraft, *, default: bool = False) -> None:
    settings = ServerSettings(
        host=draft.host,
        port=int(draft.port),
        username=draft.username,
        from_email=draft.from_email,
    )
    services.store.save_server(settings, Security.STARTTLS, PASSWORD, default=default)


def hold(services: Services, login: Login, count: int) -> list[ConnectionLease]:
    leases = [services.throttle.lease(login) for _ in range(count)]
    held = [each for each in leases if isinstance(each, ConnectionLease)]
    assert len(held) == count
    return held


def run(
    services: Services, draft: SettingsDraft, cancel: Cancel | None = None
) -> tuple[CheckReport, set[int]]:
    """Return the report, and how many connections were leased while the test ran."""
    leased: set[int] = set()

    def look(_event: object) -> None:
        if services.paths.outbox_file.exists():
            leased.add(services.throttle.state(login_of(draft)).leased)

    request = ProofRequest(draft=draft, recipient="ann@sandbox.test")
    return prove(services, request, look, cancel or Cancel()).report, leased


@pytest.mark.parametrize("count", [1, 2, 3])
@pytest.mark.parametrize(
    ("command", "line", "code"),
    [
        ("", "421 Too many concurrent SMTP connections", "greeting.busy"),
        ("", "450 4.3.2 try again later", "greeting.busy"),
        ("MAIL", "432 4.3.2 Concurrent connections limit exceeded", "message.concurrency"),
        ("RCPT", "451 4.7.0 too many open connections", "message.concurrency"),
    ],
)
def test_a_busy_server_is_explained_by_our_own_sending(
    services: Services, certs: Certificates, command: str, line: str, code: str, *, count: int
) -> None:
    tls = certs.good.tls
    refusal = Reply(line)
    script = (
        Script(tls=tls, on={command: refusal}) if command else Script(tls=tls, greeting=refusal)
    )
    with ScriptedServer(script) as server:
        draft = SettingsDraft(
            host=server.host,
            port=str(server.port),
            username="desk",
            secret=PASSWORD,
            from_email="desk@example.test",
            ca_file=str(certs.root.chain_file),
        )
        save(services, draft)
        alone, _ = run(services, draft)
        held = hold(services, login_of(draft), count)
        busy, _ = run(services, draft)
        assert services.throttle.state(login_of(draft)).leased == count
        services.throttle.release(held)
    assert alone.finding
    assert busy.finding
    assert alone.finding.code == busy.finding.code == code
    assert SENDING not in alone.finding.explanation
    assert WAIT not in {each.id for each in alone.finding.remedies}
    assert f"{SENDING} {count} of " in busy.finding.explanation
    assert busy.finding.remedies[0].id == WAIT


def test_a_connection_that_is_closed_is_none_of_our_own_sending(
    services: Services, certs: Certificates
) -> None:
    busy = Script(tls=certs.good.tls, on={"MAIL": Reply("432 4.3.2 Too many")})
    with ScriptedServer(busy) as server:
        draft = SettingsDraft(
            host=server.host,
            port=str(server.port),
            username="desk",
            secret=PASSWORD,
            from_email="desk@example.test",
            ca_file=str(certs.root.chain_file),
        )
        save(services, draft)
        services.throttle.release(hold(services, login_of(draft), 2))
        assert services.throttle.state(login_of(draft)).closing == 2
        report, _ = run(services, draft)
    assert report.finding
    assert SENDING not in report.finding.explanation


@pytest.mark.parametrize("default", [False, True])
def test_the_connection_is_leased_while_the_test_lasts(
    services: Services, draft: SettingsDraft, *, default: bool
) -> None:
    save(services, draft, default=default)
    assert services.throttle.state(login_of(draft)).leased == 0
    report, leased = run(services, draft)
    assert report.sent
    assert leased == {1}
    assert services.throttle.state(login_of(draft)).leased == 0


def test_without_a_lease_it_goes_on(services: Services, draft: SettingsDraft) -> None:
    save(services, draft)
    hold(services, login_of(draft), 3)
    report, leased = run(services, draft)
    assert report.sent
    assert leased == {3}


def test_it_waits_for_a_lease(
    services: Services, draft: SettingsDraft, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(share, "_PATIENCE_S", 60.0)
    save(services, draft)
    held = hold(services, login_of(draft), 3)
    with ThreadPoolExecutor(1) as threads:
        running = threads.submit(run, services, draft)
        services.throttle.release(held[:1])
        report, leased = running.result(30)
    assert report.sent
    assert leased == {3}


def test_the_wait_can_be_cancelled(
    services: Services, draft: SettingsDraft, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(share, "_PATIENCE_S", 60.0)
    save(services, draft)
    hold(services, login_of(draft), 3)
    cancel = Cancel()
    with ThreadPoolExecutor(1) as threads:
        running = threads.submit(run, services, draft, cancel)
        cancel.cancel()
        report, _ = running.result(30)
    assert report.cancelled


def test_where_nothing_was_sent_no_outbox_is_made(
    services: Services, draft: SettingsDraft, sandbox: Sandbox
) -> None:
    save(services, draft)
    before = len(sandbox.inbox.mails())
    report, _ = run(services, draft)
    assert report.sent
    assert len(sandbox.inbox.mails()) == before + 1
    assert not services.paths.outbox_file.exists()


@pytest.mark.parametrize(
    "other", [{"host": "other.example.test"}, {"port": "1"}, {"username": "other"}], ids=str
)
def test_other_settings_than_those_saved_are_not_counted(
    services: Services, draft: SettingsDraft, other: dict[str, Any]
) -> None:
    save(services, replace(draft, **other))
    assert services.throttle.state(login_of(draft)).leased == 0
    report, leased = run(services, draft)
    assert report.sent
    assert leased == {0}


def test_neither_outbox_nor_settings_are_needed(services: Services, draft: SettingsDraft) -> None:
    services.store.save_server(OLD, Security.STARTTLS, PASSWORD)
    services.paths.outbox_file.write_bytes(b"no database" * 100)
    save(services, draft)
    request = ProofRequest(draft=draft, recipient="ann@sandbox.test")
    assert prove(services, request, lambda _event: None, Cancel()).report.sent
    services.paths.settings_file.write_text("no settings")
    assert prove(services, request, lambda _event: None, Cancel()).report.sent
