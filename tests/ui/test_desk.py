"""The whole desk against the embedded mail server: type, fail, mend, prove, save, close."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QCheckBox, QLabel, QLineEdit, QPushButton, QWidget

from smtp_desk.app.services import Services
from smtp_desk.sandbox.server import Sandbox
from smtp_desk.store.stored import Preferences
from smtp_desk.ui.desk import Desk

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from pytestqt.qtbot import QtBot

    from smtp_desk.ui.widgets.theme import Theme

W = TypeVar("W", bound=QWidget)
SLOW_MS = 30_000
SUCCESS = "Test email sent successfully"
UNREACHABLE = "Could not reach the SMTP server. Verify the host and port."
CHANGED = "Settings changed since the last test. Re-test to enable saving."


class Person:
    """Somebody at the keyboard of a desk."""

    def __init__(self, desk: Desk, qtbot: QtBot) -> None:
        self.desk = desk
        self._qtbot = qtbot

    def see(self, kind: type[W], name: str) -> W:
        found = self.desk.window.findChild(kind, name)
        assert isinstance(found, kind), name
        return found

    def type(self, name: str, text: str) -> None:
        edit = self.see(QLineEdit, name)
        edit.setFocus()
        edit.selectAll()
        QTest.keyClicks(edit, text)
        # Return in the recipient field sends.
        QTest.keyClick(edit, Qt.Key.Key_Tab if name == "recipient" else Qt.Key.Key_Return)

    def press(self, name: str) -> None:
        self.see(QPushButton, name).click()

    def wait(self, condition: Callable[[], bool]) -> None:
        self._qtbot.waitUntil(condition, timeout=SLOW_MS)

    @property
    def outcome(self) -> str:
        label = self.see(QLabel, "outcome")
        return label.text() if label.isVisible() else ""


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Sandbox, Path]]:
    with Sandbox() as server:
        ca_file = tmp_path_factory.mktemp("ca") / "ca.pem"
        ca_file.write_text(server.ca_pem)
        yield server, ca_file


@pytest.fixture
def services(tmp_path: Path) -> Services:
    return Services.sandbox(tmp_path / "desk")


@pytest.fixture
def person(qtbot: QtBot, services: Services) -> Iterator[Person]:
    desk = Desk(lambda: services)
    qtbot.addWidget(desk.window)
    with qtbot.waitSignal(desk.furnished, timeout=SLOW_MS):
        desk.window.show()
    desk.window.activateWindow()
    person = Person(desk, qtbot)
    person.wait(desk.window.isActiveWindow)
    person.wait(person.see(QPushButton, "send_test").isEnabled)
    yield person
    desk.close()


def fill(person: Person, sandbox: tuple[Sandbox, Path], password: str) -> None:
    server, ca_file = sandbox
    person.type("host", "localhost")
    person.type("port", str(server.starttls_port))
    person.type("username", server.username)
    person.type("password", password)
    person.type("from_email", server.username)
    person.type("ca_file", str(ca_file))
    person.type("recipient", "ann@example.org")


def test_the_whole_story(person: Person, sandbox: tuple[Sandbox, Path]) -> None:
    server, _ = sandbox
    fill(person, sandbox, "wrong")
    person.press("send_test")
    person.wait(lambda: person.outcome == UNREACHABLE)
    assert person.see(QWidget, "finding").isVisible()
    assert not person.see(QPushButton, "save").isEnabled()
    person.press("details")
    person.wait(person.see(QWidget, "diagnostics").isVisible)
    assert person.see(QLabel, "verdict").text()
    person.desk.workshop.navigation.open_page("integrations")

    person.type("password", server.password.reveal())
    assert person.outcome == CHANGED
    person.press("send_test")
    person.wait(lambda: person.outcome == SUCCESS)
    assert person.see(QLabel, "outcome").hasFocus()
    assert len(server.inbox) == 1

    person.press("save")
    person.wait(lambda: person.see(QLineEdit, "password").placeholderText() != "")
    assert not person.see(QPushButton, "save").isEnabled()
    assert person.see(QLineEdit, "password").text() == ""
    switch = person.see(QCheckBox, "enabled")
    person.wait(switch.isEnabled)
    switch.click()
    person.wait(lambda: switch.isEnabled() and switch.isChecked())
    assert person.see(QLabel, "status").text().startswith("Active.")


def test_problems_are_shown_all_at_once_and_the_first_takes_the_focus(person: Person) -> None:
    person.press("send_test")
    host = person.see(QLineEdit, "host")
    assert host.hasFocus()
    for name in ("host", "from_email", "recipient"):
        assert person.see(QLineEdit, name).accessibleDescription()
    assert person.outcome == ""


@pytest.mark.parametrize("attempt", range(10))
def test_closing_during_a_test_is_clean(
    person: Person, sandbox: tuple[Sandbox, Path], attempt: int
) -> None:
    server, _ = sandbox
    fill(person, sandbox, server.password.reveal())
    person.press("send_test")
    for _ in range(attempt * 3):
        QTest.qWait(1)
    person.desk.window.close()


def test_the_theme_is_read_and_acts(qtbot: QtBot, theme: Theme, services: Services) -> None:
    services.store.save_preferences(Preferences(company_name="Example Partners", theme="dark"))
    desk = Desk(lambda: services)
    qtbot.addWidget(desk.window)
    light = theme.colours
    desk.window.show()
    qtbot.waitUntil(lambda: theme.colours is not light, timeout=SLOW_MS)
    person = Person(desk, qtbot)
    person.wait(lambda: person.see(QLineEdit, "from_name").text() == "Example Partners")
    desk.workshop.navigation.open_page("general")
    person.type("company_name", "Example & Co")
    qtbot.waitUntil(
        lambda: services.store.load().preferences == Preferences("Example & Co", theme="dark"),
        timeout=SLOW_MS,
    )
    assert person.see(QLineEdit, "from_name").text() == "Example Partners"
    desk.close()


def test_the_sandbox_says_so(qtbot: QtBot, services: Services) -> None:
    desk = Desk(lambda: services, sandboxed=True)
    qtbot.addWidget(desk.window)
    assert "Sandbox" in desk.window.windowTitle()
