"""A page brings into view what is still there."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from PySide6.QtWidgets import QLabel, QVBoxLayout, QWidget

from smtp_desk.ui.widgets.label import Label
from smtp_desk.ui.widgets.page import Page
from tests.ui.fitting import lay_out

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot


@pytest.fixture(params=[600, 1200])
def page(request: pytest.FixtureRequest, qtbot: QtBot) -> Page:
    """A page that scrolls, with its aside below the column or beside it."""
    made = Page("page", "Page", "")
    qtbot.addWidget(made)
    aside = QWidget()
    for place in (made.body, QVBoxLayout(aside)):
        for number in range(40):
            label = Label(f"line {number}")
            label.setObjectName(f"{'column' if place is made.body else 'aside'}_{number}")
            place.addWidget(label)
    made.set_aside(aside)
    made.resize(request.param, 300)
    made.show()
    lay_out()
    return made


@pytest.mark.parametrize(
    ("wanted", "gone"),
    [
        (["column_39"], ["column_39"]),
        (["column_39", "column_38"], ["column_38"]),
        (["column_1", "aside_39"], ["column_1"]),
        (["aside_38", "aside_39"], ["aside_38", "aside_39"]),
    ],
)
def test_what_is_gone_meanwhile_is_not_looked_for(
    page: Page, wanted: list[str], gone: list[str], qtbot: QtBot
) -> None:
    labels = page.findChildren(QLabel)
    found = {name: next(each for each in labels if each.objectName() == name) for name in wanted}
    page.bring_into_view(*found.values())
    for name in gone:
        found.pop(name).deleteLater()
    qtbot.waitUntil(lambda: not page._scrolling.isActive())
    qtbot.wait(0)
    assert page._wanted == ()
    for label in found.values():
        assert not label.visibleRegion().isEmpty()
