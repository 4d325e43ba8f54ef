"""Every cause of the machine's mail program, as `smtp-desk send` tells it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from smtp_desk.core.exit_status import ExitStatus
from tests.e2e.program import run

if TYPE_CHECKING:
    from tests.e2e.causes import Cause

SEND = (
    *("send", "--json", "invitation", "--to", "ann@example.test"),
    *("--set", "invited_by=Bo", "--set", "link=https://platform.example.test/join"),
)
OK, UNAVAILABLE = int(ExitStatus.OK), int(ExitStatus.UNAVAILABLE)


@pytest.fixture
def mta(tmp_path: Path) -> Path:
    """A mail program that takes all, the default email service by now."""
    path = tmp_path / "sendmail"
    write(path, "cat > /dev/null")
    ended = run("default", "sendmail", str(path), "--from-email", "desk@example.test")
    assert ended.returncode == OK, ended.stderr
    return path


def write(path: Path, commands: str) -> None:
    path.write_text(f"#!/bin/sh\n{commands}\n")
    path.chmod(0o755)


def told(cause: Cause, fate: str) -> None:
    """Send an email; fail unless its receipt names the cause."""
    ended = run(*SEND)
    (recipient,) = json.loads(ended.stdout)["recipients"]
    finding = recipient["finding"]
    assert (finding["code"], finding["stage"]) == (cause.code, cause.stage)
    assert (recipient["fate"], ended.returncode) == (fate, cause.status)
    cause.shown = True


def ends_with(status: int) -> str:
    return f"cat > /dev/null; echo 'some words' >&2; exit {status}"


@pytest.mark.parametrize(
    ("commands", "fate"),
    [
        pytest.param(
            ends_with(65), "refused",
            marks=pytest.mark.cause("sendmail.refused", "message", UNAVAILABLE),
        ),
        pytest.param(
            ends_with(67), "refused",
            marks=pytest.mark.cause("sendmail.unknown_recipient", "recipient", UNAVAILABLE),
        ),
        pytest.param(
            ends_with(69), "queued",
            marks=pytest.mark.cause("sendmail.unavailable", "message", OK),
        ),
        pytest.param(
            ends_with(75), "queued",
            marks=pytest.mark.cause("sendmail.temporary", "message", OK),
        ),
        pytest.param(
            ends_with(78), "queued",
            marks=pytest.mark.cause("sendmail.failed", "message", OK),
        ),
        pytest.param(
            "cat > /dev/null; kill -9 $$", "uncertain",
            marks=pytest.mark.cause("sendmail.unconfirmed", "message", OK),
        ),
    ],
)  # fmt: skip
def test_it_ends_so(cause: Cause, mta: Path, commands: str, fate: str) -> None:
    write(mta, commands)
    told(cause, fate)


@pytest.mark.cause("sendmail.not_found", "settings", OK)
def test_it_was_uninstalled(cause: Cause, mta: Path) -> None:
    mta.unlink()
    told(cause, "queued")


@pytest.mark.cause("sendmail.is_this_program", "settings", OK)
def test_this_program_took_its_place(cause: Cause, mta: Path) -> None:
    write(mta, f'exec {shutil.which("env")} smtp-desk sendmail "$@"')
    told(cause, "queued")
