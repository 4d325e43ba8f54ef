"""Looking up a domain: what is good, missing, invalid or unknown, within its time."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from typing import TYPE_CHECKING

import pytest

from smtp_desk.smtp.domain.facts import (
    DomainFacts,
    DomainQuestion,
    RecordStatus,
    Selector,
    Server,
)
from smtp_desk.smtp.domain.lookup import look_up
from smtp_desk.smtp.net.deadline import Cancel, CancelledError, Deadline
from tests.servers.dns import REFUSED, SERVFAIL, SILENCE, NameServer
from tests.servers.waiting import wait_until
from tests.table import each_row

if TYPE_CHECKING:
    from tests.servers.dns import Zone

MX = "MX 10 mail.example.test."
SPF = 'TXT "v=spf1 ip4:198.51.100.1 ip4:8.8.8.8 -all"'
DMARC = 'TXT "v=DMARC1; p=none"'


def asked(zone: Zone, server: Server | None = None, seconds: float = 20.0) -> DomainFacts:
    with NameServer(zone) as dns:
        where = f"{dns.host}:{dns.port}"
        question = DomainQuestion(domain="example.test", server=server, resolver=where)
        return look_up(question, Cancel(), Deadline.after(seconds))


def question(where: str) -> DomainQuestion:
    return DomainQuestion(domain="example.test", resolver=where)


def test_all_is_good() -> None:
    facts = asked({"example.test": [MX, SPF], "_dmarc.example.test": [DMARC]})
    assert (facts.exists, facts.excludes_server) == (True, None)
    assert [each.status for each in (facts.mx, facts.spf, facts.dmarc)] == [RecordStatus.GOOD] * 3
    assert facts.mx.records == ("10 mail.example.test.",)
    assert facts.spf.records == ("v=spf1 ip4:198.51.100.1 ip4:8.8.8.8 -all",)
    assert facts.dmarc.records == ("v=DMARC1; p=none",)


def test_there_is_no_such_domain() -> None:
    facts = asked({"other.test": [MX]})
    assert facts.exists is False
    assert [each.status for each in (facts.mx, facts.spf, facts.dmarc)] == [
        RecordStatus.MISSING
    ] * 3


@each_row(
    ("records", "status", "shown"),
    [
        (["MX 20 b.test.", "MX 5 a.test."], RecordStatus.GOOD, ("5 a.test.", "20 b.test.")),
        (["MX 0 ."], RecordStatus.MISSING, ("0 .",)),
        (["A 127.0.0.1"], RecordStatus.GOOD, ("127.0.0.1",)),
        (["AAAA ::1"], RecordStatus.GOOD, ("::1",)),
        (['TXT "x"'], RecordStatus.MISSING, ()),
    ],
)
def test_who_receives_its_mail(
    records: list[str], status: RecordStatus, shown: tuple[str, ...]
) -> None:
    facts = asked({"example.test": records})
    assert (facts.mx.status, facts.mx.records) == (status, shown)


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (SERVFAIL, "the DNS server reported a problem of its own"),
        (REFUSED, "the DNS server reported a problem of its own"),
        (SILENCE, "no DNS server answered in time"),
    ],
)
def test_no_answer_is_not_no_record(answer: None, reason: str) -> None:
    facts = asked({"example.test": answer, "_dmarc.example.test": answer}, seconds=0.5)
    for each in (facts.mx, facts.spf, facts.dmarc):
        assert (each.status, each.reason) == (RecordStatus.UNKNOWN, reason)
    assert facts.exists is None


@each_row(
    ("odd", "status", "reason"),
    [
        (SILENCE, RecordStatus.UNKNOWN, "no DNS server answered in time"),
        (SERVFAIL, RecordStatus.UNKNOWN, "the DNS server reported a problem of its own"),
        (REFUSED, RecordStatus.UNKNOWN, "the DNS server reported a problem of its own"),
        (["A 192.0.2.1"], RecordStatus.MISSING, ""),
        ([], RecordStatus.MISSING, ""),
        (["CNAME nowhere.test."], RecordStatus.MISSING, ""),
        (["CNAME _mta-sts.example.test."], RecordStatus.UNKNOWN, "the DNS server"),
    ],
    ids=["silence", "servfail", "refused", "nodata", "empty", "dangling", "loop"],
)
def test_one_question_that_goes_wrong_spoils_no_other(
    odd: list[str] | None, status: RecordStatus, reason: str
) -> None:
    good: Zone = {"example.test": [MX, SPF], "_dmarc.example.test": [DMARC]}
    facts = asked({**good, "_mta-sts.example.test": odd}, seconds=1.0)
    assert [each.status for each in (facts.mx, facts.spf, facts.dmarc)] == [RecordStatus.GOOD] * 3
    assert facts.mta_sts.status is status
    assert facts.mta_sts.reason.startswith(reason)


def test_a_silent_server_is_not_waited_for_again() -> None:
    with NameServer({"example.test": SILENCE, "_dmarc.example.test": SILENCE}) as dns:
        where = f"{dns.host}:{dns.port}"
        look_up(question(where), Cancel(), Deadline.after(1.0))
        assert {kind for _, kind in dns.questions} == {"MX"}


def test_cancel_answers_at_once() -> None:
    cancel = Cancel()
    ended: list[float] = []

    def look() -> None:
        with pytest.raises(CancelledError):
            look_up(question(where), cancel, Deadline.after(60.0))
        ended.append(time.monotonic())

    with NameServer({"example.test": SILENCE}) as dns:
        where = f"{dns.host}:{dns.port}"
        thread = threading.Thread(target=look)
        thread.start()
        wait_until(lambda: bool(dns.questions), "a question")
        began = time.monotonic()
        cancel.cancel()
        thread.join(20.0)
    assert ended
    assert ended[0] - began < 2.0


def test_what_is_cancelled_before_asks_nothing() -> None:
    cancel = Cancel()
    cancel.cancel()
    with NameServer({}) as dns, pytest.raises(CancelledError):
        look_up(question(f"{dns.host}:{dns.port}"), cancel, Deadline.after(9.0))
    assert dns.questions == []


@each_row(
    ("server", "excluded"),
    [
        (Server("in.test"), False),
        (Server("some.test"), False),
        (Server("out.test"), True),
        (Server("9.9.9.9"), True),
        (Server("8.8.8.8"), False),
        # Inside a company: by which address its mail leaves is not known here.
        (Server("inside.test"), None),
        (Server("nowhere.test"), None),
        # A provider's mail leaves by other servers than the one that takes it.
        (Server("out.test", of_provider=True), None),
        (Server("out.test", ("spf.provider.test",), of_provider=True), True),
        (Server("in.test", ("spf.provider.test",), of_provider=True), False),
        (Server("inside.test", ("spf.provider.test",), of_provider=True), True),
    ],
)
def test_whether_spf_leaves_the_server_out(server: Server, excluded: bool | None) -> None:
    zone: Zone = {
        "example.test": [MX, SPF],
        "in.test": ["A 8.8.8.8"],
        "some.test": ["A 9.9.9.9", "A 8.8.8.8"],
        "out.test": ["A 9.9.9.9", "AAAA 2620:fe::9"],
        "inside.test": ["A 10.0.0.1"],
    }
    assert asked(zone, server).excludes_server is excluded


@pytest.mark.parametrize("spf", ["include:x.Test", "redirect=x.test", "include:y.test"])
def test_the_provider_is_included_at_any_depth(spf: str) -> None:
    zone: Zone = {
        "example.test": [f'TXT "v=spf1 {spf}"'],
        "y.test": ['TXT "v=spf1 include:x.test -all"'],
        "x.test": ['TXT "v=spf1 ip4:192.0.2.1 -all"'],
        "out.test": ["A 9.9.9.9"],
    }
    server = Server("out.test", ("other.test", "x.test"), of_provider=True)
    assert asked(zone, server).excludes_server is False


def test_a_macro_could_be_anybody() -> None:
    zone: Zone = {
        "example.test": ['TXT "v=spf1 include:%{ir}.x.test -all"'],
        "9.9.9.9.x.test": ['TXT "v=spf1 -all"'],
        "out.test": ["A 9.9.9.9"],
    }
    server = Server("out.test", ("spf.provider.test",), of_provider=True)
    assert asked(zone, server).excludes_server is None


def test_the_library_is_loaded_only_when_it_is_needed() -> None:
    code = (
        "import sys, smtp_desk.smtp.domain;"
        "sys.exit(any(name in sys.modules for name in ('dns.resolver', 'cryptography')))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


KEY = f'TXT "v=DKIM1; k=ed25519; p={"A" * 43}="'
OWN: Zone = {"s._domainkey.example.test": [KEY]}
ABOVE = {"_dmarc.example.test": [DMARC]}


@each_row(
    ("domain", "selector", "records", "found", "aligned"),
    [
        ("example.test", Selector("s"), OWN, "example.test", True),
        # Where the domain has no such key, that of its organization counts.
        (
            "a.example.test",
            Selector("s"),
            OWN,
            "example.test",
            True,
        ),
        (
            "a.example.test",
            Selector("s"),
            {"s._domainkey.a.example.test": [KEY], "s._domainkey.example.test": ['TXT "p="']},
            "a.example.test",
            True,
        ),
        (
            "a.example.test",
            Selector("s", "example.test"),
            OWN,
            "example.test",
            True,
        ),
        (
            "a.example.test",
            Selector("s"),
            {
                "s._domainkey.example.test": [KEY],
                "_dmarc.a.example.test": ['TXT "v=DMARC1; p=none; adkim=s"'],
            },
            "example.test",
            False,
        ),
        (
            "example.test",
            Selector("s", "provider.test"),
            {"s._domainkey.provider.test": [KEY]},
            "provider.test",
            False,
        ),
        (
            "example.test",
            Selector("s", "mail.example.test"),
            {"s._domainkey.mail.example.test": [KEY]},
            "mail.example.test",
            True,
        ),
    ],
)
def test_whose_key_counts(
    domain: str, selector: Selector, records: Zone, found: str, aligned: bool
) -> None:
    with NameServer({**ABOVE, **records}) as dns:
        asked = DomainQuestion(
            domain=domain, selectors=(selector,), resolver=f"{dns.host}:{dns.port}"
        )
        (key,) = look_up(asked, Cancel(), Deadline.after(20.0)).dkim
    assert (key.found.status, key.domain, key.aligned) == (RecordStatus.GOOD, found, aligned)


@each_row(
    ("texts", "status"),
    [
        (["A 192.0.2.1"], RecordStatus.MISSING),
        (['TXT "p="'], RecordStatus.INVALID),
        ([KEY, KEY.replace("A", "B")], RecordStatus.INVALID),
        (["TXT !SERVFAIL"], RecordStatus.UNKNOWN),
        (['TXT ""'], RecordStatus.INVALID),
    ],
)
def test_what_comes_of_a_key(texts: list[str], status: RecordStatus) -> None:
    with NameServer({"s._domainkey.example.test": texts}) as dns:
        asked = DomainQuestion(
            domain="example.test", selectors=(Selector("s"),), resolver=f"{dns.host}:{dns.port}"
        )
        (key,) = look_up(asked, Cancel(), Deadline.after(20.0)).dkim
    assert key.found.status is status


@pytest.mark.parametrize(
    ("domain", "selector", "silent"),
    [
        # The key stands there; whether it counts, nobody can tell.
        ("example.test", Selector("s", "provider.test"), "_dmarc.provider.test"),
        ("example.test", Selector("s", "provider.test"), "_dmarc.test"),
        ("a.example.test", Selector("s"), "_dmarc.example.test"),
    ],
)
def test_what_nobody_answers_of_a_key_is_unknown(
    domain: str, selector: Selector, silent: str
) -> None:
    zone: Zone = {"s._domainkey.provider.test": [KEY], **OWN, silent: SERVFAIL}
    with NameServer(zone) as dns:
        asked = DomainQuestion(
            domain=domain, selectors=(selector,), resolver=f"{dns.host}:{dns.port}"
        )
        (key,) = look_up(asked, Cancel(), Deadline.after(20.0)).dkim
    assert key.found.status is RecordStatus.UNKNOWN
    assert key.found.reason == "the DNS server reported a problem of its own"


def test_a_macro_stands_for_the_local_part() -> None:
    zone: Zone = {
        "example.test": ['TXT "v=spf1 exists:%{l}.ok.test -all"'],
        "ann.ok.test": ["A 127.0.0.2"],
    }
    for local_part, excluded in (("ann", False), ("bo", True)):
        with NameServer(zone) as dns:
            asked = DomainQuestion(
                domain="example.test",
                local_part=local_part,
                server=Server("8.8.8.8"),
                resolver=f"{dns.host}:{dns.port}",
            )
            assert look_up(asked, Cancel(), Deadline.after(9.0)).excludes_server is excluded


def test_what_is_late_is_unknown_in_all_its_parts() -> None:
    """Also where the thread itself hangs, as a resolver's library may."""
    asked = DomainQuestion(
        domain="example.test", selectors=(Selector("s"),), resolver="127.0.0.1:9"
    )
    found = look_up(asked, Cancel(), Deadline.after(-60.0))
    for each in (found.mx, found.spf, found.dmarc, found.mta_sts, found.tls_rpt):
        assert each.status is RecordStatus.UNKNOWN
    assert found.dkim[0].found.status is RecordStatus.UNKNOWN
