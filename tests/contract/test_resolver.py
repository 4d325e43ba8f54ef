"""What every resolver promises: that of the system, and one DNS server in its place."""

from __future__ import annotations

import socket
import threading
import time
from typing import TYPE_CHECKING, Any, Final

import dns.rdatatype
import dns.resolver
import pytest

from smtp_desk.core.errors import SmtpFailure
from smtp_desk.core.stages import Stage
from smtp_desk.smtp.net.deadline import Cancel, CancelledError, Deadline
from smtp_desk.smtp.net.resolve import Addresses, DnsResolver, Resolver, SystemResolver
from tests.servers.dns import REFUSED, SERVFAIL, SILENCE, NameServer, Zone

if TYPE_CHECKING:
    from collections.abc import Iterator

ZONE: Final[Zone] = {
    "both.test": ["A 127.0.0.1", "A 127.0.0.2", "AAAA ::1"],
    "four.test": ["A 127.0.0.1"],
    "six.test": ["AAAA ::1"],
    "alias.test": ["A 127.0.0.9"],
    "mail-domain.test": ["MX 10 four.test."],
    "no-mail.test": ["MX 0 ."],
    "empty.test": ["TXT nothing"],
    "broken.test": SERVFAIL,
    "refused.test": REFUSED,
    "silent.test": SILENCE,
}
SOON = 20.0


class System:
    """A system whose `getaddrinfo` asks a name server of the test."""

    def __init__(self, server: NameServer) -> None:
        self._resolver = dns.resolver.Resolver(configure=False)
        self._resolver.nameservers = [server.host]
        self._resolver.port = server.port

    def getaddrinfo(self, host: str, port: None, **_: Any) -> list[Any]:  # noqa: ANN401 - as the system's
        found = []
        for kind, family in (("AAAA", socket.AF_INET6), ("A", socket.AF_INET)):
            try:
                answer = self._resolver.resolve(host, kind, raise_on_no_answer=False)
            except dns.resolver.NXDOMAIN as error:
                raise socket.gaierror(socket.EAI_NONAME, "Name or service not known") from error
            except dns.resolver.NoNameservers as error:
                raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure") from error
            for record in answer.rrset or ():
                place = (record.to_text(), port)
                found.append((family, socket.SOCK_STREAM, 6, "", place))
        if not found:
            raise socket.gaierror(socket.EAI_NODATA, "No address associated with hostname")
        return found


@pytest.fixture
def server() -> Iterator[NameServer]:
    with NameServer(ZONE) as server:
        yield server


@pytest.fixture(params=["system", "DNS"])
def resolver(request: pytest.FixtureRequest, server: NameServer) -> Resolver:
    asks = DnsResolver(server.host, server.port)
    if request.param == "DNS":
        return asks
    return SystemResolver(System(server).getaddrinfo, asks)


def resolve(resolver: Resolver, host: str, seconds: float = SOON) -> tuple[str, ...]:
    return resolver.resolve(host, Cancel(), Deadline.after(seconds))


def failure(resolver: Resolver, host: str, seconds: float = SOON) -> SmtpFailure:
    with pytest.raises(SmtpFailure) as raised:
        resolve(resolver, host, seconds)
    assert raised.value.stage is Stage.RESOLVE
    assert raised.value.facts["host"] == host
    return raised.value


@pytest.mark.parametrize("address", ["127.0.0.1", "::1", "fe80::1%1"])
def test_an_address_needs_nobody(resolver: Resolver, server: NameServer, address: str) -> None:
    assert resolve(resolver, address) == (address,)
    assert server.questions == []


@pytest.mark.parametrize(
    ("host", "addresses"),
    [
        ("four.test", ("127.0.0.1",)),
        ("six.test", ("::1",)),
        ("both.test", ("::1", "127.0.0.1", "127.0.0.2")),
    ],
)
def test_the_addresses_of_a_name(resolver: Resolver, host: str, addresses: tuple[str, ...]) -> None:
    assert sorted(resolve(resolver, host)) == sorted(addresses)
    assert resolve(resolver, host)[0] == addresses[0]


def test_a_name_that_does_not_exist(resolver: Resolver) -> None:
    assert failure(resolver, "missing.test").code == "resolve.not_found"


@pytest.mark.parametrize(
    ("host", "has_mx"),
    [("mail-domain.test", True), ("no-mail.test", False), ("empty.test", False)],
)
def test_a_name_without_address(resolver: Resolver, host: str, has_mx: bool) -> None:
    without = failure(resolver, host)
    assert (without.code, without.facts["has_mx"]) == ("resolve.no_address", has_mx)


@pytest.mark.parametrize("host", ["broken.test", "refused.test"])
def test_a_server_in_trouble(resolver: Resolver, host: str) -> None:
    trouble = failure(resolver, host)
    assert trouble.code == "resolve.temporary"
    assert trouble.facts["reason"]


def test_silence_ends_at_the_deadline(resolver: Resolver) -> None:
    began = time.monotonic()
    assert failure(resolver, "silent.test", 0.2).code == "resolve.temporary"
    assert time.monotonic() - began < 10


def test_cancel_ends_it_at_once(resolver: Resolver, server: NameServer) -> None:
    cancel = Cancel()
    timer = threading.Timer(0.05, cancel.cancel)
    timer.start()
    began = time.monotonic()
    with pytest.raises(CancelledError):
        resolver.resolve("silent.test", cancel, Deadline.after(SOON))
    assert time.monotonic() - began < 10
    timer.join()
    with pytest.raises(CancelledError):
        resolver.resolve("four.test", cancel, Deadline.after(SOON))


@pytest.mark.parametrize("odd", ["SERVFAIL", "NXDOMAIN", "REFUSED", "SILENCE"])
@pytest.mark.parametrize(
    ("kind", "other", "family"),
    [("AAAA", "A 127.0.0.1", "IPv6"), ("A", "AAAA ::1", "IPv4")],
)
def test_one_family_that_fails_never_ends_it(kind: str, other: str, family: str, odd: str) -> None:
    with NameServer({"half.test": [f"{kind} !{odd}", other]}) as server:
        found = resolve(DnsResolver(server.host, server.port), "half.test")
    assert found == (other.partition(" ")[2],)
    assert isinstance(found, Addresses)
    assert found.failed_family == family


def test_both_families_are_told_where_both_answer(server: NameServer) -> None:
    found = resolve(DnsResolver(server.host, server.port), "both.test")
    assert isinstance(found, Addresses)
    assert found.failed_family == ""
