"""The actions for a report."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import Signal, Slot
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QMenu, QWidget

from smtp_desk.app.diagnostics.support_message import AUDIENCES, Audience
from smtp_desk.ui.widgets.boxes import CheckBox
from smtp_desk.ui.widgets.buttons import MenuButton, button
from smtp_desk.ui.widgets.card import column
from smtp_desk.ui.widgets.flow import flow
from smtp_desk.ui.widgets.label import enable

_MESSAGE: Final = (
    "Copies a message to send: the cause, the server’s reply, the time, the server and what to do."
)
_COPY: Final = "Copies the whole report as Markdown, ready for a ticket."
_HTML: Final = "Saves the report as a web page that loads nothing and has no links."
_COMPARE: Final = "Shows what changed between this report and another one."
_HIDE: Final = (
    "Replaces email addresses and usernames here and in everything you copy or save. The "
    "same address always gets the same number: address 1, address 2."
)
_NO_REPORT: Final = "There is no report yet."


class ReportButtons(QWidget):
    """The buttons above a report, which pass it on.

    Attributes:
        opening: Those beside the page's title, which open another.
        stops: What Tab visits, in order.

    Signals:
        message_wanted: Copy message, to this audience.
        copy_wanted: Copy as Markdown.
        save_wanted: Save report.
        html_wanted: Save as HTML.
        open_wanted: Open report.
        compare_wanted: Compare.
        hiding_wanted: Hide addresses, or no longer.
    """

    message_wanted = Signal(Audience)
    copy_wanted = Signal()
    save_wanted = Signal()
    html_wanted = Signal()
    open_wanted = Signal()
    compare_wanted = Signal()
    hiding_wanted = Signal(bool)

    def __init__(self) -> None:
        super().__init__()
        self._message = MenuButton("Copy &message")
        self._message.setObjectName("copy_message")
        self._message.setToolTip(_MESSAGE)
        self._message.setMenu(self._audiences())
        self._copy = button("&Copy as Markdown", "copy_report", tip=_COPY)
        self._save = button("&Save report…", "save_report")
        self._html = button("Save as HTM&L…", "save_html", tip=_HTML)
        self._open = button("&Open report…", "open_report")
        self._compare = button("Com&pare…", "compare_report", tip=_COMPARE)
        self._hide = CheckBox("Hide &addresses")
        self._hide.setObjectName("hide_addresses")
        self._hide.setToolTip(_HIDE)
        self._copy.clicked.connect(self.copy_wanted)
        self._save.clicked.connect(self.save_wanted)
        self._html.clicked.connect(self.html_wanted)
        self._open.clicked.connect(self.open_wanted)
        self._compare.clicked.connect(self.compare_wanted)
        self._hide.clicked.connect(self.hiding_wanted)
        self.opening: Final = flow(self._open, self._compare)
        passing_on = self._message, self._copy, self._save, self._html, self._hide
        column(self).addWidget(flow(*passing_on))
        self.stops: Final[tuple[QWidget, ...]] = (self._open, self._compare, *passing_on)

    def show_reasons(self, busy: str, *, has_report: bool, hiding: bool) -> None:
        """Show why they can't be used: what is running, or that there is no report."""
        enable(self._open, busy)
        for each in self.stops:
            if each is not self._open:
                enable(each, busy or ("" if has_report else _NO_REPORT))
        self._hide.setChecked(hiding)

    def _audiences(self) -> QMenu:
        menu = QMenu(self)
        menu.setObjectName("audiences")
        for audience, text in AUDIENCES.items():
            action = QAction(text, menu)
            action.setObjectName(f"message_to_{audience}")
            action.setData(str(audience))
            menu.addAction(action)
        menu.triggered.connect(self._chosen)
        return menu

    @Slot(QAction)
    def _chosen(self, action: QAction) -> None:
        self.message_wanted.emit(Audience(action.data()))
