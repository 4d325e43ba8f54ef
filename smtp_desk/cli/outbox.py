"""`smtp-desk outbox`: what was sent, what waits, and what to do about it."""

import json
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Final

import click

from smtp_desk.app.delivery.export import (
    eml,
    entry_by_prefix,
    entry_line,
    export,
    outbox_json,
)
from smtp_desk.app.delivery.listing import PAGE, search_query
from smtp_desk.app.delivery.words import (
    Cause,
    causes,
    kind_name,
    minute,
    reason,
    route_name,
)
from smtp_desk.cli.invocation import (
    FileName,
    Invocation,
    say,
    system_option,
    write_octets,
    writing_to,
)
from smtp_desk.cli.manual import ManualCommand, ManualGroup, Meanings
from smtp_desk.cli.outbox_all import erase, pause, resume
from smtp_desk.cli.outbox_trouble import FILES, STATUSES, telling, trouble_status
from smtp_desk.cli.sending import RESUME_FIRST
from smtp_desk.core.exit_status import ExitStatus
from smtp_desk.core.reply import decode_text, visible
from smtp_desk.core.translation import _, mark, plural, told
from smtp_desk.sender.outbox.entries import WAITING, EntryState, OutboxEntry
from smtp_desk.sender.outbox.outbox import (
    EntryStateError,
    OutboxRecords,
    Query,
)

_CHANGES: Final[Meanings] = {
    **STATUSES,
    ExitStatus.DATAERR: mark("no email, or more than one, has this ID, or it was already sent"),
    ExitStatus.TEMPFAIL: mark("the email is being sent right now, or the outbox is busy"),
}
_STYLES: Final = {
    EntryState.ACCEPTED: "green",
    EntryState.HELD: "yellow",
    EntryState.REFUSED: "red",
}
_DEFAULT_LIMIT: Final = 50
_TWICE: Final = mark("It may arrive twice, because the server once didn’t confirm it.")

_IDS: Final = click.argument("ids", metavar="ID…", nargs=-1, required=True)


@click.group(cls=ManualGroup, short_help=mark("List, retry, drop, export and erase emails; pause."))
def outbox() -> None:
    """List, retry, drop, export and erase emails, or pause sending.

    Each email appears in the outbox with its result.

    An ID stands for one email to one recipient, as `list` shows it. Its first characters, at
    least 6, are enough where only one email starts with them.
    """


for _command in (pause, resume, erase):
    outbox.add_command(_command)


@outbox.command(
    "list",
    cls=ManualCommand,
    short_help=mark("List emails, newest first."),
    statuses=STATUSES,
    files=FILES,
    examples=[
        (mark("See which emails were sent last, by which route and why"), "smtp-desk outbox list"),
        (mark("See what needs a decision"), "smtp-desk outbox list --state held --state refused"),
        (
            mark("Check from a script whether an email was sent"),
            "smtp-desk outbox list --search ann@example.org --json | jq '.entries[0].state'",
        ),
    ],
)
@click.option(
    "--state",
    "states",
    type=click.Choice([str(state) for state in EntryState]),
    multiple=True,
    help=mark(
        "Only emails in this state; can be repeated. “ready” emails wait for their next "
        "attempt, “in_doubt” ones for the server's answer. “held” ones are uncertain, and you "
        "decide."
    ),
)
@click.option(
    "--search",
    metavar="TEXT",
    default="",
    help=mark(
        "Only emails with TEXT in the recipient, subject, Message-ID or finding. A whole address "
        "that emails were sent to finds exactly these."
    ),
)
@click.option(
    "--limit",
    type=click.IntRange(min=1),
    default=_DEFAULT_LIMIT,
    show_default=True,
    help=mark("Maximum number to list."),
)
@click.option(
    "--json",
    "as_json",
    is_flag=True,
    help=mark("Print only JSON (smtp-desk/outbox/1) on standard output."),
)
@system_option
@click.pass_obj
def list_command(
    invocation: Invocation, *, states: tuple[str, ...], search: str, limit: int, as_json: bool
) -> ExitStatus:
    """List emails, newest first: when, to whom, their state, by which route and why.

    In a pipe each email is one line, separated by tabs: ID, time, state, recipient, route,
    kind, subject, and why it took this route or wasn’t accepted.
    """
    query = Query(states=frozenset(map(EntryState, states)), text=search)
    if not as_json:
        none = _("No email matches.") if states or search else _("No emails yet.")
        return _list(invocation, query, limit, none)
    cause = causes(invocation.services)
    with telling():
        records = invocation.services.outbox
        query = search_query(records, query)
        entries, more = _read(records, query, limit)
        counts = records.counts(replace(query, states=frozenset()))
    found = outbox_json(entries, counts, cause, more=more)
    write_octets(f"{json.dumps(found, indent=2)}\n".encode())
    return ExitStatus.OK


def print_waiting(invocation: Invocation) -> ExitStatus:
    """List what waits, as mailq does."""
    return _list(invocation, Query(states=WAITING), sys.maxsize, _("The outbox is empty."))


def _list(invocation: Invocation, query: Query, limit: int, none: str) -> ExitStatus:
    """Print emails; `none` where there is none."""
    cause = causes(invocation.services)
    with telling():
        records = invocation.services.outbox
        entries, more = _read(records, search_query(records, query), limit)
    for entry in entries:
        _print(invocation, entry, cause)
    if more:
        say(
            invocation.err,
            _("Only the newest {limit} are shown. Use --limit to see more.", limit=limit),
        )
    elif not entries:
        say(invocation.err, none)
    return ExitStatus.OK


@outbox.command(
    cls=ManualCommand,
    short_help=mark("Send emails again."),
    statuses=_CHANGES,
    files=FILES,
    examples=[
        (mark("Send a refused email again"), "smtp-desk outbox retry 01kjmttt60cfyq6ms0fcea832r"),
        (
            mark("Send everything that a quota stopped, once it has been raised"),
            "smtp-desk outbox retry --cause sender.quota",
        ),
    ],
)
@click.argument("ids", metavar="[ID…]", nargs=-1)
@click.option(
    "--cause",
    "code",
    metavar="CODE",
    help=mark(
        "Instead of IDs: all emails that wait or were refused because of this finding, such as "
        "sender.quota. Uncertain and dropped emails aren't touched."
    ),
)
@system_option
@click.pass_obj
def retry(invocation: Invocation, ids: tuple[str, ...], code: str | None) -> ExitStatus:
    """Queue emails to send now: a worker sends them.

    A refused, dropped or uncertain one is tried for another four days. An uncertain email may
    already have arrived; sent again, it may arrive twice.
    """
    if bool(ids) == bool(code):
        raise click.UsageError(_("Give either IDs or --cause CODE."))
    if code:
        return _retry_cause(invocation, code)
    return _change(
        invocation,
        ids,
        lambda records, entry: records.retry(entry.id),
        lambda entry: " ".join(
            (_queued(invocation), *([_(_TWICE)] if entry.doubts or entry.doubt_token else ()))
        ),
    )


@outbox.command(
    cls=ManualCommand,
    short_help=mark("Stop trying to send emails."),
    statuses=_CHANGES,
    files=FILES,
    examples=[(mark("Don’t send an email after all"), "smtp-desk outbox drop 01kjmttt60cfyq6ms0")],
)
@_IDS
@system_option
@click.pass_obj
def drop(invocation: Invocation, ids: tuple[str, ...]) -> ExitStatus:
    """Stop trying to send emails, without a confirmation prompt. `retry` undoes it."""
    return _change(
        invocation,
        ids,
        lambda records, entry: records.drop(entry.id),
        lambda _entry: _("dropped."),
    )


@outbox.command(
    "export",
    cls=ManualCommand,
    short_help=mark("Save an email as a file."),
    statuses={
        **STATUSES,
        ExitStatus.DATAERR: mark("no email, or more than one, has this ID"),
        ExitStatus.CANTCREAT: mark(
            "FILE exists or can't be written, or the outbox can't be opened"
        ),
    },
    files=FILES,
    examples=[
        (mark("See an email as it would be sent"), "smtp-desk outbox export 01kjmttt60"),
        (mark("Save it as a file"), "smtp-desk outbox export 01kjmttt60 --to email.eml"),
    ],
)
@click.argument("entry_id", metavar="ID")
@click.option(
    "--to",
    "file",
    metavar="FILE",
    type=FileName(),
    help=mark(
        "Save it as FILE, readable only by you, instead of printing it. Never overwrites an "
        "existing file."
    ),
)
@system_option
@click.pass_obj
def export_command(invocation: Invocation, entry_id: str, file: Path | None) -> ExitStatus:
    """Print or save an email as it would be sent now (an .eml file, RFC 5322).

    It is addressed as for the custom server, or as it is stored where none is configured. On a
    terminal, control characters are spelled out.
    """
    services = invocation.services
    with telling():
        found = entry_by_prefix(services.outbox, entry_id)
        if file is None:
            _show(invocation, eml(services, found.id))
        else:
            with writing_to(file):
                export(services, found.id, file)
    return ExitStatus.OK


def _read(records: OutboxRecords, query: Query, limit: int) -> tuple[list[OutboxEntry], bool]:
    """Return the newest entries, and whether there are more."""
    entries: list[OutboxEntry] = []
    before: str | None = None
    while len(entries) < limit:
        page = records.page(query, before=before, limit=min(PAGE, limit - len(entries)))
        entries += page.entries
        before = page.next
        if before is None:
            return entries, False
    return entries, True


def _print(invocation: Invocation, entry: OutboxEntry, cause: Cause) -> None:
    """Print an entry: in a few lines on a terminal, in one with tabs into a pipe."""
    out = invocation.out
    if not out.is_terminal:
        # Octets as they are: a console would make spaces of tabs.
        write_octets(f"{entry_line(entry, cause)}\n".encode("utf-8", "backslashreplace"))
        return
    head = [entry.id, minute(entry.created_at), str(entry.state), visible(entry.recipient)]
    why = visible(reason(entry, cause))
    say(out, "  ".join(head), _STYLES.get(entry.state, "bold"))
    say(out, f"    {kind_name(entry.kind)}: {visible(entry.subject)}")
    by = _("by {route}", route=route_name(entry.route)) if entry.route else ""
    if how := " · ".join(filter(None, (by, why))):
        say(out, f"    {how}", "dim")


def _change(
    invocation: Invocation,
    ids: tuple[str, ...],
    change: Callable[[OutboxRecords, OutboxEntry], OutboxEntry],
    tell: Callable[[OutboxEntry], str],
) -> ExitStatus:
    """Change each entry; nothing where one of the names is wrong, the others where one can't be."""
    ended = ExitStatus.OK
    with telling():
        records = invocation.services.outbox
        entries = {entry.id: entry for entry in [entry_by_prefix(records, given) for given in ids]}
        for entry in entries.values():
            try:
                change(records, entry)
            except EntryStateError as error:
                say(invocation.err, f"{entry.id}: {told(error)}", "red")
                ended = trouble_status(error)
            else:
                say(invocation.out, f"{entry.id}: {tell(entry)}")
    return ended


def _queued(invocation: Invocation) -> str:
    if invocation.services.control.paused_since():
        return f"{_('queued.')} {_(RESUME_FIRST)}"
    return _("queued to send now.")


def _retry_cause(invocation: Invocation, code: str) -> ExitStatus:
    if code not in invocation.services.catalogue.codes:
        raise click.BadParameter(
            _("The finding {code} doesn’t exist.", code=code), param_hint="--cause"
        )
    with telling():
        count = invocation.services.outbox.make_due(code)
        paused = invocation.services.control.paused_since()
    if not count:
        text = _("No email was stopped by {code}.", code=code)
    elif paused:
        text = plural("{count} email is queued.", "{count} emails are queued.", count)
        text = f"{text} {_(RESUME_FIRST)}"
    else:
        text = plural(
            "{count} email is queued to send now.", "{count} emails are queued to send now.", count
        )
    say(invocation.out, text)
    return ExitStatus.OK


def _show(invocation: Invocation, octets: bytes) -> None:
    if not invocation.out.is_terminal:
        write_octets(octets)
        return
    for line in octets.splitlines():
        say(invocation.out, decode_text(line))
