"""The command line as a whole: its commands, and how each of them ends."""

import contextlib
import logging
import sys
from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import TYPE_CHECKING, Final

import click

from smtp_desk import __version__
from smtp_desk.app.logs import LOG_FILE, logging_to
from smtp_desk.app.startup import discard_output, ending_at_once
from smtp_desk.cli.invocation import (
    ExitError,
    Invocation,
    OpenWindow,
    open_outputs,
    say,
)
from smtp_desk.cli.manual import WIDTH, ManualGroup
from smtp_desk.cli.usage import tell_usage
from smtp_desk.core.exit_status import ExitStatus
from smtp_desk.core.reply import visible
from smtp_desk.core.translation import _, mark
from smtp_desk.store.credentials import CredentialsUnavailableError
from smtp_desk.store.ownership import own_name
from smtp_desk.store.paths import WORKER_USER, Paths

if TYPE_CHECKING:
    from smtp_desk.app.services import Services

_PROGRAM: Final = "smtp-desk"

_OF_SYSTEM: Final = ("root", WORKER_USER)

_log = logging.getLogger(__name__)


_COMMANDS: Final = {
    "check": "check:check",
    "configure": "configure:configure",
    "show": "saved:show",
    "enable": "saved:enable",
    "disable": "saved:disable",
    "remove": "saved:remove",
    "find": "find:find",
    "sign-in": "sign_in:sign_in",
    "export": "transfer:export",
    "import": "transfer:import_command",
    "default": "default:default",
    "arrived": "arrived:arrived",
    "report": "report:report",
    "open": "report:open_command",
    "send": "send:send",
    "sendmail": "sendmail:sendmail",
    "worker": "worker:worker",
    "outbox": "outbox:outbox",
    "status": "status:status",
    "sandbox": "sandbox:sandbox",
    "demo": "demo:demo",
    "version": "version:version",
}
"""Module and name of each command, the most needed first."""


class _Program(ManualGroup):
    """The commands, each loaded when it is asked for: none waits for what it does not use."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """Return the names of the commands."""
        return list(_COMMANDS)

    def get_command(
        self,
        ctx: click.Context,  # noqa: ARG002 - click's signature
        cmd_name: str,
    ) -> click.Command | None:
        """Load a command; None where there is no such."""
        module, _, name = _COMMANDS.get(cmd_name, "").partition(":")
        if not name:
            return None
        with ending_at_once():
            command = getattr(import_module(f"smtp_desk.cli.{module}"), name)
        return command if isinstance(command, click.Command) else None


@click.group(
    cls=_Program,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": WIDTH},
)
@click.version_option(
    __version__, message="SMTP Desk %(version)s", help=mark("Show the version and exit.")
)
def cli() -> None:
    """Configure, prove and diagnose the SMTP server that system emails are sent through.

    Without a command the window opens.
    """


def main(
    arguments: Sequence[str], environ: Mapping[str, str], open_window: OpenWindow
) -> ExitStatus | int:
    """Run one command in this process's terminal and return the exit status.

    Args:
        arguments: The arguments after the program's name.
        environ: The variables the program was started with, the password among them.
        open_window: Opens the window with a report, for `open`.
    """
    out, err = open_outputs(environ)
    attended = sys.stdin is not None and sys.stdin.isatty()
    invocation = Invocation(
        environ=environ,
        out=out,
        err=err,
        open_services=lambda system: _open_services(environ, attended=attended, system=system),
        open_window=open_window,
        attended=attended,
    )
    return run(invocation, arguments)


def run(invocation: Invocation, arguments: Sequence[str]) -> ExitStatus | int:
    """Run one command and return the exit status; report and log what goes wrong."""
    of_worker = own_name() == WORKER_USER
    logs = (Paths.system if of_worker else Paths.default)(invocation.environ).logs
    err = invocation.err
    with logging_to(logs, terminal=True):
        try:
            return _flushed(_invoke(invocation, arguments))
        except ExitError as error:
            say(err, f"{_PROGRAM}: {visible(str(error))}", "red")
            return error.status
        except OSError as error:
            _leave_output()
            say(
                err,
                f"{_PROGRAM}: {_('couldn’t write the output: {why}', why=error)}",
                "red",
            )
            return ExitStatus.CANTCREAT
        except Exception:  # noqa: BLE001 - each has its exit status
            _log.exception("Internal error; see %s", logs / LOG_FILE)
            return ExitStatus.SOFTWARE


def _invoke(invocation: Invocation, arguments: Sequence[str]) -> int:
    """Let Click find and run the command; its own errors become exit statuses.

    Raises:
        ExitError: The command can't go on.
    """
    try:
        status = cli.main(
            args=list(arguments), prog_name=_PROGRAM, standalone_mode=False, obj=invocation
        )
    except click.exceptions.NoArgsIsHelpError as error:
        error.show()
        return ExitStatus.USAGE
    except click.UsageError as error:
        tell_usage(error)
        return ExitStatus.USAGE
    except SystemExit:
        return ExitStatus.OK  # click's way to end where the reader of a help page has left
    except (click.Abort, KeyboardInterrupt):
        say(invocation.err, _("Aborted."))
        return ExitStatus.CANCELLED
    return int(status or ExitStatus.OK)


def _open_services(environ: Mapping[str, str], *, attended: bool, system: bool) -> "Services":
    with ending_at_once():
        # Imported here: help, reports and the sandbox do without all of it.
        from smtp_desk.app.services import Services  # noqa: PLC0415

    if system and own_name() not in _OF_SYSTEM:
        raise ExitError(
            _("--system is for root and the user {user}.", user=WORKER_USER),
            ExitStatus.USAGE,
        )
    try:
        if system:
            return Services.system(environ)
        return Services.open(environ, interactive=attended)
    except CredentialsUnavailableError as error:
        from smtp_desk.app.words import failure_text  # noqa: PLC0415 - as above

        raise ExitError(failure_text(error), ExitStatus.DATAERR) from error


def _flushed(status: int) -> int:
    """Write out what is still buffered, while a failure can still be told."""
    if sys.stdout is not None:
        try:
            sys.stdout.flush()
        except BrokenPipeError:
            _leave_output()
    return status


def _leave_output() -> None:
    """Drop what is still buffered: Python would fail on it once more, and end with 120."""
    if sys.stdout is not None:
        with contextlib.suppress(OSError):
            discard_output(sys.stdout.fileno())
