"""Access tokens for the tests: JWTs (RFC 7519) with a key of their own, right or with one fault."""

from __future__ import annotations

import base64
import hmac
import json
import secrets
import time
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping

    from smtp_desk.core.stages import Json


class SignsTokens(Protocol):
    """Who gives tokens that a mail server checks by itself."""

    @property
    def url(self) -> str:
        """Its name in the tokens."""

    @property
    def audience(self) -> str:
        """For whom the tokens are."""

    @property
    def keys(self) -> Mapping[str, bytes]:
        """What they are checked with, by "ALGORITHM/KEY_ID", as Dovecot reads it."""


class TokenIssuer:
    """Gives tokens for one mail server.

    Attributes:
        key: what it signs with (HS256).
        url: its name in the tokens.
        client_id: the application that they are for.
    """

    def __init__(self, url: str = "https://localhost", client_id: str = "desk") -> None:
        self.key = secrets.token_bytes(32)
        self.url = url
        self.client_id = client_id

    @property
    def audience(self) -> str:
        """For whom they are."""
        return self.client_id

    @property
    def keys(self) -> dict[str, bytes]:
        """What they are checked with; see `SignsTokens`."""
        return {"HS256/default": base64.b64encode(self.key)}

    def token(self, username: str, **changes: Json) -> str:
        """A good token, but for the claims that are changed; None leaves one out."""
        now = time.time()
        good: dict[str, Json] = {
            "iss": self.url,
            "aud": self.client_id,
            "sub": "4711",
            "email": username,
            "scope": "smtp",
            "iat": int(now) - 10,
            "nbf": int(now) - 10,
            "exp": int(now) + 3600,
        }
        claims = {name: value for name, value in (good | changes).items() if value is not None}
        signed = f"{_part({'alg': 'HS256', 'typ': 'JWT'})}.{_part(claims)}"
        return f"{signed}.{_text(hmac.digest(self.key, signed.encode(), 'sha256'))}"


def _part(value: object) -> str:
    return _text(json.dumps(value).encode())


def _text(octets: bytes) -> str:
    return base64.urlsafe_b64encode(octets).rstrip(b"=").decode()
