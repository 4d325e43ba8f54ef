"""What does not fit on a page, as it is laid out now."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import (
    QApplication,
    QComboBox,
    QLabel,
    QLineEdit,
    QPlainTextEdit,
    QPushButton,
    QTableView,
    QWidget,
)

from smtp_desk.ui.widgets.icons import IconLabel

if TYPE_CHECKING:
    from smtp_desk.ui.widgets.page import Page

DIRECTIONS: Final = (Qt.LayoutDirection.LeftToRight, Qt.LayoutDirection.RightToLeft)

_SLACK_PX: Final = 20
_ROUNDS: Final = 3
_BREAK: Final = "\u200b"
"""Where a label may break a long word."""


def lay_out() -> None:
    """Lay all out: a page that puts its aside elsewhere does so in a round, its parts in others."""
    for _ in range(_ROUNDS):
        QApplication.processEvents()


def cut_off(page: Page) -> list[QWidget]:
    """Return what reaches beyond the sides of the page."""
    width = (page.width() if page.wide else page.area.viewport().width()) + _SLACK_PX
    seen = [
        each
        for kind in (QLineEdit, QPushButton, QComboBox, QLabel, QTableView)
        for each in page.findChildren(kind)
        if each.isVisible()
    ]
    lefts = [(each, each.mapTo(page, QPoint(0, 0)).x()) for each in seen]
    return [each for each, left in lefts if left < 0 or left + each.width() > width]


def in_sight(page: QWidget, *texts: str) -> bool:
    """Return whether each text is seen, all of it, in a label or in a part to read."""
    labels = [(each.text().replace(_BREAK, ""), each) for each in page.findChildren(QLabel)]
    parts = [(each.toPlainText(), each) for each in page.findChildren(QPlainTextEdit)]
    whole = [
        text
        for text, part in (*labels, *parts)
        if part.isVisible() and part.visibleRegion().boundingRect().height() >= part.height() - 2
    ]
    return all(any(text in each for each in whole) for text in texts)


def squeezed(page: QWidget) -> list[str]:
    """Return the texts that are given less height than their lines need."""
    return [
        label.text()
        for label in page.findChildren(QLabel)
        if label.isVisible()
        and label.wordWrap()
        and label.text()
        and not isinstance(label, IconLabel)
        and label.height() < label.heightForWidth(label.width())
    ]
