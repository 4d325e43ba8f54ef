"""What the DNS says about the From domain."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from PySide6.QtCore import Qt, Signal, Slot

from smtp_desk.core.arrived import Belief
from smtp_desk.ui.diagnostics.fact_table import FactTable, facts_in_words
from smtp_desk.ui.integrations.finding_panel import WarningPanel
from smtp_desk.ui.widgets.buttons import button
from smtp_desk.ui.widgets.card import Card, Panel
from smtp_desk.ui.widgets.field import TextField
from smtp_desk.ui.widgets.icons import set_look
from smtp_desk.ui.widgets.label import Label, breakable, enable

if TYPE_CHECKING:
    from PySide6.QtGui import QFocusEvent
    from PySide6.QtWidgets import QWidget

    from smtp_desk.app.proving.domain import DomainCheck

_QUESTION: Final = "Will receivers trust email from your domain?"
_ASKED: Final = "Checks the From email’s domain in DNS. No password is needed."
_SELECTOR: Final = (
    "Optional: also checks the DKIM key for this selector. Your mail provider can tell you "
    "the selector. In a received email, it’s the s= value of the DKIM-Signature header, and "
    "you can paste that whole header here."
)
_EXPLANATION: Final = (
    "Receivers check these DNS records to decide whether an email really comes from this "
    "domain. Problems here don’t stop SMTP Desk from sending."
)
_TOLD_ABOVE: Final = frozenset({"belief", "belief_reason", "from_domain", "not_checked"})
_TONES: Final = {Belief.BELIEVED: "success", Belief.UNKNOWN: "plain"}


class DomainForm(Card):
    """Check From domain: asks the DNS.

    Attributes:
        button: Check From domain.

    Signals:
        asked: Check it; the DKIM selectors that were typed.
    """

    asked = Signal(str)

    def __init__(self) -> None:
        super().__init__(_QUESTION, _ASKED)
        self._selector = TextField("dkim_selector", "DKIM selector", hint=_SELECTOR)
        self.button: Final = button("Check From &domain", "check_domain", tip=_ASKED)
        self._selector.controls.addWidget(self.button)
        self.body.addWidget(self._selector)
        self._selector.edit.returnPressed.connect(self.button.click)
        self.button.clicked.connect(self._clicked)

    @property
    def stops(self) -> tuple[QWidget, ...]:
        """What Tab visits, in order."""
        return (self._selector.edit, self.button)

    def show_reason(self, reason: str) -> None:
        """Show why it can't be checked now; "" if it can."""
        enable(self.button, reason)
        enable(self._selector.edit, reason)

    @Slot()
    def _clicked(self) -> None:
        self.asked.emit(self._selector.edit.text())


class _Summary(Panel):
    """What it comes to; takes the focus so that screen readers speak it."""

    def __init__(self, check: DomainCheck) -> None:
        super().__init__(_TONES.get(check.belief, "warning"))
        self.setObjectName("domain_summary")
        self.setAccessibleName(check.summary)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.body.addWidget(Label(breakable(check.summary), "strong"))
        for told in check.not_checked:
            self.body.addWidget(Label(breakable(f"Not checked: {told}.")))

    def focusInEvent(self, event: QFocusEvent) -> None:
        """Show it."""
        super().focusInEvent(event)
        set_look(self, "ring", "on")

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """Show it."""
        super().focusOutEvent(event)
        set_look(self, "ring", "off")


class DomainCard(Card):
    """The answers of the DNS, and what isn't as it should be.

    Attributes:
        summary: Takes the focus.
    """

    def __init__(self, check: DomainCheck) -> None:
        super().__init__(f"From domain: {check.domain}", _EXPLANATION)
        self.setObjectName("from_domain_card")
        self.summary: Final = _Summary(check)
        self.body.addWidget(self.summary)
        for warning in check.warnings:
            self.body.addWidget(WarningPanel(warning))
        if rows := list(facts_in_words(check.facts, without=_TOLD_ABOVE)):
            self.body.addWidget(FactTable(rows))
