"""The status of both routes, and the button to try one again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtWidgets import QWidget

from smtp_desk.app.routes.route_status import HealthState, RouteStatus
from smtp_desk.app.routes.words import (
    NAMES,
    SIGN_IN_AGAIN,
    TRY_AGAIN,
    fallbacks_text,
    route_text,
)
from smtp_desk.core.translation import _
from smtp_desk.sender.routes.route import CUSTOM, DEFAULT
from smtp_desk.store.stored import ServerState
from smtp_desk.ui.delivery import words
from smtp_desk.ui.widgets.buttons import button
from smtp_desk.ui.widgets.card import Card, Columns, column, row
from smtp_desk.ui.widgets.colours import Space
from smtp_desk.ui.widgets.icons import IconLabel
from smtp_desk.ui.widgets.label import Label, enable

if TYPE_CHECKING:
    from smtp_desk.app.delivery.state import DeliveryState

_LOOKS: Final = {
    HealthState.USABLE: ("success", "success"),
    HealthState.RESTING: ("warning", "warning"),
    HealthState.PROBING: ("running", "accent"),
    HealthState.DUE: ("pending", "warning"),
    HealthState.SHUT: ("error", "danger"),
}
_UNUSED: Final = {
    ServerState.NOT_CONFIGURED: ("skipped", "muted"),
    ServerState.OFF: ("power", "muted"),
    ServerState.UNREADABLE: ("error", "danger"),
}
_TRIABLE: Final = (HealthState.RESTING, HealthState.SHUT)
_SIDE_BY_SIDE: Final = 620


class RoutesCard(Card):
    """Both routes, side by side where there is room.

    Signals:
        try_wanted: Have this route tried again.
        sign_in_wanted: Sign in again for this route.
    """

    try_wanted = Signal(str)
    sign_in_wanted = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("routes")
        self.setAccessibleName("Routes")
        self._rows = {route: _RouteRow(route) for route in (CUSTOM, DEFAULT)}
        for each in self._rows.values():
            each.try_wanted.connect(self.try_wanted)
            each.sign_in_wanted.connect(self.sign_in_wanted)
        self.body.addWidget(Columns(_SIDE_BY_SIDE, *((each, 1) for each in self._rows.values())))

    def render_state(self, state: DeliveryState) -> None:
        """Show their status, or nothing before it was read."""
        self.setVisible(bool(state.routes))
        for status in state.routes:
            self._rows[status.route].show_route(status, words.BUSY[state.busy])


class _RouteRow(QWidget):
    """One route.

    Signals:
        try_wanted: Have this route tried again.
        sign_in_wanted: Sign in again for this route.
    """

    try_wanted = Signal(str)
    sign_in_wanted = Signal(str)

    def __init__(self, route: str) -> None:
        super().__init__()
        self.setObjectName(f"route_{route}")
        self._route = route
        self._needs_sign_in = False
        self._icon = IconLabel()
        self._name = Label(rank="strong")
        self._target = Label(rank="small")
        self._status = Label()
        self._status.setObjectName(f"route_status_{route}")
        self._why = Label(rank="muted")
        self._why.setObjectName(f"route_why_{route}")
        self._fallbacks = Label(rank="small")
        self._fallbacks.setObjectName(f"fallbacks_{route}")
        self._try = button(_(TRY_AGAIN), f"try_again_{route}")
        self._try.clicked.connect(self._clicked)
        layout = row(self, Space.M)
        layout.addWidget(self._icon, alignment=Qt.AlignmentFlag.AlignTop)
        texts = column(space=Space.XS)
        for label in (self._name, self._target, self._status, self._why, self._fallbacks):
            texts.addWidget(label)
        action = column(space=0)
        action.setContentsMargins(0, Space.S, 0, 0)
        action.addWidget(self._try, alignment=Qt.AlignmentFlag.AlignLeading)
        texts.addLayout(action)
        texts.addStretch(1)
        layout.addLayout(texts, 1)

    def show_route(self, status: RouteStatus, busy: str) -> None:
        """Show how it does."""
        health = status.health
        state = health.state if health else HealthState.USABLE
        failing = status.on and state is not HealthState.USABLE
        self._icon.show_icon(*(_UNUSED.get(status.kind) or _LOOKS[state]))
        name = _(NAMES[status.route])
        self._name.show_text(name)
        self.setAccessibleName(name)
        for label, text in (
            (self._target, status.target),
            (self._status, route_text(status)),
            (self._why, health.summary if health and failing else ""),
            (self._fallbacks, fallbacks_text(status)),
        ):
            label.show_text(text)
            label.setVisible(bool(text))
        may_be_tried = status.on and state in _TRIABLE
        had_focus = self._try.hasFocus()
        self._try.setVisible(may_be_tried)
        self._needs_sign_in = status.needs_sign_in
        self._try.setText(_(SIGN_IN_AGAIN if status.needs_sign_in else TRY_AGAIN))
        enable(self._try, busy)
        if not busy:
            self._try.setAccessibleDescription(name)
        if had_focus and not may_be_tried:
            self.focusNextChild()

    @Slot()
    def _clicked(self) -> None:
        signal = self.sign_in_wanted if self._needs_sign_in else self.try_wanted
        signal.emit(self._route)
