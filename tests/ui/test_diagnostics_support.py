"""Diagnostics for whoever has only a report of somebody else; websites; what stays in place."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

import pytest
from PySide6.QtCore import QPoint, QRect, QSize, Qt, QUrl
from PySide6.QtGui import QDesktopServices, QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLabel, QPushButton, QWidget

from smtp_desk.app.notice import Notice
from smtp_desk.app.page_presenter import Busy
from tests.ui import reports
from tests.ui.fitting import in_sight, lay_out
from tests.ui.test_diagnostics import Seen, own, page

if TYPE_CHECKING:
    from smtp_desk.core.report import CheckReport
    from smtp_desk.ui.widgets.theme import Theme

__all__ = ["page"]


def test_a_strangers_report_is_neither_about_us_nor_about_our_form(page: Seen) -> None:
    page.view.render(replace(own(reports.APP_PASSWORD), own=False))
    assert "Who can fix this: The person who set up email there." in page.texts
    assert page.find(QLabel, "diagnostics_line").text().endswith("not those of this report.")
    assert not page.has("open_website")
    page.view.render(own(reports.APP_PASSWORD))
    assert "Who can fix this: You, or whoever manages these settings." in page.texts
    assert "real test email" in page.find(QLabel, "diagnostics_line").text()


def test_it_says_when_a_report_was_made_if_that_is_known(page: Seen) -> None:
    report = reports.WRONG_PASSWORD
    page.view.render(replace(own(report), own=False, source="Report file a.json"))
    start = page.texts.index("Report file a.json")
    assert page.texts[start : start + 7] == [
        "Report file a.json",
        "Username",
        "desk@example.org",
        "Server",
        "smtp.example.org, port 587",
        "Time",
        "2026-11-23 13:00 UTC",
    ]
    page.view.render(replace(own(replace(report, environment={})), source="Report file b.json"))
    assert "Time" not in page.texts


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


_SMALL: Final = {
    "1366x768": (QSize(1056, 680), "system"),
    "1366x768, text at 150 %": (QSize(1020, 670), "150"),
    "640 px": (QSize(570, 560), "system"),
}


@pytest.mark.parametrize("report", [reports.APP_PASSWORD, reports.RELAY_DENIED, reports.LONG])
@pytest.mark.parametrize("look", _SMALL)
def test_cause_person_reply_and_first_remedy_are_seen_together(
    page: Seen, theme: Theme, look: str, report: CheckReport
) -> None:
    size, text_size = _SMALL[look]
    finding = report.finding
    assert finding is not None
    assert finding.reply is not None
    theme.prefer("light", text_size)
    page.view.page.resize(size)
    page.render(replace(own(report), own=False, source="Report file a.smtpdesk"))
    page.view.focus_verdict()
    lay_out()
    told = (finding.summary.strip(), "The person who set up email there.", finding.reply.lines[0])
    if report is reports.LONG and look != "1366x768":
        assert in_sight(page.view.page, *told[:2])
    else:
        assert in_sight(page.view.page, *told, finding.remedies[0].text)


@pytest.mark.parametrize("width", [570, 700, 1056])
def test_the_time_in_the_head_never_wraps(page: Seen, width: int) -> None:
    page.view.page.resize(width, 560)
    page.render(own(reports.WRONG_PASSWORD))
    lay_out()
    labels = page.view.page.findChildren(QLabel)
    time = next(each for each in labels if each.text() == "2026-11-23 13:00 UTC")
    assert time.heightForWidth(time.width()) < 2 * time.fontMetrics().height()


def test_no_button_moves_below_the_mouse_when_something_runs(page: Seen) -> None:
    names = ("run_again", "check_domain", "copy_report", "save_report", "open_report")

    def places() -> list[QRect]:
        found = [page.find(QPushButton, name) for name in names]
        return [QRect(each.mapTo(page.view.page, QPoint(0, 0)), each.size()) for each in found]

    page.render(own(reports.REFUSED))
    lay_out()
    before = places()
    below = [place.top() for place in before]
    assert below[1] > below[2] == below[3] > below[4]
    page.view.render(replace(own(reports.REFUSED), busy=Busy.ASKING))
    lay_out()
    assert page.has("cancel_run")
    assert places() == before


@pytest.mark.parametrize("busy", [Busy.NOTHING, Busy.TESTING, Busy.ASKING])
def test_the_bar_leaves_a_small_window_to_the_report(page: Seen, busy: Busy) -> None:
    page.view.page.resize(584, 376)
    page.render(replace(own(reports.REFUSED), busy=busy))
    lay_out()
    bar = page.find(QWidget, "action_bar")
    assert bar.height() <= 100


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
    page.render(own(reports.REFUSED))
    above = ["open_report", "compare_report", "copy_message", "copy_report", "save_report",
             "save_html", "hide_addresses", "verdict", "remedy_use_working_port"]  # fmt: skip
    steps = ["stage_settings", "stage_resolve", "stage_connect", "environment_fold"]
    below = ["dkim_selector", "check_domain", "run_again", "without_signing_in"]
    page.find(QPushButton, above[0]).setFocus()
    visited: list[str] = []
    while below[-1] not in visited and len(visited) < 100:
        focused = QApplication.focusWidget()
        assert focused is not None
        visited.append(focused.objectName())
        QTest.keyClick(focused, Qt.Key.Key_Tab)
    assert visited == [*above, *steps, *below]
