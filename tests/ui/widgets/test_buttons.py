"""A button that opens a menu shows it where its text ends, in either direction."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QMenu, QPushButton

from smtp_desk.ui.widgets.buttons import MenuButton

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

    from smtp_desk.ui.widgets.theme import Theme

WAYS = [Qt.LayoutDirection.LeftToRight, Qt.LayoutDirection.RightToLeft]


def drawn(button: QPushButton) -> list[int]:
    """Return how far from its left side a button has ink, in its middle."""
    picture = button.grab().toImage()
    middle = range(picture.height() // 3, picture.height() * 2 // 3)
    ground = picture.pixel(8, picture.height() // 4)
    inside = range(4, picture.width() - 4)
    return [x for x in inside if any(picture.pixel(x, y) != ground for y in middle)]


@pytest.mark.parametrize("way", WAYS, ids=["left to right", "right to left"])
def test_the_mark_of_a_menu_is_where_the_text_ends(
    way: Qt.LayoutDirection, qtbot: QtBot, theme: Theme
) -> None:
    theme.prefer("light")
    button = MenuButton("iii")
    qtbot.addWidget(button)
    button.setMenu(QMenu(button))
    button.setLayoutDirection(way)
    button.resize(button.sizeHint())
    ink = drawn(button)
    gaps = [later - x for x, later in pairwise(ink)]
    text_first = gaps.index(max(gaps)) + 1 if max(gaps) > 5 else len(ink)
    left, right = ink[:text_first], ink[text_first:]
    mark = right if way is Qt.LayoutDirection.LeftToRight else left
    assert left
    assert right
    assert 8 <= mark[-1] - mark[0] <= 18
