"""Replies of a server: code, enhanced code and words, safe to show."""

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass

_ENHANCED = re.compile(r"([245])\.(\d{1,3})\.(\d{1,3})(?=\s|$)")
_SURROGATE, _CONTROL, _FORMAT = "Cs", "Cc", "Cf"
_LINE_BREAKS = ("Zl", "Zp")


def visible(text: str) -> str:
    r"""Make control, bidi and other invisible characters of `text` visible as `\\xNN` or `\\uNNNN`.

    What a server sends is shown on screens and terminals and written to logs. It must not
    move the cursor, forge a line or change the reading direction.
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join(_visible_character(character) for character in text)


def _visible_character(character: str) -> str:
    category = unicodedata.category(character)
    if category in (_CONTROL, _FORMAT, _SURROGATE, *_LINE_BREAKS):
        code = ord(character)
        if code <= 0xFF:  # noqa: PLR2004 - one octet
            return f"\\x{code:02x}"
        return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"  # noqa: PLR2004 - one BMP unit
    return character


def decode_text(octets: bytes) -> str:
    """Decode bytes from the wire as UTF-8, else Latin-1, and make them `visible`."""
    try:
        text = octets.decode("utf-8")
    except UnicodeDecodeError:
        text = octets.decode("latin-1")
    return visible(text.replace("\t", " "))


@dataclass(frozen=True, slots=True)
class Reply:
    """One reply of the server (RFC 5321, 4.2), its enhanced code (RFC 3463) kept apart.

    Attributes:
        code: The three digits, 200 to 599.
        enhanced: The enhanced status code such as "5.7.8", or None.
        lines: The text of each line, without codes, already safe to show.
    """

    code: int
    enhanced: str | None
    lines: tuple[str, ...]

    @classmethod
    def from_lines(cls, code: int, texts: Iterable[bytes]) -> "Reply":
        """Build a reply from the octets after `code` and its separator, line by line."""
        decoded = [decode_text(text) for text in texts]
        found = _ENHANCED.match(decoded[0].lstrip()) if decoded else None
        # An enhanced code of another class than the reply code is the server's mistake:
        # RFC 2034 section 4 says that it is no status code then, so it stays in the words.
        if found is None or found[1] != str(code)[0]:
            return cls(code, None, tuple([line.strip() for line in decoded]))
        enhanced = found[0]
        words = [line.strip().removeprefix(enhanced).strip() for line in decoded]
        return cls(code, enhanced, tuple(words))

    @property
    def text(self) -> str:
        """The text on one line."""
        return " ".join(line for line in self.lines if line)

    @property
    def positive(self) -> bool:
        """Whether the server did what was asked (2xx)."""
        return self.code // 100 == 2  # noqa: PLR2004 - the class of the reply

    @property
    def intermediate(self) -> bool:
        """Whether the server waits for more (3xx)."""
        return self.code // 100 == 3  # noqa: PLR2004 - the class of the reply

    @property
    def transient(self) -> bool:
        """Whether the same may succeed later (4xx)."""
        return self.code // 100 == 4  # noqa: PLR2004 - the class of the reply

    def __str__(self) -> str:
        return " ".join(filter(None, (str(self.code), self.enhanced, self.text)))
