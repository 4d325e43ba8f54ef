"""Email types in the whole desk: a sample by the saved server, into a real inbox."""

from __future__ import annotations

from email import message_from_bytes, policy
from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLabel, QLineEdit, QListWidget, QPushButton

from smtp_desk.app.services import Services
from smtp_desk.sandbox.server import Sandbox
from smtp_desk.sender.mail.kinds import VARIANTS
from smtp_desk.store.stored import Preferences
from smtp_desk.ui.desk import Desk
from tests.app.sandboxed import sending_through

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pytestqt.qtbot import QtBot

SLOW_MS = 30_000


@pytest.fixture
def server() -> Iterator[Sandbox]:
    with Sandbox() as made:
        yield made


@pytest.fixture
def services(tmp_path: Path, server: Sandbox) -> Services:
    made = sending_through(server, tmp_path / "desk")
    made.store.save_preferences(Preferences(company_name="Example Network"))
    return made


def test_a_sample_arrives_as_it_was_shown(
    qtbot: QtBot, services: Services, server: Sandbox
) -> None:
    desk = Desk(lambda: services)
    qtbot.addWidget(desk.window)
    with qtbot.waitSignal(desk.furnished, timeout=SLOW_MS):
        desk.window.show()
    page = desk.workshop.navigation.open_page("email_types")
    variants = page.findChild(QListWidget, "email_variants")
    subject, result = (page.findChild(QLabel, n) for n in ("email_subject", "sample_result"))
    recipient = page.findChild(QLineEdit, "sample_recipient")
    send = page.findChild(QPushButton, "send_sample")
    assert variants is not None
    assert subject is not None
    assert result is not None
    assert recipient is not None
    assert send is not None
    qtbot.waitUntil(lambda: variants.count() == len(VARIANTS), timeout=SLOW_MS)
    variants.setCurrentRow(VARIANTS.index("invitation"))
    qtbot.waitUntil(lambda: subject.text() == "Bo invites you to Example Network", timeout=SLOW_MS)
    QTest.keyClicks(recipient, "ann@example.org")
    QTest.mouseClick(send, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: send.isEnabled() and bool(result.text()), timeout=SLOW_MS)
    assert result.text() == "Accepted for ann@example.org by: Custom SMTP server."
    (mail,) = server.inbox.mails()
    message = message_from_bytes(mail.raw, policy=policy.default)
    assert message["From"] == f"Example Network <{server.username}>"
    assert message["To"] == "ann@example.org"
    assert message["Subject"] == subject.text()
    assert [entry.kind for entry in services.outbox.page().entries] == ["invitation"]
    desk.close()
