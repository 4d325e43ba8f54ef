"""The program as a process of its own, and a person who does what it asks for in a browser."""

from __future__ import annotations

import subprocess
import threading
from typing import TYPE_CHECKING, Final

from tests.e2e.program import start

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_SECONDS: Final = 90.0


def run_signing_in(
    *arguments: str,
    act: Callable[[str, subprocess.Popen[bytes]], None],
    env: Mapping[str, str],
    stdin: bytes = b"",
) -> subprocess.CompletedProcess[bytes]:
    """Run a command to its end; once it names a page, `act` is called with its address."""
    program = start(*arguments, env=env)
    assert program.stdin is not None
    assert program.stdout is not None
    assert program.stderr is not None
    program.stdin.write(stdin)
    program.stdin.close()
    shown: list[bytes] = []
    errors: list[bytes] = []
    listening = threading.Thread(target=lambda: errors.extend(program.stderr or ()), daemon=True)
    listening.start()
    watch = threading.Timer(_SECONDS, program.kill)
    watch.start()
    try:
        for line in program.stdout:
            shown.append(line)
            word = line.decode().strip()
            if word.startswith("https://"):
                act(word, program)
        listening.join()
        returncode = program.wait()
    finally:
        watch.cancel()
        program.kill()
        program.stdout.close()
        program.stderr.close()
    return subprocess.CompletedProcess(arguments, returncode, b"".join(shown), b"".join(errors))
