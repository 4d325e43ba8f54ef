"""The card with the service that sends the emails the custom server can't."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtWidgets import QWidget

from smtp_desk.app.general.presenter import DEFAULT_PLACE, GeneralState
from smtp_desk.app.routes.default import USUAL_SENDMAIL, default_text
from smtp_desk.store.stored import DefaultKind
from smtp_desk.ui.widgets.buttons import button
from smtp_desk.ui.widgets.card import Card, column, row
from smtp_desk.ui.widgets.colours import Space
from smtp_desk.ui.widgets.field import ChoiceField, TextField
from smtp_desk.ui.widgets.file_field import FileField
from smtp_desk.ui.widgets.flow import flow
from smtp_desk.ui.widgets.icons import IconLabel, set_look
from smtp_desk.ui.widgets.label import Label
from smtp_desk.ui.widgets.line import Line

if TYPE_CHECKING:
    from collections.abc import Mapping

    from smtp_desk.app.general.presenter import GeneralPresenter

_TITLE: Final = "Default email service"
_EXPLANATION: Final = (
    "Sends system emails while no custom server is in use, and those that the custom server "
    "can’t send."
)
_KINDS: Final[Mapping[str, str]] = {
    DefaultKind.OUTBOX: "Hold emails in the outbox",
    DefaultKind.SENDMAIL: "This machine’s sendmail",
    DefaultKind.SMTP: "Your organization’s relay",
}
_NO_RELAY: Final = "No relay is set up yet. It’s used once a test email has proven it."
_SET_UP: Final = "Set up your organization’s &relay…"
_CHANGE: Final = "Change your organization’s &relay…"
_STATUS_ICON: Final = 18


class DefaultCard(Card):
    """Choice of the default email service, and the fields of each.

    Signals:
        relay_wanted: Open the form of the relay.
        looked_at: Bring this widget into view.
    """

    relay_wanted = Signal()
    looked_at = Signal(QWidget)

    def __init__(self) -> None:
        super().__init__(_TITLE, _EXPLANATION)
        self._actions: GeneralPresenter | None = None
        self._state = GeneralState()
        self._left: set[str] = set()
        self._kind = ChoiceField("default_kind", "&Default email service", _KINDS)
        self._icon = IconLabel(size=_STATUS_ICON)
        self._status = Label()
        self._status.setObjectName("default_status")
        self._path = FileField(
            "sendmail_path", "&Path of sendmail", "All files (*)", hint=f"Usually {USUAL_SENDMAIL}"
        )
        self._from_email = TextField(
            "default_from_email", "From &email", hint="The default service sends from this address."
        )
        self._use = button("&Use this sendmail", "use_sendmail", "primary")
        self._relay = Label()
        self._relay.setObjectName("default_relay")
        self._set_up = button(_SET_UP, "set_up_relay")
        self._line = Line()
        self._line.label.setObjectName("default_answer")
        self._sendmail_part, self._relay_part = QWidget(), QWidget()
        self._lay_out()
        self._set_up.clicked.connect(self.relay_wanted)
        self.render_state(GeneralState())

    def attach(self, actions: GeneralPresenter) -> None:
        """Report to `actions` from now on."""
        self._actions = actions
        self._kind.edited.connect(self._chosen)
        for field in (self._path, self._from_email):
            field.edited.connect(self._typed)
            field.finished.connect(self._left_field)
        self._use.clicked.connect(self._use_sendmail)

    def _lay_out(self) -> None:
        status = row(space=Space.S)
        status.addWidget(self._icon, alignment=Qt.AlignmentFlag.AlignTop)
        status.addWidget(self._status, 1)
        sendmail = column(self._sendmail_part, Space.L)
        for field in (self._path, self._from_email):
            sendmail.addWidget(field)
        sendmail.addWidget(flow(self._use))
        relay = column(self._relay_part, Space.S)
        relay.addWidget(self._relay)
        relay.addWidget(flow(self._set_up))
        top = column(space=Space.S)
        top.addWidget(self._kind)
        top.addLayout(status)
        self.body.addLayout(top)
        for part in (self._sendmail_part, self._relay_part, self._line):
            self.body.addWidget(part)

    def render_state(self, page: GeneralState) -> None:
        """Show the current choice, and keep what the person is typing."""
        known, state = self._state.default, page.default
        self._state = page
        if state is not known:
            self._kind.set_value(state.kind)
            self._show_part(state.kind)
        self._show_problems(page)
        self._line.show_notice(page.notice if page.place == DEFAULT_PLACE else None)
        if not self._left:
            self._path.set_text(state.sendmail_path or USUAL_SENDMAIL)
            self._from_email.set_text(state.from_email)
        relay = state.relay
        held = state.kind is DefaultKind.OUTBOX
        tone = "muted" if held else "success" if state.works else "warning"
        icon = {"muted": "info", "success": "success", "warning": "warning"}[tone]
        self._icon.show_icon(icon, tone)
        self._status.show_text(default_text(state))
        set_look(self._status, "tone", "" if tone == "success" else tone)
        self._set_up.setText(_SET_UP if relay is None else _CHANGE)
        if relay is None:
            self._relay.show_text(_NO_RELAY)
        else:
            # While it is in use the status line says why it is not used.
            why = "" if state.kind is DefaultKind.SMTP else relay.why
            proven = "Proven." if relay.proven else why
            self._relay.show_text(f"{relay.host}, from {relay.from_email}. {proven}".rstrip())

    def _show_part(self, kind: str) -> None:
        self._sendmail_part.setVisible(kind == DefaultKind.SENDMAIL)
        self._relay_part.setVisible(kind == DefaultKind.SMTP)

    @Slot(str, str)
    def _chosen(self, _key: str, kind: str) -> None:
        """What needs nothing more acts at once; the rest shows what it needs."""
        if self._actions is None:
            return
        self._actions.clear_notice()
        self._show_part(kind)
        relay = self._state.default.relay
        if kind == DefaultKind.OUTBOX:
            self._actions.use_outbox()
        elif kind == DefaultKind.SMTP and relay is not None and relay.proven:
            self._actions.use_relay()

    @Slot(str, str)
    def _typed(self, key: str, _text: str) -> None:
        if self._actions is not None:
            self._line.show_line("")
        if key in self._left:
            self._check()

    @Slot(str)
    def _left_field(self, key: str) -> None:
        self._left.add(key)
        self._check()

    @Slot()
    def _use_sendmail(self) -> None:
        self._left = {self._path.key, self._from_email.key}
        if self._actions is not None:
            self._actions.use_sendmail(self._path.edit.text(), self._from_email.edit.text())

    def _check(self) -> None:
        if self._actions is not None:
            self._actions.check_sendmail(self._path.edit.text(), self._from_email.edit.text())

    def _show_problems(self, state: GeneralState) -> None:
        for field, notices in ((self._path, state.path), (self._from_email, state.from_email)):
            field.show_notices(notices if field.key in self._left else ())

    def focus_wrong(self, state: GeneralState) -> None:
        """Move the focus to the first field with a problem."""
        wrong = self._path if any(notice.error for notice in state.path) else self._from_email
        wrong.take_focus()
        self.looked_at.emit(wrong)
