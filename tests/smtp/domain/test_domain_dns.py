"""Questions to the DNS: asked once, bounded, and unanswered ones told apart."""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING

import dns.resolver
import pytest

from smtp_desk.smtp.domain.dns import MOST_QUESTIONS, Questions
from smtp_desk.smtp.domain.facts import UnansweredError
from smtp_desk.smtp.net.deadline import Cancel, CancelledError, Deadline
from smtp_desk.smtp.net.resolve import DnsResolver
from tests.servers.dns import SERVFAIL, SILENCE, NameServer
from tests.table import each_row

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.servers.dns import Zone

ZONE: Zone = {
    "example.test": ['TXT "one " "record"', "A 127.0.0.1", "AAAA ::1"],
    "broken.test": SERVFAIL,
    "silent.test": SILENCE,
}


@pytest.fixture
def server() -> Iterator[NameServer]:
    with NameServer(ZONE) as server:
        yield server


def questions(server: NameServer, seconds: float = 20.0, cancel: Cancel | None = None) -> Questions:
    resolver = DnsResolver(server.host, server.port)
    return Questions(resolver, cancel or Cancel(), Deadline.after(seconds))


def test_each_is_asked_once(server: NameServer) -> None:
    asking = questions(server)
    assert asking.texts("example.test") == asking.texts("Example.Test.") == [b"one record"]
    assert asking.texts("nobody.test") == asking.texts("nobody.test") == []
    assert server.questions == [("example.test", "TXT"), ("nobody.test", "TXT")]


def test_addresses_of_both_families(server: NameServer) -> None:
    assert questions(server).addresses("example.test") == ["::1", "127.0.0.1"]


@pytest.mark.parametrize(
    ("name", "exists"), [("example.test", True), ("nobody.test", False), ("a..b", False)]
)
def test_what_exists(server: NameServer, name: str, exists: bool) -> None:
    assert questions(server).exists(name) is exists


@pytest.mark.parametrize(
    "name", ["a..b", "x" * 64 + ".test", ".".join(["a" * 60] * 9), "\udc80", "", "."]
)
def test_what_is_no_name_is_not_asked(server: NameServer, name: str) -> None:
    with pytest.raises(dns.resolver.NXDOMAIN):
        questions(server).resolve(name, "TXT")
    assert server.questions == []


def test_no_answer_is_not_taken_for_no_record(server: NameServer) -> None:
    with pytest.raises(UnansweredError, match="a problem of its own") as raised:
        questions(server).texts("broken.test")
    assert not isinstance(raised.value, dns.exception.DNSException | OSError)


def test_silence_ends_at_the_deadline(server: NameServer) -> None:
    asking = questions(server, seconds=0.3)
    with pytest.raises(UnansweredError, match="in time"):
        asking.texts("silent.test")
    with pytest.raises(UnansweredError, match="in time"):
        asking.texts("example.test")


def test_what_was_not_answered_is_not_asked_again(server: NameServer) -> None:
    asking = questions(server)
    for _ in range(3):
        with pytest.raises(UnansweredError):
            asking.texts("broken.test")
    assert server.questions.count(("broken.test", "TXT")) == 1


@pytest.mark.parametrize(
    ("name", "kind", "validated"),
    [
        ("signed.test", "MX", True),
        ("signed.test", "A", None),
        ("example.test", "A", False),
        ("nobody.test", "MX", None),
    ],
)
def test_whether_signatures_were_checked(name: str, kind: str, validated: bool | None) -> None:
    zone: Zone = {**ZONE, "signed.test": ["MX 0 example.test."]}
    with NameServer(zone, signed=["signed.test"]) as server:
        assert questions(server).is_validated(name, kind) is validated


@each_row(
    ("name", "bogus"),
    [
        ("wrong.test", True),
        ("nodata.test", True),
        ("nobody.test", True),
        ("broken.test", False),
        ("example.test", False),
    ],
)
def test_whether_signatures_are_wrong(name: str, bogus: bool) -> None:
    zone: Zone = {**ZONE, "wrong.test": ["MX 0 example.test."], "nodata.test": ["A 192.0.2.1"]}
    with NameServer(zone, bogus=["wrong.test", "nodata.test", "nobody.test"]) as server:
        assert questions(server).is_bogus(name, "MX") is bogus


def test_silence_says_nothing_of_signatures() -> None:
    with NameServer({"silent.test": SILENCE}) as server:
        assert questions(server, seconds=0.3).is_bogus("silent.test", "MX") is False


@pytest.mark.parametrize(
    ("ip", "names"),
    [
        ("192.0.2.1", ["B.test", "a.test"]),
        ("2001:db8::1", ["c.test"]),
        ("192.0.2.2", []),
    ],
)
def test_the_names_of_an_address(ip: str, names: list[str]) -> None:
    zone: Zone = {
        "1.2.0.192.in-addr.arpa": ["PTR a.test.", "PTR B.test."],
        f"1.{'0.' * 23}8.b.d.0.1.0.0.2.ip6.arpa": ["PTR c.test."],
        "2.2.0.192.in-addr.arpa": ["A 192.0.2.2"],
    }
    with NameServer(zone) as server:
        assert sorted(questions(server).names_of(ipaddress.ip_address(ip))) == names


@pytest.mark.parametrize(
    ("name", "texts"),
    [
        ("alias.test", [b"one record"]),
        ("chain0.test", [b"one record"]),
        ("dangling.test", []),
        ("nodata.test", []),
    ],
)
def test_aliases_are_followed(name: str, texts: list[bytes]) -> None:
    zone: Zone = {
        **ZONE,
        "alias.test": ["CNAME example.test."],
        **{f"chain{n}.test": [f"CNAME chain{n + 1}.test."] for n in range(8)},
        "chain8.test": ["CNAME example.test."],
        "dangling.test": ["CNAME nobody.test."],
        "nodata.test": ["CNAME a.test."],
        "a.test": ["A 192.0.2.1"],
    }
    with NameServer(zone) as server:
        assert questions(server).texts(name) == texts


def test_a_loop_of_aliases_is_no_answer() -> None:
    zone: Zone = {"a.test": ["CNAME b.test."], "b.test": ["CNAME a.test."]}
    with NameServer(zone) as server, pytest.raises(UnansweredError):
        questions(server).texts("a.test")


def test_an_endless_number_of_questions_ends(server: NameServer) -> None:
    asking = questions(server)
    for number in range(MOST_QUESTIONS):
        asking.texts(f"n{number}.test")
    with pytest.raises(UnansweredError, match="too many"):
        asking.texts("example.test")


def test_once_cancelled_nothing_is_asked(server: NameServer) -> None:
    cancel = Cancel()
    asking = questions(server, cancel=cancel)
    cancel.cancel()
    with pytest.raises(CancelledError):
        asking.texts("example.test")
    assert server.questions == []
