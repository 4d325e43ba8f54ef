"""The Delivery page: what it shows, what it reports, and how it behaves over time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar, cast

import pytest
from PySide6.QtCore import QObject, Qt, QTimer
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QApplication,
    QFileDialog,
    QLabel,
    QLineEdit,
    QMessageBox,
    QPushButton,
    QWidget,
)

from smtp_desk.app.delivery import presenter as delivery
from smtp_desk.app.delivery.state import DeliveryState
from smtp_desk.app.delivery.words import DeliveryStatus
from smtp_desk.app.notice import Notice
from smtp_desk.sender.outbox.entries import EntryState
from smtp_desk.sender.routes.route import CUSTOM
from smtp_desk.ui.delivery.view import DeliveryView
from tests.sender import mails
from tests.ui import delivery_scenes
from tests.ui.fitting import lay_out

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pytestqt.qtbot import QtBot

    from smtp_desk.app.delivery.listing import Span
    from smtp_desk.app.delivery.presenter import DeliveryPresenter
    from smtp_desk.app.services import Services
    from smtp_desk.ui.widgets.theme import Theme
    from tests.ui.delivery_scenes import Scene

W = TypeVar("W", bound=QWidget)


class Recorder:
    """A presenter that only writes down what it was told."""

    def __init__(self) -> None:
        self.calls: list[tuple[Any, ...]] = []

    def refresh(self, span: Span) -> None:
        self.calls.append(("refresh",))

    def search(self, text: str) -> None:
        self.calls.append(("search", text))

    def stop_search(self) -> None:
        self.calls.append(("stop_search",))

    def search_on(self) -> None:
        self.calls.append(("search_on",))

    def show_only(self, status: DeliveryStatus | None) -> None:
        self.calls.append(("show_only", status))

    def show_all(self) -> None:
        self.calls.append(("show_all",))

    def more(self) -> None:
        self.calls.append(("more",))

    def select(self, entry_id: str) -> None:
        self.calls.append(("select", entry_id))

    def retry(self) -> None:
        self.calls.append(("retry",))

    def drop(self) -> None:
        self.calls.append(("drop",))

    def export(self, file: Path) -> None:
        self.calls.append(("export", file))

    def try_again(self, route: str) -> None:
        self.calls.append(("try_again", route))


@pytest.fixture
def opened(qtbot: QtBot, theme: Theme, tmp_path: Path) -> Callable[[Any], Scene]:
    def open_scene(make: Callable[[Path], Scene]) -> Scene:
        scene = make(tmp_path)
        qtbot.addWidget(scene.view.page)
        scene.view.page.resize(900, 1200)
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


def button(scene: Scene, name: str) -> QPushButton:
    return find(scene, QPushButton, name)


def text(scene: Scene, name: str) -> str:
    label = find(scene, QLabel, name)
    return label.text() if label.isVisible() else ""


def texts(scene: Scene) -> list[str]:
    labels = scene.view.page.findChildren(QLabel)
    return [label.text() for label in labels if label.isVisible()]


def test_a_fresh_machine_says_what_comes_here(opened: Callable[[Any], Scene]) -> None:
    scene = opened(delivery_scenes.empty)
    assert "No emails yet" in texts(scene)
    assert text(scene, "route_status_custom") == "Not configured."
    assert not scene.table.isVisible()
    assert not button(scene, "try_again_custom").isVisible()


def test_what_can_not_be_done_says_why(opened: Callable[[Any], Scene]) -> None:
    scene = opened(delivery_scenes.morning)
    for name in ("retry", "drop", "export"):
        disabled = button(scene, name)
        assert not disabled.isEnabled()
        assert disabled.toolTip() == "Select an email in the list first."
        assert disabled.accessibleDescription() == disabled.toolTip()
    sent = scene.outbox.page().entries[10]
    assert sent.state is EntryState.ACCEPTED
    scene.choose(10)
    assert button(scene, "retry").toolTip() == "The message was accepted; it is not sent twice."
    assert button(scene, "export").isEnabled()
    assert text(scene, "delivery_line") == "The message was accepted; it is not sent twice."


def test_the_states_have_counts_and_choose(opened: Callable[[Any], Scene]) -> None:
    scene = opened(delivery_scenes.morning)
    assert [
        button(scene, f"show_{name}").text()
        for name in ("all", "waiting", "sending", "sent", "uncertain", "refused", "dropped")
    ] == ["All 42", "Waiting 5", "Sending 1", "Sent 30", "Uncertain 2", "Refused 3", "Dropped 1"]
    button(scene, "show_refused").click()
    scene.runner.finish()
    assert scene.table.emails.rowCount() == 3
    assert button(scene, "show_refused").isChecked()
    button(scene, "show_refused").setFocus()
    QTest.keyClick(button(scene, "show_refused"), Qt.Key.Key_Right)
    scene.runner.finish()
    assert button(scene, "show_dropped").isChecked()
    assert scene.table.emails.rowCount() == 1


def test_nothing_found_offers_the_way_back(opened: Callable[[Any], Scene]) -> None:
    scene = opened(delivery_scenes.no_match)
    assert "No emails match" in texts(scene)
    assert not scene.table.isVisible()
    button(scene, "show_all_emails").click()
    scene.runner.finish()
    assert scene.table.emails.rowCount() == 42
    assert scene.table.isVisible()
    edit = find(scene, QLineEdit, "delivery_search")
    assert (edit.text(), edit.hasFocus()) == ("", True)


def test_an_outbox_that_is_none_is_told_with_what_to_do(opened: Callable[[Any], Scene]) -> None:
    scene = opened(delivery_scenes.trouble)
    assert "is damaged" in text(scene, "trouble")
    assert "Move it elsewhere" in text(scene, "trouble")
    assert not scene.table.isVisible()


def test_details_have_every_attempt_and_the_servers_words(opened: Callable[[Any], Scene]) -> None:
    scene = opened(delivery_scenes.selected)
    told = texts(scene)
    assert "Server’s reply: 535 5.7.8 Error: authentication failed" in told
    assert "The server delays unknown senders and accepts their mail on the second try." in told
    assert "Code: recipient.greylisted" in told
    field = find(scene, QLineEdit, "message_id")
    assert (field.text(), field.isReadOnly()) == ("<00000037@example.org>", True)


def test_the_routes_say_why_and_have_their_button(
    opened: Callable[[Any], Scene], monkeypatch: pytest.MonkeyPatch
) -> None:
    def tried(services: Services, route: str) -> Notice:
        services.health.reopen(route)
        return Notice("The server works again.")

    monkeypatch.setattr(delivery, "try_again", tried)
    scene = opened(delivery_scenes.morning)
    assert text(scene, "route_status_custom").startswith("Unavailable until you save new settings")
    assert text(scene, "route_why_custom") == "The server refused the username or password."
    assert text(scene, "fallbacks_custom").startswith(
        "12 emails sent by the default email service since "
    )
    again = button(scene, "try_again_custom")
    assert again.text() == "Try again"
    assert again.accessibleDescription() == "Custom SMTP server"
    again.click()
    assert again.toolTip() == "Trying the server…"
    scene.runner.finish()
    assert not scene.health.status(CUSTOM).shut
    assert text(scene, "route_status_custom") == "In use."
    assert text(scene, "delivery_line") == "The server works again."
    assert not again.isVisible()


def answer(scene: Scene, name: str, *, yes: bool) -> None:
    box = find(scene, QMessageBox, name)
    if yes:
        confirmed = box.findChild(QPushButton, "confirmed")
        assert isinstance(confirmed, QPushButton)
        confirmed.click()
    else:
        QTest.keyClick(box, Qt.Key.Key_Escape)
    scene.runner.finish()


@pytest.mark.parametrize("yes", [True, False])
def test_drop_asks_first(opened: Callable[[Any], Scene], *, yes: bool) -> None:
    scene = opened(delivery_scenes.selected)
    entry_id = scene.table.emails.id_at(scene.table.currentIndex().row())
    button(scene, "drop").click()
    answer(scene, "confirm_drop", yes=yes)
    assert scene.outbox.get(entry_id).state is (EntryState.DROPPED if yes else EntryState.READY)
    assert text(scene, "delivery_line") == (
        "The email was dropped. It won’t be sent." if yes else ""
    )


@pytest.mark.parametrize("yes", [True, False])
def test_an_uncertain_email_is_sent_again_only_on_demand(
    opened: Callable[[Any], Scene], *, yes: bool
) -> None:
    scene = opened(delivery_scenes.uncertain)
    entry_id = scene.table.emails.id_at(0)
    button(scene, "retry").click()
    assert scene.outbox.get(entry_id).state is EntryState.HELD
    answer(scene, "confirm_retry", yes=yes)
    assert scene.outbox.get(entry_id).state is (EntryState.READY if yes else EntryState.HELD)


def test_a_waiting_email_is_retried_at_once(opened: Callable[[Any], Scene]) -> None:
    scene = opened(delivery_scenes.selected)
    entry_id = scene.table.emails.id_at(scene.table.currentIndex().row())
    button(scene, "retry").click()
    scene.runner.finish()
    assert scene.outbox.get(entry_id).next_attempt_at == scene.clock()
    assert text(scene, "delivery_line").startswith("Queued: a worker sends it next.")


def test_export_asks_for_a_file(opened: Callable[[Any], Scene], tmp_path: Path) -> None:
    scene = opened(delivery_scenes.selected)
    button(scene, "export").click()
    dialog = find(scene, QFileDialog, "export_dialog")
    dialog.fileSelected.emit(str(tmp_path / "email.eml"))
    dialog.reject()
    scene.runner.finish()
    assert (tmp_path / "email.eml").stat().st_mode & 0o777 == 0o600
    assert text(scene, "delivery_line") == "Exported as email.eml."


def test_a_refresh_keeps_selection_and_place(opened: Callable[[Any], Scene]) -> None:
    scene = opened(delivery_scenes.selected)
    table = scene.table
    chosen = table.emails.id_at(table.currentIndex().row())
    table.verticalScrollBar().setValue(77)
    row, offset = table.rowAt(0), table.rowViewportPosition(table.rowAt(0))
    first = table.emails.id_at(row)
    for number in range(3):
        mails.sent(scene.outbox, scene.clock, 100 + number)
    scene.look()
    assert table.emails.rowCount() == 45
    assert table.emails.id_at(table.rowAt(0)) == first
    assert table.rowViewportPosition(table.rowAt(0)) == offset
    assert table.emails.id_at(table.currentIndex().row()) == chosen
    assert button(scene, "show_all").text() == "All 45"
    assert button(scene, "retry").isEnabled()


def test_the_keyboard_reaches_everything(opened: Callable[[Any], Scene]) -> None:
    scene = opened(delivery_scenes.selected)
    button(scene, "try_again_custom").setFocus()
    visited = []
    for _ in range(17):
        focused = QApplication.focusWidget()
        assert focused is not None
        visited.append(focused.objectName())
        QTest.keyClick(focused, Qt.Key.Key_Tab)
    assert visited == [
        *("try_again_custom", "try_again_default", "delivery_search", "show_all"),
        *("emails", "to", "message_id", "entry_id"),
        *("session_worker", "pause_sending", "retry_by_cause", "erase_recipient", "day_chart"),
        *("retry", "drop", "export", "send_copy"),
    ]
    QTest.keyClick(scene.view.page, Qt.Key.Key_F, Qt.KeyboardModifier.ControlModifier)
    assert find(scene, QLineEdit, "delivery_search").hasFocus()


@pytest.fixture
def recorded(qtbot: QtBot, theme: Theme) -> tuple[DeliveryView, Recorder]:
    view, recorder = DeliveryView(refresh_ms=5, search_ms=40), Recorder()
    view.attach(cast("DeliveryPresenter", recorder))
    qtbot.addWidget(view.page)
    return view, recorder


def running(parent: QObject) -> list[QTimer]:
    return [timer for timer in parent.findChildren(QTimer) if timer.isActive()]


def test_it_looks_again_only_while_it_is_seen(
    qtbot: QtBot, recorded: tuple[DeliveryView, Recorder]
) -> None:
    view, recorder = recorded
    assert recorder.calls == []
    view.page.show()
    qtbot.waitUntil(lambda: recorder.calls.count(("refresh",)) > 3)
    view.page.hide()
    recorder.calls.clear()
    assert running(view) == []
    view.page.show()
    assert recorder.calls == [("refresh",)]


def test_a_search_begins_after_a_pause_or_at_enter(
    qtbot: QtBot, recorded: tuple[DeliveryView, Recorder]
) -> None:
    view, recorder = recorded
    edit = view.page.findChild(QLineEdit, "delivery_search")
    assert isinstance(edit, QLineEdit)

    def searched() -> list[tuple[Any, ...]]:
        return [call for call in recorder.calls if call[0] == "search"]

    QTest.keyClicks(edit, "gus")
    view.render(DeliveryState(text=""))
    assert (edit.text(), searched()) == ("gus", [])
    qtbot.waitUntil(lambda: searched() == [("search", "gus")])
    QTest.keyClicks(edit, ".6 ")
    QTest.keyClick(edit, Qt.Key.Key_Return)
    assert searched()[-1] == ("search", "gus.6")
    assert len(searched()) == 2
    assert running(view.page) == []


def test_accessible_names_are_what_is_seen(opened: Callable[[Any], Scene]) -> None:
    scene = opened(delivery_scenes.morning)
    assert scene.view.page.objectName() == "delivery"
    assert scene.view.page.accessibleName() == "Delivery"
    assert find(scene, QLineEdit, "delivery_search").accessibleName() == "Search"
    for each in scene.view.page.findChildren(QPushButton):
        assert each.accessibleName() in ("", each.text().replace("&", ""))
    assert scene.table.accessibleName() == "Emails"


def test_a_long_search_says_so_and_can_be_cancelled(opened: Callable[[Any], Scene]) -> None:
    scene = opened(delivery_scenes.searching)
    assert text(scene, "search_progress") == "Searching older emails…"
    lay_out()
    progress = find(scene, QLabel, "search_progress")
    needed = progress.heightForWidth(progress.width())
    assert needed < 2 * progress.fontMetrics().height(), "it wraps"
    assert not button(scene, "search_on").isVisible()
    assert button(scene, "show_all").text() == "All"
    rows = scene.table.emails.rowCount()
    cancel = button(scene, "stop_search")
    cancel.setFocus()
    cancel.click()
    assert text(scene, "search_progress") == "Older emails weren’t searched."
    assert button(scene, "search_on").hasFocus()
    assert not cancel.isVisible()
    assert scene.table.emails.rowCount() == rows


def test_a_cancelled_search_goes_on_where_the_person_wants_it(
    opened: Callable[[Any], Scene],
) -> None:
    scene = opened(delivery_scenes.stopped)
    rows = scene.table.emails.rowCount()
    button(scene, "search_on").click()
    scene.runner.finish()
    assert scene.table.emails.rowCount() > rows
    assert not find(scene, QWidget, "search_line").isVisible()
