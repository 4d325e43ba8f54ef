"""Addresses that fail on purpose, to see what a failure looks like."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtWidgets import QButtonGroup, QGridLayout, QSizePolicy

from smtp_desk.sandbox.recipients import TRY_THESE
from smtp_desk.ui.widgets.colours import Space
from smtp_desk.ui.widgets.fold import Fold, RowButton

_COLUMNS: Final = 2
_ROOM: Final = QSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.MinimumExpanding)


class Hints(Fold):
    """One button an address: it becomes the recipient of the next test.

    Signals:
        chosen: The person chose this address.
    """

    chosen = Signal(str)

    def __init__(self) -> None:
        super().__init__(
            "&Try a failure",
            "Addresses that this server treats badly. Choose one, then send the test email.",
            "hints",
        )
        self._buttons = QButtonGroup(self)
        self._buttons.setExclusive(False)
        grid = QGridLayout()
        grid.setSpacing(Space.S)
        for place, (address, what_happens) in enumerate(TRY_THESE):
            button = RowButton(address, "row")
            button.setObjectName(f"try_{address.partition('@')[0]}")
            button.show_detail(_sentence(what_happens))
            button.mark.hide()
            button.detail.setAlignment(Qt.AlignmentFlag.AlignTop | Qt.AlignmentFlag.AlignLeading)
            button.detail.setSizePolicy(_ROOM)
            self._buttons.addButton(button, place)
            grid.addWidget(button, *divmod(place, _COLUMNS))
            grid.setColumnStretch(place % _COLUMNS, 1)
        self.body.addLayout(grid)
        self._buttons.idClicked.connect(self._choose)

    @Slot(int)
    def _choose(self, place: int) -> None:
        address, _ = TRY_THESE[place]
        self.chosen.emit(address)


def _sentence(words: str) -> str:
    return f"{words[:1].upper()}{words[1:]}."
