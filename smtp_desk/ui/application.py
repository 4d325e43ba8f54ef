"""The window program: set up Qt, show a desk, end cleanly.

Only what an empty window needs is imported here; see `smtp_desk.ui.desk`.
"""

from __future__ import annotations

import signal
import sys
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QObject, Qt, Slot
from PySide6.QtWidgets import QApplication, QMessageBox

from smtp_desk import __version__
from smtp_desk.ui.desk import Desk

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from smtp_desk.app.opened import Opened
    from smtp_desk.app.services import Services
    from smtp_desk.ui.sandbox.sandbox_desk import SandboxDesk

APP_ID: Final = "org.smtp_desk.SmtpDesk"
"""Name of the desktop file and of the AppStream component."""


def open_desk(environ: Mapping[str, str], opened: Opened | None = None) -> int:
    """Open the window and return the exit status once it is closed.

    Args:
        environ: The environment; `SMTP_DESK_HOME` moves all files below one directory.
        opened: What to show at once: a report, or why there is none.
    """
    application = make_application(sys.argv[:1])
    # Ctrl-C in the terminal ends the program: Python's own handler would wait for Qt.
    signal.signal(signal.SIGINT, signal.SIG_DFL)

    def open_services() -> Services:
        # Imported here, after the first paint: they bring the keyring and more.
        from smtp_desk.app.services import Services  # noqa: PLC0415
        from smtp_desk.ui.language import speak_as_chosen  # noqa: PLC0415

        services = Services.open(environ, interactive=True)
        speak_as_chosen(services.store, environ)
        return services

    def guard() -> None:
        # Imported here: what an empty window does without.
        from smtp_desk.ui.faults import Failures, GarbageCollection  # noqa: PLC0415

        Failures(application).install()
        desk.furnished.connect(GarbageCollection(application).leave_what_is_there)

    desk = Desk(open_services, opened=opened, place_file=_place_file(environ))
    desk.window.painted.connect(guard)
    SandboxOpener(desk)
    desk.window.show()
    try:
        return application.exec()
    finally:
        desk.close()
        sys.excepthook = sys.__excepthook__


def _place_file(environ: Mapping[str, str]) -> Path:
    from smtp_desk.store.paths import Paths  # noqa: PLC0415 - it loads platformdirs

    return Paths.default(environ).state / "window"


def make_application(arguments: list[str]) -> QApplication:
    """Return the Qt application, named as the desktop knows it."""
    application = QApplication(arguments)
    application.setApplicationName("smtp-desk")
    application.setApplicationVersion(__version__)
    application.setDesktopFileName(APP_ID)
    application.setStyle("fusion")
    return application


class SandboxOpener(QObject):
    """Opens the sandbox of a desk on request, and closes it with the desk.

    Attributes:
        sandbox: The open sandbox, or None.
    """

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk)
        self._desk = desk
        self.sandbox: SandboxDesk | None = None
        desk.sandbox_wanted.connect(self._open)
        desk.closed.connect(self._close)

    @Slot()
    def _open(self) -> None:
        # Imported here: what an empty window does without.
        from smtp_desk.app.extras import Extra, installed, missing_text  # noqa: PLC0415

        if not installed(Extra.SANDBOX):
            self._failed(missing_text(Extra.SANDBOX, self._desk.workshop.catalogue))
        elif self.sandbox is None:
            # Imported here: the mail server and its certificates are for those who want them.
            from smtp_desk.ui.sandbox.sandbox_desk import SandboxDesk  # noqa: PLC0415

            preferences = self._desk.workshop.preferences
            self.sandbox = SandboxDesk(preferences.theme, preferences.text_size)
            self.sandbox.failed.connect(self._failed)
            self.sandbox.closed.connect(self._close, Qt.ConnectionType.QueuedConnection)
            self.sandbox.start()
        else:
            self.sandbox.show()

    @Slot()
    def _close(self) -> None:
        sandbox, self.sandbox = self.sandbox, None
        if sandbox is not None:
            sandbox.close()

    @Slot(str)
    def _failed(self, text: str) -> None:
        self._close()
        QMessageBox.warning(self._desk.window, "SMTP Desk", text)
