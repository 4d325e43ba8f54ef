"""Columns stack where what takes its room would leave the rest too little."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from PySide6.QtWidgets import QLineEdit, QPushButton, QVBoxLayout, QWidget

from smtp_desk.ui.widgets.card import Columns
from smtp_desk.ui.widgets.flow import flow
from smtp_desk.ui.widgets.label import Label
from tests.ui.fitting import lay_out

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot


class Footer:
    """A line of text beside buttons, 800 pixels wide."""

    def __init__(self, qtbot: QtBot) -> None:
        self.line = Label("Settings changed since the last test. Re-test to enable saving.")
        self.buttons = [QPushButton(text) for text in ("Remove", "Discard", "Save")]
        self.buttons[0].hide()
        self.holder = flow(*self.buttons)
        self.columns = Columns(700, (self.line, 1), (self.holder, 0))
        qtbot.addWidget(self.columns)
        self.columns.resize(800, 200)
        self.columns.fit(800)
        self.columns.show()
        lay_out()

    def stacked(self) -> bool:
        lay_out()
        return self.holder.geometry().top() > self.line.geometry().bottom()


@pytest.fixture
def footer(qtbot: QtBot) -> Footer:
    return Footer(qtbot)


def test_buttons_stand_beside_the_line_where_there_is_room(footer: Footer) -> None:
    assert not footer.stacked()


def test_longer_words_on_a_button_stack_them(footer: Footer) -> None:
    footer.buttons[1].setText(
        "Discard all of these changes, and do not keep any of them at all, ever"
    )
    footer.buttons[2].setText("Save all of these settings now")
    assert footer.stacked()
    footer.buttons[1].setText("Discard")
    assert not footer.stacked()


def test_a_button_that_comes_stacks_them_until_it_goes(footer: Footer) -> None:
    footer.buttons[0].setText(
        "Remove the whole configuration of this server, and forget its password for ever"
    )
    assert not footer.stacked()
    footer.buttons[0].show()
    assert footer.stacked()
    footer.buttons[0].hide()
    assert not footer.stacked()


def test_a_narrower_page_stacks_them(footer: Footer) -> None:
    footer.columns.fit(500)
    assert footer.stacked()
    footer.columns.fit(800)
    assert not footer.stacked()


def test_a_part_that_needs_more_than_its_share_stacks_them(qtbot: QtBot) -> None:
    offers = [QPushButton(text) for text in ("Use stored password", "Remove spaces")]
    username, password = QLineEdit(), QWidget()
    QVBoxLayout(password).addWidget(flow(*offers))
    columns = Columns(0, (username, 1), (password, 1))
    qtbot.addWidget(columns)
    width = 4 * offers[0].sizeHint().width()
    columns.resize(width, 200)
    columns.fit(width)
    columns.show()

    def stacked() -> bool:
        return password.geometry().top() >= username.geometry().bottom()

    lay_out()
    assert not stacked()
    offers[0].setText(4 * offers[0].text())
    qtbot.waitUntil(stacked)
    offers[0].hide()
    qtbot.waitUntil(lambda: not stacked())
