"""The report of one test: an immutable value with one JSON form."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from smtp_desk.core.findings.finding import Finding
from smtp_desk.core.stages import Facts, Json, Stage, StageEvent, StageStatus
from smtp_desk.core.texts import SUCCESS, UNREACHABLE
from smtp_desk.core.translation import Text

SCHEMA: Final = "smtp-desk/report/2"
MAX_ITEMS: Final = 1000
"""Entries of a list or object in a report, the transcript apart."""
MAX_TEXT: Final = 64 * 1024
"""Characters of a text in a report."""

_CUT: Final = "…"


class ReportOutcome(StrEnum):
    """The outcome of a test."""

    SENT = "sent"
    """The server accepted the test email: the only proof."""
    PASSED = "passed"
    """A check that was not to send found nothing wrong; never a proof."""
    UNREACHABLE = "unreachable"
    """Anything else, whatever the cause."""


_MESSAGES: Final = {
    ReportOutcome.SENT: SUCCESS,
    ReportOutcome.PASSED: "",
    ReportOutcome.UNREACHABLE: UNREACHABLE,
}


class Direction(StrEnum):
    """Which side sent a line of the transcript."""

    CLIENT = "client"
    SERVER = "server"


@dataclass(frozen=True, slots=True)
class TranscriptLine:
    """One line of the session, secrets already hidden, safe to show.

    Attributes:
        at_ms: Milliseconds since the test began.
        direction: Which side sent it.
        text: The line without its line end.
    """

    at_ms: int
    direction: Direction
    text: str


@dataclass(frozen=True, slots=True)
class StageResult:
    """How a stage ended: its last status, the time it took (ms) and all its facts."""

    stage: Stage
    status: StageStatus
    ms: int
    facts: Facts


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckReport:
    """Everything that one test saw; `sent` only after a 2xx that follows the final dot.

    Attributes:
        outcome: How the test ended.
        finding: The true cause of a failure; None after success.
        warnings: Findings that did not end the session.
        stages: Every stage in the order in which it began.
        transcript: The session, line by line.
        settings: The tested settings without the secret, and the mode found.
        environment: Versions of program, Python, OpenSSL, Qt and system; `time` it was made.
        mode: The TLS mode found ("starttls" or "tls"), or "" before TLS.
        id: Written to the log and to the report, so that the two can be matched.
    """

    outcome: ReportOutcome
    stages: tuple[StageResult, ...]
    transcript: tuple[TranscriptLine, ...]
    settings: Mapping[str, Json]
    environment: Mapping[str, Json]
    finding: Finding | None = None
    warnings: tuple[Finding, ...] = ()
    mode: str = ""
    id: str = ""

    @property
    def sent(self) -> bool:
        """Whether the server accepted the test email."""
        return self.outcome is ReportOutcome.SENT

    @property
    def message(self) -> str:
        """The outcome text, word for word; "" for a check that passed without sending."""
        return _MESSAGES[self.outcome]

    @property
    def passed(self) -> bool:
        """Whether a check that wasn't meant to send found nothing wrong. That isn't a proof."""
        return self.outcome is ReportOutcome.PASSED

    @property
    def cancelled(self) -> bool:
        """Whether the person ended the test."""
        return self.finding is not None and self.finding.code == "session.cancelled"

    def to_json(self) -> dict[str, Json]:
        """Return the document of schema `smtp-desk/report/2`; values beyond its bounds are cut."""
        return {
            "schema": SCHEMA,
            "outcome": str(self.outcome),
            "message": self.message,
            "finding": _bounded(finding_json(self.finding)) if self.finding else None,
            "warnings": _bounded([finding_json(warning) for warning in self.warnings]),
            "stages": [
                {
                    "stage": str(result.stage),
                    "status": str(result.status),
                    "ms": result.ms,
                    "facts": _bounded(dict(result.facts)),
                }
                for result in self.stages
            ],
            "transcript": [
                {"at_ms": line.at_ms, "direction": str(line.direction), "text": line.text}
                for line in self.transcript
            ],
            "settings": _bounded(dict(self.settings)),
            "environment": _bounded({"report_id": self.id, **self.environment}),
        }


def finding_json(finding: Finding) -> dict[str, Json]:
    """Return a finding in the form that a report contains."""
    reply = finding.reply
    sentences: dict[str, Json] = {
        "summary": _sentences(finding.summary),
        "explanation": _sentences(finding.explanation),
        "remedies": [_sentences(remedy.text) for remedy in finding.remedies],
    }
    return {
        "code": finding.code,
        "stage": str(finding.stage),
        "severity": str(finding.severity),
        "summary": finding.summary,
        "explanation": finding.explanation,
        "remedies": [
            {"id": remedy.id, "text": remedy.text, "changes": dict(remedy.changes)}
            for remedy in finding.remedies
        ],
        "sentences": sentences,
        "who": str(finding.who),
        "reply": None
        if reply is None
        else {"code": reply.code, "enhanced": reply.enhanced, "text": reply.text},
    }


def _sentences(text: str) -> list[Json]:
    """Return the sentences of a text with their facts: whoever reads it may word it anew."""
    if not isinstance(text, Text):
        return []
    return [
        {
            "text": english,
            "facts": {
                name: _sentences(fact) if isinstance(fact, Text) else fact
                for name, fact in facts.items()
            },
        }
        for english, facts in text.sentences
    ]


def _bounded(value: Json) -> Json:
    """Return a value of any size as a report can hold it: servers have no bounds of their own."""
    if isinstance(value, str):
        return value if len(value) <= MAX_TEXT else value[: MAX_TEXT - 1] + _CUT
    if isinstance(value, list):
        kept = [_bounded(item) for item in value[:MAX_ITEMS]]
        if len(value) > MAX_ITEMS and isinstance(kept[-1], str):
            kept[-1] = f"{_CUT} and {len(value) - MAX_ITEMS + 1} more"
        return kept
    if isinstance(value, dict):
        return {name: _bounded(item) for name, item in list(value.items())[:MAX_ITEMS]}
    return value


def fold_stages(events: Iterable[StageEvent]) -> tuple[StageResult, ...]:
    """Join the events of a test into one result a stage: last status, times added, facts joined."""
    results: dict[Stage, StageResult] = {}
    for event in events:
        before = results.get(event.stage, StageResult(event.stage, event.status, 0, {}))
        spent = before.ms + round(event.ms)
        results[event.stage] = StageResult(
            event.stage, event.status, spent, {**before.facts, **event.facts}
        )
    return tuple(results.values())
