"""A report in plain words: its outcome, its lines, and its parts as they are passed on.

The few facts of a stage that are worth a place on its line.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, TypeAlias

from smtp_desk.core.findings.finding import Finding, Who
from smtp_desk.core.report import CheckReport, Direction, StageResult
from smtp_desk.core.stages import Facts, Json, Stage

_LONGEST: Final = 300
_LONGEST_RECORD: Final = 80
_DOMAIN_FACTS: Final = {
    "from_domain": "From domain",
    "mx": "MX",
    "mx_dnssec": "MX validated by the DNS server (DNSSEC)",
    "spf": "SPF",
    "spf_allows_server": "SPF allows the server",
    "dkim": "DKIM",
    "dmarc": "DMARC",
    "dmarc_domain": "DMARC record found at",
    "dmarc_policy": "DMARC policy that applies",
    "dmarc_testing": "DMARC policy is being tested",
    "mta_sts": "MTA-STS",
    "tls_rpt": "TLS-RPT",
    "not_looked_at": "not looked at",
    "not_checked": "not checked",
}
_DOMAIN_IN_SHORT: Final = ("from_domain", "mx", "spf", "dkim", "dmarc", "not_checked")


def key_facts(result: StageResult) -> str:
    """Return the key facts of a stage on one line, "" where there are none."""
    facts = result.facts
    parts = (*_TELL.get(result.stage, _reply)(facts), *_other_ports(facts))
    told = "; ".join(part for part in parts if part)
    return told if len(told) <= _LONGEST else f"{told[: _LONGEST - 1]}…"


def shown(value: Json) -> str:
    """Return a fact as text for a person."""
    match value:
        case None:
            return "none"
        case bool():
            return "yes" if value else "no"
        case list():
            return ", ".join(shown(item) for item in value)
        case dict():
            return ", ".join(f"{name} {shown(item)}" for name, item in value.items())
        case _:
            return str(value)


def certificates(facts: Facts) -> list[dict[str, Json]]:
    """Return the certificate chain among the facts of a stage, the server's own first."""
    chain = facts.get("chain")
    return [each for each in chain if isinstance(each, dict)] if isinstance(chain, list) else []


def _settings(facts: Facts) -> Iterator[str]:
    yield shown(facts["problems"] if "problems" in facts else facts.get("problem", ""))


def _resolve(facts: Facts) -> Iterator[str]:
    yield _named(facts, "found")
    yield from _reason(facts)
    yield from _from_domain(facts)


def _from_domain(facts: Facts) -> Iterator[str]:
    """Tell what the DNS says of the From domain, where it was asked."""
    for name in _DOMAIN_IN_SHORT:
        if facts.get(name):
            colon = ":" if name == "not_checked" else ""
            told = f"{_DOMAIN_FACTS[name]}{colon} {shown(facts[name])}"
            yield told if len(told) <= _LONGEST_RECORD else f"{told[: _LONGEST_RECORD - 1]}…"


def _connect(facts: Facts) -> Iterator[str]:
    """Tell of each address how it answered."""
    addresses = facts.get("addresses")
    for each in addresses if isinstance(addresses, list) else []:
        if isinstance(each, dict):
            yield " ".join(shown(each[name]) for name in ("address", "result") if name in each)


def _tls(facts: Facts) -> Iterator[str]:
    yield _named(facts, "version")
    yield _named(facts, "cipher")
    for certificate in certificates(facts)[:1]:
        yield f"certificate {shown(certificate.get('subject', ''))}"
    yield from _reason(facts)


def _ehlo(facts: Facts) -> Iterator[str]:
    yield _named(facts, "extensions") or _named(facts, "extensions_before_tls")
    yield from _reply(facts)


def _recipient(facts: Facts) -> Iterator[str]:
    recipients = facts.get("recipients")
    for each in recipients if isinstance(recipients, list) else []:
        if isinstance(each, dict):
            yield from _reply(each)
    yield from _reply(facts)


def _auth(facts: Facts) -> Iterator[str]:
    yield _named(facts, "mechanism")
    yield from _reply(facts)
    token = facts.get("token")
    yield f"the token: {shown(token)}" if token else ""


def _token(facts: Facts) -> Iterator[str]:
    """Tell who signed in, or why nobody did."""
    yield _named(facts, "token_host")
    yield _named(facts, "account")
    yield _named(facts, "words") or _named(facts, "error")


def _reply(facts: Facts) -> Iterator[str]:
    words = (facts.get(name) for name in ("reply_code", "enhanced", "words"))
    yield " ".join(shown(word) for word in words if word)
    yield from _reason(facts)


def _other_ports(facts: Facts) -> Iterator[str]:
    """Tell how the other mail ports of the host answered, where they were tried."""
    ports = facts.get("other_ports")
    told = ", ".join(
        f"{shown(each.get('port', '?'))} {shown(each.get('answer', '?'))}"
        for each in (ports if isinstance(ports, list) else [])
        if isinstance(each, dict)
    )
    yield f"other ports: {told}" if told else ""


def _reason(facts: Facts) -> Iterator[str]:
    yield _named(facts, "reason")


def _named(facts: Facts, name: str) -> str:
    return shown(facts[name]) if facts.get(name) else ""


_TELL: Final[Mapping[Stage, Callable[[Facts], Iterator[str]]]] = {
    Stage.SETTINGS: _settings,
    Stage.TOKEN: _token,
    Stage.RESOLVE: _resolve,
    Stage.CONNECT: _connect,
    Stage.EHLO: _ehlo,
    Stage.TLS: _tls,
    Stage.AUTH: _auth,
    Stage.RECIPIENT: _recipient,
}


Row: TypeAlias = tuple[str, str]
"""A label and what belongs to it."""

WHO: Final[Mapping[Who, str]] = {
    Who.YOU: "you",
    Who.MAIL_ADMINISTRATOR: "the administrator of the mail server",
    Who.NETWORK_ADMINISTRATOR: "the administrator of your network",
    Who.PROVIDER: "the email provider",
    Who.PROGRAM: "the developers of this program",
}
"""Who can fix this, in words."""

UNPROVEN: Final = "No problems found. No email was sent, so this isn’t proof."
"""What stands in the place of an outcome after a check that was not to send."""
CANCELLED: Final = "The test was cancelled."
"""What stands in the place of an outcome after a cancelled test."""

_ARROWS: Final = {Direction.CLIENT: ">", Direction.SERVER: "<"}
_RCPT: Final = re.compile(r"RCPT TO:<([^>]*)>", re.IGNORECASE)


def outcome_text(report: CheckReport) -> str:
    """Return the outcome, word for word; other words only where the test had no outcome."""
    if report.cancelled:
        return CANCELLED
    if not report.sent and report.finding is None:
        return UNPROVEN
    return report.message


def belief_text(report: CheckReport) -> str:
    """Return whether email from the From domain will be trusted; "" where that wasn't checked."""
    facts = (each.facts for each in report.stages if each.stage is Stage.RESOLVE)
    return next((shown(each["belief_reason"]) for each in facts if "belief_reason" in each), "")


def domain_rows(report: CheckReport) -> list[Row]:
    """Return what the DNS says about the From domain, fact by fact; empty if it wasn't asked."""
    facts = {name: value for each in report.stages for name, value in each.facts.items()}
    if "from_domain" not in facts:
        return []
    found = ((label, facts.get(name)) for name, label in _DOMAIN_FACTS.items())
    return [(label, shown(value)) for label, value in found if value not in (None, [])]


def stage_line(result: StageResult) -> str:
    """Return a stage as one line, with name, status, time and facts in fixed columns."""
    line = f"{result.stage:<10} {result.status:<8} {result.ms:>6} ms"
    facts = key_facts(result)
    return f"{line}  {facts}" if facts else line


def chain_rows(facts: Facts) -> Iterator[Row]:
    """Return the certificate chain that the server sent, its own certificate first."""
    for number, certificate in enumerate(certificates(facts), start=1):
        lifetime = " to ".join(
            shown(certificate[name]) for name in ("not_before", "not_after") if name in certificate
        )
        told = [shown(certificate.get("subject"))]
        for label, name in (("for", "names"), ("issued by", "issuer"), ("key", "key")):
            if certificate.get(name):
                told.append(f"{label} {shown(certificate[name])}")
        told.append(f"valid {lifetime}")
        if certificate.get("fingerprint"):
            told.append(f"SHA-256 {shown(certificate['fingerprint'])}")
        yield f"certificate {number}", "; ".join(told)


def report_chain(report: CheckReport) -> list[Row]:
    """Return every certificate of a report."""
    return [row for result in report.stages for row in chain_rows(result.facts)]


def transcript_lines(report: CheckReport) -> Iterator[str]:
    """Return the session line by line: the time, an arrow for the direction, and the text."""
    for line in report.transcript:
        yield f"{line.at_ms:>6} ms {_ARROWS[line.direction]} {line.text}"


def fact_rows(facts: Facts) -> list[Row]:
    """Return facts as labels and texts."""
    return [(name, shown(value)) for name, value in facts.items()]


@dataclass(frozen=True, slots=True)
class Section:
    """A part of a report that is passed on as text.

    Attributes:
        title: A fixed text.
        lines: Text that may come from a server or a stranger; none of it is markup.
        exact: Whether the lines have columns.
    """

    title: str
    lines: tuple[str, ...]
    exact: bool = False


def recipient_of(report: CheckReport) -> str:
    """Return the recipient of the test email; "" if none was to be sent, or it isn't known."""
    for result in report.stages:
        recipients = result.facts.get("recipients")
        for each in (result.facts, *(recipients if isinstance(recipients, list) else ())):
            if isinstance(each, Mapping) and isinstance(found := each.get("recipient"), str):
                return found
    said = (_RCPT.match(line.text) for line in report.transcript)
    sent_to = next((found[1] for found in said if found is not None), "")
    return sent_to or shown(report.settings.get("recipient", ""))


def head_rows(report: CheckReport) -> list[Row]:
    """Return whose report it is: From, To, username, server and time."""
    settings = report.settings
    host, port = (shown(settings.get(name, "")) for name in ("host", "port"))
    rows = (
        ("From", shown(settings.get("from_email", ""))),
        ("To", recipient_of(report)),
        ("Username", shown(settings.get("username", ""))),
        ("Server", f"{host}, port {port}" if host and port else host),
        ("Time", moment(shown(report.environment.get("time", "")))),
    )
    return [(label, value) for label, value in rows if value]


def moment(text: str) -> str:
    """Return an ISO 8601 time as day and time in UTC; what isn't one, unchanged."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return text
    if found.tzinfo is not None:
        found = found.astimezone(UTC)
    return f"{found:%Y-%m-%d %H:%M} UTC"


def report_sections(report: CheckReport) -> Iterator[Section]:
    """Return the parts of a report that have something to show, the cause first."""
    if belief := belief_text(report):
        yield Section("Will receivers trust it", (belief,))
    if report.finding is not None and not report.cancelled:
        yield Section("Cause", tuple(_finding_lines(report.finding)))
    for warning in report.warnings:
        yield Section("Warning", tuple(_finding_lines(warning)))
    head = [*head_rows(report), *([("Report", report.id)] if report.id else [])]
    facts = (f"{result.stage}: {_compact(result.facts)}" for result in report.stages)
    for title, lines in (
        ("Report", map(_joined, head)),
        ("Stages", map(stage_line, report.stages)),
        ("Certificates", map(_joined, report_chain(report))),
        ("Transcript", transcript_lines(report)),
        ("Facts", facts),
        ("Settings", map(_joined, fact_rows(report.settings))),
        ("Environment", map(_joined, fact_rows(report.environment))),
    ):
        if told := tuple(lines):
            yield Section(title, told, exact=True)


def _finding_lines(finding: Finding) -> Iterator[str]:
    yield finding.summary
    if finding.explanation:
        yield finding.explanation
    yield f"Who can fix this: {WHO[finding.who]}"
    if finding.reply is not None:
        yield f"Server said: {finding.reply}"
    yield from (f"To do: {remedy.text}" for remedy in finding.remedies)
    yield f"Code: {finding.code}"


def _joined(row: Row) -> str:
    return ": ".join(row)


def _compact(facts: Facts) -> str:
    return json.dumps(dict(facts), ensure_ascii=False)
