"""Send sample; always visible."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from PySide6.QtCore import Qt, Signal, Slot

from smtp_desk.app.page_presenter import Busy
from smtp_desk.ui.email_types import words
from smtp_desk.ui.widgets.bar import Bar
from smtp_desk.ui.widgets.buttons import button
from smtp_desk.ui.widgets.field import TextField
from smtp_desk.ui.widgets.label import enable

if TYPE_CHECKING:
    from smtp_desk.app.email_types.presenter import EmailTypesState
    from smtp_desk.app.notice import Notice

_HINT: Final = "Sends the email above, with its sample data, using the saved settings."


class ActionBar(Bar):
    """The bar below the page.

    Signals:
        edited: The person typed an address.
        send_wanted: Send the sample to this address.
        cancel_wanted: Cancel sending the sample.
    """

    edited = Signal(str)
    send_wanted = Signal(str)
    cancel_wanted = Signal()

    def __init__(self, width: int) -> None:
        super().__init__("sample_result", width)
        self._recipient = TextField("sample_recipient", "Send sample t&o", hint=_HINT)
        self._send = button("&Send sample", "send_sample", "primary")
        self._cancel = button("&Cancel", "cancel_sample")
        self._cancel.hide()
        for each in (self._send, self._cancel):
            self._recipient.controls.addWidget(each)
        self.fill(self._recipient, self.line)
        self._recipient.edited.connect(self._edited)
        self._recipient.edit.returnPressed.connect(self._send.click)
        self._send.clicked.connect(self._send_clicked)
        self._cancel.clicked.connect(self.cancel_wanted)

    def render_state(self, state: EmailTypesState) -> None:
        """Show the possible actions, and the result."""
        busy = words.BUSY[state.busy]
        cancelling = state.busy is Busy.CANCELLING
        if (busy and self._send.hasFocus()) or (
            self._cancel.hasFocus() and (cancelling or not busy)
        ):
            self._recipient.take_focus()  # before the button loses it
        done = not busy and not self._send.isEnabled()
        enable(self._send, busy)
        self._cancel.setVisible(bool(busy))
        enable(self._cancel, busy if cancelling else "")
        self._recipient.show_notices(state.address)
        if busy:
            self.line.show_busy(busy)
        else:
            self.line.show_notice(state.notice)
        if done and self._recipient.edit.hasFocus():
            self._tell_readers(state.notice)

    def _tell_readers(self, notice: Notice | None) -> None:
        """Give the focus back to the button, which tells screen readers what came of it."""
        self._send.setAccessibleDescription(notice.text if notice is not None else "")
        self._send.setFocus(Qt.FocusReason.OtherFocusReason)

    def focus_recipient(self) -> None:
        """Move the focus to the address."""
        self._recipient.take_focus()

    @Slot(str, str)
    def _edited(self, _key: str, text: str) -> None:
        self.edited.emit(text)

    @Slot()
    def _send_clicked(self) -> None:
        self.send_wanted.emit(self._recipient.edit.text())
