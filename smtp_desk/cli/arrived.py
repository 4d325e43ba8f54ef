"""`smtp-desk arrived`: what the header of a received email tells."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import click

from smtp_desk.app.diagnostics.report_text import Row
from smtp_desk.cli.invocation import (
    ExitError,
    FileName,
    Invocation,
    print_rows,
    reading,
    say,
    write_octets,
)
from smtp_desk.cli.manual import ManualCommand
from smtp_desk.core.arrived import (
    MAX_BYTES,
    Arrival,
    Belief,
    Hop,
    NotAnEmailError,
    NothingToldError,
    read_arrival,
)
from smtp_desk.core.exit_status import ExitStatus
from smtp_desk.store.files import read_regular

_STANDARD_INPUT: Final = Path("-")
_BELIEFS: Final = {
    Belief.BELIEVED: "The receiver believed that the email comes from its From domain.",
    Belief.DOUBTED: "The receiver checked who sent it, but not against the From domain (no DMARC).",
    Belief.DISBELIEVED: "The receiver did not believe that the email comes from its From domain.",
    Belief.UNKNOWN: "The receiver wrote no result of its checks.",
}
_STYLES: Final = {Belief.BELIEVED: "bold green", Belief.DISBELIEVED: "bold red"}


@click.command(
    cls=ManualCommand,
    short_help="Explain a received email by its header.",
    statuses={
        ExitStatus.OK: "it was explained",
        ExitStatus.USAGE: "the command line is wrong",
        ExitStatus.DATAERR: "the file can’t be read, or isn’t an email",
        ExitStatus.UNAVAILABLE: "no server wrote anything into its header",
    },
    examples=[
        ("Explain a test email that was saved from the inbox", "smtp-desk arrived test.eml"),
        ("Explain a header that was copied", "smtp-desk arrived - < header.txt"),
    ],
)
@click.argument("file", type=FileName(allow_dash=True))
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
@click.pass_obj
def arrived(invocation: Invocation, file: Path, *, as_json: bool) -> ExitStatus:
    """Explain a received email: SPF, DKIM, DMARC, spam, its way, and what was added to it.

    FILE is the email as saved from the inbox (.eml), or its header alone; “-” is standard input.
    Nothing is looked up: the receiver wrote all of it into the header.
    """
    try:
        found = read_arrival(_octets(file))
    except NotAnEmailError:
        raise ExitError(f"{file} isn’t an email.", ExitStatus.DATAERR) from None
    except NothingToldError:
        why = "No server wrote anything into this header. Save the email from the inbox it went to."
        raise ExitError(why, ExitStatus.UNAVAILABLE) from None
    if as_json:
        document = json.dumps(found.to_json(), ensure_ascii=False, indent=2)
        write_octets(f"{document}\n".encode("utf-8", "backslashreplace"))
    else:
        say(invocation.out, _BELIEFS[found.belief], _STYLES.get(found.belief, "bold"))
        print_rows(invocation.out, list(_rows(found)))
    return ExitStatus.OK


def _octets(file: Path) -> bytes:
    if file == _STANDARD_INPUT:
        return sys.stdin.buffer.read(MAX_BYTES) if sys.stdin is not None else b""
    with reading(file):
        return read_regular(file, MAX_BYTES)


def _rows(found: Arrival) -> Iterator[Row]:
    yield from (("from", found.sender), ("checked by", found.receiver))
    for each in found.results:
        parts = (each.domain, each.selector and f"selector {each.selector}", each.reason)
        yield each.method.upper(), ", ".join(filter(None, (each.result, *parts)))
    if (spam := found.spam) is not None:
        verdict = {True: "yes", False: "no", None: "not told"}[spam.spam]
        score = f", score {spam.score}" if spam.score else ""
        yield "spam", f"{verdict}{score} ({spam.field})"
    for number, hop in enumerate(found.hops, start=1):
        yield f"hop {number}", _hop_text(hop)
    if found.added:
        yield "added on the way", ", ".join(found.added)


def _hop_text(hop: Hop) -> str:
    way = " to ".join(filter(None, (hop.sent_by, hop.taken_by))) or "not told"
    private = {True: hop.tls_version or "encrypted", False: "not encrypted", None: ""}[hop.tls]
    at = f"{hop.at:%Y-%m-%d %H:%M:%S} UTC" if hop.at else ""
    later = "" if hop.seconds is None else f"{hop.seconds:+.0f} s"
    return ", ".join(filter(None, (way, hop.protocol, private, at, later)))
