"""What a text must contain for a pattern to match it, told without compiling the pattern.

A pattern of the table takes milliseconds to compile, and a reply would need seventy of them to find
the one or two that know its words. So each is taken apart into its alternatives, and of each is
known which letters it needs: whether these stand in a text is known at once.
"""

import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from functools import lru_cache
from sys import intern
from typing import Final

# An escape or a set; a look ahead or behind; the beginning of a group,
# its parts and its end; how often; and letters that stand for themselves: the last one alone if it
# is said how often it stands there.
_SIGN: Final = (
    r"(?P<unknown>\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|[.^$])"
    r"|(?P<look>\(\?<?[=!])"
    r"|(?P<open>\((?:\?:|(?!\?)))"
    r"|(?P<close>\))"
    r"|(?P<or>\|)"
    r"|(?P<optional>(?:[*?]|\{0?,\d*\}|\{0\})[?+]?)"
    r"|(?P<repeated>(?:\+|\{\d+(?:,\d*)?\})[?+]?)"
    r"|(?P<text>[^\\\[(){}|*+?^$.]+(?![*+?]|\{[\d,])|[^\\\[(){}|*+?^$.])"
)
_SHORTEST: Final = 2
_BEGINNING: Final = 3
_FEW: Final = 16

Needles = Collection[str]
"""A text that matches has one of these."""
_UNKNOWN: Final = frozenset[str]()


class Alternative:
    """One of the alternatives that a pattern consists of.

    Attributes:
        pattern: The alternative.
        needles: A text that it matches has one of each.
    """

    __slots__ = ("beginnings", "needles", "pattern")

    def __init__(self, pattern: str, needles: Sequence[Needles]) -> None:
        self.pattern = pattern
        self.needles = needles
        # Few differ, so they are kept once; and a tuple is asked as fast as a set that is larger.
        self.beginnings = [
            tuple({intern(needle[:_BEGINNING]) for needle in each}) for each in needles
        ]


def that_may_match(parts: Iterable[Alternative], text: str) -> Iterator[Alternative]:
    """Yield those alternatives whose needles `text` has."""
    # A set is asked at once, a text for one needle after the other.
    known = _beginnings_in(text)
    for part in parts:
        for each in part.beginnings:
            if known.isdisjoint(each):
                break
        else:
            if all(any(needle in text for needle in each) for each in part.needles):
                yield part


@lru_cache(_FEW)
def _beginnings_in(text: str) -> frozenset[str]:
    """Return all that a needle in `text` may begin with, or be if it is as short."""
    places = range(len(text))
    return frozenset(text[at : at + length] for at in places for length in range(1, _BEGINNING + 1))


def alternatives(pattern: str) -> list[Alternative]:
    """Return the alternatives of a pattern: it matches where the first of them does.

    A pattern that has anything that the table doesn't use is returned whole.
    """
    tokens = list(re.finditer(_SIGN, pattern, re.DOTALL))
    if sum(len(token[0]) for token in tokens) != len(pattern):
        return [Alternative(pattern, ())]
    found: list[Alternative] = []
    left = iter(tokens)
    start = 0
    while start <= len(pattern):
        parts, end = _sequence(left)
        stop = end.start() if end else len(pattern)
        needed = [part for part in parts if _shortest(part) >= _SHORTEST]
        found.append(Alternative(pattern[start:stop], sorted(needed, key=len)))
        start = stop + 1
    return found


def _sequence(tokens: Iterator[re.Match[str]]) -> tuple[list[Needles], re.Match[str] | None]:
    """Read an alternative: what a text needs for it, in its order, and the sign that ends it."""
    parts: list[Needles] = []
    for token in tokens:
        match token.lastgroup:
            case "close" | "or":
                return parts, token
            case "optional":
                parts.pop()
            case "open":
                parts.append(_group(tokens))
            case "text":
                parts.append(frozenset({token[0]}))
            case "look":
                _group(tokens)
                parts.append(_UNKNOWN)
            case "unknown":
                parts.append(_UNKNOWN)
    return parts, None


def _group(tokens: Iterator[re.Match[str]]) -> Needles:
    """Read a group to its end: a text needs the rarest part of one of its alternatives."""
    needed: list[Needles] = []
    is_open = True
    while is_open:
        parts, end = _sequence(tokens)
        needed.append(max(parts, key=_shortest, default=_UNKNOWN))
        is_open = end is not None and end.lastgroup == "or"
    return _UNKNOWN.union(*needed) if all(needed) else _UNKNOWN


def _shortest(part: Needles) -> int:
    # Two signs of Chinese tell more than two letters.
    return min((len(needle.encode()) for needle in part), default=0)
