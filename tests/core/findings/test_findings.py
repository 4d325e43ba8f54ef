"""The catalogue holds the agreed table, and its texts keep their rules."""

import csv
import re
from pathlib import Path
from typing import Final

from smtp_desk.core.errors import SmtpFailure
from smtp_desk.core.findings.catalogue import CatalogueEntry
from smtp_desk.core.findings.finding import Finding
from smtp_desk.core.findings.wording import placeholders
from smtp_desk.core.problems import Field
from smtp_desk.core.reply import Reply
from smtp_desk.core.stages import Facts, Stage
from tests.core import replies
from tests.table import each_row

_CATALOGUE: Final = replies.load_catalogue()
_TABLE: Final = list(
    csv.DictReader((Path(__file__).parent.parent / "findings.csv").read_text("utf-8").splitlines())
)
_LONGEST_SUMMARY: Final = 110

# Every name that a text may use, with a value as a test or the sender gives it.
_FACTS: Final[Facts] = {
    "host": "smtp.example.org",
    "part": "sandbox",
    "selector": "mail",
    "dkim_domain": "example.net",
    "dkim": ["mail._domainkey.example.net: v=DKIM1; p="],
    "mta_sts": ["v=STSv1; id=1"],
    "tls_rpt": ["v=TLSRPTv1; rua=mailto:tls@example.net"],
    "port": 587,
    "security": "auto",
    "username": "ann@example.org",
    "from_email": "news@example.net",
    "recipient": "bo@example.org",
    "ehlo_name": "[192.0.2.7]",
    "suggested_ehlo_name": "desk.example.org",
    "mechanism": "CRAM-MD5",
    "mechanisms": ["PLAIN", "LOGIN", "CRAM-MD5"],
    "working_port": 465,
    "ports_probed": True,
    "expired_too": "2026-11-01",
    "other_names": ["mail.example.org"],
    "silent": True,
    "working_security": "tls",
    "suggestion": "mail.example.org",
    "names": ["mail.example.org", "www.example.org"],
    "issuer": "Example CA",
    "ca": {"subject": "CN=Example CA"},
    "interceptor": "Avast",
    "addresses": ["192.0.2.1 (refused)"],
    "dead_addresses": ["2001:db8::1"],
    "failed_family": "IPv6",
    "protocol": "IMAP",
    "certificate": "CN=mail.example.org",
    "since": "2026-01-01",
    "begins": "2030-01-01",
    "clock": "2026-09-01T10:02:33+00:00",
    "clock_wrong": True,
    "server_date": "2026-11-20",
    "other_ends": "2026-10-01",
    "program_date": "2026-11-01",
    "other_begins": "2026-10-01",
    "expires_soon": {"not_after": "2026-01-01", "days": 3},
    "form_problems": [{"certificate": "CN=Example CA", "problem": "key_usage_missing"}],
    "verify_message": "EE key too weak",
    "violation": "mixed_codes",
    "detail": "no proof",
    "path": "settings.toml",
    "error": "104 Connection reset by peer",
    "tls_version": "TLS 1.0",
    "seconds": 60,
    "reason": "too long",
    "field": "port",
    "ca_file": "company.pem",
    "size": 20_000_000,
    "limit": 10_000_000,
    "in_dns": ["192.0.2.1"],
    "has_mx": True,
    "spf": ["v=spf1 -all"],
    "dmarc": ["v=DMARC1; p=none"],
    "null_mx": True,
    "domain_exists": False,
    "program": "/usr/sbin/sendmail",
    "status": 78,
    "words": "mail queue is full",
    "signed_in": True,
    "phase": "dot",
    "own_message": True,
    "own_connections": 3,
    "oauth_provider": "microsoft",
    "oauth_flow": "browser",
    "client_id": "0f8fad5b-d9cb-469f-a165-70867728950e",
    "tenant": "example.onmicrosoft.com",
    "scope": "smtp offline_access",
    "token_host": "login.example.com",
    "redirect": "http://127.0.0.1:8400",
    "target": "elsewhere.example",
    "account": "bo@example.org",
    "error_code": "AADSTS7000215",
    "token": {
        "audience": "https://graph.microsoft.com",
        "scopes": "User.Read",
        "tenant": "8d1f0c3e-0000-4000-8000-aabbccddeeff",
        "issuer": "https://login.example.com",
        "begins": "2026-09-01T10:02:33+00:00",
        "ends": "2026-09-01T11:02:33+00:00",
    },
    "wanted_scope": "SMTP.Send",
    "correlation_id": "0f8fad5b-d9cb-469f-a165-70867728950e",
}
_DERIVED: Final = {"moment", "from_domain", "recipient_domain", "reply_code", "stage"}
_OF_PROVIDERS: Final = {
    "provider",
    "provider_name",
    "app_password_url",
    "help_url",
    "sender_help_url",
    "addresses_url",
    "smtp_host",
    "smtp_port",
    "fixed_username",
    "spf_include",
    "limits",
    "limits_url",
    "limits_connections",
}
# What a person has never heard of may stand in an explanation only beside these words.
_JARGON: Final = {
    "STARTTLS": "encrypt",
    "EHLO": "introduc",
    "SPF": "DNS record",
    "DKIM": "DNS record",
    "DMARC": "DNS record",
    "greylist": "turned away",
    "OAuth": "token|password",
    "relaying": "domain",
    "handshake": "encrypt",
    "SMTPUTF8": "extension",
    "an MX": "DNS",
    "X.509": "form",
    "CA": "authorit|certificate",
}


def _entry(code: str) -> CatalogueEntry:
    return _CATALOGUE._entry(code)


def _values(entry: CatalogueEntry, fact: str) -> set[str]:
    """Return the values of a fact that the texts of an entry tell apart."""
    wordings = [entry.summary, entry.explanation, *(remedy.text for remedy in entry.remedies)]
    parts = [part for wording in wordings for sentence in wording.sentences for part in sentence]
    conditions = [part.condition for part in parts]
    conditions += [remedy.condition for remedy in entry.remedies]
    named = [each.get(fact) for one in conditions for each in (one.when, one.unless)]
    listed = [each for one in named for each in (one if isinstance(one, list) else [one])]
    return {value for value in listed if isinstance(value, str)}


def _findings(code: str) -> list[Finding]:
    """Return the finding with every fact, with each provider, and with none."""
    entry = _entry(code)
    hosts = [provider.hosts[0].lstrip(".") for provider in _CATALOGUE._providers.all]
    contexts: list[Facts] = [{}, _FACTS, *({**_FACTS, "host": host} for host in hosts)]
    contexts += [{"host": host} for host in hosts]
    contexts += [{name: value} for name, value in _FACTS.items()]
    contexts += [{**_FACTS, **row.facts} for row in entry.replies]
    contexts += [
        {**known, "token_fault": fault, "clock_wrong": wrong}
        for fault in _values(entry, "token_fault")
        for wrong in (True, False)
        for known in ({}, _FACTS)
    ]
    contexts += [
        {**known, "reason": reason, "oauth_provider": provider}
        for reason in _values(entry, "reason")
        for provider in ("microsoft", "google", "custom")
        for known in ({}, _FACTS)
    ]
    reply = Reply(550, None, ("x",))
    return [
        _CATALOGUE.find(SmtpFailure(Stage.AUTH, code, reply=reply), context) for context in contexts
    ]


def test_the_codes_are_those_of_the_table() -> None:
    assert _CATALOGUE.codes == {row["code"] for row in _TABLE}
    assert {entry.code for entry in _CATALOGUE.entries} == _CATALOGUE.codes


@each_row("row", _TABLE, ids=lambda row: row["code"])
def test_who_scope_alarm_and_severity(row: dict[str, str]) -> None:
    entry = _entry(row["code"])
    told = (str(entry.severity), str(entry.who), str(entry.scope), entry.alarm)
    assert told == (row["severity"], row["who"], row["scope"], row["alarm"] == "alarm")


@each_row("code", sorted(_CATALOGUE.codes))
def test_texts_read_well_and_explain_jargon_whatever_is_known(code: str) -> None:
    for finding in _findings(code):
        assert finding.summary.endswith(".")
        assert len(finding.summary) <= _LONGEST_SUMMARY, finding.summary
        assert finding.explanation.endswith((".", "…")), finding.explanation
        assert finding.remedies, "there is always something to do"
        shown = [finding.summary, finding.explanation, *(each.text for each in finding.remedies)]
        for text in shown:
            assert text == text.strip()
            assert not re.search(r"[{}]|  |\bNone\b|\.\.$|'", text), text
        assert len({remedy.id for remedy in finding.remedies}) == len(finding.remedies)
        said = f"{finding.summary} {finding.explanation}"
        for word, explained in _JARGON.items():
            if re.search(rf"\b{word}\b", finding.explanation):
                assert re.search(explained, said), f"{word}: {said}"


@each_row("code", sorted(_CATALOGUE.codes))
def test_placeholders_and_changes_name_what_there_is(code: str) -> None:
    entry = _entry(code)
    wordings = [entry.summary, entry.explanation, *(remedy.text for remedy in entry.remedies)]
    parts = [part for wording in wordings for sentence in wording.sentences for part in sentence]
    used = {name for part in parts for name in placeholders(part.text)}
    for remedy in entry.remedies:
        assert set(remedy.changes) <= set(Field)
        used |= {name for value in remedy.changes.values() for name in placeholders(value)}
    assert used <= _FACTS.keys() | _DERIVED | _OF_PROVIDERS


@each_row(
    ("code", "facts", "remedy", "changes"),
    [
        ("connect.refused", {"working_port": 465, "working_security": "tls"}, "use_working_port",
         {"port": "465", "security": "tls"}),
        ("tls.name_mismatch", {"suggestion": "mail.example.org"}, "use_suggested_host",
         {"host": "mail.example.org"}),
        ("tls.wrong_mode", {"working_security": "tls"}, "use_tls", {"security": "tls"}),
        ("tls.wrong_mode", {"working_security": "starttls"}, "use_starttls",
         {"security": "starttls"}),
        ("auth.rejected", {"host": "smtp.sendgrid.net", "username": "ann"}, "use_fixed_username",
         {"username": "apikey"}),
        ("auth.rejected", {"username": "ann", "from_email": "ann@example.org"},
         "use_email_as_username", {"username": "ann@example.org"}),
        ("auth.app_password_required", {"password_shape": "grouped"}, "remove_password_spaces",
         {}),
        ("auth.mechanism_refused", {"mechanism": "PLAIN", "mechanisms": ["PLAIN", "LOGIN"]},
         "use_auth_login", {"auth_method": "login"}),
        ("ehlo.name_refused", {"from_email": "ann@example.org"}, "use_sender_domain",
         {"ehlo_name": "example.org"}),
        ("sender.not_owned", {"username": "ann@example.org", "from_email": "bo@example.org"},
         "use_username_as_from", {"from_email": "ann@example.org"}),
        ("tls.unknown_issuer", {"ca": {"subject": "CN=Example CA"}}, "trust_ca", {}),
    ],
)  # fmt: skip
def test_remedies_that_the_program_can_carry_out(
    code: str, facts: Facts, remedy: str, changes: dict[str, str]
) -> None:
    found = _CATALOGUE.find(SmtpFailure(Stage.AUTH, code), facts).remedies
    assert {each.id: each.changes for each in found}[remedy] == changes


@each_row(
    ("code", "facts", "remedy"),
    [
        ("connect.refused", {}, "use_working_port"),
        ("auth.rejected", {"host": "smtp.sendgrid.net", "username": "apikey"},
         "use_fixed_username"),
        ("auth.rejected", {"username": "ann@example.org"}, "use_email_as_username"),
        ("auth.app_password_required", {}, "remove_password_spaces"),
        ("auth.mechanism_refused", {"mechanism": "LOGIN", "mechanisms": ["LOGIN"]},
         "use_auth_login"),
        ("tls.unknown_issuer", {"ca": {"subject": "CN=CA"}, "interceptor": "Avast"}, "trust_ca"),
        ("tls.unknown_issuer", {"ca": {}}, "trust_ca"),
        ("sender.not_owned", {"username": "ann@example.org", "from_email": "Ann@example.org"},
         "use_username_as_from"),
    ],
)  # fmt: skip
def test_remedies_that_would_not_help_are_not_offered(code: str, facts: Facts, remedy: str) -> None:
    found = _CATALOGUE.find(SmtpFailure(Stage.AUTH, code), facts).remedies
    assert remedy not in {each.id for each in found}
