"""Failures of the program itself: logged and shown once, never a silent end.

Garbage collection on the window's own thread only.

Python collects cycles in whichever thread allocates next. If that were the worker's, widgets in a
cycle would be destroyed there, and Qt would end in a segmentation fault.
"""

from __future__ import annotations

import gc
import logging
import sys
import threading
import traceback
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QObject, Qt, QTimer, Signal, Slot
from PySide6.QtWidgets import QMessageBox

if TYPE_CHECKING:
    from types import TracebackType

_log = logging.getLogger(__name__)


class Failures(QObject):
    """Catches uncaught exceptions, in any thread.

    Signals:
        caught: The traceback of a failure, for the main thread.
    """

    caught = Signal(str)

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._box: QMessageBox | None = None
        self.caught.connect(self._show, Qt.ConnectionType.QueuedConnection)

    def install(self) -> None:
        """Start to catch exceptions."""
        sys.excepthook = self._hook
        threading.excepthook = self._thread_hook

    def _hook(
        self, kind: type[BaseException], error: BaseException, trace: TracebackType | None
    ) -> None:
        if issubclass(kind, KeyboardInterrupt):
            sys.__excepthook__(kind, error, trace)
            return
        _log.critical("Internal error in SMTP Desk", exc_info=(kind, error, trace))
        self.caught.emit("".join(traceback.format_exception(kind, error, trace)))

    def _thread_hook(self, args: threading.ExceptHookArgs) -> None:
        error = args.exc_value or args.exc_type()
        self._hook(args.exc_type, error, args.exc_traceback)

    @Slot(str)
    def _show(self, trace: str) -> None:
        if self._box is not None:
            return  # one is enough; the log has them all
        box = QMessageBox()
        box.setObjectName("failure")
        box.setIcon(QMessageBox.Icon.Critical)
        box.setWindowTitle("SMTP Desk")
        box.setTextFormat(Qt.TextFormat.PlainText)
        box.setText("SMTP Desk ran into an internal error. You can keep working.")
        box.setInformativeText("The log has the details you need to report it.")
        box.setDetailedText(trace)
        box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        box.finished.connect(self._closed)
        self._box = box
        box.open()

    @Slot()
    def _closed(self) -> None:
        self._box = None


_EVERY_MS: Final = 5000


class GarbageCollection(QObject):
    """Turns the automatic collection off, and collects from time to time in the widgets' thread."""

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        gc.disable()
        self._timer = QTimer(self)
        self._timer.timeout.connect(self._collect)
        self._timer.start(_EVERY_MS)

    @Slot()
    def leave_what_is_there(self) -> None:
        """Exempt what was loaded by now from collection, so that none takes noticeably long."""
        gc.freeze()

    @Slot()
    def _collect(self) -> None:
        """Collect the youngest generation that is full, as Python itself would."""
        for generation in (2, 1, 0):
            if gc.get_count()[generation] > gc.get_threshold()[generation]:
                gc.collect(generation)
                return
