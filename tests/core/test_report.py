"""The report: one JSON document, exactly as its schema says."""

import json

from smtp_desk.core.findings.finding import Finding, FindingSeverity, Remedy, Scope, Who
from smtp_desk.core.reply import Reply
from smtp_desk.core.report import (
    CheckReport,
    Direction,
    ReportOutcome,
    StageResult,
    TranscriptLine,
    fold_stages,
)
from smtp_desk.core.stages import Stage, StageEvent, StageStatus

FINDING = Finding(
    code="auth.rejected",
    stage=Stage.AUTH,
    severity=FindingSeverity.ERROR,
    summary="The server does not accept this username and password.",
    explanation="Why.",
    who=Who.YOU,
    scope=Scope.ROUTE,
    remedies=(Remedy("retype", "Type them again.", {}),),
    reply=Reply(535, "5.7.8", ("Authentication failed",)),
)


def report(outcome: ReportOutcome, finding: Finding | None = None) -> CheckReport:
    return CheckReport(
        outcome=outcome,
        finding=finding,
        stages=(StageResult(Stage.AUTH, StageStatus.FAILED, 12, {"mechanism": "PLAIN"}),),
        transcript=(TranscriptLine(3, Direction.CLIENT, "EHLO [127.0.0.1]"),),
        settings={"host": "mail.example.test"},
        environment={"python": "3"},
        id="f00",
    )


def test_a_failure_has_every_key_of_the_schema() -> None:
    document = report(ReportOutcome.UNREACHABLE, FINDING).to_json()
    assert json.loads(json.dumps(document)) == {
        "schema": "smtp-desk/report/2",
        "outcome": "unreachable",
        "message": "Could not reach the SMTP server. Verify the host and port.",
        "finding": {
            "code": "auth.rejected",
            "stage": "auth",
            "severity": "error",
            "summary": "The server does not accept this username and password.",
            "explanation": "Why.",
            "remedies": [{"id": "retype", "text": "Type them again.", "changes": {}}],
            "sentences": {"summary": [], "explanation": [], "remedies": [[]]},
            "who": "you",
            "reply": {"code": 535, "enhanced": "5.7.8", "text": "Authentication failed"},
        },
        "warnings": [],
        "stages": [
            {"stage": "auth", "status": "failed", "ms": 12, "facts": {"mechanism": "PLAIN"}}
        ],
        "transcript": [{"at_ms": 3, "direction": "client", "text": "EHLO [127.0.0.1]"}],
        "settings": {"host": "mail.example.test"},
        "environment": {"report_id": "f00", "python": "3"},
    }


def test_success_has_its_text_and_no_finding() -> None:
    sent = report(ReportOutcome.SENT)
    assert sent.sent
    assert not sent.cancelled
    document = sent.to_json()
    assert document["message"] == "Test email sent successfully"
    assert document["finding"] is None


def test_a_check_that_was_not_to_send_and_passed_is_no_proof() -> None:
    passed = report(ReportOutcome.PASSED)
    assert passed.passed
    assert not passed.sent
    assert passed.to_json()["message"] == ""


def test_a_stage_that_ran_twice_is_one_result() -> None:
    events = [
        StageEvent(Stage.EHLO, StageStatus.STARTED),
        StageEvent(Stage.EHLO, StageStatus.PASSED, 2.4, {"before": 1}),
        StageEvent(Stage.TLS, StageStatus.PASSED, 5.0),
        StageEvent(Stage.EHLO, StageStatus.WARNED, 1.2, {"after": 2}),
    ]
    assert fold_stages(events) == (
        StageResult(Stage.EHLO, StageStatus.WARNED, 3, {"before": 1, "after": 2}),
        StageResult(Stage.TLS, StageStatus.PASSED, 5, {}),
    )
