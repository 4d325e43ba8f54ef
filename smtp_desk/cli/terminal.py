"""What a person at a terminal sees; loaded only for a terminal."""

from collections.abc import Iterable
from typing import Final

from rich.console import Console, RenderableType
from rich.live import Live
from rich.padding import Padding
from rich.rule import Rule
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from smtp_desk.app.diagnostics.report_text import Row, key_facts
from smtp_desk.app.startup import discard_output
from smtp_desk.core.report import StageResult
from smtp_desk.core.stages import StageStatus

_MARKS: Final = {
    StageStatus.PASSED: ("✓", "+", "green"),
    StageStatus.WARNED: ("!", "!", "yellow"),
    StageStatus.FAILED: ("✗", "x", "bold red"),
    StageStatus.SKIPPED: ("–", "-", "dim"),
}
_WITHOUT_TIME: Final = (StageStatus.STARTED, StageStatus.SKIPPED)
_FRAMES_PER_SECOND: Final = 12


class PatientConsole(Console):
    """A console that continues silently when its reader leaves.

    A running test, and its exit status, don't depend on the reader.
    """

    def on_broken_pipe(self) -> None:
        """Discard further output."""
        self.quiet = True
        discard_output(self.file.fileno())


def print_text(console: Console, text: str, style: str, *, wrapped: bool) -> None:
    """Print a text, wrapped at the width of the terminal or not."""
    console.print(Text(text, style=style), soft_wrap=not wrapped)


def print_table(console: Console, rows: Iterable[Row]) -> None:
    """Print labels and values as a table."""
    table = Table.grid(padding=(0, 2))
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    for label, value in rows:
        table.add_row(Text(label), Text(value))
    console.print(Padding(table, (0, 0, 0, 2)))


def print_heading(console: Console, title: str) -> None:
    """Print a line across the terminal that begins with `title`."""
    console.print(Rule(title, align="left", style="dim"))


def live_list(console: Console) -> Live:
    """Return a list that is updated in place."""
    return Live(console=console, refresh_per_second=_FRAMES_PER_SECOND)


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


def _mark(console: Console, status: StageStatus) -> RenderableType:
    unicode = console.encoding.startswith("utf")
    if status is StageStatus.STARTED:
        return Spinner("dots" if unicode else "line")
    sign, ascii_sign, style = _MARKS[status]
    return Text(sign if unicode else ascii_sign, style=style)
