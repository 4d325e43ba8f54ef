"""The mail configuration that the sandbox publishes for its own domain, by https.

Clients find it as that of any domain (draft-ietf-mailmaint-autoconfig): at
`autoconfig.sandbox.test`, and at the well-known place of `sandbox.test`.
"""

import asyncio
from typing import Final

from smtp_desk.sandbox.conversation import HOST
from smtp_desk.sandbox.recipients import DOMAIN

PATHS: Final = ("/mail/config-v1.1.xml", "/.well-known/autoconfig/mail/config-v1.1.xml")

_MOST_OCTETS: Final = 8192
_END: Final = b"\r\n\r\n"


def configuration(starttls_port: int, tls_port: int) -> bytes:
    """Return the configuration: both ports of the sandbox, the one with TLS first."""
    servers = ((tls_port, "SSL"), (starttls_port, "STARTTLS"))
    outgoing = "".join(
        f'<outgoingServer type="smtp"><hostname>{HOST}</hostname><port>{port}</port>'
        f"<socketType>{mode}</socketType><username>%EMAILADDRESS%</username>"
        "<authentication>password-cleartext</authentication></outgoingServer>"
        for port, mode in servers
    )
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f'<clientConfig version="1.1"><emailProvider id="{DOMAIN}"><domain>{DOMAIN}</domain>'
        f"<displayName>SMTP Desk sandbox</displayName>{outgoing}</emailProvider></clientConfig>\n"
    ).encode("ascii")


class WebConversation(asyncio.Protocol):
    """One request for the configuration: anything else isn't there."""

    def __init__(self, document: bytes, connections: "set[WebConversation]") -> None:
        """Answer with `document`; it is one of `connections` while it is open."""
        self._document = document
        self._connections = connections
        self._received = b""
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the way to answer."""
        if isinstance(transport, asyncio.Transport):
            self._transport = transport
            self._connections.add(self)

    def connection_lost(self, _error: Exception | None) -> None:
        """Forget it."""
        self._connections.discard(self)

    def abort(self) -> None:
        """Close at once."""
        if self._transport is not None:
            self._transport.abort()

    def data_received(self, data: bytes) -> None:
        """Answer once the request is whole; one that is too long is cut."""
        self._received += data
        transport = self._transport
        if transport is None or transport.is_closing():
            return
        if _END in self._received:
            transport.write(self._answer())
            transport.close()
        elif len(self._received) > _MOST_OCTETS:
            transport.close()

    def _answer(self) -> bytes:
        words = self._received.split(b"\r\n", 1)[0].split(b" ")
        path = words[1].partition(b"?")[0].decode("latin-1") if len(words) > 1 else ""
        known = words[0] == b"GET" and path in PATHS
        status, body = ("200 OK", self._document) if known else ("404 Not Found", b"")
        head = (
            f"HTTP/1.1 {status}\r\nContent-Type: text/xml; charset=UTF-8\r\n"
            f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n"
        )
        return head.encode("ascii") + body
