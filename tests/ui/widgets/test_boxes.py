"""Check boxes: as large as their text asks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtWidgets import QStyle, QStyleOptionButton

from smtp_desk.ui.widgets.boxes import CheckBox, Switch
from smtp_desk.ui.widgets.theme import TEXT_SIZES

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

    from smtp_desk.ui.widgets.theme import Theme


def box_height(check_box: CheckBox) -> int:
    option = QStyleOptionButton()
    check_box.initStyleOption(option)
    element = QStyle.SubElement.SE_CheckBoxIndicator
    return check_box.style().subElementRect(element, option, check_box).height()


def test_a_box_grows_with_its_text(qtbot: QtBot, theme: Theme) -> None:
    check_box = CheckBox("&Without signing in")
    qtbot.addWidget(check_box)
    heights = []
    for size in TEXT_SIZES:
        theme.prefer("light", size)
        check_box.show()
        qtbot.waitUntil(check_box.isVisible)
        heights.append(box_height(check_box))
        text = check_box.fontMetrics().height()
        assert 0.7 * text <= heights[-1] <= 1.4 * text
        assert check_box.sizeHint().height() >= heights[-1]
    assert heights == sorted(set(heights))
    theme.prefer("light")


def test_a_switch_grows_with_the_text_beside_it(qtbot: QtBot, theme: Theme) -> None:
    switch = Switch(theme, "Send")
    qtbot.addWidget(switch)
    heights = []
    for size in TEXT_SIZES:
        theme.prefer("light", size)
        switch.show()
        qtbot.waitUntil(switch.isVisible)
        heights.append(switch.sizeHint().height())
        assert switch.sizeHint().width() > heights[-1]
        assert switch.minimumSizeHint() == switch.sizeHint()
        assert heights[-1] >= switch.fontMetrics().height()
    assert heights == sorted(heights)
    assert heights[-1] > heights[0]
    theme.prefer("light")
