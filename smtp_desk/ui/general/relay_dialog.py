"""The window of the organization's relay: the form, test and gate of Integrations."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from PySide6.QtCore import Signal, Slot
from PySide6.QtWidgets import QDialog, QPushButton, QWidget

from smtp_desk.app.integrations.presenter import IntegrationsPresenter
from smtp_desk.ui.integrations import words
from smtp_desk.ui.integrations.view import IntegrationsView
from smtp_desk.ui.leaving import Leaving
from smtp_desk.ui.widgets.card import column
from smtp_desk.ui.widgets.page import FRAME_NAMES

if TYPE_CHECKING:
    from PySide6.QtGui import QHideEvent

    from smtp_desk.app.runner import Runner
    from smtp_desk.app.services import Services
    from smtp_desk.ui.widgets.theme import Theme

_WIDTH: Final = 760
_HEIGHT: Final = 720
_SHARE_OF_SCREEN: Final = 0.9


class RelayDialog(QDialog):
    """Sets up the relay. It is only hidden when it is closed, since a job may still report back.

    Signals:
        closed: It was closed; what it saved is in use.
    """

    closed = Signal()

    def __init__(
        self, services: Services, runner: Runner, theme: Theme, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.setObjectName("relay_dialog")
        self.setWindowTitle(words.RELAY.title)
        self._view = IntegrationsView(theme, said=words.RELAY)
        self._presenter = IntegrationsPresenter(services, runner, self._view, default=True)
        self._leaving = Leaving(self, "in this form")
        self._presenter.subscribe(self._leaving.follow)
        self._leaving.save_wanted.connect(self._save)
        self._leaving.agreed.connect(self.reject)
        self._view.attach(self._presenter)
        self._view.add_shortcuts()
        self._view.left.connect(self.reject)
        # Else Enter in a field would press the first button that it finds.
        for button in self._view.page.findChildren(QPushButton):
            button.setAutoDefault(False)
        # The names without this belong to the page of the custom server.
        for part in self._view.page.findChildren(QWidget):
            name = part.objectName()
            if name and name not in FRAME_NAMES and not name.startswith("qt_"):
                part.setObjectName(f"relay_{name}")
        column(self, 0).addWidget(self._view.page)
        room = self.screen().availableSize() * _SHARE_OF_SCREEN
        self.resize(min(_WIDTH, room.width()), min(_HEIGHT, room.height()))

    @Slot()
    def start(self) -> None:
        """Show the saved settings, and the window."""
        self._presenter.start()
        self.open()

    def reject(self) -> None:
        """Close, also by Escape, unless what was typed would be lost."""
        if self._leaving.may_close():
            super().reject()

    def hideEvent(self, event: QHideEvent) -> None:
        """Cancel a running test."""
        super().hideEvent(event)
        if not event.spontaneous():
            self._presenter.close()
            self.closed.emit()

    @Slot()
    def _save(self) -> None:
        self._presenter.save()
