"""What all senders share, in one place: a file on this machine, or a database for many."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from smtp_desk.sender.outbox.clock import UtcClock, utc_now
from smtp_desk.sender.outbox.control import Control
from smtp_desk.sender.outbox.control_sqlite import SqliteControl
from smtp_desk.sender.outbox.database import Database
from smtp_desk.sender.outbox.outbox import Outbox, OutboxLimits
from smtp_desk.sender.outbox.postgres_address import read_address
from smtp_desk.sender.outbox.sqlite import SqliteOutbox
from smtp_desk.sender.routes.health import Health
from smtp_desk.sender.routes.health_sqlite import SqliteHealth
from smtp_desk.sender.routes.throttle import Throttle
from smtp_desk.sender.routes.throttle_sqlite import SqliteThrottle
from smtp_desk.smtp.net.deadline import Cancel
from smtp_desk.store.settings_file import SettingsFileError
from smtp_desk.store.settings_store import SettingsStore


@dataclass(frozen=True, slots=True, kw_only=True)
class Storage:
    """The outbox, and what all its users know about the routes.

    Attributes:
        outbox: Every email.
        control: What a person decides about all emails, such as a pause.
        health: The health of the routes.
        throttle: How many connections and emails the servers allow.
        clock: The clock that all of them use.
        wait_for: Waits this many seconds, until cancelled, or until others store something; None
            if the storage can't tell.
        close: Closes the storage; emails that wait on this machine stay there.
    """

    outbox: Outbox
    control: Control
    health: Health
    throttle: Throttle
    clock: UtcClock
    wait_for: Callable[[Cancel, float], None] | None
    close: Callable[[], None]


def outbox_limits(store: SettingsStore) -> OutboxLimits:
    """Return how much the outbox accepts and keeps, by the settings or else by default."""
    try:
        stored = store.load()
    except SettingsFileError:
        return OutboxLimits()
    return OutboxLimits(
        kept_for=timedelta(days=stored.keep_emails_days),
        keys_for=timedelta(days=stored.keep_keys_days),
    )


def open_storage(
    file: Path,
    address: str = "",
    clock: UtcClock = utc_now,
    limits: OutboxLimits | None = None,
) -> Storage:
    """Open the shared storage.

    Args:
        file: This machine's own outbox.
        address: The database's address, as `outbox_address` returns it; "" for `file`.
        clock: Returns the current time, with a time zone; a database has its own.
        limits: As `outbox_limits` returns them; None for the defaults.

    Raises:
        OutboxUnavailableError: It can't be opened, or the address can't be used. A database that
            is down raises nothing: new emails wait in `file` until it is back.
    """
    if address:
        return _shared_storage(file, address, limits)
    database = Database(file)
    return Storage(
        outbox=SqliteOutbox(database, clock, limits),
        control=SqliteControl(database, clock),
        health=SqliteHealth(database, clock),
        throttle=SqliteThrottle(database, clock),
        clock=clock,
        wait_for=None,
        close=database.close,
    )


def _shared_storage(file: Path, url: str, limits: OutboxLimits | None) -> Storage:
    address = read_address(url, os.environ)
    # Loaded here: they need what the base package does without.
    from smtp_desk.sender.outbox.buffered import BufferedOutbox  # noqa: PLC0415
    from smtp_desk.sender.outbox.control_postgres import PostgresControl  # noqa: PLC0415
    from smtp_desk.sender.outbox.handovers import Handovers  # noqa: PLC0415
    from smtp_desk.sender.outbox.postgres import PostgresOutbox  # noqa: PLC0415
    from smtp_desk.sender.outbox.postgres_database import PostgresDatabase  # noqa: PLC0415
    from smtp_desk.sender.routes.health_postgres import PostgresHealth  # noqa: PLC0415
    from smtp_desk.sender.routes.throttle_postgres import PostgresThrottle  # noqa: PLC0415

    database = PostgresDatabase(address)
    handovers = Handovers(file, database)

    def close() -> None:
        handovers.close()
        database.close()

    return Storage(
        outbox=BufferedOutbox(PostgresOutbox(database, limits=limits), handovers),
        control=PostgresControl(database),
        health=PostgresHealth(database),
        throttle=PostgresThrottle(database),
        clock=database.now,
        wait_for=database.wait,
        close=close,
    )
