"""The list of emails on the screen: rows of one height, columns that fit the window."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from PySide6.QtCore import (
    QEvent,
    QLocale,
    QModelIndex,
    QPersistentModelIndex,
    QSize,
    Qt,
    Signal,
    Slot,
)
from PySide6.QtGui import QColor, QIcon
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHeaderView,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTableView,
)

from smtp_desk.app.delivery.listing import Part, Span
from smtp_desk.app.delivery.rows import COLUMNS
from smtp_desk.app.delivery.words import DeliveryStatus
from smtp_desk.ui.delivery.model import STATUS_ROLE, DeliveryModel
from smtp_desk.ui.widgets.bidi import elidable
from smtp_desk.ui.widgets.colours import Space
from smtp_desk.ui.widgets.icons import pixmap
from smtp_desk.ui.widgets.theme import theme_of_application

if TYPE_CHECKING:
    from PySide6.QtGui import QFocusEvent, QResizeEvent

    Index = QModelIndex | QPersistentModelIndex

ICONS: Final = {
    DeliveryStatus.WAITING: ("pending", "muted"),
    DeliveryStatus.SENDING: ("running", "accent"),
    DeliveryStatus.SENT: ("success", "success"),
    DeliveryStatus.UNCERTAIN: ("warning", "warning"),
    DeliveryStatus.REFUSED: ("failed", "danger"),
    DeliveryStatus.DROPPED: ("skipped", "muted"),
}
"""The icon of each status, and its tone."""

_ICON: Final = 16
_STATE: Final = COLUMNS.index("State")
_SAMPLES: Final = {
    "Time": "0000-00-00 00:00",
    "Kind": "Notification",
    "State": "Uncertain",
    "Route": "Defaults",
}
_SHARES: Final = {"To": 3, "Subject": 3, "Why": 4}
_NARROWEST_EMS: Final = 5
_LEFT_OUT: Final = (("Kind", 52), ("Route", 38), ("Why", 34))
"""What a table narrower than so many ems leaves out; the details of the email tell it."""
_ROWS: Final = 6
_AHEAD: Final = 60
"""Rows before the end at which more are asked for, so that nobody waits at the end."""


class EmailTable(QTableView):
    """The emails, newest first.

    Signals:
        chosen: Another email is the current one: its identifier, or "" for none.
    """

    chosen = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("emails")
        self.setAccessibleName("Emails")
        self.setAccessibleDescription("Newest first. Details of the selected email are below.")
        self._emails = DeliveryModel()
        self._fitted = 0
        self.setModel(self._emails)
        self.setItemDelegate(_Delegate(self))
        self.setItemDelegateForColumn(_STATE, _StateDelegate(self))
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setTabKeyNavigation(False)
        self.setShowGrid(False)
        self.setWordWrap(False)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self._set_headers()
        self.selectionModel().currentRowChanged.connect(self._choose)
        self.verticalScrollBar().valueChanged.connect(self._look_ahead)

    @property
    def emails(self) -> DeliveryModel:
        """The model that the table shows."""
        return self._emails

    @property
    def span(self) -> Span:
        """The visible rows."""
        rows = self._emails.rowCount()
        first = self.rowAt(0)
        last = self.rowAt(self.maximumViewportSize().height() - 1)
        if first < 0:
            return Span()
        last = rows - 1 if last < 0 else last
        seen = range(first, last + 1)
        return Span(self._emails.id_at(first - 1), tuple(map(self._emails.id_at, seen)))

    def show_part(self, part: Part) -> None:
        """Insert rows, and keep what the person is looking at in place."""
        chosen = self._emails.id_at(self.currentIndex().row())
        anchor = self.rowAt(0) if self.verticalScrollBar().value() else -1
        anchor_id, offset = self._emails.id_at(anchor), self.rowViewportPosition(anchor)
        self._emails.show_part(part)
        if part.anew:
            self.scrollToTop()
            self.choose(chosen)
        elif anchor_id:
            self._scroll_to(anchor_id, anchor, offset)

    def choose(self, entry_id: str) -> None:
        """Make an email the current one, or none if it isn't in the list."""
        row = self._emails.row_of(entry_id) if entry_id else -1
        if row >= 0:
            self.setCurrentIndex(self._emails.index(row, 0))
        else:
            self.chosen.emit("")

    def focusInEvent(self, event: QFocusEvent) -> None:
        """Choose the first email, which Qt only makes the current one."""
        super().focusInEvent(event)
        current = self.currentIndex()
        if current.isValid() and not self.selectionModel().hasSelection():
            self.selectRow(current.row())
            self.chosen.emit(self._emails.id_at(current.row()))

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Share the new width among the columns, and keep a visible current email visible."""
        current = self.currentIndex()
        place = self.visualRect(current)
        seen = current.isValid() and 0 <= place.top() <= event.oldSize().height()
        super().resizeEvent(event)
        if seen:
            self.scrollTo(current)
        width = self._room()
        if width != self._fitted:
            self._fitted = width
            self._fit(width)

    def changeEvent(self, event: QEvent) -> None:
        """Fit rows and columns to another text size."""
        super().changeEvent(event)
        if event.type() is QEvent.Type.FontChange:
            self._fit_rows()
            self._fit(self._room())

    def _room(self) -> int:
        """Return the width that the columns have."""
        bar = self.verticalScrollBar()
        taken = bar.width() if bar.isVisibleTo(self) else 0
        return self.maximumViewportSize().width() - taken

    def _set_headers(self) -> None:
        across, down = self.horizontalHeader(), self.verticalHeader()
        across.setHighlightSections(False)
        across.setSectionsClickable(False)
        across.setSectionResizeMode(QHeaderView.ResizeMode.Interactive)
        across.setTextElideMode(Qt.TextElideMode.ElideRight)
        down.hide()
        down.setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        self._fit_rows()

    def _fit_rows(self) -> None:
        across, down = self.horizontalHeader(), self.verticalHeader()
        height = self.fontMetrics().height() + Space.M
        down.setMinimumSectionSize(height)
        down.setDefaultSectionSize(height)
        self.setMinimumHeight(_ROWS * height + across.sizeHint().height())

    def _fit(self, width: int) -> None:
        metrics, padding = self.fontMetrics(), 2 * Space.S + Space.XS
        widths = {
            title: metrics.horizontalAdvance(max(sample, title, key=len)) + padding
            for title, sample in _SAMPLES.items()
        }
        widths["State"] += _ICON + Space.S
        left_out = {title for title, ems in _LEFT_OUT if width < ems * metrics.height()}
        rest = width - sum(each for title, each in widths.items() if title not in left_out)
        narrowest = _NARROWEST_EMS * metrics.height()
        shares = {title: share for title, share in _SHARES.items() if title not in left_out}
        for title, share in shares.items():
            widths[title] = max(rest * share // sum(shares.values()), narrowest)
        for column, title in enumerate(COLUMNS):
            self.setColumnHidden(column, title in left_out)
            if title not in left_out:
                self.setColumnWidth(column, widths[title])

    def _scroll_to(self, entry_id: str, row_before: int, offset: int) -> None:
        """Bring the row that was the first in view back to where it was."""
        row = self._emails.row_of(entry_id)
        if row not in (-1, row_before):
            self.updateGeometries()
            place = self.verticalHeader().sectionPosition(row) - offset
            self.verticalScrollBar().setValue(place)

    @Slot(QModelIndex)
    def _choose(self, current: QModelIndex) -> None:
        self.chosen.emit(self._emails.id_at(current.row()))

    @Slot()
    def _look_ahead(self) -> None:
        last = self.rowAt(self.maximumViewportSize().height() - 1)
        rows = self._emails.rowCount()
        near = last < 0 or last + _AHEAD >= rows
        if near and self._emails.canFetchMore(QModelIndex()):
            self._emails.fetchMore(QModelIndex())


class _Delegate(QStyledItemDelegate):
    """Keeps the day before the time, and the ellipsis at the end, in a list of either direction."""

    def displayText(self, value: object, locale: QLocale | QLocale.Language) -> str:
        """Let the text of each cell keep its own direction."""
        return elidable(super().displayText(value, locale))


class _StateDelegate(_Delegate):
    """Puts the icon of the state before its name: colour alone tells nobody."""

    def initStyleOption(self, option: QStyleOptionViewItem, index: Index) -> None:
        """Add the icon."""
        super().initStyleOption(option, index)
        name, tone = ICONS[DeliveryStatus(index.data(STATUS_ROLE))]
        ratio = option.widget.devicePixelRatioF()
        option.icon = QIcon(pixmap(name, _colour(tone), _ICON, ratio))
        option.decorationSize = QSize(_ICON, _ICON)
        option.features |= QStyleOptionViewItem.ViewItemFeature.HasDecoration


def _colour(tone: str) -> QColor:
    return QColor(getattr(theme_of_application().colours, tone))
