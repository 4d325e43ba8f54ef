"""The selected email in full: what it is, and every attempt to send it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLayout, QWidget

from smtp_desk.ui.card import Card, column, row
from smtp_desk.ui.delivery.table import ICONS
from smtp_desk.ui.diagnostics.facts import FactTable
from smtp_desk.ui.icons import IconLabel
from smtp_desk.ui.label import Label
from smtp_desk.ui.theme import Space

if TYPE_CHECKING:
    from smtp_desk.app.delivery_rows import Details, Tried

_ICON: Final = 18
_FIXED_WIDTH: Final = frozenset({"Message-ID", "ID"})
_HINT: Final = "Select an email to see every attempt to send it, and what the server said."


class DetailsCard(Card):
    """Shows one email, or how to choose one."""

    def __init__(self) -> None:
        super().__init__("Selected email")
        self.setObjectName("details")
        self._shown: Details | None = None
        self._hint = Label(_HINT, "muted")
        self._content: QWidget | None = None
        self.body.addWidget(self._hint)

    def show_details(self, details: Details | None) -> None:
        """Show `details`; the same again changes nothing."""
        if details == self._shown:
            return
        self._shown = details
        if self._content is not None:
            self.body.removeWidget(self._content)
            self._content.hide()
            self._content.deleteLater()
            self._content = None
        self._hint.setVisible(details is None)
        if details is not None:
            self._content = _content(details)
            self.body.addWidget(self._content)


def _content(details: Details) -> QWidget:
    content = QWidget()
    layout = column(content, Space.M)
    layout.addLayout(_line(*ICONS[details.standing], Label(details.subject, "strong")))
    layout.addWidget(FactTable(details.facts, fixed_width=_FIXED_WIDTH))
    attempts = column(space=Space.M)
    attempts.addWidget(Label("Attempts, newest first", "label"))
    if not details.attempts:
        attempts.addWidget(Label("None yet.", "muted"))
    for tried in details.attempts:
        attempts.addLayout(_attempt(tried))
    layout.addLayout(attempts)
    return content


def _attempt(tried: Tried) -> QLayout:
    words = QWidget()
    layout = column(words, 2)
    layout.addWidget(Label(f"{tried.when}, {tried.route}", "small"))
    layout.addWidget(Label(tried.cause))
    if tried.reply:
        layout.addWidget(_selectable(f"The server’s words: {tried.reply}"))
    if tried.code:
        layout.addWidget(_selectable(f"Code: {tried.code}"))
    return _line(*(("success", "success") if tried.accepted else ("failed", "danger")), words)


def _selectable(text: str) -> Label:
    label = Label(text, "small")
    label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
    return label


def _line(icon: str, tone: str, content: QWidget) -> QLayout:
    layout = row()
    mark = IconLabel(size=_ICON)
    mark.show_icon(icon, tone)
    layout.addWidget(mark, alignment=Qt.AlignmentFlag.AlignTop)
    layout.addWidget(content, 1)
    return layout
