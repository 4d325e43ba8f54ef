"""The sandbox command: what it prints can be typed as it is, and its mail arrives."""

from __future__ import annotations

import shlex
import signal
import subprocess
import sys
from pathlib import Path
from typing import IO, Final

import pytest

from smtp_desk.core.exit_status import ExitStatus
from tests.e2e.program import COMMAND, start

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="a POSIX shell runs the command")
_SECONDS: Final = 60.0


def lines_until(stream: IO[bytes], last: str) -> list[str]:
    """The lines up to the one that begins with `last`."""
    lines = []
    for line in stream:
        lines.append(line.decode().rstrip("\n"))
        if lines[-1].startswith(last):
            return lines
    raise AssertionError(lines)


def test_the_command_it_prints_works_and_the_mail_is_shown() -> None:
    with start("sandbox") as program:
        assert program.stdout is not None
        introduction = lines_until(program.stdout, "Press Ctrl-C to stop the sandbox")
        assert not [line for line in introduction if line.startswith("What is wrong")]
        (command,) = (line for line in introduction if "smtp-desk check" in line)
        (ca_file,) = (line for line in introduction if line.startswith("CA file: "))
        done = subprocess.run(
            ["sh", "-c", command.replace("smtp-desk check", shlex.join((*COMMAND, "check")))],
            capture_output=True,
            timeout=_SECONDS,
            check=False,
        )
        mail = lines_until(program.stdout, "subject: ")
        folder = Path(ca_file.removeprefix("CA file: ")).parent
        assert folder.is_dir()
        program.send_signal(signal.SIGTERM)
        program.communicate(timeout=_SECONDS)
    assert done.returncode == 0, done
    assert mail[0] == "Mail 1 received"
    assert "to: ann@example.org" in mail
    assert program.returncode == 0
    assert not folder.exists()


def test_a_chosen_fault_is_what_a_test_finds() -> None:
    with start("sandbox", "--fault", "greylisting") as program:
        assert program.stdout is not None
        introduction = lines_until(program.stdout, "Press Ctrl-C to stop the sandbox")
        (command,) = (line for line in introduction if "smtp-desk check" in line)
        done = subprocess.run(
            ["sh", "-c", command.replace("smtp-desk check", shlex.join((*COMMAND, "check")))],
            capture_output=True,
            timeout=_SECONDS,
            check=False,
        )
        program.send_signal(signal.SIGTERM)
        program.communicate(timeout=_SECONDS)
    fault = "Fault greylisting: The server asks for a second attempt later (greylisting)."
    assert fault in introduction
    assert done.returncode == ExitStatus.TEMPFAIL, done
    assert b"recipient.greylisted" in done.stdout


def test_an_unknown_fault_is_a_wrong_command_line() -> None:
    with start("sandbox", "--fault", "bad-luck") as program:
        _, error = program.communicate(timeout=_SECONDS)
    assert program.returncode == ExitStatus.USAGE
    assert b"expired-certificate" in error
