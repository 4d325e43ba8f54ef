"""Sends a program's errors by email: a handler for the standard library's `logging`.

    handler = EmailHandler("it@example.org", prefix="[shop] ")
    logging.getLogger().addHandler(handler)

or in the dictionary for `logging.config.dictConfig` or Django's `LOGGING`:

    "mail": {"class": "smtp_desk.contrib.logging.EmailHandler", "to": ["it@example.org"]}

The email says what the log says, secrets included: choose its recipients with care.
"""

import atexit
import logging
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from email.message import EmailMessage
from typing import Final, TypeAlias

from smtp_desk.contrib.shared_sender import shared_sender
from smtp_desk.core.address import AddressError, has_control, parse_mailbox
from smtp_desk.core.reply import visible
from smtp_desk.core.texts import PROBLEMS
from smtp_desk.sender import EmailError, EmailRefusedError, Receipt, Sender
from smtp_desk.sender.dispatcher import PATIENCE_S
from smtp_desk.sender.outbox.outage_log import OutageLog
from smtp_desk.smtp.net.forks import run_after_fork

_OURS: Final = "smtp_desk"
_EVERY_S: Final = 300.0
_TOGETHER_S: Final = 1.0
_CLOSES_WITHIN_S: Final = 5.0
_MOST_TEXTS: Final = 50
_MOST_CHARACTERS: Final = 16_384
_MOST_OF_SUBJECT: Final = 120

_Place: TypeAlias = tuple[str, int, str, int]

_log: Final = logging.getLogger(__name__)


@dataclass(slots=True)
class _Bundle:
    """What one email says: each text once, for those of one place in the program are alike."""

    subject: str = ""
    texts: dict[_Place, str] = field(default_factory=dict)
    counts: Counter[_Place] = field(default_factory=Counter)
    left_out: int = 0

    def add(self, place: _Place, subject: str, text: str, count: int = 1) -> None:
        if place not in self.texts and len(self.texts) >= _MOST_TEXTS:
            self.left_out += count
            return
        self.subject = self.subject or subject
        self.texts.setdefault(place, text)
        self.counts[place] += count

    def add_all(self, later: "_Bundle") -> None:
        for place, text in later.texts.items():
            self.add(place, later.subject, text, later.counts[place])
        self.left_out += later.left_out

    def message(self, prefix: str, to: Sequence[str]) -> EmailMessage:
        more = self.counts.total() + self.left_out - 1
        parts = [
            f"{text}\n(logged {self.counts[place]:,} times)" if self.counts[place] > 1 else text
            for place, text in self.texts.items()
        ]
        if self.left_out:
            parts.append(f"{self.left_out:,} others are left out of this email.")
        message = EmailMessage()
        message["To"] = ", ".join(to)
        message["Subject"] = f"{prefix}{self.subject}" + (f" (and {more:,} more)" if more else "")
        message["Auto-Submitted"] = "auto-generated"  # so that no absence answers (RFC 3834, 5)
        message.set_content("\n\n".join(parts) + "\n")
        return message


class EmailHandler(logging.Handler):
    """Emails log records without making the program wait.

    The first record is sent after one second, with any others from that second. After that there
    is at most one email every five minutes, with all records since the last; those from the same
    line of code appear once, with their number. A separate thread sends the emails, or stores
    them for later, as `Sender.send` does. What SMTP Desk itself logs is never emailed, nor what
    other libraries log in that thread.

    Secrets aren't removed: use a `logging.Filter` for what the recipients must not read. Long texts
    are shortened, and an email has at most 50 of them.

    When the program ends, and on `close`, waiting records get 5 s to be sent or stored.
    """

    def __init__(
        self,
        to: str | Sequence[str],
        *,
        level: int | str = logging.ERROR,
        prefix: str = "",
        every: float = _EVERY_S,
        sender: Callable[[], Sender] = shared_sender.get,
    ) -> None:
        """Create the handler without opening anything.

        Args:
            to: The recipient's address, or several.
            level: The lowest level that is emailed.
            prefix: The beginning of each subject, such as `[shop] `.
            every: The shortest time between two emails, in seconds.
            sender: Returns the sender to use; by default one with the saved settings, shared by
                this whole process.

        Raises:
            EmailError: `to` has no address or a wrong one, or `prefix` has a control character.
            ValueError: `level` isn't the name of a level.
        """
        super().__init__(level)
        self._to = tuple(_mailbox(each) for each in ([to] if isinstance(to, str) else to))
        if not self._to:
            raise EmailError("to", "There is no recipient.")
        if has_control(prefix):
            raise EmailError("prefix", PROBLEMS["control_character"])
        self._prefix = prefix
        self._every = every
        self._sender = sender
        self._outage = OutageLog(_log, "errors can’t be emailed: %s", "errors are emailed again")
        self._next_at = time.monotonic()
        self.after_fork()
        run_after_fork(self.after_fork)

    def after_fork(self) -> None:
        """Forget the parent's thread, and the records that the parent will send; see `forks`."""
        self._changed = threading.Condition()
        self._bundle = _Bundle()
        self._thread: threading.Thread | None = None
        self._closing = False
        self._within = threading.local()

    def emit(self, record: logging.LogRecord) -> None:
        """Add a record to the next email, and return at once."""
        ours = record.name.partition(".")[0] == _OURS or threading.current_thread() is self._thread
        if ours or getattr(self._within, "emit", False):
            return
        self._within.emit = True  # what a value logs while it is made a text is not told, too
        try:
            self._note(record)
        except Exception:  # noqa: BLE001 - as every handler does: a log line ends no program
            self.handleError(record)
        finally:
            self._within.emit = False

    def close(self) -> None:
        """Send or store waiting records, for which they get 5 s; later ones start a new email."""
        with self._changed:
            self._closing = True
            self._changed.notify_all()
            thread = self._thread
        atexit.unregister(self.close)
        if thread is not None and thread is not threading.current_thread():
            thread.join(_CLOSES_WITHIN_S)
        super().close()

    def _note(self, record: logging.LogRecord) -> None:
        place = (record.name, record.levelno, record.pathname, record.lineno)
        text = _shortened(self.format(record))  # before the lock: this is the program's own matter
        first = next(iter(record.getMessage().strip().splitlines()), "")
        subject = f"{record.levelname}: {first}"
        with self._changed:
            if not self._bundle.texts:
                self._next_at = max(self._next_at, time.monotonic() + _TOGETHER_S)
            self._bundle.add(place, visible(subject[:_MOST_OF_SUBJECT]), text)
            if self._thread is None:
                self._begin()
            self._changed.notify_all()

    def _begin(self) -> None:
        self._closing = False
        thread = threading.Thread(target=self._work, name="log-email", daemon=True)
        thread.start()
        self._thread = thread
        atexit.register(self.close)  # before the sender that all share is closed

    def _work(self) -> None:
        while bundle := self._next():
            self._send(bundle)

    def _next(self) -> _Bundle | None:
        """Wait for what is to be sent, and for its time; return None once closed."""
        with self._changed:
            while not self._bundle.texts:
                if self._closing:
                    self._thread = None
                    return None
                self._changed.wait()
            while not self._closing and (left := self._next_at - time.monotonic()) > 0:
                self._changed.wait(left)
            bundle, self._bundle = self._bundle, _Bundle()
            self._next_at = time.monotonic() + self._every
            return bundle

    def _send(self, bundle: _Bundle) -> None:
        timeout = _CLOSES_WITHIN_S if self._closing else PATIENCE_S
        try:
            message = bundle.message(self._prefix, self._to)
            receipt = self._sender().send(message, timeout=timeout)
        except EmailError as error:
            self._outage.failed(error)
        except Exception as error:  # noqa: BLE001 - this thread tells of all that comes later
            self._outage.failed(error)
            self._keep(bundle)
        else:
            self._told(receipt)

    def _told(self, receipt: Receipt) -> None:
        if receipt.refused:
            self._outage.failed(EmailRefusedError(receipt))
        else:
            self._outage.worked()

    def _keep(self, bundle: _Bundle) -> None:
        """Tell it with the next email, unless there is none."""
        with self._changed:
            if not self._closing:
                bundle.add_all(self._bundle)
                self._bundle = bundle


def _mailbox(text: str) -> str:
    try:
        return parse_mailbox(text.strip()).address
    except AddressError as error:
        raise EmailError("to", PROBLEMS[error.code].format_map(error.params)) from error


def _shortened(text: str) -> str:
    """Return a text of bounded size, without control characters; a traceback's end says most."""
    if len(text) > _MOST_CHARACTERS:
        head, tail = text[: _MOST_CHARACTERS // 4], text[-_MOST_CHARACTERS * 3 // 4 :]
        left_out = len(text) - len(head) - len(tail)
        text = f"{head}\n[{left_out:,} characters are left out]\n{tail}"
    return "\n".join(visible(line.expandtabs(4)) for line in text.splitlines())
