"""The pages and the list to choose from, at the left under Settings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QEvent, QSize, Qt, Slot
from PySide6.QtGui import QIcon
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QListWidget,
    QListWidgetItem,
    QStackedWidget,
    QWidget,
)

from smtp_desk.ui.widgets.card import column
from smtp_desk.ui.widgets.colours import Space
from smtp_desk.ui.widgets.icons import SIZE, beside_text, pixmap
from smtp_desk.ui.widgets.label import Label
from smtp_desk.ui.widgets.slices import styling

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from PySide6.QtGui import QResizeEvent

_NARROW: Final = 820
_TITLES: Final[Mapping[str, str]] = {
    "integrations": "Integrations",
    "email_types": "Email types",
    "delivery": "Delivery",
    "diagnostics": "Diagnostics",
    "arrived": "What arrived",
    "general": "General",
}
"""`objectName` of each page, which is its icon's name too, and its title."""


class Navigation(QWidget):
    """One page at a time; in a narrow window the list shows icons only."""

    def __init__(
        self, builders: Mapping[str, Callable[[], QWidget]], parent: QWidget | None = None
    ) -> None:
        """Offer the pages that `builders` can make; each is made when it is first shown."""
        super().__init__(parent)
        self._builders: Final = {name: builders[name] for name in _TITLES if name in builders}
        self._built: dict[str, QWidget] = {}
        self._narrow: bool | None = None
        self._list = self._make_list()
        self._header = Label("Settings", "title")
        self._sidebar = self._make_sidebar()
        self._stack = QStackedWidget()
        # Seen until a page is opened: a page that were added first would be shown at once.
        self._stack.addWidget(QWidget())
        edge = QFrame()
        edge.setObjectName("sidebar_edge")
        edge.setFixedWidth(1)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self._sidebar)
        layout.addWidget(edge)
        layout.addWidget(self._stack, 1)
        self._draw_icons()

    @property
    def pages(self) -> QWidget:
        """What pages are best made in: it will hold them."""
        return self._stack

    @property
    def titles(self) -> Mapping[str, str]:
        """The titles of the pages by their names, in their order."""
        return {name: _TITLES[name] for name in self._builders}

    def built(self) -> list[tuple[str, QWidget]]:
        """Return the pages that are made by now with their names, that in sight first."""
        return sorted(self._built.items(), key=lambda page: page[0] != self.current)

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the pages, in their order."""
        return tuple(self._builders)

    def prepare(self, name: str) -> Iterator[None]:
        """Make a page before it is opened, in slices: its style is most of the work."""
        page = self._page(name)
        yield
        yield from styling(page)

    def open_page(self, name: str) -> QWidget:
        """Show a page, made now if this was not done before."""
        page = self._page(name)
        self._stack.setCurrentWidget(page)
        self._list.setCurrentRow(list(self._builders).index(name))
        return page

    def _page(self, name: str) -> QWidget:
        if name not in self._built:
            self._built[name] = page = self._builders[name]()
            self._stack.addWidget(page)
        return self._built[name]

    @property
    def current(self) -> str:
        """The name of the page that is shown."""
        return list(self._builders)[max(self._list.currentRow(), 0)]

    @property
    def has_focus(self) -> bool:
        """Whether the list of pages has the focus of its window."""
        return self.window().focusWidget() is self._list

    def take_focus(self) -> None:
        """Move the focus to the list: whoever uses the keyboard begins there."""
        self._list.setFocus(Qt.FocusReason.OtherFocusReason)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Leave only icons in the list of a narrow window."""
        super().resizeEvent(event)
        self._fold(narrow=event.size().width() < _NARROW)

    def changeEvent(self, event: QEvent) -> None:
        """Draw the icons in the colours of a new scheme."""
        super().changeEvent(event)
        if event.type() is QEvent.Type.StyleChange:
            self._draw_icons()
            self._fit_sidebar()

    def _make_list(self) -> QListWidget:
        chooser = QListWidget()
        chooser.setObjectName("navigation")
        chooser.setAccessibleName("Settings")
        chooser.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        chooser.setFrameShape(QFrame.Shape.NoFrame)
        for name in self._builders:
            item = QListWidgetItem(_TITLES[name])
            item.setData(Qt.ItemDataRole.AccessibleTextRole, _TITLES[name])
            chooser.addItem(item)
        chooser.currentRowChanged.connect(self._chosen)
        return chooser

    def _make_sidebar(self) -> QWidget:
        sidebar = QFrame()
        sidebar.setObjectName("sidebar")
        layout = column(sidebar, Space.M)
        layout.setContentsMargins(Space.S, Space.XL, Space.S, Space.S)
        self._header.setContentsMargins(Space.S, 0, Space.S, 0)
        self._header.setBuddy(self._list)
        layout.addWidget(self._header)
        layout.addWidget(self._list, 1)
        return sidebar

    def _fold(self, *, narrow: bool) -> None:
        if narrow == self._narrow:
            return
        self._narrow = narrow
        self._header.setVisible(not narrow)
        for row, title in enumerate(_TITLES[name] for name in self._builders):
            item = self._list.item(row)
            item.setText("" if narrow else title)
            item.setToolTip(title if narrow else "")
        self._fit_sidebar()

    def _fit_sidebar(self) -> None:
        metrics = self.fontMetrics()
        em = metrics.height()
        icon_only = beside_text(SIZE, metrics) + 2 * Space.L + 2 * Space.S
        widest = max(metrics.horizontalAdvance(_TITLES[name]) for name in self._builders)
        wide = max(widest + 5 * em, 12 * em)
        self._sidebar.setFixedWidth(icon_only if self._narrow else wide)

    def _draw_icons(self) -> None:
        colour = self.palette().color(self.foregroundRole())
        size = beside_text(SIZE, self.fontMetrics())
        self._list.setIconSize(QSize(size, size))
        for row, name in enumerate(self._builders):
            drawn = pixmap(name, colour, size, self.devicePixelRatioF())
            icon = QIcon(drawn)
            # The same in every state: Qt would tint the icon of the chosen page.
            icon.addPixmap(drawn, QIcon.Mode.Selected)
            self._list.item(row).setIcon(icon)

    @Slot(int)
    def _chosen(self, row: int) -> None:
        if row >= 0:
            self.open_page(list(self._builders)[row])
