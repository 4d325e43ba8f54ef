"""The window of the organization's relay against the embedded mail server."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLabel, QLineEdit, QPushButton, QWidget

from smtp_desk.app.services import Services
from smtp_desk.core.texts import SUCCESS, UNREACHABLE
from smtp_desk.sandbox.server import Sandbox
from smtp_desk.store.stored import DefaultKind
from smtp_desk.ui.general.relay_dialog import RelayDialog
from smtp_desk.ui.integrations.view import IntegrationsView
from smtp_desk.ui.widgets.page import FRAME_NAMES
from smtp_desk.ui.worker import Worker
from tests.store.settings import secret_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pytestqt.qtbot import QtBot

    from smtp_desk.ui.widgets.theme import Theme

W = TypeVar("W", bound=QWidget)
SLOW_MS = 30_000


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox() as running:
        yield running


@pytest.fixture
def services(tmp_path: Path) -> Services:
    return Services.sandbox(tmp_path / "desk")


@pytest.fixture
def dialog(qtbot: QtBot, theme: Theme, services: Services) -> Iterator[RelayDialog]:
    worker = Worker()
    made = RelayDialog(services, worker, theme)
    qtbot.addWidget(made)
    made.start()
    qtbot.waitUntil(lambda: not find(made, QLineEdit, "host").isReadOnly())
    yield made
    assert worker.close()


def find(dialog: RelayDialog, kind: type[W], name: str) -> W:
    found = dialog.findChild(kind, f"relay_{name}")
    assert isinstance(found, kind), name
    return found


def fill(dialog: RelayDialog, sandbox: Sandbox, ca_file: Path, **other: str) -> None:
    texts = {
        "host": "localhost",
        "port": str(sandbox.starttls_port),
        "username": sandbox.username,
        "password": sandbox.password.reveal(),
        "from_email": "desk@sandbox.test",
        "ca_file": str(ca_file),
        "recipient": "ann@sandbox.test",
    }
    ca_file.write_text(sandbox.ca_pem)
    for name, text in (texts | other).items():
        edit = find(dialog, QLineEdit, name)
        edit.setText(text)
        QTest.keyClick(edit, Qt.Key.Key_Return)


def send(dialog: RelayDialog, qtbot: QtBot, outcome: str) -> None:
    find(dialog, QPushButton, "send_test").click()
    line = find(dialog, QLabel, "outcome")
    qtbot.waitUntil(lambda: line.isVisible() and line.text() == outcome, timeout=SLOW_MS)


def test_it_saves_what_a_test_has_proven_and_nothing_else(
    dialog: RelayDialog, services: Services, sandbox: Sandbox, tmp_path: Path, qtbot: QtBot
) -> None:
    save = find(dialog, QPushButton, "save")
    fill(dialog, sandbox, tmp_path / "ca.pem", password="wrong")
    send(dialog, qtbot, UNREACHABLE)
    assert not save.isEnabled()
    fill(dialog, sandbox, tmp_path / "ca.pem")
    send(dialog, qtbot, SUCCESS)
    save.click()
    qtbot.waitUntil(lambda: services.store.load().default.kind is DefaultKind.SMTP)
    stored = services.store.load()
    assert stored.server is None
    assert stored.default.server
    assert secret_of(services.store, stored.default.server) == sandbox.password
    status = find(dialog, QLabel, "status")
    qtbot.waitUntil(lambda: status.text() == "Proven. localhost can send emails.")


def test_its_parts_have_names_of_their_own(dialog: RelayDialog, theme: Theme) -> None:
    names = {part.objectName() for part in dialog.findChildren(QWidget)}
    page = IntegrationsView(theme).page
    taken = {part.objectName() for part in page.findChildren(QWidget)}
    assert {"host", "send_test", "outcome", "save"} <= taken
    own = {name for name in names & taken if not name.startswith("qt_")}
    assert own == {"", *FRAME_NAMES}
    page.deleteLater()


def test_it_has_no_switch(dialog: RelayDialog) -> None:
    assert not find(dialog, QWidget, "enabled").isVisible()
    assert find(dialog, QLabel, "status").text() == "No relay is set up yet."


def test_enter_in_a_field_presses_nothing(dialog: RelayDialog) -> None:
    QTest.keyClick(find(dialog, QLineEdit, "host"), Qt.Key.Key_Return)
    assert dialog.isVisible()
    assert not any(button.isDefault() for button in dialog.findChildren(QPushButton))


def test_escape_closes_it_and_it_opens_again(
    dialog: RelayDialog, services: Services, qtbot: QtBot
) -> None:
    dialog.activateWindow()
    qtbot.waitUntil(dialog.isActiveWindow)
    with qtbot.waitSignal(dialog.closed):
        QTest.keyClick(find(dialog, QLineEdit, "host"), Qt.Key.Key_Escape)
    assert not dialog.isVisible()
    dialog.start()
    qtbot.waitUntil(dialog.isVisible)
    assert not services.paths.settings_file.exists()


def test_closing_cancels_the_test_that_runs(
    dialog: RelayDialog, sandbox: Sandbox, tmp_path: Path, qtbot: QtBot
) -> None:
    fill(dialog, sandbox, tmp_path / "ca.pem", recipient="slow@sandbox.test")
    find(dialog, QPushButton, "send_test").click()
    cancel = find(dialog, QPushButton, "cancel_test")
    assert cancel.isVisibleTo(dialog)
    with qtbot.waitSignal(dialog.closed):
        dialog.reject()
    qtbot.waitUntil(lambda: not cancel.isVisibleTo(dialog))
