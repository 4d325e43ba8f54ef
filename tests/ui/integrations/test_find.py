"""Find settings and managed fields as a view: shown, reported, reached by keyboard, and fitting."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QComboBox, QLabel, QLineEdit, QPushButton, QWidget

from smtp_desk.app.integrations.form_offers import Offer
from smtp_desk.app.integrations.presenter import IntegrationsPresenter
from smtp_desk.app.proposals.presenter import FindBusy, FindPresenter, FindState, Proposal
from smtp_desk.app.services import Services
from smtp_desk.core.findings.providers import SignIn
from smtp_desk.core.problems import Field
from smtp_desk.ui.integrations import find_words, words
from smtp_desk.ui.integrations.view import IntegrationsView
from tests.app.faces import DeferredRunner
from tests.ui.find_scenes import (
    DRAFT,
    FIND_SCENES,
    FOUND,
    MANAGED_SCENES,
    NOTHING,
    PLAN,
    proposals,
)
from tests.ui.fitting import DIRECTIONS, cut_off, squeezed
from tests.ui.states import EMPTY, SCENES

if TYPE_CHECKING:
    from pathlib import Path

    from pytestqt.qtbot import QtBot

    from smtp_desk.ui.widgets.theme import Theme
    from tests.ui.conftest import Stage

USE = "Use this server: smtp.example.org, port 465, TLS from the start"
FINDING = FindState(busy=FindBusy.FINDING, searched=True, questions=PLAN)


class Finding:
    """A presenter of Find settings that only writes down what it was told."""

    def __init__(self) -> None:
        self.calls: list[tuple[Any, ...]] = []

    def find(self, *, ispdb: bool = False) -> None:
        self.calls.append(("find", ispdb))

    def cancel(self) -> None:
        self.calls.append(("cancel",))

    def accept(self, proposal: Proposal, *, instead: bool = False, by_oauth: bool = False) -> None:
        called = "accept by oauth" if by_oauth else "accept"
        self.calls.append((called, proposal.candidate.host, instead))

    def undo(self) -> None:
        self.calls.append(("undo",))

    def form_changed(self) -> None:
        self.calls.append(("form_changed",))


@pytest.fixture
def finding(page: Stage) -> Finding:
    recorder = Finding()
    page.view.attach_finder(cast("FindPresenter", recorder))
    recorder.calls.clear()
    return recorder


def show(page: Stage, name: str) -> None:
    scene, state = FIND_SCENES[name]
    page.view.show_draft(scene.draft, "")
    page.view.render(scene.state)
    page.view.finder.render_state(state)


def visible(page: Stage) -> str:
    labels = page.view.page.findChildren(QLabel)
    return "\n".join(each.text().replace("\u200b", "") for each in labels if each.isVisible())


def focused() -> str:
    widget = QApplication.focusWidget()
    assert widget is not None
    return widget.objectName()


def top(page: Stage, name: str) -> int:
    QApplication.processEvents()
    return page.find(QWidget, name).mapTo(page.view.page, QPoint(0, 0)).y()


def left(page: Stage, name: str) -> int:
    QApplication.processEvents()
    return page.find(QWidget, name).mapTo(page.view.page, QPoint(0, 0)).x()


@pytest.mark.parametrize("name", FIND_SCENES)
def test_showing_never_reports(page: Stage, finding: Finding, name: str) -> None:
    show(page, name)
    assert finding.calls == []
    assert page.calls == []


def test_with_nothing_configured_the_address_comes_first(page: Stage) -> None:
    show(page, "start")
    assert top(page, "from_email") < top(page, "host")
    assert left(page, "from_email") < left(page, "from_name")
    assert find_words.START in visible(page)
    page.view.render(SCENES["saved"].state)
    assert top(page, "password") < top(page, "from_email")
    assert left(page, "from_name") < left(page, "from_email")
    assert find_words.START not in visible(page)
    page.view.render(EMPTY)
    assert top(page, "from_email") < top(page, "host")


def test_who_knows_the_settings_goes_straight_to_the_form(page: Stage) -> None:
    show(page, "start")
    page.find(QPushButton, "straight").click()
    assert focused() == "host"


def test_a_screen_reader_is_told_why_nothing_can_be_found_yet(page: Stage) -> None:
    show(page, "start")
    button = page.find(QPushButton, "find_settings")
    assert button.isEnabled()
    assert button.accessibleDescription() == "Enter an address."
    show(page, "plan")
    assert button.accessibleDescription() == ""


def test_the_relay_has_no_finder(theme: Theme, qtbot: QtBot) -> None:
    view = IntegrationsView(theme, said=words.RELAY)
    qtbot.addWidget(view.page)
    view.page.show()
    view.render(EMPTY)
    assert view.page.findChild(QPushButton, "find_settings") is None
    straight = view.page.findChild(QPushButton, "straight")
    assert straight is not None
    assert not straight.isVisible()


def test_the_address_leads_to_the_proposals_by_tab(page: Stage, finding: Finding) -> None:
    show(page, "found")
    page.view.focus_field(Field.FROM_EMAIL)
    visited = []
    for _ in range(7):
        widget = QApplication.focusWidget()
        assert widget is not None
        visited.append(widget.objectName())
        QTest.keyClick(widget, Qt.Key.Key_Tab)
    assert visited == [
        *("from_email", "find_settings", "find_questions", "use_proposal"),
        *("use_proposal", "open_website", "straight"),
    ]
    assert focused() == "from_name"
    assert finding.calls == []


def test_keys_press_the_buttons(page: Stage, finding: Finding) -> None:
    show(page, "found")
    QTest.keyClick(page.find(QPushButton, "find_settings"), Qt.Key.Key_Space)
    QTest.keyClick(page.find(QPushButton, "use_proposal"), Qt.Key.Key_Space)
    assert finding.calls == [("find", False), ("accept", "smtp.example.org", False)]
    assert focused() == "password"


@pytest.mark.parametrize(
    ("ways", "name"),
    [
        ((SignIn.API_KEY,), "password"),
        ((SignIn.OAUTH, SignIn.APP_PASSWORD), "password"),
        ((SignIn.OAUTH,), "credential"),
        ((), "recipient"),
    ],
)
def test_the_focus_goes_to_what_comes_next(
    page: Stage, finding: Finding, ways: tuple[SignIn, ...], name: str
) -> None:
    (proposal, _) = FOUND.proposals
    candidate = replace(proposal.candidate, sign_in=ways)
    found = replace(FOUND, proposals=(Proposal.of(candidate, DRAFT),))
    page.view.finder.render_state(found)
    page.find(QPushButton, "use_proposal").click()
    assert finding.calls == [("accept", "smtp.example.org", False)]
    assert focused() == name


def test_each_way_to_sign_in_is_a_button(page: Stage, finding: Finding) -> None:
    show(page, "oauth")
    buttons = [
        each.text()
        for each in page.view.page.findChildren(QPushButton)
        if each.objectName() in ("use_by_oauth", "use_proposal") and each.isVisible()
    ]
    assert buttons == [
        "Use it and sign in with Google",
        "Use it with an app password",
        "Use it and sign in with Microsoft",
    ]
    chosen = page.find(QPushButton, "use_by_oauth")
    assert chosen.accessibleName() == f"{chosen.text()}: smtp.gmail.com, port 587, STARTTLS"
    chosen.click()
    assert finding.calls == [("accept by oauth", "smtp.gmail.com", False)]


def test_the_sign_in_of_a_proposal_is_chosen_in_the_form(page: Stage, tmp_path: Path) -> None:
    """By the real presenters: the focus is on the client ID then."""
    services = Services.sandbox(tmp_path)
    runner = DeferredRunner()
    presenter = IntegrationsPresenter(services, runner, page.view)
    page.view.attach(presenter)
    finder = FindPresenter(services, runner, page.view.finder, presenter.filling)
    page.view.attach_finder(finder)
    presenter.start()
    runner.finish()
    page.find(QLineEdit, "from_email").setText("ann@outlook.com")
    finder.find()
    runner.finish()
    page.find(QPushButton, "use_by_oauth").click()
    box = page.find(QComboBox, "credential")
    assert box.currentData() == "microsoft"
    assert focused() == "client_id"
    finder.undo()
    assert (box.currentData(), page.find(QLineEdit, "host").text()) == ("", "")


def test_what_was_typed_is_replaced_by_a_button_of_its_own(page: Stage, finding: Finding) -> None:
    show(page, "typed")
    assert "You entered something else for SMTP server host and Username." in visible(page)
    page.find(QPushButton, "replace_typed").click()
    assert finding.calls == [("accept", "smtp.example.org", True)]


def test_only_what_is_empty_is_filled_in_beside_what_was_typed(
    page: Stage, finding: Finding
) -> None:
    draft = replace(DRAFT, host="mail.example.org")
    page.view.finder.render_state(replace(FOUND, proposals=proposals(draft)))
    use = page.find(QPushButton, "use_proposal")
    assert use.text() == "Fill in only Username"
    use.click()
    assert finding.calls == [("accept", "smtp.example.org", False)]


def test_names_for_screen_readers_tell_the_proposals_apart(page: Stage) -> None:
    show(page, "found")
    names = [
        each.accessibleName()
        for each in page.view.page.findChildren(QPushButton)
        if each.objectName() == "use_proposal"
    ]
    assert names[0] == USE
    assert len(set(names)) == len(names) == 2
    assert page.find(QPushButton, "find_settings").toolTip() == find_words.FIND_TIP


def test_source_sign_in_and_warning_are_said_before_it_is_taken(page: Stage) -> None:
    show(page, "found")
    said = visible(page)
    for text in ("Published by the domain.", "Sign-in: password.", "Listed in DNS."):
        assert text in said
    assert "app password or OAuth 2.0 (https://help.example.net/app-passwords)" in said
    assert said.count("Sending limits: ") == 1
    assert "Sending limits: 300 emails an hour, 2,000 a day" in said
    assert "which can be forged" in said


def test_the_focus_goes_to_cancel_and_then_to_what_was_found(page: Stage) -> None:
    page.view.finder.render_state(FindState(questions=PLAN))
    page.find(QPushButton, "find_settings").setFocus()
    page.view.finder.render_state(FINDING)
    assert focused() == "cancel_find"
    button = page.find(QPushButton, "find_settings")
    assert not button.isEnabled()
    assert button.accessibleDescription() == FindBusy.FINDING
    page.view.finder.render_state(FOUND)
    assert focused() == "use_proposal"
    assert button.isEnabled()
    assert button.accessibleDescription() == ""


def test_whoever_went_on_is_left_in_peace(page: Stage) -> None:
    page.view.finder.render_state(FINDING)
    page.view.focus_field(Field.FROM_NAME)
    page.view.finder.render_state(FOUND)
    assert focused() == "from_name"


def test_cancel_says_that_it_was_heard(page: Stage, finding: Finding) -> None:
    page.view.finder.render_state(FINDING)
    cancel = page.find(QPushButton, "cancel_find")
    cancel.click()
    assert finding.calls == [("cancel",)]
    page.view.finder.render_state(replace(FINDING, busy=FindBusy.CANCELLING))
    assert not cancel.isEnabled()
    assert cancel.accessibleDescription() == FindBusy.CANCELLING


def test_what_would_be_asked_can_be_seen_first(page: Stage) -> None:
    show(page, "plan")
    header = page.find(QPushButton, "find_questions")
    assert header.text() == find_words.WHAT_IS_ASKED
    assert PLAN[0].target not in visible(page)
    header.click()
    assert header.accessibleDescription() == "Unfolded."
    for asked in PLAN:
        assert asked.target in visible(page)
    assert "Asking…" not in visible(page)


def test_questions_are_open_while_they_are_asked_and_where_nothing_was_found(page: Stage) -> None:
    page.view.finder.render_state(FINDING)
    assert visible(page).count("Asking…") == len(PLAN)
    page.view.finder.render_state(FOUND)
    assert PLAN[0].target not in visible(page)
    page.view.finder.render_state(FINDING)
    page.view.finder.render_state(NOTHING)
    assert visible(page).count("No answer in time.") == len(PLAN)


def test_mozilla_is_asked_after_a_yes(page: Stage, finding: Finding) -> None:
    show(page, "nothing")
    ask = page.find(QPushButton, "ask_ispdb")
    assert ask.accessibleDescription() == find_words.ISPDB
    assert find_words.ISPDB in visible(page)
    ask.click()
    assert finding.calls == [("find", True)]


def test_undo_reports_and_leaves_the_focus_where_it_can_be_seen(
    page: Stage, finding: Finding
) -> None:
    show(page, "taken")
    assert "Filled in. Now enter the password." in visible(page)
    page.find(QPushButton, "undo_find").click()
    assert finding.calls == [("undo",)]
    assert focused() == "find_settings"


def test_rendering_twice_changes_nothing(page: Stage) -> None:
    page.view.finder.render_state(FOUND)
    use = page.find(QPushButton, "use_proposal")
    page.view.finder.render_state(replace(FOUND, may_undo=True))
    assert page.find(QPushButton, "use_proposal") is use


SIZES = [(1040, 780), (640, 400), (520, 400)]


@pytest.mark.parametrize("direction", DIRECTIONS)
@pytest.mark.parametrize(("width", "height"), SIZES)
def test_nothing_is_cut_off_or_squeezed(
    page: Stage, qtbot: QtBot, width: int, height: int, direction: Qt.LayoutDirection
) -> None:
    page.view.page.setLayoutDirection(direction)
    page.view.page.resize(width, height)
    for name in FIND_SCENES:
        show(page, name)
        QApplication.processEvents()
        assert cut_off(page.view.page) == [], name
        qtbot.waitUntil(lambda: squeezed(page.view.page) == [])
    for scene in MANAGED_SCENES.values():
        page.view.render(scene.state)
        QApplication.processEvents()
        assert cut_off(page.view.page) == []


def test_locked_fields_can_be_read_and_not_typed_in(page: Stage) -> None:
    scene = MANAGED_SCENES["defaults"]
    page.view.show_draft(scene.draft, "")
    page.view.render(scene.state)
    host, security = page.find(QLineEdit, "host"), page.find(QComboBox, "security")
    assert host.isReadOnly()
    assert host.isEnabled()
    assert not security.isEnabled()
    for locked in (host, security):
        assert locked.accessibleDescription() == find_words.MANAGED
        assert locked.toolTip() == find_words.MANAGED
    assert not page.find(QLineEdit, "username").isReadOnly()
    said = visible(page)
    assert "Ask mail team, +49 30 1234 if one of them has to change." in said
    page.view.focus_field(Field.HOST)
    QTest.keyClicks(host, "x")
    assert page.calls == []
    page.view.render(EMPTY)
    assert not host.isReadOnly()
    assert security.isEnabled()
    assert find_words.MANAGED not in visible(page)
    assert host.accessibleDescription() == ""


def test_a_new_lock_is_marked_and_its_values_are_one_press_away(page: Stage) -> None:
    scene = MANAGED_SCENES["since"]
    page.view.show_draft(scene.draft, "")
    page.view.render(scene.state)
    said = "Your organization now sets this to “relay.example.org”."
    assert page.find(QLineEdit, "host").accessibleDescription().startswith(said)
    page.find(QPushButton, "offer_managed_values").click()
    assert page.calls == [("accept", Offer.MANAGED_VALUES)]
