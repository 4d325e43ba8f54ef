"""Back to what worked, and the log of changes; folded until opened."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QGridLayout, QWidget

from smtp_desk.ui.widgets.buttons import button
from smtp_desk.ui.widgets.card import column
from smtp_desk.ui.widgets.colours import Space
from smtp_desk.ui.widgets.fold import Fold
from smtp_desk.ui.widgets.label import Label, enable
from smtp_desk.ui.widgets.line import Line

if TYPE_CHECKING:
    from smtp_desk.app.integrations.earlier import EarlierState

_DETAIL: Final = "Go back to settings that worked, and see what was changed when"
_NONE: Final = "No other settings have worked before these."


class EarlierFold(Fold):
    """What was saved before; shown only once something was.

    Signals:
        take_wanted: Fill in the settings that last worked.
    """

    take_wanted = Signal()

    def __init__(self) -> None:
        super().__init__("Earlier settings", _DETAIL, "earlier")
        self._previous = Label()
        self._previous.setObjectName("previous_settings")
        self._take = button("Use these settings again", "take_previous")
        self._take.clicked.connect(self.take_wanted)
        self._line = Line()
        self._line.label.setObjectName("earlier_line")
        self._changes: QWidget | None = None
        self._shown: tuple[tuple[str, str], ...] = ()
        before = column(space=Space.XS)
        before.addWidget(Label("The settings that worked before", "label"))
        before.addWidget(self._previous)
        self.body.addLayout(before)
        self.body.addWidget(self._take, alignment=Qt.AlignmentFlag.AlignLeading)
        self.body.addWidget(self._line)
        self._log = column(space=Space.XS)
        self._log.addWidget(Label("Changes, newest first", "label"))
        self.body.addLayout(self._log)
        self.hide()

    def render_state(self, state: EarlierState) -> None:
        """Show it."""
        self.setVisible(bool(state.previous or state.changes))
        self._previous.show_text(state.previous or _NONE)
        enable(self._take, "" if state.previous else _NONE)
        self._line.show_notice(state.notice)
        if state.changes != self._shown:
            self._shown = state.changes
            self._show_changes()

    def _show_changes(self) -> None:
        if self._changes is not None:
            self._log.removeWidget(self._changes)
            self._changes.hide()
            self._changes.deleteLater()
        self._changes = QWidget()
        lines = QGridLayout(self._changes)
        lines.setContentsMargins(0, 0, 0, 0)
        lines.setHorizontalSpacing(Space.M)
        lines.setVerticalSpacing(Space.XS)
        lines.setColumnStretch(1, 1)
        for number, (when, what) in enumerate(self._shown):
            moment, line = Label(when, "small"), Label(what, "small")
            moment.setWordWrap(False)
            line.setAccessibleName(f"{when}: {what}")
            line.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
            lines.addWidget(moment, number, 0, Qt.AlignmentFlag.AlignTop)
            lines.addWidget(line, number, 1)
        self._log.addWidget(self._changes)
