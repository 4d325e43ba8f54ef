"""`smtp-desk sandbox`: the built-in mail server, until Ctrl-C."""

import contextlib
import queue
import shlex
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from smtp_desk.app.diagnostics.report_text import Row
from smtp_desk.app.extras import Extra, installed, missing_text
from smtp_desk.cli.invocation import (
    ExitError,
    Invocation,
    Output,
    first_interrupt,
    print_rows,
    say,
    show_command,
)
from smtp_desk.cli.manual import ManualCommand
from smtp_desk.core.exit_status import ExitStatus
from smtp_desk.core.reply import visible
from smtp_desk.core.translation import _, mark, pgettext
from smtp_desk.sandbox.faults import FAULTS, NO_FAULT
from smtp_desk.sandbox.inbox import ReceivedMail
from smtp_desk.sandbox.recipients import TRY_THESE
from smtp_desk.store.files import write_atomic
from smtp_desk.store.resources import read_catalogue

if TYPE_CHECKING:
    from smtp_desk.sandbox.server import Sandbox

_TICK_S: Final = 0.1
_HOST: Final = "localhost"


@click.command(
    cls=ManualCommand,
    short_help=mark("Run the built-in mail server until Ctrl-C."),
    statuses={
        ExitStatus.OK: mark("stopped by Ctrl-C or SIGTERM"),
        ExitStatus.USAGE: mark("the command line is wrong"),
        ExitStatus.UNAVAILABLE: mark(
            "no local port or temporary file, or the sandbox isn’t installed"
        ),
    },
    examples=[
        (mark("Try the window or “check” without a mail server"), "smtp-desk sandbox"),
        (
            mark("Learn what an expired certificate looks like"),
            "smtp-desk sandbox --fault expired-certificate",
        ),
    ],
)
@click.option(
    "--fault",
    type=click.Choice(list(FAULTS)),
    metavar="NAME",
    help=mark("Break one thing on the server, to see what a test says about it: {choices}."),
)
@click.pass_obj
def sandbox(invocation: Invocation, fault: str | None) -> ExitStatus:
    """Run a mail server that only this machine can reach, and show what it receives.

    It uses TLS with its own certificate authority, requires a login, accepts mail for any
    recipient and forwards nothing. Password, ports and authority are new at each start and
    forgotten at the end.
    """
    console = invocation.out
    # Not a SimpleQueue: a signal at the end of its wait makes that wait endless (see proof_run).
    mails: queue.Queue[ReceivedMail] = queue.Queue()
    with running_sandbox() as (server, ca_file), first_interrupt() as interrupted:
        server.inbox.subscribe(mails.put)
        server.fault = FAULTS[fault] if fault else NO_FAULT
        _introduce(console, server, ca_file)
        while not interrupted.is_set():
            _print_next(console, mails)
    return ExitStatus.OK


@contextlib.contextmanager
def running_sandbox() -> Iterator[tuple["Sandbox", Path]]:
    """Run the sandbox; yield it and its CA file, in a private folder removed at the end.

    Raises:
        ExitError: The sandbox isn't installed, or there is no local port or temporary file.
    """
    if not installed(Extra.SANDBOX):
        text = missing_text(Extra.SANDBOX, read_catalogue())
        raise ExitError(text, ExitStatus.UNAVAILABLE)
    # Imported here: help does without it, and it may not be installed.
    from smtp_desk.sandbox.server import Sandbox  # noqa: PLC0415

    with contextlib.ExitStack() as stack:
        try:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="smtp-desk-")))
            server = stack.enter_context(Sandbox())
            ca_file = folder / "sandbox-ca.pem"
            write_atomic(ca_file, server.ca_pem.encode())
        except OSError as error:
            text = _("The sandbox can’t start: {why}", why=error)
            raise ExitError(text, ExitStatus.UNAVAILABLE) from error
        yield server, ca_file


def mail_rows(mail: ReceivedMail) -> list[Row]:
    """Return sender, recipients and subject."""
    return [
        (pgettext("a mail", "from"), mail.sender),
        (pgettext("a mail", "to"), ", ".join(mail.recipients)),
        (pgettext("a mail", "subject"), mail.subject),
    ]


def print_mail(console: Output, mail: ReceivedMail) -> None:
    """Print a received mail: the envelope and its text."""
    say(console, _("Mail {number} received", number=mail.number), "bold")
    print_rows(console, mail_rows(mail))
    for line in mail.text.strip().splitlines():
        say(console, f"  | {visible(line)}")


def _introduce(console: Output, server: "Sandbox", ca_file: Path) -> None:
    say(console, "SMTP Desk — Sandbox", "bold")
    print_rows(
        console,
        [
            (_("host"), _HOST),
            (_("port with STARTTLS"), str(server.starttls_port)),
            (_("port with TLS from the start"), str(server.tls_port)),
            (_("username"), server.username),
            (_("password"), server.password.reveal()),
            (_("CA file"), str(ca_file)),
        ],
    )
    if server.fault is not NO_FAULT:
        what = _(server.fault.what_happens)
        say(console, _("Fault {name}: {what}.", name=server.fault.name, what=what))
    for address, what_happens in TRY_THESE:
        # Translators: such as “mail to full@example.org is refused: the mailbox is full”.
        text = _("mail to {address} {what_happens}", address=address, what_happens=_(what_happens))
        say(console, f"  {text}")
    say(console, _("Test it with:"), "bold")
    password = f"SMTP_DESK_PASSWORD={shlex.quote(server.password.reveal())}"
    show_command(console, f"{password} {_command('check', server, ca_file)}")
    say(console, _("Or save it in a separate home folder, and send from programs there:"), "bold")
    show_command(console, f'export SMTP_DESK_HOME="$PWD/sandbox-home" {password}')
    show_command(console, _command("configure", server, ca_file))
    show_command(console, "smtp-desk enable")
    say(console, _("Press Ctrl-C to stop the sandbox. Received mail appears here:"), "bold")


def _command(name: str, server: "Sandbox", ca_file: Path) -> str:
    options = {
        "--host": _HOST,
        "--port": str(server.starttls_port),
        "--username": server.username,
        "--from-email": server.username,
        "--ca-file": str(ca_file),
        "--to": "ann@example.org",
    }
    words = ["smtp-desk", name, *(word for option in options.items() for word in option)]
    return shlex.join(words)


def _print_next(console: Output, mails: "queue.Queue[ReceivedMail]") -> None:
    try:
        print_mail(console, mails.get(timeout=_TICK_S))
    except queue.Empty:
        return
