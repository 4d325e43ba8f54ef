"""The addresses in an address list, as in header fields and on command lines.

The standard library's parsers silently omit what they can't read, and lose recipients with it; this
one reads as generously as mail systems do, and says where it can't.
"""

import re
from typing import Final

_QUOTED: Final = r'"(?:[^"\\]|\\.)*"'
_LITERAL: Final = r"\[[^\[\]<>]*\]"
_TOKEN: Final = re.compile(
    rf"""
      (?P<word>  {_QUOTED} | {_LITERAL} | [^"<>\[\](),;:\\\s]+ )
    | (?P<angle> < (?: {_QUOTED} | {_LITERAL} | [^"<>\[\]] )* > )
    | (?P<end>   [,;] )
    | (?P<group> : )
    | (?P<space> \s+ )
    """,
    re.VERBOSE | re.DOTALL,
)
_PART: Final = re.compile(rf"({_QUOTED})", re.DOTALL)
_COMMENT_SIGN: Final = re.compile(r"\\.|[()]", re.DOTALL)
_ROUTE: Final = re.compile(r"\A\s*@[^:]*:")
_SPACE_AROUND_SIGN: Final = re.compile(r"\s*([@.])\s*")
_SPACES: Final = re.compile(r"\s+")


class AddressListError(ValueError):
    """The list can't be read: it isn't clear where an address ends."""


def addresses(text: str) -> list[str]:
    """Return the addresses of a list in order: none omitted, none validated.

    That is an `address-list` (RFC 5322, 3.4 and 4.4): folded, with groups, comments, routes
    and empty elements; also with a name that should be quoted, as in `a@x.org <a@x.org>`.
    An address may lack its domain.

    Raises:
        AddressListError: It isn't clear where an address ends.
    """
    found: list[str] = []
    words: list[str] = []
    angle: str | None = None
    at = 0
    while at < len(text):
        if text[at] == "(":
            at = _after_comment(text, at)
            words.append(" ")
            continue
        token = _TOKEN.match(text, at)
        if token is None:
            raise AddressListError(f"unexpected {text[at]!r}")
        at = token.end()
        match token.lastgroup:
            case "end":
                found += _address(words, angle)
                words, angle = [], None
            case "space":
                words.append(" ")
            case _ if angle is not None:
                raise AddressListError("a comma is missing between two addresses")
            case "angle":
                angle = token[0][1:-1]
            case "group" if not any("@" in word and word[0] != '"' for word in words):
                words = []
            case "group":
                raise AddressListError("unexpected ':'")
            case _:
                words.append(token[0])
    return found + _address(words, angle)


def _address(words: list[str], angle: str | None) -> list[str]:
    """Return the address of one element, or nothing where the element is empty."""
    if angle is not None:
        return [_close_up(_ROUTE.sub("", _without_comments(angle)))]
    address = _close_up("".join(words))
    return [address] if address else []


def _close_up(address: str) -> str:
    """Drop the spaces that may stand around `@` and dots; others remain, as a fault to name."""
    parts = _PART.split(address.strip())
    parts[::2] = [
        _SPACE_AROUND_SIGN.sub(r"\1", _SPACES.sub(" ", unquoted)) for unquoted in parts[::2]
    ]
    return "".join(parts)


def _without_comments(text: str) -> str:
    kept: list[str] = []
    at = 0
    while at < len(text):
        if text[at] == "(":
            at = _after_comment(text, at)
            continue
        quoted = _PART.match(text, at)
        end = quoted.end() if quoted else at + 1
        kept.append(text[at:end])
        at = end
    return "".join(kept)


def _after_comment(text: str, at: int) -> int:
    """Return where the comment that begins at `at` is over; comments can be nested."""
    depth = 0
    for sign in _COMMENT_SIGN.finditer(text, at):
        depth += {"(": 1, ")": -1}.get(sign[0], 0)
        if depth == 0:
            return sign.end()
    raise AddressListError("a comment has no end")
