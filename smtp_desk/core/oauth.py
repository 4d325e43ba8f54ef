"""Signing in by OAuth 2.0: the settings that are saved, and the rules of their fields."""

import dataclasses
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from typing import Final
from urllib.parse import urlsplit

from smtp_desk.core.address import AddressError, has_control, parse_host
from smtp_desk.core.problems import Field, Problem
from smtp_desk.core.secret import Secret


class OAuthProvider(StrEnum):
    """The provider whose accounts are used."""

    MICROSOFT = "microsoft"
    GOOGLE = "google"
    CUSTOM = "custom"


class OAuthFlow(StrEnum):
    """How a token is obtained.

    BROWSER is the authorization code with PKCE (RFC 7636), APP client credentials (RFC 6749,
    4.4), SERVICE_ACCOUNT a signed assertion (RFC 7523), DEVICE the device code (RFC 8628).
    """

    BROWSER = "browser"
    APP = "app"
    SERVICE_ACCOUNT = "service-account"
    DEVICE = "device"


INTERACTIVE: Final = frozenset({OAuthFlow.BROWSER, OAuthFlow.DEVICE})
"""The flows in which a person signs in, once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OAuthSettings:
    """How to obtain a token. The secrets that belong to it are stored in the keyring only.

    Attributes:
        provider: The provider whose accounts are used.
        flow: How a token is obtained.
        client_id: The client id of the application that the organization registered.
        tenant: The organization at Microsoft: its id or one of its domains.
        authorize_url: Where the person signs in, for BROWSER.
        token_url: The token endpoint.
        device_url: The device authorization endpoint, for DEVICE.
        scopes: What the token allows.
        ca_pem: Content of the CA file for these addresses, or "".
        issuer: The issuer of the account that signed in; "" where it isn't known.
        subject: The issuer's identifier of that account.
        client_secret_expires: The last day of the client secret, by UTC, as a person gave it; no
            service tells it. None where nobody did.
    """

    provider: OAuthProvider
    flow: OAuthFlow
    client_id: str
    token_url: str
    tenant: str = ""
    authorize_url: str = ""
    device_url: str = ""
    scopes: tuple[str, ...] = ()
    ca_pem: str = ""
    # Which account signs in is no field of the form: the proof alone heeds it.
    issuer: str = dataclasses.field(default="", compare=False)
    subject: str = dataclasses.field(default="", compare=False)
    # Neither a test proves it, nor does a secret belong elsewhere because of it.
    client_secret_expires: date | None = dataclasses.field(default=None, compare=False)

    @property
    def proven(self) -> Mapping[str, object]:
        """What a proof is about, by field: all but when the client secret expires."""
        fields = dataclasses.asdict(self)
        del fields["client_secret_expires"]
        return fields


@dataclass(frozen=True, slots=True, kw_only=True)
class OAuthDraft:
    """The fields as typed; see `OAuthSettings`. The addresses are for CUSTOM only."""

    provider: str = ""
    flow: str = ""
    client_id: str = ""
    tenant: str = ""
    authorize_url: str = ""
    token_url: str = ""
    device_url: str = ""
    scope: str = ""
    ca_file: str = ""
    client_secret_expires: str = ""


ENDS_SOON: Final = timedelta(days=30)
"""So long before what a sign-in needs ends its end is told."""

MAX_CLIENT_ID: Final = 255
MAX_URL: Final = 2048
MAX_SECRET: Final = 64 * 1024
"""Octets of a client secret, or of the file with a certificate's or a service account's key."""

_MICROSOFT: Final = "https://login.microsoftonline.com/{tenant}/oauth2/v2.0"
_DELEGATED: Final = ("https://outlook.office.com/SMTP.Send", "offline_access")
FLOWS: Final[Mapping[OAuthProvider, tuple[OAuthFlow, ...]]] = {
    OAuthProvider.MICROSOFT: (OAuthFlow.BROWSER, OAuthFlow.APP, OAuthFlow.DEVICE),
    # Its device flow has no scope for mail, and it has no client credentials.
    OAuthProvider.GOOGLE: (OAuthFlow.BROWSER, OAuthFlow.SERVICE_ACCOUNT),
    OAuthProvider.CUSTOM: (OAuthFlow.BROWSER, OAuthFlow.APP, OAuthFlow.DEVICE),
}
_ANY_TENANT: Final = frozenset({"common", "organizations", "consumers"})
_GUID: Final = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_CLIENT_ID: Final = re.compile(r"[!-~]+")  # RFC 6749, appendix A.1, without the blank
_SCOPE: Final = re.compile(r"[!#-\[\]-~]+")  # RFC 6749, 3.3
_PRIVATE_KEY: Final = re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----")
_CERTIFICATE: Final = "-----BEGIN CERTIFICATE-----"
_DAY: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_FARTHEST_DAY: Final = timedelta(days=3653)


def validate_oauth(
    draft: OAuthDraft, secret: Secret | None, today: date | None = None
) -> Iterator[Problem]:
    """Yield all problems of the fields.

    Args:
        draft: The fields.
        secret: What was given with them: a client secret, a certificate with its private key
            (PEM), or a service account's key file (JSON); None for the stored one.
        today: The day by UTC, if the day on which the secret expires was just given; None for one
            that is stored, which may have passed since.
    """
    provider, flow = draft.provider, draft.flow
    yield from _choice(Field.OAUTH_PROVIDER, provider, tuple(OAuthProvider))
    flows = FLOWS[OAuthProvider(provider)] if provider in list(OAuthProvider) else tuple(OAuthFlow)
    yield from _choice(Field.OAUTH_FLOW, flow, flows)
    yield from _client_id(draft)
    yield from _tenant(draft)
    yield from _addresses(draft)
    scopes = draft.scope.split()
    if any(not _SCOPE.fullmatch(scope) for scope in scopes):
        yield Problem(Field.OAUTH_SCOPE, "oauth.scope")
    if takes_client_secret(provider, flow):
        yield from _expires(draft.client_secret_expires, secret, today)
    if secret is not None:
        yield from _secret(flow, secret)


def takes_client_secret(provider: str, flow: str) -> bool:
    """Whether an application may have a client secret, needed or not."""
    # Where people sign in, Microsoft's applications are public clients: a secret is refused.
    return flow == OAuthFlow.APP or (provider != OAuthProvider.MICROSOFT and flow in INTERACTIVE)


def is_pem(secret: Secret) -> bool:
    """Whether a secret is a certificate with its private key, and no client secret."""
    return "-----BEGIN " in secret.reveal()


def end_of(day: date) -> datetime:
    """Return the end of a client secret's last day: in UTC, so that all machines agree."""
    return datetime.combine(day, time(23, 59, 59), UTC)


def parse_oauth(draft: OAuthDraft, ca_pem: str = "", secret: Secret | None = None) -> OAuthSettings:
    """Make settings of a draft in which `validate_oauth` found no problem."""
    provider, flow = OAuthProvider(draft.provider), OAuthFlow(draft.flow)
    tenant = draft.tenant.strip().lower()
    if provider is OAuthProvider.MICROSOFT:
        base = _MICROSOFT.format(tenant=tenant)
        urls = (f"{base}/authorize", f"{base}/token", f"{base}/devicecode")
        app_only = ("https://outlook.office365.com/.default",)
        scopes: tuple[str, ...] = app_only if flow is OAuthFlow.APP else _DELEGATED
    elif provider is OAuthProvider.GOOGLE:
        token_url = "https://oauth2.googleapis.com/token"  # noqa: S105 - an address
        urls = ("https://accounts.google.com/o/oauth2/v2/auth", token_url, "")
        scopes = ("https://mail.google.com/",)
    else:
        urls = (draft.authorize_url.strip(), draft.token_url.strip(), draft.device_url.strip())
        scopes = tuple(dict.fromkeys(draft.scope.split()))
    return OAuthSettings(
        provider=provider,
        flow=flow,
        client_id=draft.client_id.strip(),
        tenant=tenant,
        authorize_url=urls[0] if flow is OAuthFlow.BROWSER else "",
        token_url=urls[1],
        device_url=urls[2] if flow is OAuthFlow.DEVICE else "",
        scopes=scopes,
        ca_pem=ca_pem,
        client_secret_expires=_day_of(draft, secret),
    )


def oauth_draft(settings: OAuthSettings, ca_file: str = "") -> OAuthDraft:
    """Return the draft that `parse_oauth` makes these settings of."""
    custom = settings.provider is OAuthProvider.CUSTOM
    return OAuthDraft(
        provider=settings.provider,
        flow=settings.flow,
        client_id=settings.client_id,
        tenant=settings.tenant,
        authorize_url=settings.authorize_url if custom else "",
        token_url=settings.token_url if custom else "",
        device_url=settings.device_url if custom else "",
        scope=" ".join(settings.scopes) if custom else "",
        ca_file=ca_file,
        client_secret_expires=str(settings.client_secret_expires or ""),
    )


def _choice(field: Field, text: str, choices: tuple[StrEnum, ...]) -> Iterator[Problem]:
    if text not in choices:
        yield Problem(field, "choice", {"choices": ", ".join(choices)})


def _client_id(draft: OAuthDraft) -> Iterator[Problem]:
    value = draft.client_id.strip()
    if not value:
        if draft.flow != OAuthFlow.SERVICE_ACCOUNT:  # its key file names the client
            yield Problem(Field.CLIENT_ID, "oauth.client_id_empty")
    elif not _CLIENT_ID.fullmatch(value):
        yield Problem(Field.CLIENT_ID, "oauth.client_id")
    elif len(value) > MAX_CLIENT_ID:
        limits = {"limit": str(MAX_CLIENT_ID), "length": str(len(value))}
        yield Problem(Field.CLIENT_ID, "too_long", limits)


def _tenant(draft: OAuthDraft) -> Iterator[Problem]:
    value = draft.tenant.strip().lower()
    if draft.provider != OAuthProvider.MICROSOFT:
        if value:
            yield Problem(Field.TENANT, "oauth.tenant_elsewhere")
    elif not value:
        yield Problem(Field.TENANT, "oauth.tenant_empty")
    elif value in _ANY_TENANT:
        if draft.flow == OAuthFlow.APP:
            yield Problem(Field.TENANT, "oauth.tenant_of_app")
    elif not is_guid(value) and not _is_domain(value):
        yield Problem(Field.TENANT, "oauth.tenant")


def is_guid(text: str) -> bool:
    """Whether this is a Microsoft identifier (GUID), such as a tenant's, in upper or lower case."""
    return bool(_GUID.fullmatch(text.lower()))


def _is_domain(text: str) -> bool:
    try:
        host = parse_host(text)
    except AddressError:
        return False
    return host.ascii == text and "." in text and not text.replace(".", "").isdigit()


def _addresses(draft: OAuthDraft) -> Iterator[Problem]:
    needed = {
        Field.OAUTH_AUTHORIZE_URL: (draft.authorize_url, OAuthFlow.BROWSER),
        Field.OAUTH_TOKEN_URL: (draft.token_url, None),
        Field.OAUTH_DEVICE_URL: (draft.device_url, OAuthFlow.DEVICE),
    }
    custom = draft.provider == OAuthProvider.CUSTOM
    for field, (text, flow) in needed.items():
        if not text.strip():
            if custom and flow in (None, draft.flow):
                yield Problem(field, "oauth.url_empty")
        elif not custom:
            yield Problem(field, "oauth.custom_only")
        else:
            yield from _url(field, text.strip())
    for field, text in ((Field.OAUTH_SCOPE, draft.scope), (Field.OAUTH_CA_FILE, draft.ca_file)):
        if text.strip() and not custom:
            yield Problem(field, "oauth.custom_only")


def _url(field: Field, text: str) -> Iterator[Problem]:
    if not text.isascii() or has_control(text) or " " in text or len(text) > MAX_URL:
        yield Problem(field, "oauth.url")
        return
    try:
        parts = urlsplit(text)
        is_whole = parts.port != 0 and parse_host(parts.hostname or "").ascii == parts.hostname
    except (ValueError, AddressError):
        yield Problem(field, "oauth.url")
        return
    if not is_whole or "@" in parts.netloc or "#" in text:
        yield Problem(field, "oauth.url")
    elif parts.scheme != "https":
        yield Problem(field, "oauth.url_https")


def _expires(text: str, secret: Secret | None, today: date | None) -> Iterator[Problem]:
    field, day = Field.CLIENT_SECRET_EXPIRES, _day(text)
    if not text.strip():
        return
    if day is None:
        is_day = _DAY.fullmatch(text.strip())
        yield Problem(field, "oauth.expires_no_such_day" if is_day else "oauth.expires_not_a_day")
    elif today is None:
        return
    elif secret is not None and not secret:
        yield Problem(field, "oauth.expires_alone")
    elif day < today:
        yield Problem(field, "oauth.expires_past")
    elif day > today + _FARTHEST_DAY:
        yield Problem(field, "oauth.expires_far")


def _day(text: str) -> date | None:
    """Return the day; None where there is none of this name (RFC 3339, full-date)."""
    if not _DAY.fullmatch(text.strip()):
        return None
    try:
        return date.fromisoformat(text.strip())
    except ValueError:
        return None


def _day_of(draft: OAuthDraft, secret: Secret | None) -> date | None:
    """Return the last day of the client secret, if there can be one: certificates name theirs."""
    if not takes_client_secret(draft.provider, draft.flow) or (secret and is_pem(secret)):
        return None
    return _day(draft.client_secret_expires)


def _secret(flow: str, secret: Secret) -> Iterator[Problem]:
    value = secret.reveal()
    if flow in (OAuthFlow.APP, OAuthFlow.SERVICE_ACCOUNT) and not value:
        yield Problem(Field.PASSWORD, "oauth.no_secret")
    elif len(value.encode("utf-8", "surrogatepass")) > MAX_SECRET:
        yield Problem(Field.PASSWORD, "oauth.secret_too_long")
    elif flow == OAuthFlow.SERVICE_ACCOUNT and not _is_service_account(value):
        yield Problem(Field.PASSWORD, "oauth.service_account")
    elif flow == OAuthFlow.APP and is_pem(secret):
        if not _PRIVATE_KEY.search(value) or _CERTIFICATE not in value:
            yield Problem(Field.PASSWORD, "oauth.client_certificate")
    elif flow != OAuthFlow.SERVICE_ACCOUNT and has_control(value):
        yield Problem(Field.PASSWORD, "control_character")


def _is_service_account(text: str) -> bool:
    try:
        fields = json.loads(text)
    except (ValueError, RecursionError):
        return False
    if not isinstance(fields, dict) or fields.get("type") != "service_account":
        return False
    email, key = fields.get("client_email"), fields.get("private_key")
    return isinstance(email, str) and isinstance(key, str) and bool(_PRIVATE_KEY.search(key))
