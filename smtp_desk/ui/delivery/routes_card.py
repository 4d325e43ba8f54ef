"""How both routes do, and the way to have one tried again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtWidgets import QPushButton, QWidget

from smtp_desk.app.delivery.state import RouteCondition
from smtp_desk.sender.routes.route import CUSTOM, DEFAULT
from smtp_desk.ui.widgets.card import Card, Columns, column, row
from smtp_desk.ui.widgets.colours import Space
from smtp_desk.ui.widgets.icons import IconLabel
from smtp_desk.ui.widgets.label import Label, enable

if TYPE_CHECKING:
    from smtp_desk.app.delivery.state import DeliveryState, RouteView

_LOOKS: Final = {
    RouteCondition.NOT_CONFIGURED: ("skipped", "muted"),
    RouteCondition.OFF: ("power", "muted"),
    RouteCondition.UNREADABLE: ("error", "danger"),
    RouteCondition.USABLE: ("success", "success"),
    RouteCondition.RESTING: ("warning", "warning"),
    RouteCondition.PROBING: ("running", "accent"),
    RouteCondition.DUE: ("pending", "warning"),
    RouteCondition.SHUT: ("error", "danger"),
}
_SIDE_BY_SIDE: Final = 620


class RoutesCard(Card):
    """Both routes, side by side where there is room.

    Signals:
        try_wanted: Have this route tried again.
    """

    try_wanted = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("routes")
        self.setAccessibleName("Routes")
        self._rows = {route: _RouteRow(route) for route in (CUSTOM, DEFAULT)}
        for each in self._rows.values():
            each.try_wanted.connect(self.try_wanted)
        self.body.addWidget(Columns(_SIDE_BY_SIDE, *((each, 1) for each in self._rows.values())))

    def render_state(self, state: DeliveryState) -> None:
        """Show how they do; before it was read, nothing."""
        self.setVisible(bool(state.routes))
        for view in state.routes:
            self._rows[view.route].show_route(view, str(state.busy))


class _RouteRow(QWidget):
    """One route.

    Signals:
        try_wanted: Have this route tried again.
    """

    try_wanted = Signal(str)

    def __init__(self, route: str) -> None:
        super().__init__()
        self.setObjectName(f"route_{route}")
        self._route = route
        self._icon = IconLabel()
        self._name = Label(rank="strong")
        self._target = Label(rank="small")
        self._status = Label()
        self._status.setObjectName(f"route_status_{route}")
        self._why = Label(rank="muted")
        self._why.setObjectName(f"route_why_{route}")
        self._fallbacks = Label(rank="small")
        self._fallbacks.setObjectName(f"fallbacks_{route}")
        self._try = QPushButton("Try again")
        self._try.setObjectName(f"try_again_{route}")
        self._try.clicked.connect(self._clicked)
        layout = row(self, Space.M)
        layout.addWidget(self._icon, alignment=Qt.AlignmentFlag.AlignTop)
        words = column(space=Space.XS)
        for label in (self._name, self._target, self._status, self._why, self._fallbacks):
            words.addWidget(label)
        words.addWidget(self._try, alignment=Qt.AlignmentFlag.AlignLeading)
        words.addStretch(1)
        layout.addLayout(words, 1)

    def show_route(self, view: RouteView, busy: str) -> None:
        """Show how it does."""
        name, tone = _LOOKS[view.condition]
        self._icon.show_icon(name, tone)
        self._name.show_text(view.name)
        self.setAccessibleName(view.name)
        for label, text in (
            (self._target, view.target),
            (self._status, view.status),
            (self._why, view.why),
            (self._fallbacks, view.fallbacks),
        ):
            label.show_text(text)
            label.setVisible(bool(text))
        had_focus = self._try.hasFocus()
        self._try.setVisible(view.may_be_tried)
        enable(self._try, busy)
        if not busy:
            self._try.setAccessibleDescription(view.name)
        if had_focus and not view.may_be_tried:
            self.focusNextChild()

    @Slot()
    def _clicked(self) -> None:
        self.try_wanted.emit(self._route)
