"""Closing a window: nothing that was typed is lost unasked, and nothing unproven is saved."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QColor
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLineEdit, QMessageBox, QPushButton, QWidget

from smtp_desk.app.page_presenter import Busy
from smtp_desk.app.services import Services
from smtp_desk.sandbox.server import Sandbox
from smtp_desk.ui.desk import Desk
from smtp_desk.ui.leaving import Leaving
from tests.ui.states import EMPTY, TYPED
from tests.ui.test_desk import SLOW_MS, SUCCESS, Person, fill, sandbox
from tests.ui.test_relay_dialog import dialog, find, services

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from pytestqt.qtbot import QtBot

    from smtp_desk.ui.general.relay_dialog import RelayDialog
    from smtp_desk.ui.widgets.theme import Theme

__all__ = ["dialog", "sandbox", "services"]

PROVEN = replace(TYPED, may_save=True)
SAVING = replace(TYPED, busy=Busy.SAVING)


@pytest.fixture
def leaving(qtbot: QtBot) -> Leaving:
    window = QWidget()
    qtbot.addWidget(window)
    window.show()
    return Leaving(window, "on Integrations")


def question(window: QWidget) -> QMessageBox | None:
    boxes = window.findChildren(QMessageBox, "confirm_close")
    return next((box for box in boxes if box.isVisible()), None)


def offered(window: QWidget) -> set[str]:
    box = question(window)
    return {button.objectName() for button in box.findChildren(QPushButton)} if box else set()


def press(window: QWidget, name: str) -> None:
    box = question(window)
    assert box is not None
    button = box.findChild(QPushButton, name)
    assert button is not None
    button.click()


def test_who_changed_nothing_is_not_asked(leaving: Leaving) -> None:
    assert leaving.may_close()
    leaving.follow(EMPTY)
    assert leaving.may_close()


@pytest.mark.parametrize("busy", [Busy.TESTING, Busy.CANCELLING, Busy.SAVING, Busy.REMOVING])
def test_what_runs_is_ended_without_a_question(leaving: Leaving, busy: Busy) -> None:
    leaving.follow(replace(TYPED, busy=busy))
    assert leaving.may_close()


def test_the_button_that_loses_something_looks_like_it(leaving: Leaving, theme: Theme) -> None:
    window = leaving.parent()
    assert isinstance(window, QWidget)
    leaving.follow(TYPED)
    assert not leaving.may_close()
    box = question(window)
    assert box is not None
    button = box.findChild(QPushButton, "close_without_saving")
    assert button is not None
    colour = button.palette().color(button.foregroundRole())
    assert colour == QColor(theme.colours.danger)


def test_what_is_not_proven_can_be_lost_or_kept_but_not_saved(
    leaving: Leaving, qtbot: QtBot
) -> None:
    window = leaving.parent()
    assert isinstance(window, QWidget)
    leaving.follow(TYPED)
    assert not leaving.may_close()
    assert not leaving.may_close()
    assert len(window.findChildren(QMessageBox)) == 1
    assert offered(window) == {"keep_editing", "close_without_saving"}
    asked = question(window)
    assert asked is not None
    assert "what you typed on Integrations" in asked.informativeText()
    with qtbot.assertNotEmitted(leaving.agreed):
        box = question(window)
        assert box is not None
        QTest.keyClick(box, Qt.Key.Key_Escape)
    assert question(window) is None
    assert not leaving.may_close()
    closed: list[bool] = []
    leaving.agreed.connect(lambda: closed.append(leaving.may_close()))
    press(window, "close_without_saving")
    assert closed == [True]
    assert not leaving.may_close()


@pytest.mark.parametrize(
    ("after", "agreed"),
    [(EMPTY, True), (PROVEN, False)],
    ids=["saved", "not saved"],
)
def test_what_is_proven_is_saved_first(leaving: Leaving, after: object, *, agreed: bool) -> None:
    window = leaving.parent()
    assert isinstance(window, QWidget)
    leaving.follow(PROVEN)
    leaving.save_wanted.connect(lambda: leaving.follow(SAVING))
    told: list[bool] = []
    leaving.agreed.connect(lambda: told.append(True))
    assert not leaving.may_close()
    assert offered(window) == {"keep_editing", "close_without_saving", "save_and_close"}
    press(window, "save_and_close")
    assert told == []
    leaving.follow(after)  # type: ignore[arg-type]
    assert told == [True] * agreed
    leaving.follow(EMPTY)
    assert told == [True] * agreed


def test_a_save_that_was_not_begun_closes_nothing_later(leaving: Leaving, qtbot: QtBot) -> None:
    window = leaving.parent()
    assert isinstance(window, QWidget)
    leaving.follow(PROVEN)
    assert not leaving.may_close()
    press(window, "save_and_close")
    with qtbot.assertNotEmitted(leaving.agreed):
        leaving.follow(EMPTY)


@pytest.fixture
def open_desk(qtbot: QtBot, tmp_path: Path) -> Iterator[Callable[[], Person]]:
    """Desks on one home that is not the sandbox's."""
    shared = replace(Services.sandbox(tmp_path / "desk"), sandboxed=False)
    desks = []

    def opened() -> Person:
        desk = Desk(lambda: shared)
        desks.append(desk)
        with qtbot.waitSignal(desk.furnished, timeout=SLOW_MS):
            desk.window.show()
        person = Person(desk, qtbot)
        person.wait(person.see(QPushButton, "send_test").isEnabled)
        return person

    yield opened
    for desk in desks:
        desk.window.may_close = None
        desk.window.close()
        desk.close()
        desk.window.deleteLater()


def test_a_desk_is_kept_saved_and_closed(
    open_desk: Callable[[], Person], sandbox: tuple[Sandbox, Path]
) -> None:
    server, _ = sandbox
    person = open_desk()
    window = person.desk.window
    fill(person, sandbox, server.password.reveal())
    assert not window.close()
    press(window, "keep_editing")
    assert window.isVisible()
    person.press("send_test")
    person.wait(lambda: person.outcome == SUCCESS)
    person.desk.workshop.navigation.open_page("general")
    assert not window.close()
    press(window, "save_and_close")
    person.wait(lambda: not window.isVisible())

    again = open_desk()
    assert again.see(QLineEdit, "port").text() == str(server.starttls_port)
    assert again.desk.window.close()


def test_what_acts_at_once_acts_although_the_window_closes(
    open_desk: Callable[[], Person], qtbot: QtBot, services: Services
) -> None:
    person = open_desk()
    window = person.desk.window
    person.desk.workshop.navigation.open_page("general")
    window.activateWindow()
    qtbot.waitUntil(window.isActiveWindow)
    edit = person.see(QLineEdit, "company_name")
    edit.setFocus()
    QTest.keyClicks(edit, "Example Partners")
    assert services.store.load().preferences.company_name == ""
    assert window.close()
    person.desk.close()
    assert services.store.load().preferences.company_name == "Example Partners"


def test_the_relay_is_not_lost_by_escape(dialog: RelayDialog) -> None:
    edit = find(dialog, QLineEdit, "host")
    edit.setText("relay.example.org")
    QTest.keyClick(edit, Qt.Key.Key_Return)
    dialog.reject()
    assert dialog.isVisible()
    press(dialog, "close_without_saving")
    assert not dialog.isVisible()
