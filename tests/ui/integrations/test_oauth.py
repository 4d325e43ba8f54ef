"""The sign-in by OAuth 2.0 in the form and beside the test: what is shown, and what is reported."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import QUrl
from PySide6.QtGui import QGuiApplication, QTextFormat
from PySide6.QtWidgets import (
    QComboBox,
    QFileDialog,
    QLabel,
    QLineEdit,
    QPushButton,
    QTextBrowser,
    QWidget,
)

from smtp_desk.app.integrations.form_offers import Offer
from smtp_desk.app.page_presenter import Busy
from smtp_desk.core.findings.finding import SIGN_IN_AGAIN, Remedy
from smtp_desk.core.oauth import FLOWS, OAuthDraft, OAuthProvider
from smtp_desk.core.problems import Field, Problem
from smtp_desk.core.secret import Secret
from smtp_desk.core.settings import OAUTH
from smtp_desk.oauth.prompt import Prompt
from tests.ui.fitting import DIRECTIONS, cut_off, lay_out, squeezed
from tests.ui.oauth_scenes import OAUTH_SCENES
from tests.ui.states import EMPTY, FILLED, PROMPT, SCENES, TYPED

if TYPE_CHECKING:
    from pathlib import Path

    from pytestqt.qtbot import QtBot

    from tests.ui.conftest import Stage

PARTS = (
    *("flow", "client_id", "tenant", "oauth_authorize_url", "oauth_token_url"),
    *("oauth_device_url", "oauth_scope", "oauth_ca_file", "password", "choose_key_file"),
    "client_secret_expires",
)
PAGE = Prompt("https://login.example.com/authorize?state=s", "", 300)


def shown(page: Stage, oauth: OAuthDraft) -> set[str]:
    method = OAUTH if oauth.provider else "auto"
    page.view.show_draft(replace(FILLED, auth_method=method, oauth=oauth), "")
    page.view.render(replace(TYPED, oauth=oauth))
    return {name for name in PARTS if page.find(QWidget, name).isVisible()}


@pytest.mark.parametrize(
    ("provider", "flow", "parts"),
    [
        ("", "", {"password"}),
        ("microsoft", "browser", {"flow", "client_id", "tenant"}),
        ("microsoft", "device", {"flow", "client_id", "tenant"}),
        ("microsoft", "app", {"flow", "client_id", "tenant", "password", "choose_key_file",
                              "client_secret_expires"}),
        ("google", "browser", {"flow", "client_id", "password", "client_secret_expires"}),
        ("google", "service-account", {"flow", "password", "choose_key_file"}),
        ("custom", "browser", {"flow", "client_id", "oauth_authorize_url", "oauth_token_url",
                               "oauth_scope", "oauth_ca_file", "password",
                               "client_secret_expires"}),
        ("custom", "device", {"flow", "client_id", "oauth_device_url", "oauth_token_url",
                              "oauth_scope", "oauth_ca_file", "password",
                               "client_secret_expires"}),
        ("custom", "app", {"flow", "client_id", "oauth_token_url", "oauth_scope", "oauth_ca_file",
                           "password", "choose_key_file", "client_secret_expires"}),
    ],
)  # fmt: skip
def test_only_what_provider_and_flow_need_is_shown(
    page: Stage, provider: str, flow: str, parts: set[str]
) -> None:
    assert shown(page, OAuthDraft(provider=provider, flow=flow)) == parts
    assert page.find(QComboBox, "credential").currentData() == provider


@pytest.mark.parametrize("provider", OAuthProvider)
def test_each_provider_offers_its_own_flows(page: Stage, provider: OAuthProvider) -> None:
    flow = FLOWS[provider][-1]
    shown(page, OAuthDraft(provider=provider, flow=flow))
    box = page.find(QComboBox, "flow")
    assert [box.itemData(index) for index in range(box.count())] == list(FLOWS[provider])
    assert box.currentData() == flow
    assert page.calls == []


def test_choices_and_keystrokes_are_reported(page: Stage) -> None:
    box = page.find(QComboBox, "credential")
    box.setCurrentIndex(box.findData("microsoft"))
    assert ("edit", Field.OAUTH_PROVIDER, "microsoft") in page.calls
    shown(page, OAuthDraft(provider="microsoft", flow="browser"))
    page.calls.clear()
    page.find(QLineEdit, "tenant").setText("example.com")
    flow = page.find(QComboBox, "flow")
    flow.setCurrentIndex(flow.findData("app"))
    assert page.calls == [
        ("edit", Field.TENANT, "example.com"),
        ("edit", Field.OAUTH_FLOW, "app"),
        ("finish_editing", Field.OAUTH_FLOW),
    ]


def test_a_problem_stands_beside_its_field(page: Stage) -> None:
    shown(page, OAuthDraft(provider="microsoft", flow="browser"))
    problem = Problem(Field.TENANT, "oauth.tenant_empty")
    oauth = OAuthDraft(provider="microsoft", flow="browser")
    page.view.render(replace(TYPED, oauth=oauth, problems=(problem,)))
    assert "tenant ID" in page.find(QLineEdit, "tenant").accessibleDescription()
    page.view.focus_field(Field.TENANT)
    assert page.find(QLineEdit, "tenant").hasFocus()


def test_the_secret_is_called_what_it_is(page: Stage) -> None:
    shown(page, OAuthDraft(provider="microsoft", flow="app"))
    assert page.find(QLineEdit, "password").accessibleName() == "Client secret"
    shown(page, OAuthDraft())
    assert page.find(QLineEdit, "password").accessibleName() == "Password"


def test_a_key_file_is_chosen_and_its_lines_are_never_in_the_field(
    page: Stage, qtbot: QtBot, tmp_path: Path
) -> None:
    oauth = OAuthDraft(provider="google", flow="service-account")
    shown(page, oauth)
    page.find(QPushButton, "choose_key_file").click()
    dialog = page.view.page.findChild(QFileDialog, "key_file_dialog")
    assert isinstance(dialog, QFileDialog)
    dialog.fileSelected.emit(str(tmp_path / "a.json"))
    assert page.calls == [("choose", str(tmp_path / "a.json"))]
    dialog.reject()
    qtbot.waitUntil(lambda: page.view.page.findChild(QFileDialog, "key_file_dialog") is None)
    secret = Secret('{\n"private_key": "x"\n}')
    page.view.show_draft(replace(FILLED, auth_method=OAUTH, oauth=oauth, secret=secret), "")
    page.view.render(replace(TYPED, oauth=oauth, from_key_file=True))
    edit = page.find(QLineEdit, "password")
    assert (edit.text(), edit.placeholderText()) == ("", "From the key file")


def test_the_guide_says_step_by_step_how_to_register(page: Stage) -> None:
    for provider, words in (
        ("microsoft", "New-ServicePrincipal"),
        ("google", "Register an application with Google"),
    ):
        shown(page, OAuthDraft(provider=provider, flow="browser"))
        former = page.view.page.findChild(QTextBrowser, "guide_text")
        assert former is None or not former.isVisible()
        page.find(QPushButton, "guide").click()
        text = page.find(QTextBrowser, "guide_text")
        assert text.isVisible()
        assert words in text.toPlainText()


def test_signing_in_again_is_offered_where_it_is_possible(page: Stage) -> None:
    scene = SCENES["oauth"]
    page.view.show_draft(scene.draft, "")
    page.view.render(scene.state)
    again = page.find(QPushButton, "sign_in")
    again.click()
    assert page.calls == [("apply", Remedy(SIGN_IN_AGAIN, ""))]
    page.view.render(replace(scene.state, busy=Busy.SIGNING_IN))
    assert not again.isEnabled()
    assert page.find(QPushButton, "cancel_test").isVisible()
    page.view.render(replace(scene.state, may_sign_in=False))
    assert not again.isVisible()


def test_the_browser_is_opened_once_and_can_be_opened_again(
    page: Stage, visited: list[QUrl]
) -> None:
    testing = replace(TYPED, busy=Busy.TESTING, prompt=PAGE)
    page.view.render(testing)
    page.view.render(replace(testing, stages=SCENES["testing"].state.stages, changed=False))
    assert visited == [QUrl(PAGE.url)]
    said = page.find(QLabel, "sign_in_text").text()
    assert "login.example.com" in said
    assert "5 minutes" in said
    assert "state=s" not in said
    assert not page.find(QLabel, "user_code").isVisible()
    page.find(QPushButton, "open_sign_in").click()
    assert len(visited) == 2
    page.find(QPushButton, "copy_sign_in").click()
    assert QGuiApplication.clipboard().text() == PAGE.url
    page.view.render(EMPTY)
    assert not page.find(QLabel, "sign_in_text").isVisible()


def test_a_machine_without_a_browser_says_so(page: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("PySide6.QtGui.QDesktopServices.openUrl", lambda _url: False)
    page.view.render(replace(TYPED, busy=Busy.TESTING, prompt=PAGE))
    assert "Copy the address" in page.find(QLabel, "sign_in_text").text()


def test_a_code_is_shown_and_opens_nothing_unasked(page: Stage, visited: list[QUrl]) -> None:
    page.view.render(replace(TYPED, busy=Busy.TESTING, prompt=PROMPT))
    assert visited == []
    assert page.find(QLabel, "user_code").text() == "WDJB-MJHT"
    assert page.find(QLabel, "user_code").accessibleName() == "Code: WDJB-MJHT"
    assert page.find(QPushButton, "cancel_test").isVisible()
    page.find(QPushButton, "open_sign_in").click()
    assert visited == [QUrl(PROMPT.url)]


@pytest.mark.parametrize(
    ("provider", "flow", "name", "empties"),
    [
        ("", "", "password", "Use no password"),
        ("custom", "browser", "client secret", "Use no client secret"),
        ("google", "browser", "client secret", "Use no client secret"),
        ("microsoft", "app", "client secret", ""),
        ("google", "service-account", "key file", ""),
    ],
)
def test_each_secret_is_called_what_it_is(
    page: Stage, provider: str, flow: str, name: str, empties: str
) -> None:
    oauth = OAuthDraft(provider=provider, flow=flow)
    shown(page, oauth)
    reveal = page.find(QWidget, "reveal")
    assert reveal.accessibleName() == f"Show {name}"
    page.view.render(
        replace(TYPED, oauth=oauth, secret_stored=True, offers=frozenset({Offer.STORED_PASSWORD}))
    )
    assert reveal.accessibleDescription() == f"The stored {name} is never shown again"
    no_more = page.find(QPushButton, "forget_stored")
    assert (no_more.text() if no_more.isVisible() else "") == empties
    stored = page.find(QPushButton, f"offer_{Offer.STORED_PASSWORD}")
    assert stored.text() == f"Use stored {name}"


@pytest.mark.usefixtures("visited")
@pytest.mark.parametrize("name", OAUTH_SCENES)
def test_nothing_is_cut_off_or_squeezed(page: Stage, qtbot: QtBot, name: str) -> None:
    scene, shown_page = OAUTH_SCENES[name], page.view.page
    shown_page.resize(520, 400)
    page.view.show_draft(scene.draft, scene.recipient)
    page.view.render(scene.state)
    if scene.unfolded:
        page.find(QPushButton, scene.unfolded).click()
    parts: list[QLabel | QPushButton] = list(shown_page.findChildren(QLabel))
    parts += shown_page.findChildren(QPushButton)
    for part in parts:
        if part.text():
            part.setText(f"{part.text()} {part.text()[: len(part.text()) * 2 // 5]}")
    for direction in DIRECTIONS:
        shown_page.setLayoutDirection(direction)
        lay_out()
        assert cut_off(shown_page) == [], direction
        qtbot.waitUntil(lambda: squeezed(shown_page) == [])


def test_the_headings_of_the_guide_are_no_larger_than_its_text(page: Stage) -> None:
    shown(page, OAuthDraft(provider="google", flow="browser"))
    page.find(QPushButton, "guide").click()
    block = page.find(QTextBrowser, "guide_text").document().begin()
    headings = 0
    while block.isValid():
        if block.blockFormat().headingLevel():
            headings += 1
            sizes = [
                each.format.property(QTextFormat.Property.FontSizeAdjustment)
                for each in block.textFormats()
            ]
            assert set(sizes) == {0}
        block = block.next()
    assert headings > 2


def test_a_key_file_names_its_own_end(page: Stage) -> None:
    oauth = OAuthDraft(provider="microsoft", flow="app")
    assert "client_secret_expires" in shown(page, oauth)
    page.view.render(replace(TYPED, oauth=oauth, from_key_file=True))
    assert not page.find(QWidget, "client_secret_expires").isVisible()


def test_the_day_is_typed_next_to_the_secret_and_its_problem_is_told(page: Stage) -> None:
    oauth = OAuthDraft(provider="google", flow="browser", client_secret_expires="2027-05-30")
    shown(page, oauth)
    edit = page.find(QLineEdit, "client_secret_expires")
    assert (edit.text(), edit.placeholderText()) == ("2027-05-30", "YYYY-MM-DD")
    assert "Optional." in edit.accessibleDescription()
    page.calls.clear()
    edit.setText("2027-02-30")
    assert page.calls == [("edit", Field.CLIENT_SECRET_EXPIRES, "2027-02-30")]
    problem = Problem(Field.CLIENT_SECRET_EXPIRES, "oauth.expires_no_such_day")
    page.view.render(replace(TYPED, oauth=oauth, problems=(problem,)))
    assert "no such day" in edit.accessibleDescription()
    page.view.focus_field(Field.CLIENT_SECRET_EXPIRES)
    assert edit.hasFocus()


def test_what_expires_soon_stands_above_all_until_nothing_does(page: Stage) -> None:
    banner = page.find(QWidget, "ends")
    assert banner.isHidden()
    page.view.render(replace(TYPED, ends="The client secret expires on 2027-05-30."))
    assert banner.isVisible()
    assert banner.accessibleDescription() == "The client secret expires on 2027-05-30."
    page.view.render(TYPED)
    assert banner.isHidden()
