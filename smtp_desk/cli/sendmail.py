"""`smtp-desk sendmail`: what cron, git and PHP call a sendmail, over the routes of SMTP Desk.

The command line of a sendmail, in its own spelling, made plain for Click.

Programs that call a sendmail write `-fann@example.org`, `-oem`, `-FCronDaemon`, `-ti`: values
behind the letter, options within options, letters in one word.
"""

import sys
from collections.abc import Iterator, Sequence
from typing import BinaryIO, Final

import click

from smtp_desk.app.services import Services
from smtp_desk.cli.invocation import ExitError, Invocation, say
from smtp_desk.cli.manual import ManualCommand
from smtp_desk.cli.sending import (
    SEND_ENVIRONMENT,
    SEND_FILES,
    SEND_STATUSES,
    open_sender,
    print_receipt,
    receipt_row,
    receipt_status,
    services_to_send,
)
from smtp_desk.core.address import AddressError, Mailbox, parse_mailbox
from smtp_desk.core.exit_status import ExitStatus
from smtp_desk.sender.mail.address_list import AddressListError
from smtp_desk.sender.mail.submission import (
    ForeignMessageError,
    Submission,
    envelope_sender,
    read_foreign,
)
from smtp_desk.sender.outbox.outbox import OutboxLimits
from smtp_desk.smtp.session.envelope import Status
from smtp_desk.store.settings_file import SettingsFileError

_FLAGS: Final = frozenset("tiv")
_TAKEN: Final = {"f": "-f", "r": "-f", "F": "-F"}
# Delivery notices, envelope ids, the body's type, modes of errors, other configurations: what
# is sent does not depend on them.
_IGNORED: Final = frozenset("GUmn")
_IGNORED_WITH_VALUE: Final = frozenset("ABCLNORVXehp")
_MODES: Final = {
    "s": "speaks no SMTP on standard input; give it one message",
    "p": "does not list what waits; “smtp-desk outbox list” does",
    "d": "is no server",
    "i": "has no aliases",
}


def plain_arguments(arguments: Sequence[str]) -> list[str]:
    """Return the same command line with each option as a word of its own, recipients last.

    What only concerns how a sendmail works inside (`-oem`, `-B8BITMIME`, `-N never`, …) is
    dropped.

    Raises:
        click.UsageError: An option asks for what a message can't be sent by, or is unknown.
    """
    if list(arguments) in (["-h"], ["--help"]):
        return ["--help"]
    options: list[str] = []
    recipients: list[str] = []
    words = iter(arguments)
    for word in words:
        if word == "--":
            recipients.extend(words)
        elif word.startswith("-") and word != "-":
            options.extend(_options(word, words))
        else:
            recipients.append(word)
    return [*options, "--", *recipients]


def _options(word: str, following: Iterator[str]) -> Iterator[str]:
    """Return the plain options that a word stands for; the next one may be its value."""
    for at, letter in enumerate(word[1:], start=2):
        if letter in _FLAGS:
            yield f"-{letter}"
        elif letter == "q":
            raise click.UsageError(
                f"{word}: this sendmail sends no waiting mail; “smtp-desk worker --once” does."
            )
        elif letter in _TAKEN or letter in "ob" or letter in _IGNORED_WITH_VALUE:
            value = word[at:] or next(following, None)
            if value is None:
                raise click.UsageError(f"Option -{letter} needs a value.")
            yield from _valued(letter, value)
            return
        elif letter not in _IGNORED:
            raise click.UsageError(f"No such option: {word}")


def _valued(letter: str, value: str) -> Iterator[str]:
    if letter in _TAKEN:
        yield from (_TAKEN[letter], value)
    elif letter == "o" and value == "i":
        yield "-i"
    elif letter == "b" and value != "m":
        why = _MODES.get(value[:1].lower(), "only takes a message")
        raise click.UsageError(f"-b{value}: this sendmail {why}.")


_MOST_OCTETS: Final = OutboxLimits().message_octets


class _SendmailCommand(ManualCommand):
    """A command whose options are spelled as those of a sendmail."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Let Click parse the plain form of `args`."""
        return super().parse_args(ctx, plain_arguments(args))


def _sender(_context: click.Context, _parameter: click.Parameter, value: str | None) -> str:
    try:
        return "" if value is None else envelope_sender(value)
    except (AddressError, AddressListError) as error:
        raise click.BadParameter(f"{value!r} is no address.") from error


@click.command(
    cls=_SendmailCommand,
    short_help="A sendmail: one message on standard input.",
    statuses=SEND_STATUSES,
    environment=SEND_ENVIRONMENT,
    files=SEND_FILES,
    examples=[
        (
            "Send a message to those in its header",
            "smtp-desk sendmail -t <message.eml",
        ),
        (
            "Let git send patches",
            "git config --global sendemail.sendmailCmd 'smtp-desk sendmail'",
        ),
        (
            "Let PHP send, in php.ini",
            'sendmail_path = "smtp-desk sendmail -t -i"',
        ),
        (
            "Let cron and others send, on a machine without an MTA",
            'ln -s "$(command -v smtp-desk)" /usr/sbin/sendmail',
        ),
    ],
)
@click.option("-t", "from_header", is_flag=True, help="Send to those in To, Cc and Bcc, too.")
@click.option(
    "-i", "ignore_dots", is_flag=True, help="A dot alone on a line does not end the message; -oi."
)
@click.option(
    "-f",
    "sender",
    metavar="ADDR",
    callback=_sender,
    help="Envelope sender: where bounces go; -r. It counts where its domain is that of the "
    "From email.",
)
@click.option(
    "-F", "full_name", default="", metavar="NAME", help="Display name for a From without one."
)
@click.option("-v", "verbose", is_flag=True, help="Tell what came of each recipient.")
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
) -> ExitStatus:
    """Send a message of another program, as it is but for its From.

    Options may be spelled as for any sendmail (-ti, -fADDR, -oi, -oem, -B8BITMIME …); what has
    no meaning here is taken and ignored. Called by the name sendmail, by a link, the program
    is this command.

    From stays if its domain is that of the configured From email; else From becomes that, and
    the original goes to Reply-To. A recipient without a domain, such as root, gets the domain
    of the configured From email. Bcc is removed. The message is stored before it is sent;
    what can't be sent now waits in the outbox for “smtp-desk worker”.

    Settings and outbox are those of the user who runs it: a web server's user has none. Where
    one outbox is for several, name its folder by SMTP_DESK_HOME.

    Says nothing where all goes well.
    """
    if not recipients and not from_header:
        raise click.UsageError("Name a recipient, or give -t to send to those in the header.")
    if sys.stdin is None:
        raise ExitError("There is no message: standard input is closed.", ExitStatus.DATAERR)
    octets = _read(sys.stdin.buffer, ignore_dots=ignore_dots)
    services = services_to_send(invocation)
    submission = Submission(
        recipients=recipients,
        from_header=from_header,
        envelope_sender=sender,
        full_name=full_name,
        home=_home(services),
    )
    try:
        message = read_foreign(octets, submission, now=services.now(), most_octets=_MOST_OCTETS)
    except ForeignMessageError as error:
        raise ExitError(str(error), ExitStatus.DATAERR) from error
    with open_sender(services) as desk:
        receipt = desk.send(message)
    if verbose:
        print_receipt(invocation.out, receipt)
    for each in receipt.recipients:
        if each.status is Status.REFUSED:
            say(invocation.err, "smtp-desk: {}: {}".format(*receipt_row(each)))
    return receipt_status(receipt)


def _read(stream: BinaryIO, *, ignore_dots: bool) -> bytes:
    """Read a message to its end, or to one octet more than is allowed."""
    if ignore_dots:
        return stream.read(_MOST_OCTETS + 1)
    octets = bytearray()
    while len(octets) <= _MOST_OCTETS:
        line = stream.readline(_MOST_OCTETS + 1)
        if not line or line.rstrip(b"\r\n") == b".":
            break
        octets += line
    return bytes(octets)


def _home(services: Services) -> Mailbox | None:
    """Return the configured From email: the custom server's, else the default service's."""
    try:
        stored = services.store.load()
        settings = stored.server.settings if stored.server else stored.default
        return parse_mailbox(settings.from_email)
    except (SettingsFileError, AddressError):  # the message is stored all the same
        return None
