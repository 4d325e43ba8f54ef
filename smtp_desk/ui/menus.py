"""The menus of the window."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QObject, Qt, Signal, SignalInstance, Slot
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QMessageBox

from smtp_desk import __version__
from smtp_desk.ui.main_window import TITLE
from smtp_desk.ui.widgets.icons import app_icon

if TYPE_CHECKING:
    from PySide6.QtWidgets import QMainWindow, QMenu

_ABOUT: Final = (
    "Sets up, tests and diagnoses the SMTP server that a platform’s system emails are sent "
    "through.\n\nMIT licence."
)
_ICON: Final = 64


class Menus(QObject):
    """File, Test and Help; their keys act wherever the focus is in the window.

    Attributes:
        palette: The action that finds all others.

    Signals:
        sandbox_wanted: Try with the built-in sandbox.
        open_wanted: Open report.
        email_wanted: Open a received email.
        send_wanted: Send test email.
        cancel_wanted: Cancel what runs.
        palette_wanted: Find a command.
        save_wanted: Save.
        discard_wanted: Discard changes.
    """

    sandbox_wanted = Signal()
    open_wanted = Signal()
    email_wanted = Signal()
    send_wanted = Signal()
    cancel_wanted = Signal()
    palette_wanted = Signal()
    save_wanted = Signal()
    discard_wanted = Signal()

    def __init__(self, window: QMainWindow, *, sandboxed: bool) -> None:
        """Add the menus to `window`; a sandbox offers no second sandbox."""
        super().__init__(window)
        self._window = window
        leave = QAction("&Close" if sandboxed else "&Quit", window)
        leave.setShortcut("Ctrl+W" if sandboxed else "Ctrl+Q")
        leave.setMenuRole(QAction.MenuRole.QuitRole)
        leave.triggered.connect(window.close)
        file_menu = window.menuBar().addMenu("&File")
        self._add(file_menu, "&Open report…", "open_report_action", "Ctrl+O", self.open_wanted)
        self._add(file_menu, "Open &email…", "open_email_action", "Ctrl+E", self.email_wanted)
        file_menu.addSeparator()
        file_menu.addAction(leave)
        test_menu = window.menuBar().addMenu("Test")
        for text, name, keys, wanted in (
            ("&Send test email", "send_action", "Ctrl+T", self.send_wanted),
            ("&Cancel", "cancel_action", "Esc", self.cancel_wanted),
            ("S&ave", "save_action", "Ctrl+S", self.save_wanted),
            ("&Discard changes…", "discard_action", "", self.discard_wanted),
        ):
            self._add(test_menu, text, name, keys, wanted)
        help_menu = window.menuBar().addMenu("&Help")
        self.palette = self._add(
            help_menu, "&Find a command…", "palette_action", "Ctrl+K", self.palette_wanted
        )
        help_menu.addSeparator()
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

    def _add(self, menu: QMenu, text: str, name: str, keys: str, wanted: SignalInstance) -> QAction:
        action = QAction(text, self._window)
        action.setObjectName(name)
        if keys:
            action.setShortcut(keys)
        action.triggered.connect(wanted)
        menu.addAction(action)
        return action

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
