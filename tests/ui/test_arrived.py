"""The page What arrived, widget by widget and in the whole window."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import pytest
from PySide6.QtCore import QMimeData, Qt, QUrl
from PySide6.QtWidgets import (
    QApplication,
    QFileDialog,
    QLabel,
    QPlainTextEdit,
    QPushButton,
    QWidget,
)

from smtp_desk.core.arrived import MAX_BYTES
from smtp_desk.ui.arrived.view import ArrivedView
from tests.core.test_arrived import GMAIL
from tests.table import each_row
from tests.ui.arrived_scenes import FORGED, SCENES
from tests.ui.test_diagnostics_desk import SLOW_MS, opened, text
from tests.ui.test_diagnostics_passing_on import drop, files

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pytestqt.qtbot import QtBot

    from smtp_desk.app.arrived.presenter import ArrivalPresenter
    from smtp_desk.core.problems import Field
    from smtp_desk.core.report import CheckReport
    from smtp_desk.ui.desk import Desk
    from smtp_desk.ui.widgets.theme import Theme

__all__ = ["opened"]


class Recorder:
    """A presenter that only writes down what it was told."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, object]] = []

    def open(self, path: Path) -> None:
        self.calls.append(("open", path))

    def explain(self, header: str) -> None:
        self.calls.append(("explain", header))

    def cancel(self) -> None:
        self.calls.append(("cancel", None))


class Shown:
    """The page and short ways to its parts."""

    def __init__(self, view: ArrivedView) -> None:
        self.view, self.recorder = view, Recorder()
        view.attach(cast("ArrivalPresenter", self.recorder))

    def button(self, name: str) -> QPushButton:
        return self.view.page.findChildren(QPushButton, name)[-1]

    @property
    def edit(self) -> QPlainTextEdit:
        return self.view.page.findChildren(QPlainTextEdit, "header")[-1]

    @property
    def texts(self) -> list[str]:
        labels = self.view.page.findChildren(QLabel)
        return [label.text() for label in labels if label.isVisible()]


@pytest.fixture
def page(qtbot: QtBot, theme: Theme) -> Shown:
    view = ArrivedView()
    qtbot.addWidget(view.page)
    view.page.resize(820, 1200)
    view.page.show()
    view.page.activateWindow()
    qtbot.waitUntil(view.page.isActiveWindow)
    return Shown(view)


def test_what_was_believed_is_explained(page: Shown) -> None:
    page.view.render(SCENES["believed"].state)
    page.view.focus_result()
    focused = QApplication.focusWidget()
    assert isinstance(focused, QLabel)
    assert focused.objectName() == "belief_line"
    for told in (
        "The receiver confirmed that the email comes from its From domain.",
        "test.eml\nFrom: News <news@example.org>",
        "Checked by mx.google.com. Only results under the receiver’s own name count.",
        "DMARC: pass",
        "2. mail.example.org → mx.google.com",
        "2026-11-30 16:00:05 UTC, 5 s later, ESMTPS, TLS 1.3",
    ):
        assert told in page.texts


def test_forged_results_are_named_and_not_counted(page: Shown) -> None:
    page.view.render(SCENES["forged"].state)
    assert any("Not counted: mx.google.com" in each for each in page.texts)
    assert "DMARC: fail" in page.texts
    assert "DMARC: pass" not in page.texts


def test_a_hostile_header_is_plain_text_and_has_bounds(page: Shown) -> None:
    page.view.render(SCENES["hostile"].state)
    labels = [each for each in page.view.page.findChildren(QLabel) if each.text()]
    assert {each.textFormat() for each in labels} == {Qt.TextFormat.PlainText}
    assert len(labels) < 250
    assert not any("\x1b" in each.text() or "\u202e" in each.text() for each in labels)
    scrolled = page.view.page.area.widget()
    assert scrolled is not None
    assert scrolled.minimumSizeHint().width() <= page.view.page.width()


def test_a_file_is_asked_for(page: Shown, tmp_path: Path) -> None:
    page.button("open_email").click()
    dialog = page.view.page.findChildren(QFileDialog, "open_email_dialog")[-1]
    dialog.fileSelected.emit(str(tmp_path / "a.eml"))
    dialog.close()
    assert page.recorder.calls == [("open", tmp_path / "a.eml")]


@each_row(
    "pasted",
    [
        "X-A: " + "x" * 30_000,
        "X-A: " + "א\xa0" * 30_000,
        "Subject: a\nX-A: b\n" * 15_000 + "X-C: d",
        ("X-A: " + "x" * 20_000 + "\r\n") * 3 + "\ty\u2029z",
        "x\n" * 25_000 + "y" * 20_000,
    ],
)
def test_what_no_header_has_is_shown_by_its_beginning_and_explained_whole(
    page: Shown, pasted: str
) -> None:
    page.edit.clear()
    page.recorder.calls.clear()
    data = QMimeData()
    data.setText(pasted)
    page.edit.insertFromMimeData(data)
    page.edit.insertPlainText("\nX-Typed: e")
    lines = page.edit.toPlainText().split("\n")
    assert len(lines) < 20_010
    assert max(map(len, lines)) < 10_100
    assert "isn’t shown" in page.edit.toPlainText()
    page.button("explain_header").click()
    as_qt_has_it = pasted.replace("\r\n", "\n").replace("\u2029", "\n").replace("\xa0", " ")
    assert page.recorder.calls == [("explain", as_qt_has_it + "\nX-Typed: e")]


def test_a_header_is_pasted(page: Shown) -> None:
    explain, clear = page.button("explain_header"), page.button("clear_header")
    assert not explain.isEnabled()
    assert explain.toolTip() == "Paste the headers first."
    page.edit.setPlainText("Received: by a; x")
    explain.click()
    assert page.recorder.calls == [("explain", "Received: by a; x")]
    clear.click()
    assert page.edit.toPlainText() == ""
    assert not clear.isEnabled()


def test_of_something_huge_or_rich_as_much_as_a_header_can_have_is_taken(page: Shown) -> None:
    huge = QMimeData()
    huge.setText(("x" * 99 + "\n") * (3 * MAX_BYTES // 100))
    page.edit.insertFromMimeData(huge)
    assert len(page.edit.toPlainText()) == MAX_BYTES
    huge.setText("x" * 3 * MAX_BYTES)  # Qt would take minutes for such a line
    page.edit.clear()
    page.edit.insertFromMimeData(huge)
    page.button("explain_header").click()
    assert page.recorder.calls == [("explain", "x" * MAX_BYTES)]
    page.edit.clear()
    rich = QMimeData()
    rich.setHtml("<b>Received</b><img src='https://evil.example/x.png'>")
    rich.setText("Received: by a; x")
    page.edit.insertFromMimeData(rich)
    assert page.edit.toPlainText() == "Received: by a; x"
    dropped = QMimeData()
    dropped.setUrls([QUrl.fromLocalFile("/x/a.eml")])
    assert not page.edit.canInsertFromMimeData(dropped)
    assert not drop(page.edit, dropped)


def test_while_it_reads_cancel_is_there(page: Shown) -> None:
    page.view.render(SCENES["reading"].state)
    cancel = page.button("cancel_reading")
    assert cancel.isVisible()
    assert page.button("open_email").toolTip() == "Reading the headers…"
    cancel.setFocus()
    cancel.click()
    assert page.recorder.calls == [("cancel", None)]
    page.view.render(SCENES["empty"].state)
    assert page.button("open_email").hasFocus()
    page.view.render(SCENES["trouble"].state)
    assert "photo.jpg isn’t an email." in page.texts


def test_an_email_dropped_on_the_window(
    opened: Callable[[dict[Field, str], CheckReport | None], Desk], qtbot: QtBot, tmp_path: Path
) -> None:
    desk = opened({}, None)
    file = tmp_path / "test.eml"
    file.write_bytes(GMAIL)
    assert drop(desk.window, files(str(file)))
    qtbot.waitUntil(lambda: "confirmed" in text(desk, "belief_line"), timeout=SLOW_MS)
    assert desk.workshop.navigation.current == "arrived"
    edit = desk.window.findChildren(QPlainTextEdit, "header")[-1]
    edit.setPlainText(FORGED.decode())
    desk.window.findChildren(QPushButton, "explain_header")[-1].click()
    qtbot.waitUntil(lambda: "couldn’t confirm" in text(desk, "belief_line"), timeout=SLOW_MS)
    desk.workshop.menus.email_wanted.emit()
    dialogs = desk.window.findChildren(QFileDialog, "open_email_dialog")
    assert len(dialogs) == 1
    dialogs[0].close()
    assert desk.window.findChildren(QWidget, "arrived")[-1].isVisible()
