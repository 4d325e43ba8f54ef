"""A report passed on from the window: messages, files, hidden addresses, two compared, drops."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QAction, QDragEnterEvent, QDragLeaveEvent, QDropEvent, QGuiApplication
from PySide6.QtWidgets import QApplication, QCheckBox, QFileDialog, QLabel, QPushButton, QWidget

from smtp_desk.app.diagnostics.comparison import compare_reports
from smtp_desk.app.diagnostics.presenter import DiagnosisState
from smtp_desk.app.diagnostics.report_file import save_report
from smtp_desk.app.diagnostics.support_message import AUDIENCES, Audience
from smtp_desk.app.opened import Opened
from smtp_desk.core.hiding import without_addresses
from smtp_desk.ui.dropping import Drop
from smtp_desk.ui.widgets.field import LineEdit
from tests.app.diagnostics.hostile import hostile
from tests.ui import reports
from tests.ui.test_diagnostics import Seen, own, page
from tests.ui.test_diagnostics_desk import SLOW_MS, opened, text

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pytestqt.qtbot import QtBot

    from smtp_desk.core.problems import Field
    from smtp_desk.core.report import CheckReport
    from smtp_desk.ui.desk import Desk

__all__ = ["opened", "page"]


def actions(page: Seen) -> dict[str, QAction]:
    menu = page.find(QPushButton, "copy_message").menu()
    return {action.objectName(): action for action in menu.actions()}


@pytest.mark.parametrize("audience", Audience)
def test_copy_message_offers_three_recipients(page: Seen, audience: Audience) -> None:
    page.render(own(reports.WRONG_PASSWORD))
    button = page.find(QPushButton, "copy_message")
    assert button.text().replace("&", "") == "Copy message"
    assert [action.text() for action in actions(page).values()] == list(AUDIENCES.values())
    actions(page)[f"message_to_{audience}"].trigger()
    assert page.recorder.calls == [("copy", audience)]


def test_what_needs_a_report_says_so(page: Seen) -> None:
    page.render(DiagnosisState())
    names = ("copy_message", "copy_report", "save_report", "save_html", "compare_report")
    for name in names:
        assert not page.find(QPushButton, name).isEnabled()
        assert page.find(QPushButton, name).toolTip() == "There is no report yet."
    assert page.find(QPushButton, "open_report").isEnabled()


def test_files_are_asked_for_html_and_comparison(page: Seen, tmp_path: Path) -> None:
    page.render(own(reports.REFUSED))
    page.find(QPushButton, "save_html").click()
    saving = page.find(QFileDialog, "save_html_dialog")
    assert saving.selectedFiles()[0].endswith("smtp-report-793935dbd88c14a7.html")
    saving.fileSelected.emit(str(tmp_path / "a.html"))
    saving.close()
    page.find(QPushButton, "compare_report").click()
    comparing = page.find(QFileDialog, "compare_report_dialog")
    comparing.fileSelected.emit(str(tmp_path / "b.smtpdesk"))
    comparing.close()
    assert page.recorder.calls == [
        ("save_html", tmp_path / "a.html"),
        ("compare", tmp_path / "b.smtpdesk"),
    ]


def test_hidden_addresses_are_hidden_on_the_page_too(page: Seen) -> None:
    box = page.find(QCheckBox, "hide_addresses")
    page.render(own(reports.REFUSED))
    box.click()
    assert page.recorder.calls == [("hide_addresses", True)]
    state = replace(own(reports.REFUSED), hiding=True)
    page.render(state)
    assert not page.has("verdict")
    page.render(replace(state, hidden=without_addresses(reports.REFUSED)[0]))
    assert page.has("verdict")
    assert not any("desk@example.org" in each for each in page.texts)
    # With placeholders no remedy may reach the form.
    assert not page.has("remedy_use_working_port")
    page.render(own(reports.REFUSED))
    assert not box.isChecked()
    assert page.has("remedy_use_working_port")


def comparing(before: CheckReport, after: CheckReport) -> DiagnosisState:
    return replace(
        own(before),
        own=False,
        source="Report file monday.smtpdesk",
        other=after,
        other_source="Report file tuesday.smtpdesk",
        comparison=compare_reports(before, after),
    )


def test_two_reports_side_by_side(page: Seen) -> None:
    page.render(comparing(reports.WRONG_PASSWORD, reports.SENT))
    page.view.focus_verdict()
    focused = QApplication.focusWidget()
    assert isinstance(focused, QLabel)
    assert focused.text() == "What changed"
    for told in (
        "Before: Report file monday.smtpdesk, 2026-11-23 13:00 UTC",
        "After: Report file tuesday.smtpdesk, 2026-11-23 13:00 UTC",
        "Test email sent successfully",
        "failed here",
        "not reached",
    ):
        assert told in page.texts
    named = {each.accessibleName() for each in page.view.page.findChildren(QLabel)}
    assert {"Sign in, before: failed here", "Sign in, after: passed"} <= named
    page.find(QPushButton, "end_comparison").click()
    assert page.recorder.calls == [("end_comparison",)]


def test_equal_reports_and_hostile_ones(page: Seen) -> None:
    page.render(comparing(reports.SENT, reports.SENT))
    assert "Only the times differ between the two reports." in page.texts
    for before, after in ((hostile(), reports.SENT), (reports.HOSTILE, hostile())):
        page.render(comparing(before, after))
        assert len(page.find(QWidget, "comparison").findChildren(QLabel)) < 400
        labels = page.view.page.findChildren(QLabel)
        assert {each.textFormat() for each in labels if each.text()} == {Qt.TextFormat.PlainText}


def files(*names: str) -> QMimeData:
    data = QMimeData()
    data.setUrls([QUrl(name) if "://" in name else QUrl.fromLocalFile(name) for name in names])
    return data


def drop(window: QWidget, data: QMimeData) -> bool:
    """Drag files over a window and drop them there."""
    copy, left, none = (
        Qt.DropAction.CopyAction,
        Qt.MouseButton.LeftButton,
        Qt.KeyboardModifier.NoModifier,
    )
    enter = QDragEnterEvent(QPoint(40, 40), copy, data, left, none)
    QApplication.sendEvent(window, enter)
    if not enter.isAccepted():
        return False
    QApplication.sendEvent(window, QDropEvent(QPointF(40, 40), copy, data, left, none))
    return True


class Dropped:
    """A window that takes what is dropped on it."""

    def __init__(self, qtbot: QtBot) -> None:
        self.window = QWidget()
        qtbot.addWidget(self.window)
        self.seen: list[tuple[object, ...]] = []
        taken = Drop(self.window)
        taken.report_dropped.connect(lambda file: self.seen.append(("report", file.name)))
        taken.email_dropped.connect(lambda file: self.seen.append(("email", file.name)))
        taken.two_dropped.connect(lambda a, b: self.seen.append(("two", a.name, b.name)))
        taken.refused.connect(lambda why: self.seen.append(("refused", why)))

    def hint(self) -> QLabel:
        found = self.window.findChild(QLabel, "drop_hint")
        assert isinstance(found, QLabel)
        return found


@pytest.mark.parametrize(
    ("names", "told"),
    [
        (("/x/a.smtpdesk",), ("report", "a.smtpdesk")),
        (("/x/a",), ("report", "a")),
        (("/x/test.EML",), ("email", "test.EML")),
        (("/x/a.json", "/x/b.json"), ("two", "a.json", "b.json")),
    ],
)
def test_what_is_dropped_is_opened(
    qtbot: QtBot, names: tuple[str, ...], told: tuple[str, ...]
) -> None:
    dropped = Dropped(qtbot)
    assert drop(dropped.window, files(*names))
    assert dropped.seen == [told]


@pytest.mark.parametrize(
    ("names", "told"),
    [
        (tuple(f"/x/{number}.json" for number in range(10)), "You dropped 10 files"),
        (("/x/a.json", "/x/b.eml"), "You dropped 2 files"),
        (("https://evil.test/a.json",), "Only files on this computer"),
        (("/x/a.json", "https://evil.test/a.json"), "Only files on this computer"),
    ],
)
def test_what_cannot_be_opened_at_once_is_told(
    qtbot: QtBot, names: tuple[str, ...], told: str
) -> None:
    dropped = Dropped(qtbot)
    assert drop(dropped.window, files(*names))
    ((kind, why),) = dropped.seen
    assert (kind, told in str(why)) == ("refused", True)


def test_text_is_not_taken_and_a_drag_that_leaves_clears_the_hint(qtbot: QtBot) -> None:
    dropped = Dropped(qtbot)
    words = QMimeData()
    words.setText("hello")
    assert not drop(dropped.window, words)
    assert dropped.seen == []
    copy, left = Qt.DropAction.CopyAction, Qt.MouseButton.LeftButton
    none = Qt.KeyboardModifier.NoModifier
    data = files("/x/a.json")
    QApplication.sendEvent(dropped.window, QDragEnterEvent(QPoint(1, 1), copy, data, left, none))
    assert not dropped.hint().isHidden()
    QApplication.sendEvent(dropped.window, QDragLeaveEvent())
    assert dropped.hint().isHidden()


def test_a_text_field_leaves_files_to_the_window(qtbot: QtBot) -> None:
    edit = LineEdit()
    qtbot.addWidget(edit)
    data = files("/x/a.json")
    data.setText("/x/a.json")
    assert not drop(edit, data)
    words = QMimeData()
    words.setText("smtp.example.org")
    assert drop(edit, words)
    assert edit.text() == "smtp.example.org"


def test_a_report_dropped_on_the_whole_window(
    opened: Callable[[dict[Field, str], CheckReport | None], Desk], qtbot: QtBot, tmp_path: Path
) -> None:
    desk = opened({}, None)
    first, second = tmp_path / "monday.smtpdesk", tmp_path / "tuesday.smtpdesk"
    save_report(first, reports.WRONG_PASSWORD)
    save_report(second, reports.SENT)
    assert drop(desk.window, files(str(first)))
    qtbot.waitUntil(lambda: "refused the username" in text(desk, "verdict"), timeout=SLOW_MS)
    assert drop(desk.window, files(str(first), str(second)))
    qtbot.waitUntil(
        lambda: any(each.isVisible() for each in desk.window.findChildren(QWidget, "comparison")),
        timeout=SLOW_MS,
    )
    assert drop(desk.window, files(str(tmp_path)))
    qtbot.waitUntil(lambda: "is a folder" in text(desk, "diagnostics_line"), timeout=SLOW_MS)
    # What was shown stays.
    assert "refused the username" in text(desk, "verdict")


def test_the_message_is_on_the_clipboard_and_told(
    opened: Callable[[dict[Field, str], CheckReport | None], Desk], qtbot: QtBot
) -> None:
    desk = opened({}, reports.WRONG_PASSWORD)
    button = desk.window.findChildren(QPushButton, "copy_message")[-1]
    qtbot.waitUntil(button.isEnabled, timeout=SLOW_MS)
    desk.window.findChildren(QCheckBox, "hide_addresses")[-1].click()
    qtbot.waitUntil(button.isEnabled, timeout=SLOW_MS)
    qtbot.waitUntil(lambda: text(desk, "verdict") != "", timeout=SLOW_MS)
    button.menu().actions()[1].trigger()
    qtbot.waitUntil(lambda: "Copied the message" in text(desk, "diagnostics_line"), timeout=SLOW_MS)
    copied = QGuiApplication.clipboard().text()
    assert "Username: address 1" in copied
    assert "desk@example.org" not in copied


def test_a_file_that_is_no_report_shows_why_in_the_window(
    opened: Callable[[dict[Field, str], CheckReport | None], Desk], qtbot: QtBot
) -> None:
    desk = opened({}, None)
    opened_with = Opened(None, trouble="bad.smtpdesk isn’t a report: it’s empty.")
    desk.workshop.opener.show_opened(opened_with)
    qtbot.waitUntil(lambda: "it’s empty" in text(desk, "diagnostics_line"), timeout=SLOW_MS)
    assert desk.workshop.navigation.current == "diagnostics"
