"""The mails the sandbox has accepted, newest last."""

import logging
import threading
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime

from smtp_desk.sandbox.mail_view import MailView, read_mail

MAX_MAILS = 200
MAX_BYTES = 64 * 1024 * 1024

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ReceivedMail:
    """One accepted mail: the envelope, the bytes as received, and their decoded form.

    Attributes:
        number: 1 for the first mail of a run, then counting up.
        received_at: When the final dot came, UTC.
        envelope_from: The address of MAIL FROM, "" for the null sender.
        recipients: The addresses of the accepted RCPT TO.
        raw: The message as on the wire, dots unstuffed.
        view: The message decoded for display.
    """

    number: int
    received_at: datetime
    envelope_from: str
    recipients: tuple[str, ...]
    raw: bytes = field(repr=False)
    view: MailView = field(repr=False)

    @property
    def headers(self) -> tuple[tuple[str, str], ...]:
        """Name and decoded value of each header, in the order of the mail."""
        return self.view.headers

    @property
    def subject(self) -> str:
        """The decoded Subject, "" where there is none."""
        return self.view.subject

    @property
    def sender(self) -> str:
        """The decoded From header, "" where there is none."""
        return self.view.sender

    @property
    def text(self) -> str:
        """The plain-text body, "" where there is none."""
        return self.view.text

    @property
    def html(self) -> str:
        """The HTML body, safe to show: it loads nothing and leads nowhere."""
        return self.view.html

    @property
    def attachments(self) -> tuple[str, ...]:
        """The names of all parts that are neither `text` nor `html`."""
        return self.view.attachments


Listener = Callable[[ReceivedMail], None]


class Inbox:
    """Keeps the newest mails; every method may be called from any thread.

    At most `MAX_MAILS` mails and, but for the newest, `MAX_BYTES` of them are kept.
    """

    def __init__(self, clock: Callable[[], datetime]) -> None:
        """Start empty; `clock` gives the present time in UTC."""
        self._clock = clock
        self._lock = threading.Lock()
        self._mails: deque[ReceivedMail] = deque()
        self._count = 0
        self._bytes = 0
        self._listeners: dict[object, Listener] = {}

    def add(self, envelope_from: str, recipients: Iterable[str], raw: bytes) -> ReceivedMail:
        """Keep a mail and pass it to every listener, in this thread; never raises."""
        view = read_mail(raw)
        with self._lock:
            self._count += 1
            mail = ReceivedMail(
                self._count, self._clock(), envelope_from, tuple(recipients), raw, view
            )
            self._mails.append(mail)
            self._bytes += len(raw)
            while len(self._mails) > MAX_MAILS or (
                self._bytes > MAX_BYTES and len(self._mails) > 1
            ):
                self._bytes -= len(self._mails.popleft().raw)
            listeners = tuple(self._listeners.values())
        for listener in listeners:
            try:
                listener(mail)
            except Exception:  # noqa: BLE001 - a window that fails must not stop the server
                _log.exception("a listener of the sandbox's inbox failed")
        return mail

    def mails(self) -> tuple[ReceivedMail, ...]:
        """Return the mails kept, oldest first."""
        with self._lock:
            return tuple(self._mails)

    def clear(self) -> None:
        """Forget all mails; the next one is number 1 again. Listeners stay."""
        with self._lock:
            self._mails.clear()
            self._count = 0
            self._bytes = 0

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Call `listener` with each new mail, in the server's thread.

        It must return quickly (the client waits for its reply meanwhile) and must not stop
        the sandbox. Returns a function that ends the subscription; calling it again does
        nothing.
        """
        key = object()
        with self._lock:
            self._listeners[key] = listener

        def unsubscribe() -> None:
            with self._lock:
                self._listeners.pop(key, None)

        return unsubscribe

    def __len__(self) -> int:
        with self._lock:
            return len(self._mails)
