"""`smtp-desk worker`: send what waits in the outbox when its time comes."""

import contextlib
import logging
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import nullcontext
from typing import Final

import click

from smtp_desk.app.reception import Reception, open_listener
from smtp_desk.cli.invocation import (
    ExitError,
    Invocation,
    Output,
    first_interrupt,
    say,
    system_option,
)
from smtp_desk.cli.manual import SYSTEM_ENVIRONMENT, SYSTEM_FILES, ManualCommand
from smtp_desk.cli.sending import (
    SEND_ENVIRONMENT,
    SEND_FILES,
    no_route,
    open_sender,
    services_to_send,
    what_waits,
)
from smtp_desk.core.exit_status import ExitStatus
from smtp_desk.core.reply import visible
from smtp_desk.core.translation import _, mark, plural
from smtp_desk.sender.sender import Sender
from smtp_desk.smtp.net.deadline import Cancel
from smtp_desk.store.ownership import is_root, knows_peers
from smtp_desk.store.paths import WORKER_USER

_TICK_S: Final = 0.05


@click.command(
    cls=ManualCommand,
    short_help=mark("Send the emails waiting in the outbox."),
    statuses={
        ExitStatus.OK: mark(
            "stopped by a signal or Ctrl-C; with --once: tried everything that was due"
        ),
        ExitStatus.USAGE: mark("the command line is wrong"),
        ExitStatus.SOFTWARE: mark("an internal error"),
        ExitStatus.TEMPFAIL: mark("the outbox can’t be read or written"),
    },
    environment={**SEND_ENVIRONMENT, **SYSTEM_ENVIRONMENT},
    files={**SEND_FILES, **SYSTEM_FILES},
    examples=[
        (
            mark("Send waiting emails until stopped, for example as a systemd user unit"),
            "smtp-desk worker",
        ),
        (mark("From cron, if no worker is running"), "*/5 * * * * smtp-desk worker --once"),
        (
            mark("For all users, the way packaging/systemd/system starts it"),
            "smtp-desk worker --system",
        ),
    ],
)
@click.option("--once", is_flag=True, help=mark("Send emails that are due now, then stop."))
@system_option
@click.pass_obj
def worker(invocation: Invocation, /, *, once: bool) -> ExitStatus:
    """Send the emails that wait in the outbox, each when it is due, until Ctrl-C.

    Several workers may run at once, beside programs that send; no email is taken twice. New
    settings are used as soon as they are saved. Progress is printed on standard error.

    With --system it also takes the messages of all users from their “sendmail”, by a socket that
    systemd passes or that it makes itself.
    """
    err = invocation.err
    services = services_to_send(invocation)
    with (
        first_interrupt() as interrupted,
        open_sender(services) as sender,
        _told_on(err),
        _taking(invocation, sender) if invocation.system and not once else nullcontext(),
    ):
        say(
            err,
            _("Sending emails that are due.")
            if once
            else _("Waiting for emails. Press Ctrl-C to stop."),
        )
        handled = _until(interrupted, lambda cancel: sender.drain(cancel, once=once))
    said = plural("{count} email processed.", "{count} emails processed.", handled)
    say(err, f"{_('Stopped.')} {said}")
    if once and (waiting := what_waits(services)):
        say(err, waiting)
    return ExitStatus.OK


@contextlib.contextmanager
def _taking(invocation: Invocation, sender: Sender) -> Iterator[None]:
    """Take the messages of all users while the context lasts.

    Raises:
        ExitError: The socket can't be opened, or this is root, whom nobody should hand over to.
    """
    services = invocation.services
    path = services.paths.socket
    if path is None or not knows_peers():
        raise ExitError(_("--system needs Linux."), ExitStatus.UNAVAILABLE)
    if is_root():
        text = _(
            "Start it as the user {user}. Running it as root isn’t needed, and isn’t safe.",
            user=WORKER_USER,
        )
        raise ExitError(text, ExitStatus.USAGE)
    try:
        listener = open_listener(path, invocation.environ)
    except OSError as error:
        raise ExitError(
            _("{path} can’t be opened: {why}.", path=path, why=error.strerror), ExitStatus.TEMPFAIL
        ) from error
    reception = Reception(services, sender, lambda: no_route(services))
    with listener, reception.open(listener):
        yield


def _until(interrupted: threading.Event, work: Callable[[Cancel], int]) -> int:
    """Run `work` in a thread, cancelled once `interrupted` is set; return what it returns.

    Signals reach Python's main thread only, so that one never waits for anything long.
    """
    cancel = Cancel()
    outcome: Future[int] = Future()

    def run() -> None:
        try:
            outcome.set_result(work(cancel))
        except BaseException as fault:  # noqa: BLE001 - raised again in the calling thread
            outcome.set_exception(fault)

    thread = threading.Thread(target=run, name="worker", daemon=True)
    thread.start()
    while thread.is_alive():
        thread.join(_TICK_S)
        if interrupted.is_set():
            cancel.cancel()
    return outcome.result()


@contextlib.contextmanager
def _told_on(console: Output) -> Iterator[None]:
    """Print what the sender logs below a warning; the rest stands on standard error anyway."""
    handler = _Events(console)
    log = logging.getLogger("smtp_desk.sender")
    log.addHandler(handler)
    try:
        yield
    finally:
        log.removeHandler(handler)


class _Events(logging.Handler):
    def __init__(self, console: Output) -> None:
        super().__init__(logging.INFO)
        self._console = console

    def emit(self, record: logging.LogRecord) -> None:
        if record.levelno < logging.WARNING:
            say(self._console, visible(record.getMessage()))
