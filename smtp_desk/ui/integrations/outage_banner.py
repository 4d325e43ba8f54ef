"""The banner that tells of an outage of the custom server while it lasts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from PySide6.QtCore import Signal, Slot
from PySide6.QtWidgets import QPushButton

from smtp_desk.app.notice import Notice
from smtp_desk.ui.widgets.card import Panel
from smtp_desk.ui.widgets.flow import flow
from smtp_desk.ui.widgets.label import Label, enable
from smtp_desk.ui.widgets.line import Line

if TYPE_CHECKING:
    from smtp_desk.app.routes.outage import Outage

_TRYING: Final = "Trying the server…"


class OutageBanner(Panel):
    """Since when the server is out, why, what became of the emails; and Try again.

    Signals:
        try_again_wanted: Try again.
    """

    try_again_wanted = Signal()

    def __init__(self) -> None:
        super().__init__("danger")
        self.setObjectName("outage")
        self._title = Label(rank="strong")
        self._why = Label()
        self._consequence = Label()
        self._try = QPushButton("Try again")
        self._try.setObjectName("try_again")
        self._try.clicked.connect(self._wanted)
        self._line = Line()
        for part in (self._title, self._why, self._consequence, flow(self._try), self._line):
            self.body.addWidget(part)
        self.hide()

    @Slot(object)
    def show_outage(self, outage: Outage | None) -> None:
        """Show this outage; None hides the banner."""
        if outage is not None:
            self._title.show_text(outage.title)
            self._why.show_text(outage.summary)
            self._why.setVisible(bool(outage.summary))
            self._consequence.show_text(outage.consequence)
            self.setAccessibleName(outage.title)
            self.setAccessibleDescription(f"{outage.summary} {outage.consequence}".strip())
        else:
            self._line.show_line("")
        self.setVisible(outage is not None)

    @Slot(Notice)
    def show_answer(self, notice: Notice) -> None:
        """Say what came of Try again."""
        enable(self._try, "")
        self._line.show_notice(notice)

    @Slot()
    def _wanted(self) -> None:
        enable(self._try, _TRYING)
        self._line.show_line(_TRYING, "muted")
        self.try_again_wanted.emit()
