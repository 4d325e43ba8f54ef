"""The one next action in sight, where the focus goes, and what is never lost unasked."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import QRect, QSize, Qt
from PySide6.QtGui import QAccessible, QAction
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QCheckBox, QLabel, QLineEdit, QPushButton, QWidget

from smtp_desk.app.page_presenter import Busy
from smtp_desk.app.services import Services
from smtp_desk.core.gate import Outcome, SaveHint
from smtp_desk.core.problems import Field
from smtp_desk.ui.desk import Desk
from smtp_desk.ui.integrations import view
from smtp_desk.ui.integrations.words import LAST_TEST
from smtp_desk.ui.main_window import MainWindow, fitting
from smtp_desk.ui.widgets.announce import announce
from tests.ui.states import FILLED, OFF, SCENES, STORED, TYPED, Scene
from tests.ui.test_desk import SLOW_MS

if TYPE_CHECKING:
    from pathlib import Path

    from pytestqt.qtbot import QtBot

    from smtp_desk.ui.widgets.theme import Theme
    from tests.ui.conftest import Stage

NARROW, WIDE = QSize(700, 1600), QSize(1100, 1600)
SAVED_OFF = SCENES["saved_off"].state


def accents(page: QWidget) -> list[str]:
    """The buttons in the accent colour, seen and enabled."""
    return [
        button.objectName()
        for button in page.findChildren(QPushButton)
        if button.isVisible() and button.isEnabled() and button.property("kind") == "primary"
    ]


@pytest.mark.parametrize(
    ("scene", "narrow", "wide"),
    [
        ("empty", "send_test_now", "send_test"),
        ("problems", "send_test_now", "send_test"),
        ("failure", "send_test_now", "send_test"),
        ("changed", "send_test_now", "send_test"),
        ("success", "save", "save"),
        ("saved_off", "turn_on", "turn_on"),
    ],
)
def test_there_is_one_accent_and_it_is_the_next_step(
    page: Stage, scene: str, narrow: str, wide: str
) -> None:
    shown: Scene = SCENES[scene]
    page.view.render(shown.state)
    for size, expected in ((NARROW, narrow), (WIDE, wide), (NARROW, narrow)):
        page.view.page.resize(size)
        QApplication.processEvents()
        assert accents(page.view.page) == [expected]


def test_once_all_is_saved_and_on_nothing_is_accented(page: Stage) -> None:
    page.view.render(SCENES["saved"].state)
    assert accents(page.view.page) == []


def test_the_test_stays_in_sight_beside_a_form_that_scrolls(page: Stage) -> None:
    page.view.page.resize(1100, 420)
    page.view.render(TYPED)
    QApplication.processEvents()
    page.view.page.area.verticalScrollBar().setValue(10_000)
    assert not page.find(QPushButton, "send_test").visibleRegion().isEmpty()
    assert not page.find(QLineEdit, "recipient").visibleRegion().isEmpty()


def test_the_next_step_after_save_turns_the_server_on(page: Stage) -> None:
    page.view.render(SAVED_OFF)
    page.find(QPushButton, "turn_on").click()
    assert page.calls == [("switch", True)]


def test_after_save_the_focus_is_on_the_next_step_and_on_nothing_that_destroys(
    page: Stage,
) -> None:
    proven = replace(TYPED, may_save=True, save_hint=SaveHint.NONE, outcome=Outcome.SUCCESS)
    page.view.render(proven)
    save = page.find(QPushButton, "save")
    save.setFocus()
    page.view.render(replace(proven, may_save=False, busy=Busy.SAVING))
    focused = QApplication.focusWidget()
    assert focused is not None
    assert focused.objectName() == "save_hint"
    page.view.render(SAVED_OFF)
    assert page.find(QPushButton, "turn_on").hasFocus()
    page.view.render(replace(SAVED_OFF, busy=Busy.SWITCHING))
    page.view.render(SCENES["saved"].state)
    focused = QApplication.focusWidget()
    assert focused is not None
    assert focused.objectName() not in {"remove", "discard"}


@pytest.mark.parametrize("scene", ["failure", "last_test", "long"])
def test_after_a_failure_the_next_stop_is_a_remedy(page: Stage, scene: str) -> None:
    page.view.show_draft(FILLED, "ann@example.org")
    page.view.render(SCENES[scene].state)
    page.view.focus_outcome()
    focused = QApplication.focusWidget()
    assert focused is not None
    QTest.keyClick(focused, Qt.Key.Key_Tab)
    after = QApplication.focusWidget()
    assert after is not None
    assert after.objectName().startswith(("remedy_", "details"))


def test_outcomes_and_notices_are_announced(page: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[tuple[str, bool]] = []
    monkeypatch.setattr(
        view, "announce", lambda _widget, text, *, urgent: said.append((text, urgent))
    )
    page.view.render(replace(TYPED, busy=Busy.TESTING))
    assert said == []
    page.view.render(SCENES["failure"].state)
    ((text, urgent),) = said
    assert text.startswith("Could not reach the SMTP server. Verify the host and port. The server")
    assert urgent
    said.clear()
    page.view.render(SCENES["saved_off"].state)
    assert [text for text, _ in said] == [SAVED_OFF.notice.text if SAVED_OFF.notice else ""]
    page.view.render(SCENES["saved_off"].state)
    assert len(said) == 1, "the same is not said twice"


def test_an_announcement_reaches_the_bridge(page: Stage) -> None:
    announce(page.view.page, "Test email sent successfully")
    announce(page.view.page, "", urgent=True)


def test_discard_asks_and_keeps_what_was_typed_unless_told(page: Stage) -> None:
    page.view.render(SCENES["failure"].state)
    page.find(QPushButton, "discard").click()
    keep = page.find(QPushButton, "keep_editing")
    assert keep.isDefault()
    keep.click()
    assert page.calls == []


@pytest.mark.parametrize("on", [True, False])
def test_the_switch_toggled_by_a_screen_reader_tells_the_truth(page: Stage, *, on: bool) -> None:
    page.view.render(SAVED_OFF if on else SCENES["saved"].state)
    switch = page.find(QCheckBox, "enabled")
    actions = QAccessible.queryAccessibleInterface(switch).actionInterface()
    actions.doAction("Toggle")
    assert page.calls == [("switch", on)]
    assert switch.isChecked() is not on, "what is not so yet is not shown"


def test_what_failed_stays_while_one_follows_it_marked_as_the_last_test(page: Stage) -> None:
    page.view.render(SCENES["failure"].state)
    mark = page.find(QLabel, "last_test")
    assert not mark.isVisible()
    page.view.render(SCENES["last_test"].state)
    assert page.find(QWidget, "finding").isVisible()
    assert (mark.isVisible(), mark.text()) == (True, LAST_TEST)
    page.view.render(replace(SCENES["last_test"].state, busy=Busy.TESTING))
    assert not page.find(QWidget, "finding").isVisible()


def test_saving_over_what_others_saved_asks_first(page: Stage) -> None:
    state = replace(SCENES["success"].state, outdated=True)
    page.view.render(state)
    assert "outside this window" in page.find(QLabel, "save_hint").text()
    page.find(QPushButton, "save").click()
    assert page.calls == []
    page.find(QPushButton, "confirmed_overwrite").click()
    assert page.calls == [("save", True)]


def test_what_can_be_pasted_into_the_host_is_offered_in_words(page: Stage) -> None:
    page.view.render(SCENES["pasted"].state)
    offer = page.find(QPushButton, "offer_host_and_port")
    assert offer.text() == "Use host smtp.example.org and port 465"
    offer.click()
    assert page.calls == [("accept", "host_and_port")]


@pytest.mark.parametrize(
    ("screen", "most"),
    [
        (QRect(0, 0, 1366, 728), QSize(1257, 670)),
        (QRect(0, 0, 683, 364), QSize(629, 335)),
        (QRect(0, 0, 2560, 1400), QSize(1180, 800)),
    ],
)
def test_the_window_fits_its_screen(screen: QRect, most: QSize) -> None:
    size = fitting(QSize(1180, 800), screen)
    assert size.width() <= most.width()
    assert size.height() <= most.height()


def test_the_window_remembers_its_place(qtbot: QtBot, tmp_path: Path) -> None:
    file = tmp_path / "state" / "window"
    first = MainWindow(sandboxed=False, place_file=file)
    first.resize(731, 547)
    first.show()
    first.close()
    again = MainWindow(sandboxed=False, place_file=file)
    qtbot.addWidget(again)
    assert again.size() == QSize(731, 547)
    file.write_bytes(b"no place")
    qtbot.addWidget(MainWindow(sandboxed=False, place_file=file))


def test_a_fault_while_furnishing_shows_a_sentence(
    qtbot: QtBot, theme: Theme, caplog: pytest.LogCaptureFixture
) -> None:
    def fail() -> Services:
        raise OSError("No space left on device")

    desk = Desk(fail)
    qtbot.addWidget(desk.window)
    with qtbot.captureExceptions() as raised:
        desk.window.show()
        qtbot.waitUntil(lambda: desk.window.centralWidget() is not None, timeout=SLOW_MS)
    told = desk.window.centralWidget()
    assert isinstance(told, QLabel)
    assert "No space left on device" in told.text()
    assert raised
    desk.window.close()
    desk.close()


def test_the_keys_act_wherever_the_focus_is_and_the_menu_names_them(
    qtbot: QtBot, theme: Theme, tmp_path: Path
) -> None:
    desk = Desk(lambda: Services.sandbox(tmp_path / "desk"), sandboxed=True)
    qtbot.addWidget(desk.window)
    with qtbot.waitSignal(desk.furnished, timeout=SLOW_MS):
        desk.window.show()
    desk.window.activateWindow()
    qtbot.waitUntil(desk.window.isActiveWindow)
    strip = desk.window.findChild(QWidget, "sandbox_strip")
    assert strip is not None
    assert strip.isVisible()
    keys = {
        action.objectName(): action.shortcut().toString()
        for action in desk.window.findChildren(QAction)
        if action.shortcut().toString()
    }
    assert {keys[name] for name in ("send_action", "save_action", "cancel_action")} == {
        "Ctrl+T",
        "Ctrl+S",
        "Esc",
    }
    host = desk.window.findChild(QLineEdit, "host")
    assert isinstance(host, QLineEdit)
    qtbot.waitUntil(lambda: not host.isReadOnly(), timeout=SLOW_MS)
    desk.workshop.navigation.take_focus()
    QTest.keyClick(desk.window, Qt.Key.Key_T, Qt.KeyboardModifier.ControlModifier)
    qtbot.waitUntil(host.hasFocus)
    assert host.objectName() == Field.HOST
    desk.window.close()
    desk.close()


def test_scenes_of_a_stored_password_are_those_of_the_saved_server() -> None:
    assert SAVED_OFF.status == OFF
    assert SCENES["saved_off"].draft == STORED
