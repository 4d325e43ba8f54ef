"""Back to what worked, and the log of changes; folded until wanted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QWidget

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
    """What was saved before; there only once something was.

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
        self._changes = QWidget()
        column(self._changes, Space.XS)
        self._shown: tuple[tuple[str, str], ...] = ()
        self.body.addWidget(Label("The settings that worked before", "label"))
        self.body.addWidget(self._previous)
        self.body.addWidget(self._take, alignment=Qt.AlignmentFlag.AlignLeading)
        self.body.addWidget(self._line)
        self.body.addWidget(Label("Changes, newest first", "label"))
        self.body.addWidget(self._changes)
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
        layout = self._changes.layout()
        if layout is None:
            return
        while (item := layout.takeAt(0)) is not None:
            if (widget := item.widget()) is not None:
                widget.deleteLater()
        for when, what in self._shown:
            line = Label(f"{when}  {what}", "small")
            line.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
            layout.addWidget(line)
