"""What the organization manages, who to ask about it, and how to accept its values."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal

from smtp_desk.app.integrations.form_offers import Offer
from smtp_desk.ui.integrations import find_words
from smtp_desk.ui.integrations.offer_button import OfferButton
from smtp_desk.ui.widgets.card import Card
from smtp_desk.ui.widgets.label import Label

if TYPE_CHECKING:
    from smtp_desk.app.integrations.state import IntegrationsState


class ManagedNote(Card):
    """A note above the form if something is locked.

    Signals:
        offer_accepted: The person takes this offer.
    """

    offer_accepted = Signal(Offer)

    def __init__(self) -> None:
        super().__init__(find_words.MANAGED_TITLE)
        self.setObjectName("managed")
        self._text = Label()
        self.use = OfferButton(Offer.MANAGED_VALUES, find_words.USE_MANAGED)
        self.use.accepted.connect(self.offer_accepted)
        self.body.addWidget(self._text)
        self.body.addWidget(self.use, alignment=Qt.AlignmentFlag.AlignLeading)
        self.hide()

    def render_state(self, state: IntegrationsState) -> None:
        """Show it if something is locked."""
        self._text.show_text(find_words.managed_text(state.contact))
        self.use.setVisible(Offer.MANAGED_VALUES in state.offers)
        self.setVisible(bool(state.locked))
