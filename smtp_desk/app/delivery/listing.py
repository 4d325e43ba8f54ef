"""The list of the outbox in parts: as far as a person scrolled, and no more.

Entries are read by their place among the identifiers, never by number: what others add or remove
meanwhile neither shifts nor repeats a row.

What has to change in a long list so that it shows the newest state, and nothing more.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from enum import Enum, auto
from itertools import groupby
from typing import Final

from smtp_desk.app.delivery.rows import ID, DeliveryRow, row_of
from smtp_desk.app.delivery.words import Cause
from smtp_desk.sender.outbox.outbox import OutboxRecords, Query

PAGE: Final = 50
"""Rows that are read at once: few, for Python makes them while nothing else runs in it."""
_MOST_NEW_PAGES: Final = 20


@dataclass(frozen=True, slots=True)
class Part:
    """All rows between two entries, which replace what a list shows there.

    Attributes:
        rows: The rows, newest first.
        above: The entry above the first one, not part of it; "" for the top of the list.
        until: The last entry, part of it; "" for the end of the list.
        anew: Whether it replaces the whole list.
    """

    rows: tuple[DeliveryRow, ...]
    above: str = ""
    until: str = ""
    anew: bool = False


@dataclass(frozen=True, slots=True)
class Span:
    """The visible part of a list.

    Attributes:
        above: The entry above the first visible one; "" at the top.
        last: The last visible entry.
        count: The number of visible entries.
    """

    above: str = ""
    last: str = ""
    count: int = 0


@dataclass(frozen=True, slots=True)
class Listing:
    """How far a list has been read.

    Attributes:
        query: The entries that are listed.
        newest: The newest entry that was read; "" for none.
        bottom: The oldest entry that was read.
        next: Where to read on; None if the end was read.
    """

    query: Query
    newest: str = ""
    bottom: str = ""
    next: str | None = None

    def after(self, part: Part) -> "Listing":
        """Return the listing once `part` is shown."""
        last = part.rows[-1][ID] if part.rows else ""
        newest = max(self.newest, part.rows[0][ID]) if part.rows else self.newest
        if not part.until:
            return replace(self, newest=newest, bottom=last or self.bottom, next=None)
        if not self.bottom or part.until <= self.bottom:
            return replace(self, newest=newest, bottom=part.until, next=part.until)
        return replace(self, newest=newest)


class ListReader:
    """Reads parts of the outbox's list; each call asks the storage, so not in a face's thread.

    Args:
        records: The outbox.
        cause: Names the findings.
    """

    def __init__(self, records: OutboxRecords, cause: Cause) -> None:
        self._records = records
        self._cause = cause

    def first(self, query: Query) -> tuple[Part, Listing]:
        """Read the top of a new list."""
        part = replace(self._read(query, "", PAGE), anew=True)
        return part, Listing(query).after(part)

    def more(self, listing: Listing) -> tuple[Part, Listing]:
        """Read on at the end."""
        part = self._read(listing.query, listing.next or "", PAGE)
        return part, listing.after(part)

    def again(self, listing: Listing, span: Span) -> tuple[tuple[Part, ...], Listing]:
        """Read what is new at the top, and what is visible."""
        parts = [self._read(listing.query, "", PAGE)]
        while parts[-1].until > listing.newest:
            if len(parts) == _MOST_NEW_PAGES:
                rows = tuple(row for part in parts for row in part.rows)
                part = Part(rows, until=parts[-1].until, anew=True)
                return (part,), Listing(listing.query).after(part)
            parts.append(self._read(listing.query, parts[-1].until, PAGE))
        known = parts[-1].until
        if known and span.count and span.last < known:
            above = min(span.above or known, known)
            parts.append(self._read(listing.query, above, span.count + 1))
        for part in parts:
            listing = listing.after(part)
        return tuple(parts), listing

    def _read(self, query: Query, above: str, limit: int) -> Part:
        page = self._records.page(query, before=above or None, limit=limit)
        rows = tuple(row_of(entry, self._cause) for entry in page.entries)
        return Part(rows, above, page.next or "")


@dataclass(frozen=True, slots=True)
class Edit:
    """A change of a list: the rows from `start` to before `end` become `rows`.

    Rows go (none come), or come (none go), or stay the same entries with new contents
    (as many come as go).
    """

    start: int
    end: int
    rows: tuple[DeliveryRow, ...]


class _StepKind(Enum):
    SAME = auto()
    CHANGED = auto()
    GONE = auto()
    NEW = auto()


@dataclass(frozen=True, slots=True)
class _Step:
    kind: _StepKind
    index: int
    row: DeliveryRow


def edits(old: Sequence[DeliveryRow], new: Sequence[DeliveryRow]) -> list[Edit]:
    """Return the edits that turn `old` into `new`, both newest first; apply the last one first.

    An entry that stays is never removed from the list, so that it remains selected.
    """
    found = []
    for kind, steps in groupby(_steps(old, new), lambda step: step.kind):
        group = list(steps)
        if kind is not _StepKind.SAME:
            end = group[-1].index + (kind is not _StepKind.NEW)
            rows = () if kind is _StepKind.GONE else tuple(step.row for step in group)
            found.append(Edit(group[0].index, end, rows))
    return found


def place(rows: Sequence[DeliveryRow], entry_id: str, *, behind: bool = False) -> int:
    """Return the index that `entry_id` has, or would have, in `rows`, newest first.

    Args:
        rows: The list.
        entry_id: The entry.
        behind: Return the index after it instead.
    """
    low, high = 0, len(rows)
    while low < high:
        middle = (low + high) // 2
        before = rows[middle][ID] >= entry_id if behind else rows[middle][ID] > entry_id
        low, high = (middle + 1, high) if before else (low, middle)
    return low


def _steps(old: Sequence[DeliveryRow], new: Sequence[DeliveryRow]) -> Iterator[_Step]:
    """Walk both lists, which are sorted alike, side by side."""
    left = right = 0
    while left < len(old) or right < len(new):
        if right == len(new) or (left < len(old) and old[left][ID] > new[right][ID]):
            yield _Step(_StepKind.GONE, left, old[left])
            left += 1
        elif left == len(old) or old[left][ID] < new[right][ID]:
            yield _Step(_StepKind.NEW, left, new[right])
            right += 1
        else:
            kind = _StepKind.SAME if old[left] == new[right] else _StepKind.CHANGED
            yield _Step(kind, left, new[right])
            left, right = left + 1, right + 1
