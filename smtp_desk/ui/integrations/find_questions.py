"""The questions and whom they are asked: before, during and after the search."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtWidgets import QWidget

from smtp_desk.app.proposals.presenter import FindBusy
from smtp_desk.ui.integrations import find_words
from smtp_desk.ui.widgets.buttons import button
from smtp_desk.ui.widgets.card import column, row
from smtp_desk.ui.widgets.colours import Space
from smtp_desk.ui.widgets.icons import IconLabel
from smtp_desk.ui.widgets.label import Label

if TYPE_CHECKING:
    from smtp_desk.app.proposals.presenter import FindState
    from smtp_desk.discovery.candidates import Asked

_ICON: Final = 16


class QuestionList(QWidget):
    """One line per question, created when unfolded, which happens automatically during a search.

    Attributes:
        header: Shows or hides them; it is placed elsewhere.

    Signals:
        toggled: They were shown, or hidden.
    """

    toggled = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.header: Final = button(find_words.WHAT_IS_ASKED, "find_questions", "link")
        self.header.clicked.connect(self._clicked)
        self._about = Label(find_words.ABOUT_QUESTIONS, "small")
        self._lines: list[_QuestionLine] = []
        self._body = column(self, Space.S)
        self._body.addWidget(self._about)
        self.header.hide()
        self._busy = False
        self._state: FindState | None = None
        self._open(opened=False)

    def show_questions(self, state: FindState) -> None:
        """Show the questions of `state`."""
        self._state = state
        busy = state.busy is not FindBusy.NOTHING
        if busy != self._busy:
            self._busy = busy
            # What failed is of interest where nothing was found.
            self._open(opened=busy or (state.searched and not state.proposals))
        text = find_words.WHAT_WAS_ASKED if state.searched else find_words.WHAT_IS_ASKED
        self.header.setText(text)
        self._about.setVisible(not state.searched)
        self.header.setVisible(bool(state.questions))
        self._open(opened=bool(state.questions) and not self.isHidden())

    def _draw(self, state: FindState) -> None:
        while len(self._lines) < len(state.questions):
            line = _QuestionLine()
            self._lines.append(line)
            self._body.addWidget(line)
        for index, line in enumerate(self._lines):
            line.setVisible(index < len(state.questions))
            if index < len(state.questions):
                line.show_question(state.questions[index], searched=state.searched)

    def _open(self, *, opened: bool) -> None:
        if opened and self._state is not None:
            self._draw(self._state)
        self.setVisible(opened)
        self.header.setAccessibleDescription("Unfolded." if opened else "Folded.")

    @Slot()
    def _clicked(self) -> None:
        self._open(opened=self.isHidden())
        self.toggled.emit()


class _QuestionLine(QWidget):
    """Whom, and what came of it."""

    def __init__(self) -> None:
        super().__init__()
        self._icon = IconLabel(size=_ICON)
        self._target = Label(rank="small")
        self._target.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._result = Label()
        texts = column(space=0)
        texts.addWidget(self._result)
        texts.addWidget(self._target)
        layout = row(self)
        layout.addWidget(self._icon, alignment=Qt.AlignmentFlag.AlignTop)
        layout.addLayout(texts, 1)

    def show_question(self, asked: Asked, *, searched: bool) -> None:
        """Show a question, with what came of it once it was asked."""
        self._icon.show_icon(*find_words.look(asked, searched=searched))
        self._result.show_text(find_words.question(asked, searched=searched))
        self._target.show_text(asked.target)
