"""A window is there at once, furnished bit by bit, and whole in the end."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtWidgets import QApplication, QFrame, QLabel, QLineEdit, QWidget
from shiboken6 import delete

import smtp_desk.ui
from smtp_desk.app.services import Services
from smtp_desk.ui.desk import Desk
from smtp_desk.ui.navigation import Navigation
from smtp_desk.ui.widgets.slices import Slices, once_a_frame

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytestqt.qtbot import QtBot

SLOW_MS = 30_000


class Shown(QObject):
    """Notes each window that is shown."""

    def __init__(self) -> None:
        super().__init__()
        self.windows: list[QWidget] = []

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802 - Qt's name
        if event.type() is QEvent.Type.Show and isinstance(watched, QWidget) and watched.isWindow():
            self.windows.append(watched)
        return False


def open_desk(qtbot: QtBot, home: Path) -> Desk:
    desk = Desk(lambda: Services.sandbox(home))
    qtbot.addWidget(desk.window)
    with qtbot.waitSignal(desk.furnished, timeout=SLOW_MS):
        desk.window.show()
    return desk


def prepared(desk: Desk) -> bool:
    return set(desk.workshop.navigation._built) == set(desk.workshop.navigation.names)


def test_no_part_is_ever_a_window_of_its_own(qtbot: QtBot, tmp_path: Path) -> None:
    shown = Shown()
    QApplication.instance().installEventFilter(shown)  # type: ignore[union-attr]
    desk = open_desk(qtbot, tmp_path)
    qtbot.waitUntil(lambda: prepared(desk), timeout=SLOW_MS)
    for name in desk.workshop.navigation.names:
        desk.workshop.navigation.open_page(name)
        QApplication.processEvents()
    QApplication.instance().removeEventFilter(shown)  # type: ignore[union-attr]
    assert shown.windows == [desk.window]
    desk.close()


def test_pages_that_nobody_opened_are_built_meanwhile_and_leave_the_first_in_place(
    qtbot: QtBot, tmp_path: Path
) -> None:
    desk = open_desk(qtbot, tmp_path)
    qtbot.waitUntil(lambda: prepared(desk), timeout=SLOW_MS)
    assert desk.workshop.navigation.current == "integrations"
    focused = desk.window.focusWidget()
    assert focused is not None
    assert focused.objectName() == "from_email"
    assert not desk.workshop.navigation.open_page("general").isHidden()
    desk.close()


@pytest.mark.parametrize("part", ["smtp_desk.ui.loading.load_rules", "smtp_desk.ui.wiring.Menus"])
def test_what_goes_wrong_on_the_way_is_told_in_the_window(
    part: str, qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_args: object, **_more: object) -> None:
        raise RuntimeError("no room left")

    monkeypatch.setattr(part, broken)
    desk = Desk(lambda: Services.sandbox(tmp_path))
    qtbot.addWidget(desk.window)
    with qtbot.captureExceptions() as caught:
        desk.window.show()
        qtbot.waitUntil(lambda: bool(caught), timeout=SLOW_MS)
    told = desk.window.findChild(QLabel, "furnishing_fault")
    assert isinstance(told, QLabel)
    assert "RuntimeError: no room left" in told.text()
    qtbot.waitUntil(told.isVisible, timeout=SLOW_MS)
    assert [each[1].args for each in caught] == [("no room left",)]
    desk.window.close()
    desk.close()


@pytest.mark.parametrize("turns", [0, 3, 30])
def test_a_window_that_is_closed_before_it_is_furnished_ends_well(
    turns: int, qtbot: QtBot, tmp_path: Path
) -> None:
    desk = Desk(lambda: Services.sandbox(tmp_path))
    qtbot.addWidget(desk.window)
    with qtbot.assertNotEmitted(desk.furnished, wait=50):
        with qtbot.waitSignal(desk.window.painted, timeout=SLOW_MS):
            desk.window.show()
        for _ in range(turns):
            QApplication.processEvents()
            if desk._workshop is not None:
                break
        assert desk.window.close()
        desk.close()


def test_a_window_that_is_closed_while_its_rules_load_is_not_furnished_later(
    qtbot: QtBot, tmp_path: Path
) -> None:
    go = threading.Event()

    def open_services() -> Services:
        go.wait(10)
        return Services.sandbox(tmp_path)

    desk = Desk(open_services)
    qtbot.addWidget(desk.window)
    with qtbot.waitSignal(desk.window.painted, timeout=SLOW_MS):
        desk.window.show()
    assert desk.window.close()
    go.set()
    qtbot.waitUntil(lambda: desk._loader is not None and not desk._loader._waiting)
    assert desk._slices is None
    desk.close()


def test_what_goes_wrong_behind_the_form_leaves_it_in_place(
    qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_workshop: object) -> None:
        raise RuntimeError("no room left")

    monkeypatch.setattr("smtp_desk.ui.wiring.Workshop._delivery_page", broken)
    with qtbot.captureExceptions() as caught:
        desk = open_desk(qtbot, tmp_path)
        qtbot.waitUntil(lambda: bool(caught), timeout=SLOW_MS)
    assert [each[1].args for each in caught] == [("no room left",)]
    assert desk.window.findChild(QLabel, "furnishing_fault") is None
    host = desk.window.findChild(QLineEdit, "host")
    assert isinstance(host, QLineEdit)
    assert host.isVisible()
    desk.close()


class Styled(QObject):
    """Counts the widgets that are given their style."""

    def __init__(self) -> None:
        super().__init__()
        self.count = 0

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802 - Qt's name
        self.count += isinstance(watched, QWidget) and event.type() is QEvent.Type.Polish
        return False


def test_a_page_gets_its_style_in_slices_though_its_widgets_come_and_go(qtbot: QtBot) -> None:
    page = QWidget()
    groups = [QFrame(page) for _ in range(12)]
    for group in groups:
        for _ in range(12):
            QLabel("text", group)
    navigation = Navigation({"integrations": lambda: page})
    qtbot.addWidget(navigation)
    styled = Styled()
    QApplication.instance().installEventFilter(styled)  # type: ignore[union-attr]
    counts: list[int] = []
    for _ in navigation.prepare("integrations"):
        counts.append(styled.count)
        styled.count = 0
        if len(counts) < 4:
            delete(groups.pop())
            QLabel("late", groups[0])
    QApplication.instance().removeEventFilter(styled)  # type: ignore[union-attr]
    assert max(counts) <= 40
    attribute = Qt.WidgetAttribute.WA_WState_Polished
    assert all(each.testAttribute(attribute) for each in page.findChildren(QWidget))


def test_slices_follow_each_other_and_give_way_to_newer_work(qtbot: QtBot) -> None:
    done: list[str] = []
    parent = QObject()
    slices = Slices(parent)

    def work(name: str) -> Iterator[None]:
        for number in range(3):
            done.append(f"{name}{number}")
            yield

    slices.run(work("a"))
    assert done == []
    slices.run(work("b"))
    qtbot.waitUntil(lambda: not slices.running)
    assert done == ["b0", "b1", "b2"]
    slices.run(work("c"))
    slices.stop()
    QApplication.processEvents()
    assert done[-1] == "b2"


def test_a_frame_is_drawn_for_all_who_asked(qtbot: QtBot) -> None:
    drawn: list[int] = []
    asked = 0
    parent = QObject()
    ask = once_a_frame(parent, lambda: drawn.append(asked))
    for asked in range(1, 6):  # noqa: B007 - what is drawn is read when it is drawn
        ask()
    qtbot.waitUntil(lambda: bool(drawn))
    assert drawn == [5]
    ask()
    qtbot.waitUntil(lambda: len(drawn) == 2)


def test_no_page_asks_for_a_widget_that_qt_made() -> None:
    """To find which one it is, Qt's binding would make the types of all widgets, at once."""
    folder = Path(smtp_desk.ui.__file__).parent
    assert [
        each.name for each in folder.rglob("*.py") if ".viewport()" in each.read_text("utf-8")
    ] == []
