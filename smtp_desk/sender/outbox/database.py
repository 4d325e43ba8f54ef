"""The SQLite file that processes and threads share, durable at each commit.

Whoever writes while another commits waits together with all others who do, and one of
them commits for all: the disk is asked once for many threads.
"""

import contextlib
import os
import shutil
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final, Self, TypeVar, final

from smtp_desk.sender.forks import run_after_fork
from smtp_desk.sender.outbox.migrations import MIGRATIONS, check_version, migrate
from smtp_desk.sender.outbox.outbox import (
    OutboxBusyError,
    OutboxCorruptError,
    OutboxUnavailableError,
    OutboxVersionError,
)
from smtp_desk.store.ownership import make_private, make_private_folder, refuse_links_of_others

T = TypeVar("T")

_PRIVATE_FILE: Final = 0o600
_NEW_FILE: Final = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_CLOEXEC", 0)
_WAL_OCTETS: Final = 64 * 1024 * 1024
_LEAST_FREE_OCTETS: Final = 64 * 1024
_RETRY_S: Final = 0.01
_PRIMARY: Final = 0xFF  # the low octet of an extended result code
_BUSY: Final = frozenset({sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED})
_CORRUPT: Final = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})
_LEFT: Final = "The file is left as it is: move it away, keep it for whoever can read it, go on."


class _Connection(sqlite3.Connection):
    """A connection that knows which file it has open."""

    file: tuple[int, int] | None = None


class _Job:
    """One caller's work in a transaction that others may share."""

    def __init__(self, work: Callable[[sqlite3.Connection], None], *, durable: bool) -> None:
        self.work = work
        self.durable = durable
        self.done = False
        self.error: Exception | None = None


@final
class Database:
    """An outbox database, open; many threads may use it, and after a fork the child too.

    Args:
        path: The file. It is made, private, where it is missing, and so is its folder.
        busy_timeout_s: How long to wait for others who hold the file, in seconds.

    Attributes:
        path: The file.
        commits: Transactions that this object wrote, for measurements.

    Raises:
        OutboxCorruptError: The file is damaged or another program's.
        OutboxVersionError: A newer version of this program wrote it.
        OutboxUnavailableError: It can't be opened or written.
    """

    def __init__(self, path: Path, *, busy_timeout_s: float = 10.0) -> None:
        self.path = path
        self.commits = 0
        self._busy_timeout_s = busy_timeout_s
        self._file: tuple[int, int] | None = None
        self._free: list[_Connection] = []
        self.after_fork()
        with self._told():
            self._prepare()
        run_after_fork(self.after_fork)

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
        _inherited.extend(self._free)
        self._free = []
        self._free_lock = threading.Lock()
        self._queue: list[_Job] = []
        self._queue_lock = threading.Lock()
        self._writing = threading.Lock()

    def write(self, work: Callable[[sqlite3.Connection], T], *, durable: bool = True) -> T:
        """Do `work` in a transaction and commit it; where it raises, none of it is done.

        Args:
            work: Gets the connection, and may share its transaction with the work of others.
            durable: False where a loss of power may undo it, a crash of the program not.

        Raises:
            OutboxUnavailableError: The storage does not work.
            Exception: What `work` raises.
        """
        results: list[T] = []
        job = _Job(lambda connection: results.append(work(connection)), durable=durable)
        with self._queue_lock:
            self._queue.append(job)
        with self._writing:
            if not job.done:
                with self._queue_lock:
                    jobs, self._queue = self._queue, []
                self._commit(jobs)
        if job.error:
            raise job.error
        return results[-1]

    def read(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Do `work`, which only reads, on one state of the database.

        Raises:
            OutboxUnavailableError: The storage does not work.
            Exception: What `work` raises.
        """
        with self._told(), self._connection() as connection:
            connection.execute("BEGIN")
            return work(connection)

    def close(self) -> None:
        """Close the connections that nobody uses; the next call opens one again."""
        with self._free_lock:
            free, self._free = self._free, []
        for connection in free:
            connection.close()

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
        try:
            with self._told(), self._connection() as connection:
                level = "FULL" if any(job.durable for job in jobs) else "NORMAL"
                connection.execute(f"PRAGMA synchronous = {level}")
                connection.execute("BEGIN IMMEDIATE")
                for job in jobs:
                    job.error = _error_of(job, connection)
                connection.execute("COMMIT")
        except OutboxUnavailableError as error:
            return error
        self.commits += 1
        return None

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
        if _identity(self.path) != self._file:
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
        connection = sqlite3.connect(
            self.path,
            timeout=self._busy_timeout_s,
            isolation_level=None,
            check_same_thread=False,
            factory=_Connection,
        )
        connection.file = self._file
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute(f"PRAGMA journal_size_limit = {_WAL_OCTETS}")
        return connection

    def _prepare(self) -> None:
        _make_private_file(self.path)
        self._file = _identity(self.path)
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
        if code == sqlite3.SQLITE_FULL or (code == sqlite3.SQLITE_IOERR and _is_full(self.path)):
            return OutboxUnavailableError(f"The disk of the outbox {self.path} is full.")
        return OutboxUnavailableError(f"The outbox {self.path} can’t be used: {error}.")


def _error_of(job: _Job, connection: sqlite3.Connection) -> Exception | None:
    """Do the job, and undo it where it raises what is not the storage's fault."""
    connection.execute("SAVEPOINT job")
    error = None
    try:
        job.work(connection)
    except sqlite3.Error:
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


def _make_private_file(path: Path) -> None:
    """Make `path` private before SQLite opens it; its companions take over the mode."""
    make_private_folder(path.parent)
    refuse_links_of_others(path)
    try:
        os.close(os.open(path, _NEW_FILE, _PRIVATE_FILE))
    except FileExistsError:
        make_private(path)


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    return found.st_dev, found.st_ino


def _is_full(path: Path) -> bool:
    """Whether an error of input or output is that of a full disk, which SQLite does not tell."""
    with contextlib.suppress(OSError):
        return shutil.disk_usage(path.parent).free < _LEAST_FREE_OCTETS
    return False


def _primary_code(error: sqlite3.Error) -> int:
    return getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & _PRIMARY


_inherited: Final[list[_Connection]] = []
