"""Translate the telling words of replies in other languages into English.

The table of replies is written in English, with the most common phrases of other languages. A reply
that it doesn't know in another language is compared once more by the English for its words. This
isn't a translation: only the words that tell a cause are kept, in their order.
"""

import re
import tomllib
from collections.abc import Iterable, Mapping
from functools import cache
from typing import Final, NamedTuple, final

from smtp_desk.core.findings.pattern import without_accents
from smtp_desk.core.findings.ready import Load
from smtp_desk.core.lazy import LazyProperty

_ANY_ENDING: Final = "*"
_KEPT: Final = "~"
"""Stands for the space of a phrase while the words of one meaning are made plain together."""
# Letters of the scripts that set spaces between words: Latin, Greek and Cyrillic.
_LETTERS: Final = r"a-z\u00c0-\u058f\u1e00-\u1fff"
_WORD: Final = rf"[{_LETTERS}]+"
_NO_WORD: Final = r"[^a-z\u00c0-\uffff]+"


class _Word(NamedTuple):
    english: str
    has_endings: bool
    tells: bool


@final
class Languages:
    """The words known in other languages."""

    def __init__(self, texts: tuple[str, ...], load: Load) -> None:
        self._texts = texts
        self._load = load

    @classmethod
    def parse(cls, texts: Iterable[str], load: Load = tomllib.loads) -> "Languages":
        """Take the TOML texts of `resources/languages/`. They are loaded when first needed."""
        return cls(tuple(texts), load)

    def in_english(self, words: str) -> str | None:
        """Return the words of a reply in English, in order; None if it is English already.

        Args:
            words: As `NormalisedReply` has them.
        """
        said: list[str] = []
        tells = False
        at = 0
        while at < len(words):
            end = _end_of(_NO_WORD, words, at)
            said.append(words[at:end])
            at = end
            end, word = self._word_at(words, at)
            if word is None:
                said.append(words[at:end])
            else:
                said.append(f" {word.english} ")
                tells = tells or word.tells
            at = end
        if not tells:
            return None
        # What is left of scripts without spaces are endings and particles.
        left = "".join(letter if letter.isascii() else " " for letter in "".join(said))
        return " ".join(left.split())

    def _word_at(self, words: str, at: int) -> tuple[int, _Word | None]:
        """Return the end of the word that begins at `at`, and its English if it is known."""
        end_of_word = _end_of(_WORD, words, at)
        begins = words[at : at + 2]
        lengths = (*self._lengths.get(begins, ()), *self._lengths.get(begins[:1], ()))
        for end in (at + length for length in lengths):
            word = self._known.get(words[at:end])
            if word is not None:
                whole = _end_of(_WORD, words, end) if end_of_word > at else end
                if whole == end or word.has_endings:
                    return whole, word
        return max(end_of_word, min(at + 1, len(words))), None

    @LazyProperty
    def _known(self) -> dict[str, _Word]:
        known: dict[str, _Word] = {}
        for text in self._texts:
            tables = self._load(text)
            known |= _words_of(tables["between"], tells=False)
            known |= _words_of(tables["tells"], tells=True)
        return known

    @LazyProperty
    def _lengths(self) -> dict[str, list[int]]:
        """How long words are that begin with these two letters, the longest first."""
        lengths: dict[str, set[int]] = {}
        for word in self._known:
            lengths.setdefault(word[:2], set()).add(len(word))
        return {letters: sorted(each, reverse=True) for letters, each in lengths.items()}


def _words_of(table: Mapping[str, str], *, tells: bool) -> dict[str, _Word]:
    return {
        word.removesuffix(_ANY_ENDING).replace(_KEPT, " "): _Word(
            english, word.endswith(_ANY_ENDING), tells
        )
        for english, words in table.items()
        for word in without_accents(words.replace("_", _KEPT)).split()
    }


def _end_of(pattern: str, words: str, at: int) -> int:
    found = _compiled(pattern).match(words, at)
    return found.end() if found else at


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    """Return a pattern, compiled at the first reply that is read."""
    return re.compile(pattern)
