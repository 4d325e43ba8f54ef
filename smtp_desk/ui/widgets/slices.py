"""Long work of the window's own thread in slices, so that the window answers meanwhile."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QObject, Qt, QTimer, Slot
from PySide6.QtWidgets import QWidget

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


_FRAME_MS: Final = 16
_WIDGETS: Final = 20
"""How many widgets are given their style between two answers of the window."""
_STYLED: Final = Qt.WidgetAttribute.WA_WState_Polished
_BREATH_MS: Final = 1
"""Time between two slices: with none, Qt would do several before other timers had their turn."""


def once_a_frame(parent: QObject, draw: Callable[[], None]) -> Callable[[], None]:
    """Return a function that asks for `draw`, which then draws for all who asked meanwhile."""
    timer = QTimer(parent)
    timer.setSingleShot(True)
    timer.setInterval(_FRAME_MS)
    timer.timeout.connect(draw)

    def ask() -> None:
        if not timer.isActive():
            timer.start()

    return ask


def styling(root: QWidget) -> Iterator[None]:
    """Give all widgets in `root`, which is still hidden, their style, some in each slice."""
    # Asked anew each time: meanwhile some may have been deleted, or made. Children come before
    # their parents, which would give it to all of them at once.
    while plain := [each for each in root.findChildren(QWidget) if not each.testAttribute(_STYLED)]:
        for widget in reversed(plain[-_WIDGETS:]):
            widget.ensurePolished()
        yield


class Slices(QObject):
    """Does one slice of its work each time the window has answered."""

    def __init__(self, parent: QObject, failed: Callable[[Exception], None] | None = None) -> None:
        """Create it; `failed` is told why a slice ended the work."""
        super().__init__(parent)
        self._work: Iterator[None] = iter(())
        self._failed = failed
        self._timer = QTimer(self)
        self._timer.timeout.connect(self._go_on)

    def run(self, work: Iterator[None]) -> None:
        """Do this, up to a `yield` at a time, instead of what is left of another."""
        self._work = work
        self._timer.start(_BREATH_MS)

    @property
    def running(self) -> bool:
        """Whether some of it is still to be done."""
        return self._timer.isActive()

    def stop(self) -> None:
        """Leave the rest."""
        self._timer.stop()

    @Slot()
    def _go_on(self) -> None:
        try:
            next(self._work)
        except StopIteration:
            self._timer.stop()
        except Exception as error:
            self._timer.stop()
            if self._failed is None:
                raise
            self._failed(error)
