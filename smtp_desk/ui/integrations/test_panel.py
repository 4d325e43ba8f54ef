"""Test SMTP configuration: the recipient, the button, and the results."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtWidgets import QWidget

from smtp_desk.app.page_presenter import Busy
from smtp_desk.core.findings.finding import Remedy
from smtp_desk.core.problems import Field
from smtp_desk.core.texts import OUTCOMES
from smtp_desk.ui.integrations import words
from smtp_desk.ui.integrations.finding_panel import FindingPanel, WarningPanel
from smtp_desk.ui.integrations.sign_in_prompt import SignInPrompt
from smtp_desk.ui.integrations.stage_list import StageList
from smtp_desk.ui.widgets.announce import announce
from smtp_desk.ui.widgets.buttons import button
from smtp_desk.ui.widgets.card import Card, Panel, column
from smtp_desk.ui.widgets.colours import Space
from smtp_desk.ui.widgets.field import TextField
from smtp_desk.ui.widgets.flow import flow
from smtp_desk.ui.widgets.icons import set_look
from smtp_desk.ui.widgets.label import FocusLabel, enable
from smtp_desk.ui.widgets.line import Line

if TYPE_CHECKING:
    from smtp_desk.app.integrations.state import IntegrationsState
    from smtp_desk.core.findings.finding import Finding
    from smtp_desk.core.gate import Outcome

_TITLE: Final = "Test SMTP configuration"
_EXPLANATION: Final = "Sends a real email with the values in the form, saved or not."
_RUNNING: Final = "A test is running."


class TestPanel(Card):
    """The card that proves the settings.

    Signals:
        send_wanted: Send test email.
        cancel_wanted: Cancel.
        remedy_chosen: Make the changes of this remedy in the form.
        details_wanted: Open Diagnostics.
    """

    __test__ = False  # pytest: no test class

    send_wanted = Signal()
    cancel_wanted = Signal()
    remedy_chosen = Signal(Remedy)
    details_wanted = Signal()

    def __init__(self, *, offer_details: bool) -> None:
        super().__init__(_TITLE, _EXPLANATION)
        self.recipient: Final = TextField(Field.RECIPIENT, "Send test email &to")
        self._send = button("Send test e&mail", "send_test", "primary", words.SEND_TIP)
        self._send.clicked.connect(self.send_wanted)
        self._cancel = button("Cancel", "cancel_test", tip=words.CANCEL_TIP)
        self._cancel.clicked.connect(self.cancel_wanted)
        self.recipient.edit.returnPressed.connect(self.send)
        self._beside = True
        self._cancel.hide()
        self._proven = False
        self._notice = Line()
        self.prompt: Final = SignInPrompt()
        self.outcome: Final = _Outcome()
        self._finding = FindingPanel(offer_details=offer_details)
        self._finding.remedy_chosen.connect(self.remedy_chosen)
        self._finding.details_wanted.connect(self.details_wanted)
        self._warnings = _Warnings()
        self._stages = StageList()
        action = column(space=Space.S)
        action.addWidget(flow(self._send, self._cancel))
        action.addWidget(self._notice)
        self.body.addWidget(self.recipient)
        self.body.addLayout(action)
        for part in (self.prompt, self.outcome, self._finding, self._warnings, self._stages):
            self.body.addWidget(part)

    def show_beside(self, *, beside: bool) -> None:
        """Accent the button only if no other one is: on a narrow page the footer's is."""
        self._beside = beside
        self._accent()

    @Slot()
    def send(self) -> None:
        """Send as by the button, if it is enabled."""
        self._send.click()

    @Slot()
    def cancel(self) -> None:
        """Cancel as by the button, if a test runs."""
        if self._cancel.isVisible():
            self._cancel.click()

    def focus_outcome(self) -> None:
        """Move the focus to the outcome line, or to the button if there is none."""
        target = self._send if self.outcome.isHidden() else self.outcome.line
        target.setFocus(Qt.FocusReason.OtherFocusReason)

    @property
    def stops(self) -> tuple[QWidget, ...]:
        """What Tab visits, in order: remedies come right after the outcome."""
        ends = (self.recipient.edit, self._send, self._cancel)
        head = (*ends, *self.prompt.stops, self.outcome.line)
        return (*head, *self._finding.stops)

    @property
    def progress(self) -> tuple[QWidget, ...]:
        """What to bring into view when a test begins, the most important last."""
        return (self._stages, self._cancel)

    @property
    def results(self) -> tuple[QWidget, ...]:
        """What to bring into view once a test ended, the most important last."""
        return (self._stages, self._finding, self.outcome)

    def render_state(self, state: IntegrationsState) -> None:
        """Show the test side of `state`."""
        testing = state.testing
        self.recipient.show_problems(
            [problem for problem in state.problems if problem.field is Field.RECIPIENT]
        )
        # First shown, then the other disabled: so the focus goes from Send to Cancel.
        self._cancel.setVisible(testing)
        enable(self._send, _RUNNING if testing else words.BUSY[state.busy])
        enable(self._cancel, words.BUSY[state.busy] if state.busy is Busy.CANCELLING else "")
        if testing:
            self._notice.show_busy(words.BUSY[state.busy])
        else:
            self._notice.show_notice(state.test_notice)
        if self.prompt.show_prompt(state.prompt):
            announce(self, self.prompt.text, urgent=True)
        self.outcome.show_outcome(state.outcome)
        self._proven = state.proven
        self._accent()
        told = "" if testing or not state.last_test else words.LAST_TEST
        self._finding.show_finding(None if testing else state.finding, told)
        self._warnings.show_warnings(state.warnings)
        self.show_stages(state)

    def show_stages(self, state: IntegrationsState) -> None:
        """Show only the stages, which change many times a second during a test."""
        last_test = state.last_test and not state.testing
        testing = state.testing and state.busy is not Busy.SIGNING_IN
        self._stages.show_stages(state.stages, testing=testing, last_test=last_test)

    def _accent(self) -> None:
        set_look(self._send, "kind", "primary" if self._beside and not self._proven else "")


class _Outcome(Panel):
    """The outcome line. Its label has no accessible name of its own: readers speak its text."""

    def __init__(self) -> None:
        super().__init__("plain")
        self.line: Final = FocusLabel()
        self.line.focused.connect(self._focused)
        self.line.setObjectName("outcome")
        self.body.addWidget(self.line)
        self.hide()

    def show_outcome(self, outcome: Outcome | None) -> None:
        """Show the line, or nothing."""
        self.line.show_text(OUTCOMES[outcome] if outcome else "")
        if outcome:
            self.set_tone(*words.OUTCOME_LOOK[outcome])
        self.setVisible(outcome is not None)

    @Slot(bool)
    def _focused(self, focused: bool) -> None:  # noqa: FBT001 - a signal's signature
        set_look(self, "ring", "on" if focused else "off")


class _Warnings(QWidget):
    """What a successful test noticed, one box each."""

    def __init__(self) -> None:
        super().__init__()
        self._layout = column(self)
        self._warnings: tuple[Finding, ...] = ()
        self.hide()

    def show_warnings(self, warnings: tuple[Finding, ...]) -> None:
        """Show exactly these."""
        if warnings == self._warnings:
            return
        self._warnings = warnings
        while (item := self._layout.takeAt(0)) is not None:
            if (widget := item.widget()) is not None:
                widget.deleteLater()
        for warning in warnings:
            self._layout.addWidget(WarningPanel(warning))
        self.setVisible(bool(warnings))
