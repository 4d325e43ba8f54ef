"""The focus: there from the start, and seen on every control that can have it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import QPoint, QRect, QSize, Qt
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QApplication, QLineEdit, QWidget

from smtp_desk.app.services import Services
from smtp_desk.core.problems import Field
from smtp_desk.ui.desk import Desk
from tests.ui import reports

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pytestqt.qtbot import QtBot

    from smtp_desk.ui.widgets.theme import Theme

LOADED_MS = 30_000
AROUND = 48
ROOM = QSize(1100, 3000)
PAGES = ("integrations", "email_types", "delivery", "diagnostics", "arrived", "general")


@pytest.fixture
def filled() -> dict[Field, str]:
    return {}


@pytest.fixture
def desk(qtbot: QtBot, theme: Theme, tmp_path: Path, filled: dict[Field, str]) -> Iterator[Desk]:
    theme.prefer("light")
    made = Desk(lambda: Services.sandbox(tmp_path / "desk"), filled=filled)
    qtbot.addWidget(made.window)
    with qtbot.waitSignal(made.furnished, timeout=LOADED_MS):
        made.window.show()
    yield made
    made.close()


def focus_of(desk: Desk) -> str:
    focused: QWidget | None = desk.window.focusWidget()
    return focused.objectName() if focused else ""


def test_the_first_start_begins_at_the_address(desk: Desk, qtbot: QtBot) -> None:
    qtbot.waitUntil(lambda: focus_of(desk) == "from_email", timeout=LOADED_MS)


def test_who_goes_elsewhere_before_the_settings_are_read_stays_there(
    desk: Desk, qtbot: QtBot
) -> None:
    desk.workshop.navigation.open_page("general")
    desk.workshop.navigation.take_focus()
    host = desk.window.findChild(QLineEdit, "host")
    assert host is not None
    qtbot.waitUntil(lambda: not host.isReadOnly(), timeout=LOADED_MS)
    assert focus_of(desk) == "navigation"


@pytest.mark.parametrize("filled", [{Field.HOST: "mail.example.test"}])
def test_where_the_form_is_filled_in_the_list_of_pages_has_the_focus(
    desk: Desk, qtbot: QtBot
) -> None:
    host = desk.window.findChild(QLineEdit, "host")
    assert host is not None
    qtbot.waitUntil(lambda: host.text() != "", timeout=LOADED_MS)
    assert focus_of(desk) == "navigation"


def _controls(desk: Desk) -> list[QWidget]:
    """What Tab reaches in the window as it stands."""
    return [
        control
        for control in desk.window.findChildren(QWidget)
        if control.focusPolicy() & Qt.FocusPolicy.TabFocus
        and control.isVisible()
        and control.isEnabled()
    ]


@pytest.mark.parametrize("name", PAGES)
def test_the_focus_can_be_seen_on_every_control(desk: Desk, qtbot: QtBot, name: str) -> None:
    desk.workshop.navigation.open_page(name)
    if name == "diagnostics":
        desk.workshop.diagnosis.show_report(reports.WRONG_PASSWORD)
    desk.window.resize(ROOM)
    desk.window.activateWindow()
    qtbot.waitUntil(desk.window.isActiveWindow)
    # A page that reads first, as Delivery does, has its controls a moment later.
    qtbot.waitUntil(lambda: len(_controls(desk)) > 2, timeout=LOADED_MS)
    controls = _controls(desk)
    unseen = []
    for control in controls:
        if not control.isVisible():
            continue  # The list of emails was read meanwhile, and is empty.
        if (focused := desk.window.focusWidget()) is not None:
            focused.clearFocus()
        without = _picture(desk.window, control)
        control.setFocus(Qt.FocusReason.TabFocusReason)
        assert control.hasFocus(), control
        if _picture(desk.window, control) == without:
            unseen.append(control.objectName())
    assert unseen == []


def _picture(window: QWidget, control: QWidget) -> QImage:
    QApplication.processEvents()
    corner = control.mapTo(window, QPoint(0, 0))
    place = QRect(corner, control.size()).adjusted(-AROUND, -AROUND, AROUND, AROUND)
    return window.grab(place).toImage()
