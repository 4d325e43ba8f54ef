"""A check box whose box is seen in both schemes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPen, QPolygonF
from PySide6.QtWidgets import QCheckBox, QStyle, QStyleOptionButton

from smtp_desk.ui.theme import theme_of_application

if TYPE_CHECKING:
    from PySide6.QtGui import QPaintEvent

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
