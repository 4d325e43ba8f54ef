"""Keyboard and screen readers: names, buddies, mnemonics, tab order; and every size of window."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QAction
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QAbstractButton,
    QApplication,
    QLabel,
    QMenuBar,
    QPushButton,
    QWidget,
)

from smtp_desk.ui.integrations.test_panel import TestPanel
from smtp_desk.ui.integrations.view import IntegrationsView
from smtp_desk.ui.main_window import MainWindow
from smtp_desk.ui.menus import Menus
from smtp_desk.ui.navigation import Navigation
from tests.table import each_row
from tests.ui.fitting import DIRECTIONS, cut_off, lay_out, squeezed
from tests.ui.mnemonics import mnemonics
from tests.ui.states import EMPTY, OFF, SCENES, Scene

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytestqt.qtbot import QtBot

    from smtp_desk.ui.widgets.theme import Theme
    from tests.ui.conftest import Stage

NAMES = {
    "enabled": "Send system emails through your own server",
    "host": "SMTP server host",
    "port": "Port",
    "username": "Username",
    "password": "Password",
    "from_name": "From name",
    "from_email": "From email",
    "security": "Security",
    "ca_file": "CA certificate file",
    "ehlo_name": "EHLO name",
    "per_hour": "Emails per hour at most",
    "auth_method": "Sign-in method",
    "recipient": "Send test email to",
    "find_settings": "Find settings",
    "send_test": "Send test email",
    "cancel_test": "Cancel",
    "save": "Save",
    "discard": "Discard changes",
    "remove": "Remove configuration",
}
LABELLED = [name for name in NAMES if name not in {"send_test", "cancel_test", "save", "discard"}]
LABELLED.remove("remove")
LABELLED.remove("find_settings")
TAB_ORDER = [
    "enabled",
    "host",
    "port",
    "credential",
    "username",
    "password",
    "reveal",
    "from_name",
    "from_email",
    "find_settings",
    "advanced",
    "security",
    "auth_method",
    "ca_file",
    "browse_ca_file",
    "ehlo_name",
    "per_hour",
    "recipient",
    "send_test",
    "send_test_now",
    "discard",
]


def visible_name(control: QWidget) -> str:
    if control.accessibleName():
        return control.accessibleName()
    assert isinstance(control, QAbstractButton)
    return control.text().replace("&", "")


@each_row(("name", "label"), NAMES.items())
def test_names_are_the_visible_labels(page: Stage, name: str, label: str) -> None:
    assert visible_name(page.find(QWidget, name)) == label


@each_row("name", LABELLED)
def test_each_label_is_the_buddy_of_its_control(page: Stage, name: str) -> None:
    control = page.find(QWidget, name)
    labels = [label for label in page.view.page.findChildren(QLabel) if label.buddy() is control]
    assert [label.text().replace("&", "") for label in labels] == [NAMES[name]]


@each_row("name", ["stages", "outcome", "finding"])
def test_the_parts_of_the_result_can_be_found(page: Stage, name: str) -> None:
    assert page.find(QWidget, name).objectName() == name


@pytest.fixture
def window(qtbot: QtBot, theme: Theme) -> Iterator[tuple[MainWindow, IntegrationsView]]:
    view = IntegrationsView(theme, test=TestPanel(offer_details=True))
    made = MainWindow(sandboxed=False)
    menus = Menus(made, sandboxed=False)
    navigation = Navigation({"integrations": lambda: view.page})
    made.setCentralWidget(navigation)
    navigation.open_page("integrations")
    qtbot.addWidget(made)
    made.show()
    yield made, view
    menus.deleteLater()


def test_no_mnemonic_is_given_twice(window: tuple[MainWindow, IntegrationsView]) -> None:
    made, view = window
    view.render(SCENES["failure"].state)
    bar = made.findChild(QMenuBar)
    assert isinstance(bar, QMenuBar)
    letters = mnemonics(made)
    assert letters.total() >= 15
    assert [letter for letter, n in letters.items() if n > 1] == []
    assert all(isinstance(action, QAction) for action in bar.actions())


def test_tab_follows_the_reading_order(page: Stage) -> None:
    page.view.show_draft(SCENES["problems"].draft, "")
    page.view.render(replace(EMPTY, status=replace(OFF, server=None), changed=True))
    page.find(QWidget, "enabled").setFocus()
    visited = []
    for _ in TAB_ORDER:
        focused = QApplication.focusWidget()
        assert focused is not None
        visited.append(focused.objectName())
        QTest.keyClick(focused, Qt.Key.Key_Tab)
    assert visited == TAB_ORDER


SIZES = [(520, 400), (640, 400), (1040, 780)]


@pytest.mark.parametrize("direction", DIRECTIONS)
@pytest.mark.parametrize("scene", SCENES.values(), ids=list(SCENES))
@each_row(("width", "height"), SIZES)
def test_nothing_is_cut_off_at_the_sides(
    window: tuple[MainWindow, IntegrationsView],
    scene: Scene,
    width: int,
    height: int,
    direction: Qt.LayoutDirection,
) -> None:
    made, view = window
    made.setLayoutDirection(direction)
    made.resize(width, height)
    view.show_draft(scene.draft, scene.recipient)
    view.render(scene.state)
    lay_out()
    assert (made.width(), made.height()) == (width, height)
    assert cut_off(view.page) == []


@pytest.mark.parametrize("scene", SCENES.values(), ids=list(SCENES))
def test_no_text_is_squeezed(
    window: tuple[MainWindow, IntegrationsView], qtbot: QtBot, scene: Scene
) -> None:
    made, view = window
    made.resize(640, 400)
    view.show_draft(scene.draft, scene.recipient)
    view.render(scene.state)
    qtbot.waitUntil(lambda: squeezed(view.page) == [])


def test_texts_forty_percent_longer_fit(
    window: tuple[MainWindow, IntegrationsView],
) -> None:
    made, view = window
    made.resize(760, 600)
    view.render(SCENES["failure"].state)
    texts: list[QLabel | QPushButton] = [
        *made.findChildren(QLabel),
        *made.findChildren(QPushButton),
    ]
    for widget in texts:
        text = widget.text()
        widget.setText(f"{text} {text[: len(text) * 2 // 5]}" if text else "")
    lay_out()
    assert made.width() == 760
    for button in view.page.findChildren(QPushButton):
        if button.isVisible():
            left = button.mapTo(view.page, QPoint(0, 0)).x()
            assert left >= 0
            assert left + button.width() <= view.page.width()
