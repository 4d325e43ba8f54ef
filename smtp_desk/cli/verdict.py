"""How a test ended, for a person: the outcome word for word, then the true cause."""

from collections.abc import Callable, Iterator
from typing import Final, TypeAlias

from rich.console import Console

from smtp_desk.app.report_text import WHO, Row, chain_rows, outcome_text
from smtp_desk.cli.console import print_rows, say
from smtp_desk.core.findings import TRUST_CA, Finding, Remedy
from smtp_desk.core.report import CheckReport
from smtp_desk.core.stages import Stage

Way: TypeAlias = Callable[[Remedy], str]
"""Tells how the changes of a remedy are made by whoever reads it; "" where there is no way."""

_CHOOSE_CA_FILE: Final = "choose_ca_file"
_COMPARE_CA: Final = (
    "Get the certificate of this company CA as a PEM file from the mail administrator, compare "
    "its SHA-256 fingerprint with them by phone, then name the file with --ca-file FILE."
)


def no_way(_remedy: Remedy) -> str:
    """Tell nothing: of a report from elsewhere, or where a form has the fields."""
    return ""


def outcome_style(report: CheckReport) -> str:
    """Return the style of the outcome on a terminal."""
    if report.sent:
        return "bold green"
    return "bold red" if report.finding is not None and not report.cancelled else "bold"


def print_verdict(console: Console, report: CheckReport, way: Way = no_way) -> None:
    """Print the outcome and what explains it."""
    say(console, outcome_text(report), outcome_style(report))
    if report.finding is not None and not report.cancelled:
        print_rows(console, finding_rows(report.finding, way))
        print_rows(console, _chain_of_failure(report))
    for warning in report.warnings:
        say(console, f"warning: {warning.summary}", "yellow")
        print_rows(console, finding_rows(warning, way)[1:])
    if report.id:
        print_rows(console, [("report ID", report.id)])


def finding_rows(finding: Finding, way: Way = no_way) -> list[Row]:
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
    rows.extend(("remedy", _said_here(remedy, way)) for remedy in finding.remedies)
    return rows


def _said_here(remedy: Remedy, way: Way) -> str:
    """Return a remedy as it is done here, where the window has a button or a field for it."""
    if remedy.id == TRUST_CA:
        return _COMPARE_CA
    if remedy.id == _CHOOSE_CA_FILE:
        return f"{remedy.text} Here: --ca-file FILE."
    here = way(remedy)
    return f"{remedy.text} Here: {here}" if here else remedy.text


def _chain_of_failure(report: CheckReport) -> Iterator[Row]:
    """Return the chain where TLS failed: there it is what explains the failure."""
    if report.finding is not None and report.finding.stage is Stage.TLS:
        for result in report.stages:
            if result.stage is Stage.TLS:
                yield from chain_rows(result.facts)
