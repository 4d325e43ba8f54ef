"""Reads a mail configuration (draft-ietf-mailmaint-autoconfig): XML from a stranger.

Entities and document types are refused, as is any other document. Only servers with TLS count, and
the address for signing in by OAuth is never taken from it.
"""

from collections.abc import Iterator
from typing import Final
from xml.etree.ElementTree import Element, ParseError

from smtp_desk.core.address import AddressError, Mailbox, has_control, parse_host
from smtp_desk.core.findings.providers import Providers, SignIn
from smtp_desk.core.settings import Security
from smtp_desk.core.validation import MAX_CREDENTIAL, MAX_PORT
from smtp_desk.discovery.candidates import (
    Candidate,
    NotFoundError,
    SearchResult,
    Source,
    is_outside,
    of_provider,
)

MOST_SERVERS: Final = 8
"""How many servers of one configuration are looked at."""

_SECURITY: Final = {"SSL": Security.TLS, "STARTTLS": Security.STARTTLS}
_SIGN_IN: Final = {
    "password-cleartext": SignIn.PASSWORD,
    "password-encrypted": SignIn.PASSWORD,
    "plain": SignIn.PASSWORD,
    "secure": SignIn.PASSWORD,
    "OAuth2": SignIn.OAUTH,
}
_NO_SIGN_IN: Final = frozenset({"none", "client-IP-address"})


def parse_config(
    octets: bytes,
    mailbox: Mailbox,
    source: Source,
    providers: Providers,
    *,
    only_dns: bool = False,
) -> list[Candidate]:
    """Return the submission servers that a configuration names, in its order, at least one.

    Args:
        octets: The document.
        mailbox: The address that they are for.
        source: The source of the document.
        providers: The provider data, which take precedence over the document.
        only_dns: Whether only the DNS led to the document.

    Raises:
        NotFoundError: It isn't such a document, or none of its servers can be proposed.
    """
    servers = list(_root(octets).iterfind("emailProvider/outgoingServer"))[:MOST_SERVERS]
    found, why = [], SearchResult.NO_SERVER
    for server in servers:
        try:
            found.append(_candidate(server, mailbox, source, providers, only_dns=only_dns))
        except NotFoundError as error:
            why = error.result
    if not found:
        raise NotFoundError(why)
    return found


def _root(octets: bytes) -> Element:
    # Imported here: whoever asks no server does without it.
    from defusedxml.common import DefusedXmlException  # noqa: PLC0415
    from defusedxml.ElementTree import fromstring  # noqa: PLC0415

    try:
        root: Element = fromstring(octets, forbid_dtd=True)
    except DefusedXmlException as error:
        raise NotFoundError(SearchResult.ENTITIES) from error
    # A wrong encoding is told by LookupError or ValueError.
    except (ParseError, LookupError, ValueError) as error:
        raise NotFoundError(SearchResult.NOT_XML) from error
    if root.tag != "clientConfig":
        raise NotFoundError(SearchResult.OTHER_XML, root.tag[:100])
    return root


def _candidate(
    server: Element, mailbox: Mailbox, source: Source, providers: Providers, *, only_dns: bool
) -> Candidate:
    if server.get("type") != "smtp":
        raise NotFoundError(SearchResult.NO_SERVER)
    security = _SECURITY.get(_text(server, "socketType"))
    if security is None:
        raise NotFoundError(SearchResult.PLAINTEXT_ONLY)
    host = _host(_filled(_text(server, "hostname"), mailbox))
    port = _port(_text(server, "port"))
    sign_in, needs_username = _sign_in(server)
    provider = providers.by_host(host)
    outside = only_dns and is_outside(host, mailbox)
    for known in provider.servers if provider else ():
        if provider and (known.host, known.port) == (host, port):
            return of_provider(provider, known, mailbox, source, only_dns=outside)
    if SignIn.OAUTH in sign_in and (provider is None or SignIn.OAUTH not in provider.sign_in):
        sign_in = tuple(way for way in sign_in if way is not SignIn.OAUTH)
        if not sign_in:
            raise NotFoundError(SearchResult.UNKNOWN_SIGN_IN)
    return Candidate(
        host=host,
        port=port,
        security=security,
        username=_username(server, mailbox) if needs_username else "",
        sign_in=provider.sign_in if provider else sign_in,
        source=source,
        known=provider,
        only_dns=outside,
    )


def _sign_in(server: Element) -> tuple[tuple[SignIn, ...], bool]:
    """Return the ways to sign in, and whether there is one at all."""
    named = [(each.text or "").strip() for each in server.iterfind("authentication")]
    ways = tuple(dict.fromkeys(_SIGN_IN[name] for name in named if name in _SIGN_IN))
    if not named:
        return (SignIn.PASSWORD,), True
    if not ways and not _NO_SIGN_IN.intersection(named):
        raise NotFoundError(SearchResult.UNKNOWN_SIGN_IN)
    return ways, bool(ways)


def _username(server: Element, mailbox: Mailbox) -> str:
    username = _filled(_text(server, "username"), mailbox)
    if has_control(username) or len(username) > MAX_CREDENTIAL:
        return ""
    return username


def _host(text: str) -> str:
    try:
        return parse_host(text).ascii
    except AddressError as error:
        raise NotFoundError(SearchResult.NO_SERVER) from error


def _port(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= len(str(MAX_PORT))):
        raise NotFoundError(SearchResult.NO_SERVER)
    port = int(text)
    if not 0 < port <= MAX_PORT:
        raise NotFoundError(SearchResult.NO_SERVER)
    return port


def _text(server: Element, name: str) -> str:
    return (server.findtext(name) or "").strip()


def _filled(text: str, mailbox: Mailbox) -> str:
    """Put the address in; "" where the text asks for what only the person knows."""
    for name, value in _placeholders(mailbox):
        text = text.replace(name, value)
    return "" if "%" in text else text


def _placeholders(mailbox: Mailbox) -> Iterator[tuple[str, str]]:
    yield "%EMAILADDRESS%", mailbox.wire
    yield "%EMAILLOCALPART%", mailbox.local
    yield "%EMAILDOMAIN%", mailbox.ascii_domain
