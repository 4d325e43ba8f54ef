"""The next action, and beside it Discard changes and Remove configuration: always visible."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from PySide6.QtCore import Qt, Signal, Slot

from smtp_desk.app.page_presenter import Busy
from smtp_desk.core.texts import save_hint_text
from smtp_desk.ui.integrations import words
from smtp_desk.ui.widgets.bar import Bar
from smtp_desk.ui.widgets.buttons import Question, button
from smtp_desk.ui.widgets.card import Columns
from smtp_desk.ui.widgets.flow import flow
from smtp_desk.ui.widgets.icons import set_look
from smtp_desk.ui.widgets.label import enable

if TYPE_CHECKING:
    from PySide6.QtWidgets import QPushButton

    from smtp_desk.app.integrations.state import IntegrationsState

_STACKED_BELOW: Final = 700
_LONG: Final = 100
_WIDTH: Final = 1120
_MIDDLE: Final = Qt.AlignmentFlag.AlignVCenter
_BUSY: Final = frozenset({Busy.SAVING, Busy.REMOVING, Busy.SWITCHING})


class ActionBar(Bar):
    """The bar below the page. The next step is its one accented button.

    Signals:
        send_wanted: Send test email.
        save_wanted: Save.
        overwrite_wanted: Save over what was saved elsewhere meanwhile; the person has confirmed.
        discard_wanted: Discard changes; the person has confirmed.
        remove_wanted: Remove configuration; the person has confirmed.
        turn_on_wanted: Turn on.
    """

    send_wanted = Signal()
    save_wanted = Signal()
    overwrite_wanted = Signal()
    discard_wanted = Signal()
    remove_wanted = Signal()
    turn_on_wanted = Signal()

    def __init__(self, said: words.PageWords) -> None:
        super().__init__("save_hint", _WIDTH)
        self._said = said
        self._switchable = said is words.CUSTOM
        self._outdated = False
        self._next_focus = False
        self._remove = button("&Remove configuration", "remove", "destructive")
        self._discard = button("Discard chan&ges", "discard")
        self._send = button("Send test email", "send_test_now", "primary", words.SEND_TIP)
        self._save = button("&Save", "save", "primary", words.SAVE_TIP)
        self._turn_on = button("Turn on", "turn_on", "primary", words.SWITCH)
        self._turn_on.setAccessibleDescription(words.SWITCH)
        self._remove.clicked.connect(self._confirm_removal)
        self._discard.clicked.connect(self._confirm_discard)
        self._send.clicked.connect(self.send_wanted)
        self._save.clicked.connect(self._save_clicked)
        self._turn_on.clicked.connect(self._turn_on_clicked)
        buttons = flow(
            self._remove, self._discard, self._save, self._send, self._turn_on, at_end=True
        )
        self.line.label.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
        self._columns = Columns(_STACKED_BELOW, (self.line, 1), (buttons, 0), align=_MIDDLE)
        self.fill(self._columns)

    @Slot()
    def save(self) -> None:
        """Save as by the button, if it is enabled, and move the focus to the next step."""
        if self._save.isEnabled():
            self._save.setFocus(Qt.FocusReason.OtherFocusReason)
            self._save.click()

    @Slot()
    def discard(self) -> None:
        """Discard as by the button, if it is enabled."""
        self._discard.click()

    @property
    def stops(self) -> tuple[QPushButton, ...]:
        """What Tab visits, in order, with destructive actions last."""
        return (self._send, self._turn_on, self._save, self._discard, self._remove)

    def render_state(self, state: IntegrationsState, *, beside: bool) -> None:
        """Show which actions are possible, and why others are not.

        Args:
            state: The page's.
            beside: Whether Send test email is visible without this bar.
        """
        self._outdated = state.outdated
        busy = words.BUSY[state.busy] if state.busy in _BUSY else ""
        had_focus = self._focused()
        self._turn_on.setVisible(state.may_turn_on and self._switchable)
        self._send.setVisible(not beside and not state.proven)
        self._remove.setVisible(beside or state.status.server is not None)
        enable(self._send, words.BUSY[state.busy])
        enable(self._turn_on, busy)
        enable(self._save, "" if state.may_save else busy or save_hint_text(state.save_hint))
        enable(self._discard, words.discard_reason(state))
        enable(self._remove, busy or words.remove_reason(state))
        # One accent at a time.
        set_look(self._save, "kind", "primary" if state.may_save else "")
        if busy:
            self.line.show_busy(busy)
        elif state.notice is not None:
            self.line.show_notice(state.notice)
        elif state.outdated:
            self.line.show_line(words.OUTDATED, "warning")
        else:
            self.line.show_line(save_hint_text(state.save_hint), "muted")
        self._columns.stack(stacked=len(self.line.label.text()) > _LONG)
        self._keep_focus(had_focus, busy=bool(busy))

    def _focused(self) -> bool:
        parts = (self._save, self._turn_on, self._send, self._discard, self._remove)
        return any(part.hasFocus() for part in (*parts, self.line.label))

    def _keep_focus(self, had_focus: bool, *, busy: bool) -> None:  # noqa: FBT001 - a fact
        """Let the focus never slide from a button that ended its work to one that destroys."""
        if not had_focus or (not busy and self._focused() and not self.line.label.hasFocus()):
            return
        target: QPushButton | None = None
        if not busy:
            nexts = (self._turn_on, self._save, self._send)
            target = next((each for each in nexts if each.isVisible() and each.isEnabled()), None)
        (target or self.line.label).setFocus(Qt.FocusReason.OtherFocusReason)

    @Slot()
    def _save_clicked(self) -> None:
        if not self._outdated:
            self.save_wanted.emit()
            return
        box = Question(self, "confirm_overwrite", "Save", words.OVERWRITE, words.OVERWRITTEN)
        box.keep("&Keep editing", "keep_editing")
        replace = box.offer("Re&place", "confirmed_overwrite", "destructive")
        replace.clicked.connect(self.overwrite_wanted)
        box.open()

    @Slot()
    def _turn_on_clicked(self) -> None:
        self.turn_on_wanted.emit()

    @Slot()
    def _confirm_discard(self) -> None:
        title = "Discard changes"
        box = Question(self, "confirm_discard", title, words.DISCARD, words.DISCARDED)
        box.keep("&Keep editing", "keep_editing")
        discard = box.offer("&Discard changes", "confirmed_discard", "destructive")
        discard.clicked.connect(self.discard_wanted)
        box.open()

    @Slot()
    def _confirm_removal(self) -> None:
        title, said = "Remove configuration", self._said
        box = Question(self, "confirm_remove", title, said.question, said.consequence)
        box.keep()
        remove = box.offer(title, "confirmed_remove", "destructive")
        remove.clicked.connect(self.remove_wanted)
        box.open()
