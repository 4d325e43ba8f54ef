"""Values among words that are read from right to left (Unicode Standard Annex #9).

Host names, addresses and paths are written from left to right everywhere; signs at their ends
would move to the other side, and an arrow would point backwards.
"""

from __future__ import annotations

import re
from typing import Final

_LEFT_TO_RIGHT: Final = "\u2066"
_AS_IT_BEGINS: Final = "\u2068"
_END: Final = "\u2069"
_RIGHT_TO_LEFT_MARK: Final = "\u200f"
_FORWARD: Final = "→"
_BACKWARD: Final = f"{_RIGHT_TO_LEFT_MARK}←{_RIGHT_TO_LEFT_MARK}"
_WORD: Final = re.compile(r"[\w/\\\[+.~%@-][!-~\u200b]*[\w/\\\]*=-]", re.ASCII)
"""A word of ASCII without the brackets, quotation marks and stops around it."""
_RIGHT_TO_LEFT: Final = re.compile("[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufeff]")
"""Hebrew, Arabic, and what is written like them."""
_VALUE: Final = re.compile(r"[/\\@_=\[]|\w[.:+]+\w", re.ASCII)
"""What a value has, and no other word: the signs of addresses, paths and host names."""


def readable(text: str) -> str:
    """Return `text` for a window that is read from right to left.

    What has no words of such a language (a value alone, or what isn't translated) stays as it is.
    """
    if not _RIGHT_TO_LEFT.search(text):
        return text
    isolated = _WORD.sub(_isolated, text).replace(_FORWARD, _BACKWARD)
    return _RIGHT_TO_LEFT_MARK + isolated  # also if it begins with a value


def _isolated(word: re.Match[str]) -> str:
    found = word.group()
    return f"{_LEFT_TO_RIGHT}{found}{_END}" if _VALUE.search(found) else found


def elidable(text: str) -> str:
    """Return `text` that keeps its own direction, with its ellipsis where its end was cut."""
    return _AS_IT_BEGINS + text
