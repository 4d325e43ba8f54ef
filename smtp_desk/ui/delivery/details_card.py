"""The selected email in full: what it is, and every attempt to send it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLayout, QWidget

from smtp_desk.ui.delivery.table import ICONS
from smtp_desk.ui.diagnostics.fact_table import FactTable
from smtp_desk.ui.widgets.card import Card, Columns, column, row
from smtp_desk.ui.widgets.colours import Space
from smtp_desk.ui.widgets.field import TextField
from smtp_desk.ui.widgets.icons import IconLabel
from smtp_desk.ui.widgets.label import Label

if TYPE_CHECKING:
    from smtp_desk.app.delivery.rows import Details, Tried

_ICON: Final = 18
_SIDE_BY_SIDE: Final = 800
_HINT: Final = "Select an email to see every attempt to send it, and what the server said."


class DetailsCard(Card):
    """Shows one email, or how to choose one.

    What people copy stands in fields, so that they can do so without a mouse.
    """

    def __init__(self) -> None:
        super().__init__("Selected email")
        self.setObjectName("details")
        self._shown: Details | None = None
        self._hint = Label(_HINT, "muted")
        self._icon = IconLabel(size=_ICON)
        self._subject = Label(rank="strong")
        self._to = _copied("to", "To")
        self._message_id = _copied("message_id", "Message-ID")
        self._id = _copied("entry_id", "ID")
        self._email = QWidget()
        layout = column(self._email, Space.M)
        layout.addLayout(_line(self._icon, self._subject))
        self._rest = QWidget()
        layout.addWidget(self._rest)
        layout.addWidget(
            Columns(_SIDE_BY_SIDE, (self._to, 2), (self._message_id, 3), (self._id, 3))
        )
        self.body.addWidget(self._hint)
        self.body.addWidget(self._email)
        self._email.hide()

    def show_details(self, details: Details | None) -> None:
        """Show `details`; the same again changes nothing."""
        if details == self._shown:
            return
        self._shown = details
        self._hint.setVisible(details is None)
        self._email.setVisible(details is not None)
        if details is not None:
            self._icon.show_icon(*ICONS[details.status])
            self._subject.show_text(details.subject)
            for field, text in (
                (self._to, details.recipient),
                (self._message_id, details.message_id),
                (self._id, details.id),
            ):
                field.set_text(text)
                field.edit.setCursorPosition(0)
            self._show_rest(_rest(details))

    def _show_rest(self, rest: QWidget) -> None:
        layout = self._email.layout()
        if layout is not None:
            layout.replaceWidget(self._rest, rest)
        self._rest.hide()
        self._rest.deleteLater()
        self._rest = rest


def _rest(details: Details) -> QWidget:
    rest = QWidget()
    layout = column(rest, Space.M)
    layout.addWidget(Label("Attempts, newest first", "label"))
    if not details.attempts:
        layout.addWidget(Label("None yet.", "muted"))
    for tried in details.attempts:
        layout.addLayout(_attempt(tried))
    layout.addWidget(FactTable(details.facts))
    return rest


def _copied(key: str, label: str) -> TextField:
    field = TextField(key, label)
    field.set_read_only(True)
    field.edit.setProperty("kind", "copied")
    return field


def _attempt(tried: Tried) -> QLayout:
    words = QWidget()
    layout = column(words, 2)
    layout.addWidget(Label(f"{tried.when}, {tried.route}", "small"))
    layout.addWidget(Label(tried.cause))
    if tried.reply:
        layout.addWidget(_selectable(f"Server’s reply: {tried.reply}"))
    if tried.code:
        layout.addWidget(_selectable(f"Code: {tried.code}"))
    mark = IconLabel(size=_ICON)
    mark.show_icon(*(("success", "success") if tried.accepted else ("failed", "danger")))
    return _line(mark, words)


def _selectable(text: str) -> Label:
    label = Label(text, "small")
    label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
    return label


def _line(mark: IconLabel, content: QWidget) -> QLayout:
    layout = row()
    layout.addWidget(mark, alignment=Qt.AlignmentFlag.AlignTop)
    layout.addWidget(content, 1)
    return layout
