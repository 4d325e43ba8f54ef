"""SPF records: what they allow, and which are invalid."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from smtp_desk.smtp.domain.dns import InvalidRecordError, Questions, UnansweredError
from smtp_desk.smtp.domain.policies import SpfPolicy, parse_spf, spf_records
from smtp_desk.smtp.net.deadline import Cancel, Deadline
from smtp_desk.smtp.net.resolve import DnsResolver
from tests.servers.dns import SERVFAIL, NameServer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.servers.dns import Zone

ZONE: Zone = {
    "example.test": ["A 192.0.2.1", "MX 10 mail.example.test.", "MX 20 mail6.example.test."],
    "mail.example.test": ["A 192.0.2.2"],
    "mail6.example.test": ["AAAA 2001:db8::2"],
    "all.test": ['TXT "v=spf1 +all"'],
    "one.test": ['TXT "v=spf1 ip4:192.0.2.9 -all"'],
    "not.test": ['TXT "v=spf1 -ip4:192.0.2.9 +all"'],
    "neutral.test": ['TXT "v=spf1 ?ip4:192.0.2.9"'],
    "broken.test": SERVFAIL,
    "mxbroken.test": ["MX 10 broken.test."],
    **{f"n{number}.test": ['TXT "v=spf1 ?all"'] for number in range(20)},
    **{f"c{n}.test": [f'TXT "v=spf1 include:c{n + 1}.test"'] for n in range(2000)},
}


@pytest.fixture(scope="module")
def server() -> Iterator[NameServer]:
    with NameServer(ZONE) as server:
        yield server


@pytest.fixture
def questions(server: NameServer) -> Questions:
    return Questions(DnsResolver(server.host, server.port), Cancel(), Deadline.after(20.0))


def policy(questions: Questions, terms: str) -> SpfPolicy:
    return parse_spf([f"v=spf1 {terms}".encode()], questions, "example.test")


@pytest.mark.parametrize(
    ("terms", "address", "allowed"),
    [
        ("ip4:192.0.2.0/24 -all", "192.0.2.7", True),
        ("ip4:192.0.2.0/24 -all", "192.0.3.7", False),
        ("ip4:192.0.2.0/24 -all", "2001:db8::7", False),
        ("ip6:2001:db8::/32 -all", "2001:db8::7", True),
        ("ip6:fe80::/10 -all", "fe80::1%eth0", True),
        ("-ip4:192.0.2.7 ip4:192.0.2.0/24 -all", "192.0.2.7", False),
        ("ip4:192.0.2.7 -ip4:192.0.2.0/24 -all", "192.0.2.7", True),
        ("+all", "192.0.2.7", True),
        ("?all", "192.0.2.7", False),
        ("", "192.0.2.7", False),
        ("a -all", "192.0.2.1", True),
        ("a/24 -all", "192.0.2.200", True),
        ("a:mail.example.test -all", "192.0.2.2", True),
        ("a:mail.example.test -all", "192.0.2.1", False),
        ("a:nowhere.test -all", "192.0.2.1", False),
        ("mx -all", "192.0.2.2", True),
        ("mx -all", "2001:db8::2", True),
        ("mx -all", "192.0.2.3", False),
        ("mx/24 -all", "192.0.2.2", True),
        ("mx/24 -all", "192.0.2.3", None),
        ("mx/24 +all", "192.0.2.3", True),
        ("mx:example.test -all", "192.0.2.2", True),
        ("include:one.test -all", "192.0.2.9", True),
        ("include:one.test -all", "192.0.2.8", False),
        ("include:not.test -all", "192.0.2.9", False),
        ("include:not.test -all", "192.0.2.8", True),
        ("include:neutral.test -all", "192.0.2.9", False),
        ("-include:all.test +all", "192.0.2.9", False),
        ("redirect=one.test", "192.0.2.9", True),
        ("redirect=one.test", "192.0.2.8", False),
        ("redirect=all.test -all", "192.0.2.8", False),
        ("redirect=%{d}.test", "192.0.2.8", None),
        ("exists:%{i}.test -all", "192.0.2.8", None),
        ("exists:%{i}.test +all", "192.0.2.8", True),
        ("-exists:%{i}.test +all", "192.0.2.8", None),
        ("-exists:%{i}.test -all", "192.0.2.8", False),
        ("ip4:192.0.2.8 exists:%{i}.test -all", "192.0.2.8", True),
        ("a:%{i}.test -all", "192.0.2.8", None),
        ("ptr -all", "192.0.2.8", None),
    ],
)
def test_what_is_allowed(
    questions: Questions, terms: str, address: str, allowed: bool | None
) -> None:
    assert policy(questions, terms).allows(address) is allowed


@pytest.mark.parametrize(
    ("terms", "reason"),
    [
        ("ip4:192.0.2.256 -all", "192.0.2.256 is not a valid ipv4 value"),
        ("ip4:2001:db8::1 -all", "ipv6"),
        ("includes:one.test -all", "includes"),
        ("include: -all", "must have a value"),
        ("redirect=one.test redirect=all.test", "multiple redirect"),
        ("include:nowhere.test -all", "nowhere.test, which has no spf record"),
        ("redirect=nowhere.test", "nowhere.test, which has no spf record"),
        ("include:a..b -all", "a..b, which has no spf record"),
        ("include:example.test -all", "include loop: example.test -> example.test"),
        ("include:c0.test -all", "more than 10 dns lookups"),
        (" ".join(f"include:n{number}.test" for number in range(11)), "more than 10 dns lookups"),
        (" ".join(["a:mail.example.test"] * 11), "more than 10 dns lookups"),
        ("a:x.test a:y.test a:z.test", "more than two names"),
        ("ip4:192.0.2.1~all", "whitespace"),
    ],
)
def test_what_is_invalid(questions: Questions, terms: str, reason: str) -> None:
    with pytest.raises(InvalidRecordError) as raised:
        policy(questions, terms)
    assert reason in str(raised.value).casefold()


def test_ten_lookups_are_allowed(questions: Questions) -> None:
    terms = " ".join(f"include:n{number}.test" for number in range(10))
    found = policy(questions, terms)
    assert found.included == {f"n{number}.test" for number in range(10)}


def test_a_chain_of_includes_is_not_followed_further_than_allowed(server: NameServer) -> None:
    asking = Questions(DnsResolver(server.host, server.port), Cancel(), Deadline.after(20.0))
    before = len(server.questions)
    with pytest.raises(InvalidRecordError):
        policy(asking, "include:c0.test")
    assert len(server.questions) - before <= 11


@pytest.mark.parametrize("terms", ["include:broken.test", "a:broken.test", "mx:broken.test"])
def test_what_was_not_answered_makes_no_record_invalid(questions: Questions, terms: str) -> None:
    with pytest.raises(UnansweredError):
        policy(questions, f"{terms} -all")


def test_a_corrected_record_is_seen_at_once() -> None:
    def included(terms: str) -> SpfPolicy:
        with NameServer({"in.test": [f'TXT "v=spf1 {terms}"']}) as server:
            resolver = DnsResolver(server.host, server.port)
            asking = Questions(resolver, Cancel(), Deadline.after(20.0))
            return policy(asking, "include:in.test -all")

    assert included("-all").allows("192.0.2.1") is False
    assert included("+all").allows("192.0.2.1") is True


@pytest.mark.parametrize(
    ("record", "counts"),
    [
        ('"v=spf1"', True),
        ('"V=SPF1 -all"', True),
        ('"v=sp" "f1 -all"', True),
        ('"v=spf10 -all"', False),
        ('" v=spf1 -all"', False),
        ('"v=spf1,-all"', False),
        (r'"\000\255"', False),
    ],
)
def test_which_records_are_spf(record: str, counts: bool) -> None:
    with NameServer({"example.test": [f"TXT {record}"]}) as server:
        asking = Questions(DnsResolver(server.host, server.port), Cancel(), Deadline.after(20.0))
        assert bool(spf_records(asking, "example.test")) is counts


def test_no_question_goes_to_another_resolver() -> None:
    zone = {"in.test": ['TXT "v=spf1 exp=why.test -all"']}
    with NameServer(zone) as server:
        asking = Questions(DnsResolver(server.host, server.port), Cancel(), Deadline.after(60.0))
        record = b"v=spf1 include:in.test exp=why.test -all"
        assert parse_spf([record], asking, "example.test").included == {"in.test"}
