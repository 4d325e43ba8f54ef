"""SMTP commands, each of which can contain only one command."""

import re
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

MAX_AUTH_LINE: Final = 512
"""Octets of an AUTH command with its CRLF (RFC 5321, 4.5.3.1.4; RFC 4954, 4)."""

MAX_AUTH_RESPONSE: Final = 12288
"""Octets of a base64 line of an AUTH exchange (RFC 4954, 4)."""

_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
# What could end the path early, and with it smuggle a parameter, stands in quotes or not at all.
_PATH: Final = re.compile(r'(?:"(?:[^"\\]|\\.)*"|[^\s<>"@]+)@[^\s<>"@]+')
_WORD: Final = re.compile(r"\S+")


class CommandError(ValueError):
    """A command that must not be sent: an error of this program, never of the server."""


class Verb(StrEnum):
    """What a reply can answer; GREETING, RESPONSE and END aren't sent as commands."""

    GREETING = "greeting"
    EHLO = "EHLO"
    STARTTLS = "STARTTLS"
    AUTH = "AUTH"
    RESPONSE = "response"
    MAIL = "MAIL"
    RCPT = "RCPT"
    DATA = "DATA"
    END = "."
    RSET = "RSET"
    QUIT = "QUIT"


@dataclass(frozen=True, slots=True)
class Command:
    """One command line.

    Attributes:
        verb: Its verb.
        line: The octets to send, CRLF included; hidden from `repr`.
    """

    verb: Verb
    line: bytes = field(repr=False)


STARTTLS: Final = Command(Verb.STARTTLS, b"STARTTLS\r\n")
DATA: Final = Command(Verb.DATA, b"DATA\r\n")
RSET: Final = Command(Verb.RSET, b"RSET\r\n")
QUIT: Final = Command(Verb.QUIT, b"QUIT\r\n")


def ehlo(name: str) -> Command:
    """Return EHLO with our name, a domain or an address literal (RFC 5321, 4.1.1.1)."""
    return Command(Verb.EHLO, b"EHLO %b\r\n" % _word(name))


def auth(mechanism: str, initial: bytes | None = None) -> Command:
    """Return AUTH; `initial` is the base64 text of the initial response (RFC 4954, 4)."""
    line = b"AUTH " + _word(mechanism)
    if initial is not None:
        line += b" " + (initial or b"=")
    return Command(Verb.AUTH, line + b"\r\n")


def auth_response(encoded: bytes) -> Command:
    """Return the answer to a challenge: base64 text, or `*` to cancel the exchange.

    Raises:
        CommandError: The text is longer than servers accept.
    """
    too_long = len(encoded) + 2 > MAX_AUTH_RESPONSE
    response = Command(Verb.RESPONSE, encoded + b"\r\n")
    del encoded  # a traceback may show what its frames hold
    if too_long:
        raise CommandError("the credential is too long to be sent")
    return response


def mail(
    sender: str, *, size: int | None = None, eight_bit: bool = False, smtputf8: bool = False
) -> Command:
    """Return MAIL, which begins a transaction; each parameter needs its extension.

    Args:
        sender: The envelope sender; "" for the null reverse-path.
        size: Octets of the message (RFC 1870).
        eight_bit: Declare BODY=8BITMIME (RFC 6152).
        smtputf8: Declare SMTPUTF8 (RFC 6531); without it `sender` must be ASCII.
    """
    line = b"MAIL FROM:<%b>" % (_path(sender, smtputf8=smtputf8) if sender else b"")
    if size is not None:
        line += b" SIZE=%d" % size
    if eight_bit:
        line += b" BODY=8BITMIME"
    if smtputf8:
        line += b" SMTPUTF8"
    return Command(Verb.MAIL, line + b"\r\n")


def rcpt(recipient: str, *, smtputf8: bool = False) -> Command:
    """Return RCPT for one recipient, which must be ASCII without SMTPUTF8."""
    return Command(Verb.RCPT, b"RCPT TO:<%b>\r\n" % _path(recipient, smtputf8=smtputf8))


def _path(address: str, *, smtputf8: bool) -> bytes:
    _refuse_control(address)
    if not _PATH.fullmatch(address):
        raise CommandError("not a mailbox that can stand in a command")
    if not smtputf8 and not address.isascii():
        raise CommandError("a mailbox outside ASCII needs SMTPUTF8")
    return address.encode()


def _word(text: str) -> bytes:
    _refuse_control(text)
    if not _WORD.fullmatch(text) or not text.isascii():
        raise CommandError("not one ASCII word")
    return text.encode("ascii")


def _refuse_control(text: str) -> None:
    # RFC 5321 2.3.8: a CR or LF inside an argument would begin the next command.
    # It is refused, never cleaned: a cleaned argument is another argument.
    if _CONTROL.search(text):
        raise CommandError("control characters cannot stand in a command")
