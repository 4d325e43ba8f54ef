"""One sender for a whole process, for frameworks that create a new backend for each email."""

import atexit
import threading
from typing import TYPE_CHECKING, Final, final

from smtp_desk.smtp.net.forks import run_after_fork

if TYPE_CHECKING:
    from smtp_desk.sender import Sender


@final
class SharedSender:
    """Opens a sender with the saved settings at the first use, and closes it at exit."""

    def __init__(self) -> None:
        self._sender: Sender | None = None
        self.after_fork()
        run_after_fork(self.after_fork)
        # Now, not once it is open: what is registered after this ends before, and may still send.
        atexit.register(self.close)

    def after_fork(self) -> None:
        """Forget the parent's lock; the child keeps using the sender. See `forks`."""
        self._lock = threading.Lock()

    def get(self) -> "Sender":
        """Return the sender, which the first call opens.

        Raises:
            OutboxUnavailableError: The outbox can't be opened; the next call tries again.
            CredentialsUnavailableError: The systemd credential can't be read.
        """
        # Imported here: a site that configures this may never send in this process.
        from smtp_desk.sender import Sender  # noqa: PLC0415

        with self._lock:
            if self._sender is None:
                self._sender = Sender.from_settings()
            return self._sender

    def close(self) -> None:
        """Close the sender; the next `get` opens another."""
        with self._lock:
            sender, self._sender = self._sender, None
        if sender is not None:
            sender.close()


shared_sender: Final = SharedSender()
"""The sender of this process."""
