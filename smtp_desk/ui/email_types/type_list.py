"""The list of the seven variants."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QEvent, Qt, Signal, Slot
from PySide6.QtWidgets import QListWidget, QListWidgetItem

from smtp_desk.ui.widgets.colours import Space

if TYPE_CHECKING:
    from collections.abc import Sequence

    from PySide6.QtGui import QShowEvent

    from smtp_desk.app.email_types.presenter import EmailType

_VARIANT: Final = Qt.ItemDataRole.UserRole
_WIDEST: Final = 320


class TypeList(QListWidget):
    """All variants at once, without scrolling.

    Signals:
        chosen: Show this variant.
    """

    chosen = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("email_variants")
        self.setAccessibleName("Email types")
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.currentItemChanged.connect(self._choose)

    def show_types(self, types: Sequence[EmailType], chosen: str) -> None:
        """Show these variants, and which is chosen."""
        if self.count() != len(types):
            self._fill(types)
        for row, each in enumerate(types):
            if each.variant == chosen and self.currentRow() != row:
                self.setCurrentRow(row)

    def changeEvent(self, event: QEvent) -> None:
        """Fit another font or style."""
        super().changeEvent(event)
        if event.type() in (QEvent.Type.FontChange, QEvent.Type.StyleChange):
            self._fit()

    def showEvent(self, event: QShowEvent) -> None:
        """Fit the style, which is known now."""
        super().showEvent(event)
        self._fit()

    def _fill(self, types: Sequence[EmailType]) -> None:
        self.blockSignals(True)
        self.clear()
        for each in types:
            item = QListWidgetItem(each.title)
            item.setData(_VARIANT, each.variant)
            item.setToolTip(f"{each.title}. {each.purpose}")
            self.addItem(item)
        self.blockSignals(False)
        self._fit()

    def _fit(self) -> None:
        """Be as large as all rows: the page scrolls, not the list."""
        around = 2 * (self.frameWidth() + Space.XS)
        rows = sum(self.sizeHintForRow(row) for row in range(self.count()))
        self.setFixedHeight(rows + around)
        self.setMinimumWidth(min(self.sizeHintForColumn(0) + around, _WIDEST))

    @Slot()
    def _choose(self) -> None:
        item = self.currentItem()
        if item is not None:
            self.chosen.emit(item.data(_VARIANT))
