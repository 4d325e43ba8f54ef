"""The program on a terminal of its own."""

from __future__ import annotations

import os
from typing import Final

from tests.e2e.program import COMMAND
from tests.servers.child import Child

_SECONDS: Final = 60.0


def on_terminal(
    *arguments: str, typed: bytes = b"", env: dict[str, str] | None = None
) -> tuple[int, str]:
    """Run the program on a terminal of its own; give the exit status and what it showed."""
    main, other = os.openpty()
    with Child(
        ["setsid", "--ctty", "--wait", *COMMAND, *arguments],
        stdin=other,
        stdout=other,
        stderr=other,
        env={**os.environ, "TERM": "xterm-256color", "COLUMNS": "100", **(env or {})},
    ) as program:
        os.close(other)
        shown = b""
        while True:
            try:
                shown += os.read(main, 65536)
            except OSError:  # Linux's way to say that nobody writes any more
                break
            if typed and b"Password" in shown:
                os.write(main, typed)
                typed = b""
        os.close(main)
        return program.wait(_SECONDS), shown.decode()
