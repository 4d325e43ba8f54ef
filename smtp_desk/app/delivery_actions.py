"""What a person asks of the outbox, by the identifier of an email or its beginning."""

from typing import Final

from smtp_desk.sender.entries import Entry
from smtp_desk.sender.outbox import EntryNotFoundError, OutboxError, OutboxRecords

SHORTEST_PREFIX: Final = 6
"""So many characters of an identifier stand for it where only one begins so."""

_BEHIND_ALL: Final = "~"


class AmbiguousEntryError(OutboxError):
    """More than one entry begins so."""


def find_entry(records: OutboxRecords, given: str) -> Entry:
    """Return the one entry that `given` names: its identifier, or the beginning of it.

    Raises:
        AmbiguousEntryError: More than one begins so.
        EntryNotFoundError: None does, or `given` is too short to tell.
        OutboxUnavailableError: The outbox does not work.
    """
    sought = given.strip().lower()
    if len(sought) < SHORTEST_PREFIX:
        raise EntryNotFoundError(
            f"“{given}” is too short to name an email:"
            f" give at least {SHORTEST_PREFIX} characters of its ID."
        )
    # Identifiers sort by their characters: those that begin so stand together.
    page = records.page(before=sought + _BEHIND_ALL, limit=2)
    found = [entry for entry in page.entries if entry.id.startswith(sought)]
    exact = [entry for entry in found if entry.id == sought]
    if not found:
        raise EntryNotFoundError(f"There is no email {given} in the outbox.")
    if len(found) > 1 and not exact:
        raise AmbiguousEntryError(f"More than one email begins with {given}: give more of its ID.")
    return (exact or found)[0]
