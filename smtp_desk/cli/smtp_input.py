"""A message on standard input; or SMTP, as `sendmail -bs` speaks it (a part of RFC 5321).

The latter only accepts messages: no relaying rules, no AUTH, no STARTTLS. A message is answered
with 250 only once it is stored.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import BinaryIO, Final, TypeAlias

from smtp_desk.core.exit_status import ExitStatus
from smtp_desk.core.reply import visible

Check: TypeAlias = Callable[[str], str]
"""Says what keeps a recipient from getting mail; "" for nothing."""

_LONGEST_LINE: Final = 4096
_MOST_RECIPIENTS: Final = 10_000
_LONGEST_TEXT: Final = 400
_PATH: Final = re.compile(r'\s*<((?:"(?:[^"\\]|\\.)*"|[^">])*)>(.*)|\s*(\S+)(.*)', re.DOTALL)
_ROUTE: Final = re.compile(r"\A@[^:]*:")
_CODES: Final = {
    ExitStatus.DATAERR: "554 5.6.0",
    ExitStatus.UNAVAILABLE: "554 5.0.0",
    ExitStatus.TEMPFAIL: "451 4.3.0",
}


def read_message(stream: BinaryIO, most_octets: int, *, ignore_dots: bool) -> bytes:
    """Read a message to its end, or up to one octet more than allowed."""
    if ignore_dots:
        return stream.read(most_octets + 1)
    octets = bytearray()
    while len(octets) <= most_octets:
        line = stream.readline(most_octets + 1)
        if not line or line.rstrip(b"\r\n") == b".":
            break
        octets += line
    return bytes(octets)


@dataclass(frozen=True, slots=True)
class SubmitAnswer:
    """The result of a message.

    Attributes:
        status: The exit status that the program has for one message.
        text: Why it was not accepted, or its Message-ID.
    """

    status: ExitStatus
    text: str


Submit: TypeAlias = Callable[[str, Sequence[str], bytes], SubmitAnswer]
"""Stores a message: its sender (`<>` for none, "" for no matter), its recipients, its octets."""


@dataclass
class SmtpInput:
    """One conversation.

    Attributes:
        source: What the program sends.
        sink: What it is answered.
        submit: Accepts a message.
        check: Checks a recipient.
        most_octets: The largest message.
    """

    source: BinaryIO
    sink: BinaryIO
    submit: Submit
    check: Check
    most_octets: int
    _sender: str | None = field(default=None, init=False)
    _recipients: list[str] = field(default_factory=list, init=False)
    _line_end: bytes = field(default=b"", init=False)

    def run(self) -> None:
        """Answer until QUIT, or until the program sends nothing more."""
        self._reply("220 localhost SMTP Desk")
        while line := self.source.readline(_LONGEST_LINE):
            if not line.endswith(b"\n"):
                if not self._skip_line(line):
                    return
                self._reply("500 5.5.2 Line too long")
                continue
            self._line_end = self._line_end or (b"\r\n" if line.endswith(b"\r\n") else b"\n")
            text = line.decode("utf-8", "surrogateescape").strip()
            verb, _, argument = text.partition(" ")
            if verb.upper() == "QUIT":
                self._reply("221 2.0.0 Bye")
                return
            if not self._answer(verb.upper(), argument):
                return

    def _answer(self, verb: str, argument: str) -> bool:
        """SubmitAnswer a command; False where the program is gone."""
        match verb:
            case "EHLO" | "HELO":
                self._reset()
                extensions = ("8BITMIME", "PIPELINING", "SMTPUTF8", "ENHANCEDSTATUSCODES")
                lines = ["localhost", f"SIZE {self.most_octets}", *extensions]
                self._reply(*(f"250 {line}" for line in (lines if verb == "EHLO" else lines[:1])))
            case "MAIL":
                self._mail(argument)
            case "RCPT":
                self._rcpt(argument)
            case "DATA":
                return self._data()
            case "RSET":
                self._reset()
                self._reply("250 2.0.0 OK")
            case "NOOP":
                self._reply("250 2.0.0 OK")
            case "VRFY":
                self._reply("252 2.5.0 Send some mail, it will be tried")
            case "HELP":
                self._reply("214 2.0.0 EHLO MAIL RCPT DATA RSET NOOP VRFY QUIT")
            case "AUTH" | "STARTTLS" | "ETRN" | "TURN" | "EXPN" | "BDAT":
                self._reply(f"502 5.5.1 {verb} is not offered on standard input")
            case _:
                self._reply("500 5.5.2 No such command")
        return True

    def _mail(self, argument: str) -> None:
        path, parameters = _parsed(argument, "FROM:")
        if self._sender is not None:
            self._reply("503 5.5.1 MAIL was given already")
        elif path is None:
            self._reply("501 5.5.4 MAIL FROM:<address>")
        elif refusal := self._parameter_refusal(parameters):
            self._reply(refusal)
        else:
            self._sender = path
            self._reply("250 2.1.0 OK")

    def _parameter_refusal(self, parameters: str) -> str:
        for parameter in parameters.upper().split():
            name, _, value = parameter.partition("=")
            if name == "SIZE" and value.isdecimal():
                if int(value) > self.most_octets:
                    return f"552 5.3.4 At most {self.most_octets} octets"
            elif parameter not in ("BODY=7BIT", "BODY=8BITMIME", "SMTPUTF8"):
                return "555 5.5.4 No such parameter"
        return ""

    def _rcpt(self, argument: str) -> None:
        path, parameters = _parsed(argument, "TO:")
        if self._sender is None:
            self._reply("503 5.5.1 MAIL comes first")
        elif not path:
            self._reply("501 5.5.4 RCPT TO:<address>")
        elif parameters.strip():
            self._reply("555 5.5.4 No such parameter")
        elif len(self._recipients) == _MOST_RECIPIENTS:
            self._reply(f"452 4.5.3 At most {_MOST_RECIPIENTS} recipients")
        elif refusal := self.check(path):
            self._reply(f"553 5.1.3 {refusal}")
        else:
            self._recipients.append(path)
            self._reply("250 2.1.5 OK")

    def _data(self) -> bool:
        if self._sender is None or not self._recipients:
            self._reply("503 5.5.1 MAIL and RCPT come first")
            return True
        self._reply("354 End with a dot on a line of its own")
        octets = self._content()
        if octets is None:
            return False
        sender, recipients = self._sender, tuple(self._recipients)
        self._reset()
        if len(octets) > self.most_octets:
            self._reply(f"552 5.3.4 At most {self.most_octets} octets")
            return True
        answer = self.submit(sender, recipients, octets)
        code = "250 2.0.0" if answer.status is ExitStatus.OK else _CODES[answer.status]
        self._reply(f"{code} {answer.text}")
        return True

    def _content(self) -> bytes | None:
        """Read a message, or as much of it as shows that it is too large; None for half a one.

        A line begins after the line end that the program uses, and after no other, so that the
        content of a message never ends it.
        """
        octets = bytearray()
        at_start = True
        while line := self.source.readline(_LONGEST_LINE):
            if at_start and line == b"." + self._line_end:
                return bytes(octets)
            if len(octets) <= self.most_octets:
                octets += line.removeprefix(b".") if at_start else line
            at_start = line.endswith(self._line_end)
        return None

    def _skip_line(self, line: bytes) -> bool:
        while line and not line.endswith(b"\n"):
            line = self.source.readline(_LONGEST_LINE)
        return bool(line)

    def _reset(self) -> None:
        self._sender = None
        self._recipients = []

    def _reply(self, *lines: str) -> None:
        """Write a reply; each line begins with the same code."""
        for number, line in enumerate(lines, start=1):
            code, text = line[:3], visible(line[4:])[:_LONGEST_TEXT]
            sign = " " if number == len(lines) else "-"
            self.sink.write(f"{code}{sign}{text}\r\n".encode("ascii", "replace"))
        self.sink.flush()


def _parsed(argument: str, keyword: str) -> tuple[str | None, str]:
    """Return the path behind FROM: or TO: without its brackets, and the parameters."""
    if argument[: len(keyword)].upper() != keyword:
        return None, ""
    found = _PATH.fullmatch(argument[len(keyword) :])
    if found is None:
        return None, ""
    path = found[1] if found[1] is not None else found[3]
    return _ROUTE.sub("", path.strip()), found[2] or found[4] or ""
