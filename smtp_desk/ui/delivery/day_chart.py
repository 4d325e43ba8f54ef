"""A small chart of the last 24 hours: a bar for each hour, its parts by route and result.

Parts differ by pattern as well as by colour, and everything shown is also available as text.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QEvent, QPoint, QRectF, QSize, Qt, QTimer
from PySide6.QtGui import QBrush, QColor, QHelpEvent, QPainter, QPen
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from smtp_desk.app.delivery.last_day import DayResult
from smtp_desk.app.delivery.overview_words import day_text, hour_text, hours_text
from smtp_desk.ui.widgets.announce import announce
from smtp_desk.ui.widgets.theme import theme_of_application

if TYPE_CHECKING:
    from collections.abc import Sequence

    from PySide6.QtGui import QFocusEvent, QKeyEvent, QPaintEvent

    from smtp_desk.app.delivery.last_day import Hour
    from smtp_desk.ui.widgets.colours import Colours

_HEIGHT: Final = 96
_LEAST: Final = 2.0
"""Height of a part that is there at all: one refused email among thousands is seen."""
_NAME: Final = "Emails in the last 24 hours"
_STEPS: Final = {Qt.Key.Key_Right: 1, Qt.Key.Key_Left: -1}


def paint_part(painter: QPainter, box: QRectF, result: DayResult, colours: Colours) -> None:
    """Paint the pattern of a result: solid, hatched, hollow, dotted or crossed."""
    colour, pattern = {
        DayResult.CUSTOM: (colours.accent, Qt.BrushStyle.SolidPattern),
        DayResult.DEFAULT: (colours.accent, Qt.BrushStyle.BDiagPattern),
        DayResult.WAITING: (colours.muted, Qt.BrushStyle.NoBrush),
        DayResult.UNCERTAIN: (colours.warning, Qt.BrushStyle.Dense4Pattern),
        DayResult.REFUSED: (colours.danger, Qt.BrushStyle.DiagCrossPattern),
    }[result]
    painter.fillRect(box, QColor(colours.surface))
    painter.setPen(QPen(QColor(colour), 1))
    painter.setBrush(QBrush(QColor(colour), pattern))
    painter.drawRect(box.adjusted(0.5, 0.5, -0.5, -0.5))


class DayChart(QWidget):
    """The chart; arrow keys and the pointer describe one hour at a time."""

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("day_chart")
        self.setAccessibleName(_NAME)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self._hours: Sequence[Hour] = ()
        self._chosen: int | None = None
        self._theme = theme_of_application()
        self._theme.changed.connect(self.update)

    def show_hours(self, hours: Sequence[Hour]) -> None:
        """Show these hours; the same again changes nothing."""
        if hours == self._hours:
            return
        self._hours = hours
        self.setAccessibleDescription(f"{day_text(hours)} {hours_text(hours)}".strip())
        self.update()

    def sizeHint(self) -> QSize:
        """The height that is useful, with room for its numbers."""
        return QSize(240, _HEIGHT + self.fontMetrics().height())

    def minimumSizeHint(self) -> QSize:
        """As narrow as it may get."""
        return QSize(120, self.sizeHint().height())

    def event(self, event: QEvent) -> bool:
        """Describe the hour under the pointer."""
        if isinstance(event, QHelpEvent) and event.type() is QEvent.Type.ToolTip:
            number = self._number_at(event.pos().x())
            text = hour_text(self._hours[number]) if number is not None else ""
            QToolTip.showText(event.globalPos(), text, self)
            return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Go from hour to hour along the reading direction."""
        step = _STEPS.get(Qt.Key(event.key()), 0)
        if not step or not self._hours:
            super().keyPressEvent(event)
            return
        last = len(self._hours) - 1
        mirrored = self.layoutDirection() is Qt.LayoutDirection.RightToLeft
        before = last + 1 if self._chosen is None else self._chosen
        self._chosen = min(max(before + (-step if mirrored else step), 0), last)
        text = hour_text(self._hours[self._chosen])
        announce(self, text)
        box = self._column(self._chosen)
        QToolTip.showText(self.mapToGlobal(QPoint(int(box.center().x()), 0)), text, self)
        self.update()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """Mark no hour any more."""
        super().focusOutEvent(event)
        self._chosen = None
        QTimer.singleShot(0, self, self.update)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the bars, the line that they stand on, and the hours and counts beside them."""
        del event
        colours = self._theme.colours
        painter = QPainter(self)
        area = self._area()
        most = max((hour.total for hour in self._hours), default=0)
        for number, hour in enumerate(self._hours):
            column = self._column(number)
            if number == self._chosen:
                painter.fillRect(column.adjusted(-1, 0, 1, 0), QColor(colours.selected))
            self._paint_hour(painter, column, hour, most)
        painter.setPen(QPen(QColor(colours.edge), 1))
        painter.drawLine(area.bottomLeft(), area.bottomRight())
        self._paint_numbers(painter, area, most)
        if self.hasFocus():
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(QPen(QColor(colours.accent), 2))
            painter.drawRoundedRect(QRectF(self.rect()).adjusted(1, 1, -1, -1), 4, 4)

    def _paint_hour(self, painter: QPainter, column: QRectF, hour: Hour, most: int) -> None:
        bottom = column.bottom()
        for result in DayResult:
            count = hour.counts.get(result, 0)
            if count:
                height = max(column.height() * count / most, _LEAST)
                box = QRectF(column.left(), bottom - height, column.width(), height)
                paint_part(painter, box, result, self._theme.colours)
                bottom -= height

    def _paint_numbers(self, painter: QPainter, area: QRectF, most: int) -> None:
        colours, line = self._theme.colours, self.fontMetrics().height()
        painter.setPen(QColor(colours.muted))
        font = painter.font()
        font.setPointSizeF(font.pointSizeF() * 0.9)
        painter.setFont(font)
        top = QRectF(area.left(), 0, area.width(), line)
        below = QRectF(area.left(), area.bottom() + 2, area.width(), line)
        start = Qt.AlignmentFlag.AlignLeft
        ends = Qt.AlignmentFlag.AlignRight
        if self.layoutDirection() is Qt.LayoutDirection.RightToLeft:
            start, ends = ends, start
        if most:
            painter.drawText(top, start, f"{most:,}")
        if self._hours:
            first = self._hours[0].begin.astimezone()
            middle = self._hours[len(self._hours) // 2].begin.astimezone()
            painter.drawText(below, start, f"{first:%H:%M}")
            painter.drawText(below, Qt.AlignmentFlag.AlignHCenter, f"{middle:%H:%M}")
            painter.drawText(below, ends, "now")

    def _area(self) -> QRectF:
        line = self.fontMetrics().height()
        return QRectF(self.rect()).adjusted(4, line + 2, -4, -line - 4)

    def _column(self, number: int) -> QRectF:
        area = self._area()
        width = area.width() / max(len(self._hours), 1)
        if self.layoutDirection() is Qt.LayoutDirection.RightToLeft:
            number = len(self._hours) - 1 - number
        gap = min(width / 4, 3.0)
        return QRectF(
            area.left() + number * width + gap / 2, area.top(), width - gap, area.height()
        )

    def _number_at(self, x: float) -> int | None:
        columns = ((each, self._column(each)) for each in range(len(self._hours)))
        return next((each for each, box in columns if box.left() - 2 <= x <= box.right() + 2), None)
