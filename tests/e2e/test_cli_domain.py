"""`check --domain`: what the DNS says of the From domain is told, as warnings and never more."""

from __future__ import annotations

import contextlib
import json
import signal
from typing import TYPE_CHECKING, Final

import pytest

from smtp_desk.core.report_reader import read_report
from smtp_desk.core.stages import Stage
from smtp_desk.core.texts import SUCCESS
from tests.e2e.program import run, settings_for, start
from tests.servers.dns import SERVFAIL, SILENCE, NameServer
from tests.servers.script import Script
from tests.servers.scripted import ScriptedServer
from tests.servers.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from pathlib import Path

    from dns.rcode import Rcode

    from smtp_desk.core.report import CheckReport
    from smtp_desk.core.stages import Facts
    from tests.cli.desk import Ended
    from tests.e2e.causes import Cause, Checking
    from tests.servers.certs import Certificates
    from tests.servers.dns import Zone

GOOD_MX: Final = "MX 10 mail.example.test."
GOOD_SPF: Final = 'TXT "v=spf1 ip4:127.0.0.1 -all"'
GOOD_DMARC: Final = {"_dmarc.example.test": ['TXT "v=DMARC1; p=reject"']}
SERVER: Final = {"mail.example.test": ["A 127.0.0.1"]}
GOOGLE: Final = {"smtp.gmail.com": ["A 127.0.0.1"]}
HUGE: Final = " ".join(f'"ip4:10.{n // 256}.{n % 256}.1 "' for n in range(2500))
INCLUDES: Final = " ".join(f'"include:i{n}.test "' for n in range(100))


def zone(*records: str, dmarc: bool = True) -> Zone:
    """A zone with these records at example.test."""
    return {**SERVER, **(GOOD_DMARC if dmarc else {}), "example.test": records}


@pytest.fixture
def server(certs: Certificates) -> Iterator[ScriptedServer]:
    with ScriptedServer(Script(tls=certs.good.tls)) as server:
        yield server


def ask(
    check: Checking,
    server: ScriptedServer,
    zone: Zone,
    *arguments: str,
    bogus: Collection[str] = (),
) -> Ended:
    """A full test of mail.example.test that asks a name server with this zone."""
    with NameServer(zone, bogus=bogus) as dns:
        where = ("--resolver", f"{dns.host}:{dns.port}", "--host", "mail.example.test")
        return check(server, "--domain", *where, *arguments)


def facts_of(ended: Ended) -> Facts:
    report = read_report(ended.out.encode())
    return next(each.facts for each in report.stages if each.stage is Stage.RESOLVE)


def told(ended: Ended, name: str) -> list[str]:
    """A fact that is a list."""
    found = facts_of(ended)[name]
    assert isinstance(found, list)
    return [str(each) for each in found]


def codes_of(report: CheckReport) -> list[str]:
    return [warning.code for warning in report.warnings]


@pytest.mark.cause("domain.no_mail_exchanger", stage="resolve", status=0)
@pytest.mark.parametrize("records", [(GOOD_SPF,), (GOOD_SPF, "MX 0 .")], ids=["none", "null"])
def test_nobody_receives_its_mail(
    cause: Cause, check: Checking, server: ScriptedServer, records: tuple[str, ...]
) -> None:
    ended = ask(check, server, zone(*records))
    finding = cause.told(ended.status, ended.out)
    assert ("says explicitly" in finding.explanation) is (len(records) > 1)
    assert codes_of(read_report(ended.out.encode())) == ["domain.no_mail_exchanger"]


@pytest.mark.cause("domain.spf_missing", stage="resolve", status=0)
def test_no_spf(cause: Cause, check: Checking, server: ScriptedServer) -> None:
    ended = ask(check, server, zone(GOOD_MX, 'TXT "v=spf10 +all"', 'TXT "other"'))
    cause.told(ended.status, ended.out)
    assert codes_of(read_report(ended.out.encode())) == ["domain.spf_missing"]
    assert facts_of(ended)["spf"] == ["none"]


@pytest.mark.cause("domain.spf_invalid", stage="resolve", status=0)
@pytest.mark.parametrize(
    ("records", "reason"),
    [
        (['TXT "v=spf1 foo:bar -all"'], "“foo:bar” isn’t a valid SPF term"),
        ([GOOD_SPF, 'TXT "v=spf1 -all"'], "2 SPF records, but only one is allowed"),
        ([f'TXT "v=spf1 " {INCLUDES} "-all"'], "more than 10 DNS lookups"),
        (['TXT "v=spf1 include:a.test -all"'], "refers back to itself: example.test → a.test"),
        (['TXT "v=spf1 include:nowhere.test -all"'], "nowhere.test, which has no SPF record"),
        ([r'TXT "v=spf1 a:b\195\188cher.test -all"'], "aren’t ASCII"),
        ([r'TXT "v=spf1 a:b\252cher.test -all"'], "aren’t ASCII"),
        (['TXT "v=spf1 include:c0.test -all"'], "more than 10 DNS lookups"),
        (['TXT "v=spf1 a:x.test a:y.test a:z.test -all"'], "more than two names in it"),
    ],
    ids=["syntax", "two", "100", "loop", "nowhere", "utf8", "latin1", "chain", "void"],
)
def test_an_invalid_spf(
    cause: Cause, check: Checking, server: ScriptedServer, records: list[str], reason: str
) -> None:
    names: Zone = {
        **{f"i{n}.test": ['TXT "v=spf1 ip4:192.0.2.1"'] for n in range(100)},
        **{f"c{n}.test": [f'TXT "v=spf1 include:c{n + 1}.test"'] for n in range(1000)},
        "a.test": ['TXT "v=spf1 include:example.test"'],
    }
    ended = ask(check, server, {**zone(GOOD_MX, *records), **names})
    assert reason in cause.told(ended.status, ended.out).explanation
    assert codes_of(read_report(ended.out.encode())) == ["domain.spf_invalid"]


@pytest.mark.cause("domain.spf_excludes_server", stage="resolve", status=69)
def test_spf_without_the_provider_of_the_server(
    cause: Cause, check: Checking, server: ScriptedServer
) -> None:
    records = {**zone(GOOD_MX, 'TXT "v=spf1 ip4:192.0.2.1 -all"'), **GOOGLE}
    ended = ask(check, server, records, "--host", "smtp.gmail.com")
    finding = cause.told(ended.status, ended.out)
    assert "_spf.google.com" in finding.explanation
    assert "include:_spf.google.com" in finding.remedies[0].text
    assert facts_of(ended)["spf_allows_server"] is False


@pytest.mark.cause("domain.dmarc_missing", stage="resolve", status=0)
def test_no_dmarc(cause: Cause, check: Checking, server: ScriptedServer) -> None:
    ended = ask(check, server, zone(GOOD_MX, GOOD_SPF, dmarc=False))
    cause.told(ended.status, ended.out)
    assert codes_of(read_report(ended.out.encode())) == ["domain.dmarc_missing"]


@pytest.mark.cause("domain.dmarc_invalid", stage="resolve", status=0)
@pytest.mark.parametrize(
    ("records", "reason"),
    [
        (['TXT "v=DMARC1; p=maybe"'], "isn’t one of none, quarantine, reject"),
        (['TXT "v=DMARC1; p=none"', 'TXT "v=DMARC1; p=reject"'], "2 DMARC records"),
        ([r'TXT "v=DMARC1; p=none; x=\195\188"'], "aren’t ASCII"),
    ],
    ids=["policy", "two", "utf8"],
)
def test_an_invalid_dmarc(
    cause: Cause, check: Checking, server: ScriptedServer, records: list[str], reason: str
) -> None:
    bad = {**zone(GOOD_MX, GOOD_SPF), "_dmarc.example.test": records}
    ended = ask(check, server, bad)
    assert reason in cause.told(ended.status, ended.out).explanation
    assert codes_of(read_report(ended.out.encode())) == ["domain.dmarc_invalid"]


@pytest.mark.cause("domain.dkim_missing", stage="resolve", status=0)
@pytest.mark.parametrize("there", [None, ["A 192.0.2.1"]], ids=["nxdomain", "nodata"])
def test_no_dkim_key(
    cause: Cause, check: Checking, server: ScriptedServer, there: list[str] | None
) -> None:
    name = "mail._domainkey.example.test"
    records: Zone = {**zone(GOOD_MX, GOOD_SPF), **({name: there} if there else {})}
    ended = ask(check, server, records, "--dkim-selector", "mail")
    assert name in cause.told(ended.status, ended.out).remedies[0].text
    assert codes_of(read_report(ended.out.encode())) == ["domain.dkim_missing"]
    assert told(ended, "dkim") == [f"{name}: none"]


@pytest.mark.cause("domain.dkim_invalid", stage="resolve", status=0)
@pytest.mark.parametrize(
    ("texts", "reason"),
    [
        (['"v=DKIM1; p="'], "the key is revoked (p= is empty)"),
        (['"v=DKIM1; k=dsa; p=AAAA"'], "don’t support keys of type “dsa”"),
        (['"v=DKIM1; p=AAAA"', '"v=DKIM1; p="'], "there are 2 records"),
    ],
    ids=["revoked", "type", "two"],
)
def test_a_dkim_key_that_does_not_count(
    cause: Cause, check: Checking, server: ScriptedServer, texts: list[str], reason: str
) -> None:
    keys = [f"TXT {text}" for text in texts]
    records = {**zone(GOOD_MX, GOOD_SPF), "mail._domainkey.example.test": keys}
    ended = ask(check, server, records, "--dkim-selector", "mail")
    assert reason in cause.told(ended.status, ended.out).explanation
    assert codes_of(read_report(ended.out.encode())) == ["domain.dkim_invalid"]


def test_the_selectors_of_a_received_email(
    check: Checking, server: ScriptedServer, tmp_path: Path
) -> None:
    email = tmp_path / "test.eml"
    email.write_text(
        "DKIM-Signature: v=1; a=rsa-sha256; d=example.test; s=mail;\r\n\tbh=x; b=y\r\n"
        "DKIM-Signature: v=1; d=provider.test; s=2026.k1; b=z\r\nFrom: ann@example.test\r\n\r\n"
    )
    names = ("mail._domainkey.example.test", "2026.k1._domainkey.provider.test")
    keys = {name: [f'TXT "k=ed25519; p={"A" * 43}="'] for name in names}
    ended = ask(check, server, {**zone(GOOD_MX, GOOD_SPF), **keys}, "--dkim-message", str(email))
    (warning,) = read_report(ended.out.encode()).warnings
    assert warning.code == "domain.dkim_invalid"
    assert "DMARC doesn’t count signatures of provider.test for example.test" in warning.explanation
    assert {line.partition(":")[0] for line in told(ended, "dkim")} == set(names)


@pytest.mark.parametrize(
    ("arguments", "status", "text"),
    [
        (("--dkim-selector", "a b", "--domain"), 0, ""),
        (("--dkim-selector", "no/such", "--domain"), 64, "'no/such' isn’t a DKIM selector."),
        (("--dkim-selector", "-x", "--domain"), 64, "isn’t a DKIM selector."),
        (("--dkim-selector", "é", "--domain"), 64, "isn’t a DKIM selector."),
        (("--dkim-selector", "mail"), 64, "go with --domain"),
        (("--dkim-message", "x.eml"), 64, "go with --domain"),
        (("--dkim-message", "/nowhere/x.eml", "--domain"), 65, "can’t be read"),
        (("--dkim-message", __file__, "--domain"), 65, "no readable DKIM signature"),
    ],
)
def test_selectors_on_the_command_line(
    check: Checking, server: ScriptedServer, arguments: tuple[str, ...], status: int, text: str
) -> None:
    with NameServer(zone(GOOD_MX, GOOD_SPF)) as dns:
        ended = check(server, *arguments, "--resolver", f"{dns.host}:{dns.port}", "--no-login")
    assert text in ended.err
    assert (ended.status == status) or (status == 0 and ended.status == 69)


@pytest.mark.cause("domain.mta_sts_invalid", stage="resolve", status=0)
def test_an_invalid_mta_sts_record(cause: Cause, check: Checking, server: ScriptedServer) -> None:
    bad = {**zone(GOOD_MX, GOOD_SPF), "_mta-sts.example.test": ['TXT "v=STSv1; id=a-b"']}
    ended = ask(check, server, bad)
    assert "“id=a-b” isn’t valid" in cause.told(ended.status, ended.out).explanation
    assert codes_of(read_report(ended.out.encode())) == ["domain.mta_sts_invalid"]


@pytest.mark.cause("domain.tls_rpt_invalid", stage="resolve", status=0)
def test_an_invalid_tls_reporting_record(
    cause: Cause, check: Checking, server: ScriptedServer
) -> None:
    bad = {**zone(GOOD_MX, GOOD_SPF), "_smtp._tls.example.test": ['TXT "v=TLSRPTv1; rua=x"']}
    ended = ask(check, server, bad)
    assert "“rua=x” isn’t valid" in cause.told(ended.status, ended.out).explanation
    assert codes_of(read_report(ended.out.encode())) == ["domain.tls_rpt_invalid"]


@pytest.mark.cause("domain.dnssec_bogus", stage="resolve", status=0)
def test_wrong_signatures(cause: Cause, check: Checking, server: ScriptedServer) -> None:
    ended = ask(check, server, zone(GOOD_MX, GOOD_SPF), bogus=["example.test"])
    cause.told(ended.status, ended.out)
    assert codes_of(read_report(ended.out.encode())) == ["domain.dnssec_bogus"]
    assert facts_of(ended)["belief"] == "disbelieved"


def test_the_sentence_in_the_terminal(certs: Certificates) -> None:
    with NameServer(zone(GOOD_MX, GOOD_SPF)) as dns:
        done = run(
            *("check", *settings_for(1, certs.root.chain_file), "--no-login", "--domain"),
            *("--host", "mail.example.test", "--resolver", f"{dns.host}:{dns.port}"),
        )
    lines = done.stdout.decode().splitlines()
    begins = lines.index(
        "Email from example.test sent through mail.example.test will be trusted: SPF allows the "
        "server, and DMARC accepts that."
    )
    assert lines[begins + 1 : begins + 12] == [
        "From domain: example.test",
        "MX: 10 mail.example.test.",
        "MX validated by the DNS server (DNSSEC): no",
        "SPF: v=spf1 ip4:127.0.0.1 -all",
        "SPF allows the server: yes",
        "DMARC: v=DMARC1; p=reject",
        "DMARC policy that applies: reject",
        "MTA-STS: none",
        "TLS-RPT: none",
        (
            "not looked at: DKIM (no selector was given), whether the server keeps the From "
            "address as envelope sender, which is what SPF checks"
        ),
        f"report ID: {lines[-1].removeprefix('report ID: ')}",
    ]


@pytest.mark.parametrize(
    "spf",
    [
        '"v=spf1 ip4:127.0.0.1 -all"',
        '"v=spf1 a:mail.example.test -all"',
        '"v=spf1 mx -all"',
        '"v=spf1 include:in.test -all"',
        '"V=SPF1 " "redirect=" "in.test"',
        f'"v=spf1 " {HUGE} "ip4:127.0.0.1 -all"',
    ],
    ids=["ip4", "a", "mx", "include", "redirect", "huge"],
)
def test_a_good_domain_has_no_warning(check: Checking, server: ScriptedServer, spf: str) -> None:
    junk = (r'TXT "\000\255"', 'TXT ""', 'TXT "v=spf2.0/pra -all"')
    records = zone(GOOD_MX, f"TXT {spf}", *junk)
    inside = {"in.test": ['TXT "v=spf1 ip4:127.0.0.0/8 -all"']}
    ended = ask(check, server, {**records, **inside})
    report = read_report(ended.out.encode())
    assert (ended.status, ended.err, codes_of(report)) == (0, "", [])
    assert json.loads(ended.out)["message"] == SUCCESS
    seen = facts_of(ended)
    assert seen["from_domain"] == "example.test"
    assert seen["mx"] == ["10 mail.example.test."]
    assert seen["dmarc"] == ["v=DMARC1; p=reject"]
    assert "domain_exists" not in seen


def test_the_provider_is_included(check: Checking, server: ScriptedServer) -> None:
    records = {
        **zone(GOOD_MX, 'TXT "v=spf1 include:own.test -all"'),
        **GOOGLE,
        "own.test": ['TXT "v=spf1 redirect=_spf.Google.com"'],
        "_spf.google.com": ['TXT "v=spf1 ip4:192.0.2.1 ~all"'],
    }
    ended = ask(check, server, records, "--host", "smtp.gmail.com")
    assert codes_of(read_report(ended.out.encode())) == []
    assert facts_of(ended)["spf_allows_server"] is True


@pytest.mark.parametrize("answer", [SERVFAIL, SILENCE], ids=["servfail", "silence"])
def test_what_nobody_answers_is_not_called_missing(
    check: Checking, server: ScriptedServer, answer: Rcode | None
) -> None:
    records: Zone = {**SERVER, "example.test": answer, "_dmarc.example.test": answer}
    ended = ask(check, server, records)
    report = read_report(ended.out.encode())
    assert (ended.status, report.sent, codes_of(report)) == (0, True, [])
    (sentence,) = told(ended, "not_checked")
    assert sentence.startswith("MX, SPF, DMARC")


def test_an_unanswered_include_is_no_fault_of_the_record(
    check: Checking, server: ScriptedServer
) -> None:
    records: Zone = {
        **zone(GOOD_MX, 'TXT "v=spf1 include:silent.test -all"'),
        "silent.test": SERVFAIL,
    }
    ended = ask(check, server, records)
    assert codes_of(read_report(ended.out.encode())) == []
    assert facts_of(ended)["spf"] == ["v=spf1 include:silent.test -all"]
    assert facts_of(ended)["not_checked"] == ["SPF: the DNS server reported a problem of its own"]


def test_the_dns_is_asked_though_the_server_can_not_be_reached(certs: Certificates) -> None:
    with NameServer(zone(GOOD_MX, GOOD_SPF)) as dns:
        done = run(
            *("check", *settings_for(1, certs.root.chain_file), "--no-login", "--domain"),
            *("--host", "127.0.0.1", "--resolver", f"{dns.host}:{dns.port}"),
        )
        assert ("example.test", "TXT") in dns.questions
    assert done.returncode == 69
    text = done.stdout.decode()
    assert "From domain example.test; MX 10 mail.example.test.; SPF v=spf1 ip4:127.0.0.1" in text
    assert "Traceback" not in done.stderr.decode()


def test_control_characters_of_a_record_reach_no_terminal(
    check: Checking, server: ScriptedServer
) -> None:
    records = zone(GOOD_MX, r'TXT "v=spf1 \027[31m\226\128\174 -all"')
    ended = ask(check, server, records)
    assert told(ended, "spf") == [r"v=spf1 \x1b[31m\u202e -all"]


@pytest.mark.parametrize("from_email", ["", "nobody", "ann@[192.0.2.1]"])
def test_a_from_email_with_a_domain_is_needed(from_email: str) -> None:
    done = run("check", "--host", "localhost", "--no-login", "--domain", "--from-email", from_email)
    assert (done.returncode, done.stdout) == (64, b"")
    assert b"From email" in done.stderr


def test_ctrl_c_while_the_dns_is_silent_keeps_what_the_test_found(
    server: ScriptedServer, certs: Certificates
) -> None:
    silent: Zone = {"example.test": SILENCE, "_dmarc.example.test": SILENCE}
    with (
        NameServer(silent) as dns,
        start(
            *("check", *settings_for(server.port, certs.root.chain_file), "--host", server.host),
            *("--to", "ann@example.test", "--domain", "--json"),
            *("--resolver", f"{dns.host}:{dns.port}"),
            env={"SMTP_DESK_PASSWORD": "s3cret"},
        ) as program,
    ):
        try:
            wait_until(lambda: ("example.test", "MX") in dns.questions, "a question")
            program.send_signal(signal.SIGINT)
            out, _ = program.communicate(timeout=4.0)
        finally:
            with contextlib.suppress(ProcessLookupError):
                program.kill()
    report = read_report(out)
    assert report.sent
    resolve = next(each for each in report.stages if each.stage is Stage.RESOLVE)
    assert resolve.facts["not_checked"] == ["MX, SPF, DMARC, MTA-STS, TLS-RPT: cancelled"]
