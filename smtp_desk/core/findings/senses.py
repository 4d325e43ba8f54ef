"""What a reply says by the things that it speaks of, where no row of the table knows its wording.

"You must send from an address that belongs to your account" and "the sender is none of the
identities assigned to this login" have no phrase in common, but speak of the same things: sender,
login, owning, not. So a sense is a set of such things, in any order, that one sentence speaks of;
each thing has many words. Of the senses of one reply those count that no other one contains; where
these tell two causes, none is told.
"""

import re
import tomllib
from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple, final

from smtp_desk.core.findings.pattern import NormalisedReply
from smtp_desk.core.findings.ready import Load
from smtp_desk.core.findings.subjects import not_about
from smtp_desk.core.lazy import LazyProperty
from smtp_desk.core.stages import Stage

_ANY_ENDING: Final = "*"
_ABSENT: Final = "-"
_SPACE: Final = "_"
_SENTENCE: Final = re.compile(r"[.;!?](?=\s|$)")
_TOKEN: Final = re.compile(r"from:|\w[\w@'.-]*(?<![.'-])")
_OTHER: Final = "other"
# What Postfix writes before each reason: it only tells at which command.
_PREFIX: Final = re.compile(
    r"\b(recipient|sender|host)(?: address| name)? (?:was |is )?(?:rejected|refused):(?=.)"
)
_LONGEST_PHRASE: Final = 4
_SHORTEST_STEM: Final = 3
_NOTHING: Final = frozenset[str]()
_MAIL: Final = frozenset({Stage.SENDER, Stage.RECIPIENT, Stage.MESSAGE})
_STAGES: Final = {
    "auth": frozenset({Stage.AUTH}),
    "sender": _MAIL,
    "recipient": frozenset({Stage.RECIPIENT, Stage.MESSAGE}),
    "message": frozenset({Stage.MESSAGE}),
}
"""Where a cause is told, by the prefix of its code."""


class _Shape(NamedTuple):
    pattern: re.Pattern[str]
    things: frozenset[str]


_SHAPES: Final = (
    _Shape(re.compile(r"\d+(?:\.\d+){3}"), frozenset({"number"})),
    _Shape(re.compile(r"\d+"), frozenset({"count"})),
    _Shape(re.compile(r"[a-z0-9-]+(?:\.[a-z0-9-]+)*\.[a-z]{2,}"), frozenset({"name"})),
)


class _Sense(NamedTuple):
    code: str
    things: frozenset[str]
    absent: frozenset[str]


@final
class Senses:
    """The causes that are told by the things that a sentence speaks of."""

    def __init__(self, texts: tuple[str, ...], load: Load) -> None:
        self._texts = texts
        self._load = load

    @classmethod
    def parse(cls, texts: Iterable[str], load: Load = tomllib.loads) -> "Senses":
        """Take the TOML texts of `resources/senses/`. They are loaded when first needed."""
        return cls(tuple(texts), load)

    def told(self, stage: Stage, said: NormalisedReply) -> str | None:
        """Return the code of the one cause that `said` tells at `stage`; None for none or two."""
        words = _PREFIX.sub(r"\1:", said.words)
        sentences = [self.things(sentence) for sentence in _SENTENCE.split(words)]
        whole = _NOTHING.union(*sentences)
        if _OTHER in whole:
            return None
        circumstances = {f"{str(said.code)[0]}xx", f"at_{stage}"}
        excluded = not_about(said.words)
        found = [
            sense
            for sense in self._senses.get(stage, ())
            if not (sense.absent & whole)
            and sense.code not in excluded
            and any(sense.things <= sentence | circumstances for sentence in sentences)
        ]
        codes = {it.code for it in found if not any(it.things < other.things for other in found)}
        return codes.pop() if len(codes) == 1 else None

    def things(self, sentence: str) -> frozenset[str]:
        """Return what a sentence speaks of."""
        tokens = _TOKEN.findall(sentence)
        things: set[str] = set()
        at = 0
        while at < len(tokens):
            length, known = self._known_at(tokens, at)
            things |= known
            at += length
        return frozenset(things)

    def _known_at(self, tokens: list[str], at: int) -> tuple[int, frozenset[str]]:
        """Return how many tokens the longest phrase at `at` has, and the things it stands for."""
        for length in range(min(_LONGEST_PHRASE, len(tokens) - at), 1, -1):
            if known := self._known(" ".join(tokens[at : at + length])):
                return length, known
        token = tokens[at]
        if (shape := next((it for it in _SHAPES if it.pattern.fullmatch(token)), None)) is not None:
            return 1, shape.things
        return 1, self._known(token)

    def _known(self, phrase: str) -> frozenset[str]:
        """Return the things that a phrase stands for, its last word with any ending."""
        shortest = phrase.rfind(" ") + 1 + _SHORTEST_STEM
        stems = (self._stems.get(phrase[:end]) for end in range(len(phrase), shortest - 1, -1))
        return self._words.get(phrase, _NOTHING) | next(filter(None, stems), _NOTHING)

    @LazyProperty
    def _words(self) -> dict[str, frozenset[str]]:
        return _by_word((word, thing) for word, thing in self._listed if word[-1] != _ANY_ENDING)

    @LazyProperty
    def _stems(self) -> dict[str, frozenset[str]]:
        return _by_word(
            (word[:-1], thing) for word, thing in self._listed if word[-1] == _ANY_ENDING
        )

    @LazyProperty
    def _listed(self) -> list[tuple[str, str]]:
        return [
            (word.replace(_SPACE, " "), thing)
            for table in self._tables
            for thing, words in table["things"].items()
            for word in words.split()
        ]

    @LazyProperty
    def _senses(self) -> dict[Stage, list[_Sense]]:
        senses: dict[Stage, list[_Sense]] = {}
        for sense in self._read_senses():
            for stage in _STAGES[sense.code.partition(".")[0]]:
                senses.setdefault(stage, []).append(sense)
        return senses

    def _read_senses(self) -> Iterator[_Sense]:
        for table in self._tables:
            for code, lines in table["senses"].items():
                for line in filter(None, (each.split() for each in lines.splitlines())):
                    absent = frozenset(it[1:] for it in line if it[0] == _ABSENT)
                    things = frozenset(it for it in line if it[0] != _ABSENT)
                    yield _Sense(code, things, absent)

    @LazyProperty
    def _tables(self) -> list[dict[str, dict[str, str]]]:
        return [self._load(text) for text in self._texts]


def _by_word(listed: Iterable[tuple[str, str]]) -> dict[str, frozenset[str]]:
    found: dict[str, set[str]] = {}
    for word, thing in listed:
        found.setdefault(word, set()).add(thing)
    return {word: frozenset(things) for word, things in found.items()}
