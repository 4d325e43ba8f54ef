"""What of a saved server ends soon, as `status` and `show` tell it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, timezone
from typing import TYPE_CHECKING

import pytest

from smtp_desk.app.routes.custom import load_saved
from smtp_desk.app.routes.endings import endings_of_saved
from smtp_desk.app.routes.metrics import exposition
from smtp_desk.app.routes.status import read_status
from smtp_desk.app.routes.words import ending_text
from smtp_desk.app.services import Services
from smtp_desk.core.oauth import (
    OAuthDraft,
    OAuthFlow,
    OAuthProvider,
    OAuthSettings,
    end_of,
    parse_oauth,
)
from smtp_desk.core.secret import Lifetime, Secret
from smtp_desk.core.settings import Security, ServerSettings
from smtp_desk.sender.routes.health import Ending, Needed
from smtp_desk.sender.routes.route import CUSTOM, DEFAULT
from smtp_desk.store.stored import StoredServer
from tests.store.failing_credentials import NOBODY_IS_THERE
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


SECRET = Secret("client secret")
APP = OAuthSettings(
    provider=OAuthProvider.CUSTOM,
    flow=OAuthFlow.APP,
    client_id="desk",
    token_url="https://sso.example.org/token",
    client_secret_expires=date(2027, 2, 28),
)
SECRET_ENDS = Ending(end_of(date(2027, 2, 28)), Needed.CLIENT_SECRET)


def save_app(services: Services, oauth: OAuthSettings = APP, secret: Secret = SECRET) -> None:
    services.store.save_server(replace(OLD, oauth=oauth), Security.STARTTLS, secret)
    services.store.set_enabled(True)


@pytest.mark.parametrize(
    ("moment", "said"),
    [
        ("2027-01-29T23:59:58", ""),
        ("2027-01-29T23:59:59", "expires on 2027-02-28, in 30 days. Create a new one before then"),
        ("2027-02-27T12:00:00", "expires on 2027-02-28, in 1 day. Create"),
        ("2027-02-28T23:59:59", "expires on 2027-02-28, today. Create"),
        ("2027-03-01T00:00:00", "expired on 2027-02-28. Create a new one, and configure"),
        ("2028-03-01T00:00:00", "expired on 2027-02-28. Create"),
    ],
)
def test_the_day_on_which_a_client_secret_expires(
    services_at: Callable[[datetime], Services], moment: str, said: str
) -> None:
    services = services_at(datetime.fromisoformat(f"{moment}+00:00"))
    save_app(services)
    found = read_status(services)
    assert len(found.problems) == bool(said)
    text = f"By the date in the settings, the client secret {said}" if said else ""
    assert "".join(found.problems).startswith(text)
    assert load_saved(services).ends == "".join(found.problems)
    told = found.to_json()["custom"]
    assert isinstance(told, dict)
    ends = [{"what": "client_secret", "at": "2027-02-28T23:59:59Z"}] if said else []
    assert told["endings"] == ends
    sample = 'smtp_desk_route_expiry_timestamp_seconds{route="custom",what="client_secret"} '
    assert (f"{sample}1803859199\n" in exposition(found)) == bool(said)


def test_the_same_moment_in_another_time_zone_says_the_same(
    services_at: Callable[[datetime], Services],
) -> None:
    late = datetime(2027, 2, 28, 23, 0, tzinfo=timezone(timedelta(hours=-12)))
    services = services_at(late)
    save_app(services)
    (problem,) = read_status(services).problems
    assert "expired on 2027-02-28" in problem


def test_a_secret_without_a_day_and_a_day_without_a_secret_say_nothing(
    services_at: Callable[[datetime], Services],
) -> None:
    services = services_at(datetime(2027, 2, 20, tzinfo=UTC))
    save_app(services, replace(APP, client_secret_expires=None))
    assert read_status(services).problems == ()
    person = replace(APP, flow=OAuthFlow.BROWSER, authorize_url="https://sso.example.org/authorize")
    services.store.save_server(
        replace(OLD, oauth=person), Security.STARTTLS, None, refresh_token=Secret("refresh")
    )
    assert read_status(services).problems == ()


def test_a_person_s_application_may_have_a_secret(
    services_at: Callable[[datetime], Services],
) -> None:
    services = services_at(datetime(2027, 2, 20, tzinfo=UTC))
    draft = OAuthDraft(
        provider="google", flow="browser", client_id="1", client_secret_expires="2027-02-28"
    )
    person = parse_oauth(draft)
    services.store.save_server(
        replace(RELAY, username="ann", oauth=person),
        Security.STARTTLS,
        SECRET,
        refresh_token=Secret("refresh"),
        default=True,
    )
    (problem,) = read_status(services).problems
    assert problem.startswith("Default email service: By the date in the settings, the client")


def test_another_day_is_told_at_once_and_what_a_worker_found_before_is_no_more(
    services_at: Callable[[datetime], Services],
) -> None:
    services = services_at(datetime(2027, 2, 20, tzinfo=UTC))
    save_app(services)
    services.health.record_endings(CUSTOM, [SECRET_ENDS])
    services.store.save_expiry(date(2027, 3, 1))
    (problem,) = read_status(services).problems
    assert "expires on 2027-03-01, in 9 days" in problem
    services.store.save_expiry(date(2029, 2, 28))
    assert read_status(services).problems == ()


def test_where_the_keyring_is_locked_the_worker_s_word_counts(
    services_at: Callable[[datetime], Services], monkeypatch: pytest.MonkeyPatch
) -> None:
    services = services_at(datetime(2027, 2, 20, tzinfo=UTC))
    save_app(services)
    services.health.record_endings(CUSTOM, [SECRET_ENDS])

    def locked(_key: str) -> None:
        raise NOBODY_IS_THERE

    monkeypatch.setattr(services.credentials, "get", locked)
    assert any("client secret expires on" in each for each in read_status(services).problems)


SIGNED_IN = datetime(2026, 12, 1, 8, 0, tzinfo=UTC)


def sign_in_lasting(services: Services, lasts: timedelta) -> None:
    """Save a sign-in whose service told how long it lasts."""
    person = replace(APP, flow=OAuthFlow.BROWSER, authorize_url="https://sso.example.org/authorize")
    services.store.save_server(
        replace(OLD, oauth=replace(person, client_secret_expires=None)),
        Security.STARTTLS,
        None,
        refresh_token=Secret("refresh"),
        refresh_lifetime=Lifetime(SIGNED_IN.timestamp(), (SIGNED_IN + lasts).timestamp()),
    )
    services.store.set_enabled(True)


@pytest.mark.parametrize(
    ("lasts", "after", "said"),
    [
        (7, 3.4, ""),  # Google, for an application in testing
        (7, 3.5, "The sign-in expires on 2026-12-08, in 3 days. Sign in again before then."),
        (7, 6.5, "The sign-in expires on 2026-12-08, today. Sign in again before then."),
        (7, 7.5, "The sign-in expired on 2026-12-08. Sign in again."),
        (1, 0.4, ""),
        (1, 0.6, "The sign-in expires on 2026-12-02, today. Sign in again before then."),
        (90, 59.9, ""),
        (90, 60.1, "The sign-in expires on 2027-03-01, in 29 days. Sign in again before then."),
    ],
)
def test_a_sign_in_whose_end_the_service_told(
    services_at: Callable[[datetime], Services], lasts: float, after: float, said: str
) -> None:
    services = services_at(SIGNED_IN + timedelta(days=after))
    sign_in_lasting(services, timedelta(days=lasts))
    found = read_status(services)
    assert "".join(found.problems) == said
    assert load_saved(services).ends == said
    assert ('what="refresh_token"' in exposition(found)) == bool(said)


@each_row("what", Needed)
@each_row(("days", "said"), [(30, "in 30 days"), (1, "in 1 day"), (0, "today"), (-1, "expired on")])
def test_each_end_is_told_with_what_to_do(what: Needed, days: int, said: str) -> None:
    text = ending_text(Ending(NOON + timedelta(days=days, minutes=1), what), NOON)
    assert said in text
    assert text.endswith(".")
    assert text.count(".") == 2
    assert "{" not in text
