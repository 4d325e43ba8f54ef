"""How a test ended, for a person: the outcome word for word, then the true cause."""

from collections.abc import Iterator, Mapping
from typing import Final

from rich.console import Console

from smtp_desk.cli.console import Row, print_rows, say
from smtp_desk.cli.stage_facts import certificates, shown
from smtp_desk.core.findings import Finding, Who
from smtp_desk.core.report import CheckReport
from smtp_desk.core.stages import Facts, Stage

WHO: Final[Mapping[Who, str]] = {
    Who.YOU: "you",
    Who.MAIL_ADMINISTRATOR: "the administrator of the mail server",
    Who.NETWORK_ADMINISTRATOR: "the administrator of your network",
    Who.PROVIDER: "the email provider",
    Who.PROGRAM: "the makers of this program",
}
"""Who can mend it, in words."""

UNPROVEN: Final = "Nothing failed. No email was sent, so this is no proof."
"""What stands in the place of an outcome after a check that was not to send."""
CANCELLED: Final = "The test was cancelled."
"""What stands in the place of an outcome after a cancelled test."""


def outcome_text(report: CheckReport) -> str:
    """Return the outcome, word for word; other words only where the test had no outcome."""
    if report.cancelled:
        return CANCELLED
    if not report.sent and report.finding is None:
        return UNPROVEN
    return report.message


def outcome_style(report: CheckReport) -> str:
    """Return the style of the outcome on a terminal."""
    if report.sent:
        return "bold green"
    return "bold red" if report.finding is not None and not report.cancelled else "bold"


def print_verdict(console: Console, report: CheckReport) -> None:
    """Print the outcome and what explains it."""
    say(console, outcome_text(report), outcome_style(report))
    if report.finding is not None and not report.cancelled:
        print_rows(console, finding_rows(report.finding))
        print_rows(console, _chain_of_failure(report))
    for warning in report.warnings:
        say(console, f"warning: {warning.summary}", "yellow")
        print_rows(console, finding_rows(warning)[1:])
    if report.id:
        print_rows(console, [("report", report.id)])


def finding_rows(finding: Finding) -> list[Row]:
    """Return what a person needs to know of a finding, the cause first."""
    rows = [
        ("cause", finding.summary),
        ("code", finding.code),
        ("who can mend it", WHO[finding.who]),
    ]
    if finding.reply is not None:
        rows.append(("server said", str(finding.reply)))
    if finding.explanation:
        rows.append(("meaning", finding.explanation))
    rows.extend(("remedy", remedy.text) for remedy in finding.remedies)
    return rows


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


def _chain_of_failure(report: CheckReport) -> Iterator[Row]:
    """Return the chain where TLS failed: there it is what explains the failure."""
    if report.finding is not None and report.finding.stage is Stage.TLS:
        for result in report.stages:
            if result.stage is Stage.TLS:
                yield from chain_rows(result.facts)
