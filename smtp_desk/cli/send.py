"""`smtp-desk send`: one of the five kinds of email."""

import dataclasses
import json
import mimetypes
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Final

import click

from smtp_desk.cli.invocation import (
    ExitError,
    FileName,
    Invocation,
    Output,
    reading,
    say,
    write_octets,
)
from smtp_desk.cli.manual import ManualCommand
from smtp_desk.cli.sending import (
    SEND_ENVIRONMENT,
    SEND_FILES,
    SEND_STATUSES,
    no_route,
    open_sender,
    print_receipt,
    receipt_json,
    receipt_status,
    services_to_send,
)
from smtp_desk.core.exit_status import ExitStatus
from smtp_desk.core.stages import Json
from smtp_desk.core.translation import _, mark, told
from smtp_desk.sender.mail.kinds import (
    Attachment,
    Email,
    EmailError,
    Kind,
    Message,
    kind_from,
    kinds,
)
from smtp_desk.sender.outbox.outbox import OutboxLimits
from smtp_desk.smtp.session.envelope import Status

_OPTIONS: Final = {"key": "--key", "send_at": "--at"}

KINDS_SCHEMA: Final = "smtp-desk/kinds/1"

_DUE_LATER: Final = mark("“smtp-desk worker” sends it when it’s due.")
_UNKNOWN_TYPE: Final = "application/octet-stream"


def _variables(
    _context: click.Context, _parameter: click.Parameter, values: Sequence[str]
) -> Mapping[str, str]:
    found: dict[str, str] = {}
    for value in values:
        name, sign, text = value.partition("=")
        if not sign:
            raise click.BadParameter(_("{value} isn’t NAME=VALUE.", value=repr(value)))
        if name in found:
            raise click.BadParameter(_("{name} is given twice.", name=name))
        found[name] = text
    return found


def _moment(
    _context: click.Context, _parameter: click.Parameter, value: str | None
) -> datetime | None:
    """Read a time by ISO 8601; without a time zone it is local time."""
    try:
        return None if value is None else datetime.fromisoformat(value).astimezone()
    except (ValueError, OverflowError, OSError) as error:
        text = _(
            "{value} isn’t a time such as 2026-06-01T08:00 or 2026-06-01T06:00Z.", value=repr(value)
        )
        raise click.BadParameter(text) from error


@click.command(
    cls=ManualCommand,
    short_help=mark("Send one of the five kinds of email."),
    statuses=SEND_STATUSES,
    environment=SEND_ENVIRONMENT,
    files=SEND_FILES,
    examples=[
        (mark("See the kinds and what each takes"), "smtp-desk send --list"),
        (
            mark("Invite a person"),
            """
            smtp-desk send invitation --to ann@example.org --set invited_by=Bo \\
              --set link=https://platform.example.org/join/k3v9
            """,
        ),
        (
            mark("Write to two affiliates, who won’t see each other, with a file"),
            """
            smtp-desk send message --to ann@example.org --to bo@example.org \\
              --set audience=affiliates --set subject='New rates' \\
              --set body="$(cat rates.txt)" --attach rates.pdf
            """,
        ),
        (
            mark("Remind a person tomorrow at eight, and only once, however often this runs"),
            """
            smtp-desk send notification --to ann@example.org --key reminder-4711 \\
              --at "$(date -d tomorrow +%F)T08:00" --set title=Reminder --set body="Call Bo."
            """,
        ),
    ],
)
@click.argument(
    "kind", required=False, type=click.Choice([kind.name for kind in kinds()]), metavar="[KIND]"
)
@click.option("--list", "listing", is_flag=True, help=mark("Show the kinds and what each takes."))
@click.option("--to", multiple=True, metavar="ADDR", help=mark("A recipient; repeat for more."))
@click.option(
    "--set",
    "variables",
    multiple=True,
    metavar="NAME=VALUE",
    callback=_variables,
    help=mark("A value for the email; repeat for more."),
)
@click.option(
    "--attach",
    "files",
    multiple=True,
    metavar="FILE",
    type=FileName(exists=True, dir_okay=False),
    help=mark("A file to attach to a message; repeat for more."),
)
@click.option(
    "--key",
    metavar="KEY",
    help=mark(
        "Your own name for this email, such as order-4711-paid. Used again, within seven days, "
        "it sends nothing and prints the first result."
    ),
)
@click.option(
    "--at",
    "send_at",
    metavar="TIME",
    callback=_moment,
    help=mark(
        "The earliest time to send it, such as 2026-06-01T08:00 (local time) or "
        "2026-06-01T06:00Z. It is stored, and “smtp-desk worker” sends it then."
    ),
)
@click.option(
    "--json",
    "as_json",
    is_flag=True,
    help=mark(
        "Print the receipt, or the list, as JSON on standard output, and nothing else there."
    ),
)
@click.pass_context
def send(
    context: click.Context,
    /,
    kind: str | None,
    *,
    listing: bool,
    to: tuple[str, ...],
    variables: Mapping[str, str],
    files: tuple[Path, ...],
    key: str | None,
    send_at: datetime | None,
    as_json: bool,
) -> ExitStatus:
    """Send an email of the kind KIND, through the custom server or the default email service.

    Each recipient gets an email of their own. It is stored before it is sent; what can’t be
    sent now waits in the outbox for “smtp-desk worker”.
    """
    invocation: Invocation = context.obj
    if listing:
        return _list(invocation.out, as_json=as_json)
    if kind is None:
        raise click.UsageError(_("Name a KIND; --list shows them."), context)
    if not to:
        raise click.UsageError(_("Missing option '--to'."), context)
    if files and kind != Message.kind:
        raise click.UsageError(_("--attach goes with {kind} only.", kind=Message.kind), context)
    email = _email(kind, variables, to, files)
    services = services_to_send(invocation)
    try:
        with open_sender(services) as sender:
            receipt = sender.send(email, key=key, send_at=send_at)
    except EmailError as error:
        name = _OPTIONS.get(error.field, error.field)
        raise ExitError(f"{name}: {_(error.problem)}", ExitStatus.DATAERR) from error
    if as_json:
        _write_json(receipt_json(receipt))
    else:
        print_receipt(invocation.out, receipt)
        queued = any(each.status is Status.QUEUED for each in receipt.recipients)
        if queued and (why := no_route(services) or (_(_DUE_LATER) if send_at else "")):
            say(invocation.out, why)
    return receipt_status(receipt)


def _email(
    kind: str, variables: Mapping[str, str], to: Sequence[str], files: Sequence[Path]
) -> Email:
    """Make the email of what was typed.

    Raises:
        ExitError: A value is wrong or missing, or a file can't be read.
    """
    try:
        email = kind_from(kind, variables, to=to)
        if isinstance(email, Message):
            email = dataclasses.replace(email, attachments=[_attachment(file) for file in files])
    except EmailError as error:
        raise ExitError(told(error), ExitStatus.DATAERR) from error
    return email


def _attachment(file: Path) -> Attachment:
    most = OutboxLimits().message_octets
    with reading(file), file.open("rb") as stream:
        content = stream.read(most + 1)
    if len(content) > most:
        text = _(
            "{file} is larger than {most} bytes, too large for an email.", file=file, most=most
        )
        raise ExitError(text, ExitStatus.DATAERR)
    media_type, coding = mimetypes.guess_type(file.name)
    if media_type is None or coding or media_type.startswith(("message/", "multipart/")):
        media_type = _UNKNOWN_TYPE
    return Attachment(file.name, content, media_type)


def _list(console: Output, *, as_json: bool) -> ExitStatus:
    if as_json:
        _write_json({"schema": KINDS_SCHEMA, "kinds": [_kind_json(kind) for kind in kinds()]})
        return ExitStatus.OK
    for kind in kinds():
        say(console, f"{kind.name}: {_(kind.purpose)}", "bold")
        for name, variable in kind.variables.items():
            optional = "" if variable.required else f" ({_('optional')})"
            choices = f" {_either(variable.choices)}." if variable.choices else ""
            say(console, f"  {name}{optional}: {_(variable.help)}{choices}")
    return ExitStatus.OK


def _either(choices: Sequence[str]) -> str:
    said, *more = choices
    for choice in more:
        # Translators: such as “affiliates or sales”, words that are typed.
        said = _("{one} or {other}", one=said, other=choice)
    return said


def _kind_json(kind: Kind) -> dict[str, Json]:
    return {
        "name": kind.name,
        "label": kind.label,
        "purpose": kind.purpose,
        "variables": [
            {
                "name": name,
                "help": variable.help,
                "required": variable.required,
                "choices": list(variable.choices),
                "sample": variable.sample,
            }
            for name, variable in kind.variables.items()
        ],
    }


def _write_json(document: Mapping[str, Json]) -> None:
    write_octets(f"{json.dumps(document, ensure_ascii=False, indent=2)}\n".encode())
