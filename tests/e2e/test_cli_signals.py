"""Ctrl-C and SIGTERM end a test in good order; a second one ends the program."""

from __future__ import annotations

import contextlib
import signal
import subprocess
import sys
from typing import TYPE_CHECKING, Final

import pytest

from smtp_desk.core.report_reader import read_report
from tests.e2e.program import start
from tests.servers.script import Script, Silence
from tests.servers.scripted import ScriptedServer

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="sends POSIX signals")
_SECONDS: Final = 20.0


@contextlib.contextmanager
def waiting_check(*arguments: str) -> Iterator[subprocess.Popen[bytes]]:
    """A check that waits for a server that says nothing, once it is connected."""
    with (
        ScriptedServer(Script(greeting=Silence())) as server,
        start(
            *("check", "--host", server.host, "--port", str(server.port)),
            *("--security", "starttls", "--no-login", *arguments),
        ) as program,
    ):
        server.wait_for(lambda server: len(server.sessions) > 0)
        try:
            yield program
        finally:
            program.kill()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_first_signal_cancels_the_test(number: signal.Signals) -> None:
    with waiting_check("--json") as program:
        program.send_signal(number)
        out, err = program.communicate(timeout=_SECONDS)
    report = read_report(out)
    assert (program.returncode, err) == (130, b"")
    assert report.cancelled
    assert report.message == "Could not reach the SMTP server. Verify the host and port."


def test_a_person_reads_that_it_was_cancelled() -> None:
    with waiting_check() as program:
        program.send_signal(signal.SIGINT)
        out, _ = program.communicate(timeout=_SECONDS)
    assert program.returncode == 130
    assert b"The test was cancelled." in out
    assert b"Could not reach" not in out


def test_two_signals_at_once_end_the_program_whatever_it_does() -> None:
    with waiting_check() as program:
        program.send_signal(signal.SIGINT)
        program.send_signal(signal.SIGTERM)
        program.communicate(timeout=_SECONDS)
    assert program.returncode in (130, -signal.SIGTERM, -signal.SIGINT)


def test_the_sandbox_ends_well() -> None:
    with start("sandbox") as program:
        assert program.stdout is not None
        first = program.stdout.readline()
        while b"Press Ctrl-C to stop the sandbox" not in program.stdout.readline():
            pass
        program.send_signal(signal.SIGINT)
        _, err = program.communicate(timeout=_SECONDS)
    assert b"Sandbox" in first
    assert (program.returncode, err) == (0, b"")
