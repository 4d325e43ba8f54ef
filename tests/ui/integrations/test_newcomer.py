"""Who has only an address and a password is proven and saved within a minute, by keyboard."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLabel, QLineEdit, QWidget

from smtp_desk.app.proposals.proposals import sandbox_network
from smtp_desk.app.services import Services
from smtp_desk.core.texts import SUCCESS
from smtp_desk.sandbox.server import Sandbox
from smtp_desk.smtp.net.tls import client_context
from smtp_desk.ui.desk import Desk

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from pytestqt.qtbot import QtBot

pytestmark = pytest.mark.usefixtures("theme", "unhurried_search")
SLOW_MS = 30_000
MOST_KEYS = 120
"""At five keys a second 24 s of a newcomer's minute; a combination counts as two."""
ALT = Qt.KeyboardModifier.AltModifier
CONTROL = Qt.KeyboardModifier.ControlModifier


class Newcomer:
    """Somebody who works a window by its keys alone, and counts them."""

    def __init__(self, window: QWidget, qtbot: QtBot) -> None:
        self._window = window
        self._qtbot = qtbot
        self.keys = 0

    def press(
        self, key: Qt.Key, held: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier
    ) -> None:
        target = QApplication.focusWidget() or self._window
        self.keys += 2 if held else 1
        QTest.keyClick(target, key, held)

    def type(self, text: str) -> None:
        target = QApplication.focusWidget()
        assert isinstance(target, QLineEdit)
        self.keys += len(text)
        QTest.keyClicks(target, text)

    def wait_for_focus(self, name: str) -> None:
        def focused() -> bool:
            widget = QApplication.focusWidget()
            return widget is not None and widget.objectName() == name

        self.wait(focused)

    def wait(self, condition: Callable[[], bool]) -> None:
        self._qtbot.waitUntil(condition, timeout=SLOW_MS)

    def reads(self, name: str) -> str:
        label = self._window.findChild(QLabel, name)
        assert isinstance(label, QLabel)
        return label.text()

    def field(self, name: str) -> QLineEdit:
        edit = self._window.findChild(QLineEdit, name)
        assert isinstance(edit, QLineEdit)
        return edit

    def stands_in(self, name: str) -> str:
        return self.field(name).text()


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox() as running:
        yield running


@pytest.fixture
def services(tmp_path: Path) -> Services:
    return Services.sandbox(tmp_path / "desk")


@pytest.fixture
def newcomer(
    qtbot: QtBot,
    tmp_path: Path,
    sandbox: Sandbox,
    services: Services,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Newcomer]:
    # The server's certificate is one that the system trusts, as a real provider's is.
    ca_file = tmp_path / "system.pem"
    ca_file.write_text(sandbox.ca_pem, "utf-8")
    monkeypatch.setenv("SSL_CERT_FILE", str(ca_file))
    client_context.cache_clear()
    desk = Desk(lambda: services, network=lambda: sandbox_network(sandbox))
    qtbot.addWidget(desk.window)
    with qtbot.waitSignal(desk.furnished, timeout=SLOW_MS):
        desk.window.show()
    desk.window.activateWindow()
    qtbot.waitUntil(desk.window.isActiveWindow)
    person = Newcomer(desk.window, qtbot)
    person.wait_for_focus("from_email")
    yield person
    desk.window.may_close = lambda: True
    desk.window.close()
    desk.close()
    client_context.cache_clear()


def test_address_and_password_are_enough(
    newcomer: Newcomer,
    sandbox: Sandbox,
    services: Services,
) -> None:
    newcomer.type(sandbox.username)
    newcomer.press(Qt.Key.Key_Tab)
    newcomer.wait_for_focus("find_settings")
    newcomer.press(Qt.Key.Key_Space)
    newcomer.wait_for_focus("use_proposal")
    newcomer.press(Qt.Key.Key_Space)
    newcomer.wait_for_focus("password")
    newcomer.type(sandbox.password.reveal())
    newcomer.press(Qt.Key.Key_T, ALT)
    newcomer.wait_for_focus("recipient")
    newcomer.type("ann@sandbox.test")
    newcomer.press(Qt.Key.Key_Return)
    newcomer.wait_for_focus("outcome")
    assert newcomer.reads("outcome") == SUCCESS
    newcomer.press(Qt.Key.Key_S, CONTROL)
    newcomer.wait(lambda: services.store.load().server is not None)
    newcomer.wait(lambda: newcomer.reads("save_hint").startswith("Saved."))
    assert newcomer.keys <= MOST_KEYS
    assert newcomer.stands_in("host") == "localhost"
    assert newcomer.stands_in("port") == str(sandbox.tls_port)
    (mail,) = sandbox.inbox.mails()
    assert mail.recipients == ("ann@sandbox.test",)


def test_one_press_undoes_what_was_filled_in(newcomer: Newcomer, sandbox: Sandbox) -> None:
    newcomer.press(Qt.Key.Key_E, ALT)
    newcomer.type(sandbox.username)
    newcomer.press(Qt.Key.Key_Tab)
    newcomer.press(Qt.Key.Key_Space)
    newcomer.wait_for_focus("use_proposal")
    newcomer.press(Qt.Key.Key_Space)
    assert newcomer.stands_in("host") == "localhost"
    newcomer.press(Qt.Key.Key_E, ALT)
    for _ in range(3):
        newcomer.press(Qt.Key.Key_Tab)
    newcomer.wait_for_focus("undo_find")
    newcomer.press(Qt.Key.Key_Space)
    assert (newcomer.stands_in("host"), newcomer.stands_in("port")) == ("", "587")
    assert newcomer.stands_in("username") == ""
    assert newcomer.stands_in("from_email") == sandbox.username


def test_what_was_typed_stays(newcomer: Newcomer, sandbox: Sandbox) -> None:
    newcomer.press(Qt.Key.Key_V, ALT)
    newcomer.wait_for_focus("host")
    newcomer.type("mail.example.test")
    newcomer.press(Qt.Key.Key_E, ALT)
    newcomer.type(sandbox.username)
    newcomer.press(Qt.Key.Key_Tab)
    newcomer.press(Qt.Key.Key_Space)
    newcomer.wait_for_focus("use_proposal")
    newcomer.press(Qt.Key.Key_Space)
    assert newcomer.stands_in("host") == "mail.example.test"
    assert newcomer.stands_in("username") == sandbox.username
