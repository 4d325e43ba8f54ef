"""What can be done with a report."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from smtp_desk.ui.widgets.buttons import button
from smtp_desk.ui.widgets.card import column
from smtp_desk.ui.widgets.flow import flow
from smtp_desk.ui.widgets.label import enable

if TYPE_CHECKING:
    from PySide6.QtWidgets import QPushButton

_COPY: Final = "Copies the report as Markdown, ready for a ticket or an email."
_NO_REPORT: Final = "There is no report yet."


class ReportButtons(QWidget):
    """Copy, Save report and Open report, above the report.

    Signals:
        copy_wanted: Copy.
        save_wanted: Save report.
        open_wanted: Open report.
    """

    copy_wanted = Signal()
    save_wanted = Signal()
    open_wanted = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._copy = button("&Copy", "copy_report", tip=_COPY)
        self._save = button("&Save report…", "save_report")
        self._open = button("&Open report…", "open_report")
        self._copy.clicked.connect(self.copy_wanted)
        self._save.clicked.connect(self.save_wanted)
        self._open.clicked.connect(self.open_wanted)
        column(self, 0).addWidget(flow(*self.stops))

    @property
    def stops(self) -> tuple[QPushButton, ...]:
        """What Tab visits, in order."""
        return (self._copy, self._save, self._open)

    def show_reasons(self, busy: str, *, has_report: bool) -> None:
        """Say why they can't be used: what runs, or that there is no report."""
        enable(self._open, busy)
        for each in (self._save, self._copy):
            enable(each, busy or ("" if has_report else _NO_REPORT))
