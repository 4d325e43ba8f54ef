"""The route through this machine's mail program (MTA), such as `/usr/sbin/sendmail`.

Running a mail program: one message on its standard input, its end and its words.

Whether a program is this one: emails handed to it would go round in circles.
"""

import contextlib
import os
import re
import shutil
import signal
import subprocess
import sys
import sysconfig
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final, final

from smtp_desk.core.errors import SmtpFailure
from smtp_desk.core.findings.catalogue import Catalogue
from smtp_desk.core.findings.finding import Finding
from smtp_desk.core.reply import decode_text
from smtp_desk.core.stages import Json, Stage
from smtp_desk.sender.mail.addressing import Identity, addressed
from smtp_desk.sender.outbox.entries import OutboxMessage
from smtp_desk.sender.routes.health import Ending
from smtp_desk.sender.routes.route import (
    DEFAULT,
    RouteResult,
    Upcoming,
    nothing_upcoming,
    writing,
)
from smtp_desk.smtp.net.deadline import Deadline
from smtp_desk.smtp.session.envelope import Status
from smtp_desk.smtp.session.transaction import BeforeDot

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
        status: Its exit status; None if it was killed or took too long.
        words: Its standard error, shortened, on one line, safe to show.
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
        lines = (decode_text(line).strip() for line in self._octets.splitlines())
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

    def submit(self, content: bytes, deadline: Deadline) -> Ended:
        """Pass it a message, with LF line ends, and wait until it ends.

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
        """Stop it and everything it has started; takes seconds at most."""
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


LIMIT_SECONDS: Final = 300.0
"""How long the program may take for one message; the lease of the final dot is longer."""

_NOT_FOUND: Final = "sendmail.not_found"
_TEMPORARY: Final = "sendmail.temporary"
_UNCONFIRMED: Final = "sendmail.unconfirmed"
_FAILED: Final = "sendmail.failed"
_CANCELLED: Final = "session.cancelled"
# The numbers of sysexits.h; any other says that the program is not what we take it for.
_BY_STATUS: Final[Mapping[int, tuple[str, Stage]]] = {
    65: ("sendmail.refused", Stage.MESSAGE),
    67: ("sendmail.unknown_recipient", Stage.RECIPIENT),
    68: ("sendmail.unknown_recipient", Stage.RECIPIENT),
    69: ("sendmail.unavailable", Stage.MESSAGE),
    75: (_TEMPORARY, Stage.MESSAGE),
}


@final
class SendmailRoute:
    """A `Route` through a program that is called like sendmail: `-i -f SENDER -- RECIPIENT`.

    It runs once for each recipient, because its only answer is an exit status: for several
    recipients it couldn't tell which it refused.
    """

    def __init__(
        self,
        path: str,
        identity: Identity,
        catalogue: Catalogue,
        *,
        limit_seconds: float = LIMIT_SECONDS,
    ) -> None:
        """Prepare, without running anything.

        Args:
            path: The absolute path of the program.
            identity: The sender of emails.
            catalogue: Names causes.
            limit_seconds: How long it may take for one message, all recipients together.
        """
        self._path = Path(path)
        self._identity = identity
        self._catalogue = catalogue
        self._limit_seconds = limit_seconds
        self._lock = threading.Lock()
        self._running: set[MailProgram] = set()
        self._retired = threading.Event()
        self._closed = threading.Event()

    @property
    def name(self) -> str:
        """`DEFAULT`."""
        return DEFAULT

    def send(
        self,
        message: OutboxMessage,
        recipients: tuple[str, ...],
        before_dot: BeforeDot,
        patience: Deadline,  # noqa: ARG002 - a program takes what it is given, at once
        upcoming: Upcoming = nothing_upcoming,  # noqa: ARG002 - and one at a time
    ) -> tuple[RouteResult, ...]:
        """Hand the message to the program; see `Route`.

        `before_dot` is called once, before the program starts: from then on it may send.
        """
        problem = self.probe()
        if problem is not None:
            return tuple(_refused(recipient, problem) for recipient in recipients)
        with writing():
            mail = addressed(message, recipients, self._identity)
        before_dot()
        deadline = Deadline.after(self._limit_seconds)
        sender = mail.envelope.sender or "<>"
        return tuple(
            self._hand_over(recipient, ["-i", "-f", sender, "--", wire], mail.content, deadline)
            for recipient, wire in zip(recipients, mail.envelope.recipients, strict=True)
        )

    def abandon(self) -> None:
        """Do nothing: no message is begun before its time."""

    def probe(self) -> Finding | None:
        """Return why the program can't be run, or None."""
        if self._retired.is_set():
            return self._finding(_CANCELLED, Stage.SETTINGS)
        reason = self._reason()
        if reason:
            return self._finding(_NOT_FOUND, Stage.SETTINGS, reason=reason)
        if is_this_program(self._path):
            return self._finding("sendmail.is_this_program", Stage.SETTINGS)
        return None

    def endings(self) -> tuple[Ending, ...]:
        """Return nothing; see `Route`."""
        return ()

    def retire(self) -> None:
        """Take no new mail; see `Route`. What comes yet is given back with `session.cancelled`."""
        self._retired.set()

    def close(self) -> None:
        """Retire, and stop what is running; whether that email is sent is then uncertain."""
        self.retire()
        with self._lock:
            self._closed.set()
            running = list(self._running)
        for program in running:
            program.stop()

    def _reason(self) -> str:
        if not self._path.is_absolute():
            return "the path is not absolute"
        try:
            is_file = self._path.is_file()
        except OSError:  # a name that is too long
            is_file = False
        if not is_file:
            return "there is no such file"
        return "" if os.access(self._path, os.X_OK) else "it may not be run"

    def _hand_over(
        self, recipient: str, arguments: list[str], content: bytes, deadline: Deadline
    ) -> RouteResult:
        if self._closed.is_set():
            return _refused(recipient, self._finding(_CANCELLED, Stage.MESSAGE))
        if deadline.passed:
            return _refused(recipient, self._finding(_TEMPORARY, Stage.MESSAGE))
        try:
            program = MailProgram([str(self._path), *arguments])
        except OSError as error:
            reason = error.strerror or type(error).__name__
            return _refused(recipient, self._finding(_NOT_FOUND, Stage.SETTINGS, reason=reason))
        with self._lock:
            self._running.add(program)
        try:
            if self._closed.is_set():
                program.stop()
            return self._result(recipient, program.submit(content, deadline))
        finally:
            with self._lock:
                self._running.discard(program)

    def _result(self, recipient: str, end: Ended) -> RouteResult:
        if end.status == 0:
            return RouteResult(recipient, Status.ACCEPTED, end.words)
        facts: dict[str, Json] = {"recipient": recipient}
        if end.words:
            facts["words"] = end.words
        if end.status is None:
            finding = self._finding(_UNCONFIRMED, Stage.MESSAGE, **facts)
            return RouteResult(recipient, Status.UNCERTAIN, end.words, finding)
        code, stage = _BY_STATUS.get(end.status, (_FAILED, Stage.MESSAGE))
        finding = self._finding(code, stage, status=end.status, **facts)
        return RouteResult(recipient, Status.REFUSED, end.words, finding)

    def _finding(self, code: str, stage: Stage, **facts: Json) -> Finding:
        known = {"program": str(self._path), **facts}
        return self._catalogue.find(SmtpFailure(stage, code, facts=known), {})


def _refused(recipient: str, finding: Finding) -> RouteResult:
    return RouteResult(recipient, Status.REFUSED, finding=finding)


_NAME: Final = "smtp-desk"
_SPELLINGS: Final = (b"smtp-desk", b"smtp_desk")
_SCRIPT: Final = b"#!"
_SCRIPT_OCTETS: Final = 64 * 1024


def is_this_program(path: Path) -> bool:
    """Whether `path` is this program, a link to it, or a script that starts it."""
    for own in _own():
        with suppress(OSError):
            if path.samefile(own):
                return True
    try:
        with path.open("rb") as file:
            text = file.read(_SCRIPT_OCTETS)
    except OSError:
        return False
    return text.startswith(_SCRIPT) and any(name in text for name in _SPELLINGS)


def _own() -> Iterator[Path]:
    yield Path(sys.argv[0])
    yield Path(sysconfig.get_path("scripts")) / _NAME
    if found := shutil.which(_NAME):
        yield Path(found)
