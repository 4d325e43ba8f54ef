"""Replies from bytes: any bytes, in any pieces, within limits; and what EHLO's reply offers."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final, NamedTuple

MAX_LINE: Final = 8 * 1024
"""Octets of a reply line with its line end; RFC 5321 4.5.3.1.5 asks for 512, servers send more."""

MAX_REPLY: Final = 64 * 1024
"""Octets of a whole reply."""

EVIDENCE: Final = 512
"""Octets of a violation that are kept to be shown."""

_BEGINNING: Final = re.compile(rb"[2-5](?:[0-9](?:[0-9](?:[ \r-].*)?)?)?", re.DOTALL)
_LINE: Final = re.compile(rb"([2-5][0-9][0-9])(?:([ -])(.*))?", re.DOTALL)


class Violation(StrEnum):
    """How a server broke the protocol."""

    NOT_A_REPLY = "not_a_reply"
    MIXED_CODES = "mixed_codes"
    MISSING_LAST_LINE = "missing_last_line"
    LINE_TOO_LONG = "line_too_long"
    REPLY_TOO_LONG = "reply_too_long"
    UNEXPECTED_REPLY = "unexpected_reply"
    INJECTED_DATA = "injected_data"


class ViolationError(Exception):
    """The server broke the protocol; nothing it sends after that can be matched to a command.

    Attributes:
        violation: How it broke the protocol.
        evidence: The first octets that did.
    """

    def __init__(self, violation: Violation, evidence: bytes = b"") -> None:
        super().__init__(violation)
        self.violation = violation
        self.evidence = evidence[:EVIDENCE]


class RawReply(NamedTuple):
    """A reply as received: the code, and each line's octets after code and separator."""

    code: int
    texts: tuple[bytes, ...]


class ReplyReader:
    """Splits a byte stream into replies. The same bytes give the same replies in any pieces.

    A line may end in a bare LF: a server that sends one breaks RFC 5321, 2.3.8, but the end of
    a *reply* decides about no message, so nothing can be smuggled by it, and every other client
    works with such servers. `bare_lf` reports it. A CR elsewhere isn't a line end; it is shown
    as the control character it is.

    Attributes:
        bare_lf: Whether a line ended without CR.
    """

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._searched = 0
        self._size = 0
        self._code = b""
        self._texts: list[bytes] = []
        self.bare_lf = False

    def feed(self, data: bytes) -> None:
        """Take bytes from the server."""
        self._buffer += data

    @property
    def rest(self) -> bytes:
        """The bytes that belong to no returned reply; at most `EVIDENCE` of them."""
        return bytes(self._buffer[:EVIDENCE])

    @property
    def head(self) -> bytes:
        """The code, or as much of it as was received, of a reply not yet returned."""
        return self._code if self._texts else bytes(self._buffer[:3])

    @property
    def between_replies(self) -> bool:
        """Whether every byte fed belongs to a returned reply."""
        return not self._buffer and not self._texts

    def judge_rest(self) -> Violation | None:
        """Return what is wrong with the remaining bytes if no more come; None if there are none."""
        if self.between_replies:
            return None
        if self._buffer and not _BEGINNING.fullmatch(self._buffer):
            return Violation.NOT_A_REPLY
        return Violation.MISSING_LAST_LINE

    def next_reply(self) -> RawReply | None:
        """Return the next complete reply, or None if more bytes are needed.

        Raises:
            ViolationError: The bytes aren't a reply, or exceed a limit.
        """
        buffer = self._buffer
        while (end := buffer.find(b"\n", self._searched, MAX_LINE)) >= 0:
            self._searched = 0
            text = bytes(buffer[:end])
            del buffer[: end + 1]
            if self._take(text):
                reply = RawReply(int(self._code), tuple(self._texts))
                self._size, self._texts = 0, []
                return reply
        if len(buffer) >= MAX_LINE:
            raise ViolationError(Violation.LINE_TOO_LONG, bytes(buffer[:EVIDENCE]))
        self._searched = len(buffer)
        return None

    def _take(self, line: bytes) -> bool:
        """Take one line without its LF; return whether it is the last of its reply."""
        self._size += len(line) + 1
        if self._size > MAX_REPLY:
            raise ViolationError(Violation.REPLY_TOO_LONG, line)
        text = line.removesuffix(b"\r")
        found = _LINE.fullmatch(text)
        if found is None:
            raise ViolationError(Violation.NOT_A_REPLY, line + b"\n" + self._buffer[:EVIDENCE])
        code, separator, words = found.groups()
        if self._texts and code != self._code:
            raise ViolationError(Violation.MIXED_CODES, line)
        if text is line:
            self.bare_lf = True
        self._code = code
        self._texts.append(words or b"")
        return bool(separator != b"-")


@dataclass(frozen=True, slots=True)
class Extensions:
    """Offered extensions; unknown ones are kept and have no effect.

    Attributes:
        words: Parameters by keyword in upper case.
    """

    words: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @classmethod
    def from_lines(cls, texts: Iterable[bytes]) -> "Extensions":
        """Read the lines of the EHLO reply without codes; the first is only a greeting."""
        words: dict[str, tuple[str, ...]] = {}
        for text in list(texts)[1:]:
            # "AUTH=PLAIN" is how servers older than RFC 2554 spell it.
            keyword, *parameters = text.decode("latin-1").replace("AUTH=", "AUTH ").split() or [""]
            keyword = keyword.upper()
            if keyword:
                words[keyword] = words.get(keyword, ()) + tuple(parameters)
        return cls(words)

    def __contains__(self, keyword: str) -> bool:
        return keyword in self.words

    @property
    def mechanisms(self) -> tuple[str, ...]:
        """SASL mechanisms in the server's order, each once, in upper case."""
        return tuple(dict.fromkeys(word.upper() for word in self.words.get("AUTH", ())))

    @property
    def most_messages(self) -> int | None:
        """Messages on one connection (RFC 9422, MAILMAX); None if no limit is given."""
        return self._limit("MAILMAX")

    @property
    def most_recipients(self) -> int | None:
        """Recipients of one message (RCPTMAX); None if no limit is given."""
        return self._limit("RCPTMAX")

    @property
    def most_domains(self) -> int | None:
        """Domains of the recipients of one message (RCPTDOMAINMAX); None if no limit is given."""
        return self._limit("RCPTDOMAINMAX")

    def _limit(self, name: str) -> int | None:
        """Return a limit of RFC 9422; one that is no number from 1 to 999999 is none."""
        for parameter in self.words.get("LIMITS", ()):
            key, _, value = parameter.partition("=")
            if key.upper() == name and re.fullmatch(r"[1-9][0-9]{0,5}", value):
                return int(value)
        return None

    @property
    def max_size(self) -> int | None:
        """The largest message in octets (RFC 1870); None if no limit is given."""
        for parameter in self.words.get("SIZE", ())[:1]:
            if parameter.isascii() and parameter.isdigit() and len(parameter) <= 20:  # noqa: PLR2004 - RFC 1870: 20 digits
                return int(parameter) or None
        return None
