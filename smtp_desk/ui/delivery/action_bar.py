"""The actions for the selected email; always visible."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from PySide6.QtCore import Signal, Slot

from smtp_desk.ui.delivery import words
from smtp_desk.ui.widgets.bar import Bar
from smtp_desk.ui.widgets.buttons import Question, button
from smtp_desk.ui.widgets.flow import flow
from smtp_desk.ui.widgets.label import enable

if TYPE_CHECKING:
    from smtp_desk.app.delivery.rows import Details
    from smtp_desk.app.delivery.state import DeliveryState

_TWICE: Final = (
    "The server didn’t confirm this email, so it may already have been delivered. If you "
    "send it again, the recipient may get it twice."
)
_GONE: Final = "It won’t be sent. It stays in the list, and you can still send it with Retry."


class ActionBar(Bar):
    """The bar below the page.

    Signals:
        retry_wanted: Make the selected email due now.
        drop_wanted: Drop it; the person has confirmed.
        export_wanted: Ask for a file and write it there.
        copy_wanted: Ask for an address and send a copy there.
    """

    retry_wanted = Signal()
    drop_wanted = Signal()
    export_wanted = Signal()
    copy_wanted = Signal()

    def __init__(self, width: int) -> None:
        super().__init__("delivery_line", width)
        self._details: Details | None = None
        self._retry = button("Re&try", "retry", "primary")
        self._drop = button("&Drop…", "drop", "destructive")
        self._export = button("&Export as .eml…", "export")
        self._copy = button("Send this one to &me…", "send_copy")
        self._copy.clicked.connect(self.copy_wanted)
        self._retry.clicked.connect(self._retry_clicked)
        self._drop.clicked.connect(self._confirm_drop)
        self._export.clicked.connect(self.export_wanted)
        self.fill(self.line, flow(self._retry, self._drop, self._export, self._copy))

    def render_state(self, state: DeliveryState) -> None:
        """Show which actions are possible, and why others are not."""
        details = self._details = state.details
        reason = words.choose_reason(state)
        enable(self._retry, reason or (details.retry_reason if details else ""))
        enable(self._drop, reason or (details.drop_reason if details else ""))
        enable(self._export, reason)
        enable(self._copy, reason)
        if state.busy:
            self.line.show_busy(words.BUSY[state.busy])
        elif state.notice is not None:
            self.line.show_notice(state.notice)
        else:
            self.line.show_line(reason or _hint(details), "muted")

    @Slot()
    def _retry_clicked(self) -> None:
        details = self._details
        if details is None or not details.may_arrive_twice:
            self.retry_wanted.emit()
            return
        box = Question(self, "confirm_retry", "Send again", "Send this email again?", _TWICE)
        box.keep()
        box.offer("Send again", "confirmed").clicked.connect(self.retry_wanted)
        box.open()

    @Slot()
    def _confirm_drop(self) -> None:
        box = Question(self, "confirm_drop", "Drop email", "Drop this email?", _GONE)
        box.keep()
        box.offer("Drop email", "confirmed", "destructive").clicked.connect(self.drop_wanted)
        box.open()


def _hint(details: Details | None) -> str:
    if details is None or details.retry_reason == details.drop_reason:
        return details.retry_reason if details else ""
    return details.retry_reason or details.drop_reason
