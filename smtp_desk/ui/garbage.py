"""Garbage collection on the window's own thread only.

Python collects cycles in whichever thread allocates next. Were that the worker's, widgets in
a cycle would be destroyed there, and Qt ends in a segmentation fault.
"""

import gc
from typing import Final

from PySide6.QtCore import QObject, QTimer, Slot

_EVERY_MS: Final = 5000


class GarbageCollection(QObject):
    """Turns the automatic collection off and collects now and then, where widgets live."""

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        gc.disable()
        # What was loaded by now stays: no collection looks through it, so none is felt.
        gc.freeze()
        self._timer = QTimer(self)
        self._timer.timeout.connect(self._collect)
        self._timer.start(_EVERY_MS)

    @Slot()
    def _collect(self) -> None:
        """Collect the youngest generation that is full, as Python itself would."""
        for generation in (2, 1, 0):
            if gc.get_count()[generation] > gc.get_threshold()[generation]:
                gc.collect(generation)
                return
