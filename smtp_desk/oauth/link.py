"""Requests to a sign-in service: a form by https, and a JSON object back.

Requests contain secrets, so no redirect is followed, whatever its status. Every failure is one of
the stage `token`.
"""

import base64
import json
import ssl
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Final, final
from urllib.parse import quote_plus, unquote, urlencode, urlsplit, urlunsplit

from smtp_desk.core.address import AddressError, parse_host
from smtp_desk.core.errors import SmtpFailure
from smtp_desk.core.oauth import OAuthSettings
from smtp_desk.core.reply import visible
from smtp_desk.core.settings import Security
from smtp_desk.core.stages import Json, Stage
from smtp_desk.smtp.net.deadline import Cancel, Deadline
from smtp_desk.smtp.net.dial import Dialer
from smtp_desk.smtp.net.http import HttpAnswer, NotHttpError, TooLargeError, ask
from smtp_desk.smtp.net.resolve import Resolver, SystemResolver
from smtp_desk.smtp.net.stream import Stream, StreamError, TimedOutError
from smtp_desk.smtp.net.tls import client_context

SECONDS: Final = 20.0
"""How long one question may take, from the name's lookup to the last octet."""
HTTPS_PORT: Final = 443

_PROXY_PORT: Final = 8080
_REDIRECTS: Final = range(300, 400)
_SERVER_ERRORS: Final = range(500, 600)
# A handshake that these end says nothing of who answers.
_NO_ANSWER: Final = frozenset({"tls.handshake_timeout", "tls.handshake_closed"})
_CLOSED: Final = "the connection was closed"
_SAID: Final[Mapping[str, str]] = {
    "resolve.not_found": "its name isn’t known",
    "resolve.no_address": "its name has no address",
    "resolve.temporary": "its name couldn’t be looked up",
    "connect.refused": "nothing is listening there",
    "connect.timeout": "no answer",
    "connect.unreachable": "there’s no route to it",
    "tls.handshake_timeout": "no answer in time",
    "tls.handshake_closed": _CLOSED,
    "tls.expired": "it has expired",
    "tls.not_yet_valid": "it isn’t valid yet",
    "tls.name_mismatch": "it’s for another name",
    "tls.self_signed": "it’s self-signed",
    "tls.unknown_issuer": "its issuer isn’t trusted",
    "tls.chain_incomplete": "its issuer wasn’t sent",
}


def system_proxy(host: str) -> str:
    """Return the address of the system's proxy for a host; "" for none."""
    if urllib.request.proxy_bypass(host):
        return ""
    proxies = urllib.request.getproxies()
    return proxies.get("https") or proxies.get("all") or ""


@dataclass(frozen=True, slots=True)
class ProviderAnswer:
    """The answer of a sign-in service.

    Attributes:
        status: The HTTP status, below 500.
        fields: The JSON object.
        ahead: Seconds by which its clock is ahead of ours; None if it doesn't say.
    """

    status: int
    fields: Mapping[str, Json]
    ahead: float | None = None

    def text(self, name: str) -> str:
        """Return a field that is a text, or ""."""
        value = self.fields.get(name)
        return value if isinstance(value, str) else ""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderLink:
    """Sends requests to a sign-in service.

    Attributes:
        ca_pem: Certificates (PEM) to trust besides those of the system, or "".
        resolver: Finds the addresses of a host.
        proxy: Returns the proxy for a host, or "".
        port: The port for addresses without one; another one in tests.
        now: Returns the time in seconds since 1970.
        seconds: The time limit of one request.
    """

    ca_pem: str = ""
    resolver: Resolver = field(default_factory=SystemResolver)
    proxy: Callable[[str], str] = system_proxy
    port: int = HTTPS_PORT
    now: Callable[[], float] = time.time
    seconds: float = SECONDS

    def post(
        self,
        url: str,
        form: Mapping[str, str],
        cancel: Cancel,
        *,
        basic: tuple[str, str] = ("", ""),
        blank: bool = False,
    ) -> ProviderAnswer:
        """Send a form.

        Args:
            url: The address to send it to.
            form: Its fields; empty ones are left out.
            cancel: Ends the wait within milliseconds.
            basic: Username and password of the request (RFC 6749, 2.3.1), where it has them.
            blank: Whether an answer without content is valid (RFC 7009, 2.2).

        Raises:
            SmtpFailure: `oauth.unreachable` or `oauth.untrusted`.
            CancelledError: Cancelled.
        """
        content = urlencode({name: value for name, value in form.items() if value})
        headers = {
            "Content-Type": "application/x-www-form-urlencoded",
            "Content-Length": str(len(content)),
        }
        if any(basic):
            headers["Authorization"] = _basic(*map(quote_plus, basic))
        return self._answer(url, "POST", headers, content, cancel, blank=blank)

    def get(self, url: str, cancel: Cancel) -> ProviderAnswer:
        """Read what a service publishes about itself; raises as `post` does."""
        return self._answer(url, "GET", {}, "", cancel)

    def _answer(
        self,
        url: str,
        method: str,
        headers: Mapping[str, str],
        content: str,
        cancel: Cancel,
        *,
        blank: bool = False,
    ) -> ProviderAnswer:
        host, port, target = _parts(url)
        asked = _ProviderRequest(self, host, port or self.port, cancel)
        authority = host if port is None else f"{host}:{port}"
        lines = {
            "Host": authority,
            "Accept": "application/json",
            "Accept-Encoding": "identity",
            "Connection": "close",
            **headers,
        }
        head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
        answer = asked.run(f"{method} {target} HTTP/1.1\r\n{head}\r\n{content}")
        return ProviderAnswer(
            answer.status, _object(answer, host, blank=blank), self._ahead(answer)
        )

    def _ahead(self, answer: HttpAnswer) -> float | None:
        try:
            told = parsedate_to_datetime(answer.headers.get("Date", ""))
            return told.timestamp() - self.now()
        except (TypeError, ValueError, OverflowError):
            return None


@dataclass(frozen=True, slots=True)
class _ProviderRequest:
    """One request and its answer."""

    link: ProviderLink
    host: str
    port: int
    cancel: Cancel

    def run(self, request: str) -> HttpAnswer:
        """Connect, send the request and return its answer."""
        deadline = Deadline.after(self.link.seconds)
        stream = self._connect(deadline)
        try:
            return ask(stream, request, deadline)
        except TimedOutError as error:
            raise self._unreachable("no answer in time") from error
        except TooLargeError as error:
            raise _untrusted(self.host, "too_large") from error
        except NotHttpError as error:
            if error.silent:
                raise self._unreachable(_CLOSED) from error
            raise _untrusted(self.host, "not_json") from error
        finally:
            stream.abort()

    def _connect(self, deadline: Deadline) -> Stream:
        proxy = self.link.proxy(self.host)
        try:
            stream = self._tunnel(proxy, deadline) if proxy else self._dial(deadline)
            with _aborting(stream):
                context = client_context(self.link.ca_pem)
                stream.start_tls(context, self.host, Security.TLS, deadline)
        except SmtpFailure as error:
            raise self._not_connected(error) from error
        except ssl.SSLError as error:
            raise _untrusted(self.host, "certificate") from error
        except StreamError as error:
            raise self._unreachable(_CLOSED) from error
        return stream

    def _dial(self, deadline: Deadline, host: str = "", port: int = 0) -> Stream:
        addresses = self.link.resolver.resolve(host or self.host, self.cancel, deadline)
        return Dialer(addresses, port or self.port, self.cancel).connect(deadline)

    def _tunnel(self, proxy: str, deadline: Deadline) -> Stream:
        """Return a connection through a proxy (RFC 9110, 9.3.6)."""
        parts = urlsplit(proxy if "//" in proxy else f"//{proxy}")
        if parts.scheme not in ("", "http") or not parts.hostname:
            raise self._unreachable("this kind of proxy isn’t supported")
        authority = f"{self.host}:{self.port}"
        request = f"CONNECT {authority} HTTP/1.1\r\nHost: {authority}\r\n"
        if parts.username:
            login = (unquote(parts.username), unquote(parts.password or ""))
            request += f"Proxy-Authorization: {_basic(*login)}\r\n"
        stream = self._dial(deadline, parts.hostname, parts.port or _PROXY_PORT)
        with _aborting(stream):
            try:
                # No octet follows a 200 before ours: TLS begins with the client.
                status = ask(stream, f"{request}\r\n", deadline, wants=0).status
            except TimedOutError as error:
                raise self._unreachable("the proxy didn’t answer in time") from error
            except NotHttpError as error:
                raise self._unreachable("the proxy closed the connection") from error
            if status == HTTPStatus.PROXY_AUTHENTICATION_REQUIRED:
                raise _failure("oauth.unreachable", self.host, "proxy_login", status=status)
            if status != HTTPStatus.OK:
                raise self._unreachable(f"the proxy answered with status {status}")
        return stream

    def _not_connected(self, error: SmtpFailure) -> SmtpFailure:
        if error.stage is Stage.TOKEN:
            return error
        code = error.code or ""
        words = _SAID.get(code, code)
        if not code.startswith("tls.") or code in _NO_ANSWER:
            return self._unreachable(words)
        more = {name: error.facts.get(name) for name in ("chain", "clock")}
        return _failure("oauth.untrusted", self.host, "certificate", error=words, **more)

    def _unreachable(self, error: str) -> SmtpFailure:
        return _failure("oauth.unreachable", self.host, error=error)


@contextmanager
def _aborting(stream: Stream) -> Iterator[None]:
    """Close the stream where what is done with it fails."""
    try:
        yield
    except BaseException:
        stream.abort()
        raise


def _basic(username: str, password: str) -> str:
    return f"Basic {base64.b64encode(f'{username}:{password}'.encode()).decode()}"


def _parts(url: str) -> tuple[str, int | None, str]:
    """Return host, port and target of an address; one that isn't https is refused."""
    try:
        parts = urlsplit(url)
        port, host = parts.port, parse_host(parts.hostname or "").ascii
    except (ValueError, AddressError) as error:
        raise _untrusted("", "not_https") from error
    if parts.scheme != "https" or "@" in parts.netloc:
        raise _untrusted(host, "not_https")
    return host, port, urlunsplit(("", "", parts.path or "/", parts.query, ""))


def _object(answer: HttpAnswer, host: str, *, blank: bool) -> Mapping[str, Json]:
    """Return the JSON object of an answer."""
    if answer.status in _REDIRECTS:
        target = _target(answer.headers.get("Location", ""))
        raise _failure("oauth.untrusted", host, "redirect", target=target)
    if answer.status == HTTPStatus.TOO_MANY_REQUESTS:
        raise _failure("oauth.unreachable", host, "busy", status=answer.status)
    if answer.status in _SERVER_ERRORS:
        raise _failure("oauth.unreachable", host, "server_error", status=answer.status)
    if blank and not answer.content:
        return {}
    try:
        found = json.loads(answer.content)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise _failure("oauth.untrusted", host, "not_json", status=answer.status)
    return found


def _target(location: str) -> str:
    """Return where a redirect leads, without what may be a secret."""
    try:
        parts = urlsplit(location)
        return visible(f"{parts.scheme}://{parts.hostname}") if parts.hostname else ""
    except ValueError:
        return ""


def _untrusted(host: str, reason: str) -> SmtpFailure:
    return _failure("oauth.untrusted", host, reason)


def _failure(code: str, host: str, reason: str = "", **facts: Json) -> SmtpFailure:
    known = {"token_host": host, "reason": reason, **facts}
    return SmtpFailure(
        Stage.TOKEN, code, facts={name: value for name, value in known.items() if value}
    )


def link_to(settings: OAuthSettings) -> ProviderLink:
    """Return the link to the service of these settings, without trusting the mail server's CA."""
    return ProviderLink(ca_pem=settings.ca_pem)
