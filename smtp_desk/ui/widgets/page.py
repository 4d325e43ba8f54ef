"""The frame of a page: title, a readable column that scrolls, and the actions in view below it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from PySide6.QtCore import Qt, QTimer, Signal, Slot
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import QFrame, QHBoxLayout, QScrollArea, QVBoxLayout, QWidget

from smtp_desk.ui.widgets.card import Columns, column
from smtp_desk.ui.widgets.colours import READABLE_WIDTH, Space
from smtp_desk.ui.widgets.label import Label

if TYPE_CHECKING:
    from collections.abc import Callable

    from PySide6.QtGui import QHideEvent, QResizeEvent, QShowEvent

FRAME_NAMES: Final = frozenset({"column", "scrolled", "action_bar"})
"""`objectName`s that every page has, for the style sheet."""


class Page(QWidget):
    """One page of the window.

    Args:
        name: Its `objectName`.
        title: Its title.
        explanation: What it is for.
        width: Widest column of content, in logical pixels.

    Attributes:
        body: Where cards go.

    Signals:
        seen: It is shown.
        left: It is hidden.
    """

    seen = Signal()
    left = Signal()

    def __init__(
        self, name: str, title: str, explanation: str, *, width: int = READABLE_WIDTH
    ) -> None:
        super().__init__()
        self._width = width
        self.setObjectName(name)
        self.setAccessibleName(title)
        content = QWidget()
        content.setObjectName("column")
        content.setMaximumWidth(width + 2 * Space.XL)
        self.body: Final = QVBoxLayout(content)
        self.body.setContentsMargins(Space.XL, Space.XL, Space.XL, Space.XL)
        self.body.setSpacing(Space.L)
        head = column(space=Space.XS)
        head.addWidget(Label(title, "title"))
        head.addWidget(Label(explanation, "muted"))
        self.body.addLayout(head)
        self.area: Final = QScrollArea()
        self.area.setWidgetResizable(True)
        self.area.setFrameShape(QFrame.Shape.NoFrame)
        self.area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        scrolled = centred(content)
        # Else the height that wrapped texts would take in the narrowest column counts as well,
        # and leaves the page scrolling into the void.
        scrolled.setMinimumHeight(1)
        self.area.setWidget(scrolled)
        self.area.verticalScrollBar().rangeChanged.connect(self._align_bar)
        self._bar_layout: QVBoxLayout | None = None
        self._wanted: tuple[QWidget, ...] = ()
        self._scrolling = QTimer(self)
        self._scrolling.setSingleShot(True)
        self._scrolling.timeout.connect(self._scroll)
        self._layout = column(self, 0)
        self._layout.addWidget(self.area, 1)

    def set_action_bar(self, bar: QWidget) -> None:
        """Keep `bar` in view below the scrolling column."""
        holder = QWidget()
        holder.setObjectName("action_bar")
        holder.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self._bar_layout = column(holder, 0)
        self._bar_layout.addWidget(bar)
        self._layout.addWidget(holder)

    def bring_into_view(self, *widgets: QWidget) -> None:
        """Scroll so that the widgets are seen once they are laid out, the last one surely."""
        self._wanted = widgets
        self._scrolling.start()

    def add_shortcut(self, keys: str | QKeySequence.StandardKey, act: Callable[[], object]) -> None:
        """Do `act` at these keys while the focus is on this page."""
        shortcut = QShortcut(QKeySequence(keys), self)
        shortcut.setContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
        shortcut.activated.connect(act)

    def showEvent(self, event: QShowEvent) -> None:
        """Tell."""
        super().showEvent(event)
        self.seen.emit()

    def hideEvent(self, event: QHideEvent) -> None:
        """Tell."""
        super().hideEvent(event)
        self.left.emit()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Put columns side by side or below each other, as the width allows."""
        super().resizeEvent(event)
        width = min(event.size().width() - 2 * Space.XL, self._width)
        for columns in self.findChildren(Columns):
            columns.fit(width)

    @Slot()
    def _scroll(self) -> None:
        for widget in self._wanted:
            if widget.isVisible():
                self.area.ensureWidgetVisible(widget, 0, 2 * Space.XL)

    @Slot()
    def _align_bar(self) -> None:
        """Keep the bar below the column whether or not the scroll bar takes its room."""
        if self._bar_layout is not None:
            bar = self.area.verticalScrollBar()
            scrolls = bar.maximum() > bar.minimum()
            taken = bar.sizeHint().width() if scrolls else 0
            mirrored = self.layoutDirection() is Qt.LayoutDirection.RightToLeft
            self._bar_layout.setContentsMargins(
                taken if mirrored else 0, 0, 0 if mirrored else taken, 0
            )


def centred(content: QWidget) -> QWidget:
    """Return a widget with `content` in its middle, as wide as it may be."""
    around = QWidget()
    around.setObjectName("scrolled")
    layout = QHBoxLayout(around)
    layout.setContentsMargins(0, 0, 0, 0)
    layout.addStretch(1)
    layout.addWidget(content, 1000)
    layout.addStretch(1)
    return around
