"""Who signed in, as far as tokens tell."""

from __future__ import annotations

import base64
import json

from smtp_desk.core.secret import AccessToken, Secret
from smtp_desk.oauth.account import Account, account_of
from smtp_desk.oauth.client import Grant
from tests.table import each_row


def jwt(**claims: object) -> str:
    parts = ({"alg": "none"}, claims)
    encoded = [base64.urlsafe_b64encode(json.dumps(each).encode()).decode() for each in parts]
    return ".".join([*(each.rstrip("=") for each in encoded), "signature"])


def grant(access: str, identity: str = "") -> Grant:
    return Grant(AccessToken(Secret(access), 0.0, 1.0), Secret("refresh"), Secret(identity))


def test_the_identity_token_tells_best() -> None:
    told = grant(
        jwt(iss="https://a", sub="1", upn="access@example.org"),
        jwt(iss="https://a", sub="2", email="ann@example.org"),
    )
    assert account_of(told) == Account("https://a", "2", "ann@example.org")


def test_an_access_token_of_microsoft_tells_by_its_object_id() -> None:
    told = grant(jwt(iss="https://sts", sub="pairwise", oid="object", upn="ann@example.org"))
    assert account_of(told) == Account("https://sts", "object", "ann@example.org")


@each_row(
    "token",
    [
        *("opaque", "", "a.b.c", "ey.b", "eyJ.!!.c", f"eyJ.{'x' * 100_000}.c"),
        jwt(sub="1"),
        jwt(iss="https://a"),
        jwt(iss=["x"], sub=1),
    ],
)
def test_of_an_opaque_token_nothing_is_claimed(token: str) -> None:
    assert account_of(grant(token, token)) == Account()
