"""Alerts that aren't sent by email: their services, and a test of each."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import Slot
from PySide6.QtWidgets import QLineEdit, QWidget

from smtp_desk.app.general.alerting import AlertsState
from smtp_desk.app.page_presenter import Busy
from smtp_desk.ui.widgets.buttons import Question, button
from smtp_desk.ui.widgets.card import Card, column
from smtp_desk.ui.widgets.colours import Space
from smtp_desk.ui.widgets.field import TextField
from smtp_desk.ui.widgets.flow import flow
from smtp_desk.ui.widgets.label import Label, enable
from smtp_desk.ui.widgets.line import Line

if TYPE_CHECKING:
    from smtp_desk.app.general.alerting import AlertsPresenter

_WHAT: Final = (
    "The same notices as chat or push messages, in case email itself fails. They don’t name "
    "any recipients."
)
_HINT: Final = (
    "An Apprise URL: slack, discord, workflows (Microsoft Teams), ntfys, gotifys or jsons. It’s "
    "kept in the keyring, and not shown again."
)
_NONE: Final = "No alert URLs are saved."
_EMPTY: Final = "Enter an alert URL first."
_BUSY: Final = {
    Busy.NOTHING: "",
    Busy.LOADING: "Reading…",
    Busy.SAVING: "Saving…",
    Busy.REMOVING: "Removing…",
    Busy.SENDING: "Sending a test alert…",
}


class AlertsCard(Card):
    """The saved services, a field for another one, and the test button."""

    def __init__(self) -> None:
        super().__init__("Alerts", _WHAT)
        self.setObjectName("alerts")
        self._actions: AlertsPresenter | None = None
        self._state = AlertsState()
        self._saved = Label()
        self._saved.setObjectName("alerts_saved")
        self._url = TextField("alert_url", "A&lert URL", hint=_HINT)
        self._url.edit.setEchoMode(QLineEdit.EchoMode.PasswordEchoOnEdit)
        self._add = button("&Add", "add_alert")
        self._url.controls.addWidget(self._add)
        self._test = button("Send te&st alert", "test_alerts")
        self._remove = button("Remo&ve all…", "remove_alerts", "destructive")
        self._line = Line()
        self._line.label.setObjectName("alerts_line")
        self._results = QWidget()
        self._lines = column(self._results, Space.XS)
        for each in (self._saved, self._url, flow(self._test, self._remove), self._line):
            self.body.addWidget(each)
        self.body.addWidget(self._results)
        self._results.hide()
        self.render_state(self._state)

    def attach(self, actions: AlertsPresenter) -> None:
        """Report to `actions` from now on."""
        self._actions = actions
        self._url.edited.connect(self._typed)
        self._url.edit.returnPressed.connect(self._add.click)
        self._add.clicked.connect(self._add_clicked)
        self._test.clicked.connect(actions.test)
        self._remove.clicked.connect(self._confirm)

    def render_state(self, state: AlertsState) -> None:
        """Show it."""
        before, self._state = self._state, state
        if state.added != before.added:
            self._url.set_text("")
        counted = Counter(state.schemes).items()
        names = ", ".join(name if count == 1 else f"{name} ({count})" for name, count in counted)
        self._saved.show_text(state.missing or (f"Alerts go to: {names}." if names else _NONE))
        self._enable()
        busy = _BUSY[state.busy]
        if busy:
            self._line.show_busy(busy)
        else:
            self._line.show_notice(state.notice)
        if state.results != before.results:
            self._show_results()

    def _show_results(self) -> None:
        while (item := self._lines.takeAt(0)) is not None:
            if (widget := item.widget()) is not None:
                widget.deleteLater()
        for number, (scheme, notice) in enumerate(self._state.results):
            line = Line()
            line.label.setObjectName(f"alert_result_{number}")
            tone = "danger" if notice.error else "success"
            line.show_line(f"{scheme}: {notice.text}", tone)
            self._lines.addWidget(line)
        self._results.setVisible(bool(self._state.results))

    def _enable(self) -> None:
        state = self._state
        reason = state.missing or _BUSY[state.busy]
        typed = bool(self._url.edit.text().strip())
        enable(self._add, reason or ("" if typed else _EMPTY))
        for each in (self._test, self._remove):
            enable(each, reason or ("" if state.schemes else _NONE))

    @Slot()
    def _typed(self) -> None:
        self._enable()

    @Slot()
    def _add_clicked(self) -> None:
        if self._actions is not None:
            self._actions.add(self._url.edit.text())

    @Slot()
    def _confirm(self) -> None:
        if self._actions is None:
            return
        meaning = "To get alerts again, you’ll have to enter the URLs again."
        box = Question(self, "confirm_remove_alerts", "Alerts", "Remove all alert URLs?", meaning)
        box.keep()
        remove = box.offer("Remove", "confirmed", "destructive")
        remove.clicked.connect(self._actions.remove)
        box.open()
