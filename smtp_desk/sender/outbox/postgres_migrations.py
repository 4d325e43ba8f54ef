"""The schema of the outbox on PostgreSQL, as numbered steps that never change once released.

Columns have the same values as in SQLite: moments are whole milliseconds since 1970.
"""

from typing import TYPE_CHECKING, Final

from smtp_desk.sender.outbox.entries import new_token
from smtp_desk.sender.outbox.outbox import OutboxVersionError

if TYPE_CHECKING:
    import psycopg

SCHEMA: Final = "smtp_desk"
"""Of its own, for the database may be the platform's; also the channel of NOTIFY."""

_LOCK: Final = 0x534D5444  # SMTD: one program migrates at a time
_SHARDS: Final = 64

_OUTBOX: Final = """
    CREATE TABLE messages (
        key BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        message_id TEXT NOT NULL,
        kind TEXT NOT NULL,
        subject TEXT NOT NULL,
        size BIGINT NOT NULL,
        metadata TEXT NOT NULL,
        payload BYTEA NOT NULL
    );
    ALTER TABLE messages ALTER COLUMN payload SET STORAGE EXTERNAL;
    CREATE TABLE entries (
        id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
        message BIGINT NOT NULL REFERENCES messages (key),
        recipient TEXT NOT NULL,
        searched TEXT NOT NULL,
        created_at BIGINT NOT NULL,
        expires_at BIGINT NOT NULL,
        state TEXT NOT NULL CHECK (state IN (
            'ready', 'sending', 'in_doubt', 'accepted', 'refused', 'held', 'dropped'
        )),
        changed_at BIGINT NOT NULL,
        next_attempt_at BIGINT NOT NULL,
        tries INTEGER NOT NULL,
        doubts INTEGER NOT NULL,
        only_route TEXT NOT NULL,
        route TEXT NOT NULL,
        code TEXT NOT NULL,
        attempts TEXT NOT NULL,
        lease_owner TEXT NOT NULL,
        lease_token TEXT NOT NULL,
        lease_until BIGINT,
        doubt_token TEXT NOT NULL,
        submitter TEXT NOT NULL,
        untold INTEGER NOT NULL
    );
    CREATE INDEX entries_by_message ON entries (message);
    CREATE INDEX entries_by_state ON entries (state, id);
    CREATE INDEX entries_ready ON entries (next_attempt_at, id) WHERE state = 'ready';
    CREATE INDEX entries_leased ON entries (state, lease_until, id)
        WHERE lease_until IS NOT NULL;
    CREATE INDEX entries_untold ON entries (id) WHERE untold = 1;
"""
_HEALTH: Final = """
    CREATE TABLE route_health (
        route TEXT NOT NULL PRIMARY KEY,
        failures INTEGER NOT NULL,
        resting_until BIGINT,
        shut BOOLEAN NOT NULL,
        code TEXT NOT NULL,
        probe_token TEXT NOT NULL,
        probe_until BIGINT,
        out_since BIGINT,
        fallbacks BIGINT NOT NULL,
        uncertain INTEGER NOT NULL,
        unknown TEXT NOT NULL
    );
    CREATE TABLE health_events (
        id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        kind TEXT NOT NULL,
        route TEXT NOT NULL,
        at BIGINT NOT NULL,
        code TEXT NOT NULL,
        out_since BIGINT,
        fallbacks BIGINT NOT NULL,
        taken_until BIGINT NOT NULL
    );
"""
_THROTTLE: Final = """
    CREATE TABLE throttles (
        login TEXT NOT NULL PRIMARY KEY,
        most INTEGER NOT NULL,
        lowered_at BIGINT,
        pause BIGINT NOT NULL,
        paused_until BIGINT,
        slow_since BIGINT
    );
    CREATE TABLE connection_leases (
        id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        token TEXT NOT NULL UNIQUE,
        login TEXT NOT NULL,
        until BIGINT NOT NULL
    );
    CREATE INDEX connection_leases_by_login ON connection_leases (login);
    CREATE TABLE sent_by_minute (
        login TEXT NOT NULL,
        minute BIGINT NOT NULL,
        sent BIGINT NOT NULL,
        PRIMARY KEY (login, minute)
    );
"""
_CONTROL: Final = """
    CREATE TABLE sending_pause (
        only_one INTEGER NOT NULL PRIMARY KEY CHECK (only_one = 1),
        since BIGINT NOT NULL
    );
    CREATE TABLE workers (name TEXT NOT NULL PRIMARY KEY, until BIGINT NOT NULL);
"""
_DAILY_LOOK: Final = """
    ALTER TABLE route_health ADD COLUMN looked_at BIGINT;
    ALTER TABLE route_health ADD COLUMN endings TEXT NOT NULL DEFAULT '[]';
    ALTER TABLE health_events ADD COLUMN endings TEXT NOT NULL DEFAULT '[]';
"""
# What a program wants later must not stand in the way of what is due.
_API: Final = """
    ALTER TABLE entries ADD COLUMN send_at BIGINT;
    DROP INDEX entries_ready;
    CREATE INDEX entries_ready ON entries (next_attempt_at, id)
        WHERE state = 'ready' AND send_at IS NULL;
    CREATE INDEX entries_later ON entries (send_at, id) WHERE send_at IS NOT NULL;
    CREATE INDEX messages_by_message_id ON messages (message_id);
    CREATE TABLE sending_keys (
        name TEXT NOT NULL PRIMARY KEY,
        content TEXT NOT NULL,
        message BIGINT NOT NULL,
        message_id TEXT NOT NULL,
        created_at BIGINT NOT NULL
    );
    CREATE INDEX sending_keys_by_age ON sending_keys (created_at);
"""
# Which transaction each connection committed last; see `postgres_database`.
_WRITERS: Final = """
    CREATE TABLE writers (
        name TEXT NOT NULL PRIMARY KEY,
        transaction BIGINT NOT NULL,
        at BIGINT NOT NULL
    );
"""
# As in `migrations`.
_RECIPIENTS: Final = """
    CREATE INDEX entries_by_recipient ON entries (lower(recipient COLLATE "C"), id);
    CREATE INDEX entries_oddly_addressed ON entries (id, recipient)
        WHERE recipient COLLATE "C" ~ '[^!#-~]';
"""


def _counted(event: str, changes: str, tables: str) -> str:
    """Return a trigger that counts what an event changes, in the same transaction.

    Each transaction counts in a shard that is its own until it ends, so none ever waits for
    another. One that finds all taken counts in one of its connection.
    """
    return f"""
        CREATE FUNCTION count_{event} () RETURNS trigger LANGUAGE plpgsql AS $$
        DECLARE
            own INTEGER;
        BEGIN
            FOR step IN 1..{_SHARDS} LOOP
                own := (pg_backend_pid() + step) % {_SHARDS};
                EXIT WHEN pg_try_advisory_xact_lock(hashtext('{SCHEMA}.entry_counts'), own);
                own := -pg_backend_pid();
            END LOOP;
            INSERT INTO {SCHEMA}.entry_counts AS counted (state, route, shard, entries)
            SELECT state, route, own, sum(change) FROM ({changes}) AS changes
            GROUP BY state, route HAVING sum(change) <> 0
            ON CONFLICT (state, route, shard)
            DO UPDATE SET entries = counted.entries + excluded.entries;
            RETURN NULL;
        END $$;
        CREATE TRIGGER count_{event} AFTER {event} ON entries REFERENCING {tables}
            FOR EACH STATEMENT EXECUTE FUNCTION count_{event} ();
    """  # noqa: S608 - constants


_NEW: Final = "NEW TABLE AS added"
_OLD: Final = "OLD TABLE AS removed"
_ADDED: Final = "SELECT state, route, 1 AS change FROM added"
_REMOVED: Final = "SELECT state, route, -1 AS change FROM removed"
# As in `migrations`. While the triggers are made nobody writes, so nothing is left out or twice.
_COUNTS: Final = f"""
    CREATE TABLE entry_counts (
        state TEXT NOT NULL,
        route TEXT NOT NULL,
        shard INTEGER NOT NULL,
        entries BIGINT NOT NULL,
        PRIMARY KEY (state, route, shard)
    ) WITH (fillfactor = 50);
    {_counted("INSERT", _ADDED, _NEW)}
    {_counted("DELETE", _REMOVED, _OLD)}
    {_counted("UPDATE", f"{_ADDED} UNION ALL {_REMOVED}", f"{_NEW} {_OLD}")}
    INSERT INTO entry_counts SELECT state, route, 0, count(*) FROM entries GROUP BY state, route;
"""  # noqa: S608 - constants

MIGRATIONS: Final[tuple[str, ...]] = (
    _OUTBOX + _HEALTH + _THROTTLE + _CONTROL,
    _DAILY_LOOK,
    _API,
    _WRITERS,
    _RECIPIENTS,
    _COUNTS,
)
"""Step n leads from version n to n + 1."""

_IS_THERE: Final = """
    SELECT 1 FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
    WHERE nspname = %s AND relname = 'about'
"""
_FIND: Final = f"SELECT version, installation FROM {SCHEMA}.about"  # noqa: S608 - a constant


def prepare_schema(connection: "psycopg.Connection") -> str:
    """Bring the schema to the newest version; return the id of the installation.

    It takes no lock if the schema is up to date. Two programs that start at the same time wait
    for each other.

    Raises:
        OutboxVersionError: A newer program wrote it.
        psycopg.Error: The database refuses.
    """
    version, installation = _found(connection)
    if version < len(MIGRATIONS):
        with connection.transaction():
            connection.execute("SET LOCAL statement_timeout = 0")  # an index of millions of rows
            connection.execute("SELECT pg_advisory_xact_lock(%s)", (_LOCK,))
            version, installation = _found(connection)  # by now maybe another's work
            if not version:
                _begin(connection, installation := new_token())
            for step in MIGRATIONS[version:]:
                connection.execute(step)
            connection.execute(f"UPDATE {SCHEMA}.about SET version = %s", (len(MIGRATIONS),))  # noqa: S608
    if version > len(MIGRATIONS):
        raise OutboxVersionError(
            f"it has version {version}, and this program knows versions up to {len(MIGRATIONS)}"
        )
    return installation


def _found(connection: "psycopg.Connection") -> tuple[int, str]:
    # Not by to_regclass: it remembers what it looked for in vain.
    there = connection.execute(_IS_THERE, (SCHEMA,)).fetchone()
    row = connection.execute(_FIND).fetchone() if there else None
    return row or (0, "")


def _begin(connection: "psycopg.Connection", installation: str) -> None:
    there = connection.execute("SELECT 1 FROM pg_namespace WHERE nspname = %s", (SCHEMA,))
    if there.fetchone() is None:  # where an administrator made it, no right to make one is needed
        connection.execute(f"CREATE SCHEMA {SCHEMA}")
    connection.execute(f"CREATE TABLE {SCHEMA}.about (version INTEGER, installation TEXT)")
    connection.execute(f"INSERT INTO {SCHEMA}.about VALUES (0, %s)", (installation,))  # noqa: S608
