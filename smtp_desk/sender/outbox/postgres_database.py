"""A PostgreSQL database that many machines share: connections, transactions, and their ends.

Every write is done once, even if the connection breaks during its commit: on a new connection,
PostgreSQL is asked for the result of that very transaction, and the write is repeated only if it
was undone. If nobody answers, `OutboxUnconfirmedError` names the transaction.
"""

import atexit
import contextlib
import logging
import os
import select
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, Self, TypeVar, final
from weakref import WeakSet

import psycopg
from psycopg.conninfo import make_conninfo

from smtp_desk.sender.outbox.clock import from_ms, utc_now
from smtp_desk.sender.outbox.entries import new_token
from smtp_desk.sender.outbox.outbox import (
    OutboxBusyError,
    OutboxUnavailableError,
    OutboxUnconfirmedError,
    OutboxUnreachableError,
    OutboxVersionError,
)
from smtp_desk.sender.outbox.postgres_address import PostgresAddress
from smtp_desk.sender.outbox.postgres_migrations import SCHEMA, prepare_schema
from smtp_desk.smtp.net.deadline import Cancel
from smtp_desk.smtp.net.forks import gate, run_after_fork, run_before_fork

T = TypeVar("T")
Values = Sequence[object] | Mapping[str, object]

_TRIES: Final = 5
_CONFIRM_S: Final = 10.0
_AGAIN_S: Final = 0.1
_KEPT_FREE: Final = 4
# What a client that is cut off holds, others get back; asynchronous commits are for those
# transactions alone that say so.
_PREPARE: Final = f"""
    SET search_path = {SCHEMA};
    SET statement_timeout = '20s';
    SET lock_timeout = '10s';
    SET idle_in_transaction_session_timeout = '20s';
    SET tcp_keepalives_idle = 30; SET tcp_keepalives_interval = 10; SET tcp_keepalives_count = 3;
    SET client_min_messages = warning;
    SELECT set_config('synchronous_commit', 'on', false)
        WHERE current_setting('synchronous_commit') = 'off'
"""
_NOW: Final = "floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint"
# A crash lets others have the number of a transaction that no disk has seen: so each writes down
# its connection with its number, where it stands only if that very transaction was committed.
_NAME_CONNECTION: Final = "SELECT set_config('smtp_desk.writer', %s, false)"
_BEGIN: Final = f"""
    BEGIN;
    INSERT INTO writers (name, transaction, at)
    VALUES (current_setting('smtp_desk.writer'), pg_current_xact_id()::text::bigint, {_NOW})
    ON CONFLICT (name) DO UPDATE SET transaction = excluded.transaction, at = excluded.at
    RETURNING at, transaction, pg_backend_pid(), name
"""  # noqa: S608 - constants
_BEGIN_LAZY: Final = _BEGIN.replace("BEGIN;", "BEGIN; SET LOCAL synchronous_commit = off;")
_BEGIN_READING: Final = f"BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SELECT {_NOW}, 0, 0, ''"
_END_OF: Final = """
    SELECT EXISTS (SELECT 1 FROM writers WHERE name = %(writer)s AND transaction >= %(number)s),
        pg_xact_status(%(number)s::text::xid8)
"""
# Its server process may not know yet that we are gone.
_TERMINATE: Final = """
    SELECT pg_terminate_backend(pid, 2000) FROM pg_stat_activity
    WHERE pid = %s AND backend_xid = (%s::text::xid8)::xid
"""

_log: Final = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class PostgresTransaction:
    """A transaction in progress.

    Attributes:
        connection: The connection it runs on.
        now: This moment by the database's clock, which all machines share.
        name: The name by which its result can be asked for later; "" if it only reads.
    """

    connection: "psycopg.Connection[tuple[Any, ...]]"
    now: datetime
    name: str

    def execute(self, statement: str, values: Values = ()) -> "psycopg.Cursor[tuple[Any, ...]]":
        """Execute one statement."""
        return self.connection.execute(statement, values)

    def executemany(self, statement: str, rows: Sequence[Values]) -> None:
        """Execute a statement for each of `rows`, without waiting in between."""
        with self.connection.cursor() as cursor:
            cursor.executemany(statement, rows)

    def lock(self, what: str) -> None:
        """Keep everybody else from doing `what` until the transaction ends."""
        self.execute("SELECT pg_advisory_xact_lock(hashtext(%s), hashtext(%s))", (SCHEMA, what))


@final
class PostgresDatabase:
    """The shared database; many threads may use it, and after a fork the child too.

    It connects at the first use: a sender may start while the database is down.

    Args:
        address: Where it is.

    Attributes:
        name: The name shown to people.
        commits: Transactions that this object wrote, for measurements.
    """

    def __init__(self, address: PostgresAddress) -> None:
        self.name = address.name
        self.commits = 0
        self._conninfo = make_conninfo(**address.parameters)
        self._ahead = timedelta()
        self.after_fork()
        run_before_fork(self._close_free)
        run_after_fork(self.after_fork)
        _databases.add(self)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def after_fork(self) -> None:
        """Forget connections without touching them: in a child they are the parent's."""
        self._pid = os.getpid()
        self._free: list[psycopg.Connection[tuple[Any, ...]]] = []
        self._free_lock = threading.RLock()  # a signal handler may fork while we hold it
        self._listening: psycopg.Connection[tuple[Any, ...]] | None = None
        self._installation = ""

    def now(self) -> datetime:
        """Return this moment by the database's clock, as far as it is known."""
        return utc_now() + self._ahead

    def write(self, work: Callable[[PostgresTransaction], T], *, durable: bool = True) -> T:
        """Do `work` in a transaction and commit it; if it raises, all of it is undone.

        Args:
            work: May be called again if a first attempt was undone.
            durable: False if a crash of the database may undo it within the next second.

        Raises:
            OutboxUnavailableError: The database doesn't work; nothing was done. Its subclass
                `OutboxUnconfirmedError` if it may have been done and nobody could be asked.
            Exception: What `work` raises.
        """
        begin = _BEGIN if durable else _BEGIN_LAZY
        for tries in range(1, _TRIES + 1):
            name = ""
            try:
                with gate, self._transaction(begin) as transaction:
                    result = work(transaction)
                    name = transaction.name  # from here on it may be done
                    _commit(transaction)
            except psycopg.Error as error:
                if not name and (tries == _TRIES or not _is_passing(error)):
                    raise self._told(error) from error
                if not name or not self._is_committed(name, error):
                    continue
            self.commits += 1
            return result
        raise OutboxBusyError(f"The outbox database {self.name} is busy.")

    def read(self, work: Callable[[PostgresTransaction], T]) -> T:
        """Do `work`, which only reads, on one consistent state of the database.

        Raises:
            OutboxUnavailableError: The database does not work.
            Exception: What `work` raises.
        """
        for tries in range(1, _TRIES + 1):
            try:
                with gate, self._transaction(_BEGIN_READING) as transaction:
                    result = work(transaction)
                    _commit(transaction)
                    return result
            except psycopg.Error as error:
                if tries == _TRIES or not _is_passing(error):
                    raise self._told(error) from error
        raise OutboxBusyError(f"The outbox database {self.name} is busy.")

    def is_committed(self, name: str) -> bool | None:
        """Return whether the transaction `name` was committed; None if that can't be known.

        A transaction that still runs is ended, since its owner is gone.

        Raises:
            OutboxUnavailableError: The database does not work.
        """
        installation, number, process, *writer = name.split("/")
        asked = {"number": int(number), "writer": "".join(writer)}  # once a name had no writer
        try:
            with gate, self._connection() as connection:
                if installation != self._installation:
                    return None  # another database's
                # A server process that lost its client may not know it yet.
                connection.execute(_TERMINATE, (process, number))
                row = connection.execute(_END_OF, asked).fetchone()
        except psycopg.errors.InvalidParameterValue:  # it is of a time that this one never saw
            return None
        except psycopg.Error as error:
            raise self._told(error) from error
        written, status = row or (False, "")
        if not written and status in ("committed", "aborted"):
            return False
        return written or None

    def wait(self, cancel: Cancel, seconds: float) -> None:
        """Wait that many seconds, until cancelled, or until there is news for a worker."""
        listening = None
        try:
            with gate:
                listening, self._listening = self._listening or self._begun_to_listen(), None
            select.select([cancel.fileno(), listening.fileno()], [], [], seconds)
            with gate:
                for _ in listening.notifies(timeout=0):
                    pass
                self._keep_listening(listening)
        except (OutboxUnavailableError, psycopg.Error, OSError, ValueError):
            if listening is not None:
                listening.close()
            select.select([cancel], [], [], seconds)

    def close(self) -> None:
        """Close the unused connections; the next call opens one again."""
        with gate:
            self._close_free()

    def _close_free(self) -> None:
        with self._free_lock:
            free, self._free = self._free, []
            listening, self._listening = self._listening, None
        for connection in (*free, listening):
            if connection is not None:
                connection.close()

    def _is_committed(self, name: str, error: psycopg.Error) -> bool:
        """Return whether a transaction whose commit failed was committed all the same.

        Raises:
            OutboxUnconfirmedError: Nobody could be asked in time.
        """
        give_up_at = time.monotonic() + _CONFIRM_S
        while time.monotonic() < give_up_at:
            with contextlib.suppress(OutboxUnavailableError):
                end = self.is_committed(name)
                if end is not None:
                    return end
            time.sleep(_AGAIN_S)
        text = f"The outbox database {self.name} went away in the middle of a write."
        raise OutboxUnconfirmedError(text, name) from error

    @contextlib.contextmanager
    def _transaction(self, begin: str) -> Iterator[PostgresTransaction]:
        with self._connection() as connection:
            cursor = connection.execute(begin)
            while cursor.description is None:
                cursor.nextset()
            now, number, process, writer = cursor.fetchone() or (0, 0, 0, "")
            moment = from_ms(now)
            self._ahead = moment - utc_now()
            name = f"{self._installation}/{number}/{process}/{writer}" if number else ""
            yield PostgresTransaction(connection, moment, name)

    @contextlib.contextmanager
    def _connection(self) -> "Iterator[psycopg.Connection[tuple[Any, ...]]]":
        connection = self._take()
        try:
            yield connection
            if connection.info.transaction_status != _IDLE:
                connection.execute("ROLLBACK")
        except BaseException as error:
            self._clean_up(connection, error)
            raise
        self._give_back(connection)

    def _clean_up(self, connection: "psycopg.Connection[Any]", error: BaseException) -> None:
        """Clean up after an error; a broken connection is seldom the only one."""
        try:
            if not connection.closed:
                connection.execute("ROLLBACK")
        except psycopg.Error:
            connection.close()
        if connection.closed:
            self._close_free()
        elif isinstance(error, Exception):
            self._give_back(connection)
        else:  # cut in the middle
            connection.close()

    def _take(self) -> "psycopg.Connection[tuple[Any, ...]]":
        if self._pid != os.getpid():
            _inherited.append(self._free)  # a fork that told nobody: closing them is the parent's
            self.after_fork()
        with self._free_lock:
            if self._free:
                return self._free.pop()
        return self._connect()

    def _give_back(self, connection: "psycopg.Connection[tuple[Any, ...]]") -> None:
        with self._free_lock:
            if len(self._free) < _KEPT_FREE:
                self._free.append(connection)
                return
        connection.close()

    def _connect(self) -> "psycopg.Connection[tuple[Any, ...]]":
        try:
            connection = psycopg.connect(self._conninfo, autocommit=True)
        except psycopg.Error as error:
            raise self._told(error) from error
        try:
            connection.execute(_PREPARE)
            connection.execute(_NAME_CONNECTION, (new_token(),))
            self._installation = prepare_schema(connection)
        except OutboxVersionError as error:
            connection.close()
            text = f"The outbox database {self.name} can’t be used: {error}."
            raise OutboxVersionError(text) from error
        except BaseException:
            connection.close()
            raise
        return connection

    def _begun_to_listen(self) -> "psycopg.Connection[tuple[Any, ...]]":
        connection = self._take()
        try:
            connection.execute(f"LISTEN {SCHEMA}")
        except BaseException:
            connection.close()
            raise
        return connection

    def _keep_listening(self, connection: "psycopg.Connection[tuple[Any, ...]]") -> None:
        # Another thread may have waited meanwhile, with one of its own.
        other, self._listening = self._listening, connection
        if other is not None:
            other.close()

    def _told(self, error: psycopg.Error) -> OutboxUnavailableError:
        """Tell every failure of the database in one sentence; libpq's words have no password."""
        words = " ".join(str(error).split()) or "the connection is gone"
        busy = isinstance(error, psycopg.errors.LockNotAvailable | psycopg.errors.QueryCanceled)
        kind = OutboxBusyError if busy else OutboxUnreachableError
        return kind(f"The outbox database {self.name} can’t be used: {words.rstrip('.')}.")


def _commit(transaction: PostgresTransaction) -> None:
    done = transaction.execute("COMMIT").statusmessage
    if done != "COMMIT":  # it had failed before, and nobody had looked
        raise psycopg.errors.InFailedSqlTransaction(f"the transaction ended by {done}")


def _is_passing(error: psycopg.Error) -> bool:
    """Whether to do the same again at once makes sense: another won, or a connection was old."""
    passing = psycopg.errors.DeadlockDetected | psycopg.errors.SerializationFailure
    if isinstance(error, passing | psycopg.errors.AdminShutdown | psycopg.InterfaceError):
        return True
    return isinstance(error, psycopg.OperationalError) and error.sqlstate is None


_IDLE: Final = psycopg.pq.TransactionStatus.IDLE
_inherited: Final[list[object]] = []
_databases: Final[WeakSet[PostgresDatabase]] = WeakSet()


@atexit.register
def _close_all() -> None:
    for database in tuple(_databases):
        database.close()
