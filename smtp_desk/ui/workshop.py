"""What works behind a window: services, presenter, pages and the background thread."""

from __future__ import annotations

import contextlib
import logging
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QObject, Slot

from smtp_desk.app.logs import logging_to
from smtp_desk.app.presenter import IntegrationsPresenter
from smtp_desk.store.stored import Preferences
from smtp_desk.ui.general.page import GeneralPage
from smtp_desk.ui.general.preferences import PreferencesKeeper
from smtp_desk.ui.icons import app_icon
from smtp_desk.ui.integrations.view import IntegrationsView
from smtp_desk.ui.menus import Menus
from smtp_desk.ui.navigation import Navigation
from smtp_desk.ui.theme import theme_of_application
from smtp_desk.ui.worker import Worker

if TYPE_CHECKING:
    from PySide6.QtWidgets import QWidget

    from smtp_desk.app.runner import Emit
    from smtp_desk.app.services import Services
    from smtp_desk.smtp.cancel import Cancel
    from smtp_desk.ui.main_window import MainWindow

_log = logging.getLogger(__name__)


class Workshop(QObject):
    """Builds the pages of one window and keeps what they need.

    Attributes:
        presenter: Decides what the Integrations page shows.
        navigation: The pages.
        menus: The menus.
    """

    def __init__(self, services: Services, window: MainWindow) -> None:
        super().__init__()
        self._services = services
        self._theme = theme_of_application()
        self._open = contextlib.ExitStack()
        self._open.enter_context(logging_to(services.paths.logs))
        self._worker = Worker()
        self._keeper = PreferencesKeeper(services.store, self._worker)
        self._keeper.changed.connect(self._prefer)
        self._view = IntegrationsView(self._theme)
        self.presenter: Final = IntegrationsPresenter(services, self._worker, self._view)
        self._view.attach(self.presenter)
        self.menus: Final = Menus(window, sandboxed=services.sandboxed)
        self.navigation: Final = Navigation(
            {"integrations": self._integrations, "general": self._general}
        )
        window.setWindowIcon(app_icon())
        window.setCentralWidget(self.navigation)

    def start(self) -> None:
        """Show the first page and read what is saved."""
        self.navigation.open_page("integrations")
        self._keeper.load()
        store = self._services.store

        def recover(_emit: Emit, _cancel: Cancel) -> bool:
            return store.recover()

        self._worker.run(recover, on_done=_recovered, on_error=_not_recovered)
        self.presenter.start()

    def cancel(self) -> None:
        """The window closes: whatever runs is cancelled."""
        self.presenter.close()

    def close(self) -> None:
        """Wait for what was cancelled, within bounds, and end."""
        self.presenter.close()
        if not self._worker.close():
            _log.warning("a job was left behind: it did not end in time")
        self._open.close()

    def _integrations(self) -> QWidget:
        return self._view.page

    def _general(self) -> QWidget:
        return GeneralPage(self._keeper)

    @Slot(Preferences)
    def _prefer(self, preferences: Preferences) -> None:
        self._theme.prefer(preferences.theme)


def _recovered(complete: bool) -> None:  # noqa: FBT001 - a result
    if not complete:
        _log.info("what a killed process left is not settled yet; the next start tries again")


def _not_recovered(error: Exception) -> None:
    _log.warning("what a killed process left can't be settled", exc_info=error)
