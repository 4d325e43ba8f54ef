"""The list of emails as a Qt model; it grows as a person scrolls."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QPersistentModelIndex, Qt, Signal

from smtp_desk.app.delivery.listing import edits, place
from smtp_desk.app.delivery.rows import CELLS, COLUMNS, ID, STANDING

if TYPE_CHECKING:
    from smtp_desk.app.delivery.listing import Edit, Part
    from smtp_desk.app.delivery.rows import DeliveryRow

    Index = QModelIndex | QPersistentModelIndex

STATUS_ROLE: Final = Qt.ItemDataRole.UserRole
"""The role of a row's `DeliveryStatus`."""

_NO_PARENT: Final = QModelIndex()


class DeliveryModel(QAbstractTableModel):
    """The rows read so far; it never reads itself.

    Signals:
        more_wanted: The end of the rows is near, and there are more.
    """

    more_wanted = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._rows: list[DeliveryRow] = []
        self._more = False

    def rowCount(self, parent: Index = _NO_PARENT) -> int:
        """Return how many rows were read."""
        return 0 if parent.isValid() else len(self._rows)

    def columnCount(self, parent: Index = _NO_PARENT) -> int:
        """Return the number of columns."""
        return 0 if parent.isValid() else len(COLUMNS)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        """Return a cell's text, the same as its tooltip if it may be cut, or its status."""
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.ToolTipRole):
            return self._rows[index.row()][CELLS + index.column()]
        if role == STATUS_ROLE:
            return self._rows[index.row()][STANDING]
        return None

    def headerData(
        self,
        section: int,
        orientation: Qt.Orientation,
        role: int = Qt.ItemDataRole.DisplayRole,
    ) -> object:
        """Return the title of a column."""
        if orientation is Qt.Orientation.Horizontal:
            if role == Qt.ItemDataRole.DisplayRole:
                return COLUMNS[section]
            if role == Qt.ItemDataRole.TextAlignmentRole:
                return Qt.AlignmentFlag.AlignLeading | Qt.AlignmentFlag.AlignVCenter
        return None

    def canFetchMore(self, parent: Index) -> bool:
        """Return whether there are rows that were not read yet."""
        return not parent.isValid() and self._more

    def fetchMore(self, parent: Index) -> None:
        """Ask for more rows; they come later."""
        if not parent.isValid():
            self.more_wanted.emit()

    def id_at(self, row: int) -> str:
        """Return the identifier of a row; "" if there is no such row."""
        return self._rows[row][ID] if 0 <= row < len(self._rows) else ""

    def row_of(self, entry_id: str) -> int:
        """Return the row of an entry; -1 if it has none."""
        row = place(self._rows, entry_id)
        return row if self.id_at(row) == entry_id else -1

    def show_part(self, part: Part) -> None:
        """Insert the rows in their places, without touching those that stay."""
        if part.anew:
            self.beginResetModel()
            self._rows = list(part.rows)
            self._more = bool(part.until)
            self.endResetModel()
            return
        start = place(self._rows, part.above, behind=True) if part.above else 0
        end = place(self._rows, part.until, behind=True) if part.until else len(self._rows)
        if not part.until or start == len(self._rows):
            self._more = bool(part.until)
        for edit in reversed(edits(self._rows[start:end], part.rows)):
            self._apply(edit, start)

    def _apply(self, edit: Edit, offset: int) -> None:
        first, end = offset + edit.start, offset + edit.end
        if not edit.rows:
            self.beginRemoveRows(_NO_PARENT, first, end - 1)
            del self._rows[first:end]
            self.endRemoveRows()
        elif first == end:
            self.beginInsertRows(_NO_PARENT, first, first + len(edit.rows) - 1)
            self._rows[first:first] = edit.rows
            self.endInsertRows()
        else:
            self._rows[first:end] = edit.rows
            self.dataChanged.emit(self.index(first, 0), self.index(end - 1, len(COLUMNS) - 1))
