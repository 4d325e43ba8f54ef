"""Opens reports and received emails: from the menu, dropped on the window, given at the start."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QObject, Slot

from smtp_desk.app.arrived.presenter import ArrivalPresenter
from smtp_desk.ui.arrived.view import ArrivedView
from smtp_desk.ui.dropping import Drop
from smtp_desk.ui.worker import Worker

if TYPE_CHECKING:
    from PySide6.QtWidgets import QWidget

    from smtp_desk.app.diagnostics.presenter import DiagnosisPresenter
    from smtp_desk.app.opened import Opened
    from smtp_desk.ui.diagnostics.view import DiagnosticsView
    from smtp_desk.ui.menus import Menus
    from smtp_desk.ui.navigation import Navigation


class Opener(QObject):
    """Brings each file to its page: reports to Diagnostics, emails to What arrived.

    Attributes:
        page: What arrived.
        arrival: Decides what it shows.
    """

    def __init__(
        self,
        window: QWidget,
        navigation: Navigation,
        view: DiagnosticsView,
        diagnosis: DiagnosisPresenter,
    ) -> None:
        super().__init__(window)
        self._navigation = navigation
        self._view = view
        self._diagnosis = diagnosis
        self._arrived = ArrivedView(parent=navigation.pages)
        # A thread of its own: it shall not wait for the end of a test.
        self._worker = Worker()
        self.page: Final = self._arrived.page
        self.arrival: Final = ArrivalPresenter(self._worker, self._arrived)
        self._arrived.attach(self.arrival)
        drop = Drop(window)
        drop.report_dropped.connect(self._open_report)
        drop.two_dropped.connect(self._compare_reports)
        drop.email_dropped.connect(self._open_email)
        drop.refused.connect(self._show_trouble)

    def listen(self, menus: Menus) -> None:
        """Open what the menus ask for."""
        menus.open_wanted.connect(self._ask_for_report)
        menus.email_wanted.connect(self._ask_for_email)

    def show_opened(self, opened: Opened) -> None:
        """Show a report that was read from a file, or why there is none."""
        if opened.report is None:
            self._show_trouble(opened.trouble)
            return
        self._diagnosis.show_report(opened.report, opened.source)
        self._navigation.open_page("diagnostics")

    def close(self) -> None:
        """Wait for what was cancelled, within bounds."""
        self._worker.close()

    @Slot()
    def _ask_for_report(self) -> None:
        self._navigation.open_page("diagnostics")
        self._view.ask_what_to_open()

    @Slot()
    def _ask_for_email(self) -> None:
        self._navigation.open_page("arrived")
        self._arrived.ask_what_to_open()

    @Slot(Path)
    def _open_report(self, file: Path) -> None:
        self._navigation.open_page("diagnostics")
        self._diagnosis.open(file)

    @Slot(Path, Path)
    def _compare_reports(self, first: Path, second: Path) -> None:
        self._navigation.open_page("diagnostics")
        self._diagnosis.open_two(first, second)

    @Slot(Path)
    def _open_email(self, file: Path) -> None:
        self._navigation.open_page("arrived")
        self.arrival.open(file)

    @Slot(str)
    def _show_trouble(self, text: str) -> None:
        self._diagnosis.show_trouble(text)
        self._navigation.open_page("diagnostics")
