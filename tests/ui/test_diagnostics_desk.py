"""Diagnostics in the whole desk: from a finding to its details and back to the form."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from PySide6.QtWidgets import QCheckBox, QLabel, QLineEdit, QPushButton, QWidget

from smtp_desk.app.opened import Opened
from smtp_desk.app.services import Services
from smtp_desk.core.problems import Field
from smtp_desk.sandbox.server import Sandbox
from smtp_desk.ui.desk import Desk
from tests.ui.reports import REFUSED

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from pytestqt.qtbot import QtBot

    from smtp_desk.core.report import CheckReport

SLOW_MS = 30_000


@pytest.fixture
def opened(
    qtbot: QtBot, tmp_path: Path
) -> Iterator[Callable[[dict[Field, str], CheckReport | None], Desk]]:
    desks: list[Desk] = []

    def open_desk(filled: dict[Field, str], report: CheckReport | None) -> Desk:
        services = Services.sandbox(tmp_path / "desk")
        opened = Opened(report, source="Report file a.smtpdesk") if report is not None else None
        desk = Desk(lambda: services, filled=filled, opened=opened)
        desks.append(desk)
        qtbot.addWidget(desk.window)
        with qtbot.waitSignal(desk.furnished, timeout=SLOW_MS):
            desk.window.show()
        return desk

    yield open_desk
    for desk in desks:
        desk.close()


def button(desk: Desk, name: str) -> QPushButton:
    return desk.window.findChildren(QPushButton, name)[-1]


def text(desk: Desk, name: str) -> str:
    found = [label for label in desk.window.findChildren(QLabel, name) if label.isVisible()]
    return found[-1].text() if found else ""


def test_from_a_finding_to_its_details_and_a_check_without_signing_in(
    qtbot: QtBot,
    opened: Callable[[dict[Field, str], CheckReport | None], Desk],
    tmp_path: Path,
) -> None:
    with Sandbox() as server:
        ca_file = tmp_path / "ca.pem"
        ca_file.write_text(server.ca_pem, "utf-8")
        values = {
            Field.HOST: "localhost",
            Field.PORT: str(server.starttls_port),
            Field.USERNAME: server.username,
            Field.PASSWORD: "wrong",
            Field.FROM_EMAIL: server.username,
            Field.CA_FILE: str(ca_file),
            Field.RECIPIENT: "ann@example.org",
        }
        desk = opened(values, None)
        recipient = desk.window.findChildren(QLineEdit, "recipient")[0]
        qtbot.waitUntil(lambda: recipient.text() == "ann@example.org", timeout=SLOW_MS)
        qtbot.waitUntil(button(desk, "send_test").isEnabled, timeout=SLOW_MS)
        button(desk, "send_test").click()
        qtbot.waitUntil(lambda: text(desk, "outcome") != "", timeout=SLOW_MS)
        button(desk, "details").click()
        assert text(desk, "verdict") == "The server refused the username or password."
        desk.window.findChildren(QCheckBox, "without_signing_in")[0].click()
        button(desk, "run_again").click()
        qtbot.waitUntil(lambda: "isn’t proof" in text(desk, "verdict"), timeout=SLOW_MS)
        assert not button(desk, "save").isEnabled()


def test_a_report_from_the_command_line_is_shown_at_once(
    opened: Callable[[dict[Field, str], CheckReport | None], Desk], qtbot: QtBot
) -> None:
    desk = opened({}, REFUSED)
    page = desk.window.findChildren(QWidget, "diagnostics")[0]
    qtbot.waitUntil(page.isVisible, timeout=SLOW_MS)
    assert REFUSED.finding is not None
    qtbot.waitUntil(lambda: text(desk, "verdict") != "", timeout=SLOW_MS)
    assert text(desk, "verdict") == REFUSED.finding.summary
    # A stranger's remedies are advice, no buttons.
    assert not desk.window.findChildren(QPushButton, "remedy_use_working_port")
    qtbot.waitUntil(button(desk, "run_again").isEnabled, timeout=SLOW_MS)
    desk.window.findChildren(QCheckBox, "without_signing_in")[0].click()
    button(desk, "run_again").click()
    button(desk, "open_integrations").click()
    qtbot.waitUntil(desk.window.findChildren(QWidget, "integrations")[0].isVisible, timeout=SLOW_MS)


def test_a_remedy_of_ones_own_test_goes_into_the_form(
    opened: Callable[[dict[Field, str], CheckReport | None], Desk], qtbot: QtBot
) -> None:
    desk = opened({}, None)
    qtbot.waitUntil(button(desk, "send_test").isEnabled, timeout=SLOW_MS)
    assert REFUSED.finding is not None
    desk.workshop.diagnosis.apply(REFUSED.finding.remedies[0])
    assert desk.window.findChildren(QLineEdit, "port")[0].text() == "465"
    assert desk.window.findChildren(QWidget, "integrations")[0].isVisible()
