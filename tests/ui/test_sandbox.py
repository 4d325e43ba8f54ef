"""Try with the built-in sandbox: the form is filled in, a test arrives, all is forgotten."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QLabel, QLineEdit, QListWidget, QPushButton

from smtp_desk.app.services import Services
from smtp_desk.ui.desk import Desk
from smtp_desk.ui.sandbox.sandbox_desk import SandboxDesk

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytestqt.qtbot import QtBot

SLOW_MS = 30_000


@pytest.fixture
def sandbox(qtbot: QtBot) -> Iterator[SandboxDesk]:
    made = SandboxDesk()
    with qtbot.waitSignal(made.opened, timeout=SLOW_MS):
        made.start()
    yield made
    made.close()


def test_one_click_sends_a_mail_that_arrives_in_the_inbox(
    sandbox: SandboxDesk, qtbot: QtBot
) -> None:
    assert sandbox.desk is not None
    assert sandbox.inbox is not None
    window = sandbox.desk.window
    assert "Sandbox" in window.windowTitle()
    qtbot.waitUntil(
        lambda: any(edit.text() == "ann@example.org" for edit in window.findChildren(QLineEdit)),
        timeout=SLOW_MS,
    )
    send = window.findChild(QPushButton, "send_test")
    outcome = window.findChild(QLabel, "outcome")
    mails = sandbox.inbox.findChild(QListWidget, "mails")
    assert isinstance(send, QPushButton)
    assert isinstance(outcome, QLabel)
    assert isinstance(mails, QListWidget)
    send.click()
    qtbot.waitUntil(lambda: outcome.text() == "Test email sent successfully", timeout=SLOW_MS)
    qtbot.waitUntil(lambda: mails.count() == 1, timeout=SLOW_MS)
    headers = sandbox.inbox.findChild(QLabel, "mail_headers")
    assert isinstance(headers, QLabel)
    assert "ann@example.org" in headers.text()


def test_closing_forgets_everything(qtbot: QtBot, tmp_path: Path) -> None:
    desk = Desk(lambda: Services.sandbox(tmp_path))
    qtbot.addWidget(desk.window)
    with qtbot.waitSignal(desk.furnished, timeout=SLOW_MS):
        desk.window.show()
    action = desk.window.findChild(QAction, "try_sandbox")
    assert action is None, "a sandbox offers no second one"
    desk.close()


def test_the_home_is_gone_afterwards(qtbot: QtBot) -> None:
    made = SandboxDesk()
    with qtbot.waitSignal(made.opened, timeout=SLOW_MS):
        made.start()
    home = Path(made._home.name)
    assert home.is_dir()
    assert made.desk is not None
    with qtbot.waitSignal(made.closed, timeout=SLOW_MS):
        made.desk.window.close()
    made.close()
    assert not home.exists()
    assert not made._server.running
