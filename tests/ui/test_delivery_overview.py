"""The Delivery page: pause, worker, causes, erasing, a copy, and the chart of the last day."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QApplication,
    QComboBox,
    QDialog,
    QLabel,
    QLineEdit,
    QMessageBox,
    QPushButton,
    QWidget,
)

from smtp_desk.app.delivery.words import causes as causes_of
from smtp_desk.sender.mail.personal_copy import COPY
from smtp_desk.sender.outbox.entries import EntryState, OutboxMessage
from smtp_desk.ui.delivery.day_chart import DayChart
from tests.ui import delivery_scenes

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pytestqt.qtbot import QtBot

    from smtp_desk.ui.widgets.theme import Theme
    from tests.ui.delivery_scenes import Scene

W = TypeVar("W", bound=QWidget)


@pytest.fixture
def opened(
    qtbot: QtBot, theme: Theme, tmp_path: Path
) -> Callable[[Callable[[Path], Scene]], Scene]:
    def open_scene(make: Callable[[Path], Scene]) -> Scene:
        scene = make(tmp_path)
        qtbot.addWidget(scene.view.page)
        scene.view.page.resize(1000, 900)
        scene.view.page.show()
        scene.view.page.activateWindow()
        qtbot.waitUntil(scene.view.page.isActiveWindow)
        scene.runner.finish()
        return scene

    return open_scene


def find(scene: Scene, kind: type[W], name: str) -> W:
    found = scene.view.page.findChild(kind, name)
    assert isinstance(found, kind), name
    return found


def text(scene: Scene, name: str) -> str:
    label = find(scene, QLabel, name)
    return label.text() if label.isVisible() else ""


def test_a_pause_is_shown_and_ended(opened: Callable[[Callable[[Path], Scene]], Scene]) -> None:
    scene = opened(delivery_scenes.morning)
    banner = find(scene, QWidget, "paused")
    assert not banner.isVisible()
    scene.press("pause_sending")
    assert scene.outbox.control.paused_since() == scene.clock()
    assert banner.isVisible()
    assert banner.accessibleName().startswith("Sending has been paused since ")
    pause = find(scene, QPushButton, "pause_sending")
    assert pause.text() == "Resume &sending"
    scene.press("pause_sending")
    assert scene.outbox.control.paused_since() is None
    scene.press("pause_sending")
    find(scene, QPushButton, "resume_sending").setFocus()
    scene.press("resume_sending")
    assert scene.outbox.control.paused_since() is None
    assert not banner.isVisible()
    assert QApplication.focusWidget() is scene.table
    assert "resumed" in text(scene, "sending_line")


def test_a_worker_is_started_and_stopped_here(
    opened: Callable[[Callable[[Path], Scene]], Scene],
) -> None:
    scene = opened(delivery_scenes.morning)
    assert text(scene, "worker_status") == "No worker is running."
    start = find(scene, QPushButton, "session_worker")
    assert start.toolTip() == (
        "A worker is running in this window. It stops when you close the window."
    )
    scene.press("session_worker")
    assert text(scene, "worker_status") == start.toolTip()
    assert start.text() == "Stop the &worker"
    scene.press("session_worker")
    scene.drain.finish()
    scene.runner.finish()
    assert text(scene, "worker_status") == "No worker is running."
    scene.outbox.control.announce("elsewhere")
    scene.look()
    assert text(scene, "worker_status") == "A worker is running."


def test_where_nobody_sends_a_worker_is_offered(
    opened: Callable[[Callable[[Path], Scene]], Scene],
) -> None:
    scene = opened(delivery_scenes.undrained)
    assert find(scene, QWidget, "undrained").isVisible()
    scene.press("start_worker")
    assert not find(scene, QWidget, "undrained").isVisible()
    assert scene.drain.waiting == 1


def test_the_causes_are_listed_and_one_is_retried(
    opened: Callable[[Callable[[Path], Scene]], Scene],
) -> None:
    scene = opened(delivery_scenes.morning)
    scene.press("retry_by_cause")
    dialog = find(scene, QDialog, "cause_dialog")
    assert dialog.isVisible()
    causes = find(scene, QComboBox, "cause")
    listed = [causes.itemText(each) for each in range(causes.count())]
    assert listed == ["recipient.greylisted (3 emails)", "recipient.unknown (3 emails)"]
    retry = find(scene, QPushButton, "retry_cause")
    causes.setFocus()
    QTest.keyClick(causes, Qt.Key.Key_Down)
    assert retry.text() == "&Retry 3 emails"
    assert causes_of(scene.services)("recipient.unknown") in [
        each.text() for each in dialog.findChildren(QLabel)
    ]
    held = scene.outbox.counts().of(EntryState.HELD)
    scene.press("retry_cause")
    assert not dialog.isVisible()
    assert text(scene, "sending_line").endswith("queued to send now.")
    assert scene.outbox.counts().of(EntryState.HELD) == held
    scene.press("retry_by_cause")
    assert causes.count() == 1


def test_where_no_cause_stops_anything_that_is_told(
    opened: Callable[[Callable[[Path], Scene]], Scene],
) -> None:
    scene = opened(delivery_scenes.empty)
    scene.press("retry_by_cause")
    assert not find(scene, QPushButton, "retry_cause").isEnabled()
    assert text(scene, "cause_dialog_line").startswith("No emails are waiting or refused")


def test_erasing_looks_first_and_asks(opened: Callable[[Callable[[Path], Scene]], Scene]) -> None:
    scene = opened(delivery_scenes.morning)
    address = scene.outbox.page().entries[-1].recipient
    before = scene.outbox.counts().total
    scene.press("erase_recipient")
    dialog = find(scene, QDialog, "erase_dialog")
    assert dialog.isVisible()
    assert dialog.focusWidget() is find(scene, QLineEdit, "erase_address")
    erase = find(scene, QPushButton, "erase")
    assert not erase.isEnabled()
    assert erase.toolTip() == "Look up an address first."
    scene.type("erase_address", address.upper())
    scene.press("look_up")
    assert "stored" in text(scene, "erase_dialog_line")
    scene.type("erase_address", "bo@example.org")
    assert not erase.isEnabled(), "what was found is another's"
    scene.type("erase_address", address.upper())
    scene.press("look_up")
    erase.click()
    box = dialog.findChild(QMessageBox, "confirm_erase")
    assert isinstance(box, QMessageBox)
    assert box.defaultButton().objectName() == "keep"
    box.defaultButton().click()
    assert scene.outbox.counts().total == before
    erase.click()
    boxes = dialog.findChildren(QMessageBox, "confirm_erase")
    confirmed = boxes[-1].findChild(QPushButton, "confirmed")
    assert isinstance(confirmed, QPushButton)
    confirmed.click()
    scene.runner.finish()
    assert text(scene, "erase_dialog_line").startswith("Erased: ")
    assert scene.outbox.counts().total < before
    assert not erase.isEnabled()
    scene.press("close")


def test_a_copy_is_sent_to_me(opened: Callable[[Callable[[Path], Scene]], Scene]) -> None:
    scene = opened(delivery_scenes.selected)
    scene.press("send_copy")
    assert find(scene, QDialog, "copy_dialog").isVisible()
    scene.type("copy_address", "nobody")
    scene.press("send_copy_now")
    assert scene.sent == []
    scene.type("copy_address", "me@example.net")
    scene.press("send_copy_now")
    (copy,) = scene.sent
    assert isinstance(copy, OutboxMessage)
    assert (copy.kind, copy.recipients) == (COPY, ("me@example.net",))
    assert text(scene, "copy_dialog_line").startswith("Accepted for me@example.net")


def test_the_chart_is_text_too(opened: Callable[[Callable[[Path], Scene]], Scene]) -> None:
    scene = opened(delivery_scenes.morning)
    chart = find(scene, DayChart, "day_chart")
    assert chart.accessibleName() == "Emails in the last 24 hours"
    assert "stored in the last 24 hours" in chart.accessibleDescription()
    assert "Refused: " in chart.accessibleDescription()
    assert text(scene, "day_custom").startswith("Sent by the custom server ")
    chart.setFocus()
    chosen = []
    for _ in range(3):
        QTest.keyClick(chart, Qt.Key.Key_Left)
        chosen.append(chart._chosen)
    QTest.keyClick(chart, Qt.Key.Key_Right)
    assert [*chosen, chart._chosen] == [23, 22, 21, 22]
    for _ in range(30):
        QTest.keyClick(chart, Qt.Key.Key_Left)
    assert chart._chosen == 0
    scene.table.setFocus()
    assert chart._chosen is None


def test_the_chart_is_mirrored_where_text_runs_right_to_left(
    opened: Callable[[Callable[[Path], Scene]], Scene],
) -> None:
    scene = opened(delivery_scenes.morning)
    chart = find(scene, DayChart, "day_chart")
    left = chart._column(0).left()
    chart.setLayoutDirection(Qt.LayoutDirection.RightToLeft)
    assert chart._column(0).left() > left
    assert chart._number_at(chart._column(5).center().x()) == 5
    QTest.keyClick(chart, Qt.Key.Key_Right)
    assert chart._chosen == 23


def test_nothing_to_draw_says_so(opened: Callable[[Callable[[Path], Scene]], Scene]) -> None:
    scene = opened(delivery_scenes.empty)
    assert text(scene, "day_summary") == "No emails in the last 24 hours."
    assert not find(scene, DayChart, "day_chart").isVisible()
