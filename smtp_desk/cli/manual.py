"""Help texts as complete as a manual page: exit status, examples, environment and files."""

import inspect
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, TypeAlias

import click

from smtp_desk.core.exit_status import ExitStatus

Meanings: TypeAlias = Mapping[ExitStatus, str]
"""What each exit status of a command means."""

Example: TypeAlias = tuple[str, str]
"""What it does, and the command line."""

WIDTH: Final = 92

TEST_STATUSES: Final[Meanings] = {
    ExitStatus.OK: "the test passed, up to the stage you asked for",
    ExitStatus.USAGE: "the command line is wrong",
    ExitStatus.DATAERR: "the settings are wrong (settings.*), before anything was sent",
    ExitStatus.UNAVAILABLE: "the server can’t be reached, or refused",
    ExitStatus.SOFTWARE: "an internal error (session.internal_error)",
    ExitStatus.CANTCREAT: "the report couldn't be written",
    ExitStatus.TEMPFAIL: "a temporary problem: try again later",
    ExitStatus.PROTOCOL: "the server broke the protocol (session.protocol_error)",
    ExitStatus.NOPERM: "the login, its token or the sender was refused (auth.*, oauth.*, sender.*)",
    ExitStatus.CANCELLED: "cancelled by Ctrl-C or SIGTERM (session.cancelled)",
}
"""The exit statuses of commands that run a test."""

PASSWORD_ENVIRONMENT: Final[Mapping[str, str]] = {
    "SMTP_DESK_PASSWORD": (
        "the password, unless --password-stdin is given; removed from the environment at once"
    ),
    "CREDENTIALS_DIRECTORY": (
        "set by systemd; its credential “smtp-desk.password” is the password if the variable "
        "above isn't set"
    ),
}
RELAY_PASSWORD_ENVIRONMENT: Final[Mapping[str, str]] = {
    "SMTP_DESK_DEFAULT_PASSWORD": (
        "the relay's password, unless --password-stdin is given; removed from the environment "
        "at once"
    ),
    "SMTP_DESK_PASSWORD": "the same, if the variable above isn't set",
    "CREDENTIALS_DIRECTORY": (
        "set by systemd; its credential “smtp-desk.default-password” is the relay's password "
        "if the first variable isn't set"
    ),
}
_ENVIRONMENT: Final[Mapping[str, str]] = {
    "SMTP_DESK_HOME": "keep settings, state and log below this directory",
    "SMTP_DESK_OUTBOX": "the PostgreSQL address of an outbox that many machines share, without a "
    "password; stronger than the settings",
    "NO_COLOR": "turn colors off",
}
FILES: Final[Mapping[str, str]] = {
    "settings.toml": "the saved settings, without the password, in the platform's configuration "
    "folder (~/.config/smtp-desk on Linux) or in $SMTP_DESK_HOME/config",
    "smtp-desk.log": "what failed and when, without secrets, in the platform's log folder "
    "(~/.local/state/smtp-desk/log on Linux) or in $SMTP_DESK_HOME/log",
    "managed.toml": (
        "values that the organization sets and locks, in the site's configuration folder "
        "(/etc/xdg/smtp-desk on Linux, C:\\Program Files\\SMTP Desk on Windows); used only if "
        "nobody but an administrator can write to it"
    ),
}


SYSTEM_ENVIRONMENT: Final[Mapping[str, str]] = {
    "SMTP_DESK_SYSTEM_ROOT": "with --system: the folder to use as /",
}
SYSTEM_FILES: Final[Mapping[str, str]] = {
    "/etc/smtp-desk/settings.toml": (
        "with --system: the system-wide settings, readable by root and the worker; contains no "
        "password"
    ),
    "/etc/credstore.encrypted/smtp-desk.password": (
        "the password, encrypted with systemd-creds for the worker only; "
        "“smtp-desk.default-password” is the relay's"
    ),
    "/run/smtp-desk/submit.sock": "where the worker accepts messages from all users",
}
"""What a command with `--system` reads and writes."""


class ManualCommand(click.Command):
    """A command whose `--help` is as complete as a manual page."""

    def __init__(
        self,
        *args: Any,  # noqa: ANN401 - handed on as they are
        statuses: Meanings,
        examples: Sequence[Example],
        environment: Mapping[str, str] | None = None,
        files: Mapping[str, str] | None = None,
        **attributes: Any,  # noqa: ANN401 - as above
    ) -> None:
        """Take what `click.Command` takes, and the sections of the manual.

        Args:
            args: For `click.Command`.
            statuses: What each exit status means.
            examples: What each does, and its command line.
            environment: Variables besides those that every command uses.
            files: What it reads or writes.
            attributes: For `click.Command`.
        """
        super().__init__(*args, **attributes)
        self.statuses = dict(sorted(statuses.items()))
        self._examples = examples
        self._environment = {**(environment or {}), **_ENVIRONMENT}
        self._files = dict(files or {})

    def format_epilog(
        self,
        ctx: click.Context,  # noqa: ARG002 - click's signature
        formatter: click.HelpFormatter,
    ) -> None:
        """Write the sections that follow the options."""
        write_definitions(
            formatter,
            "Exit status",
            ((str(int(status)), meaning) for status, meaning in self.statuses.items()),
        )
        write_definitions(formatter, "Environment", self._environment.items())
        write_definitions(formatter, "Files", self._files.items())
        write_examples(formatter, self._examples)


class ManualGroup(click.Group):
    """A group that lists its commands in the order in which they were added."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """Return the names of the commands, the most needed first."""
        return list(self.commands)

    def format_epilog(
        self,
        ctx: click.Context,
        formatter: click.HelpFormatter,
    ) -> None:
        """Write what applies to all commands of the group."""
        write_definitions(
            formatter, "Environment", {**PASSWORD_ENVIRONMENT, **_ENVIRONMENT}.items()
        )
        write_definitions(formatter, "Files", FILES.items())
        with formatter.section("Exit status"):
            formatter.write_text(
                "0 on success, otherwise a number from sysexits.h that names the kind of cause. "
                f"“{ctx.command_path} COMMAND --help” lists them for each command."
            )


def write_definitions(
    formatter: click.HelpFormatter, title: str, rows: Iterable[tuple[str, str]]
) -> None:
    """Write a section of terms and their meanings; nothing if there are none."""
    if listed := list(rows):
        with formatter.section(title):
            formatter.write_dl(listed)


def write_examples(formatter: click.HelpFormatter, examples: Iterable[Example]) -> None:
    """Write command lines as typed, each below a description."""
    with formatter.section("Examples"):
        for purpose, command in examples:
            formatter.write_text(f"{purpose}:")
            for line in inspect.cleandoc(command).splitlines():
                formatter.write(f"{'':>{formatter.current_indent}}    {line}\n")
