"""Texts that read well whatever is known: parts with conditions and placeholders.

A text is a list of sentences. A sentence may have alternatives; the first one whose
condition holds and whose `{placeholders}` are all known is taken, and a sentence without
such an alternative is left out. So a text never shows a brace or a gap.

The name in a certificate, as a person would say it.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from smtp_desk.core.stages import Facts, Json

_PLACEHOLDER: Final = re.compile(r"\{(\w+)\}")
_LONGEST_VALUE: Final = 200
_MOST_ITEMS: Final = 5


@dataclass(frozen=True, slots=True)
class Condition:
    """What must be known for a part to apply.

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
        """How many facts it asks for."""
        return len(self.when) + len(self.unless)

    def holds(self, facts: Facts) -> bool:
        """Whether `facts` satisfy it."""
        return all(_is(facts.get(name), wanted) for name, wanted in self.when.items()) and not any(
            _is(facts.get(name), wanted) for name, wanted in self.unless.items()
        )


@dataclass(frozen=True, slots=True)
class Part:
    """One way to say a sentence."""

    text: str
    condition: Condition = field(default_factory=Condition)

    def fill(self, facts: Facts) -> str | None:
        """Return the sentence, or None where it does not apply or a placeholder is unknown."""
        return fill(self.text, facts) if self.condition.holds(facts) else None


@dataclass(frozen=True, slots=True)
class Wording:
    """A text: sentences, each with its alternatives in the order of preference."""

    sentences: tuple[tuple[Part, ...], ...]

    @classmethod
    def parse(cls, value: Any) -> "Wording":  # noqa: ANN401 - what a TOML file holds
        """Read a text, or a list of sentences; a sentence is a text, a table or a list of these."""
        sentences = value if isinstance(value, list) else [value]
        return cls(tuple(_alternatives(sentence) for sentence in sentences))

    def fill(self, facts: Facts) -> str:
        """Return the text with the sentences that apply."""
        said = (
            next((text for part in parts if (text := part.fill(facts)) is not None), None)
            for parts in self.sentences
        )
        return " ".join(sentence for sentence in said if sentence)


def placeholders(text: str) -> frozenset[str]:
    """Return the names in braces."""
    return frozenset(_PLACEHOLDER.findall(text))


def fill(text: str, facts: Facts) -> str | None:
    """Put facts in place of `{names}`; None where one is unknown.

    A value is put in as it is: braces in what a server sent are never read as placeholders.
    """
    values = {name: _shown(facts.get(name)) for name in placeholders(text)}
    if not all(values.values()):
        return None
    return _PLACEHOLDER.sub(lambda found: values[found[1]], text)


def _alternatives(value: Any) -> tuple[Part, ...]:  # noqa: ANN401 - what a TOML file holds
    if isinstance(value, str):
        return (Part(value),)
    if isinstance(value, Mapping):
        return (Part(value["text"], Condition.parse(value)),)
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
    if value is None or isinstance(value, bool | dict):
        return ""
    if isinstance(value, list):
        items = [shown for item in value if (shown := _shown(item))]
        more = len(items) - _MOST_ITEMS
        return ", ".join(items[:_MOST_ITEMS]) + (f" and {more} more" if more > 0 else "")
    # The sentence around it ends with a period of its own.
    text = " ".join(str(value).split()).removesuffix(".")
    return text if len(text) <= _LONGEST_VALUE else f"{text[: _LONGEST_VALUE - 1]}…"


_PART: Final = re.compile(r"\s*(?P<kind>[A-Za-z][A-Za-z0-9-]*|[0-9.]+)=(?P<value>(?:\\.|[^\\,+])*)")
_ESCAPED: Final = re.compile(r"\\(.)")


def plain_name(name: str) -> str:
    """Return the common name and, in brackets, the organisation: "Example CA (Example Ltd)".

    Args:
        name: As RFC 4514 writes it: "CN=Example CA,O=Example Ltd"; what has neither of both,
            or is no such name, is returned as it is.
    """
    said: dict[str, list[str]] = {"CN": [], "O": []}
    at = 0
    while (part := _PART.match(name, at)) is not None:
        said.setdefault(part["kind"].upper(), []).append(_ESCAPED.sub(r"\1", part["value"]))
        at = part.end() + 1
    common, organisation = (", ".join(filter(None, said[kind])) for kind in ("CN", "O"))
    if at <= len(name) or not (common or organisation):
        return name
    return f"{common} ({organisation})" if common and organisation else common or organisation
