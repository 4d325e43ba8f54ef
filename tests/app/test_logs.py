"""The log is private, bounded, one line a record, and holds no secret."""

from __future__ import annotations

import base64
import dataclasses
import logging
import os
import stat
from typing import TYPE_CHECKING

import pytest

from smtp_desk.app import logs
from smtp_desk.app.logs import LOG_FILE, hide_in_log, log_report, logging_to
from smtp_desk.core.findings.finding import Finding, FindingSeverity, Scope, Who
from smtp_desk.core.report import CheckReport, ReportOutcome
from smtp_desk.core.secret import Secret
from smtp_desk.core.stages import Stage

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

log = logging.getLogger("smtp_desk.test")

REJECTED = Finding(
    code="auth.rejected",
    stage=Stage.AUTH,
    severity=FindingSeverity.ERROR,
    summary="The password of ann@example.org is wrong.",
    explanation="",
    who=Who.YOU,
    scope=Scope.ROUTE,
)
REPORT = CheckReport(
    outcome=ReportOutcome.UNREACHABLE,
    finding=REJECTED,
    stages=(),
    transcript=(),
    settings={"username": "ann@example.org"},
    environment={},
    id="00ff00ff",
)


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "state" / "log"
    with logging_to(folder):
        yield folder


def lines(folder: Path) -> list[str]:
    return (folder / LOG_FILE).read_text().splitlines()


def test_nothing_is_made_before_the_first_line(folder: Path) -> None:
    assert not folder.exists()
    log.info("first")
    assert len(lines(folder)) == 1


def test_a_line_says_when_what_and_who(folder: Path) -> None:
    log.warning("the %s went out", "light")
    (line,) = lines(folder)
    when, level, name, *words = line.split()
    assert when.endswith("Z")
    assert (level, name) == ("WARNING", f"smtp_desk.test[{os.getpid()}]")
    assert words == ["the", "light", "went", "out"]


@pytest.mark.skipif(os.name != "posix", reason="modes are POSIX")
def test_file_and_folder_are_private_whatever_the_umask(folder: Path) -> None:
    before = os.umask(0)
    try:
        log.info("x")
    finally:
        os.umask(before)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE((folder / LOG_FILE).stat().st_mode) == 0o600


@pytest.mark.skipif(not hasattr(os, "O_NOFOLLOW"), reason="no such protection here")
def test_a_link_in_the_place_of_the_log_is_not_followed(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    victim = tmp_path / "victim"
    folder.mkdir(parents=True)
    (folder / LOG_FILE).symlink_to(victim)
    log.info("x")
    assert not victim.exists()
    assert "the log can’t be written" in capsys.readouterr().err


def test_no_message_forges_a_line(folder: Path) -> None:
    log.info("words: %s", "550 no\r\n2026-01-01 ERROR forged\x1b[2J\u2028again")
    (line,) = lines(folder)
    assert line.endswith("550 no\\x0d\\x0a2026-01-01 ERROR forged\\x1b[2J\\u2028again")


def test_a_traceback_is_indented_whatever_its_error_says(folder: Path) -> None:
    log.error("it broke", exc_info=ValueError("first\n2026-01-01 ERROR forged"))
    first, *rest = lines(folder)
    assert first.endswith("it broke")
    assert any("forged" in line for line in rest)
    assert all(line.startswith("    ") for line in rest)


def test_a_stack_is_indented_too(folder: Path) -> None:
    log.info("here", stack_info=True)
    assert all(line.startswith("    ") for line in lines(folder)[1:])


def test_a_secret_that_slips_through_is_hidden_in_every_coding(folder: Path) -> None:
    password = 'pä%ss "wörd\\1'
    hide_in_log(Secret(password))
    hide_in_log(Secret(password))
    hide_in_log(None)
    blob = base64.b64encode(f"\0ann\0{password}".encode()).decode()
    log.info("plain %s and base64 %s", password, blob)
    log.error("it broke", exc_info=ValueError(password))
    content = "\n".join(lines(folder))
    assert password not in content
    assert blob not in content
    assert content.count("‹hidden›") == 3


def test_a_failure_is_logged_by_id_code_and_stage_only(folder: Path) -> None:
    log_report(REPORT)
    warning = dataclasses.replace(
        REJECTED, code="tls.expires_soon", stage=Stage.TLS, severity=FindingSeverity.WARNING
    )
    sent = dataclasses.replace(
        REPORT, outcome=ReportOutcome.SENT, finding=None, warnings=(warning,)
    )
    log_report(sent)
    said = [line.partition("] ")[2] for line in lines(folder)]
    assert said == [
        "report 00ff00ff: auth.rejected at auth",
        "report 00ff00ff: sent",
        "report 00ff00ff: warning tls.expires_soon at tls",
    ]


def test_the_log_is_bounded(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logs, "MAX_BYTES", 200)
    for number in range(40):
        log.info("entry %04d %s", number, "x" * 100)
    files = sorted(path.name for path in folder.iterdir())
    assert files == [f"{LOG_FILE}.{n}" for n in range(1, logs.KEPT + 1)]
    assert "entry 0039" in (folder / f"{LOG_FILE}.1").read_text()
    assert sum(path.stat().st_size for path in folder.iterdir()) < 4 * 400


def test_two_writers_share_the_file_across_a_rotation(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logs, "MAX_BYTES", 1000)
    with logging_to(folder):
        for number in range(6):
            log.info("entry %d", number)
    everything = "".join(path.read_text() for path in folder.iterdir())
    assert [everything.count(f"entry {number}") for number in range(6)] == [2] * 6


def test_where_no_log_can_be_written_the_program_goes_on(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").touch()
    with logging_to(tmp_path / "file" / "log"):
        log.info("one")
        log.info("two")
    assert capsys.readouterr().err.count("the log can’t be written") == 1


def test_warnings_stand_on_the_terminal_too_without_tracebacks(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    hide_in_log(Secret("correct horse battery"))
    with logging_to(tmp_path, terminal=True):
        log.info("quiet")
        log.error("loud\ncorrect horse battery", exc_info=ValueError("inner"))
    assert capsys.readouterr().err == "smtp-desk: loud\\x0a‹hidden›\n"


def test_a_broken_log_call_never_breaks_the_program(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logging, "raiseExceptions", False)
    log.info("%d", "no number")
    log.info("next")
    assert lines(folder)[-1].endswith("next")


def test_afterwards_logging_is_as_it_was(tmp_path: Path) -> None:
    root, ours = logging.getLogger(), logging.getLogger("smtp_desk")
    before = (list(root.handlers), ours.level)
    with logging_to(tmp_path, terminal=True):
        assert len(root.handlers) == len(before[0]) + 2
    assert (list(root.handlers), ours.level) == before
