"""Domains that no provider data know, each of which tells in one way alone which server it has."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, field
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

ADDRESS: Final = "ann@example.test"

_HERE: Final = "A 127.0.0.1"
_NOWHERE: Final = "127.0.0.2"
_NAMES: Final = ("example.test", "autoconfig.example.test", "smtp.example.test")
_OTHER_NAMES: Final = ("mail.example.test", "autoconfig.hoster.test", "autoconfig.mx.hoster.test")


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


@contextlib.contextmanager
def published(
    domain: UnknownDomain, certs: Certificates, folder: pathlib.Path, *, dropping: bool
) -> Iterator[tuple[str, ...]]:
    """Let this machine be an internet of that domain alone; see `internet`.

    Args:
        domain: What is there.
        certs: Who vouches for its servers.
        folder: Where files may be put.
        dropping: Whether all other names that may be asked are there too, behind a firewall that
            drops what it doesn't let through.
    """
    elsewhere = [f"A {_NOWHERE}"]
    zone: dict[str, list[str]] = {}
    if dropping:
        names = (
            *_NAMES,
            "mail.example.test",
            "autoconfig.hoster.test",
            "autoconfig.mx.hoster.test",
        )
        zone = dict.fromkeys(names, elsewhere)
        zone["example.test"] = [*elsewhere, "MX 10 mx.hoster.test."]
    for name, record in domain.zone.items():
        kind = record.split()[0]
        others = [each for each in zone.get(name, ()) if each.split()[0] != kind]
        zone[name] = [*others, record]
    tls = certs.for_names(*_NAMES).server_context()
    with internet(zone, folder) as inside, contextlib.ExitStack() as stack:
        if dropping:
            for port in (443, 465, 587):
                stack.enter_context(black_hole(_NOWHERE, port))
        stack.enter_context(WebServer(tls, domain.pages, port=443))
        script = Script(tls=tls, implicit_tls=True)
        stack.enter_context(ScriptedServer(script, port=465))
        yield inside
