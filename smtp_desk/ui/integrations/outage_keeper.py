"""Looks for an outage of the custom server now and then, in the background."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QObject, QTimer, Signal, Slot

from smtp_desk.app.notice import Notice
from smtp_desk.app.routes.custom import failure_text
from smtp_desk.app.routes.outage import Outage, read_outage, try_again

if TYPE_CHECKING:
    from smtp_desk.app.runner import Emit, Runner
    from smtp_desk.app.services import Services
    from smtp_desk.smtp.net.deadline import Cancel

_EVERY_MS: Final = 15_000


class OutageKeeper(QObject):
    """Knows whether the custom server is out; other processes send, so it has to look.

    Signals:
        changed: An `Outage`, or None.
        answered: What came of Try again.
    """

    changed = Signal(object)
    answered = Signal(Notice)

    def __init__(self, services: Services, runner: Runner) -> None:
        super().__init__()
        self._services = services
        self._runner = runner
        self._asked = False
        self.outage: Outage | None = None
        self._timer = QTimer(self)
        self._timer.setInterval(_EVERY_MS)
        self._timer.timeout.connect(self.look)

    def start(self) -> None:
        """Look now, and every 15 seconds from then on."""
        self.look()
        self._timer.start()

    def stop(self) -> None:
        """Look no more."""
        self._timer.stop()

    @Slot()
    def look(self) -> None:
        """Look, unless it is about to: a test may keep the background thread for a minute."""
        if self._asked:
            return
        self._asked = True
        services = self._services

        def job(_emit: Emit, _cancel: Cancel) -> Outage | None:
            return read_outage(services)

        self._runner.run(job, on_done=self._found, on_error=self._failed)

    @Slot()
    def try_again(self) -> None:
        """Try the server at once."""
        services = self._services

        def job(_emit: Emit, _cancel: Cancel) -> Notice:
            return try_again(services)

        self._runner.run(job, on_done=self._tried, on_error=self._failed)

    def _found(self, outage: Outage | None) -> None:
        self._asked = False
        if outage != self.outage:
            self.outage = outage
            self.changed.emit(outage)

    def _tried(self, notice: Notice) -> None:
        self.answered.emit(notice)
        self.look()

    def _failed(self, error: Exception) -> None:
        self._asked = False
        self.answered.emit(Notice(failure_text(error), error=True))
