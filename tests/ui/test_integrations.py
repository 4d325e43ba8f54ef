"""The Integrations page as a view: it shows what it is told and reports what is done."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QApplication,
    QCheckBox,
    QComboBox,
    QLabel,
    QLineEdit,
    QPushButton,
)

from smtp_desk.app.integrations.state import IntegrationsState
from smtp_desk.app.notice import Notice
from smtp_desk.app.page_presenter import Busy
from smtp_desk.app.words import NEEDS_PROOF
from smtp_desk.core.gate import Outcome
from smtp_desk.core.problems import Field, Problem
from smtp_desk.core.texts import OUTCOMES, SAVE_HINTS, problem_text
from smtp_desk.store.resources import read_providers
from smtp_desk.ui.integrations.words import BUSY, NOTHING_CHANGED, NOTHING_CONFIGURED
from tests.table import each_row
from tests.ui import states
from tests.ui.states import EMPTY, FILLED, OFF, PROBLEMS, SCENES, TYPED

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

    from tests.ui.conftest import Stage

TEXT_FIELDS = (
    Field.HOST,
    Field.PORT,
    Field.USERNAME,
    Field.PASSWORD,
    Field.FROM_NAME,
    Field.FROM_EMAIL,
    Field.CA_FILE,
    Field.EHLO_NAME,
    Field.RECIPIENT,
)
CHOICES = (Field.SECURITY, Field.AUTH_METHOD)


@each_row("scene", SCENES.values(), ids=list(SCENES))
def test_showing_never_reports(page: Stage, scene: states.Scene) -> None:
    page.view.show_draft(scene.draft, scene.recipient)
    page.view.render(scene.state)
    page.view.show_draft(states.FRESH, "")
    page.view.render(EMPTY)
    assert page.calls == []


@each_row("field", TEXT_FIELDS)
def test_every_keystroke_is_reported(page: Stage, field: Field) -> None:
    edit = page.find(QLineEdit, field)
    page.view.focus_field(field)
    edit.clear()
    page.calls.clear()
    QTest.keyClicks(edit, "a b")
    assert page.calls == [("edit", field, text) for text in ("a", "a ", "a b")]


@each_row("field", TEXT_FIELDS)
def test_leaving_and_enter_are_reported_and_nothing_else(page: Stage, field: Field) -> None:
    page.view.focus_field(field)
    page.calls.clear()
    edit = page.find(QLineEdit, field)
    QTest.keyClick(edit, Qt.Key.Key_Return)
    sends = [("send_test",)] if field is Field.RECIPIENT else []
    assert page.calls == [*sends, ("finish_editing", field)]
    QTest.keyClick(edit, Qt.Key.Key_X)
    page.calls.clear()
    QTest.keyClick(edit, Qt.Key.Key_Tab)
    assert not edit.hasFocus()
    assert page.calls == [("finish_editing", field)]


def test_looking_at_another_window_is_not_leaving(page: Stage, qtbot: QtBot) -> None:
    page.view.focus_field(Field.HOST)
    QTest.keyClick(page.find(QLineEdit, "host"), Qt.Key.Key_X)
    page.calls.clear()
    other = QLabel("another window")
    qtbot.addWidget(other)
    other.show()
    other.activateWindow()
    qtbot.waitUntil(other.isActiveWindow)
    assert page.calls == []
    page.view.page.activateWindow()
    qtbot.waitUntil(page.view.page.isActiveWindow)
    QTest.keyClick(page.find(QLineEdit, "host"), Qt.Key.Key_Tab)
    assert page.calls == [("finish_editing", Field.HOST)]


@pytest.mark.parametrize("field", CHOICES)
def test_a_choice_is_reported_by_its_value(page: Stage, field: Field) -> None:
    box = page.find(QComboBox, field)
    box.setCurrentIndex(1)
    value = {Field.SECURITY: "starttls", Field.AUTH_METHOD: "plain"}[field]
    assert page.calls == [("edit", field, value), ("finish_editing", field)]


@each_row(
    ("host", "hint"),
    [
        ("smtp.gmail.com", "Google allows 500 emails a day for a Gmail account"),
        ("smtp.zoho.eu", "Zoho Mail allows 50 to 500 emails an hour"),
        ("mail.gmx.net", "As your provider allows."),
        ("smtp.example.org", "As your provider allows."),
    ],
)
def test_the_hint_of_the_pace_names_what_the_provider_allows(
    page: Stage, host: str, hint: str
) -> None:
    page.view.render(replace(TYPED, provider=read_providers().by_host(host)))
    said = page.find(QLineEdit, "per_hour").accessibleDescription()
    assert said.startswith(hint)
    assert said.endswith("Leave empty for no limit.")
    page.view.render(TYPED)
    assert page.find(QLineEdit, "per_hour").accessibleDescription().startswith("As your provider")


def test_an_unknown_choice_is_shown_as_it_is(page: Stage) -> None:
    page.view.show_draft(replace(FILLED, security="ssl"), "")
    assert page.find(QComboBox, "security").currentText() == "ssl"


def test_nothing_is_clamped_masked_or_cut(page: Stage) -> None:
    page.view.focus_field(Field.PORT)
    port = page.find(QLineEdit, "port")
    port.clear()
    QTest.keyClicks(port, "70000")
    assert port.text() == "70000"
    assert page.calls[-1] == ("edit", Field.PORT, "70000")
    host = page.find(QLineEdit, "host")
    pasted = " https://smtp.example.org:465/mail\u00a0" + "x" * 5000
    host.setFocus()
    QApplication.clipboard().setText(pasted)
    host.paste()
    assert host.text() == pasted
    assert page.calls[-1] == ("edit", Field.HOST, pasted)


def test_a_pasted_line_break_is_not_lost(page: Stage) -> None:
    password = page.find(QLineEdit, "password")
    QApplication.clipboard().setText("two\nlines")
    password.paste()
    assert page.calls == [("edit", Field.PASSWORD, "two\nlines")]


def test_the_cursor_stays_where_nothing_changes(page: Stage) -> None:
    page.view.show_draft(FILLED, "")
    host = page.find(QLineEdit, "host")
    host.setCursorPosition(4)
    page.view.show_draft(FILLED, "ann@example.org")
    assert host.cursorPosition() == 4


@each_row("problem", PROBLEMS, ids=lambda problem: problem.code)
def test_a_problem_stands_beside_its_field(page: Stage, problem: Problem) -> None:
    page.view.render(replace(TYPED, problems=PROBLEMS))
    control = page.find(QLineEdit, problem.field)
    text = problem_text(problem)
    assert control.accessibleDescription() == text
    field = control.parentWidget()
    assert field is not None
    said = [label for label in field.findChildren(QLabel) if label.text() == text]
    assert [label.isVisible() for label in said] == [True]
    page.view.render(TYPED)
    assert text not in control.accessibleDescription()
    assert not said[0].isVisible()


def test_advanced_opens_by_itself(page: Stage) -> None:
    header = page.find(QPushButton, "advanced")
    ehlo_name = page.find(QLineEdit, "ehlo_name")
    assert not ehlo_name.isVisible()
    assert header.accessibleDescription().startswith("Folded.")
    page.view.render(replace(TYPED, problems=(Problem(Field.CA_FILE, "ca_file.missing"),)))
    assert ehlo_name.isVisible()
    assert header.accessibleDescription() == "Unfolded. 1 problem"
    header.click()
    page.view.render(replace(TYPED, problems=(Problem(Field.CA_FILE, "ca_file.missing"),)))
    page.view.render(
        replace(TYPED, problems=(Problem(Field.CA_FILE, "ca_file.missing"),), may_save=True)
    )
    assert not ehlo_name.isVisible(), "folded by hand it stays folded until something is new"
    page.view.show_draft(replace(FILLED, ehlo_name="desk.example.org"), "")
    assert ehlo_name.isVisible()


@each_row("field", [*TEXT_FIELDS, *CHOICES])
def test_the_focus_goes_to_the_field(page: Stage, field: Field) -> None:
    page.view.focus_field(field)
    focused = QApplication.focusWidget()
    assert focused is not None
    assert focused.objectName() == field


def test_the_focus_goes_to_the_outcome(page: Stage) -> None:
    page.view.render(SCENES["failure"].state)
    page.view.focus_outcome()
    assert page.find(QLabel, "outcome").hasFocus()
    page.view.render(TYPED)
    page.view.focus_outcome()
    assert page.find(QPushButton, "send_test").hasFocus()


def test_the_focus_goes_from_send_to_cancel(page: Stage) -> None:
    page.find(QPushButton, "send_test").setFocus()
    page.view.render(replace(TYPED, busy=Busy.TESTING))
    assert page.find(QPushButton, "cancel_test").hasFocus()


def test_whoever_types_during_a_test_is_left_in_peace(page: Stage) -> None:
    page.view.render(replace(TYPED, busy=Busy.TESTING))
    page.view.focus_field(Field.HOST)
    QTest.keyClicks(page.find(QLineEdit, "host"), "x")
    page.view.render(SCENES["failure"].state)
    page.view.focus_outcome()
    assert page.find(QLineEdit, "host").hasFocus()


def test_rendering_twice_changes_nothing(page: Stage) -> None:
    scene = SCENES["failure"]
    page.view.render(scene.state)
    remedy = page.find(QPushButton, "remedy_use_full_address")
    page.view.render(scene.state)
    page.view.render(replace(scene.state, test_notice=Notice("More.")))
    assert page.find(QPushButton, "remedy_use_full_address") is remedy


@each_row("outcome", Outcome)
def test_the_outcome_is_word_for_word(page: Stage, outcome: Outcome) -> None:
    page.view.render(replace(TYPED, outcome=outcome))
    label = page.find(QLabel, "outcome")
    assert label.isVisible()
    assert label.text() == OUTCOMES[outcome]
    assert label.accessibleName() == ""
    assert label.textFormat() is Qt.TextFormat.PlainText


def test_no_outcome_no_line(page: Stage) -> None:
    assert not page.find(QLabel, "outcome").isVisible()


@each_row(
    ("name", "state", "reason"),
    [
        ("enabled", EMPTY, NEEDS_PROOF),
        ("save", EMPTY, SAVE_HINTS[EMPTY.save_hint]),
        ("discard", EMPTY, NOTHING_CHANGED),
        ("remove", EMPTY, NOTHING_CONFIGURED),
        ("send_test", replace(TYPED, busy=Busy.TESTING), "A test is running."),
        ("cancel_test", replace(TYPED, busy=Busy.CANCELLING), BUSY[Busy.CANCELLING]),
        ("save", replace(TYPED, busy=Busy.SAVING), BUSY[Busy.SAVING]),
        ("enabled", replace(TYPED, busy=Busy.SWITCHING), BUSY[Busy.SWITCHING]),
    ],
)
def test_what_is_disabled_says_why(
    page: Stage, name: str, state: IntegrationsState, reason: str
) -> None:
    page.view.render(state)
    control = page.find(QCheckBox if name == "enabled" else QPushButton, name)
    assert not control.isEnabled()
    assert control.accessibleDescription() == reason
    assert control.toolTip() == reason


def test_a_long_reason_stands_above_the_buttons_not_squeezed_beside_them(page: Stage) -> None:
    line, save = page.find(QLabel, "save_hint"), page.find(QPushButton, "save")

    def ends_above() -> bool:
        QApplication.processEvents()
        corner = save.mapTo(page.view.page, QPoint(0, 0))
        return line.mapTo(page.view.page, line.rect().bottomLeft()).y() < corner.y()

    page.view.render(SCENES["not_saved"].state)
    assert ends_above()
    page.view.render(EMPTY)
    assert not ends_above()


def test_why_save_is_disabled_is_a_line_of_text(page: Stage) -> None:
    hint = page.find(QLabel, "save_hint")
    assert hint.isVisible()
    assert hint.text() == SAVE_HINTS[EMPTY.save_hint]
    page.view.render(SCENES["success"].state)
    assert not hint.isVisible()
    assert page.find(QPushButton, "save").isEnabled()


def test_send_is_enabled_with_problems_and_cancel_shows_only_in_a_test(page: Stage) -> None:
    page.view.render(replace(TYPED, problems=PROBLEMS))
    assert page.find(QPushButton, "send_test").isEnabled()
    assert not page.find(QPushButton, "cancel_test").isVisible()
    page.view.render(replace(TYPED, busy=Busy.TESTING))
    assert page.find(QPushButton, "cancel_test").isEnabled()


@pytest.mark.parametrize(
    ("name", "call"),
    [("send_test", "send_test"), ("save", "save"), ("confirmed_discard", "discard")],
)
def test_buttons_report(page: Stage, name: str, call: str) -> None:
    page.view.render(SCENES["success"].state)
    if name == "confirmed_discard":
        page.find(QPushButton, "discard").click()
        assert page.calls == []
    page.find(QPushButton, name).click()
    assert page.calls == [(call,)]


def test_a_remedy_is_a_button_that_reports_it(page: Stage) -> None:
    page.view.render(SCENES["failure"].state)
    button = page.find(QPushButton, "remedy_use_full_address")
    assert button.accessibleName() == "Use desk@example.org as the username."
    button.click()
    assert page.calls == [("apply", states.WRONG_PASSWORD.remedies[2])]


def test_removal_is_confirmed_first(page: Stage) -> None:
    page.view.render(SCENES["saved"].state)
    page.find(QPushButton, "remove").click()
    assert page.calls == []
    page.find(QPushButton, "confirmed_remove").click()
    assert page.calls == [("remove",)]


def test_the_switch_reports_and_shows_only_what_is_so(page: Stage) -> None:
    page.view.render(replace(TYPED, status=OFF))
    switch = page.find(QCheckBox, "enabled")
    switch.click()
    assert page.calls == [("switch", True)]
    page.view.render(replace(TYPED, status=OFF, notice=Notice("No.", error=True)))
    assert not switch.isChecked()


@pytest.mark.parametrize(
    ("key", "modifier", "state", "call"),
    [
        (Qt.Key.Key_S, Qt.KeyboardModifier.ControlModifier, SCENES["success"].state, "save"),
        (Qt.Key.Key_S, Qt.KeyboardModifier.ControlModifier, TYPED, None),
        (Qt.Key.Key_T, Qt.KeyboardModifier.ControlModifier, TYPED, "send_test"),
        (
            Qt.Key.Key_Escape,
            Qt.KeyboardModifier.NoModifier,
            replace(TYPED, busy=Busy.TESTING),
            "cancel_test",
        ),
        (Qt.Key.Key_Escape, Qt.KeyboardModifier.NoModifier, TYPED, None),
    ],
)
def test_keys_act_as_their_buttons(
    page: Stage,
    key: Qt.Key,
    modifier: Qt.KeyboardModifier,
    state: IntegrationsState,
    call: str | None,
) -> None:
    page.view.render(state)
    page.view.focus_field(Field.HOST)
    QTest.keyClick(page.find(QLineEdit, "host"), key, modifier)
    assert page.calls == ([(call,)] if call else [])


def test_while_settings_are_read_nothing_can_be_typed(page: Stage) -> None:
    page.view.render(IntegrationsState(busy=Busy.LOADING))
    QTest.keyClicks(page.find(QLineEdit, "host"), "x")
    assert page.calls == []
    assert not page.find(QPushButton, "send_test").isEnabled()
