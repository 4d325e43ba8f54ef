"""A row of buttons that continues on the next line where the window is too narrow."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QPoint, QRect, QSize, Qt
from PySide6.QtWidgets import QLayout, QLayoutItem, QSizePolicy, QWidget

from smtp_desk.ui.widgets.colours import Space

if TYPE_CHECKING:
    from collections.abc import Iterator


class Flow(QLayout):
    """Places its items along the reading direction, in as many lines as they need."""

    def __init__(self, *, at_end: bool = False) -> None:
        """Create it.

        Args:
            at_end: Move each line to the end of the reading direction.
        """
        super().__init__()
        self._items: list[QLayoutItem] = []
        self._at_end = at_end
        self._sizes: list[tuple[QLayoutItem, QSize]] = []
        self._heights: dict[int, int] = {}
        self.setContentsMargins(0, 0, 0, 0)
        self.setSpacing(Space.S)

    def addItem(self, item: QLayoutItem) -> None:
        """Append an item."""
        self._items.append(item)

    def count(self) -> int:
        """Return the number of items."""
        return len(self._items)

    def itemAt(self, index: int) -> QLayoutItem | None:
        """Return an item; None ends the layout's walks."""
        return self._items[index] if 0 <= index < len(self._items) else None

    def takeAt(self, index: int) -> QLayoutItem | None:
        """Remove and return an item."""
        return self._items.pop(index) if 0 <= index < len(self._items) else None

    def expandingDirections(self) -> Qt.Orientation:
        """Take no more room than needed."""
        return Qt.Orientation(0)

    def hasHeightForWidth(self) -> bool:
        """A narrow row has more lines."""
        return True

    def invalidate(self) -> None:
        """Ask the items anew: one of them has changed."""
        self._sizes.clear()
        self._heights.clear()
        super().invalidate()

    def heightForWidth(self, width: int) -> int:
        """Height of all lines at `width`."""
        if width not in self._heights:
            lines = list(self._lines(width))
            gaps = self.spacing() * max(len(lines) - 1, 0)
            self._heights[width] = sum(height for _, height in lines) + gaps
        return self._heights[width]

    def sizeHint(self) -> QSize:
        """All items in one line."""
        sizes = [size for _, size in self._shown()]
        width = sum(size.width() for size in sizes) + self.spacing() * max(len(sizes) - 1, 0)
        return QSize(width, max((size.height() for size in sizes), default=0))

    def minimumSize(self) -> QSize:
        """The widest item alone in its line."""
        sizes = [size for _, size in self._shown()]
        return QSize(
            max((size.width() for size in sizes), default=0),
            max((size.height() for size in sizes), default=0),
        )

    def setGeometry(self, rect: QRect) -> None:
        """Place the items."""
        super().setGeometry(rect)
        mirrored = self._direction() is Qt.LayoutDirection.RightToLeft
        top = rect.top()
        for items, height in self._lines(rect.width()):
            used = sum(size.width() + self.spacing() for _, size in items) - self.spacing()
            left = rect.width() - used if self._at_end else 0
            for item, size in items:
                start = rect.width() - left - size.width() if mirrored else left
                drop = (height - size.height()) // 2
                item.setGeometry(QRect(QPoint(rect.left() + start, top + drop), size))
                left += size.width() + self.spacing()
            top += height + self.spacing()

    def _direction(self) -> Qt.LayoutDirection:
        parent = self.parentWidget()
        return parent.layoutDirection() if parent else Qt.LayoutDirection.LeftToRight

    def _shown(self) -> list[tuple[QLayoutItem, QSize]]:
        """Return what is to be placed with its size, asked once until something changes."""
        if not self._sizes:
            items = [item for item in self._items if not item.isEmpty()]
            for widget in filter(None, (item.widget() for item in items)):
                widget.ensurePolished()  # its style sets its size, and does not tell
            self._sizes = [(item, item.sizeHint()) for item in items]
        return self._sizes

    def _lines(self, width: int) -> Iterator[tuple[list[tuple[QLayoutItem, QSize]], int]]:
        line: list[tuple[QLayoutItem, QSize]] = []
        used = 0
        for item, size in self._shown():
            if line and used + size.width() > width:
                yield line, max(each.height() for _, each in line)
                line, used = [], 0
            line.append((item, size))
            used += size.width() + self.spacing()
        if line:
            yield line, max(each.height() for _, each in line)


def flow(*widgets: QWidget, at_end: bool = False) -> QWidget:
    """Return a widget that holds `widgets` in a `Flow`."""
    holder = QWidget()
    layout = Flow(at_end=at_end)
    holder.setLayout(layout)
    for widget in widgets:
        layout.addWidget(widget)
    policy = QSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Minimum)
    policy.setHeightForWidth(True)
    holder.setSizePolicy(policy)
    return holder
