"""The outbox of many machines, with this machine's own as a buffer while it can't be reached."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import final

from smtp_desk.sender.outbox.entries import Change, Claim, OutboxEntry, OutboxMessage
from smtp_desk.sender.outbox.handovers import Handovers
from smtp_desk.sender.outbox.outbox import (
    EVERYTHING,
    Counts,
    EntryPage,
    Outbox,
    OutboxUnavailableError,
    OutboxUnconfirmedError,
    Query,
)


@final
class BufferedOutbox(Outbox):
    """Stores in the shared outbox, or on this machine until that is available again.

    Only new emails wait here, and they are only handed over, never sent from here. Everything
    else needs the shared outbox.

    Args:
        shared: The outbox of many machines.
        handovers: Stores what the shared outbox can't take.
    """

    def __init__(self, shared: Outbox, handovers: Handovers) -> None:
        self._shared = shared
        self._handovers = handovers

    def add(self, messages: Iterable[OutboxMessage]) -> tuple[OutboxEntry, ...]:
        stored = tuple(messages)
        try:
            entries = self._shared.add(stored)
        except OutboxUnavailableError as error:
            return self._kept(stored, error)
        self._handovers.begin()
        return entries

    def add_claimed(
        self, messages: Iterable[OutboxMessage], owner: str, lease: timedelta
    ) -> tuple[Claim, ...]:
        stored = tuple(messages)
        try:
            claims = self._shared.add_claimed(stored, owner, lease)
        except OutboxUnavailableError as error:
            return tuple(Claim(entry, "", awaited=True) for entry in self._kept(stored, error))
        self._handovers.begin()
        return claims

    def claim(self, owner: str, limit: int, lease: timedelta) -> tuple[Claim, ...]:
        return self._shared.claim(owner, limit, lease)

    def claim_in_doubt(self, owner: str, limit: int, lease: timedelta) -> tuple[Claim, ...]:
        return self._shared.claim_in_doubt(owner, limit, lease)

    def apply(self, changes: Iterable[Change]) -> frozenset[str]:
        return self._shared.apply(changes)

    def next_due(self) -> datetime | None:
        self._handovers.begin()
        return self._shared.next_due()

    def get(self, entry_id: str) -> OutboxEntry:
        return self._shared.get(entry_id)

    def message(self, entry_id: str) -> OutboxMessage:
        return self._shared.message(entry_id)

    def page(
        self, query: Query = EVERYTHING, *, before: str | None = None, limit: int = 200
    ) -> EntryPage:
        return self._shared.page(query, before=before, limit=limit)

    def counts(self, query: Query = EVERYTHING) -> Counts:
        return self._shared.counts(query)

    def retry(self, entry_id: str) -> OutboxEntry:
        return self._shared.retry(entry_id)

    def drop(self, entry_id: str) -> OutboxEntry:
        return self._shared.drop(entry_id)

    def mark_told(self, entry_ids: Iterable[str]) -> None:
        self._shared.mark_told(entry_ids)

    def make_due(self, cause: str = "") -> int:
        return self._shared.make_due(cause)

    def prune(self) -> int:
        return self._shared.prune()

    def _kept(
        self, messages: tuple[OutboxMessage, ...], error: OutboxUnavailableError
    ) -> tuple[OutboxEntry, ...]:
        """Store on this machine what the shared outbox did not take, or perhaps did.

        Raises:
            OutboxUnavailableError: A message has a key, and only the shared outbox knows whether it
                was used before.
        """
        if any(message.key for message in messages):
            raise error
        if isinstance(error, OutboxUnconfirmedError):
            return self._handovers.store_unconfirmed(messages, error.entries, error.transaction)
        return self._handovers.store(messages)
