"""The fields of a sign-in by OAuth 2.0: every rule, and what is saved of them."""

import json
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from smtp_desk.core.oauth import (
    FLOWS,
    OAuthDraft,
    OAuthFlow,
    OAuthProvider,
    OAuthSettings,
    end_of,
    oauth_draft,
    takes_client_secret,
)
from smtp_desk.core.problems import OAUTH_FIELDS, Field
from smtp_desk.core.secret import Secret, StoredSecret
from smtp_desk.core.settings import OAUTH, AuthMethod, CaFile, SettingsDraft
from smtp_desk.core.texts import problem_text
from smtp_desk.core.validation import InvalidDraftError, parse, validate
from tests.table import each_row

CLIENT = "0f8fad5b-d9cb-469f-a165-70867728950e"
TENANT = "8d1f0c3e-0000-4000-8000-aabbccddeeff"
KEY = "-----BEGIN PRIVATE KEY-----\nMC4CAQ==\n-----END PRIVATE KEY-----\n"
CERTIFICATE = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"
ACCOUNT = json.dumps(
    {"type": "service_account", "client_email": "a@b.iam.example", "private_key": KEY}
)

MICROSOFT = OAuthDraft(provider="microsoft", flow="browser", client_id=CLIENT, tenant=TENANT)
GOOGLE = OAuthDraft(provider="google", flow="browser", client_id="1.apps.example.com")
CUSTOM = OAuthDraft(
    provider="custom",
    flow="browser",
    client_id="desk",
    authorize_url="https://login.example.com/authorize?a=b",
    token_url="https://login.example.com:8443/token",
    scope="smtp offline_access",
)


def draft(oauth: OAuthDraft, password: Secret | StoredSecret | None = None) -> SettingsDraft:
    return SettingsDraft(
        host="smtp.example.com",
        username="desk@example.com",
        from_email="desk@example.com",
        secret=Secret("") if password is None else password,
        auth_method=OAUTH,
        oauth=oauth,
    )


def settings(oauth: OAuthDraft, password: Secret | StoredSecret | None = None) -> OAuthSettings:
    found = parse(draft(oauth, password)).settings.oauth
    assert found is not None
    return found


@each_row(
    ("typed", "secret", "expected"),
    [
        (
            MICROSOFT,
            "",
            OAuthSettings(
                provider=OAuthProvider.MICROSOFT,
                flow=OAuthFlow.BROWSER,
                client_id=CLIENT,
                tenant=TENANT,
                authorize_url=f"https://login.microsoftonline.com/{TENANT}/oauth2/v2.0/authorize",
                token_url=f"https://login.microsoftonline.com/{TENANT}/oauth2/v2.0/token",
                scopes=("https://outlook.office.com/SMTP.Send", "offline_access"),
            ),
        ),
        (
            replace(MICROSOFT, flow="app", tenant=" Example.OnMicrosoft.com "),
            "secret",
            OAuthSettings(
                provider=OAuthProvider.MICROSOFT,
                flow=OAuthFlow.APP,
                client_id=CLIENT,
                tenant="example.onmicrosoft.com",
                token_url="https://login.microsoftonline.com/example.onmicrosoft.com/oauth2/v2.0/token",
                scopes=("https://outlook.office365.com/.default",),
            ),
        ),
        (
            replace(MICROSOFT, flow="device", tenant="organizations"),
            "",
            OAuthSettings(
                provider=OAuthProvider.MICROSOFT,
                flow=OAuthFlow.DEVICE,
                client_id=CLIENT,
                tenant="organizations",
                token_url="https://login.microsoftonline.com/organizations/oauth2/v2.0/token",
                device_url="https://login.microsoftonline.com/organizations/oauth2/v2.0/devicecode",
                scopes=("https://outlook.office.com/SMTP.Send", "offline_access"),
            ),
        ),
        (
            GOOGLE,
            "secret",
            OAuthSettings(
                provider=OAuthProvider.GOOGLE,
                flow=OAuthFlow.BROWSER,
                client_id="1.apps.example.com",
                authorize_url="https://accounts.google.com/o/oauth2/v2/auth",
                token_url="https://oauth2.googleapis.com/token",
                scopes=("https://mail.google.com/",),
            ),
        ),
        (
            replace(GOOGLE, flow="service-account", client_id=""),
            ACCOUNT,
            OAuthSettings(
                provider=OAuthProvider.GOOGLE,
                flow=OAuthFlow.SERVICE_ACCOUNT,
                client_id="",
                token_url="https://oauth2.googleapis.com/token",
                scopes=("https://mail.google.com/",),
            ),
        ),
        (
            replace(CUSTOM, scope=" smtp  offline_access\tsmtp "),
            "",
            OAuthSettings(
                provider=OAuthProvider.CUSTOM,
                flow=OAuthFlow.BROWSER,
                client_id="desk",
                authorize_url="https://login.example.com/authorize?a=b",
                token_url="https://login.example.com:8443/token",
                scopes=("smtp", "offline_access"),
            ),
        ),
    ],
)
def test_what_is_saved(typed: OAuthDraft, secret: str, expected: OAuthSettings) -> None:
    assert settings(typed, Secret(secret)) == expected
    assert settings(oauth_draft(expected), Secret(secret)) == expected


def test_the_values_around_it() -> None:
    values = parse(draft(MICROSOFT)).settings
    assert values.auth_method is AuthMethod.AUTO
    assert values.oauth is not None
    assert values.identity != replace(values, oauth=None).identity
    known = replace(values, oauth=replace(values.oauth, subject="ann", issuer="us"))
    assert known.identity == values.identity
    unused = parse(replace(draft(MICROSOFT), auth_method="auto", secret=Secret("x"))).settings
    assert unused.oauth is None


@each_row(
    ("typed", "problems"),
    [
        (OAuthDraft(), {"oauth_provider choice", "flow choice", "client_id oauth.client_id_empty"}),
        (replace(MICROSOFT, provider="yahoo", tenant=""), {"oauth_provider choice"}),
        (replace(MICROSOFT, flow="password"), {"flow choice"}),
        (
            replace(MICROSOFT, flow="service-account"),
            {"flow choice", "password oauth.no_secret"},
        ),
        (replace(GOOGLE, flow="device"), {"flow choice"}),
        (replace(GOOGLE, flow="app"), {"flow choice", "password oauth.no_secret"}),
        (replace(MICROSOFT, client_id=" "), {"client_id oauth.client_id_empty"}),
        (replace(MICROSOFT, client_id="a b"), {"client_id oauth.client_id"}),
        (replace(MICROSOFT, client_id="ä"), {"client_id oauth.client_id"}),
        (replace(MICROSOFT, client_id="a\nb"), {"client_id oauth.client_id"}),
        (replace(MICROSOFT, client_id="a" * 256), {"client_id too_long"}),
        (replace(MICROSOFT, tenant=""), {"tenant oauth.tenant_empty"}),
        (replace(MICROSOFT, tenant="example"), {"tenant oauth.tenant"}),
        (replace(MICROSOFT, tenant="a/../b.example"), {"tenant oauth.tenant"}),
        (replace(MICROSOFT, tenant="a.example?x=y"), {"tenant oauth.tenant"}),
        (replace(MICROSOFT, tenant="192.0.2.1"), {"tenant oauth.tenant"}),
        (replace(MICROSOFT, tenant="[::1]"), {"tenant oauth.tenant"}),
        (replace(GOOGLE, tenant="example.com"), {"tenant oauth.tenant_elsewhere"}),
        (replace(MICROSOFT, token_url="https://x.example"), {"oauth_token_url oauth.custom_only"}),
        (replace(GOOGLE, scope="mail"), {"oauth_scope oauth.custom_only"}),
        (replace(GOOGLE, ca_file="ca.pem"), {"oauth_ca_file oauth.custom_only"}),
        (replace(CUSTOM, token_url=""), {"oauth_token_url oauth.url_empty"}),
        (replace(CUSTOM, authorize_url=""), {"oauth_authorize_url oauth.url_empty"}),
        (replace(CUSTOM, flow="device"), {"oauth_device_url oauth.url_empty"}),
        (replace(CUSTOM, scope='a"b'), {"oauth_scope oauth.scope"}),
        (replace(CUSTOM, scope="ä"), {"oauth_scope oauth.scope"}),
    ],
)
def test_every_rule(typed: OAuthDraft, problems: set[str]) -> None:
    found = validate(draft(typed))
    assert {f"{problem.field} {problem.code}" for problem in found} == problems
    assert all(problem_text(problem) for problem in found)
    with pytest.raises(InvalidDraftError):
        parse(draft(typed))


@each_row(
    ("url", "code"),
    [
        ("http://login.example.com/token", "oauth.url_https"),
        ("ftp://login.example.com/token", "oauth.url_https"),
        ("file:///etc/passwd", "oauth.url"),
        ("login.example.com/token", "oauth.url"),
        ("https://", "oauth.url"),
        ("https:///token", "oauth.url"),
        ("https://user@login.example.com/", "oauth.url"),
        ("https://user:pw@login.example.com/", "oauth.url"),
        ("https://@login.example.com/", "oauth.url"),
        ("https://login.example.com/#x", "oauth.url"),
        ("https://login.example.com:0/", "oauth.url"),
        ("https://login.example.com:99999/", "oauth.url"),
        ("https://login.example.com:x/", "oauth.url"),
        ("https://lögin.example.com/", "oauth.url"),
        ("https://login.example.com/a b", "oauth.url"),
        ("https://login.example.com/a\r\nHost: evil", "oauth.url"),
        ("https://login..example.com/", "oauth.url"),
        ("https://login_.example.com\\@evil.example/", "oauth.url"),
        ("https://[::1", "oauth.url"),
        ("https://login.example.com/" + "a" * 2048, "oauth.url"),
    ],
)
@each_row("name", ["authorize_url", "token_url", "device_url"])
def test_addresses(name: str, url: str, code: str) -> None:
    typed = replace(CUSTOM, flow="device" if name == "device_url" else "browser")
    found = validate(draft(replace(typed, **{name: url})))
    assert (f"oauth_{name}", code) in {(problem.field, problem.code) for problem in found}


@pytest.mark.parametrize("url", ["https://[2001:db8::1]:8443/token", "https://192.0.2.1/token"])
def test_addresses_by_number(url: str) -> None:
    assert settings(replace(CUSTOM, token_url=url)).token_url == url


@each_row(
    ("flow", "secret", "code"),
    [
        ("app", "", "oauth.no_secret"),
        ("app", "se\ncret", "control_character"),
        ("app", KEY, "oauth.client_certificate"),
        ("app", CERTIFICATE, "oauth.client_certificate"),
        ("app", "x" * 65537, "oauth.secret_too_long"),
        ("app", "x" * 1000, None),
        ("app", KEY + CERTIFICATE, None),
        ("browser", "", None),
        ("browser", "se\0cret", "control_character"),
        ("service-account", "", "oauth.no_secret"),
        ("service-account", "no JSON", "oauth.service_account"),
        ("service-account", "[" * 10000, "oauth.service_account"),
        ("service-account", "[]", "oauth.service_account"),
        ("service-account", '{"type": "authorized_user"}', "oauth.service_account"),
        ("service-account", ACCOUNT.replace("PRIVATE", "PUBLIC"), "oauth.service_account"),
        ("service-account", ACCOUNT.replace("client_email", "email"), "oauth.service_account"),
        ("service-account", ACCOUNT, None),
    ],
)
def test_secrets(flow: str, secret: str, code: str | None) -> None:
    base = GOOGLE if flow == "service-account" else MICROSOFT
    found = validate(draft(replace(base, flow=flow), Secret(secret)))
    assert [(problem.field, problem.code) for problem in found] == (
        [(Field.PASSWORD, code)] if code else []
    )
    assert secret == "" or secret not in str(found)


def test_the_stored_secret_was_looked_at_when_it_was_saved() -> None:
    assert not validate(draft(replace(GOOGLE, flow="service-account"), StoredSecret("key")))


def test_a_token_is_for_an_account() -> None:
    for username in ("", " "):
        found = validate(replace(draft(MICROSOFT), username=username))
        assert [(problem.field, problem.code) for problem in found] == [
            (Field.USERNAME, "oauth.no_username")
        ]


def test_a_check_without_signing_in_asks_for_nothing_of_it() -> None:
    typed = replace(draft(OAuthDraft()), username="", from_email="")
    assert not validate(typed, login=False)
    assert parse(typed, login=False).settings.oauth is None


def test_a_ca_of_its_own() -> None:
    typed = draft(replace(CUSTOM, ca_file=" ca.pem "))
    found = parse(typed, oauth_ca=CaFile("ca.pem", "PEM")).settings
    assert (found.ca_pem, found.oauth and found.oauth.ca_pem) == ("", "PEM")
    unread = CaFile("ca.pem", problem="ca_file.missing")
    (problem,) = validate(typed, oauth_ca=unread)
    assert (problem.field, problem.code) == (Field.OAUTH_CA_FILE, "ca_file.missing")


def test_no_remedy_changes_them() -> None:
    assert len(OAUTH_FIELDS) == 10
    assert Field.PASSWORD not in OAUTH_FIELDS


TODAY = date(2026, 12, 1)


@each_row(
    ("typed", "code"),
    [
        ("", None),
        ("  ", None),
        ("2026-12-01", None),  # it may last until tonight
        (" 2027-05-30 ", None),
        ("2028-02-29", None),
        ("2036-12-01", None),
        ("2026-11-30", "oauth.expires_past"),
        ("0001-01-01", "oauth.expires_past"),
        ("2036-12-31", "oauth.expires_far"),
        ("9999-12-31", "oauth.expires_far"),
        ("2027-02-29", "oauth.expires_no_such_day"),
        ("2027-13-01", "oauth.expires_no_such_day"),
        ("2027-04-31", "oauth.expires_no_such_day"),
        ("0000-01-01", "oauth.expires_no_such_day"),
        ("5/30/2027", "oauth.expires_not_a_day"),
        ("30.05.2027", "oauth.expires_not_a_day"),
        ("20270530", "oauth.expires_not_a_day"),
        ("2027-W21-7", "oauth.expires_not_a_day"),
        ("2027-5-3", "oauth.expires_not_a_day"),
        ("2027-05-30T10:00:00Z", "oauth.expires_not_a_day"),
        ("٢٠٢٧-05-30", "oauth.expires_not_a_day"),
        ("24 months", "oauth.expires_not_a_day"),
        ("2027-05-30\n2028-01-01", "oauth.expires_not_a_day"),
    ],
)
def test_the_day_on_which_a_secret_expires(typed: str, code: str | None) -> None:
    oauth = replace(MICROSOFT, flow="app", client_secret_expires=typed)
    found = validate(draft(oauth, Secret("client")), today=TODAY)
    expected = [(Field.CLIENT_SECRET_EXPIRES, code)] if code else []
    assert [(problem.field, problem.code) for problem in found] == expected
    for problem in found:
        assert problem_text(problem)


def test_a_stored_day_may_have_passed_but_is_one() -> None:
    def judged(day: str) -> list[str]:
        oauth = replace(MICROSOFT, flow="app", client_secret_expires=day)
        return [each.code for each in validate(draft(oauth, StoredSecret("key")))]

    assert judged("2020-02-29") == judged("2299-12-31") == []
    assert judged("2021-02-29") == ["oauth.expires_no_such_day"]


@each_row(("provider", "flow"), [(each, flow) for each in FLOWS for flow in FLOWS[each]])
def test_a_day_belongs_to_a_client_secret_only(provider: OAuthProvider, flow: OAuthFlow) -> None:
    base = {"microsoft": MICROSOFT, "google": GOOGLE, "custom": CUSTOM}[provider]
    urls = {"device_url": "https://login.example.com/device"} if provider == "custom" else {}
    oauth = replace(base, flow=flow, client_secret_expires="2027-05-30", **urls)
    secret = Secret(ACCOUNT if flow == "service-account" else "client")
    takes = takes_client_secret(provider, flow)
    known = date(2027, 5, 30) if takes else None
    assert settings(oauth, secret).client_secret_expires == known
    # What isn't shown can't be wrong.
    wrong = validate(draft(replace(oauth, client_secret_expires="soon"), secret), today=TODAY)
    assert bool(wrong) == takes
    assert takes == ((provider, flow) not in {
        ("microsoft", "browser"), ("microsoft", "device"), ("google", "service-account")
    })  # fmt: skip


def test_a_certificate_names_its_own_end() -> None:
    oauth = replace(MICROSOFT, flow="app", client_secret_expires="2027-05-30")
    assert settings(oauth, Secret(KEY + CERTIFICATE)).client_secret_expires is None
    assert settings(oauth, StoredSecret("key")).client_secret_expires == date(2027, 5, 30)


def test_a_new_day_without_a_secret_is_told() -> None:
    oauth = replace(GOOGLE, client_secret_expires="2027-05-30")
    (problem,) = validate(draft(oauth, Secret("")), today=TODAY)
    assert problem.code == "oauth.expires_alone"
    assert not validate(draft(oauth, StoredSecret("key")), today=TODAY)


def test_a_day_ends_for_all_machines_at_once() -> None:
    end = end_of(date(2027, 5, 30))
    assert end == datetime(2027, 5, 30, 23, 59, 59, tzinfo=UTC)
    assert end.utcoffset() == timedelta()


def test_another_day_makes_no_other_settings() -> None:
    oauth = settings(replace(MICROSOFT, flow="app"), Secret("client"))
    dated = replace(oauth, client_secret_expires=date(2027, 5, 30))
    assert dated == oauth
    assert hash(dated) == hash(oauth)
    assert "client_secret_expires" not in dated.proven
    assert dated.proven == oauth.proven
    assert oauth_draft(dated).client_secret_expires == "2027-05-30"
