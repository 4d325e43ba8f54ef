"""The outbox in a PostgreSQL database that many machines share."""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Final, final

from smtp_desk.sender.outbox import lifecycle, rows
from smtp_desk.sender.outbox.clock import UtcClock, from_ms, to_ms, whole_ms
from smtp_desk.sender.outbox.control_postgres import postgres_reader, sending_is_paused
from smtp_desk.sender.outbox.entries import (
    FINISHED,
    Change,
    Claim,
    IdentifierSource,
    MarkInDoubt,
    OutboxEntry,
    OutboxMessage,
    first_identifier,
    new_token,
)
from smtp_desk.sender.outbox.outbox import (
    EVERYTHING,
    Counts,
    EntryNotFoundError,
    EntryPage,
    Outbox,
    OutboxFullError,
    OutboxLimits,
    OutboxUnconfirmedError,
    Query,
)
from smtp_desk.sender.outbox.postgres_database import PostgresDatabase, PostgresTransaction
from smtp_desk.sender.outbox.postgres_rows import (
    change_entries,
    due_entries,
    lock_entries,
    refuse_stored,
    remove_where,
    storable,
    store_entries,
    store_message,
    wake_workers,
)
from smtp_desk.sender.outbox.rows import SELECT, entry_of

_BATCH: Final = 1000  # rows that one transaction removes: others get their turn
_WRITERS_FOR: Final = timedelta(days=60)  # longer than any machine has emails to hand over
_REMOVED_AT_ONCE: Final = 100
_MESSAGE_OF: Final = rows.SELECT_MESSAGE.replace("?", "%s")

_FINISHED: Final = "state IN ('accepted', 'dropped') ORDER BY id LIMIT %s"
_OLD: Final = """
    id < %s AND changed_at < %s AND state IN ('accepted', 'dropped', 'refused')
    ORDER BY id LIMIT %s
"""
# One selection for each end of each index, longest due first; what others claim at this moment
# is passed over.
_READY: Final = "state = 'ready' AND send_at IS NULL"
_FREE: Final = (
    "state = 'sending' AND lease_until <= %(now)s ORDER BY lease_until, id",
    "state = 'sending' AND lease_until > %(farthest_lease)s ORDER BY lease_until, id",
    f"{_READY} AND next_attempt_at <= %(now)s ORDER BY next_attempt_at, id",
    f"{_READY} AND next_attempt_at > %(farthest_attempt)s ORDER BY next_attempt_at, id",
    "state = 'ready' AND send_at <= %(now)s ORDER BY send_at, id",
)
_ABANDONED_IN_DOUBT: Final = (
    "state = 'in_doubt' AND lease_until <= %(now)s ORDER BY lease_until, id",
    "state = 'in_doubt' AND lease_until > %(farthest_lease)s ORDER BY lease_until, id",
)
_NEXT_IN_DOUBT: Final = """
    SELECT min(lease_until) FROM entries WHERE state = 'in_doubt' AND lease_until IS NOT NULL
"""
_NEXT: Final = """
    SELECT least(
        (SELECT min(next_attempt_at) FROM entries WHERE state = 'ready' AND send_at IS NULL),
        (SELECT min(send_at) FROM entries WHERE send_at IS NOT NULL AND state = 'ready'),
        (SELECT min(lease_until) FROM entries WHERE state = 'sending'
            AND lease_until IS NOT NULL),
        (SELECT min(lease_until) FROM entries WHERE state = 'in_doubt'
            AND lease_until IS NOT NULL)
    )
"""
# As `lifecycle.made_due`.
_MAKE_DUE: Final = """
    UPDATE entries SET next_attempt_at = %(now)s WHERE state = 'ready' AND doubts = 0
    AND send_at IS NULL AND next_attempt_at > %(now)s AND %(cause)s IN ('', code)
"""
_REVIVE: Final = """
    UPDATE entries SET state = 'ready', changed_at = %(now)s, next_attempt_at = %(now)s,
        expires_at = %(end)s, tries = 0, only_route = '', doubt_token = '', untold = 0
    WHERE state = 'refused' AND doubts = 0 AND %(cause)s = code AND %(cause)s <> ''
"""
_ON_DISK: Final = "SELECT pg_total_relation_size('messages') + pg_total_relation_size('entries')"
# What was removed leaves room on the disk that is used again.
_IN_USE: Final = """
    SELECT coalesce((SELECT sum(size) FROM messages), 0)
        + (SELECT 1024 * count(*) + coalesce(sum(length(attempts)), 0) FROM entries)
"""


@final
class PostgresOutbox(Outbox):
    """An `Outbox` that all machines with the same database share.

    Args:
        database: The database; `health_postgres.PostgresHealth` may share it.
        clock: Returns this moment; None for the database's clock.
        limits: How much it accepts and keeps. `total_octets` counts what the tables use on disk.
    """

    def __init__(
        self,
        database: PostgresDatabase,
        clock: UtcClock | None = None,
        limits: OutboxLimits | None = None,
    ) -> None:
        self._database = database
        self._clock = clock
        self._limits = limits or OutboxLimits()
        self._identifiers = IdentifierSource()

    def add(self, messages: Iterable[OutboxMessage]) -> tuple[OutboxEntry, ...]:
        stored = lifecycle.admitted(messages, self._limits)

        def insert(transaction: PostgresTransaction) -> tuple[OutboxEntry, ...]:
            wake_workers(transaction)
            return self._queued(transaction, stored)

        return self._inserted(insert)

    def add_claimed(
        self, messages: Iterable[OutboxMessage], owner: str, lease: timedelta
    ) -> tuple[Claim, ...]:
        stored, token = lifecycle.admitted(messages, self._limits), new_token()

        def insert(transaction: PostgresTransaction) -> tuple[OutboxEntry, ...]:
            queued, now = self._queued(transaction, stored), self._now(transaction)
            if sending_is_paused(transaction):
                return queued
            take = lifecycle.claimed_at_once
            return tuple(take(entry, owner, token, now, lease) for entry in queued)

        keyed = any(message.key for message in stored)
        entries = self._inserted(insert)
        return tuple(Claim(entry, token, awaited=True, keyed=keyed) for entry in entries)

    def claim(self, owner: str, limit: int, lease: timedelta) -> tuple[Claim, ...]:
        return self._claim(_FREE, owner, limit, lease)

    def claim_in_doubt(self, owner: str, limit: int, lease: timedelta) -> tuple[Claim, ...]:
        # Looked for far more often than there are any.
        if not self._database.read(
            lambda transaction: any(
                due_entries(transaction, each, self._now(transaction), 1)
                for each in _ABANDONED_IN_DOUBT
            )
        ):
            return ()
        return self._claim(_ABANDONED_IN_DOUBT, owner, limit, lease)

    def apply(self, changes: Iterable[Change]) -> frozenset[str]:
        wanted = tuple(changes)
        marks = any(isinstance(change, MarkInDoubt) for change in wanted)
        durable = marks or any(change.claim.keyed for change in wanted)

        def change_all(transaction: PostgresTransaction) -> frozenset[str]:
            now = self._now(transaction)
            entries = lock_entries(transaction, [change.claim.entry.id for change in wanted])
            lost, made = set(), {}
            paused = marks and sending_is_paused(transaction)
            for change in wanted:
                entry = entries.get(change.claim.entry.id)
                held_back = paused and isinstance(change, MarkInDoubt)
                rule = lifecycle.given_back if held_back else lifecycle.changed
                after = entry and rule(entry, change, now)
                if after is None or held_back:
                    lost.add(change.claim.entry.id)
                if after is not None:
                    entries[after.id] = made[after.id] = after
            change_entries(transaction, made.values())
            return frozenset(lost)

        return self._database.write(change_all, durable=durable) if wanted else frozenset()

    def next_due(self) -> datetime | None:
        def find(transaction: PostgresTransaction) -> datetime | None:
            now = self._now(transaction)
            free = () if sending_is_paused(transaction) else _FREE
            selections = (*free, *_ABANDONED_IN_DOUBT)
            if any(due_entries(transaction, each, now, 1) for each in selections):
                return now
            row = transaction.execute(_NEXT if free else _NEXT_IN_DOUBT).fetchone()
            return None if row is None or row[0] is None else from_ms(row[0])

        return self._database.read(find)

    def get(self, entry_id: str) -> OutboxEntry:
        row = self._database.read(
            lambda transaction: transaction.execute(
                f"{SELECT} WHERE id = %s", storable([entry_id])
            ).fetchone()
        )
        if row is None:
            raise _not_found(entry_id)
        return entry_of(row)

    def message(self, entry_id: str) -> OutboxMessage:
        row = self._database.read(
            lambda transaction: transaction.execute(_MESSAGE_OF, storable([entry_id])).fetchone()
        )
        if row is None:
            raise _not_found(entry_id)
        return rows.message_of(row)

    def page(
        self, query: Query = EVERYTHING, *, before: str | None = None, limit: int = 200
    ) -> EntryPage:
        searched = self._limits.searched
        return self._database.read(
            lambda at: postgres_reader(at).page(query, before, limit, searched)
        )

    def counts(self, query: Query = EVERYTHING) -> Counts:
        return self._database.read(lambda transaction: postgres_reader(transaction).counts(query))

    def retry(self, entry_id: str) -> OutboxEntry:
        return self._replace(entry_id, lifecycle.retried)

    def drop(self, entry_id: str) -> OutboxEntry:
        return self._replace(entry_id, lifecycle.dropped)

    def mark_told(self, entry_ids: Iterable[str]) -> None:
        told = list(entry_ids)
        self._database.write(
            lambda transaction: transaction.execute(
                "UPDATE entries SET untold = 0 WHERE id = ANY(%s)", (told,)
            )
        )

    def make_due(self, cause: str = "") -> int:
        def make(transaction: PostgresTransaction) -> int:
            now = self._now(transaction)
            asked = {"cause": cause, "now": to_ms(now), "end": to_ms(now + lifecycle.LIFETIME)}
            changed = sum(
                transaction.execute(each, asked).rowcount for each in (_MAKE_DUE, _REVIVE)
            )
            wake_workers(transaction)
            return changed

        return self._database.write(make)

    def prune(self) -> int:
        self._database.write(self._forget)
        removed = 0
        for remove in (self._remove_old, self._remove_beyond):
            while count := self._database.write(remove):
                removed += count
        return removed

    def _now(self, transaction: PostgresTransaction) -> datetime:
        return transaction.now if self._clock is None else whole_ms(self._clock())

    def _replace(
        self, entry_id: str, rule: Callable[[OutboxEntry, datetime], OutboxEntry]
    ) -> OutboxEntry:
        def replace(transaction: PostgresTransaction) -> OutboxEntry:
            found = lock_entries(transaction, [entry_id])
            if not found:
                raise _not_found(entry_id)
            entry = rule(found[entry_id], self._now(transaction))
            change_entries(transaction, [entry])
            wake_workers(transaction)
            return entry

        return self._database.write(replace)

    def _forget(self, transaction: PostgresTransaction) -> None:
        oldest_key = to_ms(self._now(transaction) - self._limits.keys_for)
        transaction.execute(rows.FORGET_KEYS.replace("?", "%s"), (oldest_key,))
        oldest_writer = to_ms(transaction.now - _WRITERS_FOR)
        transaction.execute("DELETE FROM writers WHERE at < %s", (oldest_writer,))

    def _remove_old(self, transaction: PostgresTransaction) -> int:
        oldest = to_ms(self._now(transaction) - self._limits.kept_for)
        return remove_where(transaction, _OLD, (first_identifier(oldest), oldest, _BATCH))

    def _remove_beyond(self, transaction: PostgresTransaction) -> int:
        finished = postgres_reader(transaction).counts(EVERYTHING).of(*FINISHED)
        beyond = min(finished - self._limits.kept_rows, _BATCH)
        return remove_where(transaction, _FINISHED, (beyond,)) if beyond > 0 else 0

    def _queued(
        self, transaction: PostgresTransaction, messages: Sequence[OutboxMessage]
    ) -> tuple[OutboxEntry, ...]:
        """Store the messages and return their entries, not stored yet."""
        refuse_stored(transaction, lifecycle.key_names(messages))
        now = self._now(transaction)
        entries: list[OutboxEntry] = []
        for message in messages:
            key = store_message(transaction, message, now)
            entries += [
                lifecycle.queued(
                    message,
                    entry_id=self._identifiers.next(to_ms(now)),
                    message_key=key,
                    recipient=recipient,
                    now=now,
                )
                for recipient in message.recipients
            ]
        return tuple(entries)

    def _inserted(
        self, new: Callable[[PostgresTransaction], tuple[OutboxEntry, ...]]
    ) -> tuple[OutboxEntry, ...]:
        """Store new entries; where nobody knows whether they are, the error has them."""
        entries: tuple[OutboxEntry, ...] = ()

        def insert(transaction: PostgresTransaction) -> tuple[OutboxEntry, ...]:
            nonlocal entries
            entries = new(transaction)
            store_entries(transaction, entries)
            self._make_room(transaction)
            return entries

        try:
            return self._database.write(insert)
        except OutboxUnconfirmedError as error:
            error.entries = entries
            raise

    def _make_room(self, transaction: PostgresTransaction) -> None:
        limit = self._limits.total_octets
        if _octets(transaction, _ON_DISK) <= limit:
            return
        while _octets(transaction, _IN_USE) > limit:
            if not remove_where(transaction, _FINISHED, (_REMOVED_AT_ONCE,)):
                raise OutboxFullError(limit)

    def _claim(
        self, selections: tuple[str, ...], owner: str, limit: int, lease: timedelta
    ) -> tuple[Claim, ...]:
        token = new_token()

        def claim(transaction: PostgresTransaction) -> tuple[OutboxEntry, ...]:
            if selections is _FREE and sending_is_paused(transaction):
                return ()
            now = self._now(transaction)
            found = [
                entry
                for each in selections
                for entry in due_entries(transaction, each, now, limit, claiming=True)
            ]
            found.sort(key=lifecycle.claim_order)
            taken = [lifecycle.claimed(entry, owner, token, now, lease) for entry in found[:limit]]
            change_entries(transaction, taken)
            return tuple(taken)

        return tuple(Claim(entry, token) for entry in self._database.write(claim, durable=False))


def _octets(transaction: PostgresTransaction, statement: str) -> int:
    row = transaction.execute(statement).fetchone()
    return int(row[0]) if row else 0


def _not_found(entry_id: str) -> EntryNotFoundError:
    return EntryNotFoundError(f"There is no entry {entry_id}.")
