"""The button "Check From domain", and the card with what the DNS says."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from PySide6.QtWidgets import QLabel, QLineEdit, QPushButton, QWidget

from smtp_desk.app.diagnostics.presenter import DiagnosisState
from smtp_desk.app.page_presenter import Busy
from smtp_desk.app.proving.domain import DomainRequest, check_domain, unchecked
from smtp_desk.app.services import Services
from smtp_desk.core.problems import Field
from smtp_desk.smtp.domain import answers
from smtp_desk.smtp.net.deadline import Cancel
from smtp_desk.smtp.net.resolve import DnsResolver
from smtp_desk.ui.desk import Desk
from smtp_desk.ui.diagnostics.words import BUSY
from tests.servers.dns import SILENCE, NameServer
from tests.ui import reports
from tests.ui.test_diagnostics import Seen, page
from tests.ui.test_diagnostics_desk import SLOW_MS, button, opened, text

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pytestqt.qtbot import QtBot

    from smtp_desk.app.proving.domain import DomainCheck
    from smtp_desk.core.report import CheckReport
    from tests.servers.dns import Zone

    Ask = Callable[[NameServer], Desk]
    Open = Callable[[dict[Field, str], CheckReport | None], Desk]

__all__ = ["opened", "page"]

ADDRESS = "ann@example.test"
SHORT = "Some receivers won’t trust email from example.test."
DOUBTED = "Email from example.test may not be trusted: the domain’s SPF record isn’t valid."
BAD: Zone = {"example.test": ["MX 0 .", r'TXT "v=spf1 <b>\027[31m -all"']}


def checked(zone: Zone, folder: Path) -> DomainCheck:
    with NameServer(zone) as server:
        where = f"{server.host}:{server.port}"
        request = DomainRequest(from_email="ann@example.test", resolver=where)
        return check_domain(Services.sandbox(folder), request, Cancel())


def test_the_button_asks_and_says_why_it_can_not(page: Seen) -> None:
    press = page.find(QPushButton, "check_domain")
    press.click()
    assert page.recorder.calls == [("check_domain", "")]
    press.setFocus()
    page.view.render(DiagnosisState(busy=Busy.ASKING))
    assert not press.isEnabled()
    assert press.toolTip() == BUSY[Busy.ASKING]
    cancel = page.find(QPushButton, "cancel_run")
    assert cancel.hasFocus()
    assert not page.has("running_stages")
    assert BUSY[Busy.ASKING] in page.texts
    page.view.cancel()
    assert page.recorder.calls[-1] == ("cancel",)
    page.view.render(DiagnosisState())
    assert press.hasFocus()


def test_a_selector_goes_with_the_question(page: Seen) -> None:
    field = page.find(QLineEdit, "dkim_selector")
    assert field.accessibleName() == "DKIM selector"
    field.setText("mail")
    page.find(QPushButton, "check_domain").click()
    assert page.recorder.calls == [("check_domain", "mail")]
    field.returnPressed.emit()
    assert page.recorder.calls == [("check_domain", "mail")] * 2
    page.view.render(DiagnosisState(busy=Busy.ASKING))
    assert not field.isEnabled()
    assert field.toolTip() == BUSY[Busy.ASKING]


def test_what_is_not_as_it_should_be_is_told_in_words(page: Seen, tmp_path: Path) -> None:
    check = checked(BAD, tmp_path)
    state = DiagnosisState(report=reports.SENT, own=True, domain=check, domain_is_news=True)
    page.view.render(state)
    page.view.focus_domain()
    summary = page.find(QWidget, "domain_summary")
    assert summary.hasFocus()
    assert summary.accessibleName() == DOUBTED
    assert "example.test can’t receive mail." in page.texts
    assert any("<b>" in each for each in page.texts)
    assert not any("\x1b" in each for each in page.texts)
    assert page.find(QLabel, "diagnostics_line").text() == SHORT
    assert page.has("verdict")
    page.view.render(DiagnosisState(report=reports.SENT, own=True))
    assert not page.has("from_domain_card")


def test_what_nobody_answered_is_said_to_be_unknown(page: Seen) -> None:
    check = unchecked(
        DomainRequest(from_email="ann@example.test"), "no DNS server answered in time"
    )
    page.view.render(DiagnosisState(domain=check, domain_is_news=True))
    reason = "no DNS server answered in time."
    assert f"Not checked: MX, SPF, DMARC, MTA-STS, TLS-RPT: {reason}" in page.texts
    assert f"Whether email from example.test will be trusted is unknown: {reason}" in page.texts


@pytest.mark.parametrize("width", [520, 820, 1400])
def test_hostile_records_do_not_widen_the_page(page: Seen, tmp_path: Path, width: int) -> None:
    long = " ".join(f'"{"x" * 250}"' for _ in range(200))
    exchangers = [f"MX {number} {'m' * 60}.test." for number in range(60)]
    check = checked({"example.test": [f'TXT "v=spf1 " {long}', *exchangers]}, tmp_path)
    page.view.page.resize(width, 900)
    page.view.render(DiagnosisState(domain=check))
    card = page.find(QWidget, "from_domain_card")
    assert card.width() <= width


@pytest.fixture
def asking(qtbot: QtBot, opened: Open, monkeypatch: pytest.MonkeyPatch) -> Ask:
    """Presses the button in the whole desk, with the name server in the place of the system's."""

    def ask(server: NameServer) -> Desk:
        there = DnsResolver(server.host, server.port)
        monkeypatch.setattr(answers, "DnsResolver", lambda: there)
        desk = opened({Field.FROM_EMAIL: ADDRESS}, None)
        field = desk.window.findChildren(QLineEdit, "from_email")[0]
        qtbot.waitUntil(lambda: field.text() == ADDRESS, timeout=SLOW_MS)
        desk.workshop.navigation.open_page("diagnostics")
        qtbot.waitUntil(button(desk, "check_domain").isEnabled, timeout=SLOW_MS)
        button(desk, "check_domain").click()
        return desk

    return ask


def test_in_the_whole_desk(qtbot: QtBot, asking: Ask) -> None:
    with NameServer(BAD) as server:
        desk = asking(server)
        qtbot.waitUntil(lambda: text(desk, "diagnostics_line") == SHORT, timeout=SLOW_MS)
        assert button(desk, "check_domain").isEnabled()


def test_cancel_in_the_whole_desk_while_the_dns_is_silent(qtbot: QtBot, asking: Ask) -> None:
    with NameServer({"example.test": SILENCE}) as server:
        desk = asking(server)
        qtbot.waitUntil(lambda: bool(server.questions), timeout=SLOW_MS)
        button(desk, "cancel_run").click()
        qtbot.waitUntil(button(desk, "check_domain").isEnabled, timeout=2000)
        assert text(desk, "diagnostics_line").startswith("Cancelled.")
