"""The exit status is a contract with scripts."""

import csv
from pathlib import Path

from smtp_desk.core.exit_status import ExitStatus, exit_status
from smtp_desk.core.findings.finding import Finding, FindingSeverity, Scope, Who
from smtp_desk.core.stages import Stage
from tests.table import each_row

_TEMPORARY = {
    "resolve.temporary", "auth.temporary", "sender.temporary", "recipient.temporary",
    "message.temporary", "greeting.busy", "tls.temporarily_unavailable",
    "oauth.unreachable", "auth.too_many_attempts", "auth.password_transition",
    "recipient.greylisted",
    "recipient.throttled", "message.concurrency", "message.unconfirmed",
    "message.lost_before_end", "session.closed", "session.timeout",
    "sendmail.temporary", "sendmail.unconfirmed",
}  # fmt: skip
_ROWS = list(
    csv.DictReader((Path(__file__).parent / "findings.csv").read_text("utf-8").splitlines())
)


def _expected(row: dict[str, str]) -> int:
    code = row["code"]
    single = {
        "session.cancelled": 130,
        "session.internal_error": 70,
        "session.protocol_error": 76,
        "settings.part_missing": 69,
    }
    if row["severity"] == "warning":
        return 0
    if code in single:
        return single[code]
    if code in _TEMPORARY:
        return 75
    return {"settings": 65, "auth": 77, "oauth": 77, "sender": 77}.get(code.partition(".")[0], 69)


@each_row("row", _ROWS, ids=lambda row: row["code"])
def test_by_finding(row: dict[str, str]) -> None:
    finding = Finding(
        code=row["code"],
        stage=Stage.AUTH,
        severity=FindingSeverity(row["severity"]),
        summary="",
        explanation="",
        who=Who(row["who"]),
        scope=Scope(row["scope"]),
    )
    assert exit_status(finding) == _expected(row)


def test_no_finding_is_success() -> None:
    assert exit_status(None) == 0


def test_the_numbers_of_commands() -> None:
    named = (ExitStatus.USAGE, ExitStatus.CANTCREAT, ExitStatus.CONFIG)
    assert [int(status) for status in named] == [64, 73, 78]
