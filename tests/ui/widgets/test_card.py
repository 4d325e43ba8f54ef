"""Columns stack where what takes its room would leave the rest too little."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import QPoint
from PySide6.QtWidgets import QLineEdit, QPushButton, QVBoxLayout, QWidget

from smtp_desk.ui.widgets.buttons import button
from smtp_desk.ui.widgets.card import Columns, Panel
from smtp_desk.ui.widgets.field import FieldPair, TextField
from smtp_desk.ui.widgets.flow import flow
from smtp_desk.ui.widgets.icons import set_look
from smtp_desk.ui.widgets.label import Label
from tests.ui.fitting import lay_out

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

    from smtp_desk.ui.widgets.theme import Theme


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


@pytest.mark.parametrize(
    "labels", [("Name", "The name of your own"), ("The name of yours, and more", "Name")]
)
def test_controls_side_by_side_stand_in_one_line_however_their_labels_wrap(
    qtbot: QtBot, labels: tuple[str, str]
) -> None:
    fields = [TextField(f"field_{each}", each) for each in labels]
    pair = FieldPair(200, (fields[0], 1), (fields[1], 1))
    qtbot.addWidget(pair)
    pair.resize(240, 200)
    pair.fit(240)
    pair.show()

    def tops() -> list[int]:
        lay_out()
        return [each.control.mapTo(pair, QPoint()).y() for each in fields]

    assert tops()[0] == tops()[1]
    wrapped = tops()[0]
    pair.resize(600, 200)
    pair.fit(600)
    assert tops()[0] == tops()[1] < wrapped
    fields[0].rename("A name so long that it never fits into one line of such a field at all")
    assert tops()[0] == tops()[1] >= wrapped
    fields[0].rename("Name")
    pair.fit(100)
    first, second = tops()
    assert second > first
    fields[0].hide()
    assert tops()[1] < second


def test_a_link_takes_no_more_than_its_words_when_it_was_measured_before_it_was_seen(
    qtbot: QtBot, theme: Theme
) -> None:
    link = button("Copy", "copy", "link")
    holder = flow(QPushButton("Open"), link)
    hidden = QWidget()
    qtbot.addWidget(hidden)
    QVBoxLayout(hidden).addWidget(holder)
    measured = holder.sizeHint().width()
    hidden.show()
    lay_out()
    assert link.width() == link.sizeHint().width()
    assert holder.sizeHint().width() == measured


@pytest.mark.parametrize("tone", ["success", "warning", "danger", "plain"])
def test_the_focus_is_seen_around_a_panel_of_every_tone(
    qtbot: QtBot, theme: Theme, tone: str
) -> None:
    panel = Panel(tone)
    qtbot.addWidget(panel)
    panel.body.addWidget(Label("The receiver didn’t record its checks."))
    panel.show()
    without = panel.grab().toImage()
    set_look(panel, "ring", "on")
    assert panel.grab().toImage() != without
    set_look(panel, "ring", "off")
    assert panel.grab().toImage() == without
