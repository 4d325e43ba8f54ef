"""The words of a row in a list: two lines, each with something at its far end."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import QRect, Qt
from PySide6.QtGui import QFont, QFontMetrics, QPainter, QPalette
from PySide6.QtWidgets import QStyle, QStyleOptionViewItem

from smtp_desk.ui.widgets.bidi import elidable
from smtp_desk.ui.widgets.colours import Space

_LINES: Final = 2


def row_height(option: QStyleOptionViewItem) -> int:
    """Return the height of a row of two lines."""
    return int(_LINES * option.fontMetrics.height() + Space.XS + 2 * Space.M)


class RowWords:
    """Draws lines of text into a row, from the side where reading begins.

    What does not fit ends in an ellipsis.
    """

    def __init__(self, painter: QPainter, option: QStyleOptionViewItem) -> None:
        self._painter = painter
        self._inside = option.rect.adjusted(Space.M, Space.M, -Space.M, -Space.M)
        self._direction = option.direction
        self._font = option.font
        self._palette = option.palette

    def draw(self, line: int, text: str, aside: str, *, muted: bool = False) -> None:
        """Draw `text`, the first line strong, and `aside` at the far end of the line."""
        strong, plain = QFont(self._font), QFont(self._font)
        strong.setWeight(QFont.Weight.DemiBold)
        height = QFontMetrics(plain).height()
        taken = QFontMetrics(plain).horizontalAdvance(aside) + (Space.S if aside else 0)
        row = QRect(self._inside)
        row.setTop(row.top() + line * (height + Space.XS))
        row.setHeight(height)
        start, end = QRect(row), QRect(row)
        start.setRight(row.right() - taken)
        end.setLeft(row.right() - taken)
        leading, trailing = Qt.AlignmentFlag.AlignLeading, Qt.AlignmentFlag.AlignTrailing
        ink, faint = QPalette.ColorRole.Text, QPalette.ColorRole.PlaceholderText
        self._painter.setPen(self._palette.color(faint if muted else ink))
        self._put(self._mirrored(row, start), strong if line == 0 else plain, text, leading)
        self._painter.setPen(self._palette.color(faint))
        self._put(self._mirrored(row, end), plain, aside, trailing)

    def _mirrored(self, row: QRect, part: QRect) -> QRect:
        return QStyle.visualRect(self._direction, row, part)

    def _put(self, place: QRect, font: QFont, text: str, side: Qt.AlignmentFlag) -> None:
        metrics, end = QFontMetrics(font), Qt.TextElideMode.ElideRight
        shown = metrics.elidedText(elidable(text), end, place.width())
        align = QStyle.visualAlignment(self._direction, side | Qt.AlignmentFlag.AlignVCenter)
        self._painter.setFont(font)
        self._painter.drawText(place, align | Qt.TextFlag.TextSingleLine, shown)
