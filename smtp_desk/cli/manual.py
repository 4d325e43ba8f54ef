"""Help texts as complete as a manual page: exit status, examples, environment and files."""

import copy
import inspect
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final, TypeAlias

import click

from smtp_desk.cli.usage import in_language
from smtp_desk.core.exit_status import ExitStatus
from smtp_desk.core.translation import _, mark, pgettext

Meanings: TypeAlias = Mapping[ExitStatus, str]
"""What each exit status of a command means."""

Example: TypeAlias = tuple[str, str]
"""What it does, and the command line."""

WIDTH: Final = 92

_OF_CLICK: Final = mark("Show this message and exit.")

TEST_STATUSES: Final[Meanings] = {
    ExitStatus.OK: mark("the test passed, up to the stage you asked for"),
    ExitStatus.USAGE: mark("the command line is wrong"),
    ExitStatus.DATAERR: mark("the settings are wrong (settings.*), before anything was sent"),
    ExitStatus.UNAVAILABLE: mark("the server can’t be reached, or refused"),
    ExitStatus.SOFTWARE: mark("an internal error (session.internal_error)"),
    ExitStatus.CANTCREAT: mark("the report couldn't be written"),
    ExitStatus.TEMPFAIL: mark("a temporary problem: try again later"),
    ExitStatus.PROTOCOL: mark("the server broke the protocol (session.protocol_error)"),
    ExitStatus.NOPERM: mark(
        "the login, its token or the sender was refused (auth.*, oauth.*, sender.*)"
    ),
    ExitStatus.CANCELLED: mark("cancelled by Ctrl-C or SIGTERM (session.cancelled)"),
}
"""The exit statuses of commands that run a test."""

PASSWORD_ENVIRONMENT: Final[Mapping[str, str]] = {
    "SMTP_DESK_PASSWORD": mark(
        "the password, unless --password-stdin is given; removed from the environment at once"
    ),
    "CREDENTIALS_DIRECTORY": mark(
        "set by systemd; its credential “smtp-desk.password” is the password if the variable "
        "above isn't set"
    ),
}
RELAY_PASSWORD_ENVIRONMENT: Final[Mapping[str, str]] = {
    "SMTP_DESK_DEFAULT_PASSWORD": mark(
        "the relay's password, unless --password-stdin is given; removed from the environment "
        "at once"
    ),
    "SMTP_DESK_PASSWORD": mark("the same, if the variable above isn't set"),
    "CREDENTIALS_DIRECTORY": mark(
        "set by systemd; its credential “smtp-desk.default-password” is the relay's password "
        "if the first variable isn't set"
    ),
}
_ENVIRONMENT: Final[Mapping[str, str]] = {
    "SMTP_DESK_HOME": mark("keep settings, state and log below this directory"),
    "SMTP_DESK_OUTBOX": mark(
        "the PostgreSQL address of an outbox that many machines share, without a "
        "password; stronger than the settings"
    ),
    "NO_COLOR": mark("turn colors off"),
}
FILES: Final[Mapping[str, str]] = {
    "settings.toml": mark(
        "the saved settings, without the password, in the platform's configuration "
        "folder (~/.config/smtp-desk on Linux) or in $SMTP_DESK_HOME/config"
    ),
    "smtp-desk.log": mark(
        "what failed and when, without secrets, in the platform's log folder "
        "(~/.local/state/smtp-desk/log on Linux) or in $SMTP_DESK_HOME/log"
    ),
    "managed.toml": mark(
        "values that the organization sets and locks, in the site's configuration folder "
        "(/etc/xdg/smtp-desk on Linux, C:\\Program Files\\SMTP Desk on Windows); used only if "
        "nobody but an administrator can write to it"
    ),
}


SYSTEM_ENVIRONMENT: Final[Mapping[str, str]] = {
    "SMTP_DESK_SYSTEM_ROOT": mark("with --system: the folder to use as /"),
}
SYSTEM_FILES: Final[Mapping[str, str]] = {
    "/etc/smtp-desk/settings.toml": mark(
        "with --system: the system-wide settings, readable by root and the worker; contains no "
        "password"
    ),
    "/etc/credstore.encrypted/smtp-desk.password": mark(
        "the password, encrypted with systemd-creds for the worker only; "
        "“smtp-desk.default-password” is the relay's"
    ),
    "/run/smtp-desk/submit.sock": mark("where the worker accepts messages from all users"),
}
"""What a command with `--system` reads and writes."""


class _Translated(click.Command):
    """A command that is explained in the language in use, whatever it was created in."""

    def format_usage(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the line of usage."""
        pieces = " ".join(self.collect_usage_pieces(ctx))
        formatter.write_usage(ctx.command_path, pieces, prefix=f"{_('Usage:')} ")

    def format_help_text(
        self,
        ctx: click.Context,  # noqa: ARG002 - click's signature
        formatter: click.HelpFormatter,
    ) -> None:
        """Write what the command does."""
        formatter.write_paragraph()
        with formatter.indentation():
            formatter.write_text("\n\n".join(map(_, paragraphs(self))))

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the options."""
        records = [_explained(each, ctx) for each in self.get_params(ctx)]
        write_definitions(formatter, _("Options"), filter(None, records))

    def get_short_help_str(self, limit: int = 45) -> str:  # noqa: ARG002 - click's signature
        """Return what the command does, in one line."""
        return _(self.short_help or paragraphs(self)[0])


def paragraphs(command: click.Command) -> tuple[str, ...]:
    """Return the paragraphs of what a command says of itself: the texts of its docstring."""
    text = inspect.cleandoc(command.help or "")
    return tuple(" ".join(each.split()) for each in text.split("\n\n"))


def section_names() -> tuple[str, str, str, str]:
    """Return the names of the sections that only a page of `man` has (man-pages(7))."""
    return (
        pgettext("a section of a manual page", "Name"),
        pgettext("a section of a manual page", "Synopsis"),
        pgettext("a section of a manual page", "Description"),
        pgettext("a section of a manual page", "See also"),
    )


def each_command(program: click.Command, name: str) -> Iterator[click.Context]:
    """Yield the context of a program and of all its commands, each before those below it."""
    waiting = [click.Context(program, info_name=name, **program.context_settings)]
    while waiting:
        context = waiting.pop()
        yield context
        waiting.extend(reversed(list(commands_of(context))))


def commands_of(context: click.Context) -> Iterator[click.Context]:
    """Yield the contexts of the commands of a group; nothing for a command."""
    group = context.command
    if isinstance(group, click.Group):
        for name in group.list_commands(context):
            if (command := group.get_command(context, name)) is not None:
                yield click.Context(command, info_name=name, parent=context)


def _explained(parameter: click.Parameter, context: click.Context) -> tuple[str, str] | None:
    """Return how an option is spelled and what it does; None for an argument."""
    if not isinstance(parameter, click.Option):
        return None
    option = copy.copy(parameter)
    choices = option.type.choices if isinstance(option.type, click.Choice) else ()
    english = _OF_CLICK if option.name == "help" else option.help or ""
    option.help = ""
    record = option.get_help_record(context)
    if record is None:
        return None
    spelled, extra = record  # such as "[default: 587; required]"
    text = _(english, choices=", ".join(choices))
    if extra:
        text = f"{text}  [{'; '.join(map(in_language, extra[1:-1].split('; ')))}]"
    return spelled, text


class ManualCommand(_Translated):
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
            _("Exit status"),
            ((str(int(status)), _(meaning)) for status, meaning in self.statuses.items()),
        )
        _write_table(formatter, _("Environment"), self._environment)
        _write_table(formatter, _("Files"), self._files)
        write_examples(formatter, self._examples)


class ManualGroup(_Translated, click.Group):
    """A group that lists its commands in the order in which they were added."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """Return the names of the commands, the most needed first."""
        return list(self.commands)

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the options, and the commands."""
        super().format_options(ctx, formatter)
        self.format_commands(ctx, formatter)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write what each command does."""
        commands = (each.command for each in commands_of(ctx))
        rows = ((each.name or "", each.get_short_help_str()) for each in commands)
        write_definitions(formatter, _("Commands"), rows)

    def format_epilog(
        self,
        ctx: click.Context,
        formatter: click.HelpFormatter,
    ) -> None:
        """Write what applies to all commands of the group."""
        _write_table(formatter, _("Environment"), {**PASSWORD_ENVIRONMENT, **_ENVIRONMENT})
        _write_table(formatter, _("Files"), FILES)
        with formatter.section(_("Exit status")):
            formatter.write_text(
                _(
                    "0 on success, otherwise a number from sysexits.h that names the kind of "
                    "cause. “{command_path} COMMAND --help” lists them for each command.",
                    command_path=ctx.command_path,
                )
            )


def _write_table(formatter: click.HelpFormatter, title: str, meanings: Mapping[str, str]) -> None:
    write_definitions(formatter, title, ((term, _(text)) for term, text in meanings.items()))


def write_definitions(
    formatter: click.HelpFormatter, title: str, rows: Iterable[tuple[str, str]]
) -> None:
    """Write a section of terms and their meanings; nothing if there are none."""
    if listed := list(rows):
        with formatter.section(title):
            formatter.write_dl(listed)


def write_examples(formatter: click.HelpFormatter, examples: Iterable[Example]) -> None:
    """Write command lines as typed, each below a description."""
    with formatter.section(_("Examples")):
        for purpose, command in examples:
            formatter.write_text(f"{_(purpose)}:")
            for line in inspect.cleandoc(command).splitlines():
                formatter.write(f"{'':>{formatter.current_indent}}    {line}\n")
