"""The bar below a page: what can be done there, always in view."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtWidgets import QFrame

from smtp_desk.ui.widgets.card import column
from smtp_desk.ui.widgets.colours import READABLE_WIDTH, Space
from smtp_desk.ui.widgets.line import Line
from smtp_desk.ui.widgets.page import centred

if TYPE_CHECKING:
    from PySide6.QtWidgets import QWidget


class Bar(QFrame):
    """As wide as the column above it, with one line of text of its own."""

    def __init__(self, line_name: str, width: int = READABLE_WIDTH) -> None:
        super().__init__()
        self.line = Line()
        self.line.label.setObjectName(line_name)
        self._inner = QFrame()
        self._inner.setMaximumWidth(width)
        self.body = column(self._inner, Space.S)
        outer = column(self)
        outer.setContentsMargins(Space.XL, Space.M, Space.XL, Space.M)
        outer.addWidget(centred(self._inner))

    def fill(self, *parts: QWidget) -> None:
        """Put `parts` below each other."""
        for part in parts:
            self.body.addWidget(part)
