"""What a person does with the whole outbox: pause it, erase from it, see its activity.

As with `outbox`, the interface names no engine: `control_sqlite.SqliteControl` is the one that
ships, `control_memory.MemoryControl` its twin for tests; any other has to pass
tests/contract/test_control.py.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, Protocol, TypeAlias

from smtp_desk.sender.outbox.entries import EntryState

_BATCH: Final = 500  # rows that one transaction erases: others get their turn
HOUR: Final = timedelta(hours=1)

PRESENCE: Final = timedelta(seconds=30)
"""How long a worker counts as running after it last said so."""

Activity: TypeAlias = Mapping[tuple[int, EntryState, str], int]
"""How many entries by the hour in which they were stored, where they stand now, and route."""


@dataclass(frozen=True, slots=True)
class Erased:
    """The result of erasing entries.

    Attributes:
        by_state: How many were erased, by the state they had.
        in_flight: The entries being sent at this moment, which were not changed.
        shared: How many shared their stored message with other recipients, who keep it.
    """

    by_state: Mapping[EntryState, int] = field(default_factory=dict)
    in_flight: int = 0
    shared: int = 0

    @property
    def total(self) -> int:
        """The number of erased entries."""
        return sum(self.by_state.values())


def erase_in_batches(
    entry_ids: Iterable[str], erase: Callable[[tuple[str, ...]], Erased]
) -> Erased:
    """Erase some entries at a time, each batch in a transaction of its own; return all of it."""
    by_state = Counter[EntryState]()
    in_flight = shared = 0
    wanted = tuple(entry_ids)
    for start in range(0, len(wanted), _BATCH):
        erased = erase(wanted[start : start + _BATCH])
        by_state += Counter(erased.by_state)
        in_flight += erased.in_flight
        shared += erased.shared
    return Erased(by_state, in_flight, shared)


class Control(Protocol):
    """The outbox from an administrator's point of view.

    Calls may come from any thread and, where the engine spans them, any process. Each may
    raise `OutboxUnavailableError`.
    """

    def pause(self) -> None:
        """Send no email until `resume`, in any process: claims find nothing.

        An email whose final dot was sent is finished; one that gets to its dot later goes back
        to the queue. Pausing twice keeps the first moment.
        """

    def resume(self) -> None:
        """Send emails again."""

    def paused_since(self) -> datetime | None:
        """Return when sending was paused; None if it isn't paused."""

    def entries_to(self, recipient: str) -> tuple[str, ...]:
        """Return the ids of all entries to this mailbox, however it is spelled."""

    def erase(self, entry_ids: Iterable[str]) -> Erased:
        """Remove entries for good, with their messages if no other entry needs them.

        Entries being sent at this moment stay unchanged.
        """

    def activity(self, since: datetime) -> Activity:
        """Count what was stored since `since`, by the hours passed from then."""

    def causes(self) -> Mapping[str, int]:
        """Return for each finding how many entries `make_due` with it would make due."""

    def announce(self, worker: str) -> None:
        """Note that this worker runs, for `PRESENCE` from now on."""

    def leave(self, worker: str) -> None:
        """Note that this worker has ended."""

    def workers(self) -> int:
        """Return the number of running workers."""
