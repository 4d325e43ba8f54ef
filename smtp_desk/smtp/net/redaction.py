"""Hiding a secret wherever a server echoes it, in any encoding."""

import base64
import re
import threading
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final, TypeAlias

from smtp_desk.core.stages import Json

HIDDEN: Final = "‹hidden›"

_MARK: Final = HIDDEN.encode()
# Shorter ones are hidden where they stand alone only: hiding each "a" of every word would
# leave nothing to read, and tell the secret by the holes.
_SHORT: Final = 4
# No password is longer. A pattern of thousands of letters takes seconds to make; tokens are found
# by their letters, since few notations change those.
_LONG: Final = 255
# Fewer letters of base64 than this stand in any text by chance.
_LEAST_CORE: Final = 4
# Tokens are hidden by the piece, passwords as a whole: a word of the server may begin as one.
_LEAST_TOKEN: Final = 64
_PIECE: Final = 8
# What so many AUTH exchanges sent is remembered: more than a pool of sessions has at once.
_MOST_ADDED: Final = 24
# Access tokens of one account; each holds for minutes at least.
_MOST_LEARNT: Final = 4
_BASE64_TAIL: Final = re.compile(rb"[A-Za-z0-9+/=_%-]*")
_LINE_BREAK: Final = rb"\n?"
# What is another letter, or none, in one of the spellings of a token.
_SPELLED: Final = re.compile(rb"%[0-9a-fA-F]{2}|\\/|[\n=]")
_ONE_ALPHABET: Final = bytes.maketrans(b"-_", b"+/")

_Find: TypeAlias = Callable[[bytes], Iterable[tuple[int, int]]]
"""Returns where a secret stands."""


class Redactor:
    """Knows the secrets of one account and hides them in texts of the server.

    Building the patterns of long secrets takes milliseconds, so all sessions of an account
    share one redactor; they may use it concurrently.

    A secret is found as it is, in upper or lower case, and character by character in percent,
    JSON, C, quoted-printable, HTML and hexadecimal notation, in any mixture; in base64 of both
    alphabets anywhere in a longer text (PLAIN's contains the username as well); and all of
    these across the lines of a reply. A secret longer than a password is found as it is, in
    percent notation and in base64; of a token, also a piece.
    """

    def __init__(self, *texts: str) -> None:
        """Hide `texts`; empty ones aren't secrets."""
        self._spelled: list[bytes] = []
        self._blobs: list[bytes] = []
        self._patterns: tuple[re.Pattern[bytes], re.Pattern[bytes]] | None = None
        self._lock = threading.Lock()
        self._long: list[bytes] = []
        self._added: dict[bytes, _Find] = {}
        self._learnt: dict[str, Redactor] = {}
        for value in (text.encode("utf-8", "surrogatepass") for text in texts if text):
            if len(value) <= _LONG:
                self._blobs += map(_blob, _base64_cores(value))
                self._spelled.append(_spellings(value))
            if len(value) >= _LEAST_TOKEN:
                self._long += [_Letters(each).octets for each in (value, *_base64_cores(value))]

    def add(self, blob: bytes) -> None:
        """Also hide this text of base64 or hexadecimal letters, which an AUTH exchange sent."""
        with self._lock:
            if not blob or blob in self._added:
                return
            # Replaced, never changed: others read it at this moment.
            latest = list(self._added.items())[1 - _MOST_ADDED :]
            self._added = dict([*latest, (blob, _finding(blob))])

    def learn(self, text: str) -> None:
        """Also hide this secret, like the first ones; the latest few are remembered."""
        with self._lock:
            if text and text not in self._learnt:
                latest = list(self._learnt.items())[1 - _MOST_LEARNT :]
                self._learnt = dict([*latest, (text, Redactor(text))])

    def lines(self, texts: tuple[bytes, ...]) -> tuple[bytes, ...]:
        """Return the lines of one reply with every secret hidden."""
        joined = b"\n".join(texts)
        spans = self._spans(joined)
        if not spans:
            return texts
        return tuple(_hide(joined, spans).split(b"\n"))

    def text(self, text: str) -> str:
        """Return a text with every secret hidden."""
        octets = text.encode("utf-8", "surrogatepass")
        spans = self._spans(octets)
        return _hide(octets, spans).decode("utf-8", "surrogatepass") if spans else text

    def json(self, value: Json) -> Json:
        """Return a JSON value with every secret hidden in its strings and names, at any depth."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, list):
            return [self.json(item) for item in value]
        if isinstance(value, dict):
            return {self.text(name): self.json(item) for name, item in value.items()}
        return value

    def _spans(self, octets: bytes) -> list[tuple[int, int]]:
        spelled, blobs = self._compiled()
        spans = [found.span() for found in spelled.finditer(octets)]
        found = [match.span() for match in blobs.finditer(octets)]
        if self._long:
            found += _Letters(octets).spans(self._long)
        for find in self._added.values():
            found += find(octets)
        for learnt in self._learnt.values():
            spans += learnt._spans(octets)  # noqa: SLF001 - its own class
        return _joined(spans + [_whole_blob(octets, *span) for span in found])

    def _compiled(self) -> tuple[re.Pattern[bytes], re.Pattern[bytes]]:
        patterns = self._patterns
        if patterns is None:
            patterns = (
                _any_of(self._spelled, re.IGNORECASE | re.DOTALL),
                _any_of(self._blobs, re.DOTALL),
            )
            self._patterns = patterns
        return patterns


def _any_of(patterns: Sequence[bytes], flags: int) -> re.Pattern[bytes]:
    # The longest first, or a secret that begins like another would leave its rest. None
    # at all makes a pattern that matches nowhere.
    longest_first = [
        pattern for _, pattern in sorted(((len(p), p) for p in patterns), reverse=True)
    ]
    return re.compile(b"|".join(longest_first) or rb"(?!)", flags)


def _spellings(value: bytes) -> bytes:
    """Return a pattern of `value` with each character in any notation."""
    try:
        characters = [(character.encode(), ord(character)) for character in value.decode()]
    except UnicodeDecodeError:
        characters = [(bytes([octet]), octet) for octet in value]
    spelled = _LINE_BREAK.join(_character(octets, point) for octets, point in characters)
    if len(characters) < _SHORT:
        return rb"(?<![^\W_])" + spelled + rb"(?![^\W_])"
    hexadecimal = _LINE_BREAK.join(b"%02x" % octet for octet in value)
    return spelled + b"|" + hexadecimal


def _character(octets: bytes, point: int) -> bytes:
    # No letter may be matched in two ways: an echo that is cut would be tried in all 2^n of them.
    either = {octets, *(each.encode("utf-8", "surrogatepass") for each in _cases(chr(point)))}
    cased = {each.lower() for each in either}
    ways = [
        rb"\\?" + b"(?:" + b"|".join(map(re.escape, sorted(cased))) + b")",
        b"".join(rb"(?:%%|=|\\x)%02x" % octet for octet in octets),
        rb"&#0*%d;?|&#x0*%x;?" % (point, point),
        _json_escape(point),
    ]
    if 0x80 <= point <= 0xFF:  # noqa: PLR2004 - one octet of Latin-1
        ways.append(re.escape(bytes([point])))
        ways.append(rb"%%%02x" % point)
    ways.extend(_NAMED.get(octets, ()))
    return b"(?:" + b"|".join(ways) + b")"


def _cases(character: str) -> tuple[str, str]:
    return character.lower(), character.upper()


def _json_escape(point: int) -> bytes:
    units = chr(point).encode("utf-16-be", "surrogatepass").hex().encode()
    return b"".join(rb"\\u" + units[at : at + 4] for at in range(0, len(units), 4))


_LETTERS: Final = {
    ord("+"): rb"(?:[+-]|%2[bB])",
    ord("/"): rb"(?:[/_]|%2[fF])",
    ord("="): rb"(?:=|%3[dD])?",
}
_NAMED: Final = {
    b" ": (rb"\+",),
    b'"': (b"&quot;",),
    b"'": (b"&apos;",),
    b"&": (b"&amp;",),
    b"<": (b"&lt;",),
    b">": (b"&gt;",),
}


class _Letters:
    """A text in one spelling of the letters of tokens, and where each of them stood in it."""

    def __init__(self, octets: bytes) -> None:
        pieces: list[bytes] = []
        # At these places of the spelling the text goes on at those places of its own.
        self._at, self._from = [0], [0]
        length = 0
        for match in _SPELLED.finditer(octets):
            letter = _letter_of(match[0])
            pieces += [octets[self._from[-1] : match.start()], letter]
            length += match.start() - self._from[-1] + len(letter)
            self._at.append(length)
            self._from.append(match.end())
        pieces.append(octets[self._from[-1] :])
        self.octets = b"".join(pieces).translate(_ONE_ALPHABET)

    def spans(self, wanted: Iterable[bytes]) -> Iterator[tuple[int, int]]:
        """Yield where any of these, in the same spelling, stands in the text, or a piece of it."""
        for letters in wanted:
            for start, end in (*self._whole(letters), *self._pieces(letters)):
                yield self._place(start), self._place(end - 1) + 1

    def _whole(self, letters: bytes) -> Iterator[tuple[int, int]]:
        start = self.octets.find(letters)
        while start >= 0:
            yield start, start + len(letters)
            start = self.octets.find(letters, start + len(letters))

    def _pieces(self, letters: bytes) -> Iterator[tuple[int, int]]:
        """Yield where so many letters stand in a row that it is no chance: a server cuts echoes."""
        first = last = 0
        for start in range(0, len(self.octets) + _PIECE, _PIECE):
            piece = self.octets[start : start + _PIECE]
            if len(piece) == _PIECE and piece in letters:
                first, last = (first if last == start else start), start + _PIECE
            elif last == start and last - first > _PIECE:
                yield first, last

    def _place(self, at: int) -> int:
        index = bisect_right(self._at, at) - 1
        return self._from[index] + at - self._at[index]


def _letter_of(spelled: bytes) -> bytes:
    letter = bytes.fromhex(spelled[1:].decode()) if spelled[:1] == b"%" else spelled[1:]
    return b"" if letter == b"=" else letter


def _finding(blob: bytes) -> _Find:
    if len(blob) >= _LEAST_TOKEN:
        letters = _Letters(blob).octets
        return lambda octets: _Letters(octets).spans([letters])
    pattern = re.compile(_blob(blob), re.DOTALL)
    return lambda octets: (match.span() for match in pattern.finditer(octets))


def _base64_cores(value: bytes) -> list[bytes]:
    """Return the letters that base64 of any blob holding `value` contains.

    Six bits make a letter, so a value can begin at three places of a letter group; the
    letters that depend on what stands before and after it are left out.
    """
    cores = []
    for offset in range(3):
        letters = base64.b64encode(bytes(offset) + value)
        first = (offset * 8 + 5) // 6
        last = (offset + len(value)) * 8 // 6
        core = letters[first:last]
        if len(core) >= _LEAST_CORE:
            cores.append(core)
    return cores


def _blob(letters: bytes) -> bytes:
    return _LINE_BREAK.join(map(_letter, letters))


def _letter(octet: int) -> bytes:
    return _LETTERS.get(octet) or re.escape(bytes([octet]))


def _whole_blob(octets: bytes, start: int, end: int) -> tuple[int, int]:
    """Stretch a hit to the whole run of base64 letters around it, on its own line."""
    line = octets.rfind(b"\n", 0, start) + 1
    before = _BASE64_TAIL.match(octets[line:start][::-1])
    after = _BASE64_TAIL.match(octets, end)
    return start - (before.end() if before else 0), after.end() if after else end


def _joined(spans: list[tuple[int, int]]) -> list[tuple[int, int]]:
    joined: list[tuple[int, int]] = []
    for start, end in sorted(spans):
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((start, end))
    return joined


def _hide(octets: bytes, spans: list[tuple[int, int]]) -> bytes:
    """Put the mark in place of each span; line breaks inside it stay."""
    pieces = []
    at = 0
    for start, end in spans:
        pieces += [_utf8(octets[at:start]), _MARK, b"\n" * octets.count(b"\n", start, end)]
        at = end
    return b"".join([*pieces, _utf8(octets[at:])])


def _utf8(octets: bytes) -> bytes:
    """Return octets as UTF-8, so that the mark beside them does not garble Latin-1."""
    try:
        octets.decode("utf-8", "surrogatepass")
    except UnicodeDecodeError:
        return octets.decode("latin-1").encode()
    return octets
