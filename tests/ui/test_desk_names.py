"""All pages in one window: each part has a name of its own, each letter one meaning."""

from __future__ import annotations

import collections
from typing import TYPE_CHECKING

import pytest
from PySide6.QtWidgets import QAbstractButton, QLabel, QMenuBar, QTabBar, QWidget

from smtp_desk.app.services import Services
from smtp_desk.ui.desk import Desk
from smtp_desk.ui.widgets.page import FRAME_NAMES

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pytestqt.qtbot import QtBot

SLOW_MS = 30_000
PAGES = ("integrations", "email_types", "delivery", "diagnostics", "arrived", "general")
CONTRACT = [
    "enabled",
    "host",
    "port",
    "username",
    "password",
    "from_name",
    "from_email",
    "security",
    "ca_file",
    "ehlo_name",
    "auth_method",
    "recipient",
    "send_test",
    "cancel_test",
    "stages",
    "outcome",
    "finding",
    "save",
    "discard",
    "remove",
]


@pytest.fixture
def desk(qtbot: QtBot, tmp_path: Path) -> Iterator[Desk]:
    services = Services.sandbox(tmp_path / "desk")
    made = Desk(lambda: services)
    qtbot.addWidget(made.window)
    with qtbot.waitSignal(made.furnished, timeout=SLOW_MS):
        made.window.show()
    for page in PAGES:
        made.workshop.navigation.open_page(page)
    yield made
    made.workshop.cancel()
    made.close()


def test_every_name_stands_for_one_part(desk: Desk) -> None:
    relay = desk.window.findChild(QAbstractButton, "set_up_relay")
    assert relay is not None
    relay.click()
    found = collections.Counter(part.objectName() for part in desk.window.findChildren(QWidget))
    twice = {name for name, count in found.items() if count > 1 and not name.startswith("qt_")}
    assert twice == {"", *FRAME_NAMES}
    assert {name: found[name] for name in (*CONTRACT, *PAGES)} == dict.fromkeys(
        (*CONTRACT, *PAGES), 1
    )


@pytest.mark.parametrize("name", PAGES)
def test_no_letter_has_two_meanings_on_a_page(desk: Desk, name: str) -> None:
    page = desk.workshop.navigation.open_page(name)
    bar = desk.window.findChild(QMenuBar)
    assert bar is not None
    marked = [action.text() for action in bar.actions()]
    marked += [each.text() for each in page.findChildren(QLabel) if each.buddy() is not None]
    marked += [each.text() for each in page.findChildren(QAbstractButton)]
    for tabs in page.findChildren(QTabBar):
        marked += [tabs.tabText(index) for index in range(tabs.count())]
    letters = [text[text.index("&") + 1].lower() for text in marked if "&" in text]
    twice = [letter for letter, count in collections.Counter(letters).items() if count > 1]
    assert twice == []
