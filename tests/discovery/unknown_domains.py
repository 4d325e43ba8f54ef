"""Domains that no provider data know, each of which tells in one way alone which server it has."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from smtp_desk.discovery.candidates import Source
from tests.discovery.configs import PATH, config, server
from tests.servers.internet import internet
from tests.servers.ports import black_hole
from tests.servers.script import Script
from tests.servers.scripted import ScriptedServer
from tests.servers.web import WebServer, page

if TYPE_CHECKING:
    import pathlib
    from collections.abc import Iterator, Mapping

    from tests.servers.certs import Certificates
    from tests.servers.dns import Zone

ADDRESS: Final = "ann@example.test"

_HERE: Final = "A 127.0.0.1"
_NOWHERE: Final = "127.0.0.2"
_NAMES: Final = ("example.test", "autoconfig.example.test", "smtp.example.test")
_OTHER_NAMES: Final = ("mail.example.test", "autoconfig.hoster.test", "autoconfig.mx.hoster.test")
_SERVICES: Final = ("_submissions._tcp.example.test", "_submission._tcp.example.test")


@dataclass(frozen=True)
class UnknownDomain:
    """The domain of `ADDRESS`.

    Attributes:
        source: The way in which it tells.
        zone: What DNS has for that.
        pages: What is published by https for that.
        host: The right server.
        port: Its port.
    """

    source: Source
    zone: Mapping[str, str]
    pages: Mapping[str, bytes] = field(default_factory=dict)
    host: str = "smtp.example.test"
    port: int = 465


DOMAINS: Final = (
    UnknownDomain(
        Source.AUTOCONFIG,
        {"autoconfig.example.test": _HERE},
        {f"autoconfig.example.test{PATH}": page(config(server()))},
    ),
    UnknownDomain(
        Source.WELL_KNOWN,
        {"example.test": _HERE},
        {f"example.test/.well-known/autoconfig{PATH}": page(config(server()))},
    ),
    UnknownDomain(
        Source.MX,
        {"example.test": "MX 10 aspmx.l.google.com."},
        host="smtp.gmail.com",
        port=587,
    ),
    UnknownDomain(Source.SRV, {"_submissions._tcp.example.test": "SRV 0 1 465 smtp.example.test."}),
    UnknownDomain(Source.GUESS, {"smtp.example.test": _HERE}),
)


class Others(StrEnum):
    """What becomes of whoever is asked about all else of the domain."""

    ABSENT = "absent"
    """There are no such names."""
    DROPPED = "dropped"
    """They are behind a firewall that drops what it doesn't let through."""
    SILENT = "silent"
    """The name server never answers such a question."""


@contextlib.contextmanager
def published(
    domain: UnknownDomain, certs: Certificates, folder: pathlib.Path, others: Others
) -> Iterator[tuple[str, ...]]:
    """Let this machine be an internet of that domain alone; see `internet`.

    Nobody may come by plain http.

    Args:
        domain: What is there.
        certs: Who vouches for its servers.
        folder: Where files may be put.
        others: What becomes of all else.
    """
    tls = certs.for_names(*_NAMES).tls
    with internet(_zone(domain, others), folder) as inside, contextlib.ExitStack() as stack:
        if others is Others.DROPPED:
            for port in (443, 465, 587):
                stack.enter_context(black_hole(_NOWHERE, port))
        stack.enter_context(WebServer(tls, domain.pages, port=443))
        script = Script(tls=tls, implicit_tls=True)
        stack.enter_context(ScriptedServer(script, port=465))
        everywhere = "0.0.0.0"  # noqa: S104 - in a network of its own
        plain = stack.enter_context(ScriptedServer(host=everywhere, port=80))
        yield inside
        assert not plain.sessions


def _zone(domain: UnknownDomain, others: Others) -> Zone:
    """What the name server knows."""
    zone: dict[str, list[str]] = {}
    if others is Others.DROPPED:
        elsewhere = [f"A {_NOWHERE}"]
        zone = dict.fromkeys((*_NAMES, *_OTHER_NAMES), elsewhere)
        zone["example.test"] = [*elsewhere, "MX 10 mx.hoster.test."]
    elif others is Others.SILENT:
        silent = ["A !SILENCE", "AAAA !SILENCE", "MX !SILENCE", "SRV !SILENCE"]
        zone = dict.fromkeys((*_NAMES, *_OTHER_NAMES, *_SERVICES), silent)
    for name, record in domain.zone.items():
        kinds = (record.split()[0], "AAAA") if record.startswith("A ") else (record.split()[0],)
        kept = [each for each in zone.get(name, ()) if each.split()[0] not in kinds]
        zone[name] = [*kept, record]
    return zone
