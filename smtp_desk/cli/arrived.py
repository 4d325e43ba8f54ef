"""`smtp-desk arrived`: what the header of a received email tells."""

import json
import sys
from pathlib import Path
from typing import Final

import click

from smtp_desk.app.arrived.email_file import arrival_of, load_header, unexplained_text
from smtp_desk.app.arrived.words import BELIEFS, arrival_rows
from smtp_desk.cli.invocation import (
    ExitError,
    FileName,
    Invocation,
    print_rows,
    say,
    write_octets,
)
from smtp_desk.cli.manual import ManualCommand
from smtp_desk.core.arrived import MAX_BYTES, Belief, NotAnEmailError, NothingToldError
from smtp_desk.core.exit_status import ExitStatus
from smtp_desk.core.translation import _, mark
from smtp_desk.smtp.net.deadline import Cancel

_STANDARD_INPUT: Final = Path("-")
_STYLES: Final = {Belief.BELIEVED: "bold green", Belief.DISBELIEVED: "bold red"}


@click.command(
    cls=ManualCommand,
    short_help=mark("Explain a received email from its headers."),
    statuses={
        ExitStatus.OK: mark("it was explained"),
        ExitStatus.USAGE: mark("the command line is wrong"),
        ExitStatus.DATAERR: mark("the file can’t be read, or isn’t an email"),
        ExitStatus.UNAVAILABLE: mark("no server wrote anything in its headers"),
    },
    examples=[
        (mark("Explain a test email that was saved from the inbox"), "smtp-desk arrived test.eml"),
        (mark("Explain copied headers"), "smtp-desk arrived - < header.txt"),
    ],
)
@click.argument("file", type=FileName(allow_dash=True))
@click.option("--json", "as_json", is_flag=True, help=mark("As JSON."))
@click.pass_obj
def arrived(invocation: Invocation, file: Path, *, as_json: bool) -> ExitStatus:
    """Explain a received email: SPF, DKIM, DMARC, spam, its way, and what was added to it.

    FILE is the email as saved from the inbox (.eml), or its header alone; “-” is standard input.
    Nothing is looked up: the receiver wrote all of it into the header.
    """
    name = _("Standard input") if file == _STANDARD_INPUT else str(file)
    try:
        if file == _STANDARD_INPUT:
            octets = sys.stdin.buffer.read(MAX_BYTES) if sys.stdin is not None else b""
        else:
            octets = load_header(file, Cancel())
        found = arrival_of(octets)
    except (OSError, NotAnEmailError, NothingToldError) as error:
        nothing = isinstance(error, NothingToldError)
        status = ExitStatus.UNAVAILABLE if nothing else ExitStatus.DATAERR
        raise ExitError(unexplained_text(name, error), status) from None
    if as_json:
        document = json.dumps(found.to_json(), ensure_ascii=False, indent=2)
        write_octets(f"{document}\n".encode("utf-8", "backslashreplace"))
    else:
        say(invocation.out, BELIEFS[found.belief], _STYLES.get(found.belief, "bold"))
        print_rows(invocation.out, arrival_rows(found))
    return ExitStatus.OK
