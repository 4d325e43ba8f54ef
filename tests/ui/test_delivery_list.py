"""The list of emails: as far as it is looked at, however long it is, and steady under new ones."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pytest
from PySide6.QtCore import QModelIndex, QPersistentModelIndex, Qt
from PySide6.QtTest import QAbstractItemModelTester, QTest
from PySide6.QtWidgets import QApplication

from smtp_desk.app.delivery.listing import PAGE, Part
from smtp_desk.app.delivery.rows import COLUMNS, DeliveryRow
from smtp_desk.app.delivery.words import DeliveryStatus
from smtp_desk.ui.delivery.model import DeliveryModel
from smtp_desk.ui.delivery.table import EmailTable

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

    from smtp_desk.ui.widgets.theme import Theme

MANY: Final = 100_000
Index = QModelIndex | QPersistentModelIndex


def entry(number: int, status: DeliveryStatus = DeliveryStatus.SENT) -> DeliveryRow:
    """Higher numbers are newer."""
    cells = ("2026-03-01 12:00", f"ann.{number}@example.org", "Hello", "Notification")
    return (f"{number:08}", status.value, *cells, status.label, "Custom", "")


ROWS: Final = [entry(number) for number in range(MANY, 0, -1)]


class Source:
    """Gives one page each time it is asked, as the outbox does."""

    def __init__(self, table: EmailTable, start: int = 0) -> None:
        self.table = table
        self.asked = 0
        self._at = start
        table.emails.more_wanted.connect(self.give)

    def give(self) -> None:
        self.asked += 1
        rows = tuple(ROWS[self._at : self._at + PAGE])
        above = ROWS[self._at - 1][0] if self._at else ""
        self._at += len(rows)
        until = rows[-1][0] if self._at < MANY else ""
        self.table.show_part(Part(rows, above, until, anew=self._at == len(rows)))


@pytest.fixture
def table(qtbot: QtBot, theme: Theme) -> EmailTable:
    made = EmailTable()
    qtbot.addWidget(made)
    made.resize(900, 400)
    made.show()
    return made


def test_a_list_of_100_000_is_read_a_page_at_a_time(table: EmailTable) -> None:
    source = Source(table)
    source.give()
    QApplication.processEvents()
    assert table.emails.rowCount() <= 3 * PAGE
    for _ in range(20):
        before = source.asked
        table.verticalScrollBar().setValue(table.verticalScrollBar().value() + 300)
        QApplication.processEvents()
        assert source.asked - before <= 2


def test_the_end_of_100_000_rows_is_reached(table: EmailTable) -> None:
    table.show_part(Part(tuple(ROWS[: -3 * PAGE]), until=ROWS[-3 * PAGE - 1][0], anew=True))
    source = Source(table, MANY - 3 * PAGE)
    for _ in range(5):
        table.scrollToBottom()
        QApplication.processEvents()
    assert table.emails.rowCount() == MANY
    assert source.asked == 3
    assert not table.emails.canFetchMore(QModelIndex())
    assert table.emails.id_at(MANY - 1) == ROWS[-1][0]


@pytest.mark.parametrize("count", [1000, MANY])
def test_a_paint_asks_for_what_is_in_view_only(
    qtbot: QtBot, theme: Theme, count: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[int] = []
    data = DeliveryModel.data

    def counted(model: DeliveryModel, index: Index, role: int = 0) -> object:
        calls.append(index.row())
        return data(model, index, role)

    monkeypatch.setattr(DeliveryModel, "data", counted)
    table = EmailTable()
    qtbot.addWidget(table)
    table.resize(900, 400)
    table.show()
    table.show_part(Part(tuple(ROWS[:count]), anew=True))
    QApplication.processEvents()
    table.verticalScrollBar().setValue(table.verticalScrollBar().maximum() // 2)
    calls.clear()
    table.grab()
    in_view = len(table.span.ids)
    assert in_view < 20
    assert set(calls) <= set(range(calls[0], calls[0] + in_view + 1))
    assert len(calls) <= 2 * (in_view + 1) * len(COLUMNS) * 10


def test_all_rows_have_one_height(table: EmailTable) -> None:
    table.show_part(Part(tuple(ROWS[:300]), anew=True))
    heights = {table.rowHeight(row) for row in range(300)}
    assert len(heights) == 1


def shown(table: EmailTable) -> list[str]:
    return [table.emails.id_at(row) for row in range(table.emails.rowCount())]


def test_parts_replace_what_stood_between(qtbot: QtBot, table: EmailTable) -> None:
    model = table.emails
    tester = QAbstractItemModelTester(model, QAbstractItemModelTester.FailureReportingMode.Warning)
    rows = [entry(number) for number in (9, 7, 5, 3)]
    table.show_part(Part(tuple(rows), until="00000003", anew=True))
    assert model.canFetchMore(QModelIndex())
    changed = entry(7, DeliveryStatus.DROPPED)
    table.show_part(Part((entry(10), rows[0], changed), until="00000007"))
    assert shown(table) == ["00000010", "00000009", "00000007", "00000005", "00000003"]
    assert model.index(2, COLUMNS.index("State")).data() == "Dropped"
    table.show_part(Part((rows[3],), above="00000007", until="00000003"))
    assert shown(table) == ["00000010", "00000009", "00000007", "00000003"]
    table.show_part(Part((entry(1),), above="00000003"))
    assert shown(table)[-2:] == ["00000003", "00000001"]
    assert not model.canFetchMore(QModelIndex())
    table.show_part(Part((), anew=True))
    assert shown(table) == []
    tester.deleteLater()


def test_new_rows_on_top_move_nothing_that_is_looked_at(table: EmailTable) -> None:
    table.show_part(Part(tuple(ROWS[100:400]), anew=True))
    QApplication.processEvents()
    table.verticalScrollBar().setValue(1234)
    table.choose(ROWS[150][0])
    table.verticalScrollBar().setValue(1234)
    first, offset = table.emails.id_at(table.rowAt(0)), table.rowViewportPosition(table.rowAt(0))
    table.show_part(Part(tuple(ROWS[70:160]), until=ROWS[159][0]))
    row = table.rowAt(0)
    assert (table.emails.id_at(row), table.rowViewportPosition(row)) == (first, offset)
    assert table.emails.id_at(table.currentIndex().row()) == ROWS[150][0]
    (selected,) = {index.row() for index in table.selectionModel().selectedRows()}
    assert table.emails.id_at(selected) == ROWS[150][0]


def test_at_the_top_new_rows_are_seen(table: EmailTable) -> None:
    table.show_part(Part(tuple(ROWS[10:100]), anew=True))
    QApplication.processEvents()
    table.show_part(Part(tuple(ROWS[:50]), until=ROWS[49][0]))
    assert table.emails.id_at(table.rowAt(0)) == ROWS[0][0]


def test_a_list_that_begins_anew_keeps_the_chosen_email_where_it_has_it(
    qtbot: QtBot, table: EmailTable
) -> None:
    table.show_part(Part(tuple(ROWS[:50]), anew=True))
    table.choose(ROWS[7][0])
    table.show_part(Part(tuple(ROWS[5:20]), anew=True))
    assert table.emails.id_at(table.currentIndex().row()) == ROWS[7][0]
    with qtbot.waitSignal(table.chosen) as told:
        table.show_part(Part(tuple(ROWS[20:30]), anew=True))
    assert told.args == [""]


def test_the_keyboard_walks_through_the_rows(qtbot: QtBot, table: EmailTable) -> None:
    table.show_part(Part(tuple(ROWS[:50]), anew=True))
    chosen: list[str] = []
    table.chosen.connect(chosen.append)
    table.activateWindow()
    qtbot.waitUntil(table.isActiveWindow)
    table.clearFocus()
    table.setFocus(Qt.FocusReason.TabFocusReason)
    qtbot.waitUntil(table.hasFocus)
    assert chosen[-1] == ROWS[0][0]
    assert table.selectionModel().isRowSelected(0, QModelIndex())
    for key in (Qt.Key.Key_Down, Qt.Key.Key_PageDown, Qt.Key.Key_Up):
        QTest.keyClick(table, key)
    assert chosen[-3] == ROWS[1][0]
    assert chosen[-1] > chosen[-2]


@pytest.mark.parametrize("width", [380, 700, 1100])
def test_the_columns_fill_the_width_or_scroll(table: EmailTable, width: int) -> None:
    table.resize(width, 400)
    table.show_part(Part(tuple(ROWS[:50]), anew=True))
    QApplication.processEvents()
    hidden = [COLUMNS[each] for each in range(len(COLUMNS)) if table.isColumnHidden(each)]
    assert hidden == {380: ["Kind", "Route", "Why"], 700: ["Kind"], 1100: []}[width]
    shown = [each for each in range(len(COLUMNS)) if COLUMNS[each] not in hidden]
    widths = [table.columnWidth(column) for column in shown]
    assert all(each > 50 for each in widths)
    if width == 1100:
        assert not table.horizontalScrollBar().isVisible()
        assert sum(widths) >= table.viewport().width() - len(COLUMNS)
    assert table.horizontalScrollBar().isVisible() == (sum(widths) > table.viewport().width())
