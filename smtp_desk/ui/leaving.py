"""Closing a window whose form was changed: nothing that was typed is lost unasked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QObject, Signal, Slot
from PySide6.QtWidgets import QMessageBox, QWidget

from smtp_desk.app.page_presenter import Busy
from smtp_desk.ui.widgets.buttons import Question

if TYPE_CHECKING:
    from smtp_desk.app.integrations.state import IntegrationsState

_PROVEN: Final = "Save the tested settings?"
_NOT_SAVED: Final = (
    "A test email has proven the settings {where}, but they aren’t saved. If you don’t save "
    "them, system emails are sent as before and what you typed is lost."
)
_UNPROVEN: Final = "Close without saving?"
_LOST: Final = (
    "No test email has proven what you typed {where}, so it can’t be saved. If you close "
    "this window, it’s lost."
)
# A closed window ends a test at once, and what is being saved or removed is finished anyway.
_NEVER_ASKED: Final = frozenset({Busy.TESTING, Busy.CANCELLING, Busy.SAVING, Busy.REMOVING})


class Leaving(QObject):
    """Asks before a window closes on changes that are not saved.

    Signals:
        save_wanted: Save.
        agreed: The window may be closed now.
    """

    save_wanted = Signal()
    agreed = Signal()

    def __init__(self, window: QWidget, where: str) -> None:
        """Ask in front of `window`; `where` says in words which form it is about."""
        super().__init__(window)
        self._where = where
        self._window = window
        self._state: IntegrationsState | None = None
        self._box: QMessageBox | None = None
        self._saving = False
        self._agreed = False

    def follow(self, state: IntegrationsState) -> None:
        """Take what the form's page shows; once all is saved as was asked for, agree."""
        self._state = state
        if self._saving and state.busy is Busy.NOTHING:
            self._saving = False
            if not state.changed:
                self._agree()

    def may_close(self) -> bool:
        """Return whether nothing would be lost; otherwise ask, and tell by `agreed`."""
        state = self._state
        if self._agreed or state is None or not state.changed or state.busy in _NEVER_ASKED:
            return True
        if self._box is None:
            self._box = self._question(proven=state.may_save)
            self._box.open()
        return False

    def _question(self, *, proven: bool) -> QMessageBox:
        meaning = (_NOT_SAVED if proven else _LOST).format(where=self._where)
        box = Question(
            self._window,
            "confirm_close",
            self._window.windowTitle(),
            _PROVEN if proven else _UNPROVEN,
            meaning,
        )
        box.keep("&Keep editing", "keep_editing")
        leave = box.offer("Close &without saving", "close_without_saving", "destructive")
        leave.clicked.connect(self._agree)
        if proven:
            box.setIcon(QMessageBox.Icon.Question)
            save = box.offer("&Save", "save_and_close", "primary")
            save.clicked.connect(self._save)
            box.setDefaultButton(save)
        box.finished.connect(self._answered)
        return box

    @Slot()
    def _answered(self) -> None:
        self._box = None

    @Slot()
    def _save(self) -> None:
        self._saving = True
        self.save_wanted.emit()
        if self._state is None or self._state.busy is not Busy.SAVING:
            self._saving = False

    @Slot()
    def _agree(self) -> None:
        self._agreed = True
        self.agreed.emit()
        self._agreed = False
