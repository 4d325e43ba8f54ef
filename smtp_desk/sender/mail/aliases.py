"""The aliases table: who receives the mail for local names such as root (as in aliases(5))."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Self

from smtp_desk.core.reply import visible
from smtp_desk.sender.mail.address_list import AddressListError, addresses

LOCALHOST: Final = "localhost"
_DEFAULT: Final = "default"
_DEEPEST: Final = 10


class AliasLoopError(ValueError):
    """Aliases lead to each other, or are nested too deep; the message says which."""


@dataclass(frozen=True, slots=True)
class Aliases:
    """Who receives the mail for names of this machine.

    Attributes:
        entries: For each name in lower case its addresses; `default` for names without.
        hosts: The domains, in lower case, whose addresses are names of this machine.
        problems: Entries of the table that can't be used, one sentence each.
    """

    entries: Mapping[str, Sequence[str]] = field(default_factory=dict)
    hosts: frozenset[str] = frozenset({LOCALHOST})
    problems: tuple[str, ...] = ()

    @classmethod
    def parse(cls, text: str, hosts: frozenset[str] = frozenset({LOCALHOST})) -> Self:
        """Read a table: `name: address, …`, continuation lines indented, comments after `#`.

        Only addresses and other names are allowed: no program, file or list is read or run.
        """
        entries: dict[str, list[str]] = {}
        problems: list[str] = []
        for number, line in _logical_lines(text):
            name, colon, listed = line.partition(":")
            name = name.strip().strip('"').lower()
            try:
                targets = addresses(listed) if ":include:" not in listed else None
            except AddressListError:
                targets = None
            if not name or not colon or not targets or any(map(_is_no_address, targets)):
                shown = visible(line.strip())
                problems.append(f"Line {number} of the aliases isn’t “name: address”: {shown}")
            else:
                entries.setdefault(name, []).extend(targets)
        return cls(entries, hosts, tuple(problems))

    def local_name(self, address: str) -> str:
        """Return the local name that an address stands for; "" for other addresses."""
        name, at, domain = address.rpartition("@")
        if not at:
            return "" if address.startswith("=?") else address
        return name if domain.lower().rstrip(".") in self.hosts else ""

    def expand(self, address: str) -> list[str]:
        """Return who receives the mail for an address: itself, unless it is a name with an alias.

        Raises:
            AliasLoopError: Aliases lead to each other, or are nested too deep.
        """
        return list(dict.fromkeys(self._expand(address, ())))

    def _expand(self, address: str, above: tuple[str, ...]) -> Iterator[str]:
        name = self.local_name(address).lower()
        targets = self.entries.get(name, self.entries.get(_DEFAULT, ())) if name else ()
        if not targets or (above and above[-1] == name):  # an alias of its own name ends there
            yield address
            return
        if name in above or len(above) == _DEEPEST:
            raise AliasLoopError(f"The aliases lead in a circle: {' > '.join((*above, name))}.")
        for target in targets:
            yield from self._expand(target, (*above, name))


def _logical_lines(text: str) -> Iterator[tuple[int, str]]:
    """Yield each entry with the number of its first line."""
    entry, first = "", 0
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        if line[0] in " \t" and entry:
            entry += line
            continue
        if entry:
            yield first, entry
        entry, first = line, number
    if entry:
        yield first, entry


def _is_no_address(target: str) -> bool:
    return target.startswith(("|", "/", '"|', '"/', ":")) or not target
