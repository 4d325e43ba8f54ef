"""The route over the mail program (MTA) of this machine: `/usr/sbin/sendmail` and its like."""

import os
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Final, final

from smtp_desk.core.catalogue import Catalogue
from smtp_desk.core.errors import SmtpFailure
from smtp_desk.core.findings import Finding
from smtp_desk.core.stages import Json, Stage
from smtp_desk.sender.addressing import addressed
from smtp_desk.sender.entries import OutboxMessage
from smtp_desk.sender.mail_program import Ended, MailProgram
from smtp_desk.sender.this_program import is_this_program
from smtp_desk.sender.transport import DEFAULT, Identity, RouteResult, writing
from smtp_desk.smtp.deadline import Deadline
from smtp_desk.smtp.envelope import RecipientStatus
from smtp_desk.smtp.transaction import BeforeDot

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
    """A `Route` over a program that is called like sendmail: `-i -f SENDER -- RECIPIENT`.

    It runs once for each recipient, because its exit status is all that it answers: one
    for several could not tell whom it refused.
    """

    def __init__(
        self,
        path: str,
        identity: Identity,
        catalogue: Catalogue,
        *,
        limit_seconds: float = LIMIT_SECONDS,
    ) -> None:
        """Prepare; nothing runs.

        Args:
            path: The absolute path of the program.
            identity: Who emails come from.
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
        self, message: OutboxMessage, recipients: tuple[str, ...], before_dot: BeforeDot
    ) -> tuple[RouteResult, ...]:
        """Hand the message to the program; see `Route`.

        `before_dot` is called once, before the program begins: from then on it could send.
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

    def retire(self) -> None:
        """Take no new mail; see `Route`. What comes yet is given back with `session.cancelled`."""
        self._retired.set()

    def close(self) -> None:
        """Retire, and stop what runs: whether that email leaves is uncertain then."""
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
            return self._result(recipient, program.take(content, deadline))
        finally:
            with self._lock:
                self._running.discard(program)

    def _result(self, recipient: str, end: Ended) -> RouteResult:
        if end.status == 0:
            return RouteResult(recipient, RecipientStatus.ACCEPTED, end.words)
        facts: dict[str, Json] = {"recipient": recipient}
        if end.words:
            facts["words"] = end.words
        if end.status is None:
            finding = self._finding(_UNCONFIRMED, Stage.MESSAGE, **facts)
            return RouteResult(recipient, RecipientStatus.UNCERTAIN, end.words, finding)
        code, stage = _BY_STATUS.get(end.status, (_FAILED, Stage.MESSAGE))
        finding = self._finding(code, stage, status=end.status, **facts)
        return RouteResult(recipient, RecipientStatus.REFUSED, end.words, finding)

    def _finding(self, code: str, stage: Stage, **facts: Json) -> Finding:
        known = {"program": str(self._path), **facts}
        return self._catalogue.find(SmtpFailure(stage, code, facts=known), {})


def _refused(recipient: str, finding: Finding) -> RouteResult:
    return RouteResult(recipient, RecipientStatus.REFUSED, finding=finding)
