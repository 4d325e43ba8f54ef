"""Failures of the program itself: logged, shown once, never a silent end."""

from __future__ import annotations

import logging
import sys
import threading
import traceback
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Qt, Signal, Slot
from PySide6.QtWidgets import QMessageBox

if TYPE_CHECKING:
    from types import TracebackType

_log = logging.getLogger(__name__)


class Failures(QObject):
    """Catches what nothing else caught, in any thread.

    Signals:
        caught: The traceback of a failure, for the main thread.
    """

    caught = Signal(str)

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._box: QMessageBox | None = None
        self.caught.connect(self._show, Qt.ConnectionType.QueuedConnection)

    def install(self) -> None:
        """Catch from now on."""
        sys.excepthook = self._hook
        threading.excepthook = self._thread_hook

    def _hook(
        self, kind: type[BaseException], error: BaseException, trace: TracebackType | None
    ) -> None:
        if issubclass(kind, KeyboardInterrupt):
            sys.__excepthook__(kind, error, trace)
            return
        _log.critical("SMTP Desk itself failed", exc_info=(kind, error, trace))
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
        box.setText("SMTP Desk itself failed. It goes on as well as it can.")
        box.setInformativeText("The log holds what is needed to report it.")
        box.setDetailedText(trace)
        box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        box.finished.connect(self._closed)
        self._box = box
        box.open()

    @Slot()
    def _closed(self) -> None:
        self._box = None
