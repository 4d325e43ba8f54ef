"""What a refused access token says about itself, and which of it doesn't match the settings.

Mail servers give the same answer whatever is wrong with a token, so it is read here: the claims of
a JWT only (RFC 7519, 4.1; RFC 9068, 2.2). They aren't verified, and only the words of a finding
depend on them. Many tokens are opaque; nothing is known about these.
"""

import base64
import binascii
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final
from urllib.parse import urlsplit

from smtp_desk.core.oauth import OAuthFlow, OAuthProvider, OAuthSettings, is_guid
from smtp_desk.core.reply import visible
from smtp_desk.core.secret import Secret
from smtp_desk.core.settings import ServerSettings
from smtp_desk.core.stages import Json

MAX_TOKEN: Final = 16 * 1024
"""Characters of a token that is read; servers take less (RFC 4954, 4)."""
_MAX_CLAIM: Final = 200
_MAX_ITEMS: Final = 20
_JWT: Final = re.compile(r"ey[^.]*\.[^.]*\.[^.]*\Z")  # `ey` is the `{"` of its header
_LAST_MOMENT: Final = 253_402_300_799  # of the year 9999
_CLOCK_TOLERANCE: Final = 300.0  # seconds, as Kerberos and most services grant

_ACCOUNT_CLAIMS: Final = ("upn", "preferred_username", "email", "unique_name")
_SCOPE_CLAIMS: Final = ("scp", "scope", "roles")
_NOT_IN_TOKENS: Final = frozenset({"offline_access", "openid", "profile", "email", ".default"})
_EXCHANGE: Final = "00000002-0000-0ff1-ce00-000000000000"


class UnreadableTokenError(ValueError):
    """The token looks like a JWT but can't be read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenClaims:
    """What a token says about itself, bounded and safe to show.

    Attributes:
        accounts: The names of the account, the most usual first.
        subject: The issuer's permanent identifier of the account.
        audience: The services it is meant for.
        scopes: What it allows, including roles; None where it doesn't say.
        issuer: Who issued it.
        tenant: The organization at Microsoft.
        begins: When it becomes valid, in seconds of Unix time.
        ends: When it expires, in seconds of Unix time.
    """

    accounts: tuple[str, ...] = ()
    subject: str = ""
    audience: tuple[str, ...] = ()
    scopes: tuple[str, ...] | None = None
    issuer: str = ""
    tenant: str = ""
    begins: float | None = None
    ends: float | None = None


def read_token(token: Secret) -> TokenClaims | None:
    """Return the claims of a token; None for an opaque one.

    Raises:
        UnreadableTokenError: It looks like a JWT, but its claims aren't a JSON object.
    """
    if not _JWT.match(token.reveal()):
        return None
    if len(token.reveal()) > MAX_TOKEN:
        raise UnreadableTokenError
    try:
        claims = json.loads(_payload(token.reveal().split(".")[1]))
    except (binascii.Error, ValueError, RecursionError):
        raise UnreadableTokenError from None
    if not isinstance(claims, dict):
        raise UnreadableTokenError
    return _claims(claims)


def token_facts(
    token: Secret, settings: ServerSettings, now: float, ahead: float | None
) -> dict[str, Json]:
    """Return what a refused token says about itself, for the texts of the finding.

    The fact `token_fault` names what doesn't match: "unreadable", "expired", "not_yet_valid",
    "tenant", "scope", "audience", "issuer", "account"; "opaque" where nothing can be read, and
    "" where everything matches that can be compared.

    Args:
        token: The access token.
        settings: The server and account it is used for.
        now: The time by this computer's clock.
        ahead: Seconds by which the sign-in service's clock is ahead of it; None where unknown.
    """
    try:
        claims = read_token(token)
    except UnreadableTokenError:
        return {"token_fault": "unreadable"}
    if claims is None:
        return {"token_fault": "opaque"}
    time = now + (ahead or 0.0)
    faults = _Comparison(claims, settings, time).faults()
    facts: dict[str, Json] = {
        "token_fault": next(faults, ""),
        "token": _told(claims),
        "clock": _moment(now),
        "clock_checked": ahead is not None,
    }
    if claims.accounts:
        facts["account"] = claims.accounts[0]
    if settings.oauth is not None:
        facts["wanted_scope"] = " ".join(_wanted_scopes(settings.oauth))
    if ahead is not None and abs(ahead) > _CLOCK_TOLERANCE:
        facts |= {"clock_wrong": True, "server_date": _moment(time)}
    return facts


@dataclass(frozen=True, slots=True)
class _Comparison:
    claims: TokenClaims
    settings: ServerSettings
    time: float

    def faults(self) -> Iterator[str]:
        """Yield what does not fit, the surest first."""
        claims, oauth = self.claims, self.settings.oauth
        if claims.ends is not None and claims.ends <= self.time:
            yield "expired"
        if claims.begins is not None and claims.begins > self.time:
            yield "not_yet_valid"
        if oauth is not None and oauth.provider is OAuthProvider.MICROSOFT:
            yield from self._of_microsoft(oauth)
        if oauth is not None and claims.scopes is not None and self._lacks_scope(oauth):
            yield "scope"
        if oauth is not None and oauth.provider is OAuthProvider.CUSTOM:
            yield from self._of_custom(oauth)
        if self._is_of_another():
            yield "account"
        # Neither is for sure: a service may name itself and what it allows as it likes.
        if oauth is not None and self._is_for_another(oauth):
            yield "audience"
        if oauth is not None and self._lacks_scope(oauth):
            yield "scope"

    def _of_microsoft(self, oauth: OAuthSettings) -> Iterator[str]:
        audience = self.claims.audience
        if audience and not any(each == _EXCHANGE or "outlook" in _host(each) for each in audience):
            yield "audience"
        if self.claims.tenant and is_guid(oauth.tenant) and self.claims.tenant != oauth.tenant:
            yield "tenant"

    def _of_custom(self, oauth: OAuthSettings) -> Iterator[str]:
        issuer = self.claims.issuer
        if oauth.issuer:
            fits = issuer.rstrip("/") == oauth.issuer.rstrip("/")
        else:
            fits = _related(_host(issuer), _host(oauth.token_url))
        if issuer and not fits:
            yield "issuer"

    def _lacks_scope(self, oauth: OAuthSettings) -> bool:
        return not set(_wanted_scopes(oauth)) <= set(map(_name, self.claims.scopes or ()))

    def _is_of_another(self) -> bool:
        wanted = self.settings.username.casefold()
        accounts = {account.casefold() for account in self.claims.accounts}
        return bool(accounts) and wanted not in accounts

    def _is_for_another(self, oauth: OAuthSettings) -> bool:
        audience, host = self.claims.audience, self.settings.host
        if oauth.provider is not OAuthProvider.CUSTOM or not audience:
            return False
        ours = (each == oauth.client_id or _related(_host(each), host) for each in audience)
        return not any(ours)


def _wanted_scopes(oauth: OAuthSettings) -> tuple[str, ...]:
    """Return the names in a token of what allows to send."""
    if oauth.provider is OAuthProvider.MICROSOFT:
        return ("SMTP.SendAsApp" if oauth.flow is OAuthFlow.APP else "SMTP.Send",)
    names = map(_name, oauth.scopes)
    return tuple(name for name in names if name not in _NOT_IN_TOKENS)


def _payload(text: str) -> bytes:
    """Decode a part of a JWT, strictly but for what pads it (RFC 7515, 2)."""
    bare = text.rstrip("=")
    return base64.b64decode(bare + "=" * (-len(bare) % 4), altchars=b"-_", validate=True)


def _claims(claims: Mapping[str, object]) -> TokenClaims:
    accounts = [text for name in _ACCOUNT_CLAIMS if (text := _text(claims.get(name)))]
    subject = _text(claims.get("sub"))
    if "@" in subject:
        accounts.append(subject)
    scopes = [name for name in _SCOPE_CLAIMS if name in claims]
    return TokenClaims(
        accounts=tuple(dict.fromkeys(accounts)),
        # Microsoft's `sub` is another one for each kind of token; `oid` is not.
        subject=_text(claims.get("oid")) or subject,
        audience=tuple(_texts(claims.get("aud"), blank=False)),
        scopes=tuple(scope for name in scopes for scope in _texts(claims[name]))
        if scopes
        else None,
        issuer=_text(claims.get("iss")),
        tenant=_text(claims.get("tid")).lower(),
        begins=_number(claims.get("nbf")),
        ends=_number(claims.get("exp")),
    )


def _told(claims: TokenClaims) -> dict[str, Json]:
    told: dict[str, Json] = {
        "account": ", ".join(claims.accounts),
        "audience": ", ".join(claims.audience),
        "scopes": " ".join(claims.scopes or ()),
        "issuer": claims.issuer,
        "tenant": claims.tenant,
        "begins": None if claims.begins is None else _moment(claims.begins),
        "ends": None if claims.ends is None else _moment(claims.ends),
    }
    return {name: value for name, value in told.items() if value}


def _texts(value: object, *, blank: bool = True) -> Iterator[str]:
    """Yield the words of a text, or the texts of a list; without `blank` a text is one word."""
    if isinstance(value, str):
        words: list[object] = list(value.split(None, _MAX_ITEMS)) if blank else [value]
    else:
        words = value if isinstance(value, list) else []
    yield from (text for word in words[:_MAX_ITEMS] if (text := _text(word)))


def _text(value: object) -> str:
    return visible(value[:_MAX_CLAIM].strip()) if isinstance(value, str) else ""


def _number(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if 0 < value <= _LAST_MOMENT else None


def _moment(time: float) -> str:
    return datetime.fromtimestamp(time, UTC).isoformat(timespec="seconds")


def _name(scope: str) -> str:
    """Return a scope as it stands in a token: without the address of what it is for."""
    return scope.rstrip("/").rpartition("/")[2] if "://" in scope else scope


def _host(name: str) -> str:
    try:
        return (urlsplit(name).hostname if "://" in name else name) or ""
    except ValueError:
        return ""


def _related(one: str, other: str) -> bool:
    """Whether two hosts are of one house: the same, or with the same domain above them."""
    return one == other or _domain(one) == _domain(other)


def _domain(host: str) -> str:
    labels = host.lower().split(".")
    return ".".join(labels[1:] if len(labels) > 2 else labels)  # noqa: PLR2004 - below a domain
