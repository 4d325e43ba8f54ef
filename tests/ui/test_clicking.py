"""What is said of a field that was left never moves what is being clicked."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLineEdit, QPushButton, QWidget

from smtp_desk.app.integrations.presenter import IntegrationsPresenter
from smtp_desk.app.services import Services
from smtp_desk.ui.integrations.view import IntegrationsView
from tests.app.faces import DeferredRunner

if TYPE_CHECKING:
    from pathlib import Path

    from pytestqt.qtbot import QtBot

    from smtp_desk.ui.widgets.theme import Theme


@pytest.fixture
def page(theme: Theme, qtbot: QtBot, tmp_path: Path) -> QWidget:
    """The page with its presenter, which has read that nothing is saved."""
    view = IntegrationsView(theme)
    qtbot.addWidget(view.page)
    runner = DeferredRunner()
    presenter = IntegrationsPresenter(Services.sandbox(tmp_path), runner, view)
    view.attach(presenter)
    view.page.resize(1000, 700)
    view.page.show()
    view.page.activateWindow()
    qtbot.waitUntil(view.page.isActiveWindow)
    presenter.start()
    runner.finish()
    return view.page


def find(page: QWidget, name: str) -> QWidget:
    for kind in (QLineEdit, QPushButton):
        found = page.findChild(kind, name)
        if isinstance(found, QWidget):
            return found
    raise AssertionError(name)


def mouse(page: QWidget, act: str, place: QPoint) -> None:
    """Press or release on the window, as the platform does: what lies there gets it."""
    window = page.window().windowHandle()
    assert window is not None
    getattr(QTest, act)(window, Qt.MouseButton.LeftButton, pos=place)


def middle(page: QWidget, name: str) -> QPoint:
    part = find(page, name)
    return part.mapTo(page.window(), part.rect().center())


@pytest.mark.parametrize(
    ("field", "text", "said"),
    [
        ("recipient", "ann@example.test", "inside your organization"),
        ("recipient", "ann", "@"),
        ("host", "https://example.org", "https"),
        ("from_email", "ann@corp.local", "inside your organization"),
    ],
)
def test_a_button_stays_below_the_mouse_until_it_was_clicked(
    field: str, text: str, said: str, page: QWidget, qtbot: QtBot
) -> None:
    edit, send = find(page, field), find(page, "send_test")
    edit.setFocus()
    QTest.keyClicks(edit, text)
    clicked: list[bool] = []
    assert isinstance(send, QPushButton)
    send.clicked.connect(lambda: clicked.append(True))
    place, before = middle(page, "send_test"), send.geometry()
    mouse(page, "mousePress", place)
    QApplication.processEvents()
    assert send.geometry() == before
    assert send.isDown()
    mouse(page, "mouseRelease", place)
    qtbot.waitUntil(lambda: clicked == [True])
    qtbot.waitUntil(lambda: said in edit.accessibleDescription())


def test_a_field_that_was_left_for_another_by_the_mouse_complains_once_the_button_is_up(
    page: QWidget, qtbot: QtBot
) -> None:
    host = find(page, "host")
    host.setFocus()
    QTest.keyClicks(host, "a b")
    mouse(page, "mousePress", middle(page, "port"))
    QApplication.processEvents()
    assert host.accessibleDescription() == ""
    mouse(page, "mouseRelease", middle(page, "port"))
    qtbot.waitUntil(lambda: host.accessibleDescription() != "")
    assert find(page, "port").hasFocus()


def test_a_field_that_is_left_by_a_key_complains_at_once(page: QWidget) -> None:
    host = find(page, "host")
    host.setFocus()
    QTest.keyClicks(host, "a b")
    QTest.keyClick(host, Qt.Key.Key_Tab)
    assert host.accessibleDescription() != ""
