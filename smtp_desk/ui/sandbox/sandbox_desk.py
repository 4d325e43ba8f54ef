"""A second desk on the embedded mail server: nothing of it reaches the real settings."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QObject, Signal, Slot

from smtp_desk.app.services import Services
from smtp_desk.core.problems import Field
from smtp_desk.sandbox.server import Sandbox
from smtp_desk.store.atomic import write_atomic
from smtp_desk.ui.desk import Desk
from smtp_desk.ui.sandbox.inbox_window import InboxWindow
from smtp_desk.ui.worker import Worker

if TYPE_CHECKING:
    from smtp_desk.app.runner import Emit
    from smtp_desk.smtp.cancel import Cancel

_RECIPIENT: Final = "ann@example.org"


class SandboxDesk(QObject):
    """Starts the embedded mail server, then opens its desk and its inbox.

    Attributes:
        desk: The desk; None until the server answers.
        inbox: The window with the received mails; None until then.

    Signals:
        opened: Both windows are there.
        failed: The server could not start, and why.
        closed: The desk was closed; the server has ended, everything is forgotten.
    """

    opened = Signal()
    failed = Signal(str)
    closed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._server = Sandbox()
        self._home = tempfile.TemporaryDirectory(prefix="smtp-desk-sandbox-")
        self._worker = Worker()
        self.desk: Desk | None = None
        self.inbox: InboxWindow | None = None

    def start(self) -> None:
        """Start the server in the background; the windows follow."""
        server, ca_file = self._server, Path(self._home.name) / "sandbox-ca.pem"

        def begin(_emit: Emit, _cancel: Cancel) -> dict[Field, str]:
            server.start()
            write_atomic(ca_file, server.ca_pem.encode())
            return {
                Field.HOST: server.host,
                Field.PORT: str(server.starttls_port),
                Field.USERNAME: server.username,
                Field.PASSWORD: server.password.reveal(),
                Field.FROM_NAME: "Example Partners",
                Field.FROM_EMAIL: server.username,
                Field.CA_FILE: str(ca_file),
                Field.RECIPIENT: _RECIPIENT,
            }

        self._worker.run(begin, on_done=self._begun, on_error=self._failed)

    def show(self) -> None:
        """Bring both windows to the front."""
        for window in (self.inbox, self.desk.window if self.desk else None):
            if window is not None:
                window.show()
                window.raise_()
                window.activateWindow()

    def close(self) -> None:
        """End the server and forget everything."""
        if self.desk is not None:
            self.desk.closed.disconnect(self._closed)
            self.desk.window.close()
            self.desk.close()
        if self.inbox is not None:
            self.inbox.stop()
        self._worker.close()
        if self._server.running:
            self._server.stop()
        self._home.cleanup()

    def _begun(self, filled: dict[Field, str]) -> None:
        home = Path(self._home.name)
        self.desk = Desk(lambda: Services.sandbox(home), sandboxed=True, filled=filled)
        self.desk.closed.connect(self._closed)
        self.inbox = InboxWindow(self._server.inbox)
        self.inbox.show()
        self.desk.window.show()
        self.opened.emit()

    def _failed(self, error: Exception) -> None:
        self.failed.emit(f"The sandbox can’t start: {error}")

    @Slot()
    def _closed(self) -> None:
        self.closed.emit()
