"""What every command uses: its invocation, the terminal, signals and file names."""

import contextlib
import io
import queue
import signal
import sys
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any, Final, TextIO, TypeAlias, TypeVar

import click

from smtp_desk.app.startup import discard_output
from smtp_desk.core.exit_status import ExitStatus
from smtp_desk.core.system import flag
from smtp_desk.core.translation import _, mark
from smtp_desk.smtp.net.deadline import Cancel

if TYPE_CHECKING:
    from rich.console import Console

    from smtp_desk.app.diagnostics.report_text import Row
    from smtp_desk.app.opened import Opened
    from smtp_desk.app.services import Services

OpenWindow: TypeAlias = "Callable[[Opened | None], int]"
"""Opens the window, with a report or without, and returns the exit status when it closes."""


class ExitError(Exception):
    """Ends the command; the message says why, for a person.

    Attributes:
        status: The exit status.
    """

    def __init__(self, message: str, status: ExitStatus) -> None:
        super().__init__(message)
        self.status = status


@contextlib.contextmanager
def reading(file: object) -> Iterator[None]:
    """End the command if the file can't be read."""
    try:
        yield
    except OSError as error:
        raise ExitError(
            _("{file} can’t be read: {why}.", file=file, why=error.strerror), ExitStatus.DATAERR
        ) from error


@contextlib.contextmanager
def writing_to(file: object) -> Iterator[None]:
    """End the command if the file exists already, or can't be written."""
    try:
        yield
    except FileExistsError as error:
        text = _("{file} already exists. Nothing was written.", file=file)
        raise ExitError(text, ExitStatus.CANTCREAT) from error
    except OSError as error:
        text = _("{file} can’t be written: {why}.", file=file, why=error.strerror)
        raise ExitError(text, ExitStatus.CANTCREAT) from error


@dataclass(frozen=True)
class Invocation:
    """One run of the program in a terminal.

    Attributes:
        environ: The variables it was started with, the password among them.
        out: Standard output.
        err: Standard error.
        open_services: Builds the services when a command first needs them; with True the
            system-wide ones.
        open_window: Opens the window, which the command line must not import.
        attended: Whether somebody is there to answer a prompt.
        system: Whether the command is system-wide.
    """

    environ: Mapping[str, str]
    out: "Output"
    err: "Output"
    open_services: "Callable[[bool], Services]"
    open_window: OpenWindow
    attended: bool
    system: bool = False

    @cached_property
    def services(self) -> "Services":
        """The services."""
        return self.open_services(self.system)


def _for_system(context: click.Context, _parameter: click.Parameter, value: bool) -> None:  # noqa: FBT001 - click's signature
    if value:
        context.obj = replace(context.obj, system=True)


system_option: Final = click.option(
    "--system",
    is_flag=True,
    expose_value=False,
    is_eager=True,
    callback=_for_system,
    help=mark(
        "Use the system-wide settings and outbox, in /etc/smtp-desk and /var/lib/smtp-desk, "
        "instead of your own. Needs root."
    ),
)
"""Lets a command work for all users of the machine."""


class FileName(click.Path):
    """The name of a file. An empty one, usually from an unset variable, is an error."""

    def __init__(
        self, *, exists: bool = False, dir_okay: bool = True, allow_dash: bool = False
    ) -> None:
        super().__init__(exists=exists, dir_okay=dir_okay, allow_dash=allow_dash, path_type=Path)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:  # noqa: ANN401 - click's signature
        """Return the path."""
        if value == "":
            self.fail(_("The file name is empty."), param, ctx)
        return super().convert(value, param, ctx)


class Pipe:
    """Standard output or error when it isn't a terminal: plain lines.

    It continues silently when its reader leaves: a running test, and its exit status, don't
    depend on the reader.
    """

    is_terminal: Final = False

    def __init__(self, file: TextIO | None) -> None:
        self._file = file

    def write_line(self, text: str) -> None:
        """Write one line at once.

        Raises:
            OSError: It can't be written.
        """
        if self._file is None:  # started without one
            return
        try:
            self._file.write(f"{text}\n")
            self._file.flush()
        except BrokenPipeError:
            discard_output(self._file.fileno())


Output: TypeAlias = "Pipe | Console"
"""Where a command writes to: a console where a person looks on."""


def open_outputs(environ: Mapping[str, str]) -> tuple[Output, Output]:
    """Return standard output and standard error.

    Nothing that is printed is read as markup, and a character that the terminal doesn't know is
    escaped instead of ending the program.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    out, err = sys.stdout, sys.stderr
    return (
        _console(stderr=False) if _is_terminal(out, environ) else Pipe(out),
        _console(stderr=True) if _is_terminal(err, environ) else Pipe(err),
    )


def _is_terminal(stream: TextIO | None, environ: Mapping[str, str]) -> bool:
    """Whether a stream is a terminal, or is to be taken for one (https://force-color.org)."""
    if (compatible := environ.get("TTY_COMPATIBLE")) in ("0", "1"):
        return compatible == "1"
    if (forced := environ.get("FORCE_COLOR")) is not None:
        return forced != ""
    return stream is not None and stream.isatty()


def _console(*, stderr: bool) -> "Console":
    # Loaded here: it takes a tenth of a command's time, and in a pipe nothing of it is seen.
    from smtp_desk.cli.terminal import PatientConsole  # noqa: PLC0415

    return PatientConsole(stderr=stderr, markup=False, emoji=False, highlight=False)


def say(output: Output, text: str, style: str = "") -> None:
    """Print a text: wrapped on a terminal, on one line in a pipe."""
    if isinstance(output, Pipe):
        output.write_line(text)
        return
    from smtp_desk.cli.terminal import print_text  # noqa: PLC0415 - loaded with the console

    print_text(output, text, style, wrapped=output.is_terminal)


def show_command(output: Output, command: str) -> None:
    """Print a command line for copying: never wrapped."""
    if isinstance(output, Pipe):
        output.write_line(f"  {command}")
        return
    from smtp_desk.cli.terminal import print_text  # noqa: PLC0415 - loaded with the console

    print_text(output, f"  {command}", "", wrapped=False)


def print_rows(output: Output, rows: "Iterable[Row]") -> None:
    """Print labels and values: as a table on a terminal, as `label: value` in a pipe."""
    if isinstance(output, Pipe):
        for label, value in rows:
            say(output, f"{label}: {value}")
        return
    from smtp_desk.cli.terminal import print_table  # noqa: PLC0415 - loaded with the console

    print_table(output, rows)


def write_octets(octets: bytes) -> None:
    """Write to standard output, unchanged; it isn't an error if the reader has left."""
    if sys.stdout is None:  # started without one
        return
    stream = sys.stdout.buffer
    try:
        stream.write(octets)
        stream.flush()
    except BrokenPipeError:
        discard_output(stream.fileno())


_SIGNALS: Final = tuple(
    number for name in ("SIGINT", "SIGTERM", "SIGHUP") if (number := flag(signal, name))
)


@contextlib.contextmanager
def first_interrupt() -> Iterator[threading.Event]:
    """Turn the first SIGINT, SIGTERM or SIGHUP into an event; the next has its usual effect.

    A signal that the program was started to ignore, as by nohup, stays ignored. Call it in the
    main thread, which alone may set signal handlers.
    """
    interrupted = threading.Event()

    def note(_signal: int, _frame: FrameType | None) -> None:
        for number in before:
            signal.signal(number, signal.SIG_DFL)
        interrupted.set()

    before = {
        number: handler
        for number in _SIGNALS
        if (handler := signal.getsignal(number)) is not signal.SIG_IGN
    }
    for number in before:
        signal.signal(number, note)
    try:
        yield interrupted
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


_TICK_S: Final = 0.05
_Event = TypeVar("_Event")
_Result = TypeVar("_Result")


def in_background(
    work: Callable[[Callable[[_Event], None], Cancel], _Result], show: Callable[[_Event], None]
) -> _Result:
    """Run a job and return its result; the first Ctrl-C cancels it, a second ends the program.

    Signals reach Python's main thread only, and on Windows only between two of its
    instructions, so that thread never waits for the network.

    Args:
        work: Called with a function that takes its events, and the signal to stop.
        show: Called in the calling thread for each event.
    """
    cancel = Cancel()
    # Not a SimpleQueue: a signal at the end of its wait makes that wait endless (CPython to 3.13).
    events: queue.Queue[tuple[_Event] | None] = queue.Queue()
    outcome: Future[_Result] = Future()

    def run() -> None:
        try:
            outcome.set_result(work(lambda event: events.put((event,)), cancel))
        except BaseException as fault:  # noqa: BLE001 - raised again in the calling thread
            outcome.set_exception(fault)
        finally:
            events.put(None)

    with first_interrupt() as interrupted:
        threading.Thread(target=run, name="test", daemon=True).start()
        while True:
            if interrupted.is_set():
                cancel.cancel()
            try:
                event = events.get(timeout=_TICK_S)
            except queue.Empty:
                continue
            if event is None:
                return outcome.result()
            show(*event)
