"""The default email service on the General page: each choice, its fields, what is said."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, TypeVar

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QComboBox, QLabel, QLineEdit, QPushButton, QWidget

from smtp_desk.app.general.presenter import GeneralPresenter
from smtp_desk.app.services import Services
from smtp_desk.core.settings import Security
from smtp_desk.store.stored import DefaultKind, DefaultService
from smtp_desk.ui.general.default_card import DefaultCard
from smtp_desk.ui.general.view import GeneralView
from smtp_desk.ui.worker import Worker
from tests.store.settings import NEW, NEW_SECRET

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pytestqt.qtbot import QtBot

    from smtp_desk.ui.widgets.theme import Theme

W = TypeVar("W", bound=QWidget)
HELD = "Emails wait in the outbox; a worker sends them once a server is available."


class Card:
    """The card, and short ways to its parts."""

    def __init__(self, card: DefaultCard, presenter: GeneralPresenter, qtbot: QtBot) -> None:
        self.card = card
        self.presenter = presenter
        self._qtbot = qtbot

    def find(self, kind: type[W], name: str) -> W:
        found = self.card.findChild(kind, name)
        assert isinstance(found, kind), name
        return found

    def choose(self, kind: DefaultKind) -> None:
        box = self.find(QComboBox, "default_kind")
        box.setCurrentIndex(box.findData(str(kind)))

    @property
    def chosen(self) -> str:
        return str(self.find(QComboBox, "default_kind").currentData())

    def type(self, name: str, text: str) -> None:
        edit = self.find(QLineEdit, name)
        edit.setFocus()
        edit.selectAll()
        QTest.keyClicks(edit, text)

    def text(self, name: str) -> str:
        return self.find(QLabel, name).text().replace("\u200b", "")

    def said(self) -> list[str]:
        return [label.text() for label in self.card.findChildren(QLabel) if label.isVisible()]

    def wait_for(self, text: str) -> None:
        self._qtbot.waitUntil(lambda: text in self.said())

    def load(self) -> None:
        told: list[object] = []
        self.presenter.subscribe(told.append)
        self.presenter.load()
        self._qtbot.waitUntil(lambda: bool(told))


@pytest.fixture
def services(tmp_path: Path) -> Services:
    return Services.sandbox(tmp_path / "desk")


@pytest.fixture
def card(qtbot: QtBot, theme: Theme, services: Services) -> Iterator[Card]:
    worker = Worker()
    view = GeneralView()
    presenter = GeneralPresenter(services, worker, view)
    view.attach(presenter)
    qtbot.addWidget(view.page)
    view.page.resize(640, 900)
    view.page.show()
    view.page.activateWindow()
    qtbot.waitUntil(view.page.isActiveWindow)
    made = view.page.findChild(DefaultCard)
    assert isinstance(made, DefaultCard)
    yield Card(made, presenter, qtbot)
    assert worker.close()


def saved(services: Services) -> DefaultService:
    return services.store.load().default


def save_relay(services: Services) -> None:
    services.store.save_server(NEW, Security.TLS, NEW_SECRET, default=True)


def test_a_fresh_machine_holds_emails_and_hides_the_fields(card: Card) -> None:
    card.load()
    assert card.chosen == DefaultKind.OUTBOX
    assert card.text("default_status") == HELD
    assert not card.find(QLineEdit, "sendmail_path").isVisible()
    assert not card.find(QPushButton, "set_up_relay").isVisible()


def test_sendmail_is_used_once_both_fields_are_right(card: Card, services: Services) -> None:
    card.load()
    card.choose(DefaultKind.SENDMAIL)
    assert card.text("default_status") == HELD, "what holds is not what is only looked at"
    card.type("sendmail_path", sys.executable)
    card.type("default_from_email", "desk@example.org")
    card.find(QPushButton, "use_sendmail").click()
    card.wait_for("Saved.")
    assert saved(services) == DefaultService(
        DefaultKind.SENDMAIL, sys.executable, "desk@example.org"
    )
    assert card.text("default_status").startswith("Emails are sent through")


def test_problems_stand_beside_their_fields_and_the_first_gets_the_focus(
    card: Card, services: Services
) -> None:
    card.load()
    card.choose(DefaultKind.SENDMAIL)
    card.type("sendmail_path", "sendmail")
    card.find(QPushButton, "use_sendmail").click()
    card.wait_for("Fix the errors first. Nothing was changed.")
    path, address = (card.find(QLineEdit, name) for name in ("sendmail_path", "default_from_email"))
    assert path.accessibleDescription().startswith("Enter the full path")
    assert address.accessibleDescription() == "Enter an email address."
    assert path.hasFocus()
    assert saved(services) == DefaultService()


def test_a_field_complains_once_it_was_left_then_with_every_keystroke(
    card: Card, qtbot: QtBot
) -> None:
    card.load()
    card.choose(DefaultKind.SENDMAIL)
    address = card.find(QLineEdit, "default_from_email")
    card.type("default_from_email", "desk")
    assert "name@example.com" not in address.accessibleDescription()
    QTest.keyClick(address, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: "name@example.com" in address.accessibleDescription())
    assert card.find(QLineEdit, "sendmail_path").accessibleDescription().startswith("Usually")
    QTest.keyClicks(address, "@example.org")
    qtbot.waitUntil(lambda: address.accessibleDescription().startswith("The default service sends"))


def test_the_outbox_acts_at_once(card: Card, services: Services) -> None:
    save_relay(services)
    card.load()
    assert card.chosen == DefaultKind.SMTP
    card.choose(DefaultKind.OUTBOX)
    card.wait_for("Saved.")
    assert saved(services).kind is DefaultKind.OUTBOX
    assert card.text("default_status") == HELD


def test_a_proven_relay_is_used_again_at_once(card: Card, services: Services) -> None:
    save_relay(services)
    services.store.save_default(DefaultService(server=saved(services).server))
    card.load()
    card.choose(DefaultKind.SMTP)
    card.wait_for("Saved.")
    assert saved(services).kind is DefaultKind.SMTP
    assert card.text("default_relay") == f"{NEW.host}, from {NEW.from_email}. Proven."
    assert card.find(QPushButton, "set_up_relay").text().startswith("Change your organization’s")


def test_an_unproven_relay_is_never_used(card: Card, services: Services) -> None:
    save_relay(services)
    services.store.save_default(DefaultService(server=saved(services).server))
    file = services.paths.settings_file
    file.write_text(file.read_text().replace(NEW.host, "evil.example.test"))
    card.load()
    card.choose(DefaultKind.SMTP)
    assert "changed outside SMTP Desk" in card.text("default_relay")
    card.load()
    assert card.chosen == DefaultKind.OUTBOX
    assert saved(services).kind is DefaultKind.OUTBOX


def test_without_a_relay_its_form_is_offered(card: Card, qtbot: QtBot) -> None:
    card.load()
    card.choose(DefaultKind.SMTP)
    assert card.text("default_relay").startswith("No relay is set up yet.")
    assert card.find(QPushButton, "set_up_relay").text().startswith("Set up your organization’s")
    with qtbot.waitSignal(card.card.relay_wanted):
        card.find(QPushButton, "set_up_relay").click()


def test_what_can_not_be_saved_is_said_and_not_chosen(
    card: Card, services: Services, monkeypatch: pytest.MonkeyPatch, qtbot: QtBot
) -> None:
    def full(_stored: object) -> None:
        raise OSError(28, "No space left on device")

    save_relay(services)
    card.load()
    monkeypatch.setattr(services.store._file, "write", full)
    card.choose(DefaultKind.OUTBOX)
    qtbot.waitUntil(lambda: any("The disk is full." in text for text in card.said()))
    assert card.chosen == DefaultKind.SMTP


@pytest.mark.parametrize(
    ("name", "label"),
    [
        ("default_kind", "Default email service"),
        ("sendmail_path", "Path of sendmail"),
        ("default_from_email", "From email"),
    ],
)
def test_readers_hear_the_visible_labels(card: Card, name: str, label: str) -> None:
    assert card.find(QWidget, name).accessibleName() == label
