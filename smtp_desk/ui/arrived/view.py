"""The page What arrived, as its presenter sees it."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QObject, Qt, Slot
from PySide6.QtWidgets import QWidget

from smtp_desk.app.arrived.presenter import ArrivalState
from smtp_desk.app.page_presenter import Busy
from smtp_desk.ui.arrived.paste_card import PasteCard
from smtp_desk.ui.arrived.result_cards import BeliefCard, result_cards
from smtp_desk.ui.widgets.bar import Bar
from smtp_desk.ui.widgets.buttons import button
from smtp_desk.ui.widgets.card import column
from smtp_desk.ui.widgets.colours import Space
from smtp_desk.ui.widgets.file_dialog import ask_what_to_open
from smtp_desk.ui.widgets.flow import flow
from smtp_desk.ui.widgets.icons import set_look
from smtp_desk.ui.widgets.label import enable
from smtp_desk.ui.widgets.page import Page

if TYPE_CHECKING:
    from smtp_desk.app.arrived.presenter import ArrivalPresenter

_EXPLANATION: Final = (
    "A received test email, explained: whether the receiver trusted it, how it traveled, and "
    "what was added."
)
_FILTER: Final = "Emails (*.eml);;All files (*)"
_BUSY: Final = {
    Busy.NOTHING: "",
    Busy.READING: "Reading the headers…",
    Busy.CANCELLING: "Cancelling…",
}
_IDLE: Final = "The headers are enough. You can also drop an email (.eml) on the window."


class ArrivedView(QObject):
    """Shows what it is told and reports what the person does; decides nothing.

    Attributes:
        page: The widget.
    """

    def __init__(self, *, parent: QWidget | None = None) -> None:
        super().__init__()
        self.page: Final = Page("arrived", "What arrived", _EXPLANATION, parent=parent)
        self._actions: ArrivalPresenter | None = None
        self._shown = ArrivalState()
        self._paste = PasteCard()
        self._belief: BeliefCard | None = None
        self._content: QWidget | None = None
        self._results = column(space=Space.L)
        self._bar = Bar("arrived_line")
        self._open = button("&Open email…", "open_email", "primary")
        self._cancel = button("Cancel", "cancel_reading")
        self._cancel.hide()
        self._bar.fill(self._bar.line, flow(self._open, self._cancel))
        self.page.body.addWidget(self._paste)
        self.page.body.addLayout(self._results)
        self.page.body.addStretch(1)
        self.page.set_action_bar(self._bar)
        self._bar.line.show_line(_IDLE, "muted")
        self._paste.filled.connect(self._show_next)
        self._order_tabs()

    def attach(self, actions: ArrivalPresenter) -> None:
        """Report to `actions` from now on."""
        self._actions = actions
        self._open.clicked.connect(self.ask_what_to_open)
        self._paste.explain_wanted.connect(actions.explain)
        self._cancel.clicked.connect(actions.cancel)

    def render(self, state: ArrivalState) -> None:
        """Show this."""
        former, self._shown = self._shown, state
        busy = _BUSY[state.busy]
        waiting = self._cancel.hasFocus()
        self._paste.show_reason(busy)
        enable(self._open, busy)
        self._cancel.setVisible(bool(busy))
        enable(self._cancel, busy if state.busy is Busy.CANCELLING else "")
        if waiting and not busy:
            self._open.setFocus(Qt.FocusReason.OtherFocusReason)
        if busy:
            self._bar.line.show_busy(busy)
        elif state.notice is not None:
            self._bar.line.show_notice(state.notice)
        else:
            self._bar.line.show_line(_IDLE, "muted")
        if state.arrival is not former.arrival:
            self._show_arrival(state)

    def focus_result(self) -> None:
        """Move the focus to the result, and bring it into view."""
        if self._belief is not None:
            self._belief.line.setFocus(Qt.FocusReason.OtherFocusReason)
            self.page.bring_into_view(self._belief, self._belief.line)

    @Slot()
    def ask_what_to_open(self) -> None:
        """Ask for an email and explain it."""
        ask_what_to_open(self.page, "Open email", _FILTER, self._opened, "open_email_dialog")

    @Slot(bool)
    def _show_next(self, filled: bool) -> None:  # noqa: FBT001 - a signal's signature
        """Let one button at a time be the primary one."""
        set_look(self._open, "kind", "" if filled else "primary")

    @Slot(str)
    def _opened(self, path: str) -> None:
        if self._actions is not None:
            self._actions.open(Path(path))

    def _show_arrival(self, state: ArrivalState) -> None:
        if self._content is not None:
            self._results.removeWidget(self._content)
            self._content.hide()
            self._content.deleteLater()
            self._content = self._belief = None
        if state.arrival is None:
            return
        self._content = QWidget()
        layout = column(self._content, Space.L)
        self._belief = BeliefCard(state.source, state.arrival)
        layout.addWidget(self._belief)
        for card in result_cards(state.arrival):
            layout.addWidget(card)
        self._results.addWidget(self._content)
        self._content.show()
        self._order_tabs()

    def _order_tabs(self) -> None:
        """Let Tab go from what was pasted through the result to what stands below."""
        line = (self._belief.line,) if self._belief is not None else ()
        for before, after in pairwise((*self._paste.stops, *line, self._open, self._cancel)):
            QWidget.setTabOrder(before, after)
