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
from smtp_desk.sender.outbox.outbox import SEARCHED_AT_ONCE, Counts, OutboxRecords, Query

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
        ids: The visible entries, from the top.
    """

    above: str = ""
    ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Listing:
    """How far a list has been read.

    Attributes:
        query: The entries that are listed.
        newest: How far the list was read from the top when it was last read; "" if never.
        bottom: The oldest entry that was looked at; "" if the end was read, None if nothing was.
        found: Whether any entry was found.
    """

    query: Query
    newest: str = ""
    bottom: str | None = None
    found: bool = False

    @property
    def next(self) -> str | None:
        """Where to read on; None if the end was read."""
        return self.bottom or None

    def after(self, part: Part) -> "Listing":
        """Return the listing once `part` is shown."""
        newest = max(self.newest, part.rows[0][ID] if part.rows else part.until)
        bottom = part.until if self.bottom is None else min(self.bottom, part.until)
        return replace(self, newest=newest, bottom=bottom, found=self.found or bool(part.rows))


class ListReader:
    """Reads parts of the outbox's list; each call asks the storage, so not in a face's thread.

    Args:
        records: The outbox.
        cause: Names the findings.
    """

    def __init__(self, records: OutboxRecords, cause: Cause) -> None:
        self._records = records
        self._cause = cause

    def first(self, query: Query) -> tuple[tuple[Part, ...], Listing]:
        """Read the top of a new list; see `search_query`."""
        query = search_query(self._records, query)
        part = replace(self._read(query, "", PAGE), anew=True)
        return (part,), Listing(query).after(part)

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
        if seen := [each for each in span.ids if each < known]:
            parts.append(self._read_again(listing, min(span.above or known, known), seen))
        for part in parts:
            listing = listing.after(part)
        return tuple(parts), listing

    def _read_again(self, listing: Listing, above: str, ids: list[str]) -> Part:
        """Read entries that may be far apart in a search: a page would not reach the last one."""
        query = replace(listing.query, ids=frozenset(ids))
        page = self._records.page(query, limit=len(ids))
        rows = tuple(row_of(entry, self._cause) for entry in page.entries)
        return Part(rows, above, ids[-1])

    def _read(self, query: Query, above: str, limit: int) -> Part:
        page = self._records.page(query, before=above or None, limit=limit)
        rows = tuple(row_of(entry, self._cause) for entry in page.entries)
        return Part(rows, above, page.next or "")


def search_query(records: OutboxRecords, query: Query) -> Query:
    """Return what a person who searches for the text of `query` wants to see.

    A whole address that emails went to stands for exactly these emails, and a whole Message-ID
    for its email: both are found by an index. Any other text is searched for.
    """
    text = query.text
    if "@" in text:
        plain = replace(query, text="")
        for exact in (replace(plain, recipient=text), replace(plain, message_id=text)):
            if records.page(replace(exact, states=frozenset()), limit=1).entries:
                return exact
    return query


def search_counts(records: OutboxRecords, query: Query) -> Counts | None:
    """Count what `query` lists in all states; None if that means to search through too many."""
    if query.searches and records.counts().total > SEARCHED_AT_ONCE:
        return None
    return records.counts(replace(query, states=frozenset()))


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
