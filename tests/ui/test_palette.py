"""The palette: everything that can be done, found by typing, by keys and by screen readers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QApplication, QLabel, QLineEdit, QListWidget, QWidget

from smtp_desk.app.services import Services
from smtp_desk.core.gate import SaveHint
from smtp_desk.core.texts import SAVE_HINTS
from smtp_desk.ui.desk import Desk
from smtp_desk.ui.palette import FIND, Palette, matching
from smtp_desk.ui.palette_entries import palette_entries

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pytestqt.qtbot import QtBot

    from smtp_desk.ui.palette_entries import PaletteEntry

SLOW_MS = 30_000
CONTROL = Qt.KeyboardModifier.ControlModifier
LEFT_OUT = {"fold", "choice"}


class Person:
    """Somebody who finds commands by the keyboard."""

    def __init__(self, desk: Desk, qtbot: QtBot) -> None:
        self.desk = desk
        self._qtbot = qtbot

    def open(self) -> Palette:
        QTest.keyClick(QApplication.focusWidget() or self.desk.window, Qt.Key.Key_K, CONTROL)
        found = self.desk.window.findChild(Palette)
        assert isinstance(found, Palette)
        self.wait_for("palette_text")
        return found

    def press(self, key: Qt.Key) -> None:
        target = QApplication.focusWidget()
        assert target is not None
        QTest.keyClick(target, key)

    def type(self, text: str) -> None:
        target = QApplication.focusWidget()
        assert isinstance(target, QLineEdit)
        QTest.keyClicks(target, text)

    def listed(self) -> list[str]:
        found = self.desk.window.findChild(QListWidget, "palette_list")
        assert isinstance(found, QListWidget)
        return [found.item(row).text() for row in range(found.count()) if found.isVisible()]

    def wait_for(self, name: str) -> None:
        def focused() -> bool:
            part = QApplication.focusWidget()
            return part is not None and part.objectName() == name

        self._qtbot.waitUntil(focused)

    def wait_gone(self) -> None:
        self._qtbot.waitUntil(lambda: self.desk.window.findChild(Palette) is None)

    @property
    def page(self) -> str:
        return self.desk.workshop.navigation.current

    def commands(self) -> dict[str, PaletteEntry]:
        workshop = self.desk.workshop
        bar = self.desk.window.menuBar()
        offered = palette_entries(bar, workshop.navigation, workshop.menus.palette)
        assert len({each.title for each in offered}) == len(offered)
        return {each.title: each for each in offered}


@pytest.fixture
def person(qtbot: QtBot, tmp_path: Path) -> Iterator[Person]:
    services = Services.sandbox(tmp_path / "desk")
    desk = Desk(lambda: services)
    qtbot.addWidget(desk.window)
    with qtbot.waitSignal(desk.furnished, timeout=SLOW_MS):
        desk.window.show()
    desk.window.activateWindow()
    qtbot.waitUntil(desk.window.isActiveWindow)
    for page in desk.workshop.navigation.names[::-1]:
        desk.workshop.navigation.open_page(page)
    save = desk.window.findChild(QAbstractButton, "save")
    assert save is not None
    qtbot.waitUntil(
        lambda: save.accessibleDescription() == SAVE_HINTS[SaveHint.NEEDS_TEST], timeout=SLOW_MS
    )
    yield Person(desk, qtbot)
    desk.workshop.cancel()
    desk.close()


def test_a_page_is_opened_by_its_name(person: Person) -> None:
    person.open()
    person.type("deliv")
    assert person.listed()[0] == "Delivery"
    person.press(Qt.Key.Key_Return)
    person.wait_gone()
    person.wait_for("navigation")
    assert person.page == "delivery"


def test_an_action_of_a_page_is_done_from_another_one(person: Person) -> None:
    person.desk.workshop.navigation.open_page("general")
    person.open()
    person.type("find set")
    assert person.listed() == ["Find settings"]
    person.press(Qt.Key.Key_Return)
    person.wait_for("from_email")  # it lacks an address
    assert person.page == "integrations"


@pytest.mark.parametrize("name", ["host", "password", "recipient", "navigation"])
def test_its_keys_act_wherever_the_focus_is(person: Person, name: str) -> None:
    part = person.desk.window.findChild(QWidget, name)
    assert part is not None
    part.setFocus()
    if isinstance(part, QLineEdit):
        person.type("typed")
    person.open()
    person.press(Qt.Key.Key_Escape)
    person.wait_gone()
    person.wait_for(name)
    if isinstance(part, QLineEdit):
        assert part.text() == "typed"


def test_what_cannot_be_done_says_why_and_stays(person: Person) -> None:
    palette = person.open()
    person.type("save")
    person.press(Qt.Key.Key_Return)
    assert palette.isVisible()
    found = person.commands()["Save"]
    assert found.keys == "Ctrl+S"
    assert found.reason == SAVE_HINTS[SaveHint.NEEDS_TEST]


def test_the_arrows_choose_while_one_types(person: Person) -> None:
    person.open()
    person.type("se")
    first, second = person.listed()[:2]
    chosen = person.desk.window.findChild(QListWidget, "palette_list")
    assert chosen is not None
    for key, title in ((Qt.Key.Key_Down, second), (Qt.Key.Key_Up, first)):
        person.press(key)
        assert chosen.currentItem().text() == title
    person.type("nd")
    assert person.listed()[0].startswith("Send")


def test_a_word_that_nothing_has_is_said(person: Person) -> None:
    palette = person.open()
    person.type("zzz")
    assert person.listed() == []
    nothing = palette.findChild(QLabel, "palette_nothing")
    assert nothing is not None
    assert nothing.isVisible()
    person.press(Qt.Key.Key_Return)
    assert palette.isVisible()


def test_everything_that_can_be_pressed_is_listed(person: Person) -> None:
    found = person.commands()
    for page in person.desk.workshop.navigation.names:
        shown = person.desk.workshop.navigation.open_page(page)
        for button in shown.findChildren(QAbstractButton):
            text = (button.accessibleName() or button.text()).replace("&", "")
            if not button.isVisible() or button.property("kind") in LEFT_OUT or not button.text():
                continue
            same = found.get(text) or found.get(f"{text}…") or found.get(text.removesuffix("…"))
            if not button.isCheckable():
                assert same is not None, text
            if same is not None and not button.isEnabled():
                assert same.reason, text
    assert {"Open report…", "Close", "About SMTP Desk"} < found.keys()
    assert "Find a command…" not in found
    assert "Cancel" not in found  # nothing runs


def test_it_goes_when_another_window_is_looked_at(person: Person, qtbot: QtBot) -> None:
    person.open()
    other = QWidget()
    qtbot.addWidget(other)
    other.show()
    other.activateWindow()
    person.wait_gone()


def test_it_is_named_for_screen_readers(person: Person) -> None:
    palette = person.open()
    edit = palette.findChild(QLineEdit)
    assert edit is not None
    assert edit.accessibleName() == palette.windowTitle() == FIND
    chosen = palette.findChild(QListWidget)
    assert chosen is not None
    spoken = [
        chosen.item(row).data(Qt.ItemDataRole.AccessibleTextRole) for row in range(chosen.count())
    ]
    assert "Save, Ctrl+S, Send a successful test email first." in spoken
    assert "General, Settings" in spoken


def test_titles_that_begin_so_come_first(person: Person) -> None:
    offered = list(person.commands().values())
    assert next(each.title for each in matching(offered, "test")) == "Send test email"
    assert next(each.title for each in matching(offered, "EMAIL ty")) == "Email types"
    assert [each.title for each in matching(offered, "email test send")] == ["Send test email"]
    assert matching(offered, "") == offered
