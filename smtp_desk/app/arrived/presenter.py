"""The page What arrived without its widgets: an email opened, or its header pasted."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

from smtp_desk.app.arrived.email_file import (
    arrival_of,
    load_header,
    pasted_header,
    unexplained_text,
)
from smtp_desk.app.page_presenter import Busy, PagePresenter, PageState
from smtp_desk.app.runner import Emit, Runner
from smtp_desk.app.words import failure_text
from smtp_desk.core.arrived import Arrival
from smtp_desk.core.reply import visible
from smtp_desk.smtp.net.deadline import Cancel, CancelledError

PASTED: Final = "What you pasted"
"""What a header without a file is called in sentences."""
_CANCELLED: Final = "Cancelled. The email was not explained."
_NOTHING_PASTED: Final = "Paste the headers first."


@dataclass(frozen=True, slots=True, kw_only=True)
class ArrivalState(PageState):
    """Everything that the page shows.

    Attributes:
        arrival: The explained email, or None.
        source: Where it comes from, in words.
    """

    arrival: Arrival | None = None
    source: str = ""


class ArrivalView(Protocol):
    """What the presenter needs of a face; called in the face's own thread."""

    def render(self, state: ArrivalState) -> None:
        """Show this."""

    def focus_result(self) -> None:
        """An email was explained: move the focus to the result."""


class ArrivalPresenter(PagePresenter[ArrivalState]):
    """Decides what the page shows."""

    def __init__(self, runner: Runner, view: ArrivalView) -> None:
        super().__init__(runner, view.render, ArrivalState())
        self._view = view

    def open(self, path: Path) -> None:
        """Explain the email in a file; if it isn't one, say so and keep the current one."""
        self._explain(path.name, lambda cancel: load_header(path, cancel))

    def explain(self, text: str) -> None:
        """Explain a pasted header."""
        if not text.strip():
            self._tell(_NOTHING_PASTED, error=True)
            return
        self._explain(PASTED, lambda _cancel: pasted_header(text))

    def cancel(self) -> None:
        """Stop reading; returns at once."""
        if self._state.busy is Busy.READING and self._cancel is not None:
            self._cancel.cancel()
            self._show(busy=Busy.CANCELLING)

    def _explain(self, name: str, read: Callable[[Cancel], bytes]) -> None:
        if not self._idle:
            return

        def job(_emit: Emit, cancel: Cancel) -> Arrival | None:
            try:
                found = arrival_of(read(cancel))
                cancel.check()
            except CancelledError:
                return None
            return found

        def done(found: Arrival | None) -> None:
            if found is None:
                self._tell(_CANCELLED, plain=True)
                return
            self._show(arrival=found, source=visible(name), notice=None)
            self._view.focus_result()

        self._show(notice=None)
        self._run(
            Busy.READING,
            job,
            done,
            failed=lambda error: unexplained_text(name, error) or failure_text(error),
        )
