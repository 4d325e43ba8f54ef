"""Questions to the DNS: asked once, bounded, and unanswered ones told apart."""

from __future__ import annotations

from typing import TYPE_CHECKING

import dns.resolver
import pytest

from smtp_desk.smtp.domain.dns import MOST_QUESTIONS, Questions
from smtp_desk.smtp.domain.facts import UnansweredError
from smtp_desk.smtp.net.deadline import Cancel, CancelledError, Deadline
from smtp_desk.smtp.net.resolve import DnsResolver
from tests.servers.dns import SERVFAIL, SILENCE, NameServer

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


@pytest.mark.parametrize("name", ["a..b", "x" * 64 + ".test", ".".join(["a" * 60] * 9), "\udc80"])
def test_what_is_no_name_is_not_asked(server: NameServer, name: str) -> None:
    with pytest.raises(dns.resolver.NXDOMAIN):
        questions(server).resolve(name, "TXT")
    assert server.questions == []


def test_no_answer_is_not_taken_for_no_record(server: NameServer) -> None:
    with pytest.raises(UnansweredError, match="a fault of its own") as raised:
        questions(server).texts("broken.test")
    assert not isinstance(raised.value, dns.exception.DNSException | OSError)


def test_silence_ends_at_the_deadline(server: NameServer) -> None:
    asking = questions(server, seconds=0.3)
    with pytest.raises(UnansweredError, match="in time"):
        asking.texts("silent.test")
    with pytest.raises(UnansweredError, match="in time"):
        asking.texts("example.test")


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
