"""The inbox of the sandbox: what arrived, as its recipient would see it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QSize, Qt, Signal, Slot
from PySide6.QtWidgets import (
    QListWidget,
    QListWidgetItem,
    QSplitter,
    QTabWidget,
    QTextBrowser,
    QVBoxLayout,
    QWidget,
)

from smtp_desk.sandbox.inbox import ReceivedMail
from smtp_desk.sandbox.recipients import TRY_THESE
from smtp_desk.ui.card import column
from smtp_desk.ui.icons import app_icon
from smtp_desk.ui.label import Label
from smtp_desk.ui.theme import Space

if TYPE_CHECKING:
    from smtp_desk.sandbox.inbox import Inbox

_SIZE: Final = QSize(760, 560)
_NOTHING: Final = "No mail yet. Send a test email: it arrives here and goes nowhere else."
_SHOWN: Final = frozenset({"from", "to", "reply-to", "subject", "date"})
_MAIL: Final = Qt.ItemDataRole.UserRole


class InboxWindow(QWidget):
    """Lists the mails of the sandbox and shows the chosen one.

    Signals:
        arrived: A mail came; emitted in the server's thread.
    """

    arrived = Signal(ReceivedMail)

    def __init__(self, inbox: Inbox) -> None:
        super().__init__()
        self.setObjectName("page")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setWindowTitle("Inbox — Sandbox")
        self.setWindowIcon(app_icon())
        self.resize(_SIZE)
        self._mails = QListWidget()
        self._mails.setObjectName("mails")
        self._mails.setAccessibleName("Received mails")
        self._mails.setWordWrap(True)
        self._headers = Label(_NOTHING)
        self._headers.setObjectName("mail_headers")
        self._bodies = QTabWidget()
        self._html = _browser("As HTML")
        self._text = _browser("As text")
        self._raw = _browser("As it came")
        for body in (self._html, self._text, self._raw):
            self._bodies.addTab(body, body.accessibleName())
        self._bodies.hide()
        self._lay_out()
        self._mails.itemSelectionChanged.connect(self._chosen)
        self.arrived.connect(self._add, Qt.ConnectionType.QueuedConnection)
        for mail in inbox.mails():
            self._add(mail)
        self._leave = inbox.subscribe(self.arrived.emit)

    def stop(self) -> None:
        """Hear of no more mails."""
        self._leave()
        self.close()

    def _lay_out(self) -> None:
        shown = QWidget()
        reading = column(shown, Space.M)
        reading.addWidget(self._headers)
        reading.addWidget(self._bodies, 1)
        reading.addStretch()
        splitter = QSplitter()
        splitter.addWidget(self._mails)
        splitter.addWidget(shown)
        splitter.setStretchFactor(1, 1)
        splitter.setChildrenCollapsible(False)
        splitter.setHandleWidth(Space.M)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(Space.L, Space.L, Space.L, Space.L)
        layout.setSpacing(Space.M)
        layout.addWidget(splitter, 1)
        tries = "\n".join(f"Mail to {address} {what}." for address, what in TRY_THESE)
        layout.addWidget(Label(tries, "small"))

    @Slot(ReceivedMail)
    def _add(self, mail: ReceivedMail) -> None:
        item = QListWidgetItem(f"{mail.subject or '(no subject)'}\n{', '.join(mail.recipients)}")
        item.setData(_MAIL, mail)
        self._mails.insertItem(0, item)
        self._mails.setCurrentItem(item)

    @Slot()
    def _chosen(self) -> None:
        mail = self._mails.currentItem().data(_MAIL)
        if not isinstance(mail, ReceivedMail):
            return
        lines = [f"{name}: {value}" for name, value in mail.headers if name.lower() in _SHOWN]
        if mail.attachments:
            lines.append(f"Attachments: {', '.join(mail.attachments)}")
        self._headers.show_text("\n".join(lines))
        self._html.setHtml(mail.html)
        self._text.setPlainText(mail.text)
        self._raw.setPlainText(mail.raw.decode("utf-8", "replace"))
        self._bodies.setTabVisible(0, bool(mail.html))
        self._bodies.show()


def _browser(name: str) -> QTextBrowser:
    browser = QTextBrowser()
    browser.setAccessibleName(name)
    # A mail leads nowhere and loads nothing; see `smtp_desk.sandbox.safe_html`.
    browser.setOpenLinks(False)
    browser.setTabChangesFocus(True)
    return browser
