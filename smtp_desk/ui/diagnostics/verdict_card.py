"""What a report comes to: the verdict, who can fix it, what to do, the server's words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from PySide6.QtCore import Qt, Signal, Slot

from smtp_desk.app.diagnostics.report_text import head_rows
from smtp_desk.core.findings.finding import TRUST_CA, Finding, Remedy
from smtp_desk.ui.diagnostics import words
from smtp_desk.ui.diagnostics.fact_table import FactTable
from smtp_desk.ui.integrations.finding_panel import RemedyButton, ServerWords, WarningPanel
from smtp_desk.ui.integrations.words import cut, server_words
from smtp_desk.ui.widgets.card import Card, Panel, column, row
from smtp_desk.ui.widgets.colours import Space
from smtp_desk.ui.widgets.icons import IconLabel, set_look
from smtp_desk.ui.widgets.label import FocusLabel, Label
from smtp_desk.ui.widgets.step import step

if TYPE_CHECKING:
    from PySide6.QtWidgets import QLayout, QWidget

    from smtp_desk.app.diagnostics.presenter import DiagnosisState
    from smtp_desk.core.report import CheckReport

_PERSON: Final = 18
_CHANGES: Final = "Changes the form on Integrations. Then send another test email."
_MOST_WARNINGS: Final = 10
_MOST_REMEDIES: Final = 20


class VerdictCard(Card):
    """The first card of the page.

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
        self.body.addLayout(
            _group("Who can fix this", _person(words.who(finding.who, own=self._own)))
        )
        if finding.remedies:
            self.body.addLayout(_group("What to do", self._remedies(finding)))
        if said := server_words(finding):
            reply = column()
            reply.addWidget(ServerWords(cut(said)))
            self.body.addLayout(_group("Server’s reply", reply))

    def _remedies(self, finding: Finding) -> QLayout:
        layout = column()
        for remedy in finding.remedies[:_MOST_REMEDIES]:
            if self._offers(remedy):
                button = RemedyButton(remedy, _CHANGES)
                button.chosen.connect(self.remedy_chosen)
                layout.addWidget(button)
            else:
                layout.addLayout(step(cut(remedy.text), links=self._own, link=remedy.link))
        return layout

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
    head = column(space=Space.S)
    head.addWidget(Label(cut(state.source), "small"))
    head.addWidget(FactTable((label, cut(text, 255)) for label, text in head_rows(report)))
    return head


def _group(title: str, content: QLayout) -> QLayout:
    layout = column(space=Space.XS)
    layout.addWidget(Label(title, "small"))
    layout.addLayout(content)
    return layout


def _person(text: str) -> QLayout:
    layout = row()
    mark = IconLabel(size=_PERSON)
    mark.show_icon("person", "muted")
    layout.addWidget(mark, alignment=Qt.AlignmentFlag.AlignTop)
    layout.addWidget(Label(text, "strong"), 1)
    return layout
