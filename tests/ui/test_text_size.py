"""Another text size acts at once on every page, and clips nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import QSize
from PySide6.QtWidgets import QApplication, QLabel, QPushButton, QTableView, QWidget

from smtp_desk.ui.main_window import MainWindow
from smtp_desk.ui.navigation import Navigation
from smtp_desk.ui.widgets.colours import USUAL_LINE
from smtp_desk.ui.widgets.icons import IconLabel
from smtp_desk.ui.widgets.page import Page
from smtp_desk.ui.widgets.theme import TEXT_SIZES, Theme
from tests.ui.fitting import cut_off, lay_out, squeezed
from tests.ui.test_contrast import MADE

if TYPE_CHECKING:
    from pathlib import Path

    from pytestqt.qtbot import QtBot

SCENES = (
    "failure",
    "problems",
    "oauth",
    "delivery_selected",
    "diagnostics_company_ca",
    "diagnostics_domain",
    "diagnostics_welcome",
    "email_types_sent",
    "general_relay",
)
SIZES = [QSize(1256, 706), QSize(683, 384)]
"""A screen of 1366x768, and the same at a scale of 200 %."""


def narrow(page: Page) -> list[str]:
    """Return the texts that stay in one line and have too little room for it."""
    found: list[QLabel | QPushButton] = list(page.findChildren(QPushButton))
    found += [label for label in page.findChildren(QLabel) if not label.wordWrap()]
    return [
        each.text()
        for each in found
        if each.text()
        and each.isVisible()
        and (
            each.width() < each.minimumSizeHint().width()
            or each.height() < each.minimumSizeHint().height()
        )
    ]


@pytest.mark.parametrize("size", SIZES, ids=["laptop", "scaled"])
@pytest.mark.parametrize("name", SCENES)
def test_nothing_is_clipped(
    name: str, size: QSize, qtbot: QtBot, theme: Theme, tmp_path: Path
) -> None:
    kind, make = MADE[name]
    window = MainWindow(sandboxed=False)
    qtbot.addWidget(window)
    page, arrange = make(tmp_path, theme)
    assert isinstance(page, Page)
    navigation = Navigation({**dict.fromkeys(kind.others, QWidget), kind.name: lambda: page})
    window.setCentralWidget(navigation)
    window.resize(size)
    window.show()
    navigation.open_page(kind.name)
    arrange()
    usual = page.fontMetrics().height()
    for percent in (TEXT_SIZES[-1], "system"):
        theme.prefer("light", percent)
        lay_out()
        assert window.size() == size
        assert cut_off(page) == [], percent
        qtbot.waitUntil(lambda: narrow(page) == squeezed(page) == [])
        for table in page.findChildren(QTableView):
            assert table.rowHeight(0) > table.fontMetrics().height(), percent
        if percent.isdigit():
            assert page.fontMetrics().height() == pytest.approx(usual * int(percent) / 100, abs=2)
    assert page.fontMetrics().height() == usual


def test_every_text_follows(qtbot: QtBot, theme: Theme, tmp_path: Path) -> None:
    _, make = MADE["diagnostics_company_ca"]
    page, arrange = make(tmp_path, theme)
    qtbot.addWidget(page)
    page.show()
    arrange()
    parts = [each for each in page.findChildren(QWidget) if each.isVisible()]
    before = [each.font().pointSizeF() for each in parts]
    theme.prefer("light", "150")
    for each, points in zip(parts, before, strict=True):
        assert each.font().pointSizeF() == pytest.approx(1.5 * points, abs=0.1), each


def test_icons_grow_with_the_text_beside_them(qtbot: QtBot, theme: Theme) -> None:
    icon = IconLabel("info", 16)
    qtbot.addWidget(icon)
    icon.show()
    usual = icon.height()
    theme.prefer("light", "150")
    grown = 16 * icon.fontMetrics().height() / USUAL_LINE
    assert icon.height() == icon.width() == pytest.approx(grown, abs=1)
    assert icon.height() > usual
    theme.prefer("light", "90")
    assert icon.height() == 16


def test_an_unknown_size_is_the_systems(theme: Theme, qapp: QApplication) -> None:
    usual = qapp.font().pointSizeF()
    theme.prefer("light", "9000")
    assert qapp.font().pointSizeF() == usual
