"""What the program offers to fill in for the person, below the field concerned."""

from __future__ import annotations

from PySide6.QtCore import Signal, Slot
from PySide6.QtWidgets import QPushButton

from smtp_desk.app.integrations.form_offers import Offer


class OfferButton(QPushButton):
    """One offer.

    Signals:
        accepted: The person takes this offer.
    """

    accepted = Signal(Offer)

    def __init__(self, offer: Offer, text: str = "") -> None:
        super().__init__(text)
        self._offer = offer
        self.setObjectName(f"offer_{offer}")
        self.setProperty("kind", "link")
        self.clicked.connect(self._clicked)
        self.hide()

    @Slot()
    def _clicked(self) -> None:
        self.accepted.emit(self._offer)
