"""The four flows against a scripted service, and what each of its refusals means."""

from __future__ import annotations

import base64
import hashlib
import threading
from collections.abc import Callable
from dataclasses import replace
from typing import Final
from urllib.parse import urlsplit

import pytest

from smtp_desk.core.errors import SmtpFailure
from smtp_desk.core.oauth import OAuthFlow, OAuthProvider
from smtp_desk.core.secret import Secret
from smtp_desk.oauth.client import TokenClient
from smtp_desk.oauth.link import ProviderLink
from smtp_desk.oauth.prompt import Prompt
from smtp_desk.smtp.net.deadline import Cancel, CancelledError
from tests.oauth.conftest import settings_of
from tests.oauth.person import Person
from tests.oauth.test_assertions import key_file, parts_of, pem_of
from tests.servers.certs import Certificates
from tests.servers.sign_in_service import Reply, Request, SignInService, refusal
from tests.table import each_row

SECRET: Final = "client s3cret+"
ANN: Final = "ann@example.org"


def client(
    service: SignInService, link: ProviderLink, flow: OAuthFlow, secret: str = "", **more: object
) -> TokenClient:
    made = TokenClient(
        settings=settings_of(service, flow), secret=Secret(secret), username=ANN, link=link
    )
    return replace(made, **more)  # type: ignore[arg-type]


def refused(action: Callable[[], object]) -> tuple[str | None, object]:
    with pytest.raises(SmtpFailure) as told:
        action()
    assert SECRET not in repr(told.value.facts)
    return told.value.code, told.value.facts.get("reason")


def test_by_browser(service: SignInService, link: ProviderLink) -> None:
    person = Person(service)
    grant = client(service, link, OAuthFlow.BROWSER).sign_in(person, Cancel())
    assert grant.access.secret == Secret(service.access[-1])
    assert grant.refresh == Secret(service.refresh)
    query = person.query
    (request,) = service.requests
    digest = hashlib.sha256(request.form["code_verifier"].encode()).digest()
    assert query == {
        "response_type": "code",
        "client_id": "desk",
        "redirect_uri": request.form["redirect_uri"],
        "scope": "smtp offline_access",
        "state": query["state"],
        "code_challenge": base64.urlsafe_b64encode(digest).decode().rstrip("="),
        "code_challenge_method": "S256",
        "login_hint": ANN,
        "prompt": "consent",
    }
    assert urlsplit(query["redirect_uri"]).hostname == "127.0.0.1"
    assert request.form["client_id"] == "desk"
    assert "client_secret" not in request.form
    assert person.statuses == [200]
    assert request.form["code_verifier"] not in person.prompts[0].url


@pytest.mark.parametrize(
    ("provider", "host", "more"),
    [
        (OAuthProvider.MICROSOFT, "localhost", {}),
        (OAuthProvider.GOOGLE, "127.0.0.1", {"access_type": "offline", "prompt": "consent"}),
    ],
)
def test_what_each_provider_wants(
    service: SignInService,
    link: ProviderLink,
    provider: OAuthProvider,
    host: str,
    more: dict[str, str],
) -> None:
    person = Person(service)
    settings = replace(settings_of(service, OAuthFlow.BROWSER), provider=provider)
    client(service, link, OAuthFlow.BROWSER, SECRET, settings=settings).sign_in(person, Cancel())
    assert urlsplit(person.query["redirect_uri"]).hostname == host
    told = {name: person.query.get(name) for name in ("access_type", "prompt")}
    assert {name: value for name, value in told.items() if value} == more
    assert service.requests[0].form["client_secret"] == SECRET


@pytest.mark.parametrize("forged", [{"state": "x"}, {"iss": "https://["}, {"iss": "https://x.y"}])
def test_what_another_page_or_issuer_sends_is_not_heard(
    service: SignInService, link: ProviderLink, forged: dict[str, str]
) -> None:
    person = Person(service, forged)
    signing = client(service, link, OAuthFlow.BROWSER, patience=0.4)
    assert refused(lambda: signing.sign_in(person, Cancel())) == ("oauth.denied", "timeout")
    assert person.statuses == [400]
    assert service.requests == []


def test_a_code_of_another_sign_in_is_refused(service: SignInService, link: ProviderLink) -> None:
    service.codes["stolen"] = "the challenge of somebody else"
    person = Person(service, {"code": "stolen"})
    signing = client(service, link, OAuthFlow.BROWSER)
    assert refused(lambda: signing.sign_in(person, Cancel())) == ("oauth.denied", "other_attempt")


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        ({"error": "access_denied", "error_description": "The user denied"}, "oauth.denied"),
        ({"error": "consent_required"}, "oauth.consent_missing"),
        ({"error": "invalid_scope"}, "oauth.misconfigured"),
        ({"error": "server_error"}, "oauth.unreachable"),
        ({"error": "x", "error_description": "AADSTS53003: no"}, "oauth.blocked_by_policy"),
    ],
)
def test_the_page_says_no(
    service: SignInService, link: ProviderLink, answer: dict[str, str], code: str
) -> None:
    person = Person(service, {**answer, "code": ""})
    signing = client(service, link, OAuthFlow.BROWSER)
    assert refused(lambda: signing.sign_in(person, Cancel()))[0] == code
    assert service.requests == []


def test_the_browser_is_closed(service: SignInService, link: ProviderLink) -> None:
    signing = client(service, link, OAuthFlow.BROWSER, patience=0.05)
    assert refused(lambda: signing.sign_in(lambda _prompt: None, Cancel())) == (
        "oauth.denied",
        "timeout",
    )


@pytest.mark.parametrize("flow", [OAuthFlow.BROWSER, OAuthFlow.DEVICE])
def test_a_cancel_ends_a_sign_in_at_once(
    service: SignInService, link: ProviderLink, flow: OAuthFlow
) -> None:
    cancel = Cancel()
    service.pending = 1000
    signing = client(service, link, flow)
    with pytest.raises(CancelledError):
        signing.sign_in(lambda _p: threading.Timer(0.05, cancel.cancel).start(), cancel)


@pytest.mark.parametrize("flow", [OAuthFlow.BROWSER, OAuthFlow.DEVICE])
def test_a_sign_in_that_would_end_with_the_first_token_is_none(
    service: SignInService, link: ProviderLink, flow: OAuthFlow
) -> None:
    service.replies["/token"] = Reply(content={"access_token": "a", "token_type": "Bearer"})
    signing = client(service, link, flow, sleep=lambda _s, _c: None)
    person = Person(service) if flow is OAuthFlow.BROWSER else (lambda _prompt: None)
    assert refused(lambda: signing.sign_in(person, Cancel())) == (
        "oauth.misconfigured",
        "no_refresh_token",
    )


def test_by_device_code(service: SignInService, link: ProviderLink) -> None:
    service.pending = 2
    slept: list[float] = []
    prompts: list[Prompt] = []
    signing = client(service, link, OAuthFlow.DEVICE, sleep=lambda s, _c: slept.append(s))
    grant = signing.sign_in(prompts.append, Cancel())
    assert grant.refresh == Secret(service.refresh)
    assert prompts == [Prompt(f"{service.url}/activate", "WDJB-MJHT", 300.0)]
    assert slept == [1.0, 1.0, 1.0]
    assert service.requests[0].form == {"client_id": "desk", "scope": "smtp offline_access"}


def test_a_service_that_is_asked_too_often_or_is_away_is_asked_less(
    service: SignInService, link: ProviderLink
) -> None:
    waits = [refusal("slow_down"), Reply(503, b"busy"), refusal("authorization_pending")]
    service.replies["/token"] = lambda _request: waits.pop(0) if waits else None
    slept: list[float] = []
    signing = client(service, link, OAuthFlow.DEVICE, sleep=lambda s, _c: slept.append(s))
    assert signing.sign_in(lambda _prompt: None, Cancel()).refresh
    assert slept == [1.0, 6.0, 11.0, 11.0]


@pytest.mark.parametrize(
    ("path", "reply", "code", "reason"),
    [
        ("/device", refusal("unauthorized_client"), "oauth.misconfigured", "grant"),
        ("/device", Reply(content={}), "oauth.untrusted", "not_json"),
        (
            "/device",
            Reply(content={"device_code": "c", "user_code": "u", "verification_uri": "http://x"}),
            "oauth.untrusted",
            "not_json",
        ),
        ("/token", refusal("expired_token"), "oauth.denied", "code_expired"),
        ("/token", refusal("access_denied"), "oauth.denied", "declined"),
        (
            "/token",
            refusal("x", "AADSTS53003: no device codes"),
            "oauth.blocked_by_policy",
            "conditional_access",
        ),
        ("/token", Reply(307, headers={"Location": "https://x"}), "oauth.untrusted", "redirect"),
    ],
)
def test_a_device_code_is_refused(  # noqa: PLR0917 - a row of the table
    service: SignInService, link: ProviderLink, path: str, reply: Reply, code: str, reason: str
) -> None:
    service.replies[path] = reply
    signing = client(service, link, OAuthFlow.DEVICE, sleep=lambda _s, _c: None)
    told = refused(lambda: signing.sign_in(lambda _prompt: None, Cancel()))
    assert told == (code, reason)


def test_a_device_code_ends(service: SignInService, link: ProviderLink) -> None:
    service.pending = 1000
    now = [0.0]

    def sleep(seconds: float, _cancel: Cancel) -> None:
        now[0] += 50 * seconds

    signing = client(service, link, OAuthFlow.DEVICE, sleep=sleep, clock=lambda: now[0])
    told = refused(lambda: signing.sign_in(lambda _prompt: None, Cancel()))
    assert told == ("oauth.denied", "code_expired")


def test_the_application_itself(service: SignInService, link: ProviderLink) -> None:
    grant = client(service, link, OAuthFlow.APP, SECRET).fetch(Cancel())
    assert grant.access.secret == Secret(service.access[-1])
    assert grant.access.until - grant.access.issued == 3600
    (request,) = service.requests
    assert request.form == {"grant_type": "client_credentials", "scope": "smtp offline_access"}
    assert request.basic == "desk:client+s3cret%2B"


def test_the_application_with_its_certificate(
    service: SignInService, link: ProviderLink, certs: Certificates
) -> None:
    client(service, link, OAuthFlow.APP, pem_of(certs.good_rsa).reveal()).fetch(Cancel())
    form = service.requests[0].form
    assert form["client_id"] == "desk"
    assert form["client_assertion_type"] == "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
    assert parts_of(form["client_assertion"])[1]["aud"] == f"{service.url}/token"
    assert "client_secret" not in form


def test_a_service_account(service: SignInService, link: ProviderLink) -> None:
    client(service, link, OAuthFlow.SERVICE_ACCOUNT, key_file().reveal()).fetch(Cancel())
    form = service.requests[0].form
    assert form.keys() == {"grant_type", "assertion"}
    assert form["grant_type"] == "urn:ietf:params:oauth:grant-type:jwt-bearer"
    assert parts_of(form["assertion"])[1]["sub"] == ANN


@pytest.mark.parametrize(
    ("reply", "code", "reason"),
    [
        (refusal("invalid_client", "AADSTS7000215: wrong"), "oauth.client_invalid", "secret_wrong"),
        (refusal("invalid_client", status=401), "oauth.client_invalid", None),
        (refusal("x", "AADSTS90002: tenant"), "oauth.misconfigured", "tenant"),
        (refusal("invalid_scope"), "oauth.misconfigured", "scope"),
        (refusal("strange", f"you sent {SECRET}"), "oauth.failed", None),
        (Reply(400, {}), "oauth.failed", None),
        (Reply(content={"token_type": "Bearer"}), "oauth.untrusted", "not_json"),
        (Reply(content={"access_token": 7}), "oauth.untrusted", "not_json"),
        (Reply(content={"access_token": "a\r\nb"}), "oauth.untrusted", "not_json"),
        (Reply(content={"access_token": "a b"}), "oauth.untrusted", "not_json"),
        (Reply(content={"access_token": "tökén"}), "oauth.untrusted", "not_json"),
        (Reply(content={"access_token": "x", "token_type": "mac"}), "oauth.untrusted", "not_json"),
        (Reply(content={"access_token": "x" * 40_000}), "oauth.untrusted", "not_json"),
    ],
)
def test_no_token(
    service: SignInService, link: ProviderLink, reply: Reply, code: str, reason: str | None
) -> None:
    service.replies["/token"] = reply
    asking = client(service, link, OAuthFlow.APP, SECRET)
    assert refused(lambda: asking.fetch(Cancel())) == (code, reason)


def test_a_token_of_20_kb_is_one(service: SignInService, link: ProviderLink) -> None:
    service.gives = {"access_token": "x" * 20_000}
    grant = client(service, link, OAuthFlow.APP, SECRET).fetch(Cancel())
    assert len(grant.access.secret.reveal()) == 20_000


@pytest.mark.parametrize(
    ("told", "seconds"),
    [
        ({"expires_in": "600"}, 600),
        ({"expires_in": 600.5}, 600.5),
        ({"expires_in": None}, 300),
        ({"expires_in": -1}, 300),
        ({"expires_in": True}, 300),
        ({"expires_in": "soon"}, 300),
        ({"expires_in": 1e30}, 300),
        ({"expires_in": 10**8}, 86400),
    ],
)
def test_how_long_a_token_holds(
    service: SignInService, link: ProviderLink, told: dict[str, object], seconds: float
) -> None:
    service.gives = told
    access = client(service, link, OAuthFlow.APP, SECRET).fetch(Cancel()).access
    assert access.until - access.issued == pytest.approx(seconds)


def test_a_refresh_brings_the_next_of_both(service: SignInService, link: ProviderLink) -> None:
    first = service.new_refresh_token()
    grant = client(service, link, OAuthFlow.BROWSER).renew(Secret(first), Cancel())
    assert grant.refresh == Secret(service.refresh) != Secret(first)
    assert service.requests[0].form["refresh_token"] == first


def test_without_rotation_the_old_one_stays(service: SignInService, link: ProviderLink) -> None:
    service.replies["/token"] = Reply(content={"access_token": "a"})
    grant = client(service, link, OAuthFlow.BROWSER).renew(Secret("old"), Cancel())
    assert grant.refresh == Secret("old")


def test_a_dead_refresh_token_needs_a_person(service: SignInService, link: ProviderLink) -> None:
    renewing = client(service, link, OAuthFlow.BROWSER)
    assert refused(lambda: renewing.renew(Secret("used"), Cancel())) == (
        "auth.sign_in_again",
        None,
    )


def test_an_echoed_secret_is_hidden(service: SignInService, link: ProviderLink) -> None:
    def echo(request: Request) -> Reply:
        return refusal("invalid_grant", f"no such token: {request.form['refresh_token']}")

    service.replies["/token"] = echo
    with pytest.raises(SmtpFailure) as told:
        client(service, link, OAuthFlow.BROWSER).renew(Secret("s3cret-refresh-token"), Cancel())
    assert told.value.facts["words"] == "no such token: ‹hidden›"


def test_an_echoed_assertion_is_hidden(service: SignInService, link: ProviderLink) -> None:
    service.replies["/token"] = lambda request: refusal(
        "invalid_grant", f"Invalid JWT: {request.form['assertion']}, sorry"
    )
    with pytest.raises(SmtpFailure) as told:
        client(service, link, OAuthFlow.SERVICE_ACCOUNT, key_file().reveal()).fetch(Cancel())
    assert told.value.facts["words"] == "Invalid JWT: ‹hidden›, sorry"


def test_what_the_clock_of_the_service_says(service: SignInService, link: ProviderLink) -> None:
    asking = client(service, link, OAuthFlow.APP, SECRET)
    ahead = asking.fetch(Cancel()).clock_ahead
    assert ahead is not None
    assert abs(ahead) < 30


@pytest.mark.parametrize("off", [-86_400.0, 86_400.0])
def test_a_clock_that_is_off_by_a_day_is_named(
    service: SignInService, link: ProviderLink, off: float
) -> None:
    service.replies["/token"] = refusal("invalid_grant", "what is this?")
    wrong = replace(link, now=lambda: link.now() + off)
    asking = client(service, wrong, OAuthFlow.SERVICE_ACCOUNT, key_file().reveal())
    assert refused(lambda: asking.fetch(Cancel())) == ("oauth.failed", "clock")
    # What is not signed does not depend on the clock.
    renewing = client(service, wrong, OAuthFlow.BROWSER)
    assert refused(lambda: renewing.renew(Secret("x"), Cancel()))[0] == "auth.sign_in_again"


def test_a_sign_in_is_withdrawn_where_the_service_offers_it(
    service: SignInService, link: ProviderLink
) -> None:
    service.replies["/.well-known/openid-configuration"] = Reply(
        content={"revocation_endpoint": f"{service.url}/revoke"}
    )
    service.replies["/.well-known/oauth-authorization-server"] = Reply(404, b"<html>no such page")
    service.replies["/revoke"] = Reply(content=b"")
    assert client(service, link, OAuthFlow.BROWSER).revoke(Secret("refresh"), Cancel())
    assert service.of("/revoke")[0].form == {
        "client_id": "desk",
        "token": "refresh",
        "token_type_hint": "refresh_token",
    }


@pytest.mark.parametrize(
    "published",
    [{}, {"revocation_endpoint": "https://evil.example/revoke"}, {"revocation_endpoint": "http:"}],
)
def test_a_sign_in_is_withdrawn_nowhere_else(
    service: SignInService, link: ProviderLink, published: dict[str, object]
) -> None:
    service.replies["/.well-known/openid-configuration"] = Reply(content=published)
    assert not client(service, link, OAuthFlow.BROWSER).revoke(Secret("refresh"), Cancel())
    at_microsoft = replace(
        settings_of(service, OAuthFlow.BROWSER), provider=OAuthProvider.MICROSOFT
    )
    revoking = client(service, link, OAuthFlow.BROWSER, settings=at_microsoft)
    assert not revoking.revoke(Secret("refresh"), Cancel())
    assert service.of("/revoke") == []


@each_row(
    ("told", "seconds"),
    [
        ({}, None),
        ({"refresh_token_expires_in": 604799}, 604799),  # Google, for an application in testing
        ({"refresh_token_expires_in": "7776000"}, 7776000),
        ({"refresh_expires_in": 1800}, 1800),  # Keycloak
        ({"refresh_expires_in": 0}, None),  # Keycloak: without end
        ({"refresh_token_expires_in": 60, "refresh_expires_in": 1800}, 60),
        ({"refresh_token_expires_in": 0, "refresh_expires_in": 1800}, 1800),
        ({"refresh_token_expires_in": -5}, None),
        ({"refresh_token_expires_in": True}, None),
        ({"refresh_token_expires_in": "never"}, None),
        ({"refresh_token_expires_in": [1]}, None),
        ({"refresh_token_expires_in": 1e30}, None),
        ({"refresh_token_expires_in": float("nan")}, None),
    ],
)
def test_how_long_a_sign_in_lasts_is_known_only_where_it_is_told(
    service: SignInService, link: ProviderLink, told: dict[str, object], seconds: float | None
) -> None:
    service.gives = told
    refresh = Secret(service.new_refresh_token())
    grant = client(service, link, OAuthFlow.BROWSER).renew(refresh, Cancel())
    lasts = grant.lifetime and grant.lifetime.until - grant.lifetime.since
    assert lasts == (seconds and pytest.approx(seconds))
