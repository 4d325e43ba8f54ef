"""Mail configurations as servers publish them, and who is asked in tests."""

from __future__ import annotations

from dataclasses import dataclass, field

from smtp_desk.core.address import Mailbox, parse_mailbox
from smtp_desk.core.errors import SmtpFailure
from smtp_desk.core.findings.providers import Providers
from smtp_desk.core.settings import Security
from smtp_desk.core.stages import Stage
from smtp_desk.smtp.net.deadline import Cancel, Deadline
from tests.core import replies

ANN = parse_mailbox("ann@example.test")
PATH = "/mail/config-v1.1.xml"


def providers() -> Providers:
    return Providers.parse(replies.texts("providers"))


def mailbox(address: str) -> Mailbox:
    return parse_mailbox(address)


def server(
    host: str = "smtp.example.test",
    port: int | str = 465,
    socket_type: str = "SSL",
    *,
    username: str = "%EMAILADDRESS%",
    authentication: str = "password-cleartext",
    kind: str = "smtp",
) -> str:
    ways = "".join(f"<authentication>{way}</authentication>" for way in authentication.split())
    return (
        f'<outgoingServer type="{kind}"><hostname>{host}</hostname><port>{port}</port>'
        f"<socketType>{socket_type}</socketType><username>{username}</username>{ways}"
        "</outgoingServer>"
    )


def config(*servers: str, head: str = '<?xml version="1.0" encoding="UTF-8"?>') -> bytes:
    body = "".join(servers)
    text = (
        f'{head}<clientConfig version="1.1"><emailProvider id="example.test">'
        "<domain>example.test</domain><displayName>Example</displayName>"
        '<incomingServer type="imap"><hostname>imap.example.test</hostname></incomingServer>'
        f"{body}</emailProvider></clientConfig>"
    )
    return text.encode()


@dataclass(frozen=True, slots=True)
class Loopback:
    """Every host is this machine, but those that are not there."""

    address: str = "127.0.0.1"
    missing: tuple[str, ...] = ()

    def resolve(self, host: str, cancel: Cancel, deadline: Deadline) -> tuple[str, ...]:
        if host in self.missing:
            raise SmtpFailure(Stage.RESOLVE, "resolve.not_found", facts={"host": host})
        return (self.address,)


@dataclass(slots=True)
class Probed:
    """Common names that answer, as if they had been tried.

    Attributes:
        asked: the names that were tried.
    """

    working: dict[str, list[tuple[int, Security]]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def __call__(self, host: str, cancel: Cancel, deadline: Deadline) -> list[tuple[int, Security]]:
        self.asked.append(host)
        return self.working.get(host, [])
