"""The message to send: three recipients, plain English, no link that works, never endless."""

import re
from dataclasses import replace

import pytest

from smtp_desk.app.diagnostics.support_message import Audience, broken_links, message_text
from smtp_desk.core.findings.finding import Who
from smtp_desk.core.report import CheckReport, ReportOutcome
from smtp_desk.core.stages import Stage
from tests.app.diagnostics.hostile import ALL, LINKS, hostile
from tests.table import each_row
from tests.ui import reports

FAILED = reports.WRONG_PASSWORD
assert FAILED.finding is not None
FINDING = FAILED.finding
WORKING_LINK = re.compile(
    r"(?i)[a-z][a-z0-9+.-]*://|\bwww\.\w|\b(?:mailto|javascript|data|file|tel|sms):\S"
)


def test_to_the_customer() -> None:
    told = message_text(FAILED, Audience.CUSTOMER)
    assert told.startswith("Hello,\n\nThank you for the report.")
    assert "What happened: The server refused the username or password." in told
    assert "The server’s reply:\n    535 5.7.8 Error: authentication failed" in told
    assert "You can fix this" in told
    assert "\n1. Retype the password" in told
    assert "Server: smtp.example.org, port 587\nTime: 2026-11-23 13:00 UTC" in told
    assert f"Report: {FAILED.id}" in told


@pytest.mark.parametrize("audience", [Audience.ADMINISTRATOR, Audience.PROVIDER])
def test_to_who_runs_the_server(audience: Audience) -> None:
    told = message_text(FAILED, audience)
    # What the program tells a customer to ask for is asked for here.
    asked, ours = told.index("What we ask for:"), told.index("On our side")
    assert "1. Please tell us whether the account may send through SMTP" in told[asked:ours]
    assert "Ask the mail administrator" not in told
    assert "1. Retype the password" in told[ours:]
    for fact in ("Server address: 192.0.2.10", "Sign-in method: PLAIN", "auth (auth.rejected)"):
        assert fact in told
    assert "Could not reach the SMTP server" not in told


def test_the_provider_is_not_asked_for_what_is_ours() -> None:
    finding = replace(
        FINDING,
        remedies=(
            replace(FINDING.remedies[0], text="Ask the provider to lift it."),
            replace(
                FINDING.remedies[0],
                text="Ask the network administrator to open the port of this computer.",
            ),
        ),
    )
    report = replace(FAILED, finding=finding)
    assert "1. Please lift it." in message_text(report, Audience.PROVIDER)
    told = message_text(report, Audience.ADMINISTRATOR)
    assert "1. Ask the provider to lift it.\n2. Ask the network administrator" in told


@each_row("who", Who)
def test_the_customer_is_told_who_can_fix_it(who: Who) -> None:
    report = replace(FAILED, finding=replace(FINDING, who=who))
    told = message_text(report, Audience.CUSTOMER)
    assert ("forward this message" in told) is (who not in (Who.YOU, Who.PROGRAM))


@pytest.mark.parametrize("audience", Audience)
def test_other_outcomes(audience: Audience) -> None:
    sent = message_text(reports.SENT, audience)
    assert "accepted" in sent
    passed = replace(FAILED, finding=None, outcome=ReportOutcome.PASSED)
    assert "found no problem" in message_text(passed, audience)
    finding = replace(FINDING, code="session.cancelled", stage=Stage.AUTH)
    assert "run it again" in message_text(replace(FAILED, finding=finding), audience)


@each_row("audience", Audience)
@each_row("text", [ALL, LINKS, "x" * 60_000, "https://evil.test/" * 3000])
def test_a_hostile_report_gives_a_bounded_message_without_links(
    text: str, audience: Audience
) -> None:
    told = message_text(hostile(text), audience)
    assert WORKING_LINK.search(told) is None
    assert len(told) < 25_000
    assert "\x1b" not in told
    assert "\u202e" not in told


@each_row(
    ("text", "broken"),
    [
        ("see https://a.test/x?y", "see https[:]//a.test/x?y"),
        ("HTTPS://A.TEST", "HTTPS[:]//A.TEST"),
        ("(http://a.test)", "(http[:]//a.test)"),
        ("www.a.test", "www[.]a.test"),
        ("mailto:a@a.test", "mailto[:]a@a.test"),
        ("git+ssh://a.test", "git+ssh[:]//a.test"),
        ("https[:]//a.test", "https[:]//a.test"),
        ("port: 587, time: 10:02", "port: 587, time: 10:02"),
        ("https:/a and //a.test", "https:/a and //a.test"),
    ],
)
def test_links_are_broken(text: str, broken: str) -> None:
    assert broken_links(text) == broken


@each_row("report", reports.REPORTS.values(), ids=list(reports.REPORTS))
def test_every_report_gives_each_message(report: CheckReport) -> None:
    for audience in Audience:
        assert message_text(report, audience).startswith("Hello,\n\n")
