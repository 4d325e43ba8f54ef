"""A desk whose server is out, and whose default email service is set up on General."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, TypeVar

import pytest
from PySide6.QtWidgets import QComboBox, QLabel, QLineEdit, QPushButton, QWidget

from smtp_desk.app.services import Services
from smtp_desk.core.settings import Security
from smtp_desk.sender.routes.route import CUSTOM
from smtp_desk.store.stored import DefaultKind
from smtp_desk.ui.desk import Desk
from tests.store.settings import OLD, OLD_SECRET

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pytestqt.qtbot import QtBot

    from smtp_desk.ui.widgets.theme import Theme

W = TypeVar("W", bound=QWidget)
SLOW_MS = 30_000


@pytest.fixture
def services(tmp_path: Path) -> Services:
    services = Services.sandbox(tmp_path / "desk")
    services.store.save_server(OLD, Security.STARTTLS, OLD_SECRET)
    services.store.set_enabled(True)
    services.health.record_failure(CUSTOM, "auth.rejected")
    return services


@pytest.fixture
def desk(qtbot: QtBot, theme: Theme, services: Services) -> Iterator[Desk]:
    made = Desk(lambda: services)
    qtbot.addWidget(made.window)
    with qtbot.waitSignal(made.furnished, timeout=SLOW_MS):
        made.window.show()
    yield made
    made.workshop.cancel()
    made.close()


def see(desk: Desk, kind: type[W], name: str) -> W:
    found = desk.window.findChild(kind, name)
    assert isinstance(found, kind), name
    return found


def test_banner_and_status_line_tell_of_the_outage_until_it_is_over(
    desk: Desk, services: Services, qtbot: QtBot
) -> None:
    status = see(desk, QLabel, "status")
    qtbot.waitUntil(lambda: status.text().startswith("Unavailable, "), timeout=SLOW_MS)
    banner = see(desk, QWidget, "outage")
    assert banner.isVisible()
    services.health.reopen(CUSTOM)
    # Each change of what is saved makes it look again at once.
    desk.workshop.presenter.switch(on=True)
    qtbot.waitUntil(banner.isHidden, timeout=SLOW_MS)
    assert status.text().startswith("Active. ")


def test_a_server_that_is_switched_off_has_no_outage(desk: Desk, qtbot: QtBot) -> None:
    banner = see(desk, QWidget, "outage")
    qtbot.waitUntil(banner.isVisible, timeout=SLOW_MS)
    desk.workshop.presenter.switch(on=False)
    qtbot.waitUntil(banner.isHidden, timeout=SLOW_MS)
    assert see(desk, QLabel, "status").text().startswith("Off. ")


def test_the_status_line_follows_the_default_service(
    desk: Desk, services: Services, qtbot: QtBot
) -> None:
    status = see(desk, QLabel, "status")
    qtbot.waitUntil(lambda: status.text().startswith("Unavailable, "), timeout=SLOW_MS)
    desk.workshop.presenter.switch(on=False)
    qtbot.waitUntil(lambda: status.text().startswith("Off. "), timeout=SLOW_MS)
    assert "wait in the outbox" in status.text()
    desk.workshop.navigation.open_page("general")
    kind = see(desk, QComboBox, "default_kind")
    kind.setCurrentIndex(kind.findData(str(DefaultKind.SENDMAIL)))
    see(desk, QLineEdit, "sendmail_path").setText(sys.executable)
    see(desk, QLineEdit, "default_from_email").setText("desk@example.org")
    see(desk, QPushButton, "use_sendmail").click()
    said = "Off. System emails are sent by the default email service."
    qtbot.waitUntil(lambda: status.text() == said, timeout=SLOW_MS)
    assert services.store.load().default.kind is DefaultKind.SENDMAIL


def test_the_relay_is_set_up_from_general(desk: Desk, services: Services, qtbot: QtBot) -> None:
    desk.workshop.navigation.open_page("general")
    kind = see(desk, QComboBox, "default_kind")
    kind.setCurrentIndex(kind.findData(str(DefaultKind.SMTP)))
    see(desk, QPushButton, "set_up_relay").click()
    dialog = see(desk, QWidget, "relay_dialog")
    qtbot.waitUntil(dialog.isVisible)
    host = dialog.findChild(QLineEdit, "relay_host")
    assert isinstance(host, QLineEdit)
    qtbot.waitUntil(lambda: not host.isReadOnly(), timeout=SLOW_MS)
    assert host.text() == "", "nothing of the custom server"
    # Saved meanwhile, by the command line for instance.
    services.store.save_server(OLD, Security.STARTTLS, OLD_SECRET, default=True)
    dialog.close()
    state = see(desk, QLabel, "default_relay")
    qtbot.waitUntil(lambda: state.text().endswith("Proven."), timeout=SLOW_MS)
    assert kind.currentData() == DefaultKind.SMTP
