"""Diagnostics for whoever has only a report of somebody else; websites; what stays in place."""

from __future__ import annotations

from dataclasses import replace

import pytest
from PySide6.QtCore import Qt, QUrl
from PySide6.QtGui import QDesktopServices, QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLabel, QPushButton

from smtp_desk.app.notice import Notice
from smtp_desk.app.page_presenter import Busy
from tests.ui import reports
from tests.ui.test_diagnostics import Seen, own, page

__all__ = ["page"]


def test_a_strangers_report_is_neither_about_us_nor_about_our_form(page: Seen) -> None:
    page.view.render(replace(own(reports.APP_PASSWORD), own=False))
    assert "The person who set up email there." in page.texts
    assert page.find(QLabel, "diagnostics_line").text().endswith("not those of this report.")
    assert not page.has("open_website")
    page.view.render(own(reports.APP_PASSWORD))
    assert "You, or whoever manages these settings." in page.texts
    assert "real test email" in page.find(QLabel, "diagnostics_line").text()


def test_it_says_when_a_report_was_made_if_that_is_known(page: Seen) -> None:
    report = reports.WRONG_PASSWORD
    page.view.render(replace(own(report), own=False, source="Report file a.json"))
    origin = next(text for text in page.texts if text.startswith("Report file"))
    assert origin.splitlines() == [
        "Report file a.json",
        "Server: smtp.example.org, port 587",
        "Created: 2026-11-23 13:00 UTC",
    ]
    page.view.render(replace(own(replace(report, environment={})), source="Report file b.json"))
    assert not any("Created" in text for text in page.texts)


def test_a_website_that_a_remedy_names_is_one_press_away(page: Seen, visited: list[QUrl]) -> None:
    page.view.render(own(reports.APP_PASSWORD))
    buttons = page.view.page.findChildren(QPushButton, "open_website")
    assert [each.text() for each in buttons] == [
        "Open support.google.com…",
        "Open myaccount.google.com",
        "Open support.google.com",
    ]
    buttons[1].click()
    assert visited == [QUrl("https://myaccount.google.com/apppasswords")]


def test_no_button_moves_below_the_mouse_when_something_runs(page: Seen) -> None:
    names = ("run_again", "check_domain", "copy_report", "save_report", "open_report")
    page.view.render(own(reports.REFUSED))
    QGuiApplication.processEvents()
    places = [page.find(QPushButton, name).geometry() for name in names]
    below = [place.top() for place in places]
    assert below[0] == below[1] < below[2] == below[3] == below[4]
    page.view.render(replace(own(reports.REFUSED), busy=Busy.ASKING))
    QGuiApplication.processEvents()
    assert page.has("cancel_run")
    assert [page.find(QPushButton, name).geometry() for name in names] == places


def test_without_a_browser_the_address_is_copied(
    page: Seen, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(QDesktopServices, "openUrl", lambda _address: False)
    page.view.render(own(reports.APP_PASSWORD))
    button = page.view.page.findChildren(QPushButton, "open_website")[2]
    button.click()
    assert "copied" in button.text()
    assert QGuiApplication.clipboard().text() == "https://support.google.com/mail/answer/7126229"


@pytest.mark.parametrize(
    ("notice", "tone"),
    [
        (Notice("Copied."), "success"),
        (Notice("The test was cancelled.", plain=True), "muted"),
        (Notice("No.", error=True), "danger"),
    ],
)
def test_what_was_cancelled_looks_neither_well_nor_failed(
    page: Seen, notice: Notice, tone: str
) -> None:
    page.view.render(replace(own(reports.REFUSED), notice=notice))
    assert page.find(QLabel, "diagnostics_line").property("tone") == tone


def test_tab_follows_the_reading_order_of_the_buttons(page: Seen) -> None:
    page.view.render(own(reports.REFUSED))
    above = ["run_again", "without_signing_in", "check_domain", "dkim_selector"]
    names = [*above, "copy_report", "save_report", "open_report"]
    page.find(QPushButton, names[0]).setFocus()
    visited = []
    for _ in names:
        focused = QApplication.focusWidget()
        assert focused is not None
        visited.append(focused.objectName())
        QTest.keyClick(focused, Qt.Key.Key_Tab)
    assert visited == names
