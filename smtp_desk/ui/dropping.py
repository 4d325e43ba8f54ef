"""Files dropped on the window."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QEvent, QObject, Qt, Signal
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import QLabel, QWidget

if TYPE_CHECKING:
    from PySide6.QtCore import QUrl

_EMAIL: Final = ".eml"
_PAIR: Final = 2
_HINT: Final = "Drop a report to open it, two to compare them,\nor an email (.eml) to explain it."
_TOO_MANY: Final = (
    "You dropped {count} files at once, so none was opened. Drop one report, two reports to "
    "compare them, or one email (.eml)."
)
_ELSEWHERE: Final = "Only files on this computer can be opened. Save it here first, then drop it."


class Drop(QObject):
    """Opens files dropped anywhere on a window.

    Signals:
        report_dropped: Open this report.
        two_dropped: Open the first of these reports, compared with the second.
        email_dropped: Explain this email.
        refused: Nothing is opened, and why, as a sentence.
    """

    report_dropped = Signal(Path)
    two_dropped = Signal(Path, Path)
    email_dropped = Signal(Path)
    refused = Signal(str)

    def __init__(self, window: QWidget) -> None:
        super().__init__(window)
        self._window = window
        self._hint = QLabel(_HINT, window)
        self._hint.setObjectName("drop_hint")
        self._hint.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._hint.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self._hint.hide()
        window.setAcceptDrops(True)
        window.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Take files, and nothing else."""
        if isinstance(event, QDragEnterEvent) and event.mimeData().hasUrls():
            event.acceptProposedAction()
            self._hint.setGeometry(self._window.rect())
            self._hint.raise_()
            self._hint.show()
            return True
        if event.type() is QEvent.Type.DragLeave:
            self._hint.hide()
        elif event.type() is QEvent.Type.Drop and isinstance(event, QDropEvent):
            self._hint.hide()
            event.acceptProposedAction()
            self.take(event.mimeData().urls())
            return True
        return super().eventFilter(watched, event)

    def take(self, dropped: list[QUrl]) -> None:
        """Open what was dropped, or report why not."""
        files = [Path(url.toLocalFile()) for url in dropped if url.isLocalFile()]
        emails = [file for file in files if file.suffix.lower() == _EMAIL]
        if not files or len(files) < len(dropped):
            self.refused.emit(_ELSEWHERE)
        elif len(files) == 1:
            (self.email_dropped if emails else self.report_dropped).emit(files[0])
        elif len(files) == _PAIR and not emails:
            self.two_dropped.emit(*files)
        else:
            self.refused.emit(_TOO_MANY.format(count=len(files)))
