"""The banner that tells of an outage of the custom server while it lasts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Signal

from smtp_desk.app.page_presenter import Busy
from smtp_desk.app.routes.words import outage_consequence, outage_title
from smtp_desk.ui.integrations import words
from smtp_desk.ui.widgets.buttons import button
from smtp_desk.ui.widgets.card import Panel
from smtp_desk.ui.widgets.flow import flow
from smtp_desk.ui.widgets.label import Label, enable
from smtp_desk.ui.widgets.line import Line

if TYPE_CHECKING:
    from smtp_desk.app.integrations.state import IntegrationsState


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
        self._try = button("Try again", "try_again")
        self._try.clicked.connect(self.try_again_wanted)
        self._line = Line()
        for part in (self._title, self._why, self._consequence, flow(self._try), self._line):
            self.body.addWidget(part)
        self.hide()

    def render_state(self, state: IntegrationsState) -> None:
        """Show the outage, or nothing."""
        status = state.status
        self.setVisible(status.out)
        if not status.out or status.health is None:
            return
        title, why = outage_title(status), status.health.summary
        consequence = outage_consequence(status)
        self._title.show_text(title)
        self._why.show_text(why)
        self._why.setVisible(bool(why))
        self._consequence.show_text(consequence)
        self.setAccessibleName(title)
        self.setAccessibleDescription(f"{why} {consequence}".strip())
        enable(self._try, words.BUSY[state.busy])
        if state.busy is Busy.TRYING:
            self._line.show_busy(words.BUSY[state.busy])
        else:
            self._line.show_notice(state.outage_notice)
