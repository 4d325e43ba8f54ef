"""The stages of a running test: a live list on a terminal, one line a stage in a pipe."""

from collections.abc import Mapping
from types import TracebackType
from typing import Final, Self

from rich.console import Console, RenderableType
from rich.live import Live
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from smtp_desk.app.report_text import stage_line
from smtp_desk.app.stage_facts import key_facts
from smtp_desk.cli.console import say
from smtp_desk.core.report import StageResult, fold_stages
from smtp_desk.core.stages import StageEvent, StageStatus

_MARKS: Final[Mapping[StageStatus, tuple[str, str, str]]] = {
    StageStatus.PASSED: ("✓", "+", "green"),
    StageStatus.WARNED: ("!", "!", "yellow"),
    StageStatus.FAILED: ("✗", "x", "bold red"),
    StageStatus.SKIPPED: ("–", "-", "dim"),
}
_FRAMES_PER_SECOND: Final = 12


class StageList:
    """Shows events as they come; a context manager, because a live list must be ended."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._events: list[StageEvent] = []
        self._live = (
            Live(console=console, refresh_per_second=_FRAMES_PER_SECOND)
            if console.is_terminal
            else None
        )

    def __enter__(self) -> Self:
        if self._live is not None:
            self._live.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._live is not None:
            self._live.stop()

    def show(self, event: StageEvent) -> None:
        """Take an event."""
        if self._live is not None:
            self._events.append(event)
            self._live.update(stage_table(self._console, fold_stages(self._events)))
        elif event.status is not StageStatus.STARTED:
            (result,) = fold_stages([event])
            # What was tried after the failure of a stage is no second failure.
            afterwards = event.facts.keys() == {"other_ports"}
            say(self._console, key_facts(result) if afterwards else stage_line(result))


def stage_table(console: Console, stages: tuple[StageResult, ...]) -> Table:
    """Return the stages as a table: a mark, the name, the time and the key facts."""
    table = Table.grid(padding=(0, 1))
    table.add_column(width=1)
    table.add_column(no_wrap=True)
    table.add_column(justify="right", no_wrap=True)
    table.add_column(overflow="fold", style="dim")
    for result in stages:
        time = "" if result.status in _WITHOUT_TIME else f"{result.ms} ms"
        table.add_row(
            _mark(console, result.status), Text(result.stage), Text(time), Text(key_facts(result))
        )
    return table


_WITHOUT_TIME: Final = (StageStatus.STARTED, StageStatus.SKIPPED)


def _mark(console: Console, status: StageStatus) -> RenderableType:
    unicode = console.encoding.startswith("utf")
    if status is StageStatus.STARTED:
        return Spinner("dots" if unicode else "line")
    sign, ascii_sign, style = _MARKS[status]
    return Text(sign if unicode else ascii_sign, style=style)
