"""The Delivery page's dialogs: retry by cause, erase a recipient, send a copy."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from PySide6.QtCore import Signal, Slot
from PySide6.QtWidgets import QDialog, QPushButton, QWidget

from smtp_desk.app.delivery.overview_words import found_text
from smtp_desk.app.routes.words import emails
from smtp_desk.ui.delivery import words
from smtp_desk.ui.widgets.buttons import Question, button
from smtp_desk.ui.widgets.card import column
from smtp_desk.ui.widgets.colours import Space
from smtp_desk.ui.widgets.field import ChoiceField, TextField
from smtp_desk.ui.widgets.flow import flow
from smtp_desk.ui.widgets.label import Label, enable
from smtp_desk.ui.widgets.line import Line

if TYPE_CHECKING:
    from smtp_desk.app.delivery.overview import OverviewState, Stopped

_WIDTH: Final = 520
_BY_CAUSE: Final = (
    "Choose the problem that was fixed. All emails it stopped are sent again, both the "
    "waiting and the refused ones. Uncertain emails aren’t touched, because they may have "
    "been delivered."
)
_NOTHING_STOPPED: Final = "No emails are waiting or refused because of a known problem."
_ERASING: Final = (
    "Deletes all emails to one address, all notices to you that mention it, and the address "
    "itself from the log, however it’s written. This can’t be undone."
)
_COPY: Final = (
    "Sends you a copy, marked [Copy], with its own Message-ID. The original isn’t changed, "
    "and the copy doesn’t show whether it will arrive. Links in the copy work as they do for "
    "the recipient."
)


class _Dialog(QDialog):
    """A question with an explanation above and buttons below; only hidden when it's closed."""

    def __init__(self, parent: QWidget, name: str, title: str, explanation: str) -> None:
        super().__init__(parent)
        self.setObjectName(name)
        self.setWindowTitle(title)
        self.setMinimumWidth(min(_WIDTH, parent.window().width()))
        self.body = column(self, Space.L)
        self.body.setContentsMargins(Space.XL, Space.XL, Space.XL, Space.XL)
        self.body.addWidget(Label(title, "heading"))
        self.body.addWidget(Label(explanation, "muted"))
        self.line = Line()
        self.line.label.setObjectName(f"{name}_line")

    def finish(self, *buttons: QPushButton) -> None:
        """Put the line and the buttons at the end."""
        self.body.addWidget(self.line)
        self.body.addStretch(1)
        close = button("Close", "close")
        close.clicked.connect(self.reject)
        for each in (close, *buttons):
            each.setAutoDefault(False)
        self.body.addWidget(flow(close, *buttons, at_end=True))


class CauseDialog(_Dialog):
    """The causes that stop emails, the most frequent first.

    Signals:
        chosen: Retry what this cause stopped.
    """

    chosen = Signal(object)

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent, "cause_dialog", "Retry by cause", _BY_CAUSE)
        self._stopped: dict[str, Stopped] = {}
        self._chosen: Stopped | None = None
        self._cause = ChoiceField("cause", "&Cause", {})
        self._why = Label(rank="small")
        self._cause.below.addWidget(self._why)
        self.body.addWidget(self._cause)
        self._retry = button("&Retry", "retry_cause", "primary")
        self._cause.edited.connect(self._choose)
        self._retry.clicked.connect(self._clicked)
        self.finish(self._retry)

    def show_causes(self, stopped: tuple[Stopped, ...]) -> None:
        """Show these causes, with the first one chosen."""
        self._stopped = {each.code: each for each in stopped}
        self._cause.show_choices(
            {each.code: f"{each.code} ({emails(each.count)})" for each in stopped}
        )
        self._cause.setVisible(bool(stopped))
        self.line.show_line("" if stopped else _NOTHING_STOPPED, "muted")
        enable(self._retry, "" if stopped else _NOTHING_STOPPED)
        if stopped:
            self._cause.set_value(stopped[0].code)
            self._choose("cause", stopped[0].code)
            self._cause.take_focus()
        self.open()

    @Slot(str, str)
    def _choose(self, _key: str, code: str) -> None:
        stopped = self._stopped[code]
        self._chosen = stopped
        self._why.show_text(stopped.cause)
        self._retry.setText(f"&Retry {emails(stopped.count)}")

    @Slot()
    def _clicked(self) -> None:
        self.accept()
        self.chosen.emit(self._chosen)


class EraseDialog(_Dialog):
    """Erasing a recipient: look up first, then confirm.

    Signals:
        look_wanted: Look up what is stored about this address.
        erase_wanted: Erase it; the person has confirmed.
    """

    look_wanted = Signal(str)
    erase_wanted = Signal()

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent, "erase_dialog", "Erase a recipient", _ERASING)
        self._address = TextField("erase_address", "Email &address")
        self._look = button("&Look up", "look_up")
        self._address.controls.addWidget(self._look)
        self.body.addWidget(self._address)
        self._erase = button("&Erase…", "erase", "destructive")
        self._look.clicked.connect(self._look_clicked)
        self._address.edit.returnPressed.connect(self._look_clicked)
        self._address.edited.connect(self._typed)
        self._erase.clicked.connect(self._confirm)
        self.finish(self._erase)
        self._state: OverviewState | None = None

    def ask(self) -> None:
        """Start again with an empty dialog."""
        self._address.set_text("")
        self.look_wanted.emit("")
        self._address.take_focus()
        self.open()

    def render_state(self, state: OverviewState) -> None:
        """Show what is stored, or what was erased."""
        self._state = state
        busy = words.OVERVIEW_BUSY[state.busy]
        enable(self._look, busy)
        enable(self._erase, busy or ("" if state.found else words.LOOK_FIRST))
        if busy:
            self.line.show_busy(busy)
        elif state.found is not None:
            self.line.show_line(found_text(state.found), "warning")
        elif state.trouble or (state.notice and state.notice.error):
            self.line.show_line(state.trouble or (state.notice.text if state.notice else ""))
        else:
            self.line.show_notice(state.erasure)

    @Slot()
    def _look_clicked(self) -> None:
        self.look_wanted.emit(self._address.edit.text().strip())

    @Slot(str, str)
    def _typed(self, _key: str, _text: str) -> None:
        """What was found belongs to another address now."""
        if self._state is not None and (self._state.found or self._state.erasure):
            self.look_wanted.emit("")

    @Slot()
    def _confirm(self) -> None:
        if self._state is None or self._state.found is None:
            return
        meaning = found_text(self._state.found)
        box = Question(self, "confirm_erase", "Erase a recipient", "Erase it permanently?", meaning)
        box.keep()
        box.offer("Erase", "confirmed", "destructive").clicked.connect(self.erase_wanted)
        box.open()


class CopyDialog(_Dialog):
    """Where to send a copy of the selected email.

    Signals:
        send_wanted: Send it to this address.
    """

    send_wanted = Signal(str)

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent, "copy_dialog", "Send this one to me", _COPY)
        self._address = TextField("copy_address", "&Your email address")
        self.body.addWidget(self._address)
        self._send = button("&Send copy", "send_copy_now", "primary")
        self._send.clicked.connect(self._clicked)
        self._address.edit.returnPressed.connect(self._clicked)
        self.finish(self._send)

    def ask(self) -> None:
        """Ask; the last address is still filled in."""
        self._address.edit.selectAll()
        self._address.take_focus()
        self.open()

    def render_state(self, state: OverviewState) -> None:
        """Show what is wrong with the address, or the result of the copy."""
        busy = words.OVERVIEW_BUSY[state.busy]
        self._address.show_notices(state.address)
        enable(self._send, busy)
        if busy:
            self.line.show_busy(busy)
        else:
            self.line.show_notice(state.notice)

    @Slot()
    def _clicked(self) -> None:
        self.send_wanted.emit(self._address.edit.text())
