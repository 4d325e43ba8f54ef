"""A check box whose box is seen in both schemes.

A switch: a check box that looks like what it does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QPoint, QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPen, QPolygonF
from PySide6.QtWidgets import QCheckBox, QStyle, QStyleOptionButton

from smtp_desk.ui.widgets.icons import beside_text
from smtp_desk.ui.widgets.theme import theme_of_application

if TYPE_CHECKING:
    from PySide6.QtGui import QPaintEvent

    from smtp_desk.ui.widgets.theme import Theme

_TICK: Final = ((0.24, 0.52), (0.43, 0.71), (0.77, 0.32))
_RADIUS: Final = 4.0
_FAINT: Final = 0.5


class CheckBox(QCheckBox):
    """A check box; its text is drawn by the style, the box by the design tokens."""

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the box over the style's own."""
        super().paintEvent(event)
        colours = theme_of_application().colours
        option = QStyleOptionButton()
        self.initStyleOption(option)
        found = self.style().subElementRect(QStyle.SubElement.SE_CheckBoxIndicator, option, self)
        box = QRectF(found).adjusted(0.5, 0.5, -0.5, -0.5)
        on = self.isChecked()
        painter = QPainter(self)
        painter.fillRect(found.adjusted(-1, -1, 1, 1), QColor(colours.surface))
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if not self.isEnabled():
            painter.setOpacity(_FAINT)
        edge = colours.accent if on or self.hasFocus() else colours.edge
        painter.setPen(QPen(QColor(edge), 2 if self.hasFocus() else 1))
        painter.setBrush(QColor(colours.accent if on else colours.field))
        painter.drawRoundedRect(box, _RADIUS, _RADIUS)
        if on:
            pen = QPen(QColor(colours.on_accent), 2)
            pen.setCapStyle(Qt.PenCapStyle.RoundCap)
            painter.setPen(pen)
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawPolyline(
                QPolygonF(
                    [
                        QPointF(box.left() + box.width() * x, box.top() + box.height() * y)
                        for x, y in _TICK
                    ]
                )
            )


_TRACK: Final = 24
"""Height of the track beside text of the usual size; its knob takes two thirds of it."""
_RING: Final = 4


class Switch(QCheckBox):
    """On or off, at once; screen readers meet a check box."""

    def __init__(self, theme: Theme, name: str) -> None:
        super().__init__()
        self._theme = theme
        self.setAccessibleName(name)
        self.setCursor(Qt.CursorShape.PointingHandCursor)

    def _track(self) -> QSize:
        height = beside_text(_TRACK, self.fontMetrics())
        return QSize(height * 11 // 6, height)

    def sizeHint(self) -> QSize:
        """The track, as high as the text asks, and the room for its focus ring."""
        return self._track() + QSize(2 * _RING, 2 * _RING)

    def minimumSizeHint(self) -> QSize:
        """As the size hint: a switch never shrinks."""
        return self.sizeHint()

    def hitButton(self, pos: QPoint) -> bool:
        """The whole switch can be pressed."""
        return self.rect().contains(pos)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw track, knob and focus ring."""
        del event
        colours = self._theme.colours
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        size = self._track()
        track = QRectF(QPointF(_RING, (self.height() - size.height()) / 2), size.toSizeF())
        if self.hasFocus():
            painter.setPen(QPen(QColor(colours.accent), 2))
            ring = track.adjusted(-3, -3, 3, 3)
            painter.drawRoundedRect(ring, ring.height() / 2, ring.height() / 2)
        on = self.isChecked()
        painter.setPen(QPen(QColor(colours.accent if on else colours.edge), 1))
        painter.setBrush(QColor(colours.accent if on else colours.hover))
        if not self.isEnabled():
            painter.setOpacity(0.5)
        inner = track.adjusted(0.5, 0.5, -0.5, -0.5)
        painter.drawRoundedRect(inner, inner.height() / 2, inner.height() / 2)
        at_end = on != (self.layoutDirection() is Qt.LayoutDirection.RightToLeft)
        half = track.height() / 2
        middle = track.right() - half if at_end else track.left() + half
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(colours.on_accent if on else colours.edge))
        knob = track.height() / 3
        painter.drawEllipse(QPointF(middle, track.center().y()), knob, knob)
