"""What may stand on a screen, in a terminal or in a log, whoever wrote it."""

from __future__ import annotations

import unicodedata
from typing import Final

_HARMFUL: Final = frozenset(("Cc", "Cf", "Cs", "Zl", "Zp"))


def assert_harmless(text: str, *, allowed: str = "") -> None:
    """Fail where a character moves the cursor, ends a line, hides or turns the direction."""
    if text.isascii() and text.isprintable():
        return
    harmful = [each for each in text if unicodedata.category(each) in _HARMFUL]
    assert not [each for each in harmful if each not in allowed], harmful
