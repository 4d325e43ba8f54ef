"""A language that nobody speaks: it shows what isn't translated, and what gets cut.

Each text stands in ⟦brackets⟧, has accents, and is 40 % longer. What is on the screen without
brackets went past `_`.
"""

from __future__ import annotations

import contextlib
import re
from typing import TYPE_CHECKING, Final

from smtp_desk.core import translation

if TYPE_CHECKING:
    from collections.abc import Iterator

CODE: Final = "xx"
_ACCENTS: Final = str.maketrans("aceinouyACEINOUY", "áčéïñöúýÁČÉÏÑÖÚÝ")
# What other programs read in a text stays as it is: names of facts, links, mnemonics, elements.
_KEPT: Final = re.compile(r"(\{[\w.:]+\}|https?://\S+|<[^<>]+>|&\w+;)")
_LONGER: Final = 0.4
_NO_WORD: Final = re.compile(r"[^A-Za-z]*")


class Pseudo:
    """The messages of the pseudo-language."""

    def gettext(self, message: str, /) -> str:
        """Return the text in brackets, with accents and 40 % longer."""
        plain = _KEPT.sub("", message)
        if _NO_WORD.fullmatch(plain):  # a pattern of numbers: any language may have its own
            return message
        parts = _KEPT.split(message)
        parts[::2] = [part.translate(_ACCENTS) for part in parts[::2]]
        longer = "~" * max(1, round(len(plain) * _LONGER) - 2)
        return f"⟦{''.join(parts)}{longer}⟧"

    def ngettext(self, one: str, many: str, count: int, /) -> str:
        """Return it for one or many."""
        return self.gettext(one if count == 1 else many)

    def pgettext(self, context: str, message: str, /) -> str:
        """Return it whatever the context."""
        del context
        return self.gettext(message)


@contextlib.contextmanager
def speaking_pseudo() -> Iterator[None]:
    """Speak the pseudo-language in this process for a while."""
    before = translation.language()
    assert before == translation.ENGLISH
    translation.install(CODE, Pseudo())
    try:
        yield
    finally:
        translation.install(translation.ENGLISH, None)


def untranslated(text: str) -> bool:
    """Whether a shown text has words outside all brackets."""
    rest, depth = "", 0
    for character in text:
        depth += (character == "⟦") - (character == "⟧")
        rest += character if not depth and character != "⟧" else ""
    return not _NO_WORD.fullmatch(rest)
