"""The banner shown during an outage of the custom server."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal

from smtp_desk.app.page_presenter import Busy
from smtp_desk.app.routes.words import (
    SIGN_IN_AGAIN,
    TRY_AGAIN,
    outage_consequence,
    outage_title,
)
from smtp_desk.core.translation import _
from smtp_desk.ui.integrations import words
from smtp_desk.ui.widgets.buttons import button
from smtp_desk.ui.widgets.card import Panel
from smtp_desk.ui.widgets.flow import flow
from smtp_desk.ui.widgets.label import Label, enable
from smtp_desk.ui.widgets.line import Line

if TYPE_CHECKING:
    from smtp_desk.app.integrations.state import IntegrationsState


class OutageBanner(Panel):
    """Since when the server is unavailable, why, what happened to emails, and what to do.

    Signals:
        try_again_wanted: Try again, or sign in again where that has to come first.
    """

    try_again_wanted = Signal()

    def __init__(self) -> None:
        super().__init__("danger")
        self.setObjectName("outage")
        self._title = Label(rank="strong")
        self._why = Label()
        self._consequence = Label()
        self._try = button(_(TRY_AGAIN), "try_again")
        self._try.clicked.connect(self.try_again_wanted)
        self._line = Line()
        self._line.label.setObjectName("outage_line")
        self._line.label.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
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
        self._try.setText(_(SIGN_IN_AGAIN if status.needs_sign_in else TRY_AGAIN))
        if state.busy is Busy.TRYING:
            self._line.show_busy(words.BUSY[state.busy])
        else:
            self._line.show_notice(state.outage_notice)
        self._enable(words.BUSY[state.busy])

    @property
    def has_focus(self) -> bool:
        """Whether the focus is on Try again, or on its result."""
        return self._try.hasFocus() or self._line.label.hasFocus()

    def _enable(self, busy: str) -> None:
        """Enable Try again; its focus waits on the line meanwhile, and never slides on."""
        had_focus = self.has_focus
        if had_focus and busy:
            self._line.label.setFocus(Qt.FocusReason.OtherFocusReason)
        enable(self._try, busy)
        if had_focus and not busy:
            self._try.setFocus(Qt.FocusReason.OtherFocusReason)
