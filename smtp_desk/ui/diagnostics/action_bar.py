"""Run again, and Cancel; always visible."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from PySide6.QtCore import Qt, Signal, Slot

from smtp_desk.app.page_presenter import Busy
from smtp_desk.core.arrived import Belief
from smtp_desk.ui.diagnostics import words
from smtp_desk.ui.integrations.words import BUSY
from smtp_desk.ui.widgets.bar import Bar
from smtp_desk.ui.widgets.boxes import CheckBox
from smtp_desk.ui.widgets.buttons import button
from smtp_desk.ui.widgets.flow import flow
from smtp_desk.ui.widgets.label import enable

if TYPE_CHECKING:
    from PySide6.QtWidgets import QWidget

    from smtp_desk.app.diagnostics.presenter import DiagnosisState
    from smtp_desk.ui.diagnostics.domain_card import DomainForm

_SENDS: Final = "Run again sends a real test email with the values in the form."
_SENDS_NOTHING: Final = (
    "Run again stops after encryption (TLS). It needs no password, From email or recipient, "
    "sends no email and proves nothing."
)
_TRIES_THE_WAY: Final = (
    "Run again then only checks the connection to the server. It needs no password, sends no "
    "email and proves nothing."
)
_OWN_FORM: Final = (
    "Run again tests the values in the form on Integrations, not those of this report."
)


class ActionBar(Bar):
    """The bar below the page.

    Signals:
        run_wanted: Run again; whether to sign in and send a test email.
        cancel_wanted: Cancel.
    """

    run_wanted = Signal(bool)
    cancel_wanted = Signal()

    def __init__(self, question: DomainForm) -> None:
        """Create it; what `question` begins is cancelled here, too."""
        super().__init__("diagnostics_line")
        self._run = button("&Run again", "run_again", "primary")
        self._without = CheckBox("&Without signing in")
        self._without.setObjectName("without_signing_in")
        self._without.setToolTip(_SENDS_NOTHING)
        self._cancel = button("Cancel", "cancel_run")
        self._question = question
        self._run.clicked.connect(self._run_clicked)
        self._cancel.clicked.connect(self.cancel_wanted)
        self._without.toggled.connect(self._explain)
        question.asked.connect(self._asked)
        # Cancel ends the line: where it comes and goes, no button moves below the mouse.
        self.fill(self.line, flow(*self.stops))
        self._state: DiagnosisState | None = None
        self._begun = self._run

    @property
    def stops(self) -> tuple[QWidget, ...]:
        """What Tab visits, in order."""
        return (self._run, self._without, self._cancel)

    @Slot()
    def run(self) -> None:
        """Run as by the button, if it is enabled."""
        self._run.click()

    @Slot()
    def cancel(self) -> None:
        """Cancel as by the button, if something runs."""
        if self._cancel.isVisible():
            self._cancel.click()

    def render_state(self, state: DiagnosisState) -> None:
        """Show the possible actions, and why others are disabled."""
        self._state = state
        busy, waits = words.BUSY[state.busy], BUSY[state.waits_for]
        waiting = self._cancel.hasFocus()
        starting = self._run.hasFocus() or self._question.button.hasFocus()
        self._cancel.setVisible(state.running)
        enable(self._cancel, busy if state.busy is Busy.CANCELLING else "")
        enable(self._run, busy or waits)
        self._question.show_reason(busy or waits)
        enable(self._without, busy)
        if state.running and (starting or waiting):
            self._cancel.setFocus(Qt.FocusReason.OtherFocusReason)
        elif waiting:
            self._begun.setFocus(Qt.FocusReason.OtherFocusReason)
        self._explain()

    @Slot()
    def _explain(self) -> None:
        state = self._state
        if state is not None and state.busy:
            self.line.show_busy(words.BUSY[state.busy])
        elif state is not None and state.notice is not None:
            self.line.show_notice(state.notice)
        elif state is not None and state.domain is not None and state.domain_is_news:
            tone = "success" if state.domain.belief is Belief.BELIEVED else "warning"
            short = words.BELIEFS[state.domain.belief].format(domain=state.domain.domain)
            self.line.show_line(short, tone)
        elif state is not None and state.report is not None and not state.own:
            self.line.show_line(_OWN_FORM, "muted")
        else:
            text = _TRIES_THE_WAY if self._without.isChecked() else _SENDS
            self.line.show_line(text, "muted")

    @Slot()
    def _asked(self) -> None:
        self._begun = self._question.button

    @Slot()
    def _run_clicked(self) -> None:
        self._begun = self._run
        self.run_wanted.emit(not self._without.isChecked())
