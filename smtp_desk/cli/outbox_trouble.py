"""What all outbox commands say if the outbox can't be used, and their exit status."""

import contextlib
from collections.abc import Iterator
from typing import Final

from smtp_desk.app.delivery.export import AmbiguousEntryError
from smtp_desk.app.delivery.words import outbox_trouble
from smtp_desk.cli.invocation import ExitError
from smtp_desk.cli.manual import Meanings
from smtp_desk.core.exit_status import ExitStatus
from smtp_desk.core.translation import mark, told
from smtp_desk.sender.outbox.outbox import (
    EntryNotFoundError,
    EntryStateError,
    OutboxAddressError,
    OutboxBusyError,
    OutboxCorruptError,
    OutboxError,
    OutboxPartMissingError,
    OutboxUnreachableError,
    OutboxVersionError,
)

FILES: Final = {
    "outbox.sqlite3": mark(
        "the outbox, in the platform's state folder (~/.local/state/smtp-desk on "
        "Linux) or in $SMTP_DESK_HOME/state"
    ),
}
STATUSES: Final[Meanings] = {
    ExitStatus.OK: mark("done"),
    ExitStatus.USAGE: mark("the command line is wrong"),
    ExitStatus.UNAVAILABLE: mark(
        "the outbox is damaged, was written by a newer version of SMTP Desk, or the extra for "
        "a database isn't installed"
    ),
    ExitStatus.CANTCREAT: mark(
        "the outbox can't be opened or written: disk full, or no permission"
    ),
    ExitStatus.TEMPFAIL: mark("the outbox is busy, or its database can't be reached"),
    ExitStatus.CONFIG: mark("the address of the outbox's database isn't valid"),
}


@contextlib.contextmanager
def telling() -> Iterator[None]:
    """Report what the outbox could not do, and end with its exit status."""
    try:
        yield
    except (EntryNotFoundError, AmbiguousEntryError, EntryStateError) as error:
        raise ExitError(told(error), trouble_status(error)) from error
    except OutboxError as error:
        raise ExitError(outbox_trouble(error), trouble_status(error)) from error


def trouble_status(error: OutboxError) -> ExitStatus:
    """Return the exit status for what the outbox could not do."""
    match error:
        case EntryStateError(state=state) if state.leased:
            return ExitStatus.TEMPFAIL
        case EntryNotFoundError() | AmbiguousEntryError() | EntryStateError():
            return ExitStatus.DATAERR
        case OutboxBusyError() | OutboxUnreachableError():
            return ExitStatus.TEMPFAIL
        case OutboxCorruptError() | OutboxVersionError() | OutboxPartMissingError():
            return ExitStatus.UNAVAILABLE
        case OutboxAddressError():
            return ExitStatus.CONFIG
        case _:
            return ExitStatus.CANTCREAT
