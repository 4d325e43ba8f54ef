"""The window program: set up Qt, show a desk, end cleanly.

Only what an empty window needs is imported here; see `smtp_desk.ui.desk`.
"""

from __future__ import annotations

import signal
import sys
from typing import TYPE_CHECKING, Final

from PySide6.QtWidgets import QApplication

from smtp_desk import __version__
from smtp_desk.ui.desk import Desk

if TYPE_CHECKING:
    from collections.abc import Mapping

    from smtp_desk.app.services import Services
    from smtp_desk.core.report import CheckReport

APP_ID: Final = "org.smtp_desk.SmtpDesk"
"""Name of the desktop file and of the AppStream component."""


def open_desk(environ: Mapping[str, str], report: CheckReport | None = None) -> int:
    """Open the window and return the exit status once it is closed.

    Args:
        environ: The environment; `SMTP_DESK_HOME` moves all files below one directory.
        report: A report to show at once.
    """
    application = make_application(sys.argv[:1])
    # Ctrl-C in the terminal ends the program: Python's own handler would wait for Qt.
    signal.signal(signal.SIGINT, signal.SIG_DFL)

    def open_services() -> Services:
        # Imported here, after the first paint: they bring the keyring and more.
        from smtp_desk.app.services import Services  # noqa: PLC0415
        from smtp_desk.ui.failures import Failures, GarbageCollection  # noqa: PLC0415

        Failures(application).install()
        GarbageCollection(application)
        return Services.open(environ, interactive=True)

    desk = Desk(open_services, report=report)
    desk.window.show()
    try:
        return application.exec()
    finally:
        desk.close()
        sys.excepthook = sys.__excepthook__


def make_application(arguments: list[str]) -> QApplication:
    """Return the Qt application, named as the desktop knows it."""
    application = QApplication(arguments)
    application.setApplicationName("smtp-desk")
    application.setApplicationVersion(__version__)
    application.setDesktopFileName(APP_ID)
    application.setStyle("fusion")
    return application
