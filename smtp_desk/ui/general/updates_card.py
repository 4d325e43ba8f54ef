"""The check for updates: a button, and what came of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from smtp_desk import __version__
from smtp_desk.app.page_presenter import Busy, PageState
from smtp_desk.ui.widgets.buttons import button
from smtp_desk.ui.widgets.card import Card
from smtp_desk.ui.widgets.flow import flow
from smtp_desk.ui.widgets.label import enable
from smtp_desk.ui.widgets.line import Line

if TYPE_CHECKING:
    from smtp_desk.app.general.updating import UpdatesPresenter

_WHAT: Final = (
    f"You have version {__version__}. SMTP Desk checks for a newer one only when you press the "
    "button, and sends nothing about you or this computer."
)
_BUSY: Final = {Busy.CHECKING: "Checking…", Busy.CANCELLING: "Stopping…"}


class UpdatesCard(Card):
    """Which version this is, the button, and the answer."""

    def __init__(self) -> None:
        super().__init__("Updates", _WHAT)
        self.setObjectName("updates")
        self._check = button("Chec&k for updates", "check_updates")
        self._cancel = button("S&top", "cancel_updates")
        self._line = Line()
        self._line.label.setObjectName("updates_line")
        self.body.addWidget(flow(self._check, self._cancel))
        self.body.addWidget(self._line)
        self.render_state(PageState())

    def attach(self, actions: UpdatesPresenter) -> None:
        """Report to `actions` from now on."""
        self._check.clicked.connect(actions.check)
        self._cancel.clicked.connect(actions.cancel)

    def render_state(self, state: PageState) -> None:
        """Show it."""
        busy = _BUSY.get(state.busy, "")
        enable(self._check, busy)
        self._cancel.setVisible(state.busy is Busy.CHECKING)
        if busy:
            self._line.show_busy(busy)
        else:
            self._line.show_notice(state.notice)
