"""DMARC records: which applies, and which are invalid."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from smtp_desk.smtp.domain.dmarc import find_dmarc, organization
from smtp_desk.smtp.domain.dns import Questions
from smtp_desk.smtp.domain.facts import DmarcPolicy, InvalidRecordError, UnansweredError
from smtp_desk.smtp.net.deadline import Cancel, Deadline
from smtp_desk.smtp.net.resolve import DnsResolver
from tests.servers.dns import SERVFAIL, NameServer
from tests.table import each_row

if TYPE_CHECKING:
    from tests.servers.dns import Zone


def find(zone: Zone, domain: str = "example.test") -> str:
    found = policy_of(zone, domain)
    return found.record if found else ""


@pytest.mark.parametrize(
    "record",
    [
        "v=DMARC1; p=none",
        "v=DMARC1;p=quarantine;sp=reject;pct=50;",
        "v=DMARC1; p=reject; rua=mailto:a@elsewhere.test; ruf=mailto:b@elsewhere.test!10m",
        "v=DMARC1; p=none; future=1",
    ],
)
def test_a_good_record(record: str) -> None:
    escaped = record.replace(";", r"\;")
    assert find({"_dmarc.example.test": [f'TXT "{escaped}"'], "example.test": ["MX 0 ."]}) == record


def test_where_reports_go_is_not_looked_into() -> None:
    uris = ",".join(f"mailto:a{number}@r{number}.test" for number in range(300))
    text = " ".join(f'"{part}"' for part in _pieces(f"v=DMARC1; p=none; rua={uris}"))
    zone = {"_dmarc.example.test": [f"TXT {text}"], "example.test": ["MX 0 ."]}
    with NameServer(zone) as server:
        resolver = DnsResolver(server.host, server.port)
        assert find_dmarc(Questions(resolver, Cancel(), Deadline.after(20.0)), "example.test")
        assert {name for name, _ in server.questions} <= {"example.test", "_dmarc.example.test"}


def _pieces(text: str) -> list[str]:
    return [text[start : start + 250] for start in range(0, len(text), 250)]


@pytest.mark.parametrize("exists", [True, False])
def test_the_record_of_the_domain_above_applies(exists: bool) -> None:
    zone = {"_dmarc.example.test": ['TXT "v=DMARC1; p=none"'], "example.test": ["MX 0 ."]}
    below = {"news.example.test": ["MX 0 ."]} if exists else {}
    assert find({**zone, **below}, "news.example.test") == "v=DMARC1; p=none"


@pytest.mark.parametrize(
    "zone",
    [
        {},
        {"example.test": ["MX 0 ."]},
        {"example.test": ["MX 0 ."], "_dmarc.example.test": ['TXT "other"', r'TXT "\255\000"']},
    ],
    ids=["nothing", "domain", "unrelated"],
)
def test_there_is_none(zone: Zone) -> None:
    assert find(zone) == ""


@each_row(
    ("records", "reason"),
    [
        (['TXT "v=DMARC1; p=maybe"'], "isn’t one of none, quarantine, reject"),
        (['TXT "v=DMARC1; p=none; p=reject"'], "“p” appears twice"),
        (['TXT "v=DMARC1 p=none"'], "followed by a semicolon"),
        (['TXT "v=DMARC1; p"'], "isn’t in the form name=value"),
        (['TXT " v=DMARC1; p=none"'], "whitespace"),
        (['TXT "v=DMARC1; p=none"', 'TXT "v=DMARC1; p=reject"'], "2 DMARC records"),
        ([r'TXT "v=DMARC1; p=none; x=\252"'], "aren’t ASCII"),
    ],
    ids=["policy", "duplicate", "semicolon", "syntax", "space", "two", "latin1"],
)
def test_what_is_invalid(records: list[str], reason: str) -> None:
    with pytest.raises(InvalidRecordError, match=reason):
        find({"_dmarc.example.test": records, "example.test": ["MX 0 ."]})


@each_row(
    ("records", "reason"),
    [
        (['TXT "v=dmarc1; p=none"'], "must be written exactly"),
        (['TXT "v=DMARC1"'], "neither “p=” nor an address"),
        (['TXT "v=DMARC1; rua=nobody"'], "neither “p=” nor an address"),
        (['TXT "v=DMARC1; rua=mailto:"'], "neither “p=” nor an address"),
        (['TXT "v=DMARC1; p=none; sp=maybe; rua=mailto:a@b.test"'], "“sp=maybe”"),
        (['TXT "v=DMARC1; p=none; np="'], "“np=”"),
        (['TXT "v=DMARC1; P=none; p=none"'], "“p” appears twice"),
        (['TXT "v=DMARC1; p=none" "p=reject"'], "isn’t one of"),
        (['TXT "v=DMARC1; =none"'], "isn’t in the form name=value"),
        ([r'TXT "v=DMARC1; p=none; x=\001"'], "isn’t in the form name=value"),
        (['TXT "v=DMARC1, p=none"'], "followed by a semicolon"),
        (['TXT "v=DMARC10; p=none"'], "followed by a semicolon"),
    ],
)
def test_what_else_is_invalid(records: list[str], reason: str) -> None:
    with pytest.raises(InvalidRecordError, match=re.escape(reason)):
        find({"_dmarc.example.test": records, "example.test": ["MX 0 ."]})


@each_row(
    ("record", "policy"),
    [
        ("v=DMARC1; p=reject", "reject"),
        ("v=DMARC1; sp=none; p=REJECT", "reject"),
        ("V=DMARC1 ; p = quarantine ;", "quarantine"),
        ("v = DMARC1;p=none", "none"),
        ("v=DMARC1; rua=mailto:a@b.test", "none"),
        ("v=DMARC1; rua=https://b.test,mailto:a@b.test!10m", "none"),
        ("v=DMARC1; p=reject; pct=nonsense; rf=x; fo=9; aspf=x", "reject"),
        ("v=DMARC1; p=reject; t=y; psd=maybe", "reject"),
    ],
)
def test_what_a_record_asks_for(record: str, policy: str) -> None:
    escaped = record.replace(";", r"\;")
    found = policy_of({"_dmarc.example.test": [f'TXT "{escaped}"']}, "example.test")
    assert found is not None
    assert (found.policy, found.testing) == (policy, "t=y" in record)


ABOVE = "v=DMARC1; p=reject; sp=quarantine; np=none"


@each_row(
    ("domain", "records", "where", "policy"),
    [
        # Its own record before all others, whatever these say.
        (
            "a.b.test",
            {"a.b.test": "v=DMARC1; p=none; sp=reject", "b.test": ABOVE},
            "a.b.test",
            "none",
        ),
        # Below the organizational domain: `sp` where the name exists, `np` where it does not.
        ("a.b.test", {"b.test": ABOVE}, "b.test", "quarantine"),
        ("no.b.test", {"b.test": ABOVE}, "b.test", "none"),
        ("no.b.test", {"b.test": "v=DMARC1; p=reject; sp=none"}, "b.test", "none"),
        ("no.b.test", {"b.test": "v=DMARC1; p=reject"}, "b.test", "reject"),
        ("a.b.test", {"b.test": "v=DMARC1; p=reject; np=none"}, "b.test", "reject"),
        # The record with the fewest labels is that of the organization…
        ("a.b.test", {"b.test": ABOVE, "test": "v=DMARC1; p=none"}, "test", "none"),
        # … unless one says where it begins.
        (
            "a.b.test",
            {"b.test": ABOVE + "; psd=n", "test": "v=DMARC1; p=none"},
            "b.test",
            "quarantine",
        ),
        ("a.b.test", {"b.test": ABOVE, "test": "v=DMARC1; p=none; psd=y"}, "b.test", "quarantine"),
        (
            "x.a.b.test",
            {"b.test": ABOVE + "; psd=y", "test": "v=DMARC1; p=none"},
            "b.test",
            "quarantine",
        ),
        ("a.b.test", {"test": "v=DMARC1; p=none; sp=reject; psd=Y"}, "test", "reject"),
        # More than eight names are not asked about: those between are left out.
        ("1.2.3.4.5.6.7.8.9.b.test", {"b.test": "v=DMARC1; p=none"}, "b.test", "none"),
        ("1.2.3.4.5.6.7.8.9.b.test", {"2.3.4.5.6.7.8.9.b.test": ABOVE}, "", ""),
        (
            "1.2.3.4.5.6.7.8.9.b.test",
            {"5.6.7.8.9.b.test": "v=DMARC1; p=none"},
            "5.6.7.8.9.b.test",
            "none",
        ),
        ("test", {"test": "v=DMARC1; p=none"}, "test", "none"),
        ("test", {}, "", ""),
    ],
)
def test_the_walk(domain: str, records: dict[str, str], where: str, policy: str) -> None:
    found = policy_of(zone_of(records), domain)
    assert (found.domain, found.policy) == (where, policy) if found else where == ""


@each_row(
    ("domain", "records", "expected"),
    [
        ("a.b.test", {}, "a.b.test"),
        ("a.b.test", {"b.test": ABOVE}, "b.test"),
        ("a.b.test", {"a.b.test": ABOVE, "b.test": ABOVE}, "b.test"),
        ("a.b.test", {"a.b.test": ABOVE + "; psd=n", "b.test": ABOVE}, "a.b.test"),
        ("a.b.test", {"a.b.test": ABOVE + "; psd=y", "b.test": ABOVE}, "a.b.test"),
        ("x.a.b.test", {"b.test": ABOVE + "; psd=y"}, "a.b.test"),
        ("x.a.b.test", {"test": "v=DMARC1; p=none; psd=y"}, "b.test"),
        ("x.a.b.test", {"a.b.test": ABOVE, "test": "v=DMARC1; p=none; psd=u"}, "test"),
    ],
)
def test_where_the_organization_begins(domain: str, records: dict[str, str], expected: str) -> None:
    with NameServer(zone_of(records)) as server:
        assert organization(questions(server), domain) == expected


def test_no_more_than_eight_names_are_asked_about() -> None:
    with NameServer({}) as server:
        assert find_dmarc(questions(server), ".".join("abcdefghijkl")) is None
        assert len(server.questions) == 8


def test_several_above_are_as_none() -> None:
    two = {"_dmarc.b.test": ['TXT "v=DMARC1; p=none"', 'TXT "v=DMARC1; p=reject"']}
    higher = {**two, "_dmarc.test": ['TXT "v=DMARC1; p=quarantine"']}
    assert find(higher, "a.b.test") == "v=DMARC1; p=quarantine"
    with pytest.raises(InvalidRecordError, match=r"b\.test, above it: .* 2 DMARC records"):
        find(two, "a.b.test")


def zone_of(records: dict[str, str]) -> Zone:
    escaped = {name: text.replace(";", r"\;") for name, text in records.items()}
    zone = {f"_dmarc.{name}": [f'TXT "{text}"'] for name, text in escaped.items()}
    return {**zone, "a.b.test": ["A 192.0.2.1"], "x.a.b.test": ["A 192.0.2.1"]}


def questions(server: NameServer) -> Questions:
    resolver = DnsResolver(server.host, server.port)
    return Questions(resolver, Cancel(), Deadline.after(20.0))


def policy_of(zone: Zone, domain: str) -> DmarcPolicy | None:
    with NameServer(zone) as server:
        return find_dmarc(questions(server), domain)


def test_no_answer_is_not_no_record() -> None:
    with pytest.raises(UnansweredError):
        find({"_dmarc.example.test": SERVFAIL, "example.test": ["MX 0 ."]})
