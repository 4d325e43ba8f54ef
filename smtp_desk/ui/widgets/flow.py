"""A row of buttons that continues on the next line where the window is too narrow."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QPoint, QRect, QSize, Qt
from PySide6.QtWidgets import QLayout, QLayoutItem, QSizePolicy, QWidget

from smtp_desk.ui.widgets.colours import Space

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


class Flow(QLayout):
    """Places its items along the reading direction, in as many lines as they need."""

    def __init__(self, *, at_end: bool = False, breaks: Iterable[QWidget] = ()) -> None:
        """Create it.

        Args:
            at_end: Move each line to the end of the reading direction.
            breaks: A new line begins at each of these widgets.
        """
        super().__init__()
        self._items: list[QLayoutItem] = []
        self._at_end = at_end
        self._breaks = frozenset(breaks)
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

    def heightForWidth(self, width: int) -> int:
        """Height of all lines at `width`."""
        lines = list(self._lines(width))
        return sum(height for _, height in lines) + self.spacing() * max(len(lines) - 1, 0)

    def sizeHint(self) -> QSize:
        """All items in one line."""
        sizes = [item.sizeHint() for item in self._shown()]
        width = sum(size.width() for size in sizes) + self.spacing() * max(len(sizes) - 1, 0)
        return QSize(width, max((size.height() for size in sizes), default=0))

    def minimumSize(self) -> QSize:
        """The widest item alone in its line."""
        sizes = [item.sizeHint() for item in self._shown()]
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
            used = sum(item.sizeHint().width() + self.spacing() for item in items) - self.spacing()
            left = rect.width() - used if self._at_end else 0
            for item in items:
                size = item.sizeHint()
                start = rect.width() - left - size.width() if mirrored else left
                drop = (height - size.height()) // 2
                item.setGeometry(QRect(QPoint(rect.left() + start, top + drop), size))
                left += size.width() + self.spacing()
            top += height + self.spacing()

    def _direction(self) -> Qt.LayoutDirection:
        parent = self.parentWidget()
        return parent.layoutDirection() if parent else Qt.LayoutDirection.LeftToRight

    def _shown(self) -> list[QLayoutItem]:
        return [item for item in self._items if not item.isEmpty()]

    def _lines(self, width: int) -> Iterator[tuple[list[QLayoutItem], int]]:
        line: list[QLayoutItem] = []
        used = 0
        for item in self._shown():
            size = item.sizeHint()
            if line and (used + size.width() > width or item.widget() in self._breaks):
                yield line, max(each.sizeHint().height() for each in line)
                line, used = [], 0
            line.append(item)
            used += size.width() + self.spacing()
        if line:
            yield line, max(each.sizeHint().height() for each in line)


def flow(*widgets: QWidget, at_end: bool = False, breaks: Iterable[QWidget] = ()) -> QWidget:
    """Return a widget that holds `widgets` in a `Flow`."""
    holder = QWidget()
    layout = Flow(at_end=at_end, breaks=breaks)
    holder.setLayout(layout)
    for widget in widgets:
        layout.addWidget(widget)
    policy = QSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Minimum)
    policy.setHeightForWidth(True)
    holder.setSizePolicy(policy)
    return holder
