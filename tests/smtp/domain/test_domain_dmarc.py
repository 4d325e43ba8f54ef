"""DMARC records: which applies, and which are invalid."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from smtp_desk.smtp.domain.dns import InvalidRecordError, Questions, UnansweredError
from smtp_desk.smtp.domain.policies import find_dmarc
from smtp_desk.smtp.net.deadline import Cancel, Deadline
from smtp_desk.smtp.net.resolve import DnsResolver
from tests.servers.dns import SERVFAIL, NameServer

if TYPE_CHECKING:
    from tests.servers.dns import Zone


def find(zone: Zone, domain: str = "example.test") -> str:
    with NameServer(zone) as server:
        resolver = DnsResolver(server.host, server.port)
        return find_dmarc(Questions(resolver, Cancel(), Deadline.after(20.0)), domain)


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


@pytest.mark.parametrize(
    ("records", "reason"),
    [
        (['TXT "v=DMARC1; p=maybe"'], "Tag p must have one of"),
        (['TXT "v=DMARC1; p=none; p=reject"'], "Duplicate p"),
        (['TXT "v=DMARC1 p=none"'], "followed by a semicolon"),
        (['TXT "v=DMARC1; p"'], "Expected"),
        (['TXT " v=DMARC1; p=none"'], "whitespace"),
        (['TXT "v=DMARC1; p=none"', 'TXT "v=DMARC1; p=reject"'], "2 DMARC records"),
        ([r'TXT "v=DMARC1; p=none; x=\252"'], "not ASCII"),
    ],
    ids=["policy", "duplicate", "semicolon", "syntax", "space", "two", "latin1"],
)
def test_what_is_invalid(records: list[str], reason: str) -> None:
    with pytest.raises(InvalidRecordError, match=reason):
        find({"_dmarc.example.test": records, "example.test": ["MX 0 ."]})


def test_no_answer_is_not_no_record() -> None:
    with pytest.raises(UnansweredError):
        find({"_dmarc.example.test": SERVFAIL, "example.test": ["MX 0 ."]})
