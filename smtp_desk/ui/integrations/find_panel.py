"""Find settings: the button beside From email, the questions asked, and what was found."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtWidgets import QWidget

from smtp_desk.app.proposals.presenter import FindBusy, FindState, Proposal
from smtp_desk.core.findings.providers import SignIn
from smtp_desk.core.problems import Field
from smtp_desk.ui.integrations import find_words
from smtp_desk.ui.integrations.find_proposal import ProposalPanel
from smtp_desk.ui.integrations.find_questions import QuestionList
from smtp_desk.ui.widgets.announce import announce
from smtp_desk.ui.widgets.buttons import button
from smtp_desk.ui.widgets.card import column
from smtp_desk.ui.widgets.colours import Space
from smtp_desk.ui.widgets.flow import flow
from smtp_desk.ui.widgets.label import Label, enable
from smtp_desk.ui.widgets.line import Line

if TYPE_CHECKING:
    from collections.abc import Callable

    from PySide6.QtWidgets import QPushButton

    from smtp_desk.app.proposals.presenter import FindPresenter


class FindPanel(QWidget):
    """Shows what it is told and reports what the person does; decides nothing.

    Attributes:
        button: Find settings; shown beside From email.
        questions: The questions and whom they are asked; their header is below From email.

    Signals:
        rearranged: Buttons came or went, so the tab order changed.
        next_wanted: Move to what has to be filled in next.
        focused: This has the focus now, and should be visible.
    """

    rearranged = Signal()
    next_wanted = Signal(Field)
    focused = Signal(QWidget)

    def __init__(self) -> None:
        super().__init__()
        self._state = FindState()
        self._actions: FindPresenter | None = None
        self._focus_address: Callable[[], object] = self.setFocus
        self._panels: tuple[ProposalPanel, ...] = ()
        self.button: Final = button(find_words.FIND, "find_settings", tip=find_words.FIND_TIP)
        self._cancel = button("Cancel", "cancel_find", tip=find_words.CANCEL_TIP)
        self._undo = button(find_words.UNDO, "undo_find")
        self._ispdb = button(find_words.ASK_ISPDB, "ask_ispdb")
        self._ispdb.setAccessibleDescription(find_words.ISPDB)
        self._about_ispdb = Label(find_words.ISPDB, "small")
        self._line = Line()
        self._line.label.setObjectName("find_result")
        self.questions: Final = QuestionList()
        self.questions.toggled.connect(self._fit)
        self._found = column(space=Space.M)
        layout = column(self, Space.M)
        layout.addWidget(self._line)
        layout.addWidget(flow(self._cancel, self._undo))
        layout.addLayout(self._found)
        layout.addWidget(self._about_ispdb)
        layout.addWidget(self._ispdb, alignment=Qt.AlignmentFlag.AlignLeading)
        layout.addWidget(self.questions)
        self.button.clicked.connect(self._find)
        self._cancel.clicked.connect(self._cancelled)
        self._undo.clicked.connect(self._undone)
        self._ispdb.clicked.connect(self._find_with_ispdb)
        for part in (self._cancel, self._undo, self._ispdb, self._about_ispdb):
            part.hide()
        self.hide()

    def attach(self, actions: FindPresenter, focus_address: Callable[[], object]) -> None:
        """Report to `actions` from now on; `focus_address` moves the focus to From email."""
        self._actions, self._focus_address = actions, focus_address
        actions.form_changed()

    def focus_address(self) -> None:
        """Move the focus to From email, which isn't a valid address."""
        self._focus_address()

    @property
    def stops(self) -> tuple[QWidget, ...]:
        """What Tab visits after the button, in order."""
        found = [stop for panel in self._panels for stop in panel.stops]
        return (self.questions.header, self._cancel, self._undo, *found, self._ispdb)

    def render_state(self, state: FindState) -> None:
        """Show it; the same state twice changes nothing."""
        before, self._state = self._state, state
        if state == before:
            return
        busy = state.busy is not FindBusy.NOTHING
        ends = not busy and before.busy is not FindBusy.NOTHING
        waited = self._cancel.hasFocus() or self.button.hasFocus()
        self._show_proposals(state.proposals)
        self.questions.show_questions(state)
        self._fit()
        self._cancel.setVisible(busy)
        if busy and self.button.hasFocus():
            self._cancel.setFocus(Qt.FocusReason.OtherFocusReason)
        enable(self.button, state.busy)
        if not busy:
            self.button.setAccessibleDescription(state.reason)
        enable(self._cancel, state.busy if state.busy is FindBusy.CANCELLING else "")
        self._undo.setVisible(state.may_undo and not busy)
        self._ispdb.setVisible(state.may_ask_ispdb)
        self._about_ispdb.setVisible(state.may_ask_ispdb)
        said = find_words.found(state.proposals) if state.searched and not busy else ""
        if busy:
            self._line.show_busy(state.busy)
        elif state.notice is not None:
            self._line.show_notice(state.notice)
        else:
            self._line.show_line(said, "muted")
        if ends:
            announce(self, state.notice.text if state.notice else said, urgent=True)
            if waited:
                self._focus_what_was_found()
        elif state.notice is not None and state.notice != before.notice:
            announce(self, state.notice.text, urgent=state.notice.error)

    @Slot()
    def _fit(self) -> None:
        """Take no room where there is nothing to show."""
        state = self._state
        told = state.searched or state.may_undo or state.notice is not None
        self.setVisible(told or not self.questions.isHidden())

    def _show_proposals(self, proposals: tuple[Proposal, ...]) -> None:
        if proposals == tuple(panel.proposal for panel in self._panels):
            return
        for panel in self._panels:
            self._found.removeWidget(panel)
            panel.hide()
            panel.deleteLater()
        self._panels = tuple(ProposalPanel(each) for each in proposals)
        for panel in self._panels:
            panel.accepted.connect(self._accepted)
            panel.accepted_by_oauth.connect(self._accepted_by_oauth)
            panel.accepted_instead.connect(self._accepted_instead)
            self._found.addWidget(panel)
        self.rearranged.emit()

    def _focus_what_was_found(self) -> None:
        stops: list[QPushButton] = [stop for panel in self._panels for stop in panel.stops]
        target = next(iter(stops), self.button if self._ispdb.isHidden() else self._ispdb)
        target.setFocus(Qt.FocusReason.OtherFocusReason)
        self.focused.emit(target)

    @Slot()
    def _find(self) -> None:
        if self._actions is not None:
            self._actions.find()

    @Slot()
    def _find_with_ispdb(self) -> None:
        self.button.setFocus(Qt.FocusReason.OtherFocusReason)
        if self._actions is not None:
            self._actions.find(ispdb=True)

    @Slot()
    def _cancelled(self) -> None:
        if self._actions is not None:
            self._actions.cancel()

    @Slot()
    def _undone(self) -> None:
        self.button.setFocus(Qt.FocusReason.OtherFocusReason)
        if self._actions is not None:
            self._actions.undo()

    @Slot(Proposal)
    def _accepted(self, proposal: Proposal) -> None:
        if self._actions is not None:
            self._actions.accept(proposal)
            self._go_on(proposal)

    @Slot(Proposal)
    def _accepted_instead(self, proposal: Proposal) -> None:
        if self._actions is not None:
            self._actions.accept(proposal, instead=True)
            self._go_on(proposal)

    @Slot(Proposal)
    def _accepted_by_oauth(self, proposal: Proposal) -> None:
        if self._actions is not None:
            self._actions.accept(proposal, by_oauth=True)
            self.next_wanted.emit(Field.CLIENT_ID)

    def _go_on(self, proposal: Proposal) -> None:
        ways = proposal.candidate.sign_in
        if ways == (SignIn.OAUTH,):
            self.next_wanted.emit(Field.OAUTH_PROVIDER)
        else:
            self.next_wanted.emit(Field.PASSWORD if ways else Field.RECIPIENT)
