"""`smtp-desk sendmail`: a sendmail for cron, git and PHP that uses SMTP Desk's routes."""

import sys
from collections.abc import Sequence

import click

from smtp_desk.app.intake import Intake
from smtp_desk.cli.invocation import ExitError, Invocation, say
from smtp_desk.cli.manual import ManualCommand
from smtp_desk.cli.sending import (
    SEND_ENVIRONMENT,
    SEND_FILES,
    SEND_STATUSES,
    open_sender,
    print_receipt,
    receipt_status,
    services_to_send,
)
from smtp_desk.cli.sendmail_arguments import (
    MODES,
    ArgumentsError,
    argument_text,
    plain_arguments,
)
from smtp_desk.cli.smtp_input import SmtpInput, SubmitAnswer, read_message
from smtp_desk.cli.submitting import MOST_OCTETS, DeliveryMode, Submitter
from smtp_desk.core.address import AddressError
from smtp_desk.core.exit_status import ExitStatus
from smtp_desk.core.translation import ENGLISH, _, install, mark, told
from smtp_desk.sender.mail.address_list import AddressListError
from smtp_desk.sender.mail.submission import envelope_sender


class _SendmailCommand(ManualCommand):
    """A command whose options are spelled as those of a sendmail."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Let Click parse the plain form of `args`."""
        try:
            return super().parse_args(ctx, plain_arguments(args))
        except ArgumentsError as error:
            raise click.UsageError(told(error), ctx) from error


def _sender(_context: click.Context, _parameter: click.Parameter, value: str | None) -> str:
    try:
        return "" if value is None else envelope_sender(value)
    except (AddressError, AddressListError) as error:
        raise click.BadParameter(_("{value} isn’t an address.", value=repr(value))) from error


def _text(_context: click.Context, _parameter: click.Parameter, value: str) -> str:
    return argument_text(value)


@click.command(
    cls=_SendmailCommand,
    short_help=mark("Act as sendmail: send one message from standard input."),
    statuses=SEND_STATUSES,
    environment=SEND_ENVIRONMENT,
    files={
        **SEND_FILES,
        "aliases": mark(
            "who gets mail for this computer's local names, next to settings.toml: lines such "
            "as “root: admin@example.org”; “default: …” covers all other names"
        ),
    },
    examples=[
        (
            mark("Send a message to the recipients in its headers"),
            "smtp-desk sendmail -t <message.eml",
        ),
        (
            mark("Let git send patches"),
            "git config --global sendemail.sendmailCmd 'smtp-desk sendmail'",
        ),
        (
            mark("Let PHP send, in php.ini"),
            'sendmail_path = "smtp-desk sendmail -t -i"',
        ),
        (
            mark("Let cron and other programs send, on a computer without an MTA"),
            """
            for name in sendmail mailq newaliases; do
              ln -s "$(command -v smtp-desk)" /usr/sbin/$name
            done
            """,
        ),
    ],
)
@click.option(
    "-t", "from_header", is_flag=True, help=mark("Also send to the addresses in To, Cc and Bcc.")
)
@click.option(
    "-i",
    "ignore_dots",
    is_flag=True,
    help=mark("A line with only a dot doesn’t end the message; -oi."),
)
@click.option(
    "-f",
    "sender",
    metavar="ADDR",
    callback=_sender,
    help=mark(
        "Envelope sender: where bounces go; -r. Used if its domain is that of the From email."
    ),
)
@click.option(
    "-F",
    "full_name",
    default="",
    metavar="NAME",
    callback=_text,
    help=mark("Display name for a From address without one."),
)
@click.option("-v", "verbose", is_flag=True, help=mark("Print the result for each recipient."))
@click.option(
    "-b",
    "mode",
    type=click.Choice(list(MODES)),
    default="m",
    help=mark(
        "m: read a message. s: speak SMTP on standard input. p: list waiting emails, as mailq. "
        "i: check the aliases, as newaliases.  [default: m]"
    ),
)
@click.option("-q", "due", is_flag=True, help=mark("Send emails in the outbox that are due, once."))
@click.option(
    "--delivery",
    type=click.Choice([str(each) for each in DeliveryMode]),
    default=str(DeliveryMode.NOW),
    help=mark(
        "Written as -odi, -odb, -odq. i: send now and wait for the result. b: store it, and "
        "send it from a background process. q: only store it.  [default: i]"
    ),
)
@click.argument("recipients", nargs=-1, metavar="[ADDR]...")
@click.pass_obj
def sendmail(
    invocation: Invocation,
    /,
    recipients: tuple[str, ...],
    *,
    from_header: bool,
    ignore_dots: bool,
    sender: str,
    full_name: str,
    verbose: bool,
    mode: str,
    due: bool,
    delivery: str,
) -> ExitStatus:
    """Send a message of another program, changed only where it must be.

    Options may be spelled as for any sendmail (-ti, -fADDR, -oi, -oem, -B8BITMIME …); what has
    no meaning here is ignored. Called as sendmail, mailq or newaliases, through a link, the
    program does what these do.

    From stays if its domain is that of the configured From email. Otherwise From becomes that,
    and the original goes to Reply-To. Names of this machine, such as root, root@localhost or
    root@ this host, are looked up in the aliases; others get the domain of the configured From
    email. What leaves is well-formed: long lines are folded or encoded, text that isn’t ASCII is
    encoded, double fields are joined, Bcc is removed.

    The message is stored before it is sent; what can’t be sent now waits in the outbox for
    “smtp-desk worker”, and one line on standard error says so. Recipients that can’t be sent
    to are named there; the others get the message.

    Who has no settings of their own hands the message to the worker of the whole system, where
    one is set up (“smtp-desk configure --system”): 0 then means that it is stored there. Otherwise
    settings and outbox are those of the user who runs it.

    Prints nothing if all goes well.
    """
    if due:
        return _send_due(invocation)
    if mode == "p":
        from smtp_desk.cli.outbox import print_waiting  # noqa: PLC0415 - as mailq only

        return print_waiting(invocation)
    if mode == "i":
        return _check_aliases(invocation)
    if mode == "m" and not recipients and not from_header:
        raise click.UsageError(_("Give a recipient, or use -t to send to the ones in the headers."))
    if sys.stdin is None:
        raise ExitError(_("No message: standard input is closed."), ExitStatus.DATAERR)
    if mode == "s":
        return _speak_smtp(Submitter(invocation, DeliveryMode(delivery)))
    octets = read_message(sys.stdin.buffer, MOST_OCTETS, ignore_dots=ignore_dots)
    submitter = Submitter(invocation, DeliveryMode(delivery))
    submission = submitter.intake.submission(
        recipients, from_header=from_header, sender=sender, full_name=full_name
    )
    receipt = submitter.submit(octets, submission)
    if verbose:
        print_receipt(invocation.out, receipt)
    return receipt_status(receipt)


def _speak_smtp(submitter: Submitter) -> ExitStatus:
    install(ENGLISH, None)  # a program reads the replies
    intake = submitter.intake

    def submit(sender: str, recipients: Sequence[str], octets: bytes) -> SubmitAnswer:
        try:
            said = envelope_sender(sender)
        except (AddressError, AddressListError):
            said = ""  # bounces go to the configured address
        try:
            receipt = submitter.submit(octets, intake.submission(recipients, sender=said))
        except ExitError as error:
            return SubmitAnswer(error.status, str(error))
        if receipt.refused:
            return SubmitAnswer(ExitStatus.UNAVAILABLE, "refused for every recipient")
        return SubmitAnswer(ExitStatus.OK, f"stored as {receipt.message_id}")

    if sys.stdout is None:
        raise ExitError(_("Standard output is closed."), ExitStatus.CANTCREAT)
    SmtpInput(sys.stdin.buffer, sys.stdout.buffer, submit, intake.refusal, MOST_OCTETS).run()
    return ExitStatus.OK


def _send_due(invocation: Invocation) -> ExitStatus:
    with open_sender(services_to_send(invocation)) as desk:
        desk.drain(once=True)
    return ExitStatus.OK


def _check_aliases(invocation: Invocation) -> ExitStatus:
    intake = Intake(services_to_send(invocation))
    for problem in intake.aliases.problems:
        say(invocation.err, f"smtp-desk: {_(problem)}")
    say(invocation.out, intake.checked_aliases())
    return ExitStatus.DATAERR if intake.aliases.problems else ExitStatus.OK
