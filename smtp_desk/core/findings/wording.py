"""Texts that read well whatever is known: parts with conditions and placeholders.

A text is a list of sentences. A sentence may have alternatives; the first one whose
condition holds and whose `{placeholders}` are all known is taken, and a sentence without
such an alternative is left out. So a text never shows a brace or a gap.

A placeholder is the name of a fact, `{host}`, or of a part of one, `{expires_soon.days}`. Behind a
colon stands how it reads: `{since:day}`, `{clock:minute}`, `{issuer:name}`, `{violation:plain}`.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from smtp_desk.core.stages import Facts, Json
from smtp_desk.core.translation import Text, mark

_PLACEHOLDER: Final = re.compile(r"\{(\w+)(?:\.(\w+))?(?::(\w+))?\}")
_LONGEST_VALUE: Final = 200
_MOST_ITEMS: Final = 5


@dataclass(frozen=True, slots=True)
class Condition:
    """The facts that must be known for a part of a text to apply.

    Attributes:
        when: Fact to what it must be: True for known and not empty, False for
            known and empty, a text for that value (or a list that holds it), a list for one of
            several such texts. Texts are compared without regard to case.
        unless: As `when`; none of them may hold.
    """

    when: Mapping[str, Json] = field(default_factory=dict)
    unless: Mapping[str, Json] = field(default_factory=dict)

    @classmethod
    def parse(cls, table: Mapping[str, Any]) -> "Condition":
        """Read the keys `when` and `unless` of a table."""
        return cls(table.get("when", {}), table.get("unless", {}))

    @property
    def count(self) -> int:
        """The number of facts it requires."""
        return len(self.when) + len(self.unless)

    def holds(self, facts: Facts) -> bool:
        """Whether `facts` satisfy it."""
        if not (self.when or self.unless):
            return True
        return all(_is(facts.get(name), wanted) for name, wanted in self.when.items()) and not any(
            _is(facts.get(name), wanted) for name, wanted in self.unless.items()
        )


@dataclass(frozen=True, slots=True)
class Phrase:
    """One way to say a sentence."""

    text: str
    condition: Condition = field(default_factory=Condition)

    def fill(self, facts: Facts) -> Text | None:
        """Return the sentence, or None where it does not apply or a placeholder is unknown."""
        return fill(self.text, facts) if self.condition.holds(facts) else None


@dataclass(frozen=True, slots=True)
class Wording:
    """A text: sentences, each with its alternatives in the order of preference."""

    sentences: tuple[tuple[Phrase, ...], ...]

    @classmethod
    def parse(cls, value: Any) -> "Wording":  # noqa: ANN401 - what a TOML file holds
        """Read a text, or a list of sentences; a sentence is a text, a table or a list of these."""
        sentences = value if isinstance(value, list) else [value]
        return cls(tuple(_alternatives(sentence) for sentence in sentences))

    @property
    def texts(self) -> Iterator[str]:
        """Every way to say each of its sentences."""
        return (phrase.text for phrases in self.sentences for phrase in phrases)

    def fill(self, facts: Facts) -> Text:
        """Return the text with the sentences that apply, in English."""
        said = (
            next((text for part in parts if (text := part.fill(facts)) is not None), None)
            for parts in self.sentences
        )
        return Text.of(*(part for text in said if text is not None for part in text.sentences))


def placeholders(text: str) -> frozenset[str]:
    """Return the names of the facts in braces."""
    return frozenset(found[1] for found in _PLACEHOLDER.finditer(text))


def fill(text: str, facts: Facts) -> Text | None:
    """Replace `{names}` by facts; None where one is unknown.

    A value is put in as it is: braces in what a server sent are never read as placeholders.
    """
    values = {found[0][1:-1]: _value(found, facts) for found in _PLACEHOLDER.finditer(text)}
    return Text.of((text, values)) if all(values.values()) else None


def _value(placeholder: re.Match[str], facts: Facts) -> str:
    name, part, reads = placeholder.groups()
    value = facts.get(name)
    if part:
        value = value.get(part) if isinstance(value, dict) else None
    if reads and isinstance(value, str):
        value = _READS[reads](value)
    return _shown(value)


def _alternatives(value: Any) -> tuple[Phrase, ...]:  # noqa: ANN401 - what a TOML file holds
    if isinstance(value, str):
        return (Phrase(value),)
    if isinstance(value, Mapping):
        return (Phrase(value["text"], Condition.parse(value)),)
    return tuple(part for item in value for part in _alternatives(item))


def _is(value: Json, wanted: Json) -> bool:
    if isinstance(wanted, bool):
        return value is not None and bool(value) is wanted
    if isinstance(wanted, list):
        return any(_is(value, one) for one in wanted)
    if isinstance(value, list):
        return any(_is(one, wanted) for one in value)
    return value is not None and str(value).casefold() == str(wanted).casefold()


def _shown(value: Json) -> str:
    """Return a fact as it stands in a sentence; "" for what can't be shown."""
    if value is None or isinstance(value, bool):
        return ""
    if isinstance(value, list):
        items = [shown for item in value if (shown := _shown(item))]
        more = len(items) - _MOST_ITEMS
        shown = _listed(items[:_MOST_ITEMS])
        return mark("{items} and {count} more", items=shown, count=more) if more > 0 else shown
    if isinstance(value, dict):
        return _shown_record(value)
    if isinstance(value, Text):
        return value
    # The sentence around it ends with a period of its own.
    text = " ".join(str(value).split()).removesuffix(".")
    return text if len(text) <= _LONGEST_VALUE else f"{text[: _LONGEST_VALUE - 1]}…"


def _listed(items: list[str]) -> str:
    """Return items with commas between them; what can be translated still can."""
    places = ", ".join(f"{{{number}}}" for number in range(len(items)))
    return Text.of((places, {str(number): item for number, item in enumerate(items)}))


def _shown_record(value: dict[str, Json]) -> str:
    """Return what a record tells: "192.0.2.1 (refused)", "key usage missing (CN=Example CA)"."""
    match value:
        case {"address": str(address), "result": "failed", "reason": str(reason)}:
            return f"{address} ({reason})"
        case {"address": str(address), "result": str(result)}:
            return mark("{address} ({result})", address=address, result=_plain(result))
        case {"problem": str(problem), "certificate": str(certificate)}:
            return mark(
                "{problem} ({certificate})", problem=_plain(problem), certificate=certificate
            )
    return ""


def _plain(code: str) -> str:
    words = code.replace("_", " ")
    return Text.of((words, {})) if words in _WORDS else words


_WORDS: Final = frozenset(
    {
        # Translators: how connecting to an address ended, in brackets behind it.
        mark("not tried"),
        mark("no answer"),
        mark("connected"),
        mark("refused"),
        mark("unreachable"),
        mark("failed"),
        # Translators: how a server violated the protocol.
        mark("not a reply"),
        mark("mixed codes"),
        mark("missing last line"),
        mark("line too long"),
        mark("reply too long"),
        mark("unexpected reply"),
        mark("injected data"),
        # Translators: where a certificate breaks the rules; the names of fields stay English.
        mark("basic constraints not critical"),
        mark("key usage missing"),
        mark("subject key identifier missing"),
        mark("authority key identifier missing"),
    }
)
"""Facts that are codes and read as words."""


def _day(moment: str) -> str:
    return moment.partition("T")[0]


def _minute(moment: str) -> str:
    return f"{moment.replace('T', ' ')[:16]} UTC"


_PART: Final = re.compile(r"\s*(?P<kind>[A-Za-z][A-Za-z0-9-]*|[0-9.]+)=(?P<value>(?:\\.|[^\\,+])*)")
_ESCAPED: Final = re.compile(r"\\(.)")


def plain_name(name: str) -> str:
    """Return the common name and, in brackets, the organization: "Example CA (Example Ltd)".

    Args:
        name: As RFC 4514 writes it: "CN=Example CA,O=Example Ltd". A name with neither part, or
            one that isn't such a name, is returned unchanged.
    """
    said: dict[str, list[str]] = {"CN": [], "O": []}
    at = 0
    while (part := _PART.match(name, at)) is not None:
        said.setdefault(part["kind"].upper(), []).append(_ESCAPED.sub(r"\1", part["value"]))
        at = part.end() + 1
    common, organization = (", ".join(filter(None, said[kind])) for kind in ("CN", "O"))
    if at <= len(name) or not (common or organization):
        return name
    return f"{common} ({organization})" if common and organization else common or organization


_READS: Final[Mapping[str, Callable[[str], str]]] = {
    "day": _day,
    "minute": _minute,
    "name": plain_name,
    "plain": _plain,
}
