"""The password field: typed, cleared, or representing the one in the keyring."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtWidgets import QLineEdit, QWidget

from smtp_desk.app.integrations.form_offers import Offer
from smtp_desk.core.problems import Field
from smtp_desk.ui.integrations import words
from smtp_desk.ui.integrations.offer_button import OfferButton
from smtp_desk.ui.widgets.buttons import button
from smtp_desk.ui.widgets.field import LineEdit, TextField
from smtp_desk.ui.widgets.flow import flow
from smtp_desk.ui.widgets.icons import IconButton
from smtp_desk.ui.widgets.label import enable

if TYPE_CHECKING:
    from PySide6.QtGui import QKeyEvent

STORED: Final = "Stored in the keyring"
FROM_FILE: Final = "From the key file"


class _PasswordEdit(LineEdit):
    """A line edit that tells when it has nothing in common with what stood in it.

    Signals:
        deleted: Backspace or Delete in the empty field, where there is no text to delete.
        begun: Another password is being typed; the former one was cleared.
    """

    deleted = Signal()
    begun = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._all_selected = False
        # Qt tells of a text that replaced a selection before it tells that this one is gone.
        self.selectionChanged.connect(self._selected)
        self.textChanged.connect(self._changed)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Tell, then do as every line edit does."""
        if not self.text() and event.key() in (Qt.Key.Key_Backspace, Qt.Key.Key_Delete):
            self.deleted.emit()
        super().keyPressEvent(event)

    @Slot()
    def _selected(self) -> None:
        self._all_selected = bool(self.text()) and self.selectedText() == self.text()

    @Slot(str)
    def _changed(self, text: str) -> None:
        if self._all_selected or not text:
            self.begun.emit()


class PasswordField(TextField):
    """A password with a button to reveal it, and the actions for a stored one.

    Signals:
        offer_accepted: The person takes this offer.
    """

    offer_accepted = Signal(Offer)

    def __init__(self, label: str) -> None:
        edit = _PasswordEdit()
        super().__init__(Field.PASSWORD, label, edit=edit)
        edit.deleted.connect(self._deleted)
        self._stored = False
        self.edit.setEchoMode(QLineEdit.EchoMode.Password)
        self._words = words.SECRETS[""]
        self._reveal = IconButton("eye", self._words.show)
        self._reveal.setCheckable(True)
        self._reveal.setObjectName("reveal")
        self._reveal.toggled.connect(self._revealed)
        self.controls.addWidget(self._reveal)
        edit.begun.connect(self._hide)
        self._empty = button(self._words.no, "forget_stored", "link")
        self._empty.clicked.connect(self._emptied)
        self._offers = {
            Offer.STORED_PASSWORD: OfferButton(Offer.STORED_PASSWORD, self._words.stored),
            Offer.PASSWORD_SPACES: OfferButton(Offer.PASSWORD_SPACES, "Remove spaces"),
            Offer.PASSWORD_END: OfferButton(Offer.PASSWORD_END, "Remove it"),
        }
        self._offered = flow(self._empty, *self._offers.values())
        for each in (self._empty, self._offered):
            each.hide()
        for each in self._offers.values():
            each.accepted.connect(self.offer_accepted)
        self.below.addWidget(self._offered)

    @property
    def tab_chain(self) -> tuple[QWidget, ...]:
        """The password, the button that reveals it, and the offers below."""
        return (self.edit, self._reveal, self._empty, *self._offers.values())

    def speak_of(self, said: words.SecretWords) -> None:
        """Use the words for a secret other than a password."""
        if said is self._words:
            return
        self._words = said
        self.rename(said.label)
        self._reveal.rename(said.show)
        self._empty.setText(said.no)
        self._offers[Offer.STORED_PASSWORD].setText(said.stored)

    def show_state(
        self, *, stored: bool, offers: frozenset[Offer], from_file: bool = False
    ) -> None:
        """Show what the field represents, and what is offered."""
        self._stored = stored
        self.edit.setPlaceholderText(STORED if stored else FROM_FILE if from_file else "")
        if stored:
            self._hide()
        enable(self._reveal, self._words.never if stored else "")
        self._empty.setVisible(stored and bool(self._words.no))
        for offer, each in self._offers.items():
            each.setVisible(offer in offers)
        self._offered.setHidden(self._empty.isHidden() and not offers & set(self._offers))

    def set_text(self, text: str) -> None:
        """Show another password, hidden even if the former one was revealed."""
        if text != self.edit.text():
            self._hide()
        super().set_text(text)

    @Slot()
    def _hide(self) -> None:
        self._reveal.setChecked(False)

    @Slot()
    def _deleted(self) -> None:
        if self._stored:
            self._emptied()

    @Slot()
    def _emptied(self) -> None:
        self.edited.emit(Field.PASSWORD, "")
        self.take_focus()

    @Slot(bool)
    def _revealed(self, shown: bool) -> None:  # noqa: FBT001 - Qt's signature
        mode = QLineEdit.EchoMode
        self.edit.setEchoMode(mode.Normal if shown else mode.Password)
        self._reveal.show_icon("eye-off" if shown else "eye")
