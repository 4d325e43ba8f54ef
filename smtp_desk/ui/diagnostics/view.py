"""The Diagnostics page: what its presenter sees of it."""

from __future__ import annotations

from dataclasses import replace
from itertools import chain, pairwise
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QObject, Qt, Signal, Slot
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QWidget

from smtp_desk.app.diagnostics.presenter import DiagnosisState
from smtp_desk.app.page_presenter import Busy
from smtp_desk.ui.diagnostics import words
from smtp_desk.ui.diagnostics.action_bar import ActionBar
from smtp_desk.ui.diagnostics.comparison_card import ComparisonCard
from smtp_desk.ui.diagnostics.domain_card import DomainCard, DomainForm
from smtp_desk.ui.diagnostics.evidence import evidence
from smtp_desk.ui.diagnostics.report_buttons import ReportButtons
from smtp_desk.ui.diagnostics.report_files import ReportFiles
from smtp_desk.ui.diagnostics.time_line import TimeLine
from smtp_desk.ui.diagnostics.verdict_card import VerdictCard
from smtp_desk.ui.diagnostics.welcome import Missing, Welcome
from smtp_desk.ui.integrations.stage_list import StageList
from smtp_desk.ui.widgets.card import Card, column
from smtp_desk.ui.widgets.colours import Space
from smtp_desk.ui.widgets.page import Page
from smtp_desk.ui.widgets.slices import Slices, once_a_frame, styling

if TYPE_CHECKING:
    from collections.abc import Iterator

    from PySide6.QtWidgets import QLayout

    from smtp_desk.app.diagnostics.presenter import DiagnosisPresenter
    from smtp_desk.app.proving.domain import DomainCheck
    from smtp_desk.core.findings.finding import Remedy
    from smtp_desk.core.problems import Problem
    from smtp_desk.core.report import CheckReport

_EXPLANATION: Final = "The latest test, or a report someone sent you, explained."


class DiagnosticsView(QObject):
    """Shows what it is told and reports what the person does; decides nothing.

    Attributes:
        page: The widget. What it shows is made when it is seen.

    Signals:
        integrations_wanted: Show the page with the form.
    """

    integrations_wanted = Signal()

    def __init__(self, *, parent: QWidget | None = None) -> None:
        super().__init__()
        self._buttons = ReportButtons()
        self.page: Final = Page(
            "diagnostics",
            "Diagnostics",
            _EXPLANATION,
            opening=self._buttons.opening,
            parent=parent,
        )
        self._actions: DiagnosisPresenter | None = None
        self._files: ReportFiles | None = None
        self._state = DiagnosisState()
        self._shown: DiagnosisState | None = None
        self._content: QWidget | None = None
        self._verdict: VerdictCard | None = None
        self._comparison: ComparisonCard | None = None
        self._domain: DomainCard | None = None
        self._wants_focus = False
        self._slices = Slices(self.page)
        self._ask_for_stages = once_a_frame(self.page, self._draw_stages)
        self._question = DomainForm()
        self._bar = ActionBar(self._question)
        self._missing: Missing | None = None
        self._running = Card("Running")
        self._stages = StageList()
        self._stages.setObjectName("running_stages")
        self._running.body.addWidget(self._stages)
        self._running.hide()
        self._layout = column(space=Space.L)
        self._layout.addWidget(self._running)
        self._below = column(space=Space.L)
        self._below.addWidget(self._question)
        self.page.body.addWidget(self._buttons)
        self.page.body.addLayout(self._layout)
        self.page.body.addLayout(self._below)
        self.page.body.addStretch(1)
        self.page.set_action_bar(self._bar)
        self.page.seen.connect(self._seen)
        self._show_reasons()

    def attach(self, actions: DiagnosisPresenter) -> None:
        """Report to `actions` from now on."""
        bar = self._bar
        self._actions = actions
        self._files = ReportFiles(self.page, actions)
        bar.run_wanted.connect(self._run)
        bar.cancel_wanted.connect(actions.cancel)
        self._question.asked.connect(actions.check_domain)
        buttons = self._buttons
        buttons.message_wanted.connect(actions.copy)
        buttons.copy_wanted.connect(actions.copy)
        buttons.open_wanted.connect(self._files.ask_what_to_open)
        buttons.compare_wanted.connect(self._files.ask_what_to_compare)
        buttons.save_wanted.connect(self._ask_where_to_save)
        buttons.html_wanted.connect(self._ask_where_to_save_html)
        buttons.hiding_wanted.connect(self._hide_addresses)

    def render(self, state: DiagnosisState) -> None:
        """Show this, now or as soon as the page is seen."""
        self._state = state
        if self.page.isVisible():
            self._draw()

    def focus_verdict(self) -> None:
        """Move the focus to the verdict and bring it into view, now or when it is seen."""
        self._wants_focus = True
        if self.page.isVisible():
            self._focus()

    def focus_domain(self) -> None:
        """Move the focus to what the DNS said, if it is seen, and bring it into view."""
        if self._domain is not None and self.page.isVisible():
            self._domain.summary.setFocus(Qt.FocusReason.OtherFocusReason)
            self.page.bring_into_view(self._domain, self._domain.summary)

    def copy_text(self, text: str) -> None:
        """Put a text on the clipboard."""
        QGuiApplication.clipboard().setText(text)

    def open_integrations(self) -> None:
        """Show the page with the form."""
        self.integrations_wanted.emit()

    @Slot()
    def _seen(self) -> None:
        """Draw what was not drawn while nobody saw it."""
        self._draw()
        self._focus()

    def _draw(self) -> None:
        state, shown = self._state, self._shown
        if state == shown:
            return
        self._shown = state
        if shown is not None and replace(shown, stages=state.stages) == state and shown.stages:
            self._ask_for_stages()
            return
        self._show_reasons()
        if shown is None or _of_report(shown) != _of_report(state):
            self._show_report(state)
        if shown is None or shown.domain is not state.domain:
            self._show_domain(state.domain)
        if shown is None or shown.problems != state.problems:
            self._show_missing(state.problems)
        # Asking the DNS has no stages; the report stays in view meanwhile.
        tests = (Busy.TESTING, Busy.CHECKING)
        at_work = state.busy in tests or (state.running and bool(state.stages))
        self._running.setVisible(at_work)
        self._draw_stages()
        if self._content is not None:
            self._content.setVisible(not at_work)
        if self._domain is not None:
            self._domain.setVisible(not state.running)

    def _show_reasons(self) -> None:
        """Show what can be done now, and why other things can't."""
        self._bar.render_state(self._state)
        busy = words.BUSY[self._state.busy]
        self._buttons.show_reasons(
            busy, has_report=self._state.report is not None, hiding=self._state.hiding
        )

    @Slot()
    def _draw_stages(self) -> None:
        # Only a test email goes through all stages; a check shows those that began.
        testing = self._state.busy is Busy.TESTING
        self._stages.show_stages(self._state.stages, testing=testing)

    def _focus(self) -> None:
        if self._comparison is not None:
            seen: tuple[QWidget, ...] = (self._comparison.title,)
        elif self._verdict is not None:
            seen = (self._verdict.gist_end, self._verdict.line)
        else:
            return
        if self._wants_focus:
            self._wants_focus = False
            self.page.bring_into_view(*seen, below=True)
            seen[-1].setFocus(Qt.FocusReason.OtherFocusReason)

    def _show_report(self, state: DiagnosisState) -> None:
        if self._content is not None:
            self._layout.removeWidget(self._content)
            self._content.hide()
            self._content.deleteLater()
        self._slices.stop()
        self._verdict = self._comparison = None
        self._content = QWidget()
        layout = column(self._content, Space.L)
        if state.report is None:
            welcome = Welcome()
            welcome.form_wanted.connect(self.integrations_wanted)
            welcome.open_wanted.connect(self.ask_what_to_open)
            layout.addWidget(welcome)
        elif state.shown is not None:
            if state.comparison is not None:
                self._comparison = ComparisonCard(state, state.comparison)
                self._comparison.end.clicked.connect(self._end_comparison)
                layout.addWidget(self._comparison)
            self._verdict = VerdictCard(state, state.shown)
            self._verdict.remedy_chosen.connect(self._apply)
            layout.addWidget(self._verdict)
            self._slices.run(self._add_rest(layout, state.shown))
        self._layout.addWidget(self._content)
        self.page.fit_columns()
        self._order_tabs()

    def _add_rest(self, layout: QLayout, report: CheckReport) -> Iterator[None]:
        """Add what stands below the verdict, a card at a time."""
        yield
        for card in chain((TimeLine(report),), evidence(report)):
            card.hide()
            layout.addWidget(card)
            yield
            yield from styling(card)
            card.show()
            yield
        self._order_tabs()

    def _order_tabs(self) -> None:
        """Let Tab go through the report, which was made last, before what stands below it."""
        parts = self._content.findChildren(QWidget) if self._content is not None else ()
        read = [part for part in parts if part.focusPolicy() & Qt.FocusPolicy.TabFocus]
        stops = (*self._buttons.stops, *read, *self._question.stops, *self._bar.stops)
        for before, after in pairwise(stops):
            QWidget.setTabOrder(before, after)

    def _show_domain(self, check: DomainCheck | None) -> None:
        if self._domain is not None:
            self._below.removeWidget(self._domain)
            self._domain.hide()
            self._domain.deleteLater()
            self._domain = None
        if check is not None:
            self._domain = DomainCard(check)
            self._below.addWidget(self._domain)
            self._domain.show()

    def _show_missing(self, problems: tuple[Problem, ...]) -> None:
        if self._missing is not None:
            self._layout.removeWidget(self._missing)
            self._missing.hide()
            self._missing.deleteLater()
            self._missing = None
        if problems:
            self._missing = Missing(problems)
            self._missing.form_wanted.connect(self.integrations_wanted)
            self._layout.insertWidget(0, self._missing)
            self._missing.show()
            self.page.bring_into_view(self._missing)

    @Slot(bool)
    def _run(self, login: bool) -> None:  # noqa: FBT001 - a signal's signature
        if self._actions is not None:
            self._actions.run(login=login)

    @Slot(object)
    def _apply(self, remedy: Remedy) -> None:
        if self._actions is not None:
            self._actions.apply(remedy)

    @Slot()
    def run(self) -> None:
        """Run again as by the button, if it is enabled."""
        self._bar.run()

    @Slot()
    def cancel(self) -> None:
        """Cancel as by the button, if something runs."""
        self._bar.cancel()

    @Slot()
    def ask_what_to_open(self) -> None:
        """Ask for a report file and open it."""
        if self._files is not None:
            self._files.ask_what_to_open()

    @Slot()
    def _ask_where_to_save(self) -> None:
        if self._files is not None and self._state.shown is not None:
            self._files.ask_where_to_save(self._state.shown)

    @Slot()
    def _ask_where_to_save_html(self) -> None:
        if self._files is not None and self._state.shown is not None:
            self._files.ask_where_to_save_html(self._state.shown)

    @Slot(bool)
    def _hide_addresses(self, hide: bool) -> None:  # noqa: FBT001 - a signal's signature
        if self._actions is not None:
            self._actions.hide_addresses(hide=hide)

    @Slot()
    def _end_comparison(self) -> None:
        if self._actions is not None:
            self._actions.end_comparison()
            self.focus_verdict()


def _of_report(state: DiagnosisState) -> tuple[int, int, str, bool, str]:
    """Return what the cards are made of; a report is compared by identity, for it can be huge."""
    parts = id(state.shown), id(state.comparison)
    return *parts, state.source, state.applies, state.form_host
