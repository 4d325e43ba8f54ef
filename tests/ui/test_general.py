"""The General page: what it shows, saves and says; nothing waits for a Save button."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QComboBox, QLabel, QLineEdit, QPushButton, QWidget

from smtp_desk.app.general.presenter import GeneralPresenter
from smtp_desk.app.services import Services
from smtp_desk.store.stored import Preferences
from smtp_desk.ui.general.view import GeneralView
from smtp_desk.ui.widgets.label import breakable
from smtp_desk.ui.widgets.page import Page
from tests.app.faces import DeferredRunner

if TYPE_CHECKING:
    from pathlib import Path

    from pytestqt.qtbot import QtBot

    from smtp_desk.ui.widgets.theme import Theme


@pytest.fixture
def services(tmp_path: Path) -> Services:
    return Services.sandbox(tmp_path / "desk")


@pytest.fixture
def runner() -> DeferredRunner:
    return DeferredRunner()


@pytest.fixture
def view(qtbot: QtBot, theme: Theme, services: Services, runner: DeferredRunner) -> GeneralView:
    made = GeneralView()
    made.attach(GeneralPresenter(services, runner, made))
    qtbot.addWidget(made.page)
    made.page.show()
    return made


@pytest.fixture
def presenter(view: GeneralView) -> GeneralPresenter:
    assert view._actions is not None
    return view._actions


@pytest.fixture
def page(view: GeneralView) -> Page:
    return view.page


def company(page: Page) -> QLineEdit:
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
    page: Page, presenter: GeneralPresenter, services: Services, runner: DeferredRunner
) -> None:
    QTest.keyClicks(company(page), " Example & Co ")
    assert presenter.state.preferences == Preferences()
    QTest.keyClick(company(page), Qt.Key.Key_Return)
    runner.finish()
    assert services.store.load().preferences == Preferences(company_name="Example & Co")
    assert told_below(company(page)) == ["Saved."]
    box = page.findChild(QComboBox, "theme")
    assert isinstance(box, QComboBox)
    box.setCurrentIndex(1)
    runner.finish()
    assert told_below(company(page)) == []
    assert told_below(box) == ["Saved."]


def test_leaving_without_a_change_saves_nothing(
    page: Page, presenter: GeneralPresenter, runner: DeferredRunner
) -> None:
    QTest.keyClick(company(page), Qt.Key.Key_Return)
    assert runner.waiting == 0


def test_a_theme_is_saved_beside_what_others_changed(
    page: Page, presenter: GeneralPresenter, services: Services, runner: DeferredRunner
) -> None:
    services.store.save_preferences(Preferences(notify="bo@example.org"))
    box = page.findChild(QComboBox, "theme")
    assert isinstance(box, QComboBox)
    box.setCurrentIndex(2)
    runner.finish()
    saved = services.store.load().preferences
    assert saved == Preferences(notify="bo@example.org", theme="dark")


def test_what_cannot_be_read_is_said(
    page: Page, presenter: GeneralPresenter, services: Services, runner: DeferredRunner
) -> None:
    services.paths.ensure()
    services.paths.settings_file.write_text("not = [toml")
    presenter.load()
    runner.finish()
    assert presenter.state.notice
    text = presenter.state.notice.text
    assert text.startswith("The settings file can’t be read")
    assert breakable(text) in [
        label.text() for label in page.findChildren(QLabel) if label.isVisible()
    ]
    assert services.paths.settings_file.read_text() == "not = [toml"


def notify(page: Page) -> QLineEdit:
    found = page.findChild(QLineEdit, "notify")
    assert isinstance(found, QLineEdit)
    return found


def test_who_is_told_of_outages_is_saved_when_the_field_is_left(
    page: Page, presenter: GeneralPresenter, services: Services, runner: DeferredRunner
) -> None:
    QTest.keyClicks(notify(page), " ann@example.org ")
    QTest.keyClick(notify(page), Qt.Key.Key_Return)
    runner.finish()
    assert services.store.load().preferences.notify == "ann@example.org"
    notify(page).clear()
    QTest.keyClick(notify(page), Qt.Key.Key_Return)
    runner.finish()
    assert services.store.load().preferences.notify == ""
    assert notify(page).accessibleDescription().startswith("Gets an email")


def test_an_address_that_is_none_is_not_saved(
    page: Page, presenter: GeneralPresenter, runner: DeferredRunner
) -> None:
    QTest.keyClicks(notify(page), "ann")
    assert "name@example.com" not in notify(page).accessibleDescription()
    QTest.keyClick(notify(page), Qt.Key.Key_Return)
    assert runner.waiting == 0
    assert "name@example.com" in notify(page).accessibleDescription()
    QTest.keyClicks(notify(page), "@example.org")
    assert "name@example.com" not in notify(page).accessibleDescription()


def test_an_address_written_by_hand_that_is_none_is_marked_at_once(
    page: Page, presenter: GeneralPresenter, services: Services, runner: DeferredRunner
) -> None:
    for address, marked in (("nobody there", True), ("ann@corp.local", False)):
        services.store.save_preferences(Preferences(notify=address))
        presenter.load()
        runner.finish()
        assert notify(page).text() == address
        assert ("name@example.com" in notify(page).accessibleDescription()) is marked


def test_tab_follows_the_reading_order(page: Page, qtbot: QtBot) -> None:
    kind = page.findChild(QComboBox, "default_kind")
    assert isinstance(kind, QComboBox)
    kind.setCurrentIndex(kind.findData("sendmail"))
    page.activateWindow()
    qtbot.waitUntil(page.isActiveWindow)
    company(page).setFocus()
    visited = []
    for _ in range(9):
        focused = QApplication.focusWidget()
        assert focused is not None
        visited.append(focused.objectName())
        QTest.keyClick(focused, Qt.Key.Key_Tab)
    assert visited == [
        *("company_name", "default_kind", "sendmail_path", "browse_sendmail_path"),
        *("default_from_email", "use_sendmail", "notify", "alert_url", "theme"),
    ]


def test_a_field_with_a_problem_is_brought_into_view(
    page: Page, runner: DeferredRunner, qtbot: QtBot
) -> None:
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
    runner.finish()
    qtbot.waitUntil(lambda: not path.visibleRegion().isEmpty())


def test_no_mnemonic_is_given_twice(page: Page) -> None:
    marked = [label.text() for label in page.findChildren(QLabel) if label.buddy() is not None]
    marked += [button.text() for button in page.findChildren(QPushButton)]
    letters = [text[text.index("&") + 1].lower() for text in (*marked, "&File", "&Help")]
    assert len(letters) == len(set(letters))


def test_a_text_size_is_chosen_and_saved(
    page: Page, presenter: GeneralPresenter, services: Services, runner: DeferredRunner
) -> None:
    box = page.findChild(QComboBox, "text_size")
    assert isinstance(box, QComboBox)
    assert box.accessibleName() == "Text size"
    box.setCurrentIndex(box.findText("125%"))
    runner.finish()
    assert services.store.load().preferences == Preferences(text_size="125")
    assert told_below(box) == ["Saved."]
