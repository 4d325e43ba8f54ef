"""The language of this process: English texts, looked up in the catalogue that is in use.

A text is its English: gettext's `msgid`. Facts stand in it as `{names}`, and a sentence is one
text, never built of pieces: other languages have another order. `make messages` finds the texts by
the names of these functions. Texts that programs read (codes, JSON, logs, reports, the three
outcomes) stay English and don't come here.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Final, Protocol

ENGLISH: Final = "en"
OFFERED: Final[Mapping[str, str]] = {ENGLISH: "English"}
"""The languages that are complete, each by its own name."""

_PLACEHOLDER: Final = re.compile(r"\{([\w.:]+)\}")
_CODESET: Final = re.compile(r"[.@].*")
_UNTRANSLATED: Final = ("C", "POSIX")


class Messages(Protocol):
    """The texts of a language, as `gettext.GNUTranslations` has them."""

    def gettext(self, message: str, /) -> str:
        """Return the translation, or the message where there is none."""

    def ngettext(self, one: str, many: str, count: int, /) -> str:
        """Return the translation for this count, or one of the two where there is none."""

    def pgettext(self, context: str, message: str, /) -> str:
        """Return the translation in this context, or the message where there is none."""


class Text(str):
    """An English text that can still be translated: it knows its sentences and their facts.

    Attributes:
        sentences: Each with what stands in its `{placeholders}`, by their names.
    """

    __slots__ = ("sentences",)
    sentences: tuple[tuple[str, Mapping[str, str]], ...]

    @classmethod
    def of(cls, *sentences: tuple[str, Mapping[str, str]]) -> "Text":
        """Return the text of these sentences."""
        text = cls(" ".join(_fill(english, facts) for english, facts in sentences))
        text.sentences = sentences
        return text

    def with_facts(self, change: Callable[[str, str], str]) -> "Text":
        """Return it with its facts changed by name and value, and the words around them kept."""
        return type(self).of(
            *(
                (english, {name: change(name, fact) for name, fact in facts.items()})
                for english, facts in self.sentences
            )
        )


class _Language:
    """What the process speaks."""

    code = ENGLISH
    messages: Messages | None = None


def install(code: str, messages: Messages | None) -> None:
    """Speak this language from now on; English needs no messages."""
    _Language.code, _Language.messages = code, messages


def language() -> str:
    """Return the code of the language in use, "en" for English."""
    return _Language.code


def _(english: str, /, **facts: object) -> str:
    """Return a text in the language in use.

    Args:
        english: The text, or one that `mark` returned.
        facts: What stands in its `{placeholders}`. A value is put in as it is, braces in it are
            never read. One that is a `Text` is translated, and its last period goes where another
            follows. Without any, braces are left alone: a text of elsewhere may contain some.

    Raises:
        KeyError: The English text has placeholders, and facts for some of them.
    """
    if isinstance(english, Text):
        return " ".join(
            _translated(sentence, _look_up(sentence), known)
            for sentence, known in english.sentences
        )
    return _translated(english, _look_up(english), facts)


def plural(one: str, many: str, count: int, /, **facts: object) -> str:
    """Return the text for a count, in the language in use; `{count}` is the number.

    Args:
        one: English for exactly one, such as "1 email".
        many: English for any other number, such as "{count} emails".
        count: How many.
        facts: As of `_`.
    """
    english = one if count == 1 else many
    messages = _Language.messages
    said = messages.ngettext(one, many, count) if messages else english
    return _translated(english, said, {"count": number(count), **facts})


def pgettext(context: str, english: str, /, **facts: object) -> str:
    """Return a text that means different things in different contexts, as `_` does."""
    messages = _Language.messages
    return _translated(english, messages.pgettext(context, english) if messages else english, facts)


def mark(english: str, /, **facts: object) -> str:
    """Return a text in English that is translated later, where `_` gets it.

    For tables that are made before a language is chosen, and for texts that a report contains.
    """
    if not facts:
        return english
    return Text.of(
        (
            english,
            {name: fact if isinstance(fact, Text) else str(fact) for name, fact in facts.items()},
        )
    )


def told(error: BaseException, /) -> str:
    """Return what an error says, in the language in use: `str(error)` is the English of it."""
    said = error.args[0] if len(error.args) == 1 else None
    return _(said) if isinstance(said, Text) else _look_up(str(error))


def number(count: int) -> str:
    """Return a whole number as people write it in the language in use."""
    grouping = _("1,234")[1:-3]
    return f"{count:,}".replace(",", grouping)


def names_in(text: str) -> frozenset[str]:
    """Return the names that stand in braces."""
    return frozenset(_PLACEHOLDER.findall(text))


def language_of(environ: Mapping[str, str], offered: Mapping[str, str] = OFFERED) -> str:
    """Return the language that the variables of a terminal ask for, as gettext reads them.

    `LC_ALL`, `LC_MESSAGES` and `LANG` name the locale, the first that is set; unless it is C or
    POSIX, whatever its encoding, the list `LANGUAGE` comes before it.
    """
    names = ("LC_ALL", "LC_MESSAGES", "LANG")
    locale = next((environ[name] for name in names if environ.get(name)), "")
    if _CODESET.sub("", locale) in ("", *_UNTRANSLATED):
        return ENGLISH
    return first_offered([*environ.get("LANGUAGE", "").split(":"), locale], offered)


def first_offered(wanted: Sequence[str], offered: Mapping[str, str] = OFFERED) -> str:
    """Return the first language that is offered: "de" for "de_AT.UTF-8@euro" or "de-AT"."""
    for name in wanted:
        known = _CODESET.sub("", name).replace("-", "_")
        for code in (known, known.partition("_")[0]):
            if code in offered:
                return code
    return ENGLISH


def _look_up(english: str) -> str:
    messages = _Language.messages
    # gettext has the catalogue's own header under the empty text.
    return messages.gettext(english) if messages and english else english


def _translated(english: str, said: str, facts: Mapping[str, object]) -> str:
    # A catalogue that asks for what isn't known is not worth a failure.
    return _fill(said if names_in(said) <= facts.keys() else english, facts, _)


def _fill(text: str, facts: Mapping[str, object], read: Callable[[Text], str] = str) -> str:
    def fact(found: re.Match[str]) -> str:
        value = facts[found[1]]
        if not isinstance(value, Text):
            return str(value)
        # The sentence around a sentence ends with a period of its own.
        return read(value).removesuffix("." if text.startswith(".", found.end()) else "")

    return _PLACEHOLDER.sub(fact, text) if facts else text
