"""The name server answers as its zone says."""

from __future__ import annotations

from typing import TYPE_CHECKING

import dns.resolver
import pytest

from tests.servers.dns import REFUSED, SERVFAIL, SILENCE, NameServer, Zone

if TYPE_CHECKING:
    from collections.abc import Iterator

ZONE: Zone = {
    "example.test": ["MX 10 mail.example.test.", 'TXT "v=spf1 -all"', 'TXT "other"'],
    "mail.example.test": ["A 127.0.0.1", "A 127.0.0.2", "AAAA ::1"],
    "broken.test": SERVFAIL,
    "closed.test": REFUSED,
    "silent.test": SILENCE,
}


@pytest.fixture(params=["udp", "tcp"])
def name_server(request: pytest.FixtureRequest) -> Iterator[NameServer]:
    with NameServer(ZONE, truncating=request.param == "tcp") as server:
        yield server


@pytest.fixture
def resolver(name_server: NameServer) -> dns.resolver.Resolver:
    resolver = dns.resolver.Resolver(configure=False)
    resolver.nameservers = [name_server.host]
    resolver.port = name_server.port
    resolver.lifetime = 0.5
    return resolver


@pytest.mark.parametrize(
    ("name", "kind", "answers"),
    [
        ("mail.example.test", "A", ["127.0.0.1", "127.0.0.2"]),
        ("Mail.Example.Test", "AAAA", ["::1"]),
        ("example.test", "MX", ["10 mail.example.test."]),
        ("example.test", "TXT", ['"other"', '"v=spf1 -all"']),
    ],
)
def test_answers(resolver: dns.resolver.Resolver, name: str, kind: str, answers: list[str]) -> None:
    assert sorted(str(record) for record in resolver.resolve(name, kind)) == answers


@pytest.mark.parametrize(
    ("name", "error"),
    [
        ("nobody.test", dns.resolver.NXDOMAIN),
        ("example.test", dns.resolver.NoAnswer),
        ("broken.test", dns.resolver.NoNameservers),
        ("closed.test", dns.resolver.NoNameservers),
        ("silent.test", dns.resolver.LifetimeTimeout),
    ],
)
def test_errors(
    resolver: dns.resolver.Resolver,
    name_server: NameServer,
    name: str,
    error: type[dns.resolver.NXDOMAIN],
) -> None:
    with pytest.raises(error):
        resolver.resolve(name, "A")
    assert (name, "A") in name_server.questions
