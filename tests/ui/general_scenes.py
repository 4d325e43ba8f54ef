"""Scenes of the General page: the real page over settings of its own."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Final

from PySide6.QtWidgets import QComboBox, QLabel, QLineEdit, QPushButton

from smtp_desk.app.general.alerting import AlertsPresenter
from smtp_desk.app.general.presenter import GeneralPresenter
from smtp_desk.app.general.updating import UpdatesPresenter
from smtp_desk.app.installation import Installation
from smtp_desk.app.notice import Notice
from smtp_desk.app.services import Services
from smtp_desk.app.updates import Updates
from smtp_desk.core.secret import Secret
from smtp_desk.core.settings import Security, ServerSettings
from smtp_desk.store.stored import DefaultKind, DefaultService, Preferences
from smtp_desk.ui.general.view import GeneralView
from tests.app.faces import DeferredRunner

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pytestqt.qtbot import QtBot

RELAY: Final = ServerSettings(host="relay.example.org", port=587, from_email="desk@example.org")


class Scene:
    """A page that is shown, with everything behind it."""

    def __init__(self, home: Path) -> None:
        self.services = Services.sandbox(home)
        self.runner = DeferredRunner()
        self.services.store.save_preferences(Preferences("Example Partners", "ann@example.org"))
        self.view = GeneralView()
        self.presenter = GeneralPresenter(self.services, self.runner, self.view)
        self.view.attach(self.presenter)
        self.alerts = AlertsPresenter(self.services, self.runner, self.view)
        self.view.attach_alerts(self.alerts)
        self.updates = UpdatesPresenter(self.services, self.runner, self.view)
        self.view.attach_updates(self.updates)
        self.page = self.view.page

    def button(self, name: str) -> QPushButton:
        """Return a button of the page."""
        found = self.page.findChild(QPushButton, name)
        assert isinstance(found, QPushButton), name
        return found

    def text(self, name: str) -> str:
        """Return what a label says, "" if it can't be seen."""
        found = self.page.findChild(QLabel, name)
        assert isinstance(found, QLabel), name
        return found.text() if found.isVisible() else ""

    def load(self) -> None:
        """Read what is saved."""
        self.presenter.load()
        self.runner.finish()

    def choose(self, kind: DefaultKind) -> None:
        """Choose a kind of default email service."""
        box = self.page.findChild(QComboBox, "default_kind")
        assert isinstance(box, QComboBox)
        box.setCurrentIndex(box.findData(str(kind)))

    def save_relay(self, *, edited: bool = False) -> None:
        """Save a relay; one whose file was `edited` is not proven."""
        self.services.store.save_server(RELAY, Security.STARTTLS, Secret(""), default=True)
        if edited:
            file = self.services.paths.settings_file
            file.write_text(file.read_text().replace("desk@", "other@"))


def shown(qtbot: QtBot, home: Path) -> Scene:
    """Show a page, large enough for all its cards."""
    made = Scene(home)
    qtbot.addWidget(made.page)
    made.page.resize(900, 1200)
    made.page.show()
    made.runner.finish()
    return made


def _outbox(scene: Scene) -> None:
    scene.load()


def _sendmail(scene: Scene) -> None:
    service = DefaultService(DefaultKind.SENDMAIL, sys.executable, "desk@example.org")
    scene.services.store.save_default(service)
    scene.load()


def _problems(scene: Scene) -> None:
    scene.load()
    scene.choose(DefaultKind.SENDMAIL)
    path = scene.page.findChild(QLineEdit, "sendmail_path")
    button = scene.page.findChild(QPushButton, "use_sendmail")
    assert isinstance(path, QLineEdit)
    assert isinstance(button, QPushButton)
    path.setText("sendmail")
    button.click()
    scene.runner.finish()


def _no_relay(scene: Scene) -> None:
    scene.load()
    scene.choose(DefaultKind.SMTP)


def _relay(scene: Scene) -> None:
    scene.save_relay()
    scene.load()


def _unproven(scene: Scene) -> None:
    scene.save_relay(edited=True)
    scene.load()


def _alerts(scene: Scene) -> None:
    """Two services, of which one did not take the test alert."""
    scene.load()
    scene.alerts.load()
    scene.runner.finish()
    scene.alerts.add("ntfys://alerts.example.org/desk slack://T1/B2/C3")
    scene.runner.finish()
    scene.alerts._show(
        notice=None,
        results=(
            ("ntfys", Notice("Sent. Check that it arrived.")),
            ("slack", Notice("The service refused it, or can’t be reached.", error=True)),
        ),
    )


def _updates(scene: Scene) -> None:
    """A check that found a newer version."""
    scene.load()
    button = scene.page.findChild(QPushButton, "check_updates")
    assert isinstance(button, QPushButton)
    scene.page.bring_into_view(button)
    scene.updates._tell(" ".join(Updates("0.1.0", "0.2.0", newer=True).lines(Installation.DEB)))


SCENES: Final[dict[str, Callable[[Scene], None]]] = {
    "outbox": _outbox,
    "sendmail": _sendmail,
    "problems": _problems,
    "no_relay": _no_relay,
    "relay": _relay,
    "unproven": _unproven,
    "alerts": _alerts,
    "updates": _updates,
}
