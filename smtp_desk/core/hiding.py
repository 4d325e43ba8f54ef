"""Remove email addresses and usernames from a report, so that others may see the rest.

They are found however a server wrote them back: in upper or lower case, percent-encoded,
quoted-printable, as xtext, entity, escape, base64 or hexadecimal, and with the domain in both
spellings. Host names, domains on their own and network addresses stay: they tell what was tested.
"""

import base64
import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import fields, is_dataclass, replace
from enum import Enum
from typing import Any, Final, TypeAlias, TypeVar

from smtp_desk.core.address import AddressError, parse_host
from smtp_desk.core.report import CheckReport
from smtp_desk.core.translation import Text

_T = TypeVar("_T")
_Place: TypeAlias = tuple[int, int]
_Span: TypeAlias = tuple[int, int, str]

_SOMEBODY: Final = ("from_email", "username", "recipient", "account")
"""Settings and facts that name somebody."""
_MOST_KNOWN: Final = 40
_LONGEST: Final = 320
_SHORTEST_WORD: Final = 3
_DEEPEST: Final = 3
# RFC 2142, and other words that tell nothing of a person: alone they stay.
_ROLE_WORDS: Final = (
    "info marketing sales support abuse noc security postmaster hostmaster usenet news webmaster "
    "www uucp ftp mail mails smtp email server admin administrator root noreply no-reply user "
    "username test account login password apikey office contact hello service system daemon "
    "mailer-daemon address"
)
_ROLES: Final = frozenset(_ROLE_WORDS.split())
_DELIMITERS: Final = frozenset(' \t\r\n\x00\x01<>()[],;:@"\N{FULLWIDTH COMMERCIAL AT}')
_AT: Final = "@\N{FULLWIDTH COMMERCIAL AT}"
_DOTS: Final = ".\u3002\uff0e\uff61"
_DOMAIN: Final = re.compile(rf"\[[0-9A-Za-z:.]{{2,50}}\]|[\w-]+(?:[{_DOTS}][\w-]+)*")
# An address is also written with "=", as in the sender of a bounce (VERP), or in words.
_SEPARATOR: Final = rf"(?:[{_AT}=]|\s*[(\[{{]at[)\]}}]\s*|\s+at\s+)"
_BEFORE: Final = r"(?<!\w)(?<!\w[.+'-])"
_AFTER_ADDRESS: Final = r"(?![\w-]|\.\w)"
_AFTER_WORD: Final = rf"(?!\w|[{_AT}.+-]\w)"
_NOTHING: Final = "(?!)"
_UNITS: Final = (
    re.compile(r"(?:%(?:25)*(?P<byte>[0-9A-Fa-f]{2}))"),  # RFC 3986, also encoded twice
    re.compile(r"(?:=(?P<byte>[0-9A-Fa-f]{2}))"),  # quoted-printable, SASL names
    re.compile(r"(?:\+(?P<byte>[0-9A-Fa-f]{2}))"),  # xtext (RFC 3461)
    re.compile(r"(?:\\x(?P<byte>[0-9A-Fa-f]{2}))"),
    re.compile(r"(?:\\u(?P<hex>[0-9A-Fa-f]{4}))"),
    re.compile(r"(?:&#(?:[xX]0*(?P<hex>[0-9A-Fa-f]{1,5})|0*(?P<decimal>[0-9]{1,6}));)"),
)
_RUN: Final = re.compile(r"[A-Za-z0-9+/_-]{6,}={0,2}")
_MIXED: Final = re.compile(r"[a-z].*[A-Z0-9]|[A-Z0-9].*[a-z]|=$")
_HEX: Final = re.compile(r"(?:[0-9A-Fa-f]{2}){3,}")
_IN_OCTETS: Final = re.compile(rb"[A-Za-z0-9._%+'-]{1,64}@(?:[A-Za-z0-9-]+\.)+[A-Za-z0-9-]{2,}")
_URL_SAFE: Final = str.maketrans("-_", "+/")


def without_addresses(*reports: CheckReport) -> tuple[CheckReport, ...]:
    """Return the reports with each email address and username replaced by a placeholder.

    An address has the same placeholder in all of them ("address 1"), however it is written.
    """
    hider = _Hider(name for report in reports for name in _who_is_named(report))
    return tuple(hider.hide(report) for report in reports)


class _Hider:
    """Knows who is named in a report, and the placeholder of each."""

    def __init__(self, names: Iterable[str]) -> None:
        self._placeholders: dict[str, str] = {}
        self._numbers = Counter[str]()
        self._done: dict[str, str] = {}
        self._runs: dict[str, str] = {}
        self._known = [name for name in dict.fromkeys(names) if name][:_MOST_KNOWN]
        for name in self._known:
            self._placeholder(name)
        self._known_addresses = self._pattern(_address_forms)
        self._known_words = self._pattern(_word_forms)

    def hide(self, value: _T) -> _T:
        """Return the report without addresses in its texts."""
        found: Any = value
        if isinstance(value, Enum):
            return value
        if isinstance(value, Text):
            found = value.with_facts(self._hide_fact)
            if self._hidden(found) != found:  # an address of which two facts are parts
                found = self._hidden(value)
        elif isinstance(value, str):
            found = self._done.get(value)
            if found is None:
                found = self._done[value] = self._hidden(value)
        elif is_dataclass(value) and not isinstance(value, type):
            names = [field.name for field in fields(value)]
            found = replace(value, **{name: self.hide(getattr(value, name)) for name in names})
        elif isinstance(value, Mapping):
            found = {self.hide(name): self._field(name, part) for name, part in value.items()}
        elif isinstance(value, tuple | list):
            found = type(value)(self.hide(each) for each in value)
        result: _T = found
        return result

    def _pattern(self, forms: Callable[[str], Iterator[str]]) -> re.Pattern[str]:
        """Return what finds all known names; a group is the number of its name, counted from 1."""
        groups = (f"({'|'.join((*forms(name), _NOTHING))})" for name in self._known)
        return re.compile("|".join((*groups, _NOTHING)), re.IGNORECASE)

    def _hide_fact(self, name: str, fact: str) -> str:
        hidden = self._field(name, fact)
        return hidden if isinstance(hidden, str) else ""

    def _field(self, name: str, value: object) -> object:
        """Hide a field; one that names somebody goes whole, however short the name is."""
        if name in _SOMEBODY and isinstance(value, str) and value:
            return self._placeholder(value)
        return self.hide(value)

    def _hidden(self, text: str, depth: int = 0) -> str:
        # Whole addresses first, however they are written: a word may be a part of one.
        for find in (self._in_addresses, self._in_words):
            for units in _UNITS:
                if units.search(text):
                    text = _replaced(text, *_decoded(text, units), find)
            text = _replaced(text, text, None, find)
        if depth < _DEEPEST:
            text = _RUN.sub(lambda run: self._run(run[0], depth), text)
            text = _HEX.sub(lambda run: self._octets(bytes.fromhex(run[0]), depth) or run[0], text)
        return text

    def _in_addresses(self, text: str) -> Iterator[_Span]:
        found = list(self._of_known(self._known_addresses, text))
        yield from found
        ends, at = [(start, end) for start, end, _ in found], 0
        for start, end in _addresses(text):
            while at < len(ends) and ends[at][1] <= start:
                at += 1
            if at == len(ends) or end <= ends[at][0]:
                yield start, end, self._placeholder(text[start:end])

    def _in_words(self, text: str) -> Iterator[_Span]:
        return self._of_known(self._known_words, text)

    def _of_known(self, pattern: re.Pattern[str], text: str) -> Iterator[_Span]:
        for found in pattern.finditer(text):
            yield *found.span(), self._placeholder(self._known[(found.lastindex or 1) - 1])

    def _run(self, run: str, depth: int) -> str:
        """Hide what may be base64, wherever in the run it begins."""
        if run not in self._runs:
            self._runs[run] = next(
                (hidden for octets in _from_base64(run) if (hidden := self._octets(octets, depth))),
                run,
            )
        return self._runs[run]

    def _octets(self, octets: bytes, depth: int) -> str:
        """Return decoded octets with who is named in them hidden; "" where nobody is."""
        for coding in ("utf-8", "latin-1"):
            text = octets.decode(coding, "replace")
            for find in (self._known_addresses, self._known_words):
                if (named := next(self._of_known(find, text), None)) is not None:
                    return named[2]
        # Among other octets, as where a run goes on behind it.
        if (found := _IN_OCTETS.search(octets)) is not None:
            return self._placeholder(found[0].decode())
        try:
            text = octets.decode("utf-8")
        except UnicodeDecodeError:
            return ""
        if not all(letter.isprintable() or letter in "\0\x01\t\r\n" for letter in text):
            return ""
        for start, end in _addresses(text):
            if "." in text[start:end]:
                return self._placeholder(text[start:end])
        hidden = self._hidden(text, depth + 1)
        return hidden if hidden != text else ""

    def _placeholder(self, name: str) -> str:
        if name not in self._placeholders:
            key = _key(name)
            if key not in self._placeholders:
                kind = "address" if "@" in key else "username"
                self._numbers[kind] += 1
                self._placeholders[key] = f"{kind} {self._numbers[kind]}"
            self._placeholders[name] = self._placeholders[key]
        return self._placeholders[name]


def _who_is_named(report: CheckReport) -> Iterator[str]:
    """Return the names of settings and facts, those of the settings first."""
    for facts in (report.settings, *(stage.facts for stage in report.stages)):
        yield from _named(facts)


def _named(value: object) -> Iterator[str]:
    if isinstance(value, Mapping):
        for name in _SOMEBODY:
            if isinstance(found := value.get(name), str):
                yield found
        for part in value.values():
            yield from _named(part)
    elif isinstance(value, list):
        for part in value:
            yield from _named(part)


def _address_forms(name: str) -> Iterator[str]:
    """Return patterns of how a known address is written, the longest domain first."""
    for spelled in _normalised(name):
        local, domain = _split(spelled)
        forms = {form for each in _spellings(domain) for form in _normalised(each)}
        for each in sorted(forms, key=len, reverse=True):
            yield f"{_BEFORE}{_literal(local)}{_SEPARATOR}{re.escape(each)}{_AFTER_ADDRESS}"


def _word_forms(name: str) -> Iterator[str]:
    """Return patterns of a known username, or of what stands before the @, alone."""
    for spelled in _normalised(name):
        local, domain = _split(spelled)
        for word in (local,) if domain else (local, re.split(r"[\\/]", local)[-1]):
            if len(word) >= _SHORTEST_WORD and word.casefold() not in _ROLES:
                yield f"{_BEFORE}{_literal(word)}{_AFTER_WORD}"


def _normalised(name: str) -> Iterable[str]:
    return dict.fromkeys(unicodedata.normalize(form, name) for form in ("NFC", "NFD"))


def _literal(text: str) -> str:
    """Return a pattern of a name; encoded words and forms write its blanks as signs."""
    return r"[ _+]".join(map(re.escape, text.split(" ")))


def _split(name: str) -> tuple[str, str]:
    """Return what stands before the @, and the domain; "" for a name without one."""
    local, _, domain = name.replace(_AT[1], _AT[0]).rpartition("@")
    return (local, domain) if local and domain else (name, "")


def _spellings(domain: str) -> set[str]:
    """Return how a domain is written: as it stands, for the wire, and for people."""
    try:
        host = parse_host(domain)
    except AddressError:
        return {domain} if domain else set()
    return {domain, host.ascii, host.unicode}


def _key(name: str) -> str:
    """Return what is equal for all spellings of one address."""
    local, domain = _split(unicodedata.normalize("NFC", name).casefold())
    return f"{local}@{min(_spellings(domain))}" if domain else local


def _from_base64(run: str) -> Iterator[bytes]:
    """Decode what may be base64: the name may begin at any of four letters."""
    if _MIXED.search(run) is None:
        return
    plain = run.rstrip("=").translate(_URL_SAFE)
    for skipped in range(4):
        chunk = plain[skipped:]
        chunk = chunk[: len(chunk) - (len(chunk) % 4 == 1)]
        yield base64.b64decode(chunk + "=" * (-len(chunk) % 4))


def _replaced(
    text: str, view: str, places: Sequence[_Place] | None, find: Callable[[str], Iterator[_Span]]
) -> str:
    """Return `text` without what is found in `view`, whose letters stand at `places` of it."""
    parts, at = list[str](), 0
    for start, end, placeholder in sorted(find(view)):
        first, last = (start, end) if places is None else (places[start][0], places[end - 1][1])
        parts += text[at:first], placeholder
        at = last
    return "".join((*parts, text[at:])) if parts else text


def _addresses(text: str) -> Iterator[tuple[int, int]]:
    """Return where addresses stand: as much before an @ as can belong to it, and its domain."""
    before = 0
    for at in re.finditer(f"[{_AT}]", text):
        domain = _DOMAIN.match(text, at.end())
        start = _start(text, at.start(), max(before, at.start() - _LONGEST))
        if domain is not None and start < at.start():
            before = domain.end()
            yield start, domain.end()


def _start(text: str, end: int, least: int) -> int:
    """Return where the part before the @ at `end` begins."""
    if end > least and text[end - 1] == '"':
        opened = text.rfind('"', least, end - 1)
        return opened if opened >= 0 else end
    start = end
    while start > least and text[start - 1] not in _DELIMITERS:
        start -= 1
    return start


def _decoded(text: str, units: re.Pattern[str]) -> tuple[str, list[_Place]]:
    """Return the text with its encoded letters decoded, and where each letter stood."""
    view, places, at = list[str](), list[_Place](), 0
    for run in re.finditer(f"{_unnamed(units)}+", text):
        for place in range(at, run.start()):
            view.append(text[place])
            places.append((place, place + 1))
        for letter, start, end in _letters(text, units, run.span()):
            view.append(letter)
            places.append((start, end))
        at = run.end()
    view.append(text[at:])
    places += [(place, place + 1) for place in range(at, len(text))]
    return "".join(view), places


def _unnamed(units: re.Pattern[str]) -> str:
    return re.sub(r"\(\?P<\w+>", "(?:", units.pattern)


def _letters(
    text: str, units: re.Pattern[str], span: tuple[int, int]
) -> Iterator[tuple[str, int, int]]:
    """Decode a run of encoded letters: one may take several octets."""
    octets, places = bytearray(), list[_Place]()
    for unit in units.finditer(text, *span):
        told = unit.groupdict()
        if told.get("byte") is None:
            number = int(told["hex"], 16) if told.get("hex") else int(told["decimal"])
            yield (chr(number) if number < 0x110000 else "\ufffd"), *unit.span()  # noqa: PLR2004
            continue
        octets.append(int(told["byte"], 16))
        places.append(unit.span())
    at = 0
    for letter in octets.decode("utf-8", "surrogateescape"):
        length = len(letter.encode("utf-8", "surrogateescape"))
        plain = chr(ord(letter) - 0xDC00) if "\udc80" <= letter <= "\udcff" else letter
        yield plain, places[at][0], places[at + length - 1][1]
        at += length
