"""The General page: what it shows, saves and says; nothing waits for a Save button."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QComboBox, QLabel, QLineEdit

from smtp_desk.app.services import Services
from smtp_desk.store.stored import Preferences
from smtp_desk.ui.general.page import GeneralPage
from smtp_desk.ui.general.preferences import PreferencesKeeper
from smtp_desk.ui.label import breakable
from smtp_desk.ui.worker import Worker

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pytestqt.qtbot import QtBot

    from smtp_desk.ui.theme import Theme


@pytest.fixture
def services(tmp_path: Path) -> Services:
    return Services.sandbox(tmp_path / "desk")


@pytest.fixture
def keeper(services: Services) -> Iterator[PreferencesKeeper]:
    worker = Worker()
    yield PreferencesKeeper(services.store, worker)
    assert worker.close()


@pytest.fixture
def page(qtbot: QtBot, theme: Theme, keeper: PreferencesKeeper) -> GeneralPage:
    made = GeneralPage(keeper)
    qtbot.addWidget(made)
    made.show()
    return made


def company(page: GeneralPage) -> QLineEdit:
    found = page.findChild(QLineEdit, "company_name")
    assert isinstance(found, QLineEdit)
    return found


def test_a_changed_name_is_saved_when_the_field_is_left(
    page: GeneralPage, keeper: PreferencesKeeper, services: Services, qtbot: QtBot
) -> None:
    QTest.keyClicks(company(page), " Example & Co ")
    assert keeper.preferences == Preferences()
    with qtbot.waitSignal(keeper.saved):
        QTest.keyClick(company(page), Qt.Key.Key_Return)
    assert services.store.load().preferences == Preferences(company_name="Example & Co")
    assert "Saved." in [label.text() for label in page.findChildren(QLabel) if label.isVisible()]


def test_leaving_without_a_change_saves_nothing(
    page: GeneralPage, keeper: PreferencesKeeper, qtbot: QtBot
) -> None:
    with qtbot.assertNotEmitted(keeper.saved, wait=50):
        QTest.keyClick(company(page), Qt.Key.Key_Return)


def test_a_theme_is_saved_beside_what_others_changed(
    page: GeneralPage, keeper: PreferencesKeeper, services: Services, qtbot: QtBot
) -> None:
    services.store.save_preferences(Preferences(tell_address="bo@example.org"))
    box = page.findChild(QComboBox, "theme")
    assert isinstance(box, QComboBox)
    with qtbot.waitSignal(keeper.saved):
        box.setCurrentIndex(2)
    saved = services.store.load().preferences
    assert saved == Preferences(tell_address="bo@example.org", theme="dark")


def test_what_cannot_be_read_is_said(
    page: GeneralPage, keeper: PreferencesKeeper, services: Services, qtbot: QtBot
) -> None:
    services.paths.ensure()
    services.paths.settings_file.write_text("not = [toml")
    with qtbot.waitSignal(keeper.failed) as failed:
        keeper.load()
    (text,) = failed.args
    assert text.startswith("The settings file can’t be read")
    assert breakable(text) in [
        label.text() for label in page.findChildren(QLabel) if label.isVisible()
    ]
    assert services.paths.settings_file.read_text() == "not = [toml"
