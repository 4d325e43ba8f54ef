"""The frame of a page: title, a column that scrolls, what stays in sight beside it and below."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import Qt, QTimer, Signal, Slot
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import (
    QApplication,
    QFrame,
    QHBoxLayout,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)
from shiboken6 import isValid

from smtp_desk.ui.widgets.card import Columns, column, row
from smtp_desk.ui.widgets.colours import READABLE_WIDTH, USUAL_LINE, Space
from smtp_desk.ui.widgets.label import Label

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from PySide6.QtGui import QHideEvent, QResizeEvent, QShowEvent

_BESIDE: Final = 830
"""From this width of the page on, the aside stands beside the column."""
_HEAD: Final = 520
"""From this width of the column on, what a page opens stands beside its title."""
_ASIDE_LEAST: Final = 340
_ASIDE_MOST: Final = 440
FRAME_NAMES: Final = frozenset({"column", "scrolled", "action_bar", "aside"})
"""`objectName`s that every page has, for the style sheet."""


class Page(QWidget):
    """One page of the window.

    Args:
        name: Its `objectName`.
        title: Its title.
        explanation: What it is for.
        width: Widest column of content, in logical pixels.
        opening: Buttons for what to look at, beside the title where there is room.
        parent: What it will be shown in: to move a page that has its parts styles them anew.

    Attributes:
        body: Where cards go.

    Signals:
        seen: It is shown.
        left: It is hidden.
        arranged: The aside has moved: beside the column, or below it.
    """

    seen = Signal()
    left = Signal()
    arranged = Signal()

    def __init__(
        self,
        name: str,
        title: str,
        explanation: str,
        *,
        width: int = READABLE_WIDTH,
        opening: QWidget | None = None,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._width = width
        self.setObjectName(name)
        self.setAccessibleName(title)
        content = QWidget()
        content.setObjectName("column")
        content.setMaximumWidth(width + 2 * Space.XL)
        self.body: Final = QVBoxLayout(content)
        self.body.setContentsMargins(Space.XL, Space.XL, Space.XL, Space.XL)
        self.body.setSpacing(Space.L)
        self.body.addWidget(_head(title, explanation, opening))
        self.area: Final = _Area()
        scrolled = centred(content)
        # Else the height that wrapped texts would take in the narrowest column counts as well,
        # and leaves the page scrolling into the void.
        scrolled.setMinimumHeight(1)
        self.area.setWidget(scrolled)
        self.area.verticalScrollBar().rangeChanged.connect(self._align_bar)
        self._bar_layout: QVBoxLayout | None = None
        self._aside: QWidget | None = None
        self._aside_area = _Area()
        self._aside_area.verticalScrollBar().rangeChanged.connect(self._align_bar)
        self._aside_area.setObjectName("aside")
        self._aside_area.hide()
        self._wanted: tuple[QWidget, ...] = ()
        self._wanted_below = False
        self._scrolling = QTimer(self)
        self._scrolling.setSingleShot(True)
        self._scrolling.timeout.connect(self._scroll)
        self._layout = column(self, 0)
        both = row(space=0)
        both.addWidget(self.area, 1)
        both.addWidget(self._aside_area)
        self._layout.addLayout(both, 1)
        application = QApplication.instance()
        if isinstance(application, QApplication):
            application.focusChanged.connect(self._follow_focus)

    def set_action_bar(self, bar: QWidget) -> None:
        """Keep `bar` in view below the scrolling column."""
        holder = QWidget()
        holder.setObjectName("action_bar")
        holder.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self._bar_layout = column(holder, 0)
        self._bar_layout.addWidget(bar)
        self._layout.addWidget(holder)

    @contextmanager
    def changing(self) -> Iterator[None]:
        """Lay out once what is shown and hidden meanwhile: Qt does it anew for each part."""
        inside = self._aside.layout() if self._aside is not None else None
        layouts = [each for each in (inside, self._bar_layout, self.body) if each is not None]
        for layout in layouts:
            layout.setEnabled(False)
        try:
            yield
        finally:
            for layout in layouts:
                layout.setEnabled(True)
            if self.isVisible():
                for layout in layouts:
                    layout.activate()

    def set_aside(self, aside: QWidget) -> None:
        """Keep `aside` in sight beside the column where there is room, else at its end."""
        self._aside = aside
        self.body.addWidget(aside)

    @property
    def wide(self) -> bool:
        """Whether the aside stands beside the column."""
        return not self._aside_area.isHidden()

    def bring_into_view(self, *widgets: QWidget, below: bool = False) -> None:
        """Scroll so that the widgets are seen once they are laid out, the last one surely.

        Args:
            widgets: Those to be seen.
            below: What is below them shall be seen as well: if it has to scroll, they come to
                the top.
        """
        self._wanted, self._wanted_below = widgets, below
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
        if self._aside is not None:
            self._place_aside(event.size().width())
        self.fit_columns()

    def fit_columns(self) -> None:
        """Put columns that came since the page has its width side by side, or below each other."""
        width = self.width()
        aside = self._aside_area.width() if self.wide else 0
        column_width = min(width - aside - 2 * Space.XL, self._width)
        for columns in self.findChildren(Columns):
            if self._aside_area.isAncestorOf(columns):
                columns.fit(aside - Space.XL - Space.S)
            elif self.area.isAncestorOf(columns):
                columns.fit(column_width)
            else:
                columns.fit(width - 2 * Space.XL)

    def _place_aside(self, width: int) -> None:
        """Put the aside beside the column, or below it; the focus stays where it is."""
        em = max(self.fontMetrics().height(), USUAL_LINE)
        wide = width >= _BESIDE * em // USUAL_LINE
        self._aside_area.setFixedWidth(min(max(width * 2 // 5, _ASIDE_LEAST), _ASIDE_MOST))
        if wide == self.wide or self._aside is None:
            return
        focused = self.focusWidget()
        if wide:
            self._aside_area.setWidget(_framed(self._aside))
        else:
            self._aside_area.takeWidget()
            self.body.insertWidget(self.body.count() - 1, self._aside)
        self._aside.show()
        self._aside_area.setVisible(wide)
        self._align_bar()
        self.arranged.emit()
        if focused is not None:
            focused.setFocus(Qt.FocusReason.OtherFocusReason)

    @Slot()
    def _scroll(self) -> None:
        # What was to be seen may be gone by now.
        wanted, self._wanted = [each for each in self._wanted if isValid(each)], ()
        if self.wide and wanted and self._aside_area.isAncestorOf(wanted[-1]):
            # Read from the top: what was sent, then what came of it.
            self._aside_area.verticalScrollBar().setValue(0)
            self._aside_area.ensureWidgetVisible(wanted[-1], 0, Space.XL)
            return
        for widget in wanted:
            if widget.isVisible():
                if self._wanted_below and not _is_in_view(widget, self.area):
                    self.area.verticalScrollBar().setValue(self.area.verticalScrollBar().maximum())
                self.area.ensureWidgetVisible(widget, 0, 2 * Space.XL)

    @Slot(QWidget, QWidget)
    def _follow_focus(self, old: QWidget | None, now: QWidget | None) -> None:
        """Bring what has the focus into view: Qt does that for the Tab key only.

        An access key and a screen reader move it, too. A window that becomes active again
        (`old` is none) stays where it was.
        """
        if old is None or now is None or now in self._wanted:
            return
        for area in (self.area, self._aside_area):
            if area.isAncestorOf(now) and not _is_in_view(now, area):
                area.ensureWidgetVisible(now, 0, 2 * Space.XL)

    @Slot()
    def _align_bar(self) -> None:
        """Let the bar end where what stands above it ends, beside a scroll bar or not."""
        if self._bar_layout is not None:
            bar = (self._aside_area if self.wide else self.area).verticalScrollBar()
            scrolls = bar.maximum() > bar.minimum()
            taken = bar.sizeHint().width() if scrolls else 0
            mirrored = self.layoutDirection() is Qt.LayoutDirection.RightToLeft
            self._bar_layout.setContentsMargins(
                taken if mirrored else 0, 0, 0 if mirrored else taken, 0
            )


def _head(title: str, explanation: str, opening: QWidget | None) -> QWidget:
    head = QWidget()
    words = column(head, Space.XS)
    words.addWidget(Label(title, "title"))
    words.addWidget(Label(explanation, "muted"))
    return head if opening is None else Columns(_HEAD, (head, 1), (opening, 0))


def _is_in_view(widget: QWidget, area: QScrollArea) -> bool:
    """Return whether all of it is seen, or as much as has room."""
    seen = widget.visibleRegion().boundingRect().height()
    return seen >= min(widget.height(), area.maximumViewportSize().height())


class _Area(QScrollArea):
    """Scrolls up and down only, and takes no focus."""

    def __init__(self) -> None:
        super().__init__()
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)


def _framed(aside: QWidget) -> QWidget:
    """Return a widget with `aside` at its top, as far from the edges as a page's column."""
    around = QWidget()
    around.setObjectName("scrolled")
    around.setMinimumHeight(1)
    inside = column()
    inside.setContentsMargins(0, Space.XL, 0, Space.XL)
    inside.addWidget(aside)
    inside.addStretch(1)
    # Not margins: those would not be mirrored where the text runs right to left.
    layout = row(around, 0)
    layout.addSpacing(Space.S)
    layout.addLayout(inside, 1)
    layout.addSpacing(Space.XL)
    return around


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
