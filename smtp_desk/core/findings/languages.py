"""Words of other languages in English, for replies of servers that speak one.

The table of replies is written in English, with the commonest phrases of other languages. What it
does not know in another language is compared once more by the English of its words: not a
translation, only the words by which a cause is told, in their order.
"""

import tomllib
from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple, final

from smtp_desk.core.findings.pattern import plain
from smtp_desk.core.lazy import LazyProperty

_ANY_ENDING: Final = "*"


class _Word(NamedTuple):
    english: str
    has_endings: bool
    tells: bool


@final
class Languages:
    """The words of other languages that are known."""

    def __init__(self, texts: tuple[str, ...]) -> None:
        self._texts = texts

    @classmethod
    def parse(cls, texts: Iterable[str]) -> "Languages":
        """Take the TOML texts of `resources/languages/`. They are parsed when first needed."""
        return cls(tuple(texts))

    def in_english(self, words: str) -> str | None:
        """Return the words of a reply in English, in their order; None where all of it is.

        Args:
            words: As `NormalisedReply` has them.
        """
        said: list[str] = []
        tells = False
        at = 0
        while at < len(words):
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
        spaced = _is_spaced(words[at])
        lengths = (*self._lengths.get(words[at : at + 2], ()), *self._lengths.get(words[at], ()))
        for end in (at + length for length in lengths):
            word = self._known.get(words[at:end])
            if word is not None:
                whole = _end_of_word(words, end) if spaced else end
                if whole == end or word.has_endings:
                    return whole, word
        return (max(_end_of_word(words, at), at + 1) if spaced else at + 1), None

    @LazyProperty
    def _known(self) -> dict[str, _Word]:
        known: dict[str, _Word] = {}
        for text in self._texts:
            tables = tomllib.loads(text)
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
        plain(word.removesuffix(_ANY_ENDING)): _Word(english, word.endswith(_ANY_ENDING), tells)
        for english, words in table.items()
        for word in words.split()
    }


def _is_spaced(letter: str) -> bool:
    """Whether it is of a script that sets spaces between words: Latin, Greek or Cyrillic."""
    return letter < "\u0590" or "\u1e00" <= letter < "\u2000"


def _end_of_word(words: str, at: int) -> int:
    while at < len(words) and words[at].isalpha() and _is_spaced(words[at]):
        at += 1
    return at
