"""The window itself: empty, so that it is painted at once. What is in it comes right after."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QTimer, Signal, Slot
from PySide6.QtWidgets import QMainWindow

if TYPE_CHECKING:
    from collections.abc import Callable

    from PySide6.QtGui import QCloseEvent, QPaintEvent

TITLE: Final = "SMTP Desk"
_WIDTH: Final = 1120
_HEIGHT: Final = 780


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

    def __init__(self, *, sandboxed: bool) -> None:
        super().__init__()
        self._seen = False
        self.may_close: Callable[[], bool] | None = None
        self.setWindowTitle(f"{TITLE} — Sandbox" if sandboxed else TITLE)
        self.resize(_WIDTH, _HEIGHT)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Tell of the first time."""
        super().paintEvent(event)
        if not self._seen:
            self._seen = True
            QTimer.singleShot(0, self, self._tell)

    def closeEvent(self, event: QCloseEvent) -> None:
        """Ask, then tell whoever works for this window."""
        if self.may_close is not None and not self.may_close():
            event.ignore()
            return
        self.closing.emit()
        super().closeEvent(event)

    @Slot()
    def _tell(self) -> None:
        self.painted.emit()
