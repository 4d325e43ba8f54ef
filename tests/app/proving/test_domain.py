"""The From domain: what is asked, what is told of it, and what goes into a report."""

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Final

import pytest

from smtp_desk.app.diagnostics.report_markdown import report_markdown
from smtp_desk.app.diagnostics.report_text import belief_text
from smtp_desk.app.proving.domain import (
    DomainRequest,
    check_domain,
    domain_of,
    from_problems,
    unchecked,
    with_domain,
)
from smtp_desk.app.services import Services
from smtp_desk.core.address import AddressError
from smtp_desk.core.arrived import Belief
from smtp_desk.core.problems import Field
from smtp_desk.core.report_reader import read_report
from smtp_desk.core.settings import SettingsDraft
from smtp_desk.core.stages import Stage, StageStatus
from smtp_desk.smtp.domain.facts import Selector
from smtp_desk.smtp.net.deadline import Cancel, CancelledError
from tests.cli.reports import REPORT
from tests.servers.dns import SERVFAIL, NameServer, Zone
from tests.smtp.domain.test_dkim import rsa_key

ENVELOPE: Final = (
    "whether the server keeps the From address as envelope sender, which is what SPF checks"
)
WEAK: Final = rsa_key(1024)
GOOD: Final[Zone] = {
    "example.test": ["MX 10 mail.example.test.", 'TXT "v=spf1 mx -all"'],
    "_dmarc.example.test": ['TXT "v=DMARC1; p=reject"'],
    "mail.example.test": ["A 8.8.8.8"],
    "other.test": ["A 9.9.9.9"],
}


@pytest.fixture
def good() -> Iterator[str]:
    with NameServer(GOOD) as server:
        yield f"{server.host}:{server.port}"


def test_a_good_domain(services: Services, good: str) -> None:
    request = DomainRequest(from_email="ann@example.test", host="mail.example.test", resolver=good)
    check = check_domain(services, request, Cancel())
    assert check.in_order
    assert check.warnings == ()
    assert check.facts == {
        "from_domain": "example.test",
        "mx": ["10 mail.example.test."],
        "mx_dnssec": False,
        "spf": ["v=spf1 mx -all"],
        "dmarc": ["v=DMARC1; p=reject"],
        "dmarc_policy": "reject",
        "spf_allows_server": True,
        "mta_sts": ["none"],
        "tls_rpt": ["none"],
        "not_looked_at": ["DKIM (no selector was given)", ENVELOPE],
        "belief": "believed",
        "belief_reason": check.summary,
    }
    assert check.belief is Belief.BELIEVED
    assert check.summary == (
        "Email from example.test sent through mail.example.test will be trusted: SPF allows the "
        "server, and DMARC accepts that."
    )


def test_a_server_that_is_left_out(services: Services, good: str) -> None:
    request = DomainRequest(from_email="ann@example.test", host="other.test", resolver=good)
    check = check_domain(services, request, Cancel())
    (warning,) = check.warnings
    assert (warning.code, warning.stage) == ("domain.spf_excludes_server", Stage.RESOLVE)
    assert warning.summary == "example.test doesn’t allow other.test to send for it."
    assert check.facts["spf_allows_server"] is False
    assert check.belief is Belief.DISBELIEVED
    assert check.summary == (
        "Email from example.test sent through other.test will be refused by many receivers unless "
        "the server signs it with DKIM: SPF doesn’t allow the server, and the DMARC policy asks "
        "for that."
    )


@pytest.mark.parametrize(
    ("host", "included"),
    [
        ("smtp.zoho.com", "zohomail.com"),
        ("smtp.zoho.eu", "zoho.eu"),
        ("smtp.zoho.com.au", "zohomail.com.au"),
        ("smtp.partner.outlook.cn", "spf.protection.partner.outlook.cn"),
        ("smtp.ionos.de", "_spf-eu.ionos.com"),
        ("smtp.ionos.com", "_spf-us.ionos.com"),
    ],
)
def test_what_to_include_is_that_of_the_servers_region(
    services: Services, host: str, included: str
) -> None:
    with NameServer({**GOOD, host: ["A 9.9.9.9"]}) as server:
        resolver = f"{server.host}:{server.port}"
        request = DomainRequest(from_email="ann@example.test", host=host, resolver=resolver)
        (warning,) = check_domain(services, request, Cancel()).warnings
    assert f"include:{included} " in warning.remedies[0].text


def test_without_a_host_nothing_is_said_of_a_server(services: Services, good: str) -> None:
    request = DomainRequest(from_email="ann@example.test", resolver=good)
    check = check_domain(services, request, Cancel())
    assert check.in_order
    assert "spf_allows_server" not in check.facts


def test_a_server_that_nobody_can_judge_is_said_to_be_one(services: Services, good: str) -> None:
    request = DomainRequest(
        from_email="ann@example.test", host="smtp.mandrillapp.com", resolver=good
    )
    check = check_domain(services, request, Cancel())
    assert check.warnings == ()
    assert check.not_checked == ("SPF for smtp.mandrillapp.com: DNS alone can’t tell",)
    assert check.belief is Belief.UNKNOWN
    assert check.summary == (
        "Whether email from example.test sent through smtp.mandrillapp.com will be trusted is "
        "unknown: SPF can’t be judged from DNS alone."
    )


def test_an_international_domain(services: Services) -> None:
    zone = {"xn--bcher-kva.test": GOOD["example.test"]}
    with NameServer(zone) as server:
        request = DomainRequest(
            from_email="ann@bücher.test", resolver=f"{server.host}:{server.port}"
        )
        check = check_domain(services, request, Cancel())
    assert check.domain == "xn--bcher-kva.test"
    assert [warning.code for warning in check.warnings] == ["domain.dmarc_missing"]


def test_a_domain_that_does_not_exist_is_said_to_be_misspelled(services: Services) -> None:
    with NameServer({}) as server:
        request = DomainRequest(from_email="a@typo.test", resolver=f"{server.host}:{server.port}")
        check = check_domain(services, request, Cancel())
    assert [warning.code for warning in check.warnings] == ["domain.no_mail_exchanger"]
    (warning,) = check.warnings
    assert warning.summary == "The domain typo.test doesn’t exist."
    assert [each.id for each in warning.remedies] == ["check_from_domain"]
    assert check.facts["domain_exists"] is False


def test_what_is_not_known_is_no_warning(services: Services) -> None:
    with NameServer({"example.test": SERVFAIL, "_dmarc.example.test": SERVFAIL}) as server:
        request = DomainRequest(
            from_email="ann@example.test", resolver=f"{server.host}:{server.port}"
        )
        check = check_domain(services, request, Cancel())
    assert check.warnings == ()
    assert check.not_checked == ("MX, SPF, DMARC: the DNS server reported a problem of its own",)
    assert not check.in_order


def test_cancelled(services: Services, good: str) -> None:
    cancel = Cancel()
    cancel.cancel()
    with pytest.raises(CancelledError):
        check_domain(services, DomainRequest(from_email="a@example.test", resolver=good), cancel)


@pytest.mark.parametrize("from_email", ["", "ann", "ann@", "ann@[192.0.2.1]"])
def test_what_names_no_domain(from_email: str) -> None:
    with pytest.raises(AddressError):
        domain_of(from_email)
    (problem,) = from_problems(SettingsDraft(from_email=from_email))
    assert problem.field is Field.FROM_EMAIL


def test_a_report_takes_it_in_and_is_read_back(services: Services, good: str) -> None:
    request = DomainRequest(from_email="ann@example.test", host="other.test", resolver=good)
    check = check_domain(services, request, Cancel())
    report = with_domain(REPORT, check)
    (resolve,) = (each for each in report.stages if each.stage is Stage.RESOLVE)
    (before,) = (each for each in REPORT.stages if each.stage is Stage.RESOLVE)
    assert (resolve.status, resolve.ms) == (before.status, before.ms)
    assert resolve.facts == {**before.facts, **check.facts}
    assert report.warnings == (*REPORT.warnings, *check.warnings)
    assert report.to_json().keys() == REPORT.to_json().keys()
    assert "v=spf1 mx -all" in report_markdown(report)
    assert read_report(json.dumps(report.to_json()).encode()).stages == report.stages


def test_a_report_without_that_stage_gets_one() -> None:
    request = DomainRequest(from_email="ann@example.test")
    bare = with_domain(replace(REPORT, stages=()), unchecked(request, "cancelled"))
    (only,) = bare.stages
    assert (only.stage, only.status) == (Stage.RESOLVE, StageStatus.SKIPPED)
    assert only.facts["not_checked"] == ["MX, SPF, DMARC, MTA-STS, TLS-RPT: cancelled"]


def test_whose_report_it_belongs_to() -> None:
    report = replace(REPORT, settings={"host": "mail.test", "from_email": "ann@example.test"})
    same = DomainRequest(from_email="ann@example.test", host="mail.test")
    other = DomainRequest(from_email="zoe@example.test", host="mail.test")
    assert unchecked(same, "").belongs_to(report)
    assert not unchecked(other, "").belongs_to(report)


def test_what_a_key_comes_to_is_told(services: Services) -> None:
    zone = {
        **GOOD,
        "weak._domainkey.example.test": [f'TXT "t=y; p={WEAK[:200]}" "{WEAK[200:]}"'],
        "dead._domainkey.example.test": ["TXT !SERVFAIL"],
    }
    with NameServer(zone) as server:
        request = DomainRequest(
            from_email="ann@example.test",
            host="mail.example.test",
            selectors=(Selector("weak"), Selector("dead")),
            resolver=f"{server.host}:{server.port}",
        )
        check = check_domain(services, request, Cancel())
    assert check.warnings == ()
    name = "weak._domainkey.example.test"
    assert check.facts["dkim"] == [
        f"{name}: t=y; p={WEAK}",
        f"{name}: the RSA key has 1024 bits, but 2048 are recommended",
        f"{name}: the record says DKIM is only being tested (t=y)",
    ]
    assert check.not_checked == ("DKIM (dead): the DNS server reported a problem of its own",)
    assert check.facts["not_looked_at"] == [ENVELOPE]


def test_what_the_domain_says_of_its_own_mail(services: Services) -> None:
    zone = {
        **GOOD,
        "_mta-sts.example.test": ['TXT "v=STSv1; id=1"'],
        "_smtp._tls.example.test": ['TXT "v=TLSRPTv1; rua=mailto:a@b.test"'],
    }
    with NameServer(zone, signed=["example.test"]) as server:
        request = DomainRequest(
            from_email="ann@example.test", resolver=f"{server.host}:{server.port}"
        )
        check = check_domain(services, request, Cancel())
    assert check.in_order
    assert check.facts["mx_dnssec"] is True
    assert check.facts["mta_sts"] == ["v=STSv1; id=1"]
    assert check.facts["tls_rpt"] == ["v=TLSRPTv1; rua=mailto:a@b.test"]
    policy = "the MTA-STS policy at https://mta-sts.example.test/.well-known/mta-sts.txt"
    assert policy in str(check.facts["not_looked_at"])


def test_a_policy_from_above_is_said_to_be_one(services: Services) -> None:
    zone = {
        "news.example.test": ["MX 0 mail.example.test."],
        "_dmarc.example.test": ['TXT "v=DMARC1; p=none; sp=reject; t=y"'],
    }
    with NameServer(zone) as server:
        request = DomainRequest(
            from_email="ann@news.example.test", resolver=f"{server.host}:{server.port}"
        )
        facts = check_domain(services, request, Cancel()).facts
    assert (facts["dmarc_policy"], facts["dmarc_domain"]) == ("reject", "example.test")
    assert facts["dmarc_testing"] is True


def test_a_report_tells_the_sentence(services: Services, good: str) -> None:
    request = DomainRequest(from_email="ann@example.test", host="other.test", resolver=good)
    check = check_domain(services, request, Cancel())
    report = with_domain(REPORT, check)
    assert belief_text(report) == check.summary
    assert belief_text(REPORT) == ""
    read = read_report(json.dumps(report.to_json()).encode())
    assert belief_text(read) == check.summary
    assert "will be refused by many receivers" in report_markdown(read)
