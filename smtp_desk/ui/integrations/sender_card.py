"""Sender information: the address, the search for its server, the name.

If nothing is configured the card leads: it comes first, and begins with the address.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from PySide6.QtCore import Qt, Signal

from smtp_desk.ui.integrations import find_words
from smtp_desk.ui.integrations.find_panel import FindPanel
from smtp_desk.ui.widgets.buttons import button
from smtp_desk.ui.widgets.card import Card, row
from smtp_desk.ui.widgets.field import FieldPair
from smtp_desk.ui.widgets.label import Label

if TYPE_CHECKING:
    from PySide6.QtWidgets import QWidget

    from smtp_desk.ui.widgets.field import FormField


class SenderCard(Card):
    """From name and From email; `finds` if the server of the address can be found.

    Attributes:
        finder: Find settings, in the card and beside From email.
        leads: Whether it leads.

    Signals:
        straight_wanted: Go straight to the form: the person knows the settings.
    """

    straight_wanted = Signal()

    def __init__(self, name: FormField, address: FormField, *, finds: bool) -> None:
        super().__init__()
        self.setAccessibleName(_TITLE)
        self._name, self._address = name, address
        self._finds = finds
        self.leads = False
        self.finder: Final = FindPanel()
        self._straight = button(find_words.STRAIGHT, "straight", "link", find_words.STRAIGHT_TIP)
        self._straight.clicked.connect(self.straight_wanted)
        self._straight.hide()
        self._pair = FieldPair(_STACKED_BELOW, (name, _NAME), (address, _ADDRESS))
        head = row()
        head.addWidget(Label(_TITLE, "heading"), 1)
        head.addWidget(self._straight)
        self.body.addLayout(head)
        self.body.addWidget(self._pair)
        self.body.addWidget(self.finder)
        if finds:
            leading = Qt.AlignmentFlag.AlignLeading
            address.controls.addWidget(self.finder.button)
            address.below.addWidget(self.finder.questions.header, alignment=leading)

    def lead(self, *, leads: bool) -> bool:
        """Lead, or take the usual place; return whether that changed."""
        leads = leads and self._finds
        if leads == self.leads:
            return False
        self.leads = leads
        self._straight.setVisible(leads)
        self._address.show_hint(find_words.START if leads else "")
        self._pair.reverse(reverse=leads)
        return True

    @property
    def tab_chain(self) -> tuple[QWidget, ...]:
        """What Tab visits, in order."""
        address = self._address.tab_chain
        if self._finds:
            address = (*address, self.finder.button, *self.finder.stops)
        if self.leads:
            return (*address, self._straight, *self._name.tab_chain)
        return (*self._name.tab_chain, *address)


_TITLE: Final = "Sender information"
_STACKED_BELOW: Final = 640
"""Narrower, an address would have less room than its letters take."""
_NAME: Final = 1
_ADDRESS: Final = 2
"""Shares of the width: beside the address stands the button."""
