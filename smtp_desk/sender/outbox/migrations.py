"""The outbox database's schema, as numbered steps that are never changed once released."""

import sqlite3
from typing import Final

from smtp_desk.sender.outbox.outbox import OutboxCorruptError, OutboxVersionError

APPLICATION_ID: Final = 0x534D5444
"""Says in the file's header whose it is: SMTD."""

_OUTBOX: Final = (
    # The payload stands last: reading what comes before it leaves its pages alone.
    """
    CREATE TABLE messages (
        key INTEGER PRIMARY KEY,
        message_id TEXT NOT NULL,
        kind TEXT NOT NULL,
        subject TEXT NOT NULL,
        size INTEGER NOT NULL,
        metadata TEXT NOT NULL,
        payload BLOB NOT NULL
    ) STRICT
    """,
    """
    CREATE TABLE entries (
        id TEXT NOT NULL PRIMARY KEY,
        message INTEGER NOT NULL REFERENCES messages (key),
        recipient TEXT NOT NULL,
        searched TEXT NOT NULL,
        created_at INTEGER NOT NULL,
        expires_at INTEGER NOT NULL,
        state TEXT NOT NULL CHECK (state IN (
            'ready', 'sending', 'in_doubt', 'accepted', 'refused', 'held', 'dropped'
        )),
        changed_at INTEGER NOT NULL,
        next_attempt_at INTEGER NOT NULL,
        tries INTEGER NOT NULL,
        doubts INTEGER NOT NULL,
        only_route TEXT NOT NULL,
        route TEXT NOT NULL,
        code TEXT NOT NULL,
        attempts TEXT NOT NULL,
        lease_owner TEXT NOT NULL,
        lease_token TEXT NOT NULL,
        lease_until INTEGER,
        doubt_token TEXT NOT NULL
    ) STRICT
    """,
    "CREATE INDEX entries_by_message ON entries (message)",
    "CREATE INDEX entries_by_state ON entries (state, id)",
    "CREATE INDEX entries_ready ON entries (next_attempt_at, id) WHERE state = 'ready'",
    "CREATE INDEX entries_leased ON entries (state, lease_until, id) WHERE lease_until IS NOT NULL",
    """
    CREATE TRIGGER message_without_entries AFTER DELETE ON entries
    WHEN NOT EXISTS (SELECT 1 FROM entries WHERE message = OLD.message)
    BEGIN
        DELETE FROM messages WHERE key = OLD.message;
    END
    """,
)

_HEALTH: Final = (
    """
    CREATE TABLE route_health (
        route TEXT NOT NULL PRIMARY KEY,
        failures INTEGER NOT NULL,
        resting_until INTEGER,
        shut INTEGER NOT NULL,
        code TEXT NOT NULL,
        probe_token TEXT NOT NULL,
        probe_until INTEGER,
        out_since INTEGER,
        fallbacks INTEGER NOT NULL,
        uncertain INTEGER NOT NULL
    ) STRICT
    """,
    """
    CREATE TABLE health_events (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        kind TEXT NOT NULL,
        route TEXT NOT NULL,
        at INTEGER NOT NULL,
        code TEXT NOT NULL,
        out_since INTEGER,
        fallbacks INTEGER NOT NULL,
        taken_until INTEGER NOT NULL
    ) STRICT
    """,
)

_THROTTLE: Final = (
    """
    CREATE TABLE throttles (
        login TEXT NOT NULL PRIMARY KEY,
        most INTEGER NOT NULL,
        lowered_at INTEGER,
        pause INTEGER NOT NULL,
        paused_until INTEGER,
        slow_since INTEGER
    ) STRICT
    """,
    """
    CREATE TABLE connection_leases (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        token TEXT NOT NULL UNIQUE,
        login TEXT NOT NULL,
        until INTEGER NOT NULL
    ) STRICT
    """,
    """
    CREATE TABLE sent_by_minute (
        login TEXT NOT NULL,
        minute INTEGER NOT NULL,
        sent INTEGER NOT NULL,
        PRIMARY KEY (login, minute)
    ) STRICT
    """,
)

_UNKNOWN_WORDS: Final = ("ALTER TABLE route_health ADD COLUMN unknown TEXT NOT NULL DEFAULT '[]'",)

_SUBMITTER: Final = ("ALTER TABLE entries ADD COLUMN submitter TEXT NOT NULL DEFAULT ''",)

_UNTOLD: Final = (
    "ALTER TABLE entries ADD COLUMN untold INTEGER NOT NULL DEFAULT 0",
    "CREATE INDEX entries_untold ON entries (id) WHERE untold = 1",
)

_CONTROL: Final = (
    """
    CREATE TABLE sending_pause (
        only_one INTEGER NOT NULL PRIMARY KEY CHECK (only_one = 1),
        since INTEGER NOT NULL
    ) STRICT
    """,
    "CREATE TABLE workers (name TEXT NOT NULL PRIMARY KEY, until INTEGER NOT NULL) STRICT",
)

_DAILY_LOOK: Final = (
    "ALTER TABLE route_health ADD COLUMN looked_at INTEGER",
    "ALTER TABLE route_health ADD COLUMN endings TEXT NOT NULL DEFAULT '[]'",
    "ALTER TABLE health_events ADD COLUMN endings TEXT NOT NULL DEFAULT '[]'",
)

# Messages on their way into the shared database: nothing here is ever sent.
_HANDOVERS: Final = (
    """
    CREATE TABLE handovers (
        key INTEGER PRIMARY KEY,
        written_by TEXT NOT NULL,
        entries TEXT NOT NULL,
        message_id TEXT NOT NULL,
        kind TEXT NOT NULL,
        subject TEXT NOT NULL,
        size INTEGER NOT NULL,
        metadata TEXT NOT NULL,
        payload BLOB NOT NULL
    ) STRICT
    """,
)

# How many there are is shown at every look, and must not take longer the more there are.
_COUNT_UP: Final = """
    INSERT INTO entry_counts (state, route, entries) VALUES (NEW.state, NEW.route, 1)
    ON CONFLICT DO UPDATE SET entries = entries + 1
"""
_COUNT_DOWN: Final = """
    UPDATE entry_counts SET entries = entries - 1 WHERE state = OLD.state AND route = OLD.route
"""
_COUNTS: Final = (
    """
    CREATE TABLE entry_counts (
        state TEXT NOT NULL,
        route TEXT NOT NULL,
        entries INTEGER NOT NULL,
        PRIMARY KEY (state, route)
    ) STRICT, WITHOUT ROWID
    """,
    "INSERT INTO entry_counts SELECT state, route, count(*) FROM entries GROUP BY state, route",
    f"CREATE TRIGGER entry_added AFTER INSERT ON entries BEGIN {_COUNT_UP}; END",
    f"CREATE TRIGGER entry_removed AFTER DELETE ON entries BEGIN {_COUNT_DOWN}; END",
    f"""
    CREATE TRIGGER entry_moved AFTER UPDATE OF state, route ON entries
    WHEN OLD.state <> NEW.state OR OLD.route <> NEW.route
    BEGIN {_COUNT_UP}; {_COUNT_DOWN}; END
    """,
)

# What a program wants later must not stand in the way of what is due.
_API: Final = (
    "ALTER TABLE entries ADD COLUMN send_at INTEGER",
    "DROP INDEX entries_ready",
    """
    CREATE INDEX entries_ready ON entries (next_attempt_at, id)
        WHERE state = 'ready' AND send_at IS NULL
    """,
    "CREATE INDEX entries_later ON entries (send_at, id) WHERE send_at IS NOT NULL",
    "CREATE INDEX messages_by_message_id ON messages (message_id)",
    """
    CREATE TABLE sending_keys (
        name TEXT NOT NULL PRIMARY KEY,
        content TEXT NOT NULL,
        message INTEGER NOT NULL,
        message_id TEXT NOT NULL,
        created_at INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID
    """,
    "CREATE INDEX sending_keys_by_age ON sending_keys (created_at)",
)

# By the key of nearly all addresses (`core.address.mailbox_key`), and the few that need a look.
_RECIPIENTS: Final = (
    "CREATE INDEX entries_by_recipient ON entries (lower(recipient), id)",
    """
    CREATE INDEX entries_oddly_addressed ON entries (id, recipient)
    WHERE recipient GLOB '*[^!#-~]*'
    """,
)

MIGRATIONS: Final[tuple[tuple[str, ...], ...]] = (
    (*_OUTBOX, *_HEALTH),
    (*_THROTTLE, *_UNKNOWN_WORDS),
    _SUBMITTER,
    _UNTOLD,
    _CONTROL,
    _DAILY_LOOK,
    _HANDOVERS,
    _COUNTS,
    _API,
    _RECIPIENTS,
)
"""Step n leads from version n to n + 1."""


def check_version(connection: sqlite3.Connection) -> int:
    """Return the schema's version, changing nothing; 0 for a new file.

    Raises:
        OutboxVersionError: A newer program wrote it.
        OutboxCorruptError: Another program's database.
    """
    version = _pragma(connection, "user_version")
    owner = _pragma(connection, "application_id")
    if owner != APPLICATION_ID and (owner or version or _has_tables(connection)):
        raise OutboxCorruptError("it is a database of another program")
    if version > len(MIGRATIONS):
        raise OutboxVersionError(
            f"it has version {version}, and this program knows versions up to {len(MIGRATIONS)}"
        )
    return version


def migrate(connection: sqlite3.Connection) -> None:
    """Bring the schema to the newest version, within the caller's write transaction.

    Raises:
        OutboxVersionError: As `check_version`.
        OutboxCorruptError: As `check_version`.
    """
    version = check_version(connection)
    for step in MIGRATIONS[version:]:
        for statement in step:
            connection.execute(statement)
    if version < len(MIGRATIONS):
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute(f"PRAGMA user_version = {len(MIGRATIONS)}")


def _pragma(connection: sqlite3.Connection, name: str) -> int:
    (value,) = connection.execute(f"PRAGMA {name}").fetchone()
    return int(value)


def _has_tables(connection: sqlite3.Connection) -> bool:
    return connection.execute("SELECT 1 FROM sqlite_schema LIMIT 1").fetchone() is not None
