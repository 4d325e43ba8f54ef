"""Against oidc-provider: real pages, and refresh tokens that are revoked when they come twice."""

from __future__ import annotations

import multiprocessing
import threading
import time
from collections import defaultdict
from dataclasses import replace
from pathlib import Path
from typing import Final

import pytest

from smtp_desk.core.errors import SmtpFailure
from smtp_desk.core.oauth import OAuthFlow, OAuthProvider, OAuthSettings
from smtp_desk.core.secret import Secret
from smtp_desk.core.settings import Security, ServerSettings
from smtp_desk.oauth.account import Account, account_of
from smtp_desk.oauth.client import Grant, TokenClient
from smtp_desk.oauth.link import ProviderLink
from smtp_desk.oauth.prompt import Prompt
from smtp_desk.smtp.net.deadline import Cancel
from tests.oauth.renewing import renew, store_at
from tests.oauth.test_assertions import pem_of
from tests.servers.certs import Certificates
from tests.servers.oidc import CLIENT_SECRET, LIFETIME, FormBrowser, OidcProvider

pytestmark = pytest.mark.needs("oidc")

ANN: Final = "ann@example.org"
PROCESSES: Final = 8


def settings_of(oidc: OidcProvider, flow: OAuthFlow, client_id: str = "desk") -> OAuthSettings:
    person = flow in (OAuthFlow.BROWSER, OAuthFlow.DEVICE)
    return OAuthSettings(
        provider=OAuthProvider.CUSTOM,
        flow=flow,
        client_id=client_id,
        authorize_url=f"{oidc.url}/auth" if flow is OAuthFlow.BROWSER else "",
        token_url=f"{oidc.url}/token",
        device_url=f"{oidc.url}/device/auth" if flow is OAuthFlow.DEVICE else "",
        scopes=("openid", "offline_access", "smtp") if person else ("smtp",),
    )


@pytest.fixture
def ca_file(certs: Certificates) -> Path:
    return certs.root.chain_file


@pytest.fixture
def link(ca_file: Path) -> ProviderLink:
    return ProviderLink(ca_pem=ca_file.read_text())


def client(
    settings: OAuthSettings, link: ProviderLink, secret: str = "", patience: float = 30.0
) -> TokenClient:
    return TokenClient(
        settings=settings, secret=Secret(secret), username=ANN, link=link, patience=patience
    )


def by_browser(oidc: OidcProvider, link: ProviderLink, ca_file: Path) -> Grant:
    browser = FormBrowser(ca_file)

    def ask(prompt: Prompt) -> None:
        threading.Thread(target=browser.sign_in, args=(prompt.url, ANN)).start()

    return client(settings_of(oidc, OAuthFlow.BROWSER), link).sign_in(ask, Cancel())


def code_of(action: object) -> str | None:
    with pytest.raises(SmtpFailure) as told:
        action()  # type: ignore[operator]
    return told.value.code


def test_by_browser_and_on_with_the_next_refresh_token(
    oidc: OidcProvider, link: ProviderLink, ca_file: Path
) -> None:
    grant = by_browser(oidc, link, ca_file)
    assert grant.access.secret.reveal() == oidc.access[-1]
    assert account_of(grant) == Account(oidc.url, ANN, ANN)
    asking = client(settings_of(oidc, OAuthFlow.BROWSER), link)
    following = asking.renew(grant.refresh, Cancel())
    assert following.refresh != grant.refresh
    before = oidc.revoked
    assert code_of(lambda: asking.renew(grant.refresh, Cancel())) == "auth.sign_in_again"
    # An old one that comes twice ends the sign-in for the new one, too.
    assert code_of(lambda: asking.renew(following.refresh, Cancel())) == "auth.sign_in_again"
    assert oidc.revoked > before


def test_by_device_code(oidc: OidcProvider, link: ProviderLink, ca_file: Path) -> None:
    browser = FormBrowser(ca_file)

    def ask(prompt: Prompt) -> None:
        arguments = (prompt.url, prompt.user_code, ANN)
        threading.Thread(target=browser.confirm_device, args=arguments).start()

    asking = replace(client(settings_of(oidc, OAuthFlow.DEVICE), link), sleep=lambda _s, _c: None)
    grant = asking.sign_in(ask, Cancel())
    assert grant.access.secret.reveal() == oidc.access[-1]
    assert asking.renew(grant.refresh, Cancel()).refresh


def test_the_application_itself(
    oidc: OidcProvider, link: ProviderLink, certs: Certificates
) -> None:
    by_secret = client(settings_of(oidc, OAuthFlow.APP, "platform"), link, CLIENT_SECRET)
    assert by_secret.fetch(Cancel()).access.secret.reveal() == oidc.access[-1]
    pem = pem_of(certs.good_rsa).reveal()
    by_key = client(settings_of(oidc, OAuthFlow.APP, "signed"), link, pem)
    assert by_key.fetch(Cancel()).access.secret.reveal() == oidc.access[-1]


@pytest.mark.parametrize(
    ("client_id", "secret", "scopes", "code"),
    [
        ("platform", "wrong", ("smtp",), "oauth.client_invalid"),
        ("nobody", "wrong", ("smtp",), "oauth.client_invalid"),
        ("platform", CLIENT_SECRET, ("openid",), "oauth.misconfigured"),
    ],
)
def test_what_it_refuses_an_application(  # noqa: PLR0917 - a row of the table
    oidc: OidcProvider,
    link: ProviderLink,
    client_id: str,
    secret: str,
    scopes: tuple[str, ...],
    code: str,
) -> None:
    settings = replace(settings_of(oidc, OAuthFlow.APP, client_id), scopes=scopes)
    assert code_of(lambda: client(settings, link, secret).fetch(Cancel())) == code


@pytest.mark.parametrize("off", [-86_400.0, 86_400.0])
def test_a_clock_that_is_off_by_a_day(
    oidc: OidcProvider, link: ProviderLink, certs: Certificates, off: float
) -> None:
    wrong = replace(link, now=lambda: time.time() + off)
    pem = pem_of(certs.good_rsa).reveal()
    asking = client(settings_of(oidc, OAuthFlow.APP, "signed"), wrong, pem)
    with pytest.raises(SmtpFailure) as told:
        asking.fetch(Cancel())
    assert (told.value.code, told.value.facts["reason"]) == ("oauth.failed", "clock")


def test_a_sign_in_is_withdrawn(oidc: OidcProvider, link: ProviderLink, ca_file: Path) -> None:
    grant = by_browser(oidc, link, ca_file)
    asking = client(settings_of(oidc, OAuthFlow.BROWSER), link)
    assert asking.revoke(grant.refresh, Cancel())
    assert code_of(lambda: asking.renew(grant.refresh, Cancel())) == "auth.sign_in_again"


@pytest.mark.parametrize(
    "rounds", [10, pytest.param(500, marks=pytest.mark.soak)], ids=["short", "long"]
)
def test_processes_that_renew_at_once_lose_no_sign_in(
    oidc: OidcProvider, link: ProviderLink, ca_file: Path, tmp_path: Path, rounds: int
) -> None:
    grant = by_browser(oidc, link, ca_file)
    settings = ServerSettings(
        host="mail.example.test",
        port=587,
        from_email=ANN,
        username=ANN,
        oauth=settings_of(oidc, OAuthFlow.BROWSER),
    )
    store_at(tmp_path).save_server(settings, Security.STARTTLS, None, refresh_token=grant.refresh)
    context = multiprocessing.get_context("spawn")
    together, told = context.Barrier(PROCESSES), context.Queue()
    issued, revoked = len(oidc.access), oidc.revoked
    step = LIFETIME - LIFETIME / 5 + 1  # each round begins when the last token is to be renewed
    arguments = (str(tmp_path), link.ca_pem, time.time(), step, rounds, together, told)
    processes = [context.Process(target=renew, args=arguments) for _ in range(PROCESSES)]
    for process in processes:
        process.start()
    answers: dict[int, list[str]] = defaultdict(list)
    for _ in range(rounds * PROCESSES):
        number, token = told.get(timeout=120)
        answers[number].append(token)
    for process in processes:
        process.join(60)
    assert [len(set(answers[number])) for number in range(rounds)] == [1] * rounds, answers
    assert oidc.access[issued:] == [answers[number][0] for number in range(rounds)]
    assert oidc.revoked == revoked
