"""Save, Discard changes and Remove configuration, always in view."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtWidgets import QFrame, QMessageBox, QPushButton

from smtp_desk.app.integrations.state import Busy
from smtp_desk.ui.widgets.card import Columns, column
from smtp_desk.ui.widgets.colours import READABLE_WIDTH, Space
from smtp_desk.ui.widgets.flow import flow
from smtp_desk.ui.widgets.icons import set_look
from smtp_desk.ui.widgets.label import enable
from smtp_desk.ui.widgets.line import Line
from smtp_desk.ui.widgets.page import centred

if TYPE_CHECKING:
    from smtp_desk.app.integrations.state import IntegrationsState
    from smtp_desk.ui.integrations.words import PageWords

_STACKED_BELOW: Final = 560
_LONG: Final = 100
_MIDDLE: Final = Qt.AlignmentFlag.AlignVCenter
_BUSY: Final = frozenset({Busy.SAVING, Busy.REMOVING})


class ActionBar(QFrame):
    """The bar below the page.

    Signals:
        save_wanted: Save.
        discard_wanted: Discard changes.
        remove_wanted: Remove configuration, confirmed by the person.
    """

    save_wanted = Signal()
    discard_wanted = Signal()
    remove_wanted = Signal()

    def __init__(self, said: PageWords) -> None:
        super().__init__()
        self._said = said
        self._line = Line()
        self._line.label.setObjectName("save_hint")
        self._remove = _button("&Remove configuration", "remove", "destructive")
        self._discard = _button("Discard chan&ges", "discard")
        self._save = _button("&Save", "save", "primary")
        self._remove.clicked.connect(self._confirm_removal)
        self._discard.clicked.connect(self.discard_wanted)
        self._save.clicked.connect(self.save_wanted)
        buttons = flow(self._remove, self._discard, self._save, at_end=True)
        self._columns = Columns(_STACKED_BELOW, (self._line, 1), (buttons, 0), align=_MIDDLE)
        self._columns.setMaximumWidth(READABLE_WIDTH)
        outer = column(self)
        outer.setContentsMargins(Space.XL, Space.M, Space.XL, Space.M)
        outer.addWidget(centred(self._columns))

    @Slot()
    def save(self) -> None:
        """Save as by the button, if it is enabled."""
        self._save.click()

    def render_state(self, state: IntegrationsState) -> None:
        """Show which actions are possible, and why others are not."""
        busy = str(state.busy) if state.busy in _BUSY else ""
        enable(self._save, "" if state.may_save else busy or state.save_hint)
        enable(self._discard, state.discard_reason)
        enable(self._remove, busy or state.remove_reason)
        if busy:
            self._line.show_busy(busy)
        elif state.save_notice is not None:
            self._line.show_notice(state.save_notice)
        else:
            self._line.show_line(state.save_hint, "muted")
        self._columns.stack(stacked=len(self._line.label.text()) > _LONG)

    @Slot()
    def _confirm_removal(self) -> None:
        box = QMessageBox(self)
        box.setObjectName("confirm_remove")
        box.setIcon(QMessageBox.Icon.Warning)
        box.setWindowTitle("Remove configuration")
        box.setText(self._said.question)
        box.setInformativeText(self._said.consequence)
        keep = box.addButton("Keep", QMessageBox.ButtonRole.RejectRole)
        remove = box.addButton("Remove configuration", QMessageBox.ButtonRole.DestructiveRole)
        remove.setObjectName("confirmed_remove")
        set_look(remove, "kind", "destructive")
        remove.clicked.connect(self.remove_wanted)
        box.setDefaultButton(keep)
        box.setEscapeButton(keep)
        box.finished.connect(box.deleteLater)
        box.open()


def _button(text: str, name: str, kind: str = "") -> QPushButton:
    button = QPushButton(text)
    button.setObjectName(name)
    button.setProperty("kind", kind)
    return button
