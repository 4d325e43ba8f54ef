"""The card with the switch: whether system emails are sent through the custom server."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from PySide6.QtCore import Qt, Signal, Slot

from smtp_desk.app.page_presenter import Busy
from smtp_desk.app.routes.words import switch_reason
from smtp_desk.store.stored import ServerState
from smtp_desk.ui.integrations import words
from smtp_desk.ui.widgets.boxes import Switch
from smtp_desk.ui.widgets.card import Card, column, row
from smtp_desk.ui.widgets.colours import Space
from smtp_desk.ui.widgets.icons import IconLabel, set_look
from smtp_desk.ui.widgets.label import Label, enable

if TYPE_CHECKING:
    from smtp_desk.app.integrations.state import IntegrationsState
    from smtp_desk.ui.widgets.theme import Theme

_STATUS_ICON: Final = 18
_BUSY: Final = frozenset({Busy.LOADING, Busy.SWITCHING, Busy.SAVING, Busy.REMOVING})


class ServerCard(Card):
    """A server: its status and, for the custom one, the switch.

    Signals:
        switched: The person moved the switch.
    """

    switched = Signal(bool)

    def __init__(self, theme: Theme, said: words.PageWords) -> None:
        super().__init__(said.card)
        self._said = said
        self._shown = False
        self._label = Label(words.SWITCH.replace("own", "&own"), "label")
        self._switch = Switch(theme, words.SWITCH)
        self._switch.setObjectName("enabled")
        # Not `clicked`: a screen reader toggles a check box without a click.
        self._switch.toggled.connect(self._toggled)
        self._label.setBuddy(self._switch)
        if said is not words.CUSTOM:
            self._label.hide()
            self._switch.hide()
        self._icon = IconLabel(size=_STATUS_ICON)
        self._status = Label()
        self._status.setObjectName("status")
        self._status.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
        status = row(space=Space.S)
        status.addWidget(self._icon, alignment=Qt.AlignmentFlag.AlignTop)
        status.addWidget(self._status, 1)
        texts = column(space=Space.XS)
        texts.addWidget(self._label)
        texts.addLayout(status)
        line = row(space=Space.L)
        line.addLayout(texts, 1)
        line.addWidget(self._switch)
        self.body.addLayout(line)

    def focus_status(self) -> None:
        """Move the focus to the status, since there is nothing to press."""
        self._status.setFocus(Qt.FocusReason.OtherFocusReason)

    def render_state(self, state: IntegrationsState) -> None:
        """Show switch and status."""
        busy = state.busy in _BUSY
        said = words.BUSY[state.busy]
        self._shown = state.status.on
        if self._switch.isChecked() != self._shown and state.busy is not Busy.SWITCHING:
            self._switch.setChecked(self._shown)
        enable(self._switch, said if busy else switch_reason(state.status))
        out = state.status.out and state.status.kind is ServerState.ACTIVE
        icon, tone = words.OUT_LOOK if out else words.STATUS_LOOK[state.status.kind]
        self._icon.show_icon(icon, tone)
        self._status.show_text(said if busy else self._said.status(state.status))
        set_look(self._status, "tone", "" if tone == "success" else tone)

    @Slot(bool)
    def _toggled(self, on: bool) -> None:  # noqa: FBT001 - Qt's signature
        if on != self._shown:
            self.switched.emit(on)
