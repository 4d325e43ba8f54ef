"""Every remedy that the program can carry out is a button, and the form then holds its values."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

import pytest
from PySide6.QtWidgets import QComboBox, QLineEdit, QPushButton

from smtp_desk.app.integrations.presenter import IntegrationsPresenter
from smtp_desk.app.services import Services
from smtp_desk.core.errors import SmtpFailure
from smtp_desk.core.findings.finding import TRUST_CA, Finding, Remedy
from smtp_desk.core.gate import Outcome
from smtp_desk.core.problems import OAUTH_FIELDS, Field
from smtp_desk.core.stages import Facts, Stage
from smtp_desk.ui.integrations.finding_panel import FindingPanel
from smtp_desk.ui.integrations.test_panel import TestPanel
from smtp_desk.ui.integrations.view import IntegrationsView
from tests.app.faces import DeferredRunner
from tests.core.replies import load_catalogue
from tests.table import each_row
from tests.ui.states import TYPED

if TYPE_CHECKING:
    from pathlib import Path

    from pytestqt.qtbot import QtBot

    from smtp_desk.ui.widgets.theme import Theme

CATALOGUE: Final = load_catalogue()
GROUPED: Final = "abcd efgh ijkl mnop"
FILLED: Final = {
    Field.HOST: "smtp.gmail.com",
    Field.PORT: "25",
    Field.USERNAME: "ann",
    Field.PASSWORD: GROUPED,
    Field.FROM_EMAIL: "ann@example.org",
}
CASES: Final[list[tuple[str, Facts, str, dict[Field, str]]]] = [
    (
        "tls.not_offered",
        {"port": 25},
        "use_port_465",
        {Field.PORT: "465", Field.SECURITY: "tls"},
    ),
    (
        "tls.not_offered",
        {"port": 25},
        "use_port_587",
        {Field.PORT: "587", Field.SECURITY: "starttls"},
    ),
    (
        "connect.refused",
        {"working_port": 465, "working_security": "tls"},
        "use_working_port",
        {Field.PORT: "465", Field.SECURITY: "tls"},
    ),
    (
        "tls.wrong_mode",
        {"working_security": "starttls"},
        "use_starttls",
        {Field.SECURITY: "starttls"},
    ),
    (
        "tls.name_mismatch",
        {"suggestion": "mail.example.org"},
        "use_suggested_host",
        {Field.HOST: "mail.example.org"},
    ),
    (
        "auth.app_password_required",
        {"password_shape": "grouped"},
        "remove_password_spaces",
        {Field.PASSWORD: "abcdefghijklmnop"},
    ),
    (
        "auth.mechanism_refused",
        {"mechanism": "PLAIN", "mechanisms": ["PLAIN", "LOGIN"]},
        "use_auth_login",
        {Field.AUTH_METHOD: "login"},
    ),
    (
        "auth.rejected",
        {"host": "mail.example.org", "username": "ann", "from_email": "ann@example.org"},
        "use_email_as_username",
        {Field.USERNAME: "ann@example.org"},
    ),
    (
        "ehlo.name_refused",
        {"from_email": "ann@example.org", "ehlo_name": "[127.0.0.1]"},
        "use_sender_domain",
        {Field.EHLO_NAME: "example.org"},
    ),
]


class Desk:
    """The page with its presenter; nothing is tested, findings are shown as they would be."""

    def __init__(self, view: IntegrationsView, folder: Path) -> None:
        self.view = view
        runner = DeferredRunner()
        self.presenter = IntegrationsPresenter(Services.sandbox(folder), runner, view)
        view.attach(self.presenter)
        self.presenter.start()
        runner.finish()
        view.type_in(FILLED)

    def show(self, finding: Finding) -> None:
        self.view.render(replace(TYPED, outcome=Outcome.UNREACHABLE, finding=finding))

    def button(self, remedy: str) -> QPushButton:
        return self.view.page.findChildren(QPushButton, f"remedy_{remedy}")[-1]

    def control(self, field: Field) -> QLineEdit | QComboBox:
        edits = self.view.page.findChildren(QLineEdit, field)
        return edits[0] if edits else self.view.page.findChildren(QComboBox, field)[0]

    @property
    def values(self) -> dict[Field, str]:
        return {field: self.value(field) for field in Field if field not in OAUTH_FIELDS}

    def value(self, field: Field) -> str:
        control = self.control(field)
        return control.text() if isinstance(control, QLineEdit) else str(control.currentData())


@pytest.fixture
def desk(qtbot: QtBot, theme: Theme, tmp_path: Path) -> Desk:
    view = IntegrationsView(theme, test=TestPanel(offer_details=True))
    qtbot.addWidget(view.page)
    view.page.resize(800, 1600)
    view.page.show()
    return Desk(view, tmp_path / "home")


@pytest.mark.parametrize(("code", "facts", "remedy", "values"), CASES)
def test_a_remedy_changes_the_form(
    desk: Desk, code: str, facts: Facts, remedy: str, values: dict[Field, str]
) -> None:
    before = desk.values
    assert all(before[field] != value for field, value in values.items())
    desk.show(CATALOGUE.find(SmtpFailure(Stage.AUTH, code), facts))
    button = desk.button(remedy)
    assert button.isVisible()
    assert button.accessibleName().endswith(".")
    button.click()
    assert desk.values == {**before, **values}
    for field in values:
        assert desk.control(field).isVisible(), f"{field} must be seen to have changed"


@each_row("code", sorted(CATALOGUE.codes))
def test_what_the_program_can_do_is_a_button_and_nothing_else_is(qtbot: QtBot, code: str) -> None:
    known: Facts = {"working_port": 465, "working_security": "tls", "host": "smtp.example.org"}
    finding = CATALOGUE.find(SmtpFailure(Stage.TLS, code), known)
    panel = FindingPanel(offer_details=False)
    qtbot.addWidget(panel)
    panel.show_finding(finding)
    doable = {f"remedy_{remedy.id}" for remedy in finding.remedies if remedy.doable}
    buttons = {button.objectName() for button in panel.findChildren(QPushButton)}
    assert buttons - {"open_website"} == doable
    names_website = any("https://" in remedy.text for remedy in finding.remedies)
    assert ("open_website" in buttons) == (names_website and code != "auth.token_rejected")


def test_trusting_a_ca_without_an_offer_changes_nothing(desk: Desk) -> None:
    desk.presenter.apply(Remedy(TRUST_CA, "…"))
    assert desk.value(Field.CA_FILE) == ""
