"""`smtp-desk outbox pause`, `resume` and `erase`: what is done to all of it, or about a person."""

from typing import Final

import click

from smtp_desk.app.delivery.erasing import erase as erase_all
from smtp_desk.app.delivery.erasing import find_stored
from smtp_desk.app.delivery.overview_words import RESUMED, erased, found_text, paused_text
from smtp_desk.cli.invocation import ExitError, Invocation, say, system_option
from smtp_desk.cli.manual import ManualCommand, Meanings
from smtp_desk.cli.outbox_trouble import FILES, STATUSES, telling
from smtp_desk.core.exit_status import ExitStatus
from smtp_desk.core.translation import _, mark

_ERASES: Final[Meanings] = {
    **STATUSES,
    ExitStatus.OK: mark("erased, or nothing about the address was stored"),
    ExitStatus.DATAERR: mark("the address is empty"),
    ExitStatus.TEMPFAIL: mark(
        "some emails are being sent right now and stay, or the outbox is busy"
    ),
    ExitStatus.CANCELLED: mark("you didn't confirm; nothing was erased"),
}


@click.command(
    cls=ManualCommand,
    short_help=mark("Pause sending; emails are stored and wait."),
    statuses=STATUSES,
    files=FILES,
    examples=[(mark("Stop sending while you look for the cause"), "smtp-desk outbox pause")],
)
@system_option
@click.pass_obj
def pause(invocation: Invocation) -> ExitStatus:
    """Let no email leave until `resume`, from any program or worker that uses this outbox.

    Programs go on: what they send is stored, and they are told that it is queued. What has been
    handed over to a server already gets its answer. Test emails are no matter of the outbox: they
    are still sent.
    """
    services = invocation.services
    with telling():
        services.control.pause()
        since = services.control.paused_since()
    now = services.now()
    say(invocation.out, paused_text(since or now, now))
    return ExitStatus.OK


@click.command(
    cls=ManualCommand,
    short_help=mark("Resume sending after a pause."),
    statuses=STATUSES,
    files=FILES,
    examples=[(mark("Send the waiting emails"), "smtp-desk outbox resume")],
)
@system_option
@click.pass_obj
def resume(invocation: Invocation) -> ExitStatus:
    """End a pause. A worker sends what waits."""
    with telling():
        invocation.services.control.resume()
    say(invocation.out, _(RESUMED))
    return ExitStatus.OK


@click.command(
    cls=ManualCommand,
    short_help=mark("Erase everything about one recipient."),
    statuses=_ERASES,
    files={**FILES, "smtp-desk.log": mark("the log, where the address is redacted")},
    examples=[
        (mark("Look first, then confirm"), "smtp-desk outbox erase ann@example.org"),
        (mark("From a script, without asking"), "smtp-desk outbox erase ann@example.org --yes"),
    ],
)
@click.argument("address", metavar="ADDRESS")
@click.option("--yes", is_flag=True, help=mark("Erase without asking."))
@system_option
@click.pass_obj
def erase(invocation: Invocation, address: str, *, yes: bool) -> ExitStatus:
    """Erase all emails to ADDRESS with their texts, notices that name it, and it from the log.

    However the address is spelled: case, and the two spellings of international domains, don’t
    matter. Emails that wait are not sent any more. Those that are being sent at this moment stay:
    erase again later. What other recipients got in the same message stays with them.
    """
    services = invocation.services
    if not address.strip():
        raise ExitError(_("Give the address to erase."), ExitStatus.DATAERR)
    with telling():
        found = find_stored(services, address)
        if not yes:
            say(invocation.err, found_text(found))
            if not click.confirm(_("Erase it for good?"), err=True):
                say(invocation.err, _("Nothing was erased."))
                return ExitStatus.CANCELLED
        done = erased(erase_all(services, address))
    say(invocation.err if done.error else invocation.out, done.text)
    return ExitStatus.TEMPFAIL if done.error else ExitStatus.OK
