"""The flows by which a sign-in service issues tokens, each from its first request to its end."""

import base64
import hashlib
import re
import secrets
import selectors
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from functools import wraps
from http import HTTPStatus
from types import ModuleType
from typing import Final, ParamSpec, TypeAlias, TypeVar, final
from urllib.parse import urlencode, urlsplit

from smtp_desk.core.errors import SmtpFailure
from smtp_desk.core.findings.oauth_errors import TokenStep, oauth_failure, redirect_host
from smtp_desk.core.oauth import OAuthFlow, OAuthProvider, OAuthSettings, is_pem
from smtp_desk.core.secret import AccessToken, Lifetime, Secret
from smtp_desk.core.stages import Json, Stage
from smtp_desk.oauth.link import ProviderAnswer, ProviderLink
from smtp_desk.oauth.listener import Listener
from smtp_desk.oauth.prompt import PATIENCE, Ask, Prompt
from smtp_desk.smtp.net.deadline import Cancel, Deadline
from smtp_desk.smtp.net.forks import gate
from smtp_desk.smtp.net.redaction import HIDDEN, Redactor

_P = ParamSpec("_P")
_T = TypeVar("_T")

_USUAL_LIFETIME: Final = 300.0  # where the service does not tell
_LONGEST_LIFETIME: Final = 86400.0
# Google's and others', Keycloak's.
_REFRESH_LIFETIMES: Final = ("refresh_token_expires_in", "refresh_expires_in")
_INTERVAL: Final = 5.0
_SLOWER: Final = 5.0
_TOKEN: Final = re.compile(r"[!-~]{1,32768}")
# Whatever is signed is as good as a secret for a while: our own assertion, or a token.
_JWT: Final = re.compile(r"eyJ[\w-]+\.[\w-]+\.[\w-]*")
# A clock that is so far off makes a service refuse what we sign.
_CLOCK_OFF: Final = 240.0
_DEVICE_GRANT: Final = "urn:ietf:params:oauth:grant-type:device_code"
_ASSERTION_GRANT: Final = "urn:ietf:params:oauth:grant-type:jwt-bearer"
_REVOKE_AT_GOOGLE: Final = "https://oauth2.googleapis.com/revoke"
_METADATA: Final = (
    "/.well-known/oauth-authorization-server",
    "/.well-known/openid-configuration",
)

Sleep: TypeAlias = Callable[[float, Cancel], None]
"""Waits so many seconds, or raises `CancelledError`."""


@dataclass(frozen=True, slots=True)
class Grant:
    """What a sign-in service issued.

    Attributes:
        access: The token for the mail server.
        refresh: The refresh token, which gets the next one without a person; empty without one.
        identity: The ID token, which says who signed in; empty without one.
        clock_ahead: Seconds by which the service's clock is ahead of ours; None where unknown.
        lifetime: How long the refresh token lasts; None where the service does not tell.
    """

    access: AccessToken
    refresh: Secret
    identity: Secret
    clock_ahead: float | None = None
    lifetime: Lifetime | None = None


def wait(seconds: float, cancel: Cancel) -> None:
    """Wait that many seconds.

    Raises:
        CancelledError: Cancelled.
    """
    with selectors.DefaultSelector() as selector:
        selector.register(cancel, selectors.EVENT_READ)
        selector.select(max(seconds, 0.0))
    cancel.check()


def _bare(method: Callable[_P, _T]) -> Callable[_P, _T]:
    """Let a failure leave a method without the frames below it, whose forms hold plain secrets.

    A traceback with locals, as error trackers make them, would show these.
    """

    @wraps(method)
    def call(*args: _P.args, **kwargs: _P.kwargs) -> _T:
        try:
            return method(*args, **kwargs)
        except SmtpFailure as failure:
            bare = failure
        bare.__cause__ = bare.__context__ = None
        raise bare.with_traceback(None)

    return call


@gate
def load_assertions() -> ModuleType:
    """Return the module `assertions`, which loads cryptography: a client secret needs neither."""
    from smtp_desk.oauth import assertions  # noqa: PLC0415

    return assertions


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class TokenClient:
    """Asks one sign-in service, for one account.

    Attributes:
        settings: The application and its service.
        secret: The client secret, certificate or key file; empty if there is none.
        username: The account.
        link: Sends requests to the service.
        sleep: Waits between two requests.
        patience: Seconds that a person has.
    """

    settings: OAuthSettings
    secret: Secret
    username: str
    link: ProviderLink
    sleep: Sleep = wait
    patience: float = PATIENCE
    clock: Callable[[], float] = field(default=time.monotonic)

    @_bare
    def sign_in(self, ask: Ask, cancel: Cancel) -> Grant:
        """Let a person sign in, by browser or device code.

        Raises:
            SmtpFailure: Why there is no token.
            CancelledError: Cancelled.
        """
        by_device = self.settings.flow is OAuthFlow.DEVICE
        grant = self._by_device(ask, cancel) if by_device else self._by_browser(ask, cancel)
        if not grant.refresh:
            # It would work until the first token ends, and then never again.
            raise _failure("oauth.misconfigured", "no_refresh_token", TokenStep.CODE)
        return grant

    @_bare
    def renew(self, refresh: Secret, cancel: Cancel) -> Grant:
        """Get the next access token, and the next refresh token if the service rotates them.

        Raises:
            SmtpFailure: As `sign_in`; `auth.sign_in_again` where a person is needed.
            CancelledError: Cancelled.
        """
        form = {"grant_type": "refresh_token", "refresh_token": refresh.reveal()}
        grant = self._token(form, TokenStep.REFRESH, cancel, refresh.reveal())
        return grant if grant.refresh else replace(grant, refresh=refresh)

    @_bare
    def fetch(self, cancel: Cancel) -> Grant:
        """Get a token without a person: for the application itself, or a service account.

        Raises:
            SmtpFailure: As `sign_in`.
            CancelledError: Cancelled.
        """
        scope = " ".join(self.settings.scopes)
        if self.settings.flow is OAuthFlow.SERVICE_ACCOUNT:
            url = self.settings.token_url
            assertion = load_assertions().service_account_assertion(
                self.secret, self.username, self.settings.scopes, url, self.link.now()
            )
            form = {"grant_type": _ASSERTION_GRANT, "assertion": assertion}
            return self._token(form, TokenStep.ASSERTION, cancel, assertion)
        form = {"grant_type": "client_credentials", "scope": scope}
        return self._token(form, TokenStep.CLIENT, cancel)

    @_bare
    def revoke(self, refresh: Secret, cancel: Cancel) -> bool:
        """Revoke the refresh token (RFC 7009); return whether the service did so.

        Raises:
            SmtpFailure: It can't be asked.
            CancelledError: Cancelled.
        """
        url = self._revocation_url(cancel)
        if not url:
            return False
        form = {"token": refresh.reveal(), "token_type_hint": "refresh_token"}
        return self._post(url, form, cancel, blank=True).status == HTTPStatus.OK

    def _by_browser(self, ask: Ask, cancel: Cancel) -> Grant:
        verifier = secrets.token_urlsafe(48)
        digest = hashlib.sha256(verifier.encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        host = redirect_host(self.settings.provider)
        with self._listening(host) as listener:
            query = {
                "response_type": "code",
                "client_id": self.settings.client_id,
                "redirect_uri": listener.redirect_uri,
                "scope": " ".join(self.settings.scopes),
                "state": listener.state,
                "code_challenge": challenge,
                "code_challenge_method": "S256",
                "login_hint": self.username,
                **self._for_offline(),
            }
            url = self.settings.authorize_url
            ask(Prompt(f"{url}{'&' if '?' in url else '?'}{urlencode(query)}", "", self.patience))
            answer = listener.answer(cancel, Deadline.after(self.patience, self.clock))
        if answer is None:
            raise _failure("oauth.denied", "timeout", TokenStep.AUTHORIZE)
        if "error" in answer:
            raise self._refusal(TokenStep.AUTHORIZE, answer)
        form = {
            "grant_type": "authorization_code",
            "code": answer["code"],
            "redirect_uri": listener.redirect_uri,
            "code_verifier": verifier,
        }
        return self._token(form, TokenStep.CODE, cancel, answer["code"], verifier)

    @contextmanager
    def _listening(self, host: str) -> Iterator[Listener]:
        origins = {_origin(self.settings.authorize_url), _origin(self.settings.token_url)}
        with ExitStack() as stack:
            try:
                listener = Listener(host, lambda issuer: _origin(issuer) in origins)
                stack.enter_context(listener)
            except OSError as error:
                facts: dict[str, Json] = {"reason": "no_port", "error": str(error.strerror)}
                raise SmtpFailure(Stage.TOKEN, "oauth.failed", facts=facts) from error
            yield listener

    def _for_offline(self) -> Mapping[str, str]:
        """Return what makes a service give a refresh token."""
        if self.settings.provider is OAuthProvider.GOOGLE:
            return {"access_type": "offline", "prompt": "consent"}
        asks = self.settings.provider is OAuthProvider.CUSTOM
        # OpenID Connect Core 1.0, 11.
        return {"prompt": "consent"} if asks and "offline_access" in self.settings.scopes else {}

    def _by_device(self, ask: Ask, cancel: Cancel) -> Grant:
        form = {"scope": " ".join(self.settings.scopes)}
        answer = self._post(self.settings.device_url, form, cancel)
        code, user_code = answer.text("device_code"), answer.text("user_code")
        page = answer.text("verification_uri") or answer.text("verification_url")
        if "error" in answer.fields:
            raise self._refusal(TokenStep.DEVICE, answer.fields)
        if not code or not user_code or urlsplit(page).scheme != "https":
            raise _untrusted(self.settings.device_url)
        seconds = min(_number(answer, "expires_in", self.patience), self.patience)
        end = self.clock() + seconds
        ask(Prompt(page, user_code, seconds))
        interval = _number(answer, "interval", _INTERVAL)
        while True:
            self.sleep(interval, cancel)
            if self.clock() >= end:
                raise _failure("oauth.denied", "code_expired", TokenStep.DEVICE)
            try:
                grant = self._polled(code, cancel)
            except _SlowDownError:
                interval += _SLOWER
                continue
            if grant is not None:
                return grant

    def _polled(self, code: str, cancel: Cancel) -> Grant | None:
        """Ask once whether the person has signed in (RFC 8628, 3.4)."""
        form = {"grant_type": _DEVICE_GRANT, "device_code": code}
        try:
            answer = self._post(self.settings.token_url, form, cancel)
        except SmtpFailure as failure:
            if failure.code == "oauth.unreachable":
                raise _SlowDownError from failure
            raise
        error = answer.text("error")
        if error == "authorization_pending":
            return None
        if error == "slow_down":
            raise _SlowDownError
        return self._grant(answer, TokenStep.DEVICE, code)

    def _token(self, form: Mapping[str, str], step: TokenStep, cancel: Cancel, *sent: str) -> Grant:
        return self._grant(self._post(self.settings.token_url, form, cancel), step, *sent)

    def _post(
        self, url: str, form: Mapping[str, str], cancel: Cancel, *, blank: bool = False
    ) -> ProviderAnswer:
        """Send a form as the client that we are registered as (RFC 6749, 2.3)."""
        settings, secret = self.settings, self.secret.reveal()
        if settings.flow is OAuthFlow.SERVICE_ACCOUNT:
            return self.link.post(url, form, cancel)
        known = {"client_id": settings.client_id, **form}
        if is_pem(self.secret):
            assertions = load_assertions()
            assertion = assertions.client_assertion(
                self.secret,
                settings.provider,
                settings.client_id,
                settings.token_url,
                self.link.now(),
            )
            signed = {"client_assertion_type": assertions.BEARER, "client_assertion": assertion}
            return self.link.post(url, {**known, **signed}, cancel)
        if secret and settings.provider is OAuthProvider.CUSTOM:
            pair = (settings.client_id, secret)
            return self.link.post(url, form, cancel, basic=pair, blank=blank)
        return self.link.post(url, {**known, "client_secret": secret}, cancel, blank=blank)

    def _grant(self, answer: ProviderAnswer, step: TokenStep, *sent: str) -> Grant:
        if "error" in answer.fields or answer.status >= HTTPStatus.BAD_REQUEST:
            raise self._refusal(step, answer.fields, *sent, ahead=answer.ahead)
        access = answer.text("access_token")
        bearer = answer.text("token_type").lower() in ("bearer", "")
        if not bearer or not _TOKEN.fullmatch(access):
            raise _untrusted(self.settings.token_url)
        now = self.link.now()
        lifetime = min(_number(answer, "expires_in", _USUAL_LIFETIME), _LONGEST_LIFETIME)
        return Grant(
            AccessToken(Secret(access), now, now + lifetime),
            Secret(answer.text("refresh_token")),
            Secret(answer.text("id_token")),
            answer.ahead,
            _lifetime(answer, now),
        )

    def _refusal(
        self,
        step: TokenStep,
        fields: Mapping[str, Json],
        *sent: str,
        ahead: float | None = None,
    ) -> SmtpFailure:
        """Return what a refusal means, with none of the secrets that it may echo."""
        redactor = Redactor(self.secret.reveal(), *sent)
        hidden: dict[str, object] = {}
        for name, value in fields.items():
            shown = redactor.json(value)
            hidden[name] = _JWT.sub(HIDDEN, shown) if isinstance(shown, str) else shown
        failure = oauth_failure(step, hidden)
        signs = self.settings.flow is OAuthFlow.SERVICE_ACCOUNT or "-----" in self.secret.reveal()
        if signs and abs(ahead or 0.0) > _CLOCK_OFF:
            facts = {**failure.facts, "reason": "clock"}
            return SmtpFailure(failure.stage, "oauth.failed", facts=facts)
        return failure

    def _revocation_url(self, cancel: Cancel) -> str:
        """Return where a sign-in is withdrawn; "" where the service does not offer it."""
        if self.settings.provider is OAuthProvider.GOOGLE:
            return _REVOKE_AT_GOOGLE
        if self.settings.provider is OAuthProvider.MICROSOFT:
            return ""
        origin = _origin(self.settings.token_url)
        for path in _METADATA:
            try:
                url = self.link.get(f"{origin}{path}", cancel).text("revocation_endpoint")
            except SmtpFailure as failure:
                if failure.facts.get("reason") != "not_json":
                    raise
                continue  # a page that says that there is none
            if _origin(url) == origin:
                return url
        return ""


class _SlowDownError(Exception):
    """The service wants to be asked less often."""


def _origin(url: str) -> str:
    try:
        parts = urlsplit(url)
    except ValueError:
        return ""
    return f"{parts.scheme}://{parts.netloc.lower()}" if parts.scheme == "https" else ""


def _number(answer: ProviderAnswer, name: str, usual: float) -> float:
    value = answer.fields.get(name)
    if isinstance(value, str) and value.isascii() and value.isdigit():
        value = int(value[:9])
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < 1e9:  # noqa: PLR2004
        return usual
    return float(value)


def _lifetime(answer: ProviderAnswer, now: float) -> Lifetime | None:
    """Return how long the refresh token lasts, which no standard has a field for."""
    told = (_number(answer, name, 0.0) for name in _REFRESH_LIFETIMES)
    seconds = next(filter(None, told), 0.0)  # 0 means without end at Keycloak
    return Lifetime(now, now + seconds) if seconds else None


def _failure(code: str, reason: str, step: TokenStep) -> SmtpFailure:
    return SmtpFailure(Stage.TOKEN, code, facts={"reason": reason, "step": str(step)})


def _untrusted(url: str) -> SmtpFailure:
    facts: dict[str, Json] = {"reason": "not_json", "token_host": urlsplit(url).hostname or ""}
    return SmtpFailure(Stage.TOKEN, "oauth.untrusted", facts=facts)
