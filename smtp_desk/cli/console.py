"""Standard output and standard error: colours on a terminal, plain lines into a pipe."""

import io
import os
import sys
from collections.abc import Iterable

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from smtp_desk.app.report_text import Row


class PatientConsole(Console):
    """A console that goes on quietly when its reader leaves.

    A test that runs, and its exit status, do not depend on who looks on.
    """

    def on_broken_pipe(self) -> None:
        """Let what is still to come go nowhere."""
        self.quiet = True
        discard_output(self.file.fileno())


def open_consoles() -> tuple[Console, Console]:
    """Return the consoles of standard output and standard error.

    Nothing that is printed is read as markup, and a character that the terminal does not
    know is spelled out instead of ending the program.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    out, err = (
        PatientConsole(stderr=stderr, markup=False, emoji=False, highlight=False)
        for stderr in (False, True)
    )
    return out, err


def say(console: Console, text: str, style: str = "") -> None:
    """Print a text: wrapped on a terminal, on one line in a pipe."""
    console.print(Text(text, style=style), soft_wrap=not console.is_terminal)


def show_command(console: Console, command: str) -> None:
    """Print a command line as it is to be copied: never wrapped."""
    console.print(Text(f"  {command}"), soft_wrap=True)


def print_rows(console: Console, rows: Iterable[Row]) -> None:
    """Print labels and values: as a table on a terminal, as `label: value` in a pipe."""
    if not console.is_terminal:
        for label, value in rows:
            say(console, f"{label}: {value}")
        return
    table = Table.grid(padding=(0, 2))
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    for label, value in rows:
        table.add_row(Text(label), Text(value))
    console.print(Padding(table, (0, 0, 0, 2)))


def write_octets(octets: bytes) -> None:
    """Write to standard output, unchanged; a reader that left is no error."""
    if sys.stdout is None:  # started without one
        return
    stream = sys.stdout.buffer
    try:
        stream.write(octets)
        stream.flush()
    except BrokenPipeError:
        discard_output(stream.fileno())


def discard_output(descriptor: int) -> None:
    """Let what is still to be written to a descriptor go nowhere."""
    devnull = os.open(os.devnull, os.O_WRONLY)
    os.dup2(devnull, descriptor)
    os.close(devnull)
