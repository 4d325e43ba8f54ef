"""What a token says of itself: claims only, bounded, and what of them does not fit."""

import base64
import json
import time
from dataclasses import replace

import pytest

from smtp_desk.core.findings.token_claims import (
    MAX_TOKEN,
    TokenClaims,
    UnreadableTokenError,
    read_token,
    token_facts,
)
from smtp_desk.core.oauth import OAuthFlow, OAuthProvider, OAuthSettings
from smtp_desk.core.secret import Secret
from smtp_desk.core.settings import ServerSettings
from smtp_desk.core.stages import Json
from tests.table import each_row

NOW = 1_796_000_000.0
TENANT = "8d1f0c3e-0000-4000-8000-aabbccddeeff"
CUSTOM = OAuthSettings(
    provider=OAuthProvider.CUSTOM,
    flow=OAuthFlow.BROWSER,
    client_id="desk",
    token_url="https://login.example.com/token",  # an address
    scopes=("smtp", "offline_access"),
)
MICROSOFT = OAuthSettings(
    provider=OAuthProvider.MICROSOFT,
    flow=OAuthFlow.BROWSER,
    client_id="desk",
    tenant=TENANT,
    token_url=f"https://login.microsoftonline.com/{TENANT}/oauth2/v2.0/token",
    scopes=("https://outlook.office.com/SMTP.Send", "offline_access"),
)
OF_CUSTOM: dict[str, Json] = {
    "iss": "https://login.example.com",
    "aud": "smtp.example.com",
    "sub": "4711",
    "email": "ann@example.com",
    "scope": "openid smtp",
    "nbf": NOW - 60,
    "exp": NOW + 3600,
}
OF_MICROSOFT: dict[str, Json] = {
    "iss": f"https://sts.windows.net/{TENANT}/",
    "tid": TENANT.upper(),
    "aud": "https://outlook.office.com",
    "upn": "Ann@Example.com",
    "scp": "SMTP.Send User.Read",
    "exp": NOW + 3600,
}
OF_APP: dict[str, Json] = {
    "tid": TENANT,
    "aud": "00000002-0000-0ff1-ce00-000000000000",
    "roles": ["SMTP.SendAsApp"],
    "exp": NOW + 3600,
}


def part(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def jwt(claims: object) -> Secret:
    return Secret(f"{part({'alg': 'RS256'})}.{part(claims)}.c2lnbmF0dXJl")


def raw(payload: bytes) -> Secret:
    return Secret(f"eyJhIjoxfQ.{base64.urlsafe_b64encode(payload).decode()}.c2ln")


def facts(
    claims: object, oauth: OAuthSettings | None = CUSTOM, ahead: float | None = None
) -> dict[str, Json]:
    settings = ServerSettings(
        host="smtp.example.com",
        port=587,
        username="ann@example.com",
        from_email="ann@example.com",
        oauth=oauth,
    )
    token = claims if isinstance(claims, Secret) else jwt(claims)
    return token_facts(token, settings, NOW, ahead)


@each_row(
    ("good", "change", "oauth", "fault"),
    [
        (OF_CUSTOM, {}, CUSTOM, ""),
        (OF_CUSTOM, {"exp": NOW}, CUSTOM, "expired"),
        (OF_CUSTOM, {"exp": 1}, CUSTOM, "expired"),
        (OF_CUSTOM, {"nbf": NOW + 1}, CUSTOM, "not_yet_valid"),
        (OF_CUSTOM, {"scope": "openid"}, CUSTOM, "scope"),
        (OF_CUSTOM, {"scope": ""}, CUSTOM, "scope"),
        (OF_CUSTOM, {"scope": ["smtp", "x"]}, CUSTOM, ""),
        (OF_CUSTOM, {"scope": None, "scp": ["smtp"]}, CUSTOM, ""),
        (OF_CUSTOM, {"scope": None, "roles": ["https://mail.example.com/smtp"]}, CUSTOM, ""),
        (OF_CUSTOM, {"iss": "https://evil.example/"}, CUSTOM, "issuer"),
        (OF_CUSTOM, {"iss": "https://id.example.com/realms/a"}, CUSTOM, ""),
        (OF_CUSTOM, {"iss": "https://login.example.com/b"},
         replace(CUSTOM, issuer="https://login.example.com/a"), "issuer"),
        (OF_CUSTOM, {"iss": "https://login.example.com/a/"},
         replace(CUSTOM, issuer="https://login.example.com/a"), ""),
        (OF_CUSTOM, {"email": "bo@example.com"}, CUSTOM, "account"),
        (OF_CUSTOM, {"email": "bo@example.com", "preferred_username": "ANN@example.com"},
         CUSTOM, ""),
        (OF_CUSTOM, {"email": None, "sub": "bo@example.com"}, CUSTOM, "account"),
        (OF_CUSTOM, {"email": None}, CUSTOM, ""),
        (OF_CUSTOM, {"aud": "billing"}, CUSTOM, "audience"),
        (OF_CUSTOM, {"aud": ["billing", "https://mail.example.com/"]}, CUSTOM, ""),
        (OF_CUSTOM, {"aud": ["billing", "desk"]}, CUSTOM, ""),
        (OF_CUSTOM, {"aud": "https://[bad"}, CUSTOM, "audience"),
        # The surest goes first, and what may be meant otherwise last.
        (OF_CUSTOM, {"exp": 1, "aud": "x", "email": "bo@example.com"}, CUSTOM, "expired"),
        (OF_CUSTOM, {"aud": "x", "email": "bo@example.com"}, CUSTOM, "account"),
        (OF_MICROSOFT, {}, MICROSOFT, ""),
        (OF_MICROSOFT, {"aud": "https://graph.microsoft.com"}, MICROSOFT, "audience"),
        (OF_MICROSOFT, {"aud": "00000003-0000-0000-c000-000000000000"}, MICROSOFT, "audience"),
        (OF_MICROSOFT, {"aud": "https://outlook.office365.us/"}, MICROSOFT, ""),
        (OF_MICROSOFT, {"tid": TENANT.replace("8", "9")}, MICROSOFT, "tenant"),
        (OF_MICROSOFT, {"tid": "x"}, replace(MICROSOFT, tenant="example.com"), ""),
        (OF_MICROSOFT, {"scp": "User.Read"}, MICROSOFT, "scope"),
        (OF_MICROSOFT, {"scp": None}, MICROSOFT, "scope"),
        (OF_MICROSOFT, {"upn": "bo@example.com"}, MICROSOFT, "account"),
        (OF_APP, {}, replace(MICROSOFT, flow=OAuthFlow.APP), ""),
        (OF_APP, {"roles": ["Mail.Send"]}, replace(MICROSOFT, flow=OAuthFlow.APP), "scope"),
        (OF_APP, {"roles": None, "scp": "SMTP.Send"}, replace(MICROSOFT, flow=OAuthFlow.APP),
         "scope"),
        (OF_CUSTOM, {"exp": 1}, None, "expired"),
        (OF_CUSTOM, {"email": "bo@example.com"}, None, "account"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_named(
    good: dict[str, Json], change: dict[str, Json], oauth: OAuthSettings | None, fault: str
) -> None:
    claims = {name: value for name, value in {**good, **change}.items() if value is not None}
    assert facts(claims, oauth)["token_fault"] == fault


@each_row(
    "token",
    [
        "ya29.a0Af_opaque",
        "EwBIA8l6BAAU",
        "",
        "eyJ.two",
        "eyJhbGciOiJSU0EifQ.a.b.c.d",
        "a.b.c",
        "x" * 20_000,
    ],
)
def test_of_an_opaque_token_nothing_is_claimed(token: str) -> None:
    assert read_token(Secret(token)) is None
    assert facts(Secret(token)) == {"token_fault": "opaque"}


@each_row(
    "token",
    [
        Secret("eyJhIjoxfQ.!!!.c2ln"),
        Secret("eyJhIjoxfQ.a.c2ln"),
        Secret("eyJhIjoxfQ..c2ln"),
        Secret("eyJhIjoxfQ.äöü.c2ln"),
        raw(b"garbage"),
        raw(b"\xff\xfe"),
        raw(b"[]"),
        raw(b'"text"'),
        raw(b"null"),
        raw(b"[" * 6000),
        raw(b'{"a":' * 1500 + b"1" + b"}" * 1500),
        raw(b'{"exp":' + b"9" * 5000 + b"}"),
        raw(b'{"a":"' + b"x" * MAX_TOKEN + b'"}'),
    ],
    ids=range(13),
)
def test_a_damaged_token_is_told_as_one(token: Secret) -> None:
    with pytest.raises(UnreadableTokenError):
        read_token(token)
    assert facts(token) == {"token_fault": "unreadable"}


@pytest.mark.parametrize(
    "claims",
    [
        {"exp": "soon", "nbf": None, "aud": 7, "iss": {}, "scope": {"a": 1}, "email": ["x"]},
        {"exp": True, "nbf": -5, "aud": [None, 3], "upn": "", "tid": 5},
        {"exp": 1e308, "nbf": 10**300},
    ],
)
def test_claims_of_other_types_are_none(claims: dict[str, Json]) -> None:
    empty = TokenClaims()
    read = read_token(jwt(claims))
    assert read in (empty, replace(empty, scopes=()))


def test_infinite_numbers_are_no_times() -> None:
    assert read_token(raw(b'{"exp":NaN,"nbf":Infinity}')) == TokenClaims()


def test_claims_are_bounded_and_safe_to_show() -> None:
    claims = {
        "aud": ["a\x1b[2J\u202e" + "x" * 300] * 24,
        "scp": " ".join("s" * 250 for _ in range(16)),
        "upn": "ann\r\n@example.com",
    }
    read = read_token(jwt(claims))
    assert read is not None
    assert read.audience[0].startswith("a\\x1b[2J\\u202e")
    assert len(read.audience) <= 20
    assert len(read.scopes or ()) <= 20
    assert read.accounts == ("ann\\x0d\\x0a@example.com",)
    assert len(json.dumps(facts(claims))) < 20_000


def test_neither_signature_nor_unknown_claims_are_told() -> None:
    token = jwt({**OF_CUSTOM, "nonce": "s3cret-nonce", "jti": "s3cret-id"})
    told = repr(facts(token)) + repr(read_token(token))
    assert not [each for each in ("s3cret", *token.reveal().split(".")) if each in told]


@each_row(
    ("ahead", "change", "fault", "wrong"),
    [
        # This clock is a day ahead: the token only seems to have expired.
        (-86400.0, {"nbf": NOW - 86460, "exp": NOW - 82800}, "", True),
        # It is a day behind: a fresh token only seems to begin tomorrow.
        (86400.0, {"nbf": NOW + 86300, "exp": NOW + 90000}, "", True),
        # It is wrong, and the token has expired all the same.
        (-86400.0, {"nbf": 1, "exp": NOW - 90000}, "expired", True),
        (2.0, {"exp": NOW - 1}, "expired", False),
        (None, {"exp": NOW - 1}, "expired", False),
    ],
)
def test_a_wrong_clock_is_told_from_an_expired_token(
    ahead: float | None, change: dict[str, Json], fault: str, *, wrong: bool
) -> None:
    known = facts({**OF_CUSTOM, **change}, ahead=ahead)
    assert known["token_fault"] == fault
    assert known.get("clock_wrong", False) is wrong
    assert known["clock_checked"] is (ahead is not None)


def test_what_is_wanted_is_told() -> None:
    known = facts({**OF_MICROSOFT, "scp": "User.Read"}, MICROSOFT)
    assert known["wanted_scope"] == "SMTP.Send"
    assert known["account"] == "Ann@Example.com"
    assert known["token"] == {
        "account": "Ann@Example.com",
        "audience": "https://outlook.office.com",
        "scopes": "User.Read",
        "issuer": f"https://sts.windows.net/{TENANT}/",
        "tenant": TENANT,
        "ends": "2026-11-30T01:53:20+00:00",
    }


def test_the_largest_token_is_read_at_once() -> None:
    began = time.process_time()
    for _ in range(20):
        facts(raw(b'{"scp":"' + b"x " * 6000 + b'"}'))
    assert time.process_time() - began < 1
