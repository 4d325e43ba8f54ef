"""The General page: what it shows, saves and says; nothing waits for a Save button."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QComboBox, QLabel, QLineEdit, QPushButton, QWidget

from smtp_desk.app.services import Services
from smtp_desk.store.stored import Preferences
from smtp_desk.ui.general.default_keeper import DefaultKeeper
from smtp_desk.ui.general.page import GeneralPage
from smtp_desk.ui.general.preferences import PreferencesKeeper
from smtp_desk.ui.widgets.label import breakable
from smtp_desk.ui.worker import Worker

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pytestqt.qtbot import QtBot

    from smtp_desk.ui.widgets.theme import Theme


@pytest.fixture
def services(tmp_path: Path) -> Services:
    return Services.sandbox(tmp_path / "desk")


@pytest.fixture
def worker() -> Iterator[Worker]:
    made = Worker()
    yield made
    assert made.close()


@pytest.fixture
def keeper(services: Services, worker: Worker) -> PreferencesKeeper:
    return PreferencesKeeper(services.store, worker)


@pytest.fixture
def default(services: Services, worker: Worker) -> DefaultKeeper:
    return DefaultKeeper(services, worker)


@pytest.fixture
def page(
    qtbot: QtBot, theme: Theme, keeper: PreferencesKeeper, default: DefaultKeeper
) -> GeneralPage:
    made = GeneralPage(keeper, default)
    qtbot.addWidget(made)
    made.show()
    return made


def company(page: GeneralPage) -> QLineEdit:
    found = page.findChild(QLineEdit, "company_name")
    assert isinstance(found, QLineEdit)
    return found


def told_below(control: QWidget) -> list[str]:
    """The answer that stands below a field, if any."""
    field = control.parentWidget()
    assert field is not None
    labels = field.findChildren(QLabel)
    return [each.text() for each in labels if each.text() == "Saved." and each.isVisible()]


def test_a_changed_name_is_saved_when_the_field_is_left(
    page: GeneralPage, keeper: PreferencesKeeper, services: Services, qtbot: QtBot
) -> None:
    QTest.keyClicks(company(page), " Example & Co ")
    assert keeper.preferences == Preferences()
    with qtbot.waitSignal(keeper.saved):
        QTest.keyClick(company(page), Qt.Key.Key_Return)
    assert services.store.load().preferences == Preferences(company_name="Example & Co")
    assert told_below(company(page)) == ["Saved."]
    box = page.findChild(QComboBox, "theme")
    assert isinstance(box, QComboBox)
    with qtbot.waitSignal(keeper.saved):
        box.setCurrentIndex(1)
    assert told_below(company(page)) == []
    assert told_below(box) == ["Saved."]


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


def tell(page: GeneralPage) -> QLineEdit:
    found = page.findChild(QLineEdit, "tell_address")
    assert isinstance(found, QLineEdit)
    return found


def test_who_is_told_of_outages_is_saved_when_the_field_is_left(
    page: GeneralPage, keeper: PreferencesKeeper, services: Services, qtbot: QtBot
) -> None:
    QTest.keyClicks(tell(page), " ann@example.org ")
    with qtbot.waitSignal(keeper.saved):
        QTest.keyClick(tell(page), Qt.Key.Key_Return)
    assert services.store.load().preferences.tell_address == "ann@example.org"
    tell(page).clear()
    with qtbot.waitSignal(keeper.saved):
        QTest.keyClick(tell(page), Qt.Key.Key_Return)
    assert services.store.load().preferences.tell_address == ""
    assert tell(page).accessibleDescription().startswith("Gets one email")


def test_an_address_that_is_none_is_not_saved(
    page: GeneralPage, keeper: PreferencesKeeper, qtbot: QtBot
) -> None:
    QTest.keyClicks(tell(page), "ann")
    assert "name@example.com" not in tell(page).accessibleDescription()
    with qtbot.assertNotEmitted(keeper.saved, wait=50):
        QTest.keyClick(tell(page), Qt.Key.Key_Return)
    assert "name@example.com" in tell(page).accessibleDescription()
    QTest.keyClicks(tell(page), "@example.org")
    assert "name@example.com" not in tell(page).accessibleDescription()


def test_an_address_written_by_hand_that_is_none_is_marked_at_once(
    page: GeneralPage, keeper: PreferencesKeeper, services: Services, qtbot: QtBot
) -> None:
    for address, marked in (("nobody there", True), ("ann@corp.local", False)):
        services.store.save_preferences(Preferences(tell_address=address))
        with qtbot.waitSignal(keeper.changed):
            keeper.load()
        assert tell(page).text() == address
        assert ("name@example.com" in tell(page).accessibleDescription()) is marked


def test_tab_follows_the_reading_order(page: GeneralPage, qtbot: QtBot) -> None:
    kind = page.findChild(QComboBox, "default_kind")
    assert isinstance(kind, QComboBox)
    kind.setCurrentIndex(kind.findData("sendmail"))
    page.activateWindow()
    qtbot.waitUntil(page.isActiveWindow)
    company(page).setFocus()
    visited = []
    for _ in range(8):
        focused = QApplication.focusWidget()
        assert focused is not None
        visited.append(focused.objectName())
        QTest.keyClick(focused, Qt.Key.Key_Tab)
    assert visited == [
        *("company_name", "default_kind", "sendmail_path", "browse_sendmail_path"),
        *("default_from_email", "use_sendmail", "tell_address", "theme"),
    ]


def test_a_field_with_a_problem_is_brought_into_view(page: GeneralPage, qtbot: QtBot) -> None:
    kind = page.findChild(QComboBox, "default_kind")
    use = page.findChild(QPushButton, "use_sendmail")
    path = page.findChild(QLineEdit, "sendmail_path")
    assert isinstance(kind, QComboBox)
    assert isinstance(use, QPushButton)
    assert isinstance(path, QLineEdit)
    kind.setCurrentIndex(kind.findData("sendmail"))
    path.setText("sendmail")
    page.resize(500, 220)
    page.area.verticalScrollBar().setValue(0)
    assert path.visibleRegion().isEmpty()
    use.click()
    qtbot.waitUntil(lambda: not path.visibleRegion().isEmpty())


def test_no_mnemonic_is_given_twice(page: GeneralPage) -> None:
    marked = [label.text() for label in page.findChildren(QLabel) if label.buddy() is not None]
    marked += [button.text() for button in page.findChildren(QPushButton)]
    letters = [text[text.index("&") + 1].lower() for text in (*marked, "&File", "&Help")]
    assert len(letters) == len(set(letters))
