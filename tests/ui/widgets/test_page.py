"""A page brings into view what is still there."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import QEvent, QObject, QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLabel, QLineEdit, QVBoxLayout, QWidget

from smtp_desk.ui.widgets.colours import Space
from smtp_desk.ui.widgets.fold import Fold
from smtp_desk.ui.widgets.label import Label
from smtp_desk.ui.widgets.page import Page
from tests.ui.fitting import lay_out

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot


@pytest.fixture(params=[600, 1200])
def page(request: pytest.FixtureRequest, qtbot: QtBot) -> Page:
    """A page that scrolls, with its aside below the column or beside it."""
    made = Page("page", "Page", "")
    qtbot.addWidget(made)
    aside = QWidget()
    for place in (made.body, QVBoxLayout(aside)):
        for number in range(40):
            label = Label(f"line {number}")
            label.setObjectName(f"{'column' if place is made.body else 'aside'}_{number}")
            place.addWidget(label)
    made.set_aside(aside)
    made.resize(request.param, 300)
    made.show()
    lay_out()
    return made


@pytest.mark.parametrize(
    ("wanted", "gone"),
    [
        (["column_39"], ["column_39"]),
        (["column_39", "column_38"], ["column_38"]),
        (["column_1", "aside_39"], ["column_1"]),
        (["aside_38", "aside_39"], ["aside_38", "aside_39"]),
    ],
)
def test_what_is_gone_meanwhile_is_not_looked_for(
    page: Page, wanted: list[str], gone: list[str], qtbot: QtBot
) -> None:
    labels = page.findChildren(QLabel)
    found = {name: next(each for each in labels if each.objectName() == name) for name in wanted}
    page.bring_into_view(*found.values())
    for name in gone:
        found.pop(name).deleteLater()
    qtbot.waitUntil(lambda: not page._scrolling.isActive())
    qtbot.wait(0)
    assert page._wanted == ()
    for label in found.values():
        assert not label.visibleRegion().isEmpty()


@pytest.mark.parametrize("place", ["column", "aside"])
@pytest.mark.parametrize("way", ["access key", "screen reader"])
def test_what_has_the_focus_is_in_view(page: Page, place: str, way: str, qtbot: QtBot) -> None:
    first, last = QLineEdit(), QLineEdit()
    labels = page.findChildren(QLabel)
    for line_edit, number in ((first, 0), (last, 39)):
        around = next(each for each in labels if each.objectName() == f"{place}_{number}")
        column = around.parentWidget()
        assert column is not None
        layout = column.layout()
        assert isinstance(layout, QVBoxLayout)
        layout.insertWidget(layout.indexOf(around) + 1, line_edit)
        around.setText("&First" if line_edit is first else "&Last")
        around.setBuddy(line_edit)
    lay_out()
    page.activateWindow()
    qtbot.waitUntil(page.isActiveWindow)
    first.setFocus()
    for line_edit, key in ((last, Qt.Key.Key_L), (first, Qt.Key.Key_F)):
        if way == "access key":
            QTest.keyClick(page, key, Qt.KeyboardModifier.AltModifier)
        else:
            line_edit.setFocus(Qt.FocusReason.OtherFocusReason)
        assert line_edit.hasFocus()
        assert line_edit.visibleRegion().boundingRect().height() == line_edit.height()


def test_a_window_that_becomes_active_again_stays_where_it_was(page: Page, qtbot: QtBot) -> None:
    line_edit = QLineEdit()
    page.body.addWidget(line_edit)
    lay_out()
    page.activateWindow()
    qtbot.waitUntil(page.isActiveWindow)
    line_edit.setFocus()
    page.area.verticalScrollBar().setValue(0)
    other = QWidget()
    qtbot.addWidget(other)
    other.show()
    other.activateWindow()
    qtbot.waitUntil(other.isActiveWindow)
    page.activateWindow()
    qtbot.waitUntil(page.isActiveWindow)
    assert line_edit.hasFocus()
    assert page.area.verticalScrollBar().value() == 0


class _LaidOut(QObject):
    """Counts how often a widget was moved."""

    def __init__(self, watched: QWidget) -> None:
        super().__init__(watched)
        self.count = 0
        watched.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802 - Qt's name
        self.count += event.type() is QEvent.Type.Move
        return super().eventFilter(watched, event)


@pytest.mark.parametrize("part", ["column", "aside"])
def test_what_changes_together_is_laid_out_together_and_at_once(page: Page, part: str) -> None:
    labels = [page.findChildren(QLabel, f"{part}_{number}")[0] for number in range(6)]
    for label in labels[1:]:
        label.hide()
    lay_out()
    last = page.findChildren(QLabel, f"{part}_39")[0]
    before, laid_out = last.y(), _LaidOut(last)
    with page.changing():
        for label in labels[1:]:
            label.show()
        assert laid_out.count == 0
    # Twice where the aside is in the column, which then gives it its height.
    assert laid_out.count in {1, 2}
    assert last.y() > before
    assert [label.y() for label in labels] == sorted({label.y() for label in labels})


def test_a_failure_while_a_page_changes_leaves_its_layout_at_work(page: Page) -> None:
    with pytest.raises(ValueError, match="wrong"), page.changing():
        raise ValueError("wrong")
    assert page.body.isEnabled()


@pytest.mark.parametrize(("number", "at_top"), [(1, False), (20, True)])
def test_what_stands_below_is_seen_as_well(
    page: Page, number: int, qtbot: QtBot, *, at_top: bool
) -> None:
    labels = page.findChildren(QLabel)
    wanted = next(each for each in labels if each.objectName() == f"column_{number}")
    wanted.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
    page.activateWindow()
    qtbot.waitUntil(page.isActiveWindow)
    page.bring_into_view(wanted, below=True)
    wanted.setFocus()
    qtbot.waitUntil(lambda: not page._scrolling.isActive())
    assert not wanted.visibleRegion().isEmpty()
    top = wanted.mapTo(page.area.viewport(), QPoint()).y()
    assert (top <= 2 * Space.XL and page.area.verticalScrollBar().value() > 0) == at_top


@pytest.mark.parametrize("page", [600], indirect=True)
def test_what_a_press_unfolds_is_seen(page: Page, qtbot: QtBot) -> None:
    fold = Fold("More", "", "more")
    inside = Label("What is folded away")
    fold.body.addWidget(inside)
    page.body.insertWidget(20, fold)
    lay_out()
    page.area.ensureWidgetVisible(fold.header, 0, 0)
    lay_out()
    assert inside.visibleRegion().isEmpty()
    fold.header.click()
    qtbot.waitUntil(lambda: not page._scrolling.isActive())
    assert inside.visibleRegion().boundingRect().height() == inside.height()
    seen = page.area.verticalScrollBar().value()
    fold.header.click()
    lay_out()
    assert page.area.verticalScrollBar().value() == seen
