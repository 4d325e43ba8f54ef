"""What of a saved server ends soon, as `status` and `show` tell it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from smtp_desk.app.routes.custom import load_saved
from smtp_desk.app.routes.endings import endings_of_saved
from smtp_desk.app.routes.status import read_status
from smtp_desk.app.routes.words import ending_text
from smtp_desk.app.services import Services
from smtp_desk.core.oauth import OAuthFlow, OAuthProvider, OAuthSettings
from smtp_desk.core.settings import Security, ServerSettings
from smtp_desk.sender.routes.health import Ending, Needed
from smtp_desk.sender.routes.route import CUSTOM, DEFAULT
from smtp_desk.store.stored import StoredServer
from tests.store.settings import OLD, OLD_SECRET, RELAY
from tests.table import each_row

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.servers.certs import Certificates

NOON = datetime(2026, 3, 4, 12, 0, tzinfo=UTC)


@pytest.fixture
def services_at(tmp_path: Path) -> Callable[[datetime], Services]:
    services = Services.sandbox(tmp_path / "home")
    return lambda moment: replace(services, now=lambda: moment)


def save(services: Services, settings: ServerSettings) -> None:
    services.store.save_server(settings, Security.STARTTLS, OLD_SECRET)
    services.store.set_enabled(True)


def test_the_certificate_of_the_server_that_a_worker_saw(
    services_at: Callable[[datetime], Services],
) -> None:
    services = services_at(NOON)
    save(services, OLD)
    services.store.save_server(RELAY, Security.STARTTLS, None, default=True)
    end = NOON + timedelta(days=9)
    for route in (CUSTOM, DEFAULT):
        services.health.record_endings(route, [Ending(end, Needed.SERVER_CERTIFICATE)])
    found = read_status(services)
    text = (
        "The mail server’s certificate expires on 2026-03-13, in 9 days. "
        "Ask the mail administrator to renew it."
    )
    assert found.problems == (text, f"Default email service: {text}")
    told = found.to_json()["custom"]
    assert isinstance(told, dict)
    assert told["endings"] == [{"what": "server_certificate", "at": "2026-03-13T12:00:00Z"}]
    assert load_saved(services).ends == text


def test_a_company_ca(services_at: Callable[[datetime], Services], certs: Certificates) -> None:
    end = certs.root.certificate.not_valid_after_utc
    settings = replace(OLD, ca_pem=certs.root.chain_file.read_text())
    early = services_at(end - timedelta(days=31))
    save(early, settings)
    assert read_status(early).problems == ()
    (problem,) = read_status(services_at(end - timedelta(days=29))).problems
    assert problem.startswith("The company CA’s certificate expires on ")
    (problem,) = read_status(services_at(end + timedelta(hours=1))).problems
    assert problem.startswith("The company CA’s certificate expired on ")


def test_a_file_of_cas_lasts_as_long_as_its_last(
    services_at: Callable[[datetime], Services], certs: Certificates
) -> None:
    pems = certs.expired.chain_file.read_text() + certs.root.chain_file.read_text()
    services = services_at(datetime.now(UTC))
    save(services, replace(OLD, ca_pem=pems))
    assert read_status(services).problems == ()


def test_the_ca_of_a_sign_in_service_and_one_that_can_not_be_read(
    services_at: Callable[[datetime], Services], certs: Certificates
) -> None:
    oauth = OAuthSettings(
        provider=OAuthProvider.CUSTOM,
        flow=OAuthFlow.BROWSER,
        client_id="desk",
        token_url="https://sso.example.org/token",
        ca_pem=certs.expired.chain_file.read_text(),
    )
    settings = replace(OLD, ca_pem="no certificate", oauth=oauth)
    server = StoredServer(settings, Security.STARTTLS, key="", proof=None)
    (ending,) = endings_of_saved(services_at(datetime.now(UTC)), server)
    assert ending.what is Needed.COMPANY_CA


@each_row("what", Needed)
@each_row(("days", "said"), [(30, "in 30 days"), (1, "in 1 day"), (0, "today"), (-1, "expired on")])
def test_each_end_is_told_with_what_to_do(what: Needed, days: int, said: str) -> None:
    text = ending_text(Ending(NOON + timedelta(days=days, minutes=1), what), NOON)
    assert said in text
    assert text.endswith(".")
    assert text.count(".") == 2
    assert "{" not in text
