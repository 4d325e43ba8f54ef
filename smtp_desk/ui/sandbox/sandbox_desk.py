"""A second desk on the embedded mail server: nothing of it reaches the real settings."""

from __future__ import annotations

import contextlib
import logging
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QObject, Qt, Signal, Slot
from PySide6.QtWidgets import QLineEdit

from smtp_desk.app.proposals.proposals import sandbox_network
from smtp_desk.app.services import Services
from smtp_desk.core.problems import Field
from smtp_desk.sandbox.faults import FAULTS, NO_FAULT
from smtp_desk.sandbox.recipients import DOMAIN
from smtp_desk.sandbox.server import Sandbox
from smtp_desk.store.files import write_atomic
from smtp_desk.store.stored import Preferences
from smtp_desk.ui.desk import Desk
from smtp_desk.ui.sandbox.inbox_window import InboxWindow
from smtp_desk.ui.worker import Worker

if TYPE_CHECKING:
    from smtp_desk.app.runner import Emit
    from smtp_desk.smtp.net.deadline import Cancel

COMPANY: Final = "Example Ltd"
RECIPIENT: Final = f"ann@{DOMAIN}"

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Running:
    """A server that answers, and what a person would type to reach it."""

    services: Services
    filled: dict[Field, str]


class SandboxDesk(QObject):
    """Starts the embedded mail server, then opens its desk and its inbox.

    Of one use. The server, its certificates and the home live in the background thread: they
    take longer to make than a window may stand still.

    Attributes:
        desk: The desk; None until the server answers.
        inbox: The window with the received mails; None until then.

    Signals:
        opened: Both windows are there.
        failed: The server could not start, and why.
        closed: The person closed the desk; `close` is due.
    """

    opened = Signal()
    failed = Signal(str)
    closed = Signal()

    def __init__(self, theme: str = "system", text_size: str = "system") -> None:
        """Create it; the windows keep the theme and the text size that the person has chosen."""
        super().__init__()
        self._preferences = Preferences(company_name=COMPANY, theme=theme, text_size=text_size)
        self._server = Sandbox()
        self._held = contextlib.ExitStack()
        self._worker = Worker()
        self.desk: Desk | None = None
        self.inbox: InboxWindow | None = None

    def start(self) -> None:
        """Start the server in the background; the windows follow."""
        self._worker.run(self._begin, on_done=self._begun, on_error=self._failed)

    def show(self) -> None:
        """Bring both windows to the front."""
        for window in (self.inbox, self.desk.window if self.desk else None):
            if window is not None:
                window.setWindowState(window.windowState() & ~Qt.WindowState.WindowMinimized)
                window.show()
                window.raise_()
                window.activateWindow()

    def close(self) -> None:
        """Close both windows, end the server and forget everything; waits, within bounds."""
        if self.desk is not None:
            self.desk.closed.disconnect(self._closed)
            self.desk.window.close()
            self.desk.close()
            self.desk.window.deleteLater()
        if self.inbox is not None:
            self.inbox.stop()
        # Behind a start that still runs: it is undone as soon as it ends.
        self._worker.run(self._end, on_done=_ended, on_error=self._failed)
        if not self._worker.close():
            _log.warning("the sandbox did not end in time")
        elif self.inbox is not None:
            self.inbox.deleteLater()

    def _begin(self, _emit: Emit, cancel: Cancel) -> _Running:
        folder = tempfile.TemporaryDirectory(prefix="smtp-desk-", ignore_cleanup_errors=True)
        home = Path(self._held.enter_context(folder))
        services = Services.sandbox(home)
        services.store.save_preferences(self._preferences)
        cancel.check()
        server = self._held.enter_context(self._server)
        ca_file = home / "sandbox-ca.pem"
        write_atomic(ca_file, server.ca_pem.encode())
        filled = {
            Field.HOST: server.host,
            Field.PORT: str(server.starttls_port),
            Field.USERNAME: server.username,
            Field.PASSWORD: server.password.reveal(),
            Field.FROM_EMAIL: server.username,
            Field.CA_FILE: str(ca_file),
            Field.RECIPIENT: RECIPIENT,
        }
        return _Running(services, filled)

    def _begun(self, running: _Running) -> None:
        self.desk = Desk(
            lambda: running.services,
            sandboxed=True,
            filled=running.filled,
            network=lambda: sandbox_network(self._server),
        )
        self.desk.closed.connect(self._closed)
        self.inbox = InboxWindow(self._server.inbox)
        self.inbox.recipient_chosen.connect(self._type_recipient)
        self.inbox.fault_chosen.connect(self._set_fault)
        self.inbox.show()
        self.desk.window.show()
        self.opened.emit()

    def _end(self, _emit: Emit, _cancel: Cancel) -> None:
        self._held.close()

    def _failed(self, error: Exception) -> None:
        self.failed.emit(f"The sandbox can’t start: {error}")

    @Slot(str)
    def _type_recipient(self, address: str) -> None:
        window = self.desk.window if self.desk else None
        edit = window.findChild(QLineEdit, Field.RECIPIENT) if window else None
        if window is not None and isinstance(edit, QLineEdit):
            edit.setText(address)
            window.raise_()
            window.activateWindow()
            edit.setFocus()

    @Slot(str)
    def _set_fault(self, name: str) -> None:
        self._server.fault = FAULTS.get(name, NO_FAULT)

    @Slot()
    def _closed(self) -> None:
        self.closed.emit()


def _ended(_nothing: None) -> None:
    _log.debug("the sandbox has ended")
