"""What a person decides about all of the outbox: pause, erase, and what is going on in it.

As with `outbox`, the interface names no engine: `control_sqlite.SqliteControl` is the one that
ships, `control_memory.MemoryControl` its twin for tests; tests/contract/test_control.py is what any
other has to pass.
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
    """What became of entries that were to be erased.

    Attributes:
        by_state: How many were erased, by where they stood.
        in_flight: Those that a sender has in its hands at this moment: nothing was changed.
        shared: How many were stored together with emails to others, which keep the message.
    """

    by_state: Mapping[EntryState, int] = field(default_factory=dict)
    in_flight: int = 0
    shared: int = 0

    @property
    def total(self) -> int:
        """All that were erased."""
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
    """The outbox as the person in charge sees it.

    Calls may come from any thread and, where the engine spans them, any process. Each may
    raise `OutboxUnavailableError`.
    """

    def pause(self) -> None:
        """Let no email leave until `resume`, in whatever process: claims find nothing.

        What has its final dot out is seen to its end; what comes to its dot later is given
        back to wait. Pausing twice keeps the first moment.
        """

    def resume(self) -> None:
        """Let emails leave again."""

    def paused_since(self) -> datetime | None:
        """Return since when nothing leaves; None where emails leave."""

    def entries_to(self, recipient: str) -> tuple[str, ...]:
        """Return the ids of all entries to this mailbox, however it is spelled."""

    def erase(self, entry_ids: Iterable[str]) -> Erased:
        """Take entries out for good, with their messages where no other entry has them.

        What a sender has in its hands at this moment stays as it is.
        """

    def activity(self, since: datetime) -> Activity:
        """Count what was stored from `since` on, by the hours that passed from then."""

    def causes(self) -> Mapping[str, int]:
        """Return for each finding how many entries `make_due` with it would make due."""

    def announce(self, worker: str) -> None:
        """Say that this worker runs, for `PRESENCE` from now on."""

    def leave(self, worker: str) -> None:
        """Say that this worker has ended."""

    def workers(self) -> int:
        """Return how many workers run."""
