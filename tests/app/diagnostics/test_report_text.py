"""A report in words."""

from dataclasses import replace

import pytest

from smtp_desk.app.diagnostics.report_text import (
    CANCELLED,
    UNPROVEN,
    head_rows,
    outcome_text,
    recipient_of,
)
from smtp_desk.core.report import (
    CheckReport,
    Direction,
    ReportOutcome,
    StageResult,
    TranscriptLine,
)
from smtp_desk.core.stages import Json, Stage, StageStatus
from smtp_desk.core.texts import SUCCESS, UNREACHABLE
from tests.cli.reports import REPORT, UNKNOWN_ISSUER


@pytest.mark.parametrize(
    ("report", "expected"),
    [
        (REPORT, UNREACHABLE),
        (replace(REPORT, finding=None), UNPROVEN),
        (replace(REPORT, finding=None, outcome=ReportOutcome.SENT), SUCCESS),
        (replace(REPORT, finding=replace(UNKNOWN_ISSUER, code="session.cancelled")), CANCELLED),
    ],
)
def test_the_outcome_word_for_word(report: CheckReport, expected: str) -> None:
    assert outcome_text(report) == expected


def test_the_head_tells_whose_report_it_is() -> None:
    settings = {**REPORT.settings, "from_email": "desk@example.test", "username": "desk"}
    said = TranscriptLine(3, Direction.CLIENT, "RCPT TO:<ann@example.test> NOTIFY=NEVER")
    report = replace(
        REPORT,
        settings=settings,
        transcript=(*REPORT.transcript, said),
        environment={"time": "2026-11-23T14:00:07+01:00"},
    )
    assert head_rows(report) == [
        ("From", "desk@example.test"),
        ("To", "ann@example.test"),
        ("Username", "desk"),
        ("Server", "mail.example.test, port 587"),
        ("Time", "2026-11-23 13:00 UTC"),
    ]


@pytest.mark.parametrize(
    "facts", [{"recipient": "bo@b.test"}, {"recipients": [{"recipient": "bo@b.test"}]}]
)
def test_the_recipient_is_told_by_its_stage(facts: dict[str, Json]) -> None:
    stage = StageResult(Stage.RECIPIENT, StageStatus.FAILED, 1, facts)
    assert recipient_of(replace(REPORT, stages=(*REPORT.stages, stage))) == "bo@b.test"


def test_the_recipient_of_a_session_that_ended_early_is_told_by_the_settings() -> None:
    early = replace(REPORT, settings={**REPORT.settings, "recipient": "bo@b.test"})
    assert recipient_of(early) == "bo@b.test"
    assert ("To", "bo@b.test") in head_rows(early)


def test_a_report_that_tells_less_has_a_shorter_head() -> None:
    assert head_rows(replace(REPORT, settings={}, environment={"time": "soon"})) == [
        ("Time", "soon")
    ]
