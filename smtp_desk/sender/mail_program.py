"""Running a mail program: one message on its standard input, its end and its words."""

import contextlib
import os
import re
import signal
import subprocess
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, final

from smtp_desk.core.reply import decode
from smtp_desk.smtp.deadline import Deadline

_LINE_ENDS: Final = re.compile(rb"\r\n?")
_MOST_OCTETS: Final = 4096
_CHUNK: Final = 4096
# What it wrote before it ended is here already; who it left behind may keep the pipe open.
_LAST_WORDS_SECONDS: Final = 0.5
_GRACE_SECONDS: Final = 2.0
# What programs and their settings need; above all nothing secret.
_KEPT: Final = ("HOME", "USER", "LOGNAME", "TMPDIR", "TZ")
_FIXED: Final[Mapping[str, str]] = {
    "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "LC_ALL": "C.UTF-8",
}
# A shell tells so that its child was killed: 128 and the number of the signal.
_KILLED_IN_A_SHELL: Final = 128


@dataclass(frozen=True, slots=True)
class Ended:
    """How a program ended.

    Attributes:
        status: Its exit status; None where it was killed or took too long.
        words: What it said on standard error, cut, on one line, safe to show.
    """

    status: int | None
    words: str


class _Words:
    """Reads standard error in a thread of its own, so that the program never waits for us."""

    def __init__(self, descriptor: int) -> None:
        self._octets = b""
        self._descriptor = descriptor
        self._thread = threading.Thread(target=self._read, name="words", daemon=True)
        self._thread.start()

    def text(self) -> str:
        """Return what was said."""
        self._thread.join(_LAST_WORDS_SECONDS)
        lines = (decode(line).strip() for line in self._octets.splitlines())
        return " ".join(line for line in lines if line)

    def _read(self) -> None:
        with open(self._descriptor, "rb", buffering=0) as stream:  # noqa: PTH123 - no path
            while chunk := stream.read(_CHUNK):
                self._octets = (self._octets + chunk)[:_MOST_OCTETS]


@final
class MailProgram:
    """One run of a mail program, in a process group of its own."""

    def __init__(self, command: Sequence[str]) -> None:
        """Start it; without a shell, in a clean environment.

        Args:
            command: The absolute path, and the arguments.

        Raises:
            OSError: It can't be started.
        """
        heard, said = os.pipe()
        try:
            self._process = subprocess.Popen(  # noqa: S603 - no shell, and who saved the path may run it
                [part.encode() for part in command],
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=said,
                env={**_FIXED, **{name: os.environ[name] for name in _KEPT if name in os.environ}},
                cwd="/",
                start_new_session=True,
            )
        except BaseException:
            os.close(heard)
            raise
        finally:
            os.close(said)
        self._words = _Words(heard)

    def take(self, content: bytes, deadline: Deadline) -> Ended:
        """Give it a message, its line ends made LF, and wait for its end.

        Args:
            content: The message.
            deadline: When it is stopped.
        """
        text = _LINE_ENDS.sub(b"\n", content)
        try:
            self._process.communicate(text, timeout=deadline.remaining)
        except subprocess.TimeoutExpired:
            self.stop()
            self._hang_up()
            return Ended(None, self._words.text())
        status = self._process.returncode
        killed = status < 0 or status > _KILLED_IN_A_SHELL
        return Ended(None if killed else status, self._words.text())

    def stop(self) -> None:
        """End it and all that it has started; takes seconds at most."""
        for way in (signal.SIGTERM, signal.SIGKILL):
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, way)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(_GRACE_SECONDS)
                return

    def _hang_up(self) -> None:
        if self._process.stdin is not None:
            with contextlib.suppress(OSError):
                self._process.stdin.close()
