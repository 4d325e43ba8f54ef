"""Emails by a sign-in that is renewed on the way, and what happens when it ends."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from smtp_desk.app.routes.custom import load_saved
from smtp_desk.app.routes.outage import try_again
from smtp_desk.app.routes.words import status_text
from smtp_desk.app.services import Services
from smtp_desk.core.oauth import OAuthFlow, OAuthSettings, end_of
from smtp_desk.core.secret import Secret
from smtp_desk.core.settings import Security, ServerSettings
from smtp_desk.oauth.link import ProviderLink
from smtp_desk.sender.mail.kinds import Invitation
from smtp_desk.sender.receipts import Receipt
from smtp_desk.sender.routes.health import Shut, Usable
from smtp_desk.store.stored import DefaultKind, DefaultService
from tests.oauth.conftest import settings_of
from tests.oauth.test_assertions import pem_of
from tests.servers.certs import Certificates
from tests.servers.scripted import ScriptedServer
from tests.servers.sign_in_service import Reply, SignInService
from tests.servers.token_mail import takes_tokens
from tests.store.failing_credentials import NOBODY_IS_THERE

ANN = "ann@example.org"


@dataclass
class Platform:
    """A platform whose server takes tokens, at a time that is turned by hand."""

    services: Services
    service: SignInService
    server: ScriptedServer
    now: datetime = datetime(2026, 12, 1, tzinfo=UTC)
    issued: dict[str, datetime] = field(default_factory=dict)

    def holds(self, token: str) -> bool:
        return self.now < self.issued[token] + timedelta(seconds=self.service.lifetime)

    def save(self, flow: OAuthFlow, ca_pem: str, key: str = "") -> None:
        settings = ServerSettings(
            host="localhost",
            port=self.server.port,
            username=ANN,
            from_email=ANN,
            ca_pem=ca_pem,
            oauth=settings_of(self.service, flow),
        )
        app = flow is OAuthFlow.APP
        self.services.store.save_server(
            settings,
            Security.STARTTLS,
            Secret((key or "client secret") if app else ""),
            refresh_token=Secret("" if app else self.service.new_refresh_token()),
        )
        self.services.store.set_enabled(True)

    def send(self) -> Receipt:
        with closing(self.services.open_sender()) as sender:
            return self.send_by(sender)

    def send_by(self, sender: object) -> Receipt:
        receipt: Receipt = sender.send(  # type: ignore[attr-defined]
            Invitation(to="bo@example.org", invited_by="Ann", link="https://example.org/")
        )
        return receipt


@pytest.fixture
def platform(services: Services, certs: Certificates, ca_pem: str) -> Iterator[Platform]:
    tls = certs.good_rsa.tls
    with SignInService(tls) as service:
        made: list[Platform] = []

        def holds(token: str) -> bool:
            return made[0].holds(token)

        script = takes_tokens(service, tls, ANN, holds=holds)
        once = replace(script, extensions=("AUTH XOAUTH2", "LIMITS MAILMAX=1"))
        with ScriptedServer(once) as server:
            platform = Platform(services, service, server)

            def now() -> float:
                return platform.now.timestamp()

            def link_to(_settings: OAuthSettings) -> ProviderLink:
                return ProviderLink(ca_pem=ca_pem, now=now)

            platform.services = replace(services, now=lambda: platform.now, link_to=link_to)
            original = service._access

            def access() -> dict[str, object]:
                given = original()
                platform.issued[service.access[-1]] = platform.now
                return given

            service._access = access  # type: ignore[method-assign]
            made.append(platform)
            yield platform


@pytest.fixture
def ca_pem(certs: Certificates) -> str:
    return certs.root.chain_file.read_text()


@pytest.mark.parametrize(
    "hours", [1, pytest.param(24, marks=pytest.mark.soak)], ids=["an hour", "a day"]
)
def test_traffic_with_tokens_of_five_minutes_loses_nothing(
    platform: Platform, ca_pem: str, hours: int
) -> None:
    platform.service.lifetime = 300
    platform.save(OAuthFlow.BROWSER, ca_pem)
    with closing(platform.services.open_sender()) as sender:
        for _ in range(hours * 30):
            assert platform.send_by(sender).recipients[0].status == "accepted"
            platform.now += timedelta(minutes=2)
    assert len(platform.server.messages) == hours * 30
    # The first token, and another before four minutes are over, all the time.
    assert len(platform.service.access) == hours * 15
    assert platform.server.auth_attempts == hours * 30
    assert platform.service.refresh


@pytest.mark.parametrize("flow", [OAuthFlow.BROWSER, OAuthFlow.DEVICE, OAuthFlow.APP])
def test_each_flow_sends_and_the_next_process_uses_its_token(
    platform: Platform, ca_pem: str, flow: OAuthFlow
) -> None:
    platform.save(flow, ca_pem)
    for _ in range(3):
        receipt = platform.send()
        assert (receipt.recipients[0].status, receipt.route) == ("accepted", "custom")
    assert len(platform.service.access) == 1


def test_a_sign_in_that_ended_shuts_the_route_until_a_person_acts(
    platform: Platform, ca_pem: str
) -> None:
    platform.save(OAuthFlow.BROWSER, ca_pem)
    assert platform.send().recipients[0].status == "accepted"
    platform.service.refresh = ""
    platform.now += timedelta(hours=2)
    for _ in range(2):
        assert platform.send().recipients[0].status == "queued"
        platform.now += timedelta(days=2)
    assert platform.services.health.may_use("custom") == Shut("auth.sign_in_again")
    assert len(platform.service.of("/token")) == 2
    status = load_saved(platform.services).status
    assert status.health is not None
    assert status.out
    assert status.health.summary == "The permission to send has ended: sign in again."
    assert try_again(platform.services).error


def test_a_service_that_is_away_makes_the_route_rest_and_is_asked_again(
    platform: Platform, ca_pem: str
) -> None:
    platform.save(OAuthFlow.APP, ca_pem)
    platform.service.replies["/token"] = Reply(503)
    receipt = platform.send()
    assert receipt.recipients[0].status == "queued"
    status = platform.services.health.status("custom")
    assert (status.code, status.shut) == ("oauth.unreachable", False)
    platform.service.replies.clear()
    assert not try_again(platform.services).error
    assert platform.send().recipients[0].status == "accepted"


@pytest.mark.parametrize("call", ["get", "set"])
def test_a_keyring_that_is_locked_at_a_renewal_costs_neither_email_nor_sign_in(
    platform: Platform, ca_pem: str, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    platform.save(OAuthFlow.BROWSER, ca_pem)

    def locked(*_: object) -> None:
        raise NOBODY_IS_THERE

    with closing(platform.services.open_sender()) as sender:
        assert platform.send_by(sender).recipients[0].status == "accepted"
        platform.now += timedelta(hours=2)
        with monkeypatch.context() as patch:
            patch.setattr(platform.services.credentials, call, locked)
            receipt = platform.send_by(sender)
        assert receipt.recipients[0].status == "queued"
        assert receipt.fallback is not None
        assert receipt.fallback.code == "settings.secret_unavailable"
        assert receipt.fallback.summary.startswith("The sign-in can’t be read")
        # It is a matter of this process: others may still send.
        assert platform.services.health.may_use("custom") == Usable()
        platform.now += timedelta(hours=1)
        assert platform.send_by(sender).recipients[0].status == "accepted"
    assert platform.service.refresh, "an old refresh token would have ended the sign-in"


@pytest.mark.parametrize("flow", [OAuthFlow.BROWSER, OAuthFlow.APP])
def test_a_keyring_that_is_locked_from_the_start_speaks_of_what_it_keeps(
    platform: Platform, ca_pem: str, monkeypatch: pytest.MonkeyPatch, flow: OAuthFlow
) -> None:
    platform.save(flow, ca_pem)

    def locked(*_: object) -> None:
        raise NOBODY_IS_THERE

    monkeypatch.setattr(platform.services.credentials, "get", locked)
    status = status_text(load_saved(platform.services).status)
    assert status.startswith("Sign-in not available. ")
    finding = platform.send().fallback
    assert finding is not None
    assert finding.code == "settings.secret_unavailable"
    told = " ".join((finding.summary, finding.explanation, *(r.text for r in finding.remedies)))
    assert "password" not in told.lower().replace("smtp_desk_password", "").replace(
        "smtp_desk_default_password", ""
    )


def test_what_the_default_service_takes_meanwhile(
    platform: Platform, ca_pem: str, tmp_path: Path
) -> None:
    program = tmp_path / "sendmail"
    program.write_text("#!/bin/sh\ncat >/dev/null\n")
    program.chmod(0o755)
    platform.save(OAuthFlow.BROWSER, ca_pem)
    platform.services.store.save_default(
        DefaultService(DefaultKind.SENDMAIL, str(program), "desk@example.org")
    )
    platform.service.refresh = ""
    receipt = platform.send()
    assert (receipt.recipients[0].status, receipt.route) == ("accepted", "default")
    assert receipt.fallback is not None
    assert receipt.fallback.code == "auth.sign_in_again"
    assert not platform.server.sessions


@pytest.mark.parametrize("by", ["certificate", "client secret"])
def test_the_end_of_what_the_application_signs_in_with_is_told_once(
    platform: Platform, certs: Certificates, ca_pem: str, by: str
) -> None:
    key = pem_of(certs.good_rsa).reveal() if by == "certificate" else ""
    platform.save(OAuthFlow.APP, ca_pem, key)
    store = platform.services.store
    store.save_preferences(replace(store.load().preferences, notify="it@example.org"))
    end = certs.good_rsa.certificate.not_valid_after_utc
    if by == "client secret":
        end = end_of(end.date())
        store.save_expiry(end.date())
    platform.now = end - timedelta(days=32, hours=1)
    told: list[int] = []
    with closing(platform.services.open_sender()) as sender:
        for day in range(8):
            sender.drain()
            told.append(len(platform.server.messages))
            if day == 0:
                assert platform.server.sessions == []
            platform.now += timedelta(days=1)
    assert told == [0, 0, 0, 1, 1, 1, 1, 1]
    assert f"{end:%Y-%m-%d}" in platform.server.messages[0].content.decode()


@pytest.mark.parametrize("extends", [False, True])
def test_the_end_of_a_sign_in_is_told_once_unless_each_use_extends_it(
    platform: Platform, ca_pem: str, *, extends: bool
) -> None:
    platform.save(OAuthFlow.BROWSER, ca_pem)
    store = platform.services.store
    store.save_preferences(replace(store.load().preferences, notify="it@example.org"))
    end = platform.now + timedelta(days=7)
    told: list[int] = []
    with closing(platform.services.open_sender()) as sender:
        for _ in range(7):
            left = timedelta(days=7) if extends else end - platform.now
            platform.service.gives = {"refresh_token_expires_in": int(left.total_seconds())}
            sender.drain()
            told.append(len(platform.server.messages))
            platform.now += timedelta(days=1)
    assert told == ([0] * 7 if extends else [0, 0, 0, 0, 1, 1, 1])
