"""The password field: typed, emptied, stored; revealed for one password and never for the next."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLineEdit, QPushButton, QToolButton

from smtp_desk.app.integrations.form_offers import Offer
from smtp_desk.core.problems import Field
from smtp_desk.core.secret import Secret
from smtp_desk.core.settings import SettingsDraft
from tests.ui.states import SCENES, STORED, TYPED

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.ui.conftest import Stage


def test_the_stored_password_is_never_in_the_field(page: Stage) -> None:
    page.view.show_draft(STORED, "")
    page.view.render(SCENES["saved"].state)
    password = page.find(QLineEdit, "password")
    assert password.text() == ""
    assert password.placeholderText() == "Stored in the keyring"
    reveal = page.find(QToolButton, "reveal")
    assert not reveal.isEnabled()
    assert reveal.toolTip() == "The stored password is never shown again"


@pytest.mark.parametrize("key", [Qt.Key.Key_Backspace, Qt.Key.Key_Delete])
def test_a_stored_password_is_emptied_by_deleting(page: Stage, key: Qt.Key) -> None:
    page.view.show_draft(STORED, "")
    page.view.render(SCENES["saved"].state)
    page.view.focus_field(Field.PASSWORD)
    page.calls.clear()
    QTest.keyClick(page.find(QLineEdit, "password"), key)
    assert page.calls == [("edit", Field.PASSWORD, "")]


@pytest.mark.parametrize(
    ("button", "call"),
    [
        ("offer_stored_password", Offer.STORED_PASSWORD),
        ("offer_password_spaces", Offer.PASSWORD_SPACES),
    ],
)
def test_what_is_offered_for_a_password(page: Stage, button: str, call: Offer) -> None:
    assert not page.find(QPushButton, button).isVisible()
    page.view.render(SCENES["stored_password"].state)
    page.find(QPushButton, button).click()
    assert page.calls == [("accept", call)]


def test_a_typed_password_is_hidden_until_revealed(page: Stage) -> None:
    page.view.show_draft(replace(SettingsDraft(), secret=Secret("geheim")), "")
    password = page.find(QLineEdit, "password")
    assert password.echoMode() is QLineEdit.EchoMode.Password
    assert password.displayText() != "geheim"
    page.find(QToolButton, "reveal").click()
    assert password.displayText() == "geheim"


def discarded(page: Stage) -> None:
    page.view.show_draft(replace(SettingsDraft(), secret=Secret("")), "")


def loaded(page: Stage) -> None:
    page.view.show_draft(replace(SettingsDraft(), secret=Secret("another")), "")


def stored(page: Stage) -> None:
    page.view.show_draft(STORED, "")
    page.view.render(SCENES["saved"].state)
    page.view.render(TYPED)


def cleared(page: Stage) -> None:
    page.find(QLineEdit, "password").clear()


def typed_over(page: Stage) -> None:
    page.find(QLineEdit, "password").selectAll()
    QTest.keyClicks(page.find(QLineEdit, "password"), "next")


def pasted_over(page: Stage) -> None:
    QGuiApplication.clipboard().setText("geheimer")
    page.find(QLineEdit, "password").selectAll()
    page.find(QLineEdit, "password").paste()


def deleted_to_the_end(page: Stage) -> None:
    for _ in "geheim":
        QTest.keyClick(page.find(QLineEdit, "password"), Qt.Key.Key_Backspace)


@pytest.mark.parametrize(
    "another",
    [discarded, loaded, stored, cleared, typed_over, pasted_over, deleted_to_the_end],
)
def test_a_password_that_was_revealed_reveals_no_other(
    page: Stage, another: Callable[[Stage], None]
) -> None:
    page.view.show_draft(replace(SettingsDraft(), secret=Secret("geheim")), "")
    page.view.focus_field(Field.PASSWORD)
    reveal = page.find(QToolButton, "reveal")
    reveal.click()
    another(page)
    QTest.keyClicks(page.find(QLineEdit, "password"), "x")
    assert page.find(QLineEdit, "password").echoMode() is QLineEdit.EchoMode.Password
    assert not reveal.isChecked()


def test_a_password_stays_revealed_while_it_is_corrected(page: Stage) -> None:
    password = page.find(QLineEdit, "password")
    page.view.show_draft(replace(SettingsDraft(), secret=Secret("geheim")), "")
    page.find(QToolButton, "reveal").click()
    page.view.focus_field(Field.PASSWORD)
    QTest.keyClick(password, Qt.Key.Key_End)
    QTest.keyClick(password, Qt.Key.Key_Backspace)
    QTest.keyClicks(password, "n")
    page.view.show_draft(replace(SettingsDraft(), secret=Secret("gehein")), "")
    assert password.echoMode() is QLineEdit.EchoMode.Normal
