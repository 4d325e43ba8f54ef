"""Sender information: the address, the search for its server, the name.

With nothing configured the card leads: it stands first, and begins with the address.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from PySide6.QtCore import Qt, Signal

from smtp_desk.ui.integrations import find_words
from smtp_desk.ui.integrations.find_panel import FindPanel
from smtp_desk.ui.widgets.buttons import button
from smtp_desk.ui.widgets.card import Card, Columns
from smtp_desk.ui.widgets.label import Label

if TYPE_CHECKING:
    from PySide6.QtWidgets import QWidget

    from smtp_desk.ui.widgets.field import FormField


class SenderCard(Card):
    """From name and From email; `finds` where the server of the address can be found.

    Attributes:
        finder: Find settings, in the card and beside From email.
        leads: Whether it leads.

    Signals:
        straight_wanted: Go straight to the form: the person knows the settings.
    """

    straight_wanted = Signal()

    def __init__(self, name: FormField, address: FormField, *, finds: bool) -> None:
        super().__init__("Sender information")
        self._name, self._address = name, address
        self._finds = finds
        self.leads = False
        self.finder: Final = FindPanel()
        self._start = Label(find_words.START)
        self._straight = button(find_words.STRAIGHT, "straight", "link", find_words.STRAIGHT_TIP)
        self._straight.clicked.connect(self.straight_wanted)
        middle = Qt.AlignmentFlag.AlignVCenter
        self._lead = Columns(_STACKED_BELOW, (self._start, 1), (self._straight, 0), align=middle)
        self._pair = Columns(_PAIRED_FROM, (name, _NAME), (address, _ADDRESS))
        for part in (self._lead, self._pair, self.finder):
            self.body.addWidget(part)
        self._lead.hide()
        if finds:
            leading = Qt.AlignmentFlag.AlignLeading
            address.controls.addWidget(self.finder.button)
            address.below.addWidget(self.finder.questions.header, alignment=leading)

    def lead(self, *, leads: bool) -> bool:
        """Lead, or stand among the other cards; return whether that is news."""
        leads = leads and self._finds
        if leads == self.leads:
            return False
        self.leads = leads
        self._lead.setVisible(leads)
        self._pair.reverse(reverse=leads)
        return True

    @property
    def tab_chain(self) -> tuple[QWidget, ...]:
        """What Tab visits, in order."""
        address = self._address.tab_chain
        if self._finds:
            address = (*address, self.finder.button, *self.finder.stops)
        if self.leads:
            return (self._straight, *address, *self._name.tab_chain)
        return (*self._name.tab_chain, *address)


_STACKED_BELOW: Final = 480
_PAIRED_FROM: Final = 590
_NAME: Final = 2
_ADDRESS: Final = 3
"""Shares of the width: beside the address stands the button."""
