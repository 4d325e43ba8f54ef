"""The SQLite file that processes and threads share.

Threads that write while another one commits wait together, and one of them commits for all: the
disk is synced once for many threads. What need not survive a loss of power at once reaches the disk
with the next commit that must, within a second at the latest.

SQLite keeps the locks of a file for the whole process, and a forked child inherits locks that it
believes to hold: it would write to a log that the parent removed long ago. So each use of a
connection passes `forks.gate`, all connections are closed before a fork, and a child that inherited
one all the same may not use that file.
"""

import atexit
import contextlib
import logging
import os
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final, Self, TypeVar, final
from weakref import WeakSet

from smtp_desk.sender.outbox.disk import (
    identity,
    is_full,
    lacks_descriptors,
    make_private_file,
    sync_log,
)
from smtp_desk.sender.outbox.migrations import MIGRATIONS, check_version, migrate
from smtp_desk.sender.outbox.outbox import (
    OutboxBusyError,
    OutboxCorruptError,
    OutboxUnavailableError,
    OutboxVersionError,
)
from smtp_desk.smtp.net.forks import gate, run_after_fork, run_before_fork

T = TypeVar("T")

_WAL_OCTETS: Final = 64 * 1024 * 1024
_RETRY_S: Final = 0.01
_LONGEST_PATIENCE_S: Final = 0.01
_SYNC_WITHIN_S: Final = 0.8  # and the rest of the second for the disk
_PRIMARY: Final = 0xFF  # the low octet of an extended result code
_BUSY: Final = frozenset({sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED})
_CORRUPT: Final = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})
_LEFT: Final = "The file is left as it is. Move it elsewhere, keep it for repair, then try again."
_FORKED: Final = (
    "The outbox {} can’t be used: this process was forked while the outbox was in use."
    " Fork before anything is sent, or start another program in the child."
)

_log: Final = logging.getLogger(__name__)


class _Connection(sqlite3.Connection):
    """A connection that knows which file it has open, and in which process."""

    file: tuple[int, int] | None = None
    pid: int = 0

    def close(self) -> None:
        super().close()
        _open.discard(self)


_open: Final[set[_Connection]] = set()


class _Job:
    """One caller's work in a transaction that others may share."""

    def __init__(self, work: Callable[[sqlite3.Connection], None], *, durable: bool) -> None:
        self.work = work
        self.durable = durable
        self.thread = threading.get_ident()
        self.done = False
        self.error: Exception | None = None


@final
class Database:
    """An outbox database, open; many threads may use it, and after a fork the child too.

    Args:
        path: The file. If it or its folder is missing, it is created, private to the user.
        busy_timeout_s: How long to wait for others that lock the file, in seconds.

    Attributes:
        path: The file.
        commits: Transactions that this object wrote, for measurements.
        syncs: How often it waited for the disk, for measurements.

    Raises:
        OutboxCorruptError: The file is damaged or another program's.
        OutboxVersionError: A newer version of this program wrote it.
        OutboxUnavailableError: It can't be opened or written.
    """

    def __init__(self, path: Path, *, busy_timeout_s: float = 10.0) -> None:
        self.path = path
        self.commits = 0
        self.syncs = 0
        self._busy_timeout_s = busy_timeout_s
        self._file: tuple[int, int] | None = None
        self.after_fork()
        with gate, self._told():
            self._prepare()
        run_before_fork(self._close_free)
        run_after_fork(self.after_fork)
        _databases.add(self)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def __del__(self) -> None:
        # Whoever has it for as long as the program runs never closes it; from Python 3.13 on
        # an unclosed connection is warned of.
        self.close()

    def after_fork(self) -> None:
        """Forget locks and connections without touching them: in a child they are the parent's."""
        self._free: list[_Connection] = []
        self._free_lock = threading.RLock()  # a signal handler may fork while we hold it
        self._queue: list[_Job] = []
        self._queued = threading.Condition(threading.Lock())
        self._writing = threading.Lock()
        self._company = (frozenset[int](), frozenset[int]())  # the threads of the last two commits
        self._patience_s = 0.0
        self._written_at: float | None = None  # the oldest commit that is not on the disk
        self._syncing = False

    def write(self, work: Callable[[sqlite3.Connection], T], *, durable: bool = True) -> T:
        """Do `work` in a transaction and commit it; if it raises, all of it is undone.

        Args:
            work: Called with the connection; may share its transaction with other work.
            durable: False if a loss of power may undo it within the next second; a crash of the
                program never does.

        Raises:
            OutboxUnavailableError: The storage does not work.
            Exception: What `work` raises.
        """
        results: list[T] = []
        job = _Job(lambda connection: results.append(work(connection)), durable=durable)
        with gate:
            with self._queued:
                self._queue.append(job)
                self._queued.notify()
            with self._writing:
                if not job.done:
                    self._commit(self._gathered())
        if job.error:
            raise job.error
        return results[-1]

    def read(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Do `work`, which only reads, on one consistent state of the database.

        Raises:
            OutboxUnavailableError: The storage does not work.
            Exception: What `work` raises.
        """
        with gate, self._told(), self._connection() as connection:
            connection.execute("BEGIN")
            return work(connection)

    def sync(self) -> None:
        """Wait until everything written is on the disk."""
        with gate, self._writing:
            if self._written_at is not None:
                self._sync()

    def empty_log(self) -> None:
        """Move the log into the file and empty it, if nobody is using it."""
        with gate, self._writing, self._told(), self._connection() as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def close(self) -> None:
        """Close the unused connections; the next call opens one again."""
        with gate:
            self.sync()
            self._close_free()

    def _close_free(self) -> None:
        with self._free_lock:
            free, self._free = self._free, []
        for connection in free:
            connection.close()

    def _gathered(self) -> list[_Job]:
        """Return the jobs that wait, and those of threads that are about to come.

        Threads that each ask for a commit as soon as the last one is done would take turns,
        one half waiting for the other: where the disk is slow, all of them go together instead.
        """
        expected = len(frozenset.union(*self._company))
        with self._queued:
            if self._patience_s and any(job.durable for job in self._queue):
                came = self._queued.wait_for(
                    lambda: len({job.thread for job in self._queue}) >= expected, self._patience_s
                )
                if not came:  # they have something better to do
                    self._patience_s = 0.0
            jobs, self._queue = self._queue, []
        return jobs

    def _remember(self, jobs: list[_Job], seconds: float) -> None:
        """Learn from a commit that the disk was waited for who may share the next one."""
        threads = frozenset(job.thread for job in jobs)
        self._company = (self._company[1], threads)
        if len(threads) > 1:
            self._patience_s = min(seconds, _LONGEST_PATIENCE_S)

    def _commit(self, jobs: list[_Job]) -> None:
        try:
            failure = self._failure_of(jobs)
            if failure and len(jobs) > 1 and not isinstance(failure, OutboxBusyError):
                for job in jobs:  # alone each shows whose fault it was
                    job.error = self._failure_of([job]) or job.error
            elif failure:
                for job in jobs:
                    # Each thread raises an exception of its own: it adds its own traceback.
                    job.error = type(failure)(*failure.args)
            for job in jobs:
                job.done = True
        finally:
            for job in jobs:
                if not job.done:
                    job.error = OutboxUnavailableError("The program was interrupted.")
                    job.done = True

    def _failure_of(self, jobs: list[_Job]) -> OutboxUnavailableError | None:
        """Do the jobs in one transaction; return what kept the storage from it."""
        durable = any(job.durable for job in jobs)
        begun = time.monotonic()
        try:
            with self._told(), self._connection() as connection:
                connection.execute(f"PRAGMA synchronous = {'FULL' if durable else 'NORMAL'}")
                before = connection.total_changes
                connection.execute("BEGIN IMMEDIATE")
                for job in jobs:
                    job.error = _error_of(job, connection)
                connection.execute("COMMIT")
                changed = connection.total_changes != before
        except OutboxUnavailableError as error:
            return error
        self.commits += 1
        if durable and changed and not any(job.error for job in jobs):
            self.syncs += 1  # what changed nothing, or undid all, asked the disk for nothing
            self._written_at = None
            self._remember(jobs, time.monotonic() - begun)
        elif changed and self._written_at is None:
            self._written_at = time.monotonic()
            self._sync_soon()
        return None

    def _sync_soon(self) -> None:
        """Have it synced within the second; called by the one who writes."""
        if self._syncing:
            return
        thread = threading.Thread(target=self._keep_synced, name="outbox sync", daemon=True)
        try:
            thread.start()
            self._syncing = True
        except RuntimeError:  # none is to be had
            self._sync()

    def _keep_synced(self) -> None:
        """Sync what nobody else did in time, until nothing is left."""
        while True:
            with gate, self._writing:
                if self._written_at is None:
                    self._syncing = False
                    return
                left = self._written_at + _SYNC_WITHIN_S - time.monotonic()
                if left <= 0:
                    self._sync()
            if left > 0:
                time.sleep(left)

    def _sync(self) -> None:
        """Ask the disk to take the log; one that is gone was taken over whole, and synced."""
        self._written_at = None
        self.syncs += 1
        try:
            sync_log(self.path)
        except OSError as error:
            _log.error("what was written to %s may not be on the disk: %s", self.path, error)

    @contextlib.contextmanager
    def _connection(self) -> Iterator[_Connection]:
        connection = self._take()
        try:
            yield connection
        except sqlite3.Error:
            connection.close()
            raise
        except BaseException:
            self._give_back(connection)
            raise
        self._give_back(connection)

    def _take(self) -> _Connection:
        if self._free and self._free[0].pid != os.getpid():
            self.after_fork()  # by a fork that told nobody
        if identity(self.path) != self._file:
            self._prepare()  # moved away or removed: to write on would be to write to nowhere
        with self._free_lock:
            while self._free:
                connection = self._free.pop(0)  # one of a file that is gone comes first
                if connection.file == self._file:
                    return connection
                connection.close()
        return self._connect()

    def _give_back(self, connection: _Connection) -> None:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        with self._free_lock:
            self._free.append(connection)

    def _connect(self) -> _Connection:
        pid = os.getpid()
        # A copy: other threads open and close theirs meanwhile.
        if any(each.pid != pid and each.file == self._file for each in _open.copy()):
            raise OutboxUnavailableError(_FORKED.format(self.path))
        connection = sqlite3.connect(
            self.path,
            timeout=self._busy_timeout_s,
            isolation_level=None,
            check_same_thread=False,
            factory=_Connection,
        )
        connection.file, connection.pid = self._file, pid
        _open.add(connection)
        try:
            connection.execute("PRAGMA foreign_keys = ON")
            # What is erased is no longer in the file, nor what it was before it changed.
            connection.execute("PRAGMA secure_delete = ON")
            connection.execute(f"PRAGMA journal_size_limit = {_WAL_OCTETS}")
        except BaseException:
            connection.close()
            raise
        return connection

    def _prepare(self) -> None:
        make_private_file(self.path)
        self._file = identity(self.path)
        give_up_at = time.monotonic() + self._busy_timeout_s
        while True:
            try:
                return self._prepare_once()
            except sqlite3.OperationalError as error:
                # The switch to WAL does not wait for others by itself.
                if _primary_code(error) not in _BUSY or time.monotonic() > give_up_at:
                    raise
            time.sleep(_RETRY_S)

    def _prepare_once(self) -> None:
        connection = self._connect()
        try:
            _bring_up_to_date(connection)
        except BaseException:
            connection.close()
            raise
        self._give_back(connection)

    @contextlib.contextmanager
    def _told(self) -> Iterator[None]:
        """Tell every failure of the storage as `OutboxUnavailableError`."""
        try:
            yield
        except sqlite3.Error as error:
            raise self._translated(error) from error
        except MemoryError as error:
            text = f"The outbox {self.path} can’t be used: there is no memory left."
            raise OutboxUnavailableError(text) from error
        except OSError as error:
            text = f"The outbox {self.path} can’t be used: {error.strerror}."
            raise OutboxUnavailableError(text) from error
        except (OutboxCorruptError, OutboxVersionError) as error:
            text = f"The outbox {self.path} can’t be used: {error}. {_LEFT}"
            raise type(error)(text) from error

    def _translated(self, error: sqlite3.Error) -> OutboxUnavailableError:
        code = _primary_code(error)
        if code in _BUSY:
            return OutboxBusyError(
                f"The outbox {self.path} is held by another program"
                f" for more than {self._busy_timeout_s:g} seconds."
            )
        if code in _CORRUPT:
            return OutboxCorruptError(f"The outbox {self.path} is damaged: {error}. {_LEFT}")
        if code == sqlite3.SQLITE_CANTOPEN and (reason := lacks_descriptors()):
            return OutboxUnavailableError(f"The outbox {self.path} can’t be used: {reason}.")
        if code == sqlite3.SQLITE_FULL or (code == sqlite3.SQLITE_IOERR and is_full(self.path)):
            return OutboxUnavailableError(f"The disk of the outbox {self.path} is full.")
        return OutboxUnavailableError(f"The outbox {self.path} can’t be used: {error}.")


def _error_of(job: _Job, connection: sqlite3.Connection) -> Exception | None:
    """Do the job, and undo it where it raises what is not the storage's fault."""
    connection.execute("SAVEPOINT job")
    error = None
    try:
        job.work(connection)
    except (sqlite3.Error, MemoryError):
        raise
    except Exception as raised:  # noqa: BLE001 - whatever it is, it is raised where the job came from
        connection.execute("ROLLBACK TO job")
        error = raised
    connection.execute("RELEASE job")
    return error


def _bring_up_to_date(connection: sqlite3.Connection) -> None:
    version = check_version(connection)
    if version == len(MIGRATIONS):
        return  # nobody who writes just now is waited for
    if version == 0:
        connection.execute("PRAGMA auto_vacuum = INCREMENTAL")
        connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("BEGIN IMMEDIATE")
    migrate(connection)
    connection.execute("COMMIT")


def _primary_code(error: sqlite3.Error) -> int:
    return getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & _PRIMARY


_databases: Final[WeakSet[Database]] = WeakSet()


@atexit.register
def _close_all() -> None:
    for database in tuple(_databases):
        database.close()
