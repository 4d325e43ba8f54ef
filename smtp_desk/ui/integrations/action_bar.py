"""Save, Discard changes and Remove configuration, always in view."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from PySide6.QtCore import Qt, Signal, Slot

from smtp_desk.app.page_presenter import Busy
from smtp_desk.core.texts import SAVE_HINTS
from smtp_desk.ui.integrations import words
from smtp_desk.ui.widgets.bar import Bar
from smtp_desk.ui.widgets.buttons import Question, button
from smtp_desk.ui.widgets.card import Columns
from smtp_desk.ui.widgets.flow import flow
from smtp_desk.ui.widgets.label import enable

if TYPE_CHECKING:
    from smtp_desk.app.integrations.state import IntegrationsState

_STACKED_BELOW: Final = 560
_LONG: Final = 100
_MIDDLE: Final = Qt.AlignmentFlag.AlignVCenter
_BUSY: Final = frozenset({Busy.SAVING, Busy.REMOVING})


class ActionBar(Bar):
    """The bar below the page.

    Signals:
        save_wanted: Save.
        discard_wanted: Discard changes.
        remove_wanted: Remove configuration, confirmed by the person.
    """

    save_wanted = Signal()
    discard_wanted = Signal()
    remove_wanted = Signal()

    def __init__(self, said: words.PageWords) -> None:
        super().__init__("save_hint")
        self._said = said
        self._remove = button("&Remove configuration", "remove", "destructive")
        self._discard = button("Discard chan&ges", "discard")
        self._save = button("&Save", "save", "primary")
        self._remove.clicked.connect(self._confirm_removal)
        self._discard.clicked.connect(self.discard_wanted)
        self._save.clicked.connect(self.save_wanted)
        buttons = flow(self._remove, self._discard, self._save, at_end=True)
        self._columns = Columns(_STACKED_BELOW, (self.line, 1), (buttons, 0), align=_MIDDLE)
        self.fill(self._columns)

    @Slot()
    def save(self) -> None:
        """Save as by the button, if it is enabled."""
        self._save.click()

    def render_state(self, state: IntegrationsState) -> None:
        """Show which actions are possible, and why others are not."""
        busy = words.BUSY[state.busy] if state.busy in _BUSY else ""
        enable(self._save, "" if state.may_save else busy or SAVE_HINTS[state.save_hint])
        enable(self._discard, words.discard_reason(state))
        enable(self._remove, busy or words.remove_reason(state))
        if busy:
            self.line.show_busy(busy)
        elif state.notice is not None:
            self.line.show_notice(state.notice)
        else:
            self.line.show_line(SAVE_HINTS[state.save_hint], "muted")
        self._columns.stack(stacked=len(self.line.label.text()) > _LONG)

    @Slot()
    def _confirm_removal(self) -> None:
        title, said = "Remove configuration", self._said
        box = Question(self, "confirm_remove", title, said.question, said.consequence)
        box.keep()
        remove = box.offer(title, "confirmed_remove", "destructive")
        remove.clicked.connect(self.remove_wanted)
        box.open()
