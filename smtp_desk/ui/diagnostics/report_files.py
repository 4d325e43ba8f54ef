"""Asks for the files to open reports from, or to save them to."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QObject, Slot

from smtp_desk.ui.widgets.file_dialog import ask_what_to_open, ask_where_to_save

if TYPE_CHECKING:
    from PySide6.QtWidgets import QWidget

    from smtp_desk.app.diagnostics.presenter import DiagnosisPresenter
    from smtp_desk.core.report import CheckReport

_REPORTS: Final = "Reports (*.smtpdesk *.json);;All files (*)"
_PAGES: Final = "Web pages (*.html);;All files (*)"
_UNSAFE: Final = re.compile(r"[^A-Za-z0-9]+")


class ReportFiles(QObject):
    """Asks in front of a page, and passes the chosen file to its presenter."""

    def __init__(self, page: QWidget, actions: DiagnosisPresenter) -> None:
        super().__init__(page)
        self._page = page
        self._actions = actions

    def ask_what_to_open(self) -> None:
        """Ask for a report to show."""
        ask_what_to_open(self._page, "Open report", _REPORTS, self._opened, "open_report_dialog")

    def ask_what_to_compare(self) -> None:
        """Ask for a report to compare the current one with."""
        ask_what_to_open(
            self._page, "Compare with report", _REPORTS, self._compared, "compare_report_dialog"
        )

    def ask_where_to_save(self, report: CheckReport) -> None:
        """Ask for a file to save the report into."""
        name = _file_name(report, "smtpdesk")
        ask_where_to_save(
            self._page, "Save report", _REPORTS, self._saved, "save_report_dialog", proposed=name
        )

    def ask_where_to_save_html(self, report: CheckReport) -> None:
        """Ask for a file to save the report into as HTML."""
        name = _file_name(report, "html")
        ask_where_to_save(
            self._page, "Save as HTML", _PAGES, self._saved_html, "save_html_dialog", proposed=name
        )

    @Slot(str)
    def _opened(self, path: str) -> None:
        self._actions.open(Path(path))

    @Slot(str)
    def _compared(self, path: str) -> None:
        self._actions.compare(Path(path))

    @Slot(str)
    def _saved(self, path: str) -> None:
        self._actions.save(Path(path))

    @Slot(str)
    def _saved_html(self, path: str) -> None:
        self._actions.save(Path(path), html=True)


def _file_name(report: CheckReport, suffix: str) -> str:
    """Propose a name; nothing of a stranger's report but letters and digits goes into it."""
    return f"smtp-report-{_UNSAFE.sub('', report.id)[:16] or 'unnamed'}.{suffix}"
