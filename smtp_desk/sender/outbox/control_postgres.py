"""A `Control` in the PostgreSQL database that many machines share."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Final, final

from smtp_desk.sender.outbox import lifecycle
from smtp_desk.sender.outbox.clock import UtcClock, from_ms, to_ms, whole_ms
from smtp_desk.sender.outbox.control import (
    HOUR,
    PRESENCE,
    Activity,
    Control,
    Erased,
    erase_in_batches,
)
from smtp_desk.sender.outbox.entries import EntryState, first_identifier
from smtp_desk.sender.outbox.postgres_database import PostgresDatabase, PostgresTransaction
from smtp_desk.sender.outbox.postgres_rows import lock_entries, remove_where, storable, wake_workers
from smtp_desk.sender.outbox.queries import POSTGRES, Reader, Value

_ACTIVITY: Final = """
    SELECT (created_at - %(since)s) / %(hour)s, state, route, count(*) FROM entries
    WHERE id >= %(first)s AND created_at >= %(since)s GROUP BY 1, 2, 3
"""
# As `lifecycle.made_due` with each entry's own finding.
_CAUSES: Final = """
    SELECT code, count(*) FROM entries WHERE doubts = 0 AND code <> ''
    AND (state = 'refused' OR (state = 'ready' AND next_attempt_at > %s)) GROUP BY code
"""
_ANNOUNCE: Final = """
    INSERT INTO workers (name, until) VALUES (%s, %s)
    ON CONFLICT (name) DO UPDATE SET until = excluded.until
"""
_WORKERS: Final = "SELECT count(*) FROM workers WHERE until > %s AND until <= %s"


def sending_is_paused(transaction: PostgresTransaction) -> bool:
    """Whether sending is paused, read within the caller's transaction."""
    return transaction.execute("SELECT 1 FROM sending_pause").fetchone() is not None


def postgres_reader(transaction: PostgresTransaction) -> Reader:
    """Return what reads entries within the caller's transaction."""

    def ask(statement: str, values: Sequence[Value]) -> list[tuple[Any, ...]]:
        return transaction.execute(statement.replace("?", "%s"), storable(values)).fetchall()

    return Reader(ask, POSTGRES)


@final
class PostgresControl(Control):
    """A `Control` of all machines with the same database.

    Args:
        database: The database; `postgres.PostgresOutbox` shares it.
        clock: Returns this moment; None for the database's clock.
    """

    def __init__(self, database: PostgresDatabase, clock: UtcClock | None = None) -> None:
        self._database = database
        self._clock = clock

    def pause(self) -> None:
        self._database.write(
            lambda transaction: transaction.execute(
                "INSERT INTO sending_pause VALUES (1, %s) ON CONFLICT DO NOTHING",
                (to_ms(self._now(transaction)),),
            )
        )

    def resume(self) -> None:
        def end(transaction: PostgresTransaction) -> None:
            transaction.execute("DELETE FROM sending_pause")
            wake_workers(transaction)

        self._database.write(end)

    def paused_since(self) -> datetime | None:
        row = self._database.read(
            lambda transaction: transaction.execute("SELECT since FROM sending_pause").fetchone()
        )
        return from_ms(row[0]) if row else None

    def entries_to(self, recipient: str) -> tuple[str, ...]:
        return self._database.read(
            lambda transaction: postgres_reader(transaction).entries_to(recipient)
        )

    def erase(self, entry_ids: Iterable[str]) -> Erased:
        return erase_in_batches(
            entry_ids, lambda batch: self._database.write(partial(self._erase, batch))
        )

    def activity(self, since: datetime) -> Activity:
        milliseconds = to_ms(since)
        asked = {
            "since": milliseconds,
            "first": first_identifier(milliseconds),
            "hour": HOUR // timedelta(milliseconds=1),
        }
        rows = self._database.read(
            lambda transaction: transaction.execute(_ACTIVITY, asked).fetchall()
        )
        return {(hour, EntryState(state), route): count for hour, state, route, count in rows}

    def causes(self) -> Mapping[str, int]:
        return dict(
            self._database.read(
                lambda transaction: transaction.execute(
                    _CAUSES, (to_ms(self._now(transaction)),)
                ).fetchall()
            )
        )

    def announce(self, worker: str) -> None:
        self._database.write(
            lambda transaction: transaction.execute(
                _ANNOUNCE, (worker, to_ms(self._now(transaction) + PRESENCE))
            ),
            durable=False,
        )

    def leave(self, worker: str) -> None:
        self._database.write(
            lambda transaction: transaction.execute(
                "DELETE FROM workers WHERE name = %s", (worker,)
            ),
            durable=False,
        )

    def workers(self) -> int:
        def count(transaction: PostgresTransaction) -> int:
            now = self._now(transaction)
            row = transaction.execute(_WORKERS, (to_ms(now), to_ms(now + PRESENCE))).fetchone()
            return int(row[0]) if row else 0

        return self._database.read(count)

    def _now(self, transaction: PostgresTransaction) -> datetime:
        return transaction.now if self._clock is None else whole_ms(self._clock())

    def _erase(self, entry_ids: Iterable[str], transaction: PostgresTransaction) -> Erased:
        now = self._now(transaction)
        found = lock_entries(transaction, list(entry_ids)).values()
        gone = [entry for entry in found if lifecycle.may_be_erased(entry, now)]
        remove_where(transaction, "id = ANY(%s)", ([entry.id for entry in gone],))
        kept = transaction.execute(
            "SELECT key FROM messages WHERE key = ANY(%s)",
            ([int(entry.message_key) for entry in gone],),
        )
        keys = {str(key) for (key,) in kept}
        shared = sum(entry.message_key in keys for entry in gone)
        return Erased(Counter(entry.state for entry in gone), len(found) - len(gone), shared)
