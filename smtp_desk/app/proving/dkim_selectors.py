"""The DKIM selectors that a person names, or that a received email shows."""

import contextlib
import re
from collections.abc import Sequence
from typing import Final

from smtp_desk.core.arrived import read_signatures, signed_by
from smtp_desk.smtp.domain.facts import Selector

_NAME: Final = re.compile(r"(?!-)[A-Za-z0-9_-]{1,63}(?<!-)(?:\.(?!-)[A-Za-z0-9_-]{1,63}(?<!-))*")
_KEY_NAME: Final = re.compile(r"\._domainkey(?:\..*)?$", re.IGNORECASE)
_LONGEST_NAME: Final = 200
_MOST_SELECTORS: Final = 10


def read_selectors(text: str) -> tuple[Selector, ...]:
    """Return the DKIM selectors that a person typed, or pasted as a DKIM-Signature field.

    Raises:
        ValueError: It is neither; the argument is the part that can't be read.
    """
    if signature := signed_by(text.partition(":")[2] or text):
        return _valid([Selector(*signature)])
    names = text.replace(",", " ").replace(";", " ").split()
    return _valid([Selector(_KEY_NAME.sub("", name)) for name in names])


def selectors_of(message: bytes) -> tuple[Selector, ...]:
    """Return the selectors of a sent email's DKIM signatures, as its recipient got it.

    Raises:
        ValueError: It has none.
    """
    found: list[Selector] = []
    for signature in read_signatures(message):
        with contextlib.suppress(ValueError):
            found += _valid([Selector(*signature)])
    if not found:
        raise ValueError
    return tuple(found)


def _valid(selectors: Sequence[Selector]) -> tuple[Selector, ...]:
    for each in selectors:
        for part in (each.name, *filter(None, [each.domain])):
            if len(part) > _LONGEST_NAME or not _NAME.fullmatch(part):
                raise ValueError(part)
    return tuple(dict.fromkeys(selectors))[:_MOST_SELECTORS]
