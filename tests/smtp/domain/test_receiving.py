"""MTA-STS and TLS reporting: what the records of a domain come to."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from smtp_desk.smtp.domain.dns import Questions
from smtp_desk.smtp.domain.facts import UnansweredError
from smtp_desk.smtp.domain.receiving import mta_sts, tls_reporting
from smtp_desk.smtp.net.deadline import Cancel, Deadline
from smtp_desk.smtp.net.resolve import DnsResolver
from tests.servers.dns import SERVFAIL, NameServer
from tests.table import each_row

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.servers.dns import Zone

    Read = Callable[[Questions, str], tuple[list[bytes], str]]


def asked(zone: Zone, read: Read) -> tuple[list[bytes], str]:
    with NameServer(zone) as server:
        resolver = DnsResolver(server.host, server.port)
        return read(Questions(resolver, Cancel(), Deadline.after(20.0)), "example.test")


@each_row(
    ("record", "fault"),
    [
        ("v=STSv1; id=20260101", ""),
        ("v=STSv1;id=a1B2;", ""),
        ("v=STSv1; id=1; future=x", ""),
        ("v=STSv1;", "has no “id=”"),
        ("v=STSv1; id=", "has no “id=”"),
        ("v=STSv1; id=2026-01-01", "“id=2026-01-01” isn’t valid"),
        (f"v=STSv1; id={'1' * 33}", "isn’t valid"),
        ("v=STSv1; id=1; id=2", "twice"),
        ("v=STSv1 id=1", "followed by a semicolon"),
        ("v=stsv1; id=1", "must be written exactly"),
        (" v=STSv1; id=1", "whitespace before"),
    ],
)
def test_an_mta_sts_record(record: str, fault: str) -> None:
    escaped = record.replace(";", r"\;")
    records, told = asked({"_mta-sts.example.test": [f'TXT "{escaped}"']}, mta_sts)
    assert [each.decode() for each in records] == [record]
    assert (fault in told) if fault else not told


@each_row(
    ("record", "fault"),
    [
        ("v=TLSRPTv1; rua=mailto:tls@example.test", ""),
        ("v=TLSRPTv1;rua=https://example.test/tls,mailto:a@b.test;", ""),
        ("v=TLSRPTv1; rua=HTTPS://example.test", ""),
        ("v=TLSRPTv1", "has no “rua=”"),
        ("v=TLSRPTv1; rua=tls@example.test", "isn’t valid"),
        ("v=TLSRPTv1; rua=http://example.test", "isn’t valid"),
        ("v=TLSRPTv1; rua=mailto:a@b.test,", "isn’t valid"),
        ("v=TLSRPTv1; rua", "name=value"),
        ("v=tlsrptv1; rua=mailto:a@b.test", "must be written exactly"),
    ],
)
def test_where_reports_go(record: str, fault: str) -> None:
    escaped = record.replace(";", r"\;")
    records, told = asked({"_smtp._tls.example.test": [f'TXT "{escaped}"']}, tls_reporting)
    assert [each.decode() for each in records] == [record]
    assert (fault in told) if fault else not told


@each_row("read", [mta_sts, tls_reporting])
@each_row("texts", [[], ['TXT "other"', r'TXT "\255"'], ["A 192.0.2.1"]])
def test_there_is_none(read: Read, texts: list[str]) -> None:
    zone = {"_mta-sts.example.test": texts, "_smtp._tls.example.test": texts}
    assert asked(zone, read) == ([], "")
    assert asked({}, read) == ([], "")


def test_several_count_as_none() -> None:
    several = ['TXT "v=STSv1; id=1"', 'TXT "v=STSv1; id=2"']
    records, fault = asked({"_mta-sts.example.test": several}, mta_sts)
    assert (len(records), fault) == (2, "there are 2 records, but only one is allowed")


def test_no_answer_is_not_no_record() -> None:
    with pytest.raises(UnansweredError):
        asked({"_smtp._tls.example.test": SERVFAIL}, tls_reporting)
