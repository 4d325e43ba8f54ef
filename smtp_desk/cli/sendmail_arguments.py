"""The command line of a sendmail, normalized.

Programs that call one write `-fann@example.org`, `-oem`, `-FCronDaemon`, `-ti`: values right after
the letter, options within options, several letters in one word.

Keep this module light: sending through the system-wide socket reads it without Click.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Self

from smtp_desk.core.translation import mark

_FLAGS: Final = frozenset("tiv")
_TAKEN: Final = {"f": "-f", "r": "-f", "F": "-F"}
# Delivery status notices, envelope ids, the body's type, modes of errors, other configurations:
# what is sent does not depend on them.
_IGNORED: Final = frozenset("GUmn")
_IGNORED_WITH_VALUE: Final = frozenset("ABCLNRVXehp")
_DELIVERIES: Final = {"i": "i", "b": "b", "q": "q", "d": "q"}
_DELIVERY_MODE: Final = "deliverymode="
MODES: Final = "mspi"


_HELP: Final = "--help"
_SET: Final = {"-t": "from_header", "-i": "ignore_dots", "-v": "verbose", "-q": "due"}
_GIVEN: Final = {"-f": "sender", "-F": "full_name", "-b": "mode"}


class ArgumentsError(ValueError):
    """An option asks for something impossible, or is unknown; the message says which."""


def plain_arguments(arguments: Sequence[str]) -> list[str]:
    """Return the same command line with each option as a separate word, and recipients last.

    Options about the internals of a sendmail (`-oem`, `-B8BITMIME`, `-N never`, …) are dropped.

    Raises:
        ArgumentsError: An option asks for something impossible, or is unknown.
    """
    if list(arguments) in (["-h"], [_HELP]):
        return [_HELP]
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
        elif letter == "q":  # what follows names an interval or a part of the queue
            yield "-q"
            return
        elif letter in _TAKEN or letter in "obO" or letter in _IGNORED_WITH_VALUE:
            value = word[at:] or next(following, None)
            if value is None:
                raise ArgumentsError(mark("Option -{letter} needs a value.", letter=letter))
            yield from _valued(letter, value)
            return
        elif letter not in _IGNORED:
            raise ArgumentsError(mark("No such option: {word}", word=word))


def _valued(letter: str, value: str) -> Iterator[str]:
    if letter in _TAKEN:
        yield from (_TAKEN[letter], value)
    elif letter == "o" and value == "i":
        yield "-i"
    elif letter == "o" and value[:1] == "d" and value[1:2] in _DELIVERIES:
        yield from ("--delivery", _DELIVERIES[value[1:2]])
    elif letter == "O" and value.lower().startswith(_DELIVERY_MODE):
        mode = value[len(_DELIVERY_MODE) :].lower()[:1]
        if mode in _DELIVERIES:
            yield from ("--delivery", _DELIVERIES[mode])
    elif letter == "b" and value not in tuple(MODES):
        if value[:1].lower() == "d":
            raise ArgumentsError(mark("-b{mode}: this sendmail isn’t a server.", mode=value))
        raise ArgumentsError(mark("-b{mode}: this sendmail has no such mode.", mode=value))
    elif letter == "b" and value != "m":
        yield from ("-b", value)


@dataclass(slots=True)
class SendmailArguments:
    """What a command line asks for.

    Attributes:
        recipients: The recipients.
        from_header: Whether To, Cc and Bcc name further recipients.
        ignore_dots: Whether a dot alone on a line doesn't end the message.
        sender: The envelope sender as given, or None.
        full_name: The display name for a From without one.
        verbose: Whether to print the result for each recipient.
        mode: One of `MODES`.
        due: Whether to send what is due.
    """

    recipients: tuple[str, ...] = ()
    from_header: bool = False
    ignore_dots: bool = False
    sender: str | None = None
    full_name: str = ""
    verbose: bool = False
    mode: str = "m"
    due: bool = False

    @classmethod
    def parse(cls, arguments: Sequence[str]) -> Self:
        """Read a command line.

        Raises:
            ArgumentsError: It asks for something impossible, or for help.
        """
        found = cls()
        words = iter(plain_arguments(arguments))
        for word in words:
            if word == "--":
                found.recipients = tuple(words)
            elif word in _SET:
                setattr(found, _SET[word], True)
            elif word in _GIVEN:
                setattr(found, _GIVEN[word], argument_text(next(words)))
            elif word == _HELP:
                raise ArgumentsError(word)
            else:  # when to send is the worker's matter
                next(words)
        return found


def argument_text(value: str) -> str:
    """Return a value of the command line; octets that aren't UTF-8 are read as Latin-1."""
    octets = value.encode("utf-8", "surrogateescape")
    try:
        return octets.decode()
    except UnicodeDecodeError:
        return octets.decode("latin-1")
