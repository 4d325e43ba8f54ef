"""Scenes of the Diagnostics page, made by hand: for screenshots."""

from __future__ import annotations

from dataclasses import replace

from smtp_desk.app.diagnostics.comparison import compare_reports
from smtp_desk.app.diagnostics.presenter import FROM_TEST, DiagnosisState
from smtp_desk.app.notice import Notice
from smtp_desk.app.page_presenter import Busy
from smtp_desk.app.proving.domain import DomainCheck
from smtp_desk.core.hiding import without_addresses
from smtp_desk.core.problems import Field, Problem
from smtp_desk.core.report import CheckReport
from smtp_desk.core.stages import Facts, Stage, StageStatus
from tests.ui import reports


def of(report: CheckReport) -> DiagnosisState:
    """Return the state after a test with this report."""
    host = str(report.settings["host"])
    return DiagnosisState(report=report, source=FROM_TEST, own=True, form_host=host)


_DOMAIN: Facts = {
    "from_domain": "example.org",
    "mx": ["10 mx.example.org.", "20 mx2.example.org."],
    "mx_dnssec": False,
    "spf": ["v=spf1 include:_spf.example.net -all"],
    "spf_allows_server": False,
    "dkim": ["mail._domainkey.example.org: v=DKIM1; k=rsa; p=MIIBIjANBgkqhkiG9w0BAQ"],
    "dmarc": ["none"],
    "mta_sts": ["none"],
    "tls_rpt": ["none"],
    "not_looked_at": [
        "whether the server keeps the From address as envelope sender, which is what SPF checks"
    ],
    "belief": "doubted",
    "belief_reason": f"Email from example.org sent through {reports.HOST} will be trusted only if "
    "the server signs it with DKIM: SPF doesn’t allow the server, and no valid DMARC record was "
    "found.",
}
_WARNINGS = tuple(
    reports.catalogue().warning(code, Stage.RESOLVE, {**_DOMAIN, "host": reports.HOST})
    for code in ("domain.spf_excludes_server", "domain.dmarc_missing")
)
_OWN = of(reports.WRONG_PASSWORD)
SCENES = {
    "welcome": DiagnosisState(),
    "missing": DiagnosisState(
        problems=(Problem(Field.HOST, "host.empty"), Problem(Field.RECIPIENT, "email.empty")),
        notice=Notice("Nothing was sent: the form on Integrations isn’t complete.", error=True),
    ),
    "running": replace(
        _OWN,
        busy=Busy.TESTING,
        stages=reports.stages(Stage.TLS, StageStatus.STARTED),
    ),
    "asking": replace(_OWN, busy=Busy.ASKING),
    "foreign": replace(_OWN, own=False, source="Report file smtp-report-793935.smtpdesk"),
    "hidden": replace(
        _OWN,
        own=False,
        source="Report file smtp-report-793935.smtpdesk",
        hiding=True,
        hidden=without_addresses(reports.WRONG_PASSWORD)[0],
        notice=Notice("Copied the message to the customer. Addresses and usernames are hidden."),
    ),
    "compared": replace(
        _OWN,
        own=False,
        source="Report file monday.smtpdesk",
        other=reports.SENT,
        other_source="Report file tuesday.smtpdesk",
        comparison=compare_reports(reports.WRONG_PASSWORD, reports.SENT),
    ),
    "trouble": replace(
        _OWN,
        notice=Notice("Reports is a folder. Open one of the report files in it.", error=True),
    ),
    "domain": replace(
        of(reports.SENT),
        domain=DomainCheck(
            from_email="desk@example.org", host=reports.HOST, facts=_DOMAIN, warnings=_WARNINGS
        ),
        domain_is_news=True,
    ),
    "copied": replace(_OWN, notice=Notice("Copied as Markdown. It contains no password.")),
    **{name: of(report) for name, report in reports.REPORTS.items()},
}
