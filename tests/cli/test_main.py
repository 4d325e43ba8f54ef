"""How commands end: the exit statuses of the contract, and faults of our own."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from smtp_desk import __main__ as program
from smtp_desk.app.logs import LOG_FILE
from smtp_desk.app.proving.proving import ProofResult
from smtp_desk.cli import proof as proof_output
from smtp_desk.cli import saved
from smtp_desk.core.findings.finding import Finding, FindingSeverity, Scope, Who
from smtp_desk.core.report import CheckReport, ReportOutcome
from smtp_desk.core.stages import Stage
from smtp_desk.core.texts import UNREACHABLE
from tests.cli.desk import RECIPIENT

if TYPE_CHECKING:
    from tests.cli.desk import Desk

CHECK = ("check", "--host", "localhost", "--to", RECIPIENT)
STATUSES = {
    **dict.fromkeys(("settings.host_invalid", "settings.secret_unavailable"), 65),
    "session.internal_error": 70,
    "session.protocol_error": 76,
    **dict.fromkeys(
        (
            "resolve.temporary", "auth.temporary", "sender.temporary", "recipient.temporary",
            "message.temporary", "greeting.busy", "tls.temporarily_unavailable",
            "auth.too_many_attempts", "auth.password_transition", "recipient.greylisted",
            "recipient.throttled", "message.concurrency", "message.unconfirmed",
            "message.lost_before_end", "session.closed", "session.timeout",
        ),
        75,
    ),
    **dict.fromkeys(("auth.rejected", "auth.closed", "sender.not_owned", "sender.quota"), 77),
    **dict.fromkeys(
        ("settings.part_missing", "resolve.not_found", "connect.refused", "tls.expired",
         "recipient.unknown", "message.spam", "greeting.closed", "ehlo.refused"),
        69,
    ),
}  # fmt: skip


def report_of(code: str) -> CheckReport:
    finding = Finding(
        code=code,
        stage=Stage.CONNECT,
        severity=FindingSeverity.ERROR,
        summary="It failed.",
        explanation="",
        who=Who.YOU,
        scope=Scope.ROUTE,
    )
    return CheckReport(
        outcome=ReportOutcome.UNREACHABLE,
        finding=finding,
        stages=(),
        transcript=(),
        settings={},
        environment={},
        id="cafe",
    )


@pytest.mark.parametrize("code", STATUSES)
def test_the_exit_status_follows_the_finding(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, code: str
) -> None:
    monkeypatch.setattr(proof_output, "run_proof", lambda *_: ProofResult(report_of(code)))
    ended = desk(*CHECK)
    assert ended.status == STATUSES[code]
    assert ended.out.splitlines()[0] == UNREACHABLE


def test_a_cancelled_test_has_no_outcome(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    cancelled = report_of("session.cancelled")
    monkeypatch.setattr(proof_output, "run_proof", lambda *_: ProofResult(cancelled))
    ended = desk(*CHECK)
    assert ended.status == 130
    assert ended.out.splitlines() == ["The test was cancelled.", "report ID: cafe"]


def test_a_fault_of_our_own_is_logged_and_told_without_a_traceback(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_services: object) -> None:
        raise ZeroDivisionError("inside")

    monkeypatch.setattr(saved, "load_saved", broken)
    ended = desk("show")
    log = desk.services.paths.logs / LOG_FILE
    assert (ended.status, ended.out) == (70, "")
    assert ended.err == f"smtp-desk: Internal error; see {log}\n"
    assert "    ZeroDivisionError: inside" in log.read_text()


def test_output_that_can_not_be_written(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_services: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(saved, "load_saved", full)
    ended = desk("show")
    assert ended.status == 73
    assert "couldn’t write the output" in ended.err


@pytest.mark.usefixtures("unmeasured")
def test_the_command_line_waits_for_nothing_that_a_command_may_not_need() -> None:
    program = (
        "import sys, smtp_desk.cli.main;"
        "sys.exit(any(name in sys.modules for name in ('smtp_desk.app.services', 'sqlite3')))"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


_IN_TURN = """
import contextlib, io, sys
from smtp_desk.__main__ import main
for words in (["status"], ["show"], ["outbox", "list"], ["check", "--help"], ["send", "--help"],
              ["find", "--help"], ["default"]):
    sys.argv = ["smtp-desk", *words]
    with contextlib.redirect_stdout(io.StringIO()), contextlib.suppress(SystemExit):
        main()
print(*sorted({name.partition(".")[0] for name in sys.modules}))
"""


@pytest.mark.usefixtures("unmeasured")
def test_a_command_loads_nothing_that_only_a_session_or_an_address_needs() -> None:
    done = subprocess.run(
        [sys.executable, "-c", _IN_TURN], check=True, capture_output=True, text=True, timeout=60
    )
    loaded = set(done.stdout.split())
    assert {"click", "sqlite3"} <= loaded
    assert not loaded & {
        *("asyncio", "cryptography", "dns", "email_validator", "jinja2", "keyring", "rich"),
        "tomlkit",
        *("aiosmtpd", "apprise", "PySide6"),
    }


@pytest.mark.parametrize(
    ("words", "codes"),
    [
        (["version"], ["xx"]),
        (["version", "--json"], []),
        (["status", "--prometheus"], []),
    ],
)
def test_a_process_speaks_the_language_of_its_terminal_unless_a_program_reads_it(
    monkeypatch: pytest.MonkeyPatch, words: list[str], codes: list[str]
) -> None:
    spoken: list[str] = []
    monkeypatch.setattr(program, "take_environment", lambda: {"LC_MESSAGES": "xx"})
    monkeypatch.setattr(program, "language_of", lambda environ: environ["LC_MESSAGES"])
    monkeypatch.setattr("smtp_desk.store.translations.speak", spoken.append)
    monkeypatch.setattr("smtp_desk.cli.main.main", lambda *_given: 0)
    monkeypatch.setattr(sys, "argv", ["smtp-desk", *words])
    with pytest.raises(SystemExit, match="0"):
        program.main()
    assert spoken == codes
