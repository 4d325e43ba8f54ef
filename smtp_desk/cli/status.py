"""`smtp-desk status`: how both routes do, and what waits in the outbox."""

import json
from typing import Final

import click

from smtp_desk.app.delivery.overview_words import paused_text, worker_text
from smtp_desk.app.diagnostics.report_text import Row
from smtp_desk.app.routes.metrics import exposition
from smtp_desk.app.routes.route_status import HealthState, RouteStatus
from smtp_desk.app.routes.status import SendingStatus, read_status
from smtp_desk.app.routes.words import fallbacks_text, health_text, out_since
from smtp_desk.app.words import failure_text
from smtp_desk.cli.invocation import ExitError, Invocation, print_rows, system_option, write_octets
from smtp_desk.cli.manual import FILES, ManualCommand
from smtp_desk.cli.sending import why_waiting
from smtp_desk.core.exit_status import ExitStatus
from smtp_desk.core.translation import _, mark
from smtp_desk.sender.outbox.entries import EntryState
from smtp_desk.store.settings_file import SettingsFileError

_COUNTED: Final = {
    EntryState.READY: mark("waiting for the next attempt"),
    EntryState.SENDING: "",
    EntryState.IN_DOUBT: mark("waiting for the server’s answer"),
    EntryState.HELD: mark("uncertain, for you to decide"),
    EntryState.REFUSED: "",
    EntryState.ACCEPTED: "",
    EntryState.DROPPED: "",
}
"""What the words of “outbox list” mean: what is counted here can be asked for there by them."""


@click.command(
    cls=ManualCommand,
    short_help=mark("Show the state of the routes and what's waiting in the outbox."),
    statuses={
        ExitStatus.OK: mark("the status was shown"),
        ExitStatus.USAGE: mark("the command line is wrong"),
        ExitStatus.CONFIG: mark(
            "no route is configured, so emails can only wait in the outbox (the status was "
            "shown); or the settings file can't be read"
        ),
    },
    files={
        **FILES,
        "outbox.sqlite3": mark(
            "the outbox and route health, in the platform's state folder "
            "(~/.local/state/smtp-desk on Linux) or in $SMTP_DESK_HOME/state"
        ),
    },
    examples=[
        (mark("See whether emails are being sent, and by which route"), "smtp-desk status"),
        (
            mark("Check from a script how many emails are waiting"),
            "smtp-desk status --json | jq .outbox.ready",
        ),
        (
            mark("Let node exporter’s textfile collector read it, by cron and sponge"),
            "* * * * * smtp-desk status --prometheus | sponge /srv/textfile/smtp_desk.prom",
        ),
    ],
)
@click.option(
    "--json",
    "as_json",
    is_flag=True,
    help=mark("Print only JSON (smtp-desk/status/1) on standard output."),
)
@click.option(
    "--prometheus",
    is_flag=True,
    help=mark("Print metrics in Prometheus’s text format. They name no host and no address."),
)
@system_option
@click.pass_obj
def status(invocation: Invocation, *, as_json: bool, prometheus: bool) -> ExitStatus:
    """Show both routes, their health, and what the outbox holds. Never shows a password.

    Reads what is saved, and asks the keyring whether it has the passwords; it sends nothing
    and speaks to no server.
    """
    if as_json and prometheus:
        raise click.UsageError(_("Use only one of --json and --prometheus."))
    try:
        found = read_status(invocation.services)
    except SettingsFileError as error:
        raise ExitError(failure_text(error), ExitStatus.CONFIG) from error
    if as_json:
        text = json.dumps(found.to_json(), ensure_ascii=False, indent=2)
        write_octets(f"{text}\n".encode("utf-8", "backslashreplace"))
    elif prometheus:
        write_octets(exposition(found).encode())
    else:
        print_rows(invocation.out, _rows(found))
    return ExitStatus.OK if found.configured else ExitStatus.CONFIG


def _rows(found: SendingStatus) -> list[Row]:
    rows = [(_("Custom SMTP server"), found.custom_text)]
    rows += _health_rows(
        found.custom, _("Unavailable until you save new settings or run “smtp-desk enable”.")
    )
    rows += [(_("Default email service"), found.default_text)]
    rows += _health_rows(
        found.default,
        _("Unavailable until you save new settings or press Try again in the window."),
    )
    rows += _outbox_rows(found)
    rows += [(_("Problem"), problem) for problem in found.problems]
    return rows


def _health_rows(route: RouteStatus, shut: str) -> list[Row]:
    """Say how a route does, `shut` how it is tried again; nothing of one that never failed."""
    health = route.health
    if health is None or health.state is HealthState.USABLE:
        return []
    rows = [
        (f"  {_('Health')}", health_text(health, shut)),
        (f"  {_('Unavailable since')}", out_since(route)),
        (f"  {_('Meanwhile')}", fallbacks_text(route)),
    ]
    if health.summary:
        rows.append((f"  {_('Why')}", f"{_(health.summary)} ({health.known.code})"))
    return [(label, text) for label, text in rows if text]


def _outbox_rows(found: SendingStatus) -> list[Row]:
    outbox = found.outbox
    if outbox is None:
        return []
    counted = (
        f"{count} {state} ({_(meaning)})" if meaning else f"{count} {state}"
        for state, meaning in _COUNTED.items()
        if (count := outbox.counts.of(state))
    )
    rows = [(_("Outbox"), ", ".join(counted) or _("empty"))]
    if outbox.paused_since:
        paused = paused_text(outbox.paused_since, found.at)
        resume = _("Run “smtp-desk outbox resume” to resume.")
        rows.append((_("Sending"), f"{paused} {resume}"))
    if outbox.workers:
        rows.append((_("Worker"), worker_text(outbox.workers)))
    if found.worker_needed:
        rows.append((_("Worker"), _("needed: run “smtp-desk worker” to send the waiting emails")))
    elif outbox.waiting and not outbox.paused_since and (why := why_waiting(found)):
        rows.append((_("Why they wait"), why))
    return rows
