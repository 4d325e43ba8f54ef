"""What all that send share, in one place: a file of this machine, or a database of many."""

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
    """The outbox, and what all that share it know of the routes.

    Attributes:
        outbox: Every email.
        control: What a person decides about all of them.
        health: How the routes do.
        throttle: What may be asked of the servers.
        clock: The clock that all of them go by.
        wait_for: Waits so many seconds, until cancelled, or until others store something; None
            where nobody tells.
        close: Closes it; what waits on this machine stays there.
    """

    outbox: Outbox
    control: Control
    health: Health
    throttle: Throttle
    clock: UtcClock
    wait_for: Callable[[Cancel, float], None] | None
    close: Callable[[], None]


def outbox_limits(store: SettingsStore) -> OutboxLimits:
    """Return how much the outbox takes and keeps."""
    try:
        return OutboxLimits(keys_for=timedelta(days=store.load().keep_keys_days))
    except SettingsFileError:
        return OutboxLimits()


def open_storage(
    file: Path,
    address: str = "",
    clock: UtcClock = utc_now,
    limits: OutboxLimits | None = None,
) -> Storage:
    """Open what is shared.

    Args:
        file: This machine's own outbox.
        address: As `outbox_address` returns it.
        clock: Returns this moment with a time zone; a database has its own.
        limits: As `outbox_limits` returns them; None for the usual ones.

    Raises:
        OutboxUnavailableError: It can't be opened, or the address is of no use. A database that
            is down is no error: what is new waits in `file` until it is back.
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
