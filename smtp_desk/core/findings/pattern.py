"""One row of the table of replies: for which replies it stands, and how specific it is.

The rule of specificity, from the strongest to the weakest:

1. words or an enhanced code of one vendor that name the reason of a refusal (a limit, a missing
   header, an expired password), before words that name only what was refused or an enhanced code
   with one meaning, before neither: "your account has been blocked, it exceeded its daily limit"
   is a limit;
2. the number of facts asked for (provider, mechanism, shape of the password…);
3. an enhanced code with its detail (X.7.8), before its subject alone (X.7), before none;
4. a reply code (535), before its class (5xx), before none;
5. faint words, which only say that it failed and not why, before none;
6. of two rows with words, the longer match, then the one further left;
7. a finding of the stage itself, before one of another stage.

A row does not stand for other stages than its own at all, nor for a reply with words that it
excludes: what a reply speaks of (SPF, a mailbox, an attempt) decides before what it says of it.
A code without words means nothing where the reply speaks of something else (`about`), or of a
fault of the server's own (`faults`).

Where words name two causes, none of this decides between them, unless the table says that one
reply may speak of both: what contradicts itself is as good as unknown (`Catalogue.matches`).
"""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, lru_cache
from itertools import filterfalse
from typing import Any, Final, NamedTuple

from smtp_desk.core.findings.faults import without_faults
from smtp_desk.core.findings.needles import Alternative, alternatives, that_may_match
from smtp_desk.core.findings.vocabulary import expanded
from smtp_desk.core.findings.wording import Condition
from smtp_desk.core.reply import Reply
from smtp_desk.core.stages import Facts, Json, Stage

_REASON: Final = 3
_EXACT: Final = 2
_BROAD: Final = 1
_NONE: Final = 0
_EITHER_CLASS: Final = "x"
_LONGEST_TEXT: Final = 1000
_LONGEST_WORDS: Final = 500
_MANY: Final = 4096
"""A hostile server may send 64 KiB; no real one needs more than this to name its cause."""

# qmail and its kin write "(#5.1.1)" somewhere in the words; others put the enhanced code
# on a later line only. Both are taken as the enhanced code where the reply has none.
_ENHANCED_IN_WORDS: Final = re.compile(r"#\s*([245]\.\d{1,3}\.\d{1,3})(?![\d.])")
_ENHANCED_OF_LINE: Final = re.compile(r"\s*([245]\.\d{1,3}\.\d{1,3})(?![\d.])")
# One form for each quote; and "sender_not_owned" is three words, as is "SenderNotOwned" (but not
# "OAuth", "McAfee" or "SpamCop").
_SIGNS: Final = str.maketrans(
    {"’": "'", "‘": "'", "`": "'", "´": "'", "“": '"', "”": '"', "_": " "}
)
_HUMP: Final = re.compile(r"(?<=[a-z]{2})(?<!Spam)(?=[A-Z][a-z])|(?<=[A-Z]{2})(?=[A-Z][a-z]{2})")
# Letters that Unicode does not take for a letter with an accent.
_LETTERS: Final = str.maketrans(
    {"ł": "l", "Ł": "L", "ı": "i", "ø": "o", "Ø": "O", "đ": "d", "Đ": "D", "ß": "ss", "œ": "oe"}
)
# German umlauts as ASCII spells them, by the stems that replies have: no "ue" of "value" is one;
# the commonest misspelling, and the hyphen that one word of two spellings has.
_SPELLED_OUT: Final = re.compile(
    r"ueber|gueltig|empfaeng|schoepf|zulaessig|moegl|aender|groess|fuell|benoetig"
    r"|\bfuer\b",
    re.IGNORECASE,
)
_UMLAUT: Final = re.compile(r"([aou])e", re.IGNORECASE)
_MISSPELT: Final = re.compile(r"\badress(?=(?:es)?\b)", re.IGNORECASE)
_HYPHENATED: Final = re.compile(r"\bmail-box(?=(?:es)?\b)", re.IGNORECASE)
# What stands in an address is no word of the server: https://example.org/spam/blocked and
# <quota@example.org> tell no cause. The host of a page stays: a block list is told by it.
_PAGE: Final = re.compile(r"\bhttps?://([^\s/?#]+)\S*", re.IGNORECASE)
_MAIL_ADDRESS: Final = re.compile(
    r"[^\s<>@\"'(),:;=]{1,64}@[^\s<>@\"'(),:;.]+(?:\.[^\s<>@\"'(),:;.]+)*"
)
_ANY_ADDRESS: Final = "a@b"
# A server that asks the sender's server about the sender quotes its answer: "no such user" is then
# no word about the recipient.
_ASKED_OF_SENDER: Final = re.compile(
    r"(\b(?:sender address rejected: un\w+ address|postmaster verification failed)\b).*"
)
# "To reduce the amount of spam, this message has been blocked" tells what for, and not why.
_PURPOSE: Final = re.compile(
    r"\b(?:in order )?to (?:help |best )?(?:reduce|prevent|fight|combat|stop|avoid|limit|protect)\b"
    r"[^.,;:]{0,60}\b(?:spam|abuse|phishing|viruses)\b[^.,;:]{0,30}"
)
# A sentence of guesses, "it may not exist, or may be blocked", names none of them as the cause.
_SENTENCE_END: Final = re.compile(r"(?<=[.!?]) ")
_GUESS: Final = re.compile(r"\b(?:may|might|could be|could have|perhaps|possibly|maybe)\b")
_REASON_GIVEN: Final = re.compile(
    r"\b(?:because(?: of)?|due to|as a result of|caused by)\b (.+?)(?:[.;](?: |$)|$)"
)
_ALTERNATIVE: Final = re.compile(r"\bor\b")
_SPECIFIC: Final = frozenset({"words", "enhanced", "when", "unless"})


class Rank(NamedTuple):
    """How specific a match is; the greater one wins."""

    cause: int
    facts: int
    enhanced: int
    code: int
    faint: int
    length: int
    leftness: int
    own_stage: bool

    @property
    def named(self) -> bool:
        """Whether the reply names the cause, rather than only hinting at it."""
        return self.cause > _NONE


@dataclass(frozen=True, slots=True)
class NormalisedReply:
    """A reply, ready to match: its enhanced code found, its words plain and in lower case."""

    code: int
    enhanced: str
    words: str
    is_fault: bool = False
    """It tells a fault of the server's own: then no code alone names a cause."""

    @classmethod
    def of(cls, reply: Reply) -> "NormalisedReply":
        """Prepare `reply`."""
        text = _HUMP.sub(" ", _without_addresses(reply.text[:_LONGEST_TEXT]))
        words = plain(text).lower()[:_LONGEST_WORDS]
        said = cls(reply.code, reply.enhanced or _hidden_enhanced(reply), "")
        words = _PURPOSE.sub("", _ASKED_OF_SENDER.sub(r"\1", words))
        return said.with_words(_without_guesses(words))

    @property
    def reason(self) -> "NormalisedReply | None":
        """What it gives as its reason, "because…", without what came of it; None if it gives none.

        Its enhanced code may be of either.
        """
        given = _REASON_GIVEN.search(self.words)
        return given and replace(self, enhanced="", words=given[1])

    def with_words(self, words: str) -> "NormalisedReply":
        """Return the same reply in these plain words."""
        left, is_fault = without_faults(words, self.code)
        return replace(self, words=left, is_fault=self.is_fault or is_fault)


@dataclass(frozen=True, slots=True)
class ReplyPattern:
    """For which replies a finding stands.

    Attributes:
        finding: The finding's code.
        stages: Where the reply must have come.
        codes: Reply codes such as "535" and classes such as "5xx"; none for every code.
        enhanced: Enhanced codes, "x" for any class, the detail left out for any: "x.7".
        condition: What must be known beside the reply.
        words: Pattern on the words with classes of `vocabulary`, or "". The table may have it in
            parts, one a line; in lower case.
        without: Pattern on words that must not stand in the reply, written as `words`: its own and
            those of its finding.
        about: Pattern on words, written as `words`; what a code means must be what the reply
            speaks of, where it has words at all.
        reason: The words, or without any the enhanced code, name the reason itself.
        faint: The words only say that it failed, not why.
        clear: The enhanced code has one meaning only, whatever the words say.
        facts: What the reply tells beside the cause, for the texts.
        alternatives: Of `words`, `without` and `about`, by name, where the build has found them.
        example: A reply that this row stands for, as on the wire.
        context: Facts that the example needs.
        source: Where the example comes from.
    """

    finding: str
    stages: frozenset[Stage]
    codes: tuple[str, ...]
    enhanced: tuple[str, ...]
    condition: Condition
    words: str
    without: str
    about: str
    reason: bool
    faint: bool
    clear: bool
    facts: Mapping[str, Json]
    alternatives: Mapping[str, Sequence[Alternative]]
    example: str
    context: Mapping[str, Json]
    source: str

    @classmethod
    def parse(cls, finding: str, table: Mapping[str, Any], without: str = "") -> "ReplyPattern":
        """Read one row of the TOML table of `finding`.

        Args:
            finding: The finding's code.
            table: The row.
            without: Pattern on words that no row of the finding stands for.

        Raises:
            KeyError: `stages`, `example` or `source` is missing.
            ValueError: `stages` names no stage.
        """
        return cls(
            finding=finding,
            stages=frozenset(Stage(name) for name in table["stages"].split()),
            codes=tuple(table.get("codes", "").split()),
            enhanced=tuple(table.get("enhanced", "").split()),
            condition=Condition.parse(table),
            words=_joined(table.get("words", "")),
            without=_joined([*filter(None, (without, _joined(table.get("without", ""))))]),
            about=_joined(table.get("about", "")),
            reason=table.get("reason", False),
            faint=table.get("faint", False),
            clear=table.get("clear", False),
            facts=table.get("facts", {}),
            alternatives={
                name: [Alternative(*part) for part in parts]
                for name, parts in table.get("alternatives", {}).items()
            },
            example=table["example"],
            context=table.get("context", {}),
            source=table["source"],
        )

    @property
    def general(self) -> bool:
        """Whether it asks for no more than the class of the reply."""
        return (
            all(code.endswith("xx") for code in self.codes)
            and not (self.words or self.enhanced)
            and not self.condition.count
        )

    @property
    def _only_hints(self) -> bool:
        """Whether it asks for a code or for faint words, neither of which tells why."""
        return not self.general and (self.faint or not self.words)

    def match(self, stage: Stage, said: NormalisedReply, facts: Facts) -> Rank | None:
        """Return how specifically this row stands for the reply; None where it does not."""
        if stage not in self.stages or (said.is_fault and self._only_hints):
            return None
        # A reply meets a hundred rows: what tells most of them off at the least cost comes first.
        if (code := _code_exactness(self.codes, said.code)) is None:
            return None
        enhanced = _enhanced_exactness(self.enhanced, said.enhanced) if self.enhanced else _NONE
        if enhanced is None or not self.condition.holds(facts):
            return None
        found = self._search("words", said.words)
        if found is None or (self.without and self._search("without", said.words)):
            return None
        if self.about and said.words and not self._search("about", said.words):
            return None
        own = self.finding.startswith(f"{stage}.")
        if self.reason:
            cause = _REASON
        else:
            cause = _EXACT if self.clear or (self.words and not self.faint) else _NONE
        faint = _EXACT if self.faint else _NONE
        length = found.end() - found.start()
        return Rank(cause, self.condition.count, enhanced, code, faint, length, -found.start(), own)

    def _search(self, name: str, said: str) -> re.Match[str] | None:
        """Search the words of a reply for one of the patterns, by its name."""
        parts = self.alternatives.get(name) or alternatives_of(getattr(self, name))
        first = None
        for part in that_may_match(parts, said):
            found = compiled(part.pattern).search(said)
            if found and (first is None or found.start() < first.start()):
                first = found
        return first


def is_for(stage: Stage, kind: str, table: Mapping[str, Any]) -> bool:
    """Whether a row, not yet read, may stand for a reply of the class `kind` ("5") at `stage`."""
    kinds = {code[0] for code in table.get("codes", "").split()}
    return stage in table["stages"].split() and (not kinds or kind in kinds)


def may_be_general(table: Mapping[str, Any]) -> bool:
    """Whether a row, not yet read, may ask for no more than the class of the reply."""
    return _SPECIFIC.isdisjoint(table)


@cache
def alternatives_of(words: str) -> tuple[Alternative, ...]:
    """Return the alternatives of a pattern of the table, its classes expanded.

    They are made plain as the words of replies are, and in lower case as these.
    """
    return tuple(alternatives(plain(expanded(words))))


@cache
def compiled(pattern: str) -> re.Pattern[str]:
    """Return one of the `alternatives_of` the words.

    It begins where a word of theirs begins: so it takes a quarter of the time. Scripts that set no
    spaces have no such beginnings.
    """
    return re.compile(f"(?<![a-z])(?:{pattern})")


def plain(text: str) -> str:
    """Return `text` with single spaces, straight quotes and without accents.

    Servers write "boite" and "boîte", "ungueltig" and "ungültig", "don't" and "don’t", and break
    lines anywhere.
    """
    joined = _MISSPELT.sub("address", _HYPHENATED.sub("mailbox", " ".join(text.split())))
    joined = _SPELLED_OUT.sub(lambda stem: _UMLAUT.sub(r"\1", stem[0]), joined)
    return without_accents(joined)


def without_accents(text: str) -> str:
    """Return `text` with plain letters and straight quotes, as `plain` has them."""
    signs = text.translate(_SIGNS)
    if signs.isascii():
        return signs
    letters = filterfalse(unicodedata.combining, unicodedata.normalize("NFKD", signs))
    return "".join(letters).translate(_LETTERS)


def _without_guesses(words: str) -> str:
    return " ".join(
        sentence
        for sentence in _SENTENCE_END.split(words)
        if not (_ALTERNATIVE.search(sentence) and len(_GUESS.findall(sentence)) > 1)
    )


def _without_addresses(text: str) -> str:
    hosts = _PAGE.sub(r"\1", text)
    return _MAIL_ADDRESS.sub(_ANY_ADDRESS, hosts) if "@" in hosts else hosts


def _joined(words: str | list[str]) -> str:
    return words if isinstance(words, str) else "|".join(words)


def _hidden_enhanced(reply: Reply) -> str:
    candidates = [found[1] for line in reply.lines if (found := _ENHANCED_OF_LINE.match(line))]
    candidates += _ENHANCED_IN_WORDS.findall(reply.text[:_LONGEST_TEXT])
    kind = str(reply.code)[0]
    return next((code for code in candidates if code.startswith(kind)), "")


@lru_cache(_MANY)
def _code_exactness(codes: tuple[str, ...], code: int) -> int | None:
    if not codes:
        return _NONE
    text = str(code)
    if text in codes:
        return _EXACT
    return _BROAD if f"{text[0]}xx" in codes else None


@lru_cache(_MANY)
def _enhanced_exactness(wanted: tuple[str, ...], enhanced: str) -> int | None:
    kind, _, detail = enhanced.partition(".")
    ways = {f"{one}.{detail}" for one in (kind, _EITHER_CLASS)}
    if ways & set(wanted):
        return _EXACT
    subject = detail.partition(".")[0]
    ways = {f"{one}.{subject}" for one in (kind, _EITHER_CLASS)}
    return _BROAD if ways & set(wanted) else None
