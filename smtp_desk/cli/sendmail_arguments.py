"""The command line of a sendmail, in its own spelling, made plain for Click.

Programs that call a sendmail write `-fann@example.org`, `-oem`, `-FCronDaemon`, `-ti`: values
behind the letter, options within options, letters in one word.
"""

from collections.abc import Iterator, Sequence
from typing import Final

import click

_FLAGS: Final = frozenset("tiv")
_TAKEN: Final = {"f": "-f", "r": "-f", "F": "-F"}
# Delivery notices, envelope ids, the body's type, modes of errors, other configurations: what
# is sent does not depend on them.
_IGNORED: Final = frozenset("GUmn")
_IGNORED_WITH_VALUE: Final = frozenset("ABCLNORVXehp")
_MODES: Final = {
    "s": "speaks no SMTP on standard input; give it one message",
    "p": "does not list what waits; “smtp-desk outbox list” does",
    "d": "is no server",
    "i": "has no aliases",
}


def plain_arguments(arguments: Sequence[str]) -> list[str]:
    """Return the same command line with each option as a word of its own, recipients last.

    What only concerns how a sendmail works inside (`-oem`, `-B8BITMIME`, `-N never`, …) is
    dropped.

    Raises:
        click.UsageError: An option asks for what a message can't be sent by, or is unknown.
    """
    if list(arguments) in (["-h"], ["--help"]):
        return ["--help"]
    options: list[str] = []
    recipients: list[str] = []
    words = iter(arguments)
    for word in words:
        if word == "--":
            recipients.extend(words)
        elif word.startswith("-") and word != "-":
            options.extend(_options(word, words))
        else:
            recipients.append(word)
    return [*options, "--", *recipients]


def _options(word: str, following: Iterator[str]) -> Iterator[str]:
    """Return the plain options that a word stands for; the next one may be its value."""
    for at, letter in enumerate(word[1:], start=2):
        if letter in _FLAGS:
            yield f"-{letter}"
        elif letter == "q":
            raise click.UsageError(
                f"{word}: this sendmail sends no waiting mail; “smtp-desk worker --once” does."
            )
        elif letter in _TAKEN or letter in "ob" or letter in _IGNORED_WITH_VALUE:
            value = word[at:] or next(following, None)
            if value is None:
                raise click.UsageError(f"Option -{letter} needs a value.")
            yield from _valued(letter, value)
            return
        elif letter not in _IGNORED:
            raise click.UsageError(f"No such option: {word}")


def _valued(letter: str, value: str) -> Iterator[str]:
    if letter in _TAKEN:
        yield from (_TAKEN[letter], value)
    elif letter == "o" and value == "i":
        yield "-i"
    elif letter == "b" and value != "m":
        why = _MODES.get(value[:1].lower(), "only takes a message")
        raise click.UsageError(f"-b{value}: this sendmail {why}.")
