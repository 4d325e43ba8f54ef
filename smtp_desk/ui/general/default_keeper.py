"""The default email service, read and changed in the background."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from smtp_desk.app.notice import Notice
from smtp_desk.app.routes.custom import failure_text
from smtp_desk.app.routes.default import (
    DefaultState,
    InvalidSendmailError,
    address_problems,
    load_default,
    path_problems,
    use_outbox,
    use_relay,
    use_sendmail,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from smtp_desk.app.runner import Emit, Runner
    from smtp_desk.app.services import Services
    from smtp_desk.smtp.net.deadline import Cancel


class DefaultKeeper(QObject):
    """Knows the default email service, and changes it when the person says so.

    Signals:
        changed: This holds now.
        checked: What is to be said of the path and of the address of sendmail.
        refused: The same, where it keeps sendmail from being used.
        answered: What came of the last choice.
    """

    changed = Signal(DefaultState)
    checked = Signal(tuple, tuple)
    refused = Signal(tuple, tuple)
    answered = Signal(Notice)

    def __init__(self, services: Services, runner: Runner) -> None:
        super().__init__()
        self._services = services
        self._runner = runner
        self.state = DefaultState()

    def load(self) -> None:
        """Read it."""
        services = self._services
        self._run(lambda: load_default(services), self._loaded)

    def use_outbox(self) -> None:
        """Hold emails in the outbox."""
        services = self._services
        self._run(lambda: use_outbox(services), self._saved)

    def use_relay(self) -> None:
        """Use the saved relay."""
        services = self._services
        self._run(lambda: use_relay(services), self._saved)

    def use_sendmail(self, path: str, from_email: str) -> None:
        """Use the machine's MTA, or say what keeps it from being used."""
        services = self._services
        self._run(lambda: use_sendmail(services, path, from_email), self._saved)

    def check_sendmail(self, path: str, from_email: str) -> None:
        """Say what is wrong with the path and the address."""

        def check(_emit: Emit, _cancel: Cancel) -> tuple[tuple[Notice, ...], tuple[Notice, ...]]:
            return path_problems(path), address_problems(from_email)

        self._runner.run(
            check, on_done=lambda found: self.checked.emit(*found), on_error=self._failed
        )

    def _run(self, work: Callable[[], DefaultState], done: Callable[[DefaultState], None]) -> None:
        def job(_emit: Emit, _cancel: Cancel) -> DefaultState:
            return work()

        self._runner.run(job, on_done=done, on_error=self._failed)

    def _loaded(self, state: DefaultState) -> None:
        self.state = state
        self.changed.emit(state)

    def _saved(self, state: DefaultState) -> None:
        self._loaded(state)
        self.answered.emit(Notice("Saved."))

    def _failed(self, error: Exception) -> None:
        if isinstance(error, InvalidSendmailError):
            self.refused.emit(error.path, error.from_email)
            self.answered.emit(Notice("Solve the problems first; nothing was changed.", error=True))
        else:
            self.changed.emit(self.state)
            self.answered.emit(Notice(failure_text(error), error=True))
