"""Whether a worker runs, the actions for the whole outbox, and the last day at a glance."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QRectF, QSize, Qt, Signal, Slot
from PySide6.QtGui import QPainter
from PySide6.QtWidgets import QLabel, QWidget

from smtp_desk.app.delivery.last_day import DayResult, totals
from smtp_desk.app.delivery.overview_words import (
    OUR_WORKER,
    RESULTS,
    WORKER_FOR,
    day_text,
    worker_text,
)
from smtp_desk.ui.delivery import words
from smtp_desk.ui.delivery.day_chart import DayChart, paint_part
from smtp_desk.ui.widgets.buttons import button
from smtp_desk.ui.widgets.card import Card, column, row
from smtp_desk.ui.widgets.colours import Space
from smtp_desk.ui.widgets.flow import flow
from smtp_desk.ui.widgets.icons import IconLabel
from smtp_desk.ui.widgets.label import Label
from smtp_desk.ui.widgets.line import Line
from smtp_desk.ui.widgets.theme import theme_of_application

if TYPE_CHECKING:
    from PySide6.QtGui import QPaintEvent

    from smtp_desk.app.delivery.overview import OverviewState

_SWATCH: Final = 12
_START: Final = "Start a &worker in this window"
_PAUSE: Final = "&Pause sending"
_RESUME: Final = "Resume &sending"
_STOP: Final = "Stop the &worker"


class SendingCard(Card):
    """The worker, and buttons for all emails.

    Signals:
        worker_wanted: Start a worker in this window, or stop it.
        pause_wanted: Pause sending, or resume it.
        causes_wanted: Show which causes stop emails.
        erase_wanted: Ask whose emails to erase.
    """

    worker_wanted = Signal(bool)
    pause_wanted = Signal(bool)
    causes_wanted = Signal()
    erase_wanted = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("sending")
        self.setAccessibleName("Sending")
        self._working = False
        self._icon = IconLabel()
        self._worker = Label()
        self._worker.setObjectName("worker_status")
        self._what_for = Label(WORKER_FOR, "small")
        self._start = button(_START, "session_worker", tip=OUR_WORKER)
        self._paused = False
        self._pause = button(_PAUSE, "pause_sending")
        self._causes = button("Retry &by cause…", "retry_by_cause")
        self._erase = button("Erase a recipient…", "erase_recipient")
        self._line = Line()
        self._line.label.setObjectName("sending_line")
        self._start.clicked.connect(self._worker_clicked)
        self._pause.clicked.connect(self._pause_clicked)
        self._causes.clicked.connect(self.causes_wanted)
        self._erase.clicked.connect(self.erase_wanted)
        self.body.setSpacing(Space.M)
        head = row(space=Space.M)
        head.addWidget(self._icon, alignment=Qt.AlignmentFlag.AlignTop)
        said = column(space=Space.XS)
        said.addWidget(self._worker)
        said.addWidget(self._what_for)
        head.addLayout(said, 1)
        self.body.addLayout(head)
        self.body.addWidget(flow(self._start, self._pause, self._causes, self._erase))
        self.body.addWidget(self._line)

    def render_state(self, state: OverviewState) -> None:
        """Show it; before it was read, nothing."""
        self.setVisible(state.at is not None and not state.trouble)
        self._working = state.working
        runs = state.working or state.workers > 0
        self._icon.show_icon(*(("success", "success") if runs else ("pending", "muted")))
        self._worker.show_text(worker_text(state.workers, ours=state.working))
        self._start.setText(_STOP if state.working else _START)
        busy = words.OVERVIEW_BUSY[state.busy]
        self._paused = state.paused_since is not None
        self._pause.setText(_RESUME if self._paused else _PAUSE)
        if busy:
            self._line.show_busy(busy)
        else:
            self._line.show_notice(state.notice)

    @Slot()
    def _pause_clicked(self) -> None:
        self.pause_wanted.emit(not self._paused)

    @Slot()
    def _worker_clicked(self) -> None:
        self.worker_wanted.emit(not self._working)


class DayCard(Card):
    """The chart with its legend, which counts."""

    def __init__(self) -> None:
        super().__init__("Last 24 hours")
        self.setObjectName("last_day")
        self._chart = DayChart()
        self._legend = {result: _Key(result) for result in DayResult}
        self._keys = flow(*self._legend.values())
        self._summary = Label(rank="muted")
        self._summary.setObjectName("day_summary")
        self.body.setSpacing(Space.M)
        for each in (self._summary, self._chart, self._keys):
            self.body.addWidget(each)

    def render_state(self, state: OverviewState) -> None:
        """Show it; before it was read, nothing."""
        self.setVisible(state.counted_at is not None and not state.trouble)
        self._chart.show_hours(state.hours)
        self._summary.show_text(day_text(state.hours))
        counted = totals(state.hours)
        for result, key in self._legend.items():
            key.show_count(counted.get(result, 0))
        for each in (self._chart, self._keys):
            each.setVisible(any(counted.values()))


class _Key(QWidget):
    """One part of the legend: how it looks, what it means, and how many there are."""

    def __init__(self, result: DayResult) -> None:
        super().__init__()
        self._text = QLabel()
        self._text.setTextFormat(Qt.TextFormat.PlainText)
        self._text.setObjectName(f"day_{result}")
        self._text.setProperty("rank", "small")
        self._name = RESULTS[result]
        layout = row(self, Space.XS)
        layout.addWidget(_Swatch(result))
        layout.addWidget(self._text)
        layout.addSpacing(Space.S)

    def show_count(self, count: int) -> None:
        """Show it, or nothing where there is none."""
        self._text.setText(f"{self._name} {count:,}")
        self.setVisible(count > 0)


class _Swatch(QWidget):
    def __init__(self, result: DayResult) -> None:
        super().__init__()
        self._result = result
        self.setFixedSize(QSize(_SWATCH, _SWATCH))
        theme_of_application().changed.connect(self.update)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw a piece of a bar."""
        del event
        colours = theme_of_application().colours
        paint_part(QPainter(self), QRectF(self.rect()), self._result, colours)
