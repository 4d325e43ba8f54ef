"""The inbox of the sandbox: what arrived, as its recipient would see it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QSize, Qt, Signal, Slot
from PySide6.QtWidgets import QSplitter, QStackedWidget, QWidget

from smtp_desk.sandbox.inbox import ReceivedMail
from smtp_desk.ui.sandbox.hints import Hints
from smtp_desk.ui.sandbox.mail_list import MailList
from smtp_desk.ui.sandbox.reader import MailReader
from smtp_desk.ui.widgets.card import column
from smtp_desk.ui.widgets.colours import Space
from smtp_desk.ui.widgets.icons import IconLabel, app_icon
from smtp_desk.ui.widgets.label import Label

if TYPE_CHECKING:
    from smtp_desk.sandbox.inbox import Inbox

NO_MAIL: Final = "No emails yet. Press Send test email in the Sandbox window."
_SIZE: Final = QSize(860, 640)
_LIST_WIDTH: Final = 280
_ICON: Final = 40


class InboxWindow(QWidget):
    """Lists the mails of the sandbox and shows the chosen one.

    Signals:
        arrived: A mail came; emitted in the server's thread.
        recipient_chosen: The person wants to send the next test to this address.
        fault_chosen: This is to be wrong with the server: the name of a fault.
    """

    arrived = Signal(ReceivedMail)
    recipient_chosen = Signal(str)
    fault_chosen = Signal(str)

    def __init__(self, inbox: Inbox) -> None:
        super().__init__()
        self.setObjectName("inbox")
        self.setWindowTitle("Inbox — Sandbox")
        self.setWindowIcon(app_icon())
        self.resize(_SIZE)
        self._mails = MailList()
        self._reader = MailReader()
        self._hints = Hints()
        self._stack = QStackedWidget()
        self._stack.addWidget(_nothing())
        self._stack.addWidget(self._both())
        layout = column(self, Space.L)
        layout.setContentsMargins(Space.L, Space.L, Space.L, Space.L)
        layout.addWidget(self._stack, 1)
        layout.addWidget(self._hints)
        self._mails.chosen.connect(self._reader.show_mail)
        self._hints.chosen.connect(self.recipient_chosen)
        self._hints.fault_chosen.connect(self.fault_chosen)
        self.arrived.connect(self._add, Qt.ConnectionType.QueuedConnection)
        self._leave = inbox.subscribe(self.arrived.emit)

    def stop(self) -> None:
        """Hear of no more mails, and close."""
        self._leave()
        self.close()

    def _both(self) -> QWidget:
        splitter = QSplitter()
        splitter.addWidget(self._mails)
        splitter.addWidget(self._reader)
        splitter.setStretchFactor(1, 1)
        splitter.setChildrenCollapsible(False)
        splitter.setHandleWidth(Space.L)
        splitter.setSizes([_LIST_WIDTH, _SIZE.width() - _LIST_WIDTH])
        return splitter

    @Slot(ReceivedMail)
    def _add(self, mail: ReceivedMail) -> None:
        first = self._mails.count() == 0
        self._mails.add(mail)
        if first:
            self._stack.setCurrentIndex(1)
            self._mails.setFocus(Qt.FocusReason.OtherFocusReason)


def _nothing() -> QWidget:
    made = QWidget()
    icon = IconLabel(size=_ICON)
    icon.show_icon("email_types", "muted")
    words = Label(NO_MAIL, "muted")
    words.setObjectName("no_mail")
    words.setAlignment(Qt.AlignmentFlag.AlignCenter)
    layout = column(made, Space.M)
    layout.addStretch(1)
    layout.addWidget(icon, alignment=Qt.AlignmentFlag.AlignHCenter)
    layout.addWidget(words)
    layout.addStretch(1)
    return made
