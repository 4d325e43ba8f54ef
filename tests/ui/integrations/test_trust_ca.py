"""The question whether to trust a company CA, alone and on both pages."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QApplication,
    QDialog,
    QLabel,
    QLineEdit,
    QPlainTextEdit,
    QPushButton,
    QWidget,
)

from smtp_desk.app.diagnostics.presenter import DiagnosisState
from smtp_desk.app.integrations.ca_offer import CaOffer, Typed
from smtp_desk.core.findings.finding import TRUST_CA, Remedy
from smtp_desk.ui.diagnostics.verdict_card import VerdictCard
from smtp_desk.ui.integrations.trust_dialog import TrustDialog
from smtp_desk.ui.integrations.words import TYPED as SAID
from tests.ui import states
from tests.ui.reports import HOST, UNKNOWN_ISSUER
from tests.ui.states import TYPED

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

    from tests.servers.certs import Certificates
    from tests.ui.conftest import Stage

REMEDY = Remedy(TRUST_CA, "Trust this company CA.")


@pytest.fixture
def offer(certs: Certificates) -> CaOffer:
    return CaOffer(
        host="mail.example.org",
        subject="CN=Example Company CA",
        issuer="CN=Example Company Root",
        not_before="2024-01-01",
        not_after="2034-01-01",
        pem=certs.other_root.chain_file.read_text("utf-8"),
    )


@pytest.fixture
def digits(certs: Certificates) -> str:
    return certs.other_root.fingerprint[-8:]


class Asked:
    """The dialog, and what it reports."""

    def __init__(self, dialog: TrustDialog) -> None:
        self.dialog = dialog
        self.confirmed: list[str] = []
        dialog.confirmed.connect(self.confirmed.append)

    @property
    def edit(self) -> QLineEdit:
        return self.dialog.findChildren(QLineEdit)[0]

    @property
    def button(self) -> QPushButton:
        return self.dialog.findChildren(QPushButton, "trust_ca")[0]

    @property
    def verdict(self) -> str:
        return self.dialog.findChildren(QLabel, "ca_verdict")[0].text()

    @property
    def texts(self) -> str:
        labels = self.dialog.findChildren(QLabel)
        return "\n".join(label.text().replace("\u200b", "") for label in labels)

    def type(self, text: str) -> None:
        self.edit.clear()
        QTest.keyClicks(self.edit, text)


@pytest.fixture
def around(qtbot: QtBot) -> QWidget:
    window = QWidget()
    qtbot.addWidget(window)
    window.show()
    return window


@pytest.fixture
def asked(qtbot: QtBot, offer: CaOffer, around: QWidget) -> Asked:
    dialog = TrustDialog(offer, around)
    dialog.open()
    qtbot.waitUntil(dialog.isVisible)
    return Asked(dialog)


def test_it_shows_who_the_ca_is_and_names_the_danger(asked: Asked) -> None:
    for text in ("CN=Example Company CA", "CN=Example Company Root", "2024-01-01 to 2034-01-01"):
        assert text in asked.texts
    assert "mail.example.org" in asked.texts
    assert "by phone" in asked.texts
    assert "impersonate the server" in asked.texts
    assert "impersonate the server" in asked.dialog.accessibleDescription()


def test_the_digits_to_type_are_nowhere_to_be_read_or_copied(asked: Asked, digits: str) -> None:
    said = asked.texts
    for widget in asked.dialog.findChildren(QWidget):
        said += widget.toolTip() + widget.accessibleName() + widget.accessibleDescription()
        assert not isinstance(widget, QPlainTextEdit)
    bare = "".join(said.split()).replace(":", "").lower()
    assert digits not in bare
    assert asked.dialog.offer.fingerprint_start in asked.texts


def test_only_the_right_digits_enable_the_button(asked: Asked, digits: str) -> None:
    assert asked.edit.hasFocus()
    assert not asked.button.isEnabled()
    assert asked.button.toolTip() == SAID[Typed.UNFINISHED]
    asked.type("0000 0000")
    assert not asked.button.isEnabled()
    assert asked.verdict == SAID[Typed.WRONG]
    assert "someone between you and the server" in asked.edit.accessibleDescription()
    asked.type("nonsense")
    assert asked.verdict == SAID[Typed.NOT_HEX]
    asked.type(":".join(digits[at : at + 2] for at in range(0, 8, 2)).upper())
    assert asked.button.isEnabled()
    asked.button.click()
    assert len(asked.confirmed) == 1
    assert asked.dialog.result() == QDialog.DialogCode.Accepted


def test_enter_confirms_only_what_is_right(asked: Asked, digits: str) -> None:
    asked.type("00000000")
    QTest.keyClick(asked.edit, Qt.Key.Key_Return)
    assert asked.confirmed == []
    assert asked.dialog.isVisible()
    asked.type(digits)
    QTest.keyClick(asked.edit, Qt.Key.Key_Return)
    assert asked.confirmed == [digits]


@pytest.mark.parametrize("way", ["escape", "button"])
def test_leaving_trusts_nothing(asked: Asked, digits: str, way: str) -> None:
    asked.type(digits)
    if way == "escape":
        QTest.keyClick(asked.edit, Qt.Key.Key_Escape)
    else:
        asked.dialog.findChildren(QPushButton, "dismiss_ca")[0].click()
    assert asked.confirmed == []
    assert not asked.dialog.isVisible()


def test_what_is_typed_and_what_it_comes_to_stay_in_view(asked: Asked, qtbot: QtBot) -> None:
    asked.dialog.resize(300, 260)
    asked.type("00000000")
    label = asked.dialog.findChildren(QLabel, "ca_verdict")[0]
    qtbot.waitUntil(lambda: not label.visibleRegion().isEmpty())
    assert not asked.edit.visibleRegion().isEmpty()


class TestIntegrations:
    def test_the_remedy_is_a_button_that_asks_first(self, page: Stage) -> None:
        finding = replace(states.WRONG_PASSWORD, remedies=(REMEDY,))
        page.view.render(replace(states.SCENES["failure"].state, finding=finding))
        button = page.find(QPushButton, f"remedy_{TRUST_CA}")
        assert "fingerprint" in button.accessibleDescription()
        button.click()
        assert page.calls == [("apply", REMEDY)]

    def test_the_question_opens_and_its_answer_is_reported(
        self, page: Stage, offer: CaOffer, digits: str
    ) -> None:
        asking = replace(TYPED, ca_offer=offer)
        page.view.render(asking)
        dialog = page.find(TrustDialog, "trust_ca_dialog")
        page.view.render(replace(asking, host="another"))
        assert len(page.view.page.findChildren(TrustDialog)) == 1
        assert dialog.isModal()
        QTest.keyClicks(dialog.findChildren(QLineEdit)[0], digits)
        dialog.findChildren(QPushButton, "trust_ca")[0].click()
        assert page.calls == [("confirm", digits)]
        page.view.render(TYPED)
        assert page.calls == [("confirm", digits)]

    def test_leaving_is_reported(self, page: Stage, offer: CaOffer) -> None:
        page.view.render(replace(TYPED, ca_offer=offer))
        page.find(TrustDialog, "trust_ca_dialog").reject()
        assert page.calls == [("dismiss",)]

    def test_it_closes_when_the_presenter_asks_no_longer(
        self, page: Stage, offer: CaOffer, qtbot: QtBot
    ) -> None:
        page.view.render(replace(TYPED, ca_offer=offer))
        dialog = page.find(TrustDialog, "trust_ca_dialog")
        qtbot.waitUntil(dialog.isVisible)
        page.view.render(TYPED)
        assert not dialog.isVisible()
        page.view.render(replace(TYPED, ca_offer=offer))
        qtbot.waitUntil(lambda: QApplication.activeModalWidget() is not None)


@pytest.mark.parametrize(
    ("own", "form_host", "offered"),
    [(True, HOST, True), (True, "other.example.org", False), (False, HOST, False)],
)
def test_diagnostics_offers_it_for_an_own_report_of_the_host_in_the_form(
    qtbot: QtBot, own: bool, form_host: str, offered: bool
) -> None:
    assert UNKNOWN_ISSUER.finding is not None
    finding = replace(UNKNOWN_ISSUER.finding, remedies=(REMEDY,))
    report = replace(UNKNOWN_ISSUER, finding=finding)
    card = VerdictCard(DiagnosisState(report=report, own=own, form_host=form_host), report)
    qtbot.addWidget(card)
    chosen: list[Remedy] = []
    card.remedy_chosen.connect(chosen.append)
    buttons = card.findChildren(QPushButton, f"remedy_{TRUST_CA}")
    assert bool(buttons) is offered
    for button in buttons:
        button.click()
    assert chosen == [REMEDY] * offered
    texts = [label.text() for label in card.findChildren(QLabel)]
    assert REMEDY.text in texts
