"""The longest gap on the UI thread while the Delivery page scrolls.

    python -m tests.bench.bench_delivery

An outbox on disk with 100,000 entries, the real page, presenter and thread. A timer without
an interval ticks whenever the UI thread has nothing else to do; the longest time between two
ticks is what a person could notice. Other programs count in it; so each line also tells the
longest turn in time that this thread worked itself. An empty window tells what the machine
costs.
"""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from PySide6.QtCore import QObject, QTimer, Slot
from PySide6.QtWidgets import QApplication, QWidget

from smtp_desk.app.delivery.presenter import DeliveryPresenter
from smtp_desk.app.services import Services
from smtp_desk.sender.outbox.sqlite import SqliteOutbox
from smtp_desk.ui.delivery.table import EmailTable
from smtp_desk.ui.delivery.view import DeliveryView
from smtp_desk.ui.faults import GarbageCollection
from smtp_desk.ui.widgets.theme import Theme
from smtp_desk.ui.worker import Worker
from tests.sender.mails import mail

if TYPE_CHECKING:
    from collections.abc import Callable

LISTED: Final = 100_000
STEP_PX: Final = 600
QUIET_S: Final = 3.0
LIMIT_MS: Final = 16


class Watch(QObject):
    """Notes how long the UI thread was away between two of its turns."""

    def __init__(self) -> None:
        super().__init__()
        self.gaps: list[tuple[float, float]] = []
        self._timer = QTimer(self)
        self._timer.timeout.connect(self._tick)
        self._last = time.perf_counter(), time.thread_time()
        self._timer.start(0)

    @Slot()
    def _tick(self) -> None:
        now = time.perf_counter(), time.thread_time()
        self.gaps.append(((now[0] - self._last[0]) * 1000, (now[1] - self._last[1]) * 1000))
        self._last = now

    def take(self) -> list[tuple[float, float]]:
        """Return the gaps so far, and the work in them, in milliseconds, and begin anew."""
        gaps, self.gaps = self.gaps, []
        self._last = time.perf_counter(), time.thread_time()
        return gaps


def until(done: Callable[[], bool], each: Callable[[], None] | None = None) -> None:
    while not done():
        if each is not None:
            each()
        QApplication.processEvents()


def after(seconds: float) -> Callable[[], bool]:
    end = time.perf_counter() + seconds
    return lambda: time.perf_counter() > end


def tell(name: str, turns: list[tuple[float, float]]) -> None:
    gaps = [gap for gap, _work in turns]
    works = [work for _gap, work in turns]
    slow = statistics.quantiles(gaps, n=1000)[-1]
    sys.stdout.write(
        f"{name}: longest gap {max(gaps):.1f} ms, 99.9 % below {slow:.1f} ms,"
        f" {sum(gap > LIMIT_MS for gap in gaps)} of {len(gaps)} above {LIMIT_MS} ms;"
        f" longest work {max(works):.1f} ms,"
        f" {sum(work > LIMIT_MS for work in works)} above {LIMIT_MS} ms\n"
    )


def fill(outbox: SqliteOutbox) -> None:
    for first in range(0, LISTED, 1000):
        outbox.add([mail(number) for number in range(first, first + 1000)])


def scroll(table: EmailTable, watch: Watch) -> None:
    """Scroll through everything, as fast as the list grows."""
    bar, emails = table.verticalScrollBar(), table.emails
    began = time.perf_counter()
    watch.take()
    until(
        lambda: emails.rowCount() == LISTED and bar.value() == bar.maximum(),
        lambda: bar.setValue(bar.value() + STEP_PX),
    )
    took = time.perf_counter() - began
    tell(f"scrolling down {LISTED} rows in {took:.1f} s", watch.take())
    until(lambda: bar.value() == 0, lambda: bar.setValue(bar.value() - 20 * STEP_PX))
    tell("scrolling up again", watch.take())


def refresh(view: DeliveryView, outbox: SqliteOutbox, watch: Watch) -> None:
    """Look again with all rows loaded while emails come in."""
    watch.take()
    for number in range(20):
        outbox.add([mail(number)])
        view.refresh()
        until(after(0.2))
    tell("20 refreshes with all rows loaded", watch.take())


def main() -> None:
    """Measure and print."""
    application = QApplication([])
    Theme(application)
    GarbageCollection(application)
    with tempfile.TemporaryDirectory() as home:
        services = Services.sandbox(Path(home))
        outbox = services.outbox
        assert isinstance(outbox, SqliteOutbox)
        fill(outbox)
        watch = Watch()
        quiet(watch)
        worker = Worker()
        view = DeliveryView(refresh_ms=1_000_000)
        presenter = DeliveryPresenter(services, worker, view)
        view.attach(presenter)
        view.page.resize(1040, 780)
        view.page.show()
        table = view.page.findChild(EmailTable)
        assert isinstance(table, EmailTable)
        until(lambda: table.emails.rowCount() > 0)
        scroll(table, watch)
        refresh(view, outbox, watch)
        view.page.close()
        presenter.close()
        worker.close()


def quiet(watch: Watch) -> None:
    """Measure the machine alone."""
    window = QWidget()
    window.show()
    watch.take()
    until(after(QUIET_S))
    tell("an empty window", watch.take())
    window.close()


if __name__ == "__main__":
    main()
