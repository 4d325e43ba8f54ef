"""What a report comes to: the verdict, who can fix it, what to do, the server's words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtWidgets import QWidget

from smtp_desk.app.diagnostics.report_text import head_rows
from smtp_desk.core.findings.finding import TRUST_CA, Finding, Remedy
from smtp_desk.ui.diagnostics import words
from smtp_desk.ui.diagnostics.fact_table import FactTable
from smtp_desk.ui.integrations.finding_panel import (
    RemedyButton,
    ServerWords,
    WarningPanel,
    who_can_fix,
)
from smtp_desk.ui.integrations.words import cut, server_words
from smtp_desk.ui.widgets.buttons import button
from smtp_desk.ui.widgets.card import Card, Columns, Panel, column, row
from smtp_desk.ui.widgets.colours import Space
from smtp_desk.ui.widgets.icons import set_look
from smtp_desk.ui.widgets.label import FocusLabel, Label
from smtp_desk.ui.widgets.step import step

if TYPE_CHECKING:
    from PySide6.QtWidgets import QLayout

    from smtp_desk.app.diagnostics.presenter import DiagnosisState
    from smtp_desk.core.report import CheckReport

_FOLDED: Final = 2
"""Lines of the server's reply that are seen at first."""
_STACKED_BELOW: Final = 660
_PLACE: Final = frozenset({"Server", "Time"})
"""Facts of the head that say where and when; the others say who."""
_CHANGES: Final = "Changes the form on Integrations. Then send another test email."
_MOST_WARNINGS: Final = 10
_MOST_REMEDIES: Final = 20


class VerdictCard(Card):
    """The first card of the page.

    Attributes:
        line: The verdict.
        gist_end: The last part that shall be seen together with it.

    Signals:
        remedy_chosen: Make the changes of this remedy in the form.
    """

    remedy_chosen = Signal(Remedy)

    def __init__(self, state: DiagnosisState, report: CheckReport) -> None:
        super().__init__()
        self.setAccessibleName("Verdict")
        self._own = state.own
        self._applies = state.applies
        self._host_in_form = report.settings.get("host") == state.form_host
        self.body.addLayout(_head(state, report))
        self.line: Final = FocusLabel(cut(words.verdict(report)), "heading")
        self.line.setObjectName("verdict")
        self.gist_end: QWidget = self.line
        self._panel = Panel(words.tone(report))
        self._panel.body.addWidget(self.line)
        self.line.focused.connect(self._focused)
        self.body.addWidget(self._panel)
        if explanation := words.explanation(report):
            self.body.addWidget(Label(cut(explanation)))
        if report.finding is not None and not report.cancelled:
            self._add_finding(report.finding)
        for warning in report.warnings[:_MOST_WARNINGS]:
            self.body.addWidget(WarningPanel(warning, links=self._own))
        self.body.addWidget(self._reference(report))

    @Slot(bool)
    def _focused(self, focused: bool) -> None:  # noqa: FBT001 - a signal's signature
        set_look(self._panel, "ring", "on" if focused else "off")

    def _add_finding(self, finding: Finding) -> None:
        self.body.addLayout(who_can_fix(words.who(finding.who, own=self._own)))
        if said := server_words(finding):
            self.body.addLayout(_reply(cut(said)))
        if finding.remedies:
            remedies = [self._remedy(each) for each in finding.remedies[:_MOST_REMEDIES]]
            self.gist_end = remedies[0]
            layout = column()
            layout.addWidget(Label("What to do", "small"))
            for each in remedies:
                layout.addWidget(each)
            self.body.addLayout(layout)

    def _remedy(self, remedy: Remedy) -> QWidget:
        if self._offers(remedy):
            change = RemedyButton(remedy, _CHANGES)
            change.chosen.connect(self.remedy_chosen)
            return change
        advice = QWidget()
        advice.setLayout(step(cut(remedy.text), links=self._own, link=remedy.link))
        return advice

    def _offers(self, remedy: Remedy) -> bool:
        """Whether it is a button: a stranger's remedies are advice, they never reach the form."""
        return remedy.doable and self._applies and (remedy.id != TRUST_CA or self._host_in_form)

    def _reference(self, report: CheckReport) -> QWidget:
        told = []
        if report.finding is not None:
            told.append(f"Shown on Integrations as: {report.message}")
            told.append(f"Code: {cut(report.finding.code, 80)}")
        if report.id:
            told.append(f"Report: {cut(report.id, 80)}")
        reference = Label("\n".join(told), "small")
        reference.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        return reference


def _head(state: DiagnosisState, report: CheckReport) -> QLayout:
    """Tell where the report comes from, and whose it is."""
    rows = [(label, cut(text, 255)) for label, text in head_rows(report)]
    people = [each for each in rows if each[0] not in _PLACE]
    place = [each for each in rows if each[0] in _PLACE]
    head = column(space=Space.S)
    head.addWidget(Label(cut(state.source), "small"))
    tables = [(FactTable(each, rank="short-fact"), 1) for each in (people, place) if each]
    head.addWidget(Columns(_STACKED_BELOW, *tables, space=Space.XS))
    return head


def _reply(said: str) -> QLayout:
    """Tell what the server said, in two lines at first: what to do stands below it."""
    reply = ServerWords(said, folded=_FOLDED)
    unfold = button("Show all", "unfold_reply", "link")
    unfold.setAccessibleDescription("Shows the whole reply of the server")
    unfold.clicked.connect(reply.unfold)
    reply.folds.connect(unfold.setVisible)
    head = row()
    head.addWidget(Label("Server’s reply", "small"))
    head.addWidget(unfold)
    layout = column(space=Space.XS)
    layout.addLayout(head)
    layout.addWidget(reply)
    return layout
