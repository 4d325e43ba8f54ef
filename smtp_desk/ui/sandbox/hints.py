"""What can fail on purpose, to see what a failure looks like: the server, or an address."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtWidgets import QButtonGroup, QGridLayout, QSizePolicy

from smtp_desk.sandbox.faults import FAULTS, NO_FAULT
from smtp_desk.sandbox.recipients import TRY_THESE
from smtp_desk.ui.widgets.colours import Space
from smtp_desk.ui.widgets.field import ChoiceField
from smtp_desk.ui.widgets.fold import Fold, RowButton

_COLUMNS: Final = 2
_ROOM: Final = QSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.MinimumExpanding)


class Hints(Fold):
    """A choice of what is wrong with the server, and one button an address for the next test.

    Signals:
        chosen: The person chose this address.
        fault_chosen: This is to be wrong with the server: the name of a fault.
    """

    chosen = Signal(str)
    fault_chosen = Signal(str)

    def __init__(self) -> None:
        super().__init__(
            "&Try a failure",
            (
                "Choose a problem of the server, or an address that it doesn’t accept. Then send "
                "the test email."
            ),
            "hints",
        )
        faults = (NO_FAULT, *FAULTS.values())
        choices = {fault.name: fault.what_happens for fault in faults}
        self._fault = ChoiceField("fault", "What is &wrong with the server", choices)
        self._fault.edited.connect(self._choose_fault)
        self.body.addWidget(self._fault)
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

    @Slot(str, str)
    def _choose_fault(self, _key: str, name: str) -> None:
        self.fault_chosen.emit(name)

    @Slot(int)
    def _choose(self, place: int) -> None:
        address, _ = TRY_THESE[place]
        self.chosen.emit(address)


def _sentence(words: str) -> str:
    return f"{words[:1].upper()}{words[1:]}."
