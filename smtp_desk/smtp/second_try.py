"""TLS on a second connection, while the first one waits for a banner that does not come."""

import threading
from collections.abc import Callable
from typing import TypeAlias

from smtp_desk.core.errors import SmtpFailure
from smtp_desk.core.stages import Stage
from smtp_desk.smtp.cancel import Cancel, CancelledError
from smtp_desk.smtp.failures import unmasked
from smtp_desk.smtp.stream import Stream
from smtp_desk.smtp.tls import TlsInfo

# What tells that nothing was learnt: the server may yet speak plain text on the first one.
_INCONCLUSIVE = ("connect.", "tls.handshake_", "tls.wrong_mode", "tls.injected_data")


Attempt: TypeAlias = Callable[[Cancel], tuple[Stream, TlsInfo]]
"""Connects and shakes hands; the connection ends with the `Cancel` given."""


class SecondTry:
    """A TLS handshake in a thread of its own; if it speaks, it wakes the first connection.

    Attributes:
        failure: Why the handshake failed though the server spoke TLS, or that it speaks
            another protocol than SMTP.
    """

    def __init__(self, attempt: Attempt, cancel: Cancel, first: Cancel) -> None:
        """Begin.

        Args:
            attempt: What to try.
            cancel: Of the whole session.
            first: Of the connection that waits; fired when the server spoke here.
        """
        self.failure: SmtpFailure | None = None
        self._won: tuple[Stream, TlsInfo] | None = None
        self._fault: Exception | None = None
        self._attempt = attempt
        self._cancel = Cancel(cancel)
        self._first = first
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._run, name="second connection", daemon=True)
        self._thread.start()

    @property
    def spoke(self) -> bool:
        """Whether the server spoke, and what it said is conclusive."""
        return self._won is not None or self.failure is not None

    def wait(self) -> bool:
        """Wait for its end; return whether the server spoke."""
        self._thread.join()
        return self.spoke

    def stop(self) -> bool:
        """End it unless the server has spoken; return whether it has.

        Raises:
            Exception: A fault of our own in the attempt.
        """
        with self._lock:
            if not self.spoke:
                self._cancel.cancel()
        spoke = self.wait()
        if self._fault is not None:
            raise self._fault
        return spoke

    def result(self) -> tuple[Stream, TlsInfo]:
        """Return the connection inside TLS and what was agreed.

        Raises:
            SmtpFailure: There is none: `failure`.
        """
        if self._won is None:
            raise self.failure or SmtpFailure(Stage.TLS, "tls.failed")
        return self._won

    def drop(self) -> None:
        """Give its connection up, if it has one."""
        if self._won is not None:
            self._won[0].abort()

    def _run(self) -> None:
        try:
            stream, info = self._attempt(self._cancel)
        except CancelledError:
            return
        except SmtpFailure as failure:
            cause = unmasked(failure)
            if (cause.code or "").startswith(_INCONCLUSIVE):
                return
            with self._lock:
                self.failure = cause
        except Exception as fault:  # noqa: BLE001 - raised again in the thread of the session
            self._fault = fault
        else:
            with self._lock:
                if self._cancel.cancelled:
                    stream.abort()
                    return
                self._won = stream, info
        self._first.cancel()
