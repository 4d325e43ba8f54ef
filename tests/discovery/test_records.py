"""What the DNS says, and where it lies."""

from __future__ import annotations

import threading
import time

import pytest

from smtp_desk.discovery.candidates import NotFoundError, SearchResult
from smtp_desk.discovery.records import MOST_RECORDS, ServiceRecord, mail_exchanger, services
from smtp_desk.smtp.net.deadline import Cancel, CancelledError, Deadline
from smtp_desk.smtp.net.resolve import DnsResolver
from tests.servers.dns import REFUSED, SERVFAIL, SILENCE, NameServer, Zone
from tests.servers.ports import free_port
from tests.servers.waiting import wait_until
from tests.table import each_row

NAME = "_submissions._tcp.example.test"


def exchanger(zone: Zone, domain: str = "example.test", seconds: float = 20.0) -> str:
    with NameServer(zone) as server:
        resolver = DnsResolver(server.host, server.port)
        return mail_exchanger(resolver, domain, Cancel(), Deadline.after(seconds))


def found(zone: Zone, seconds: float = 20.0) -> tuple[ServiceRecord, ...]:
    with NameServer(zone) as server:
        resolver = DnsResolver(server.host, server.port)
        return services(resolver, NAME, Cancel(), Deadline.after(seconds))


def test_the_most_preferred_mail_exchanger_counts() -> None:
    records = ["MX 20 b.example.test.", "MX 10 Mail.Example.Test.", "MX 10 z.example.test."]
    assert exchanger({"example.test": records}) == "mail.example.test"


def test_the_most_preferred_service_comes_first() -> None:
    records = [
        "SRV 20 0 465 c.example.test.",
        "SRV 10 1 465 b.example.test.",
        "SRV 10 9 587 a.example.test.",
    ]
    assert found({NAME: records}) == (
        ServiceRecord("a.example.test", 587),
        ServiceRecord("b.example.test", 465),
        ServiceRecord("c.example.test", 465),
    )


def test_of_many_services_the_first_count() -> None:
    assert len(found({NAME: [f"SRV {n} 0 465 a{n}.test." for n in range(9)]})) == MOST_RECORDS


@each_row(
    ("zone", "answer"),
    [
        ({}, SearchResult.NOTHING),
        ({"example.test": ["A 127.0.0.1"]}, SearchResult.NOTHING),
        ({"example.test": ["MX 0 ."]}, SearchResult.TAKES_NO_MAIL),
        ({"example.test": ["MX 0 .", "MX 10 mail.example.test."]}, SearchResult.TAKES_NO_MAIL),
        ({"example.test": [r"MX 0 a\032b.example.test."]}, SearchResult.BAD_RECORD),
        ({"example.test": ["MX 0 192.0.2.1."]}, SearchResult.BAD_RECORD),
        ({"example.test": SERVFAIL}, SearchResult.DNS_FAILED),
        ({"example.test": REFUSED}, SearchResult.DNS_FAILED),
        ({"example.test": SILENCE}, SearchResult.NO_ANSWER),
    ],
)
def test_no_mail_exchanger(zone: Zone, answer: SearchResult) -> None:
    with pytest.raises(NotFoundError) as told:
        exchanger(zone, seconds=0.5)
    assert told.value.result is answer


@each_row(
    ("records", "answer"),
    [
        (["SRV 0 0 0 ."], SearchResult.NO_SERVICE),
        (["SRV 0 0 465 ."], SearchResult.NO_SERVICE),
        (["SRV 0 0 0 mail.example.test."], SearchResult.BAD_RECORD),
        ([r"SRV 0 0 465 a\000b.example.test."], SearchResult.BAD_RECORD),
        ([r"SRV 0 0 465 a\010\013Bcc.example.test."], SearchResult.BAD_RECORD),
    ],
)
def test_no_service(records: list[str], answer: SearchResult) -> None:
    with pytest.raises(NotFoundError) as told:
        found({NAME: records})
    assert told.value.result is answer


def test_a_good_record_beside_port_0_counts() -> None:
    records = ["SRV 0 0 0 a.example.test.", "SRV 9 0 465 b.example.test."]
    assert found({NAME: records}) == (ServiceRecord("b.example.test", 465),)


def test_no_name_server_there() -> None:
    resolver = DnsResolver("127.0.0.1", free_port())
    with pytest.raises(NotFoundError) as told:
        mail_exchanger(resolver, "example.test", Cancel(), Deadline.after(0.5))
    assert told.value.result in (SearchResult.NO_ANSWER, SearchResult.DNS_FAILED)


def test_cancel_ends_it_at_once() -> None:
    cancel = Cancel()
    ended: list[float] = []

    def ask() -> None:
        resolver = DnsResolver(server.host, server.port)
        with pytest.raises(CancelledError):
            services(resolver, NAME, cancel, Deadline.after(20))
        ended.append(time.monotonic())

    with NameServer({NAME: SILENCE}) as server:
        thread = threading.Thread(target=ask)
        thread.start()
        wait_until(lambda: bool(server.questions), "the question")
        began = time.monotonic()
        cancel.cancel()
        thread.join()
    assert ended[0] - began < 0.5
