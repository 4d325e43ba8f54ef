"""What the list shows: a text to search for, the status of emails, and how far the search is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QTimer, Signal, Slot
from PySide6.QtWidgets import QApplication, QButtonGroup, QPushButton, QWidget

from smtp_desk.app.delivery.state import SearchProgress
from smtp_desk.app.delivery.words import DeliveryStatus
from smtp_desk.ui.widgets.buttons import button
from smtp_desk.ui.widgets.card import column, row
from smtp_desk.ui.widgets.colours import Space
from smtp_desk.ui.widgets.field import TextField
from smtp_desk.ui.widgets.flow import flow
from smtp_desk.ui.widgets.label import Label

if TYPE_CHECKING:
    from smtp_desk.app.delivery.state import DeliveryState

SEARCH_MS: Final = 250
"""How long a person may pause in typing before the search begins."""

_ALL: Final = "All"
_PROGRESS: Final = {
    SearchProgress.IDLE: "",
    SearchProgress.RUNNING: "Searching older emails…",
    SearchProgress.STOPPED: "Older emails weren’t searched.",
}


class SearchLine(QWidget):
    """Tells that older emails are searched, or weren’t; hidden else.

    Signals:
        stop_wanted: Search no older emails.
        go_on_wanted: Search them after all.
    """

    stop_wanted = Signal()
    go_on_wanted = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._text = Label(rank="muted")
        self._text.setObjectName("search_progress")
        self._text.setWordWrap(False)
        self.setObjectName("search_line")
        self._stop = button("Cancel", "stop_search")
        self._stop.clicked.connect(self.stop_wanted)
        self._go_on = button("Search older emails", "search_on")
        self._go_on.clicked.connect(self.go_on_wanted)
        line = row(self)
        line.addWidget(self._text)
        line.addWidget(self._stop)
        line.addWidget(self._go_on)
        self.hide()

    def render_state(self, state: DeliveryState) -> None:
        """Show how far the search is."""
        had_focus = self.isAncestorOf(QApplication.focusWidget() or self)
        self._text.show_text(_PROGRESS[state.progress])
        for each, progress in (
            (self._stop, SearchProgress.RUNNING),
            (self._go_on, SearchProgress.STOPPED),
        ):
            each.setVisible(state.progress is progress)
            if had_focus and state.progress is progress:
                each.setFocus()
        self.setVisible(state.progress is not SearchProgress.IDLE)


class FilterBar(QWidget):
    """The search field and one button for each status.

    Attributes:
        search_line: After the buttons.

    Signals:
        search_wanted: Search for this text.
        only_wanted: Show only emails with this status; None for all.
    """

    search_wanted = Signal(str)
    only_wanted = Signal(object)

    def __init__(self, search_ms: int) -> None:
        super().__init__()
        self._search = TextField(
            "delivery_search", "&Search", placeholder="Recipient, subject, Message-ID or code"
        )
        self._typing = QTimer(self)
        self._typing.setSingleShot(True)
        self._typing.setInterval(search_ms)
        self._typing.timeout.connect(self._search_now)
        self._search.edited.connect(self._typing.start)
        self._search.finished.connect(self._search_now)
        self._states = QButtonGroup(self)
        self._buttons: dict[DeliveryStatus | None, QPushButton] = {}
        for status in (None, *DeliveryStatus):
            choice = QPushButton(status.label if status else _ALL)
            choice.setObjectName(f"show_{status or 'all'}")
            choice.setProperty("kind", "choice")
            choice.setCheckable(True)
            self._states.addButton(choice)
            self._buttons[status] = choice
        self._buttons[None].setChecked(True)
        self._states.buttonClicked.connect(self._clicked)
        layout = column(self, Space.M)
        layout.addWidget(self._search)
        self.search_line: Final = SearchLine()
        choices = flow(*self._buttons.values(), self.search_line)
        choices.setAccessibleName("State")
        layout.addWidget(choices)

    def focus_search(self) -> None:
        """Move the focus to the search field, with its text selected."""
        self._search.take_focus()
        self._search.edit.selectAll()

    def render_state(self, state: DeliveryState) -> None:
        """Show the counts, and what is chosen."""
        if not self._typing.isActive():
            self._search.set_text(state.text)
        for status, choice in self._buttons.items():
            count = state.counts.get(status, 0) if status else state.total
            name = status.label if status else _ALL
            text = f"{name} {count:,}" if state.counts else name
            if choice.text() != text:
                choice.setText(text)
            choice.setChecked(status is state.status)
        self.search_line.render_state(state)

    @Slot()
    def _search_now(self) -> None:
        self._typing.stop()
        self.search_wanted.emit(self._search.edit.text().strip())

    @Slot(QPushButton)
    def _clicked(self, clicked: QPushButton) -> None:
        for status, choice in self._buttons.items():
            if choice is clicked:
                self.only_wanted.emit(status)
