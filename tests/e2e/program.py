"""The program as a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING, Final

from tests.servers.child import Child

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

COMMAND: Final = (sys.executable, "-m", "smtp_desk")
_SECONDS: Final = 60.0


def run(
    *arguments: str, stdin: bytes = b"", env: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[bytes]:
    """Run the program to its end; more than a minute is a hang."""
    return subprocess.run(
        [*COMMAND, *arguments],
        input=stdin,
        capture_output=True,
        env={**os.environ, **(env or {})},
        timeout=_SECONDS,
        check=False,
    )


def start(*arguments: str, env: Mapping[str, str] | None = None) -> subprocess.Popen[bytes]:
    """Start the program with pipes at all its streams."""
    return Child(
        [*COMMAND, *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, **(env or {})},
    )


def settings_for(
    port: int, ca_file: Path, *, username: str = "desk", sender: str = "desk@example.test"
) -> list[str]:
    """SETTINGS for a server of the tests."""
    return [
        *("--host", "localhost"),
        *("--port", str(port)),
        *("--username", username),
        *("--from-email", sender),
        *("--ca-file", str(ca_file)),
    ]
