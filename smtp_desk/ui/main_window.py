"""The window itself: empty, so that it is painted at once. What is in it comes right after."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QByteArray, QRect, QSize, QTimer, Signal, Slot
from PySide6.QtWidgets import QMainWindow

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from PySide6.QtGui import QCloseEvent, QPaintEvent

TITLE: Final = "SMTP Desk"
_USUAL: Final = QSize(1180, 800)
_SHARE: Final = 0.92
"""How much of the screen the window takes at most where it opens for the first time."""


class MainWindow(QMainWindow):
    """The window of a desk.

    Attributes:
        may_close: Asked before it closes, if there is somebody to ask; False keeps it open.

    Signals:
        painted: The window was painted for the first time: now heavy things may load.
        closing: The window closes.
    """

    painted = Signal()
    closing = Signal()

    def __init__(self, *, sandboxed: bool, place_file: Path | None = None) -> None:
        """Create it; it remembers its place in `place_file`, if one is given."""
        super().__init__()
        self._seen = False
        self._place_file = place_file
        self.may_close: Callable[[], bool] | None = None
        self.setWindowTitle(f"{TITLE} — Sandbox" if sandboxed else TITLE)
        self.resize(fitting(_USUAL, self.screen().availableGeometry()))
        self._restore_place()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Tell of the first time."""
        super().paintEvent(event)
        if not self._seen:
            self._seen = True
            QTimer.singleShot(0, self, self._tell)

    def closeEvent(self, event: QCloseEvent) -> None:
        """Ask, remember the place, then tell whoever works for this window."""
        if self.may_close is not None and not self.may_close():
            event.ignore()
            return
        self._remember_place()
        self.closing.emit()
        super().closeEvent(event)

    @Slot()
    def _tell(self) -> None:
        self.painted.emit()

    def _restore_place(self) -> None:
        """Open where it was closed; Qt moves a place that no screen shows any more."""
        if self._place_file is None:
            return
        try:
            place = QByteArray.fromBase64(self._place_file.read_bytes())
        except OSError:
            return
        if self.restoreGeometry(place):
            available = self.screen().availableGeometry()
            if not available.contains(self.geometry()) and not self.isMaximized():
                self.resize(self.size().boundedTo(available.size()))

    def _remember_place(self) -> None:
        if self._place_file is None:
            return
        try:
            self._place_file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._place_file.write_bytes(self.saveGeometry().toBase64().data())
        except OSError:
            return  # the next start opens it in its usual place


def fitting(wanted: QSize, available: QRect) -> QSize:
    """Return the size of a window on a screen with so much room."""
    return wanted.boundedTo(available.size() * _SHARE)
