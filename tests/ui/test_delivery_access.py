"""The Delivery page in every size, direction and scheme, with long texts, and in the desk."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from PySide6.QtCore import QPoint
from PySide6.QtWidgets import (
    QApplication,
    QLabel,
    QPushButton,
    QStyleOptionViewItem,
    QTableView,
)

from smtp_desk.app.delivery.rows import COLUMNS
from smtp_desk.app.delivery.words import DeliveryStatus
from smtp_desk.app.services import Services
from smtp_desk.ui.delivery.table import ICONS
from smtp_desk.ui.desk import Desk
from smtp_desk.ui.main_window import MainWindow
from smtp_desk.ui.menus import Menus
from smtp_desk.ui.navigation import Navigation
from tests.sender import mails
from tests.ui.delivery_scenes import SCENES, morning
from tests.ui.fitting import DIRECTIONS, cut_off, squeezed
from tests.ui.mnemonics import mnemonics

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from pytestqt.qtbot import QtBot

    from smtp_desk.ui.widgets.theme import Theme
    from tests.ui.delivery_scenes import Scene

SIZES = [(1040, 780), (640, 400), (520, 400)]
SLOW_MS = 30_000


@pytest.fixture
def window(
    qtbot: QtBot, theme: Theme, tmp_path: Path
) -> Iterator[Callable[[Callable[[Path], Scene]], tuple[MainWindow, Scene]]]:
    opened: list[Menus] = []

    def open_window(make: Callable[[Path], Scene]) -> tuple[MainWindow, Scene]:
        scene = make(tmp_path)
        made = MainWindow(sandboxed=False)
        opened.append(Menus(made, sandboxed=False))
        navigation = Navigation({"delivery": lambda: scene.view.page})
        made.setCentralWidget(navigation)
        qtbot.addWidget(made)
        navigation.open_page("delivery")
        made.show()
        scene.runner.finish()
        return made, scene

    yield open_window
    for menus in opened:
        menus.deleteLater()


Open = Any
"""What the fixture gives."""


@pytest.mark.parametrize("name", SCENES)
def test_nothing_is_cut_off_at_the_sides(window: Open, name: str) -> None:
    made, scene = window(SCENES[name])
    for direction in DIRECTIONS:
        made.setLayoutDirection(direction)
        for width, height in SIZES:
            made.resize(width, height)
            QApplication.processEvents()
            assert (made.width(), made.height()) == (width, height)
            assert cut_off(scene.view.page) == [], (direction, width)


@pytest.mark.parametrize("name", SCENES)
def test_no_text_is_squeezed(window: Open, qtbot: QtBot, name: str) -> None:
    made, scene = window(SCENES[name])
    made.resize(640, 400)
    qtbot.waitUntil(lambda: squeezed(scene.view.page) == [])


def test_texts_forty_percent_longer_fit(window: Open) -> None:
    made, scene = window(SCENES["selected"])
    made.resize(760, 600)
    for widget in (*made.findChildren(QLabel), *made.findChildren(QPushButton)):
        text = widget.text()
        widget.setText(f"{text} {text[: len(text) * 2 // 5]}" if text else "")
    for _ in range(2):
        QApplication.processEvents()
    assert made.width() == 760
    for button in scene.view.page.findChildren(QPushButton):
        if button.isVisible():
            left = button.mapTo(scene.view.page, QPoint(0, 0)).x()
            assert left >= 0
            assert left + button.width() <= scene.view.page.width()


def test_no_mnemonic_is_given_twice(window: Open) -> None:
    made, _scene = window(SCENES["selected"])
    letters = mnemonics(made)
    assert letters.total() >= 5
    assert [letter for letter, n in letters.items() if n > 1] == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_each_state_has_an_icon_of_its_own_in_the_colours_of_the_scheme(
    theme: Theme, window: Open, scheme: str
) -> None:
    theme.prefer(scheme)
    _made, scene = window(morning)
    assert len({name for name, _tone in ICONS.values()}) == len(DeliveryStatus)
    index = scene.table.model().index(9, COLUMNS.index("State"))
    assert index.data() == "Sent"
    option = QStyleOptionViewItem()
    option.widget = scene.table
    scene.table.itemDelegateForIndex(index).initStyleOption(option, index)
    drawn = option.icon.pixmap(16, 16).toImage()
    pixels = [drawn.pixelColor(x, y) for x in range(16) for y in range(16)]
    assert theme.colours.success in {each.name() for each in pixels if each.alpha() == 255}


@pytest.fixture
def desk(qtbot: QtBot, tmp_path: Path) -> Iterator[tuple[Desk, Services]]:
    services = Services.sandbox(tmp_path / "desk")
    opened = Desk(lambda: services, filled={}, opened=None)
    qtbot.addWidget(opened.window)
    with qtbot.waitSignal(opened.furnished, timeout=SLOW_MS):
        opened.window.show()
    yield opened, services
    opened.close()


def test_the_page_of_the_desk_shows_what_another_process_stores(
    qtbot: QtBot, desk: tuple[Desk, Services]
) -> None:
    opened, services = desk
    services.outbox.add([mails.mail(1)])
    page = opened.workshop.navigation.open_page("delivery")
    table = page.findChild(QTableView, "emails")
    assert isinstance(table, QTableView)
    qtbot.waitUntil(lambda: table.model().rowCount() == 1, timeout=SLOW_MS)
    services.outbox.add([mails.mail(2)])
    qtbot.waitUntil(lambda: table.model().rowCount() == 2, timeout=SLOW_MS)
    assert table.model().index(0, 2).data() == "Your payment for October is on its way"
