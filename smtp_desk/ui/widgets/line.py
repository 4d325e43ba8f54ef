"""What stands below a field or a button: the problems it has, or a notice."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QWidget

from smtp_desk.ui.widgets.card import column, row
from smtp_desk.ui.widgets.colours import Space
from smtp_desk.ui.widgets.icons import IconLabel, set_look
from smtp_desk.ui.widgets.label import Label

if TYPE_CHECKING:
    from collections.abc import Sequence

    from smtp_desk.app.notice import Notice

_ICON: Final = 16
_ICONS: Final = {"danger": "error", "warning": "info", "success": "success", "muted": "info"}


class Line(QWidget):
    """One sentence with an icon in its tone: danger, warning, success or muted."""

    def __init__(self) -> None:
        super().__init__()
        self._icon = IconLabel(size=_ICON)
        self.label = Label(rank="message")
        layout = row(self, Space.XS)
        layout.addWidget(self._icon, alignment=Qt.AlignmentFlag.AlignTop)
        layout.addWidget(self.label, 1)
        self.hide()

    def show_line(self, text: str, tone: str = "danger", icon: str = "") -> None:
        """Show `text`, or nothing where it is empty; `icon` in place of that of its tone."""
        self.label.show_text(text)
        if text:
            self._icon.show_icon(icon or _ICONS[tone], tone)
            set_look(self.label, "tone", tone)
        self.setVisible(bool(text))

    def show_busy(self, text: str) -> None:
        """Show what runs."""
        self.show_line(text, "muted", "running")

    def show_notice(self, notice: Notice | None) -> None:
        """Show a notice of the page, or nothing."""
        if notice is None:
            self.show_line("")
        else:
            tone = "muted" if notice.plain else "success"
            self.show_line(notice.text, "danger" if notice.error else tone)


class NoticeList(QWidget):
    """All that is to be said of one field, one line each."""

    def __init__(self) -> None:
        super().__init__()
        self._layout = column(self, Space.XS)
        self._lines: list[Line] = []
        self.text = ""
        self.hide()

    def show_notices(self, notices: Sequence[Notice]) -> None:
        """Show exactly these."""
        while len(self._lines) < len(notices):
            line = Line()
            self._lines.append(line)
            self._layout.addWidget(line)
        for index, line in enumerate(self._lines):
            if index < len(notices):
                line.show_line(notices[index].text, "danger" if notices[index].error else "warning")
            else:
                line.show_line("")
        self.text = " ".join(notice.text for notice in notices)
        self.setVisible(bool(notices))
