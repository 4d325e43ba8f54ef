"""A real PostgreSQL, as a user without rights: an empty database for each test, and restarts."""

from __future__ import annotations

import contextlib
import itertools
import os
import shutil
import signal
import subprocess
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

import pytest

from smtp_desk.sender.outbox.postgres_migrations import SCHEMA
from tests.servers import parts
from tests.servers.ports import free_port
from tests.servers.process import ServerProcess, server_folder

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.servers.certs import Identity

USERNAME: Final = "desk"
PASSWORD: Final = "s3cret"

_SETTINGS: Final = """\
unix_socket_directories = '{folder}'
max_connections = 200
shared_buffers = 32MB
log_min_messages = warning
log_min_error_statement = panic
"""

# The tables keep what a schema is known by. A connection that a test left open may hold locks.
_EMPTY: Final = f"""
    SELECT pg_terminate_backend(pid, 20000) FROM pg_stat_activity
        WHERE datname = current_database() AND pid <> pg_backend_pid();
    SET session_replication_role = replica;
    DO $$ DECLARE each text; BEGIN
        FOR each IN SELECT format('%I.%I', schemaname, tablename) FROM pg_tables
            WHERE schemaname = '{SCHEMA}' AND tablename <> 'about'
        LOOP EXECUTE 'DELETE FROM ' || each; END LOOP;
    END $$
"""  # noqa: S608 - a constant


class Postgres:
    """The server, and what tests do to it.

    Attributes:
        folder: Its files; its socket lies there.
        port: Where it listens, on 127.0.0.1 and as part of the socket's name.
    """

    def __init__(
        self,
        folder: Path,
        *,
        identity: Identity | None = None,
        durable: bool = True,
        listens: str = "127.0.0.1",
    ) -> None:
        self.folder = folder
        self.port = free_port()
        self._user = "nobody" if os.geteuid() == 0 else None
        self._data = folder / "data"
        self._listens = listens
        self._names = itertools.count()
        self._shared = ""
        if self._user:
            shutil.chown(folder, self._user)
        self._run("initdb", "-D", self._data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "-N")
        settings = _SETTINGS.format(folder=folder)
        if not durable:
            settings += "fsync = off\nfull_page_writes = off\n"
        if identity is not None:
            settings += self._with_tls(identity)
        self._write("postgresql.auto.conf", settings)
        self._write("pg_hba.conf", "local all postgres trust\n")
        self._server = self._started()
        self.execute(f"CREATE ROLE {USERNAME} LOGIN PASSWORD '{PASSWORD}'")
        self.execute(f"CREATE ROLE stranger LOGIN PASSWORD '{PASSWORD}'")
        self._write(
            "pg_hba.conf",
            f"local all all trust\nhost all {USERNAME} 127.0.0.1/32 trust\n"
            f"hostssl all {USERNAME} 10.213.0.0/16 trust\n"
            "host all stranger 127.0.0.1/32 scram-sha-256\n",
        )
        self.execute("SELECT pg_reload_conf()")

    def new_database(self) -> str:
        """Make an empty database; return its URL, by the socket."""
        name = f"desk{next(self._names)}"
        self.execute(f"CREATE DATABASE {name} OWNER {USERNAME} TEMPLATE template0")
        return self.url(name)

    def empty_database(self) -> str:
        """Empty the database that the tests share; return its URL, by the socket.

        Its schema stays as the first test made it: that is a third of what a new database costs.
        """
        if self._shared:
            self.execute(_EMPTY, self._shared.rpartition("/")[2])
        else:
            self._shared = self.new_database()
        return self._shared

    def url(self, database: str, *, user: str = USERNAME) -> str:
        """The URL of a database, by the socket."""
        return f"postgresql://{user}@{quote(str(self.folder), safe='')}:{self.port}/{database}"

    def tcp_url(self, database: str, *, user: str = USERNAME, port: int = 0) -> str:
        """The URL of a database, by the network or by what stands before it at `port`."""
        return f"postgresql://{user}@127.0.0.1:{port or self.port}/{database}"

    def execute(self, statement: str, database: str = "postgres") -> list[tuple[object, ...]]:
        """Execute a statement as the superuser; return the rows."""
        import psycopg  # noqa: PLC0415 - every test run loads this file, few need it

        with psycopg.connect(self.url(database, user="postgres"), autocommit=True) as connection:
            cursor = connection.execute(statement.encode())
            return cursor.fetchall() if cursor.description else []

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """End it: SIGTERM waits for its clients, SIGINT does not, SIGQUIT is a crash."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self._server.pid, how)
        self._server.wait()

    def start(self) -> None:
        """Start it again, on what it had."""
        self._server = self._started()

    def restart(self, how: signal.Signals = signal.SIGINT) -> None:
        """Stop and start it."""
        self.stop(how)
        self.start()

    def _started(self) -> ServerProcess:
        options = (
            "-D",
            str(self._data),
            "-p",
            str(self.port),
            "-c",
            f"listen_addresses={self._listens}",
        )
        server = ServerProcess(
            (parts.program("postgres"), *options),
            self.folder / "log",
            user=self._user,
            env={**os.environ, "LC_ALL": "C.UTF-8"},
        )
        server.wait_ready(self._answers)
        return server

    def _answers(self) -> bool:
        ready = (parts.program("pg_isready"), "-q", "-h", str(self.folder))
        return subprocess.run([*ready, "-p", str(self.port)], check=False).returncode == 0

    def _with_tls(self, identity: Identity) -> str:
        for name, file in (("server.crt", identity.chain_file), ("server.key", identity.key_file)):
            copy = self._data / name
            shutil.copy(file, copy)
            copy.chmod(0o600)
            if self._user:
                shutil.chown(copy, self._user)
        return "ssl = on\n"

    def _write(self, name: str, text: str) -> None:
        file = self._data / name
        file.write_text(text)
        if self._user:
            shutil.chown(file, self._user)

    def _run(self, name: str, *arguments: str | Path) -> None:
        done = subprocess.run(
            [parts.program(name), *arguments],
            user=self._user,
            extra_groups=[] if self._user else None,
            env={**os.environ, "LC_ALL": "C.UTF-8"},
            cwd="/",
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr


@contextlib.contextmanager
def running_postgres(
    *, identity: Identity | None = None, durable: bool = True, listens: str = "127.0.0.1"
) -> Iterator[Postgres]:
    """A server of one's own, to stop and start; one that isn't durable is faster."""
    with server_folder("pg") as folder:
        server = Postgres(folder, identity=identity, durable=durable, listens=listens)
        try:
            yield server
        finally:
            server.stop(signal.SIGQUIT)


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A server that all tests of this process share; each takes an empty database, or a new one."""
    parts.require("postgres")
    with running_postgres(durable=False) as server:
        yield server
