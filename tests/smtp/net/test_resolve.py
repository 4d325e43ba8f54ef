"""What is each resolver's own; what both promise is in contract/test_resolver.py."""

from __future__ import annotations

import socket
import subprocess
import sys
from typing import Any

import dns.resolver
import pytest

from smtp_desk.core.errors import SmtpFailure
from smtp_desk.smtp.net.deadline import Cancel, Deadline
from smtp_desk.smtp.net.resolve import DnsResolver, SystemResolver, is_ip
from tests.servers.dns import NameServer
from tests.table import each_row

SOON = 20.0


def lookup(*places: tuple[Any, ...]) -> Any:  # noqa: ANN401 - as the system's
    def getaddrinfo(*_: object, **__: object) -> list[Any]:
        return [(None, None, None, "", place) for place in places]

    return getaddrinfo


def not_found(*_: object, **__: object) -> list[Any]:
    raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")


def resolve(resolver: SystemResolver | DnsResolver, host: str) -> tuple[str, ...]:
    return resolver.resolve(host, Cancel(), Deadline.after(SOON))


def test_the_system_knows_this_machine() -> None:
    assert set(resolve(SystemResolver(), "localhost")) <= {"127.0.0.1", "::1"}


def test_the_order_is_the_systems_and_each_comes_once() -> None:
    found = lookup(("127.0.0.2", 0), ("::1", 0, 0, 0), ("127.0.0.1", 0), ("127.0.0.2", 0))
    assert resolve(SystemResolver(found), "mail.test") == ("127.0.0.2", "::1", "127.0.0.1")


def test_a_link_local_address_keeps_its_zone() -> None:
    found = lookup(("fe80::1", 0, 0, 3), ("fe80::2%eth0", 0, 0, 3))
    assert resolve(SystemResolver(found), "mail.test") == ("fe80::1%3", "fe80::2%eth0")


def test_a_system_that_does_not_find_what_dns_knows() -> None:
    with NameServer({"mail.test": ["A 127.0.0.1"]}) as server:
        resolver = SystemResolver(not_found, DnsResolver(server.host, server.port))
        with pytest.raises(SmtpFailure) as raised:
            resolve(resolver, "mail.test")
    assert raised.value.code == "resolve.temporary"
    assert raised.value.facts["in_dns"] == ["127.0.0.1"]
    assert raised.value.facts["reason"] == "Name or service not known"


def test_without_a_server_the_systems_are_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    configured: list[bool] = []

    class Recording(dns.resolver.Resolver):
        def __init__(self, *, configure: bool) -> None:
            configured.append(configure)
            super().__init__(configure=False)

    monkeypatch.setattr(dns.resolver, "Resolver", Recording)
    DnsResolver().stub()
    DnsResolver("127.0.0.1").stub()
    assert configured == [True, False]


def test_an_answer_too_large_for_udp() -> None:
    with NameServer({"mail.test": ["A 127.0.0.1"]}, truncating=True) as server:
        assert resolve(DnsResolver(server.host, server.port), "mail.test") == ("127.0.0.1",)


@each_row(
    ("where", "server", "port"),
    [
        ("192.0.2.53", "192.0.2.53", 53),
        ("192.0.2.53:5353", "192.0.2.53", 5353),
        ("[2001:db8::53]:5353", "2001:db8::53", 5353),
        ("[2001:db8::53]", "2001:db8::53", 53),
        ("2001:db8::53", "2001:db8::53", 53),
    ],
)
def test_where_a_name_server_is(where: str, server: str, port: int) -> None:
    resolver = DnsResolver.at(where)
    assert (resolver._server, resolver._port) == (server, port)


@each_row(
    "where", ["", "dns.example.test", "192.0.2.53:", "192.0.2.53:0", "192.0.2.53:65536", "[::1:53"]
)
def test_what_is_no_name_server(where: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - the text is not ours
        DnsResolver.at(where)


def test_what_is_an_address() -> None:
    assert is_ip("127.0.0.1")
    assert is_ip("fe80::1%eth0")
    assert not is_ip("mail.example.test")


def test_the_slow_library_is_not_loaded_before_it_is_needed() -> None:
    program = "import sys, smtp_desk.smtp.net.resolve; sys.exit('dns' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
