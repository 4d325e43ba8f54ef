"""The list of the outbox in parts: as far as a person scrolled, and no more.

Entries are asked for by their place among the identifiers, never by a number: what others
add or take away meanwhile neither shifts nor repeats a row.
"""

from dataclasses import dataclass, replace
from typing import Final

from smtp_desk.app.delivery_rows import ID, DeliveryRow, row_of
from smtp_desk.app.delivery_words import Cause
from smtp_desk.sender.outbox import OutboxRecords, Query

PAGE: Final = 50
"""Rows that are read at once: few, for Python makes them while nothing else runs in it."""
_MOST_NEW_PAGES: Final = 20


@dataclass(frozen=True, slots=True)
class Part:
    """All rows between two entries: what a list shows there is replaced by them.

    Attributes:
        rows: The rows, newest first.
        above: The entry above the first one, not part of it; "" for the top of the list.
        until: The last entry, part of it; "" for the end of the list.
        anew: Whether nothing of the former list stays.
    """

    rows: tuple[DeliveryRow, ...]
    above: str = ""
    until: str = ""
    anew: bool = False


@dataclass(frozen=True, slots=True)
class Span:
    """What is in view.

    Attributes:
        above: The entry above the first one in view; "" at the top.
        last: The last entry in view.
        count: How many are in view.
    """

    above: str = ""
    last: str = ""
    count: int = 0


@dataclass(frozen=True, slots=True)
class Listing:
    """How far a list has been read.

    Attributes:
        query: What is listed.
        newest: The newest entry that was read; "" for none.
        bottom: The oldest one.
        next: From where to read on; None where the end was read.
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
        """Read what came on top since, and what is in view."""
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
