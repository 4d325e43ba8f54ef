"""The menus of the window."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QObject, Qt, Signal, Slot
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QMessageBox

from smtp_desk import __version__
from smtp_desk.ui.main_window import TITLE
from smtp_desk.ui.widgets.icons import app_icon

if TYPE_CHECKING:
    from PySide6.QtWidgets import QMainWindow

_ABOUT: Final = (
    "Configures, proves and diagnoses the SMTP server that a platform’s system emails leave "
    "through.\n\nMIT licence."
)
_ICON: Final = 64


class Menus(QObject):
    """File and Help.

    Signals:
        sandbox_wanted: Try with the built-in sandbox.
    """

    sandbox_wanted = Signal()

    def __init__(self, window: QMainWindow, *, sandboxed: bool) -> None:
        """Add the menus to `window`; a sandbox offers no second sandbox."""
        super().__init__(window)
        self._window = window
        leave = QAction("&Close" if sandboxed else "&Quit", window)
        leave.setShortcut("Ctrl+W" if sandboxed else "Ctrl+Q")
        leave.setMenuRole(QAction.MenuRole.QuitRole)
        leave.triggered.connect(window.close)
        window.menuBar().addMenu("&File").addAction(leave)
        help_menu = window.menuBar().addMenu("&Help")
        if not sandboxed:
            sandbox = QAction("&Try with the built-in sandbox", window)
            sandbox.setObjectName("try_sandbox")
            sandbox.triggered.connect(self.sandbox_wanted)
            help_menu.addAction(sandbox)
            help_menu.addSeparator()
        about = QAction(f"&About {TITLE}", window)
        about.setObjectName("about_action")
        about.setMenuRole(QAction.MenuRole.AboutRole)
        about.triggered.connect(self._about)
        help_menu.addAction(about)

    @Slot()
    def _about(self) -> None:
        box = QMessageBox(self._window)
        box.setObjectName("about")
        box.setWindowTitle(f"About {TITLE}")
        box.setIconPixmap(app_icon().pixmap(_ICON, _ICON))
        box.setTextFormat(Qt.TextFormat.PlainText)
        box.setText(f"{TITLE} {__version__}")
        box.setInformativeText(_ABOUT)
        box.finished.connect(box.deleteLater)
        box.open()
