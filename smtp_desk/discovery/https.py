"""One page by https, limited in size and time, cancelled within milliseconds; never plain http."""

import ssl
import urllib.parse
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final

from smtp_desk.core.address import AddressError, parse_host
from smtp_desk.core.errors import SmtpFailure
from smtp_desk.core.settings import Security
from smtp_desk.discovery.candidates import NotFoundError, SearchResult
from smtp_desk.smtp.net.deadline import Cancel, Deadline
from smtp_desk.smtp.net.dial import Dialer
from smtp_desk.smtp.net.http import MOST_OCTETS, HttpAnswer, NotHttpError, TooLargeError, ask
from smtp_desk.smtp.net.resolve import Resolver
from smtp_desk.smtp.net.stream import Stream, StreamError, TimedOutError
from smtp_desk.smtp.net.tls import client_context

HTTPS_PORT: Final = 443
MOST_REDIRECTS: Final = 3

# Who answers none of two attempts (the second comes after 1 s: RFC 6298, 2.1) drops them all.
_CONNECT_SECONDS: Final = 2.0
_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
_NOT_THERE: Final = frozenset({404, 410})
_LONGEST_URL: Final = 2048
_UNRESOLVED: Final = {
    "resolve.not_found": SearchResult.NOTHING,
    "resolve.no_address": SearchResult.NOTHING,
    "connect.timeout": SearchResult.NO_ANSWER,
    "tls.handshake_timeout": SearchResult.NO_ANSWER,
}


@dataclass(frozen=True, slots=True)
class WebPage:
    """A page.

    Attributes:
        octets: Its content.
        redirects: The addresses that it was redirected to, in order.
    """

    octets: bytes
    redirects: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Https:
    """How pages are fetched.

    Attributes:
        resolver: Finds the addresses of a host.
        ca_pem: Certificates (PEM) to trust besides those of the system, or "".
        port: The port for addresses without one; another one in tests.
        accept: The media types that are asked for (RFC 9110, section 12.5.1).
        most_octets: A page that is larger isn't read to its end.
        most_redirects: So many are followed.
    """

    resolver: Resolver
    ca_pem: str = ""
    port: int = HTTPS_PORT
    accept: str = "text/xml, application/xml"
    most_octets: int = MOST_OCTETS
    most_redirects: int = MOST_REDIRECTS

    def get(self, url: str, cancel: Cancel, deadline: Deadline) -> WebPage:
        """Return a page; redirects are followed, by https only.

        Raises:
            NotFoundError: It can't be fetched; the error says why.
            CancelledError: Cancelled.
        """
        led_to: list[str] = []
        try:
            while True:
                answer = self._ask(led_to[-1] if led_to else url, cancel, deadline)
                if isinstance(answer, bytes):
                    return WebPage(answer, tuple(led_to))
                if len(led_to) == self.most_redirects:
                    raise NotFoundError(SearchResult.TOO_MANY_REDIRECTS, answer)  # noqa: TRY301 - told as the rest
                led_to.append(answer)
        except NotFoundError as error:
            error.redirects = tuple(led_to)
            raise

    def _ask(self, url: str, cancel: Cancel, deadline: Deadline) -> bytes | str:
        """Return the content of a page, or the address that it redirects to."""
        host, port, path = _parts(url)
        try:
            stream = self._connect(host, port or self.port, cancel, deadline)
        except SmtpFailure as failure:
            raise NotFoundError(result_of(failure), str(failure.code)) from failure
        except (ssl.SSLError, StreamError) as error:
            raise NotFoundError(SearchResult.UNTRUSTED) from error
        try:
            authority = host if port is None else f"{host}:{port}"
            request = (
                f"GET {path} HTTP/1.1\r\nHost: {authority}\r\nAccept: {self.accept}\r\n"
                "Accept-Encoding: identity\r\nConnection: close\r\n\r\n"
            )
            answer = ask(stream, request, deadline, wants=HTTPStatus.OK, most=self.most_octets)
            return _content(answer, url)
        except TimedOutError as error:
            raise NotFoundError(SearchResult.NO_ANSWER) from error
        except TooLargeError as error:
            raise NotFoundError(SearchResult.TOO_LARGE) from error
        except NotHttpError as error:
            raise NotFoundError(SearchResult.NOT_HTTP) from error
        finally:
            stream.abort()

    def _connect(self, host: str, port: int, cancel: Cancel, deadline: Deadline) -> Stream:
        addresses = self.resolver.resolve(host, cancel, deadline)
        stream = Dialer(addresses, port, cancel).connect(deadline.within(_CONNECT_SECONDS))
        try:
            stream.start_tls(client_context(self.ca_pem), host, Security.TLS, deadline)
        except BaseException:
            stream.abort()
            raise
        return stream


def result_of(failure: SmtpFailure) -> SearchResult:
    """Return the result of a question whose connection failed."""
    code = failure.code or ""
    if code in _UNRESOLVED:
        return _UNRESOLVED[code]
    if code == "resolve.temporary":
        late = failure.facts.get("reason") == "no answer in time"
        return SearchResult.NO_ANSWER if late else SearchResult.DNS_FAILED
    return SearchResult.UNTRUSTED if code.startswith("tls.") else SearchResult.UNREACHABLE


def _parts(url: str) -> tuple[str, int | None, str]:
    """Return host, port and path of an address; what is odd about it is refused."""
    try:
        parts = urllib.parse.urlsplit(url)
        port = parts.port
        host = parse_host(parts.hostname or "").ascii
    except (ValueError, AddressError) as error:
        raise NotFoundError(SearchResult.BAD_REDIRECT) from error
    if parts.scheme == "http":
        raise NotFoundError(SearchResult.REDIRECTED_TO_HTTP)
    odd = parts.scheme != "https" or "@" in parts.netloc or port == 0 or ":" in host
    if odd or not url.isascii() or not url.isprintable() or " " in url or len(url) > _LONGEST_URL:
        raise NotFoundError(SearchResult.BAD_REDIRECT)
    path = urllib.parse.urlunsplit(("", "", parts.path or "/", parts.query, ""))
    return host, port, path


def _content(answer: HttpAnswer, url: str) -> bytes | str:
    if answer.status in _REDIRECTS:
        return _joined(url, answer.headers.get("Location", ""))
    if answer.status in _NOT_THERE:
        raise NotFoundError(SearchResult.NOTHING)
    if answer.status != HTTPStatus.OK:
        raise NotFoundError(SearchResult.HTTP_STATUS, str(answer.status))
    return answer.content


def _joined(url: str, location: str) -> str:
    try:
        return urllib.parse.urljoin(url, location)
    except ValueError as error:
        raise NotFoundError(SearchResult.BAD_REDIRECT) from error
