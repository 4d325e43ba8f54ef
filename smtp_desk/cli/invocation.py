"""What every command works with, and how a command ends that can't go on."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, TypeAlias

from rich.console import Console

from smtp_desk.core.exit_status import ExitStatus
from smtp_desk.core.report import CheckReport

if TYPE_CHECKING:
    from smtp_desk.app.services import Services

OpenWindow: TypeAlias = Callable[[CheckReport | None], int]
"""Opens the window, with a report or without, and returns the exit status when it closes."""


class CommandError(Exception):
    """The command can't go on; the message says why, for a person.

    Attributes:
        status: The exit status.
    """

    def __init__(self, message: str, status: ExitStatus) -> None:
        super().__init__(message)
        self.status = status


@dataclass(frozen=True)
class Invocation:
    """One run of the program in a terminal.

    Attributes:
        environ: The variables it was started with, the password among them.
        out: Standard output.
        err: Standard error.
        open_services: Builds the services when a command first needs them.
        open_window: Opens the window; a face does not import another.
        attended: Whether somebody is there to answer a prompt.
    """

    environ: Mapping[str, str]
    out: Console
    err: Console
    open_services: "Callable[[], Services]"
    open_window: OpenWindow
    attended: bool

    @cached_property
    def services(self) -> "Services":
        """The services."""
        return self.open_services()
