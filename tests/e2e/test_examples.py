"""The program in README runs as it stands, against the sandbox."""

from __future__ import annotations

import re
import shlex
import signal
import subprocess
import sys
from pathlib import Path
from typing import IO, Final

import pytest

from tests.e2e.program import run, start

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="a POSIX shell runs the command")
README: Final = Path(__file__).parents[2] / "README.md"
_SECONDS: Final = 60.0


def example() -> str:
    """The one Python program in README."""
    (found,) = re.findall(r"```python\n(.*?)```", README.read_text("utf-8"), re.DOTALL)
    return str(found)


def lines_until(stream: IO[bytes], last: str) -> list[str]:
    """The lines up to the one that begins with `last`."""
    lines: list[str] = []
    while not lines or not lines[-1].startswith(last):
        lines.append(stream.readline().decode().rstrip("\n"))
        assert lines[-1] or len(lines) < 200, lines
    return lines


def test_the_program_in_readme_sends_an_invitation(tmp_path: Path) -> None:
    with start("sandbox") as sandbox:
        assert sandbox.stdout is not None
        introduction = lines_until(sandbox.stdout, "Press Ctrl-C to stop the sandbox")
        (line,) = (line for line in introduction if "smtp-desk configure" in line)
        home, password = (word.partition("=")[2] for word in shlex.split(line)[:2])
        env = {"SMTP_DESK_HOME": str(tmp_path / home), "SMTP_DESK_PASSWORD": password}
        saved = run(*shlex.split(line)[3:], env=env)
        assert saved.returncode == 0, saved
        assert run("enable", env=env).returncode == 0
        done = subprocess.run(
            [sys.executable, "-c", example()],
            env=env,
            capture_output=True,
            timeout=_SECONDS,
            check=False,
            text=True,
        )
        assert (done.stdout, done.stderr) == ("ann@example.org accepted by custom\n", "")
        mails = lines_until(sandbox.stdout, "subject: Bo invites you")
        assert mails.count("to: ann@example.org") == 2
        sandbox.send_signal(signal.SIGTERM)
        sandbox.communicate(timeout=_SECONDS)


def test_every_command_in_readme_is_there() -> None:
    commands = set(re.findall(r"smtp-desk ([a-z][a-z-]*)\b", README.read_text("utf-8")))
    known = run("--help").stdout.decode()
    missing = {name for name in commands if not re.search(rf"^  {name} ", known, re.MULTILINE)}
    assert not missing
