"""Icons drawn from the SVG files in the colour of the text beside them."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QByteArray, QEvent, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QIcon, QPainter, QPalette, QPixmap
from PySide6.QtSvg import QSvgRenderer
from PySide6.QtWidgets import QLabel, QStyle, QToolButton

from smtp_desk.store.resources import resource_path
from smtp_desk.ui.widgets.colours import USUAL_LINE, Space

if TYPE_CHECKING:
    from PySide6.QtGui import QColor, QFontMetrics, QPaintEvent
    from PySide6.QtWidgets import QWidget

SIZE: Final = 20
"""Edge of an icon in logical pixels."""
_POINTING: Final = frozenset({"apply"})
"""Icons that point the way that is read, and turn with it."""
_CHEVRON: Final = 18


def app_icon() -> QIcon:
    """Return the program's own icon."""
    return QIcon(str(resource_path("icons", "smtp-desk.svg")))


def pixmap(name: str, colour: QColor, size: int, ratio: float) -> QPixmap:
    """Return the icon `name` in `colour`, sharp at the device pixel `ratio`."""
    return _pixmap(name, colour.name(), size, ratio)


@cache
def _source(name: str) -> str:
    return resource_path("icons", f"{name}.svg").read_text(encoding="utf-8")


@cache
def _pixmap(name: str, colour: str, size: int, ratio: float) -> QPixmap:
    drawing = QSvgRenderer(QByteArray(_source(name).replace("currentColor", colour).encode()))
    drawn = QPixmap(QSize(size, size) * ratio)
    drawn.fill(Qt.GlobalColor.transparent)
    painter = QPainter(drawn)
    drawing.render(painter, QRectF(drawn.rect()))
    painter.end()
    drawn.setDevicePixelRatio(ratio)
    return drawn


def beside_text(size: int, metrics: QFontMetrics) -> int:
    """Return the size of an icon beside text that may be larger than usual."""
    return max(size * metrics.height() // USUAL_LINE, size)


def draw_chevron(control: QWidget) -> None:
    """Draw at the end of `control` that it opens something, in the colour of its text."""
    faint = QPalette.ColorRole.PlaceholderText
    role = control.foregroundRole() if control.isEnabled() else faint
    colour, ratio = control.palette().color(role), control.devicePixelRatioF()
    end = QRect(control.width() - _CHEVRON - Space.S, 0, _CHEVRON, control.height())
    place = QStyle.visualRect(control.layoutDirection(), control.rect(), end)
    top = (control.height() - _CHEVRON) // 2
    QPainter(control).drawPixmap(place.left(), top, pixmap("chevron-down", colour, _CHEVRON, ratio))


class IconLabel(QLabel):
    """An icon in the colour that the style sheet gives its `tone`; silent for screen readers."""

    def __init__(self, name: str = "", size: int = SIZE, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.name = name
        self._size = size
        self._fit()

    def show_icon(self, name: str, tone: str = "") -> None:
        """Show the icon `name` in the colour of `tone`."""
        self.name = name
        set_look(self, "tone", tone)
        self.update()

    def changeEvent(self, event: QEvent) -> None:
        """Grow with the text that it stands beside."""
        super().changeEvent(event)
        if event.type() is QEvent.Type.FontChange:
            self._fit()

    def _fit(self) -> None:
        size = beside_text(self._size, self.fontMetrics())
        self.setFixedSize(size, size)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the icon in today's colour."""
        del event
        if self.name:
            colour = self.palette().color(self.foregroundRole())
            painter = QPainter(self)
            if self.name in _POINTING and self.isRightToLeft():
                painter.translate(self.width(), 0)
                painter.scale(-1, 1)
            painter.drawPixmap(
                0, 0, pixmap(self.name, colour, self.width(), self.devicePixelRatioF())
            )


class IconButton(QToolButton):
    """A button that is an icon; its name is for tooltips and screen readers."""

    def __init__(self, icon: str, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._icon = icon
        self.setIconSize(QSize(SIZE, SIZE))
        self.rename(name)

    def rename(self, name: str) -> None:
        """Call it otherwise: what it does now is something else."""
        self.setAccessibleName(name)
        self.setToolTip(name)

    def show_icon(self, icon: str) -> None:
        """Show another icon."""
        self._icon = icon
        self._draw()

    def changeEvent(self, event: QEvent) -> None:
        """Draw the icon anew in the colours of a new scheme."""
        super().changeEvent(event)
        if event.type() in (QEvent.Type.StyleChange, QEvent.Type.PaletteChange):
            self._draw()

    def _draw(self) -> None:
        colour = self.palette().color(self.foregroundRole())
        self.setIcon(QIcon(pixmap(self._icon, colour, SIZE, self.devicePixelRatioF())))


def set_look(widget: QWidget, name: str, value: str) -> None:
    """Set the property `name` that the style sheet selects by, and let it take effect."""
    if widget.property(name) != value:
        widget.setProperty(name, value)
        if not widget.testAttribute(Qt.WidgetAttribute.WA_WState_Polished):
            return  # it takes effect with all the rest, once the widget is shown
        widget.style().unpolish(widget)
        widget.style().polish(widget)
