"""A `Control` in memory, for `testing.MemoryOutbox`."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Final, final

from smtp_desk.core.address import mailbox_key
from smtp_desk.sender.outbox import lifecycle
from smtp_desk.sender.outbox.clock import UtcClock, whole_ms
from smtp_desk.sender.outbox.control import HOUR, PRESENCE, Activity, Control, Erased
from smtp_desk.sender.outbox.entries import OutboxEntry


@final
class MemoryControl(Control):
    """Shares the entries of the `MemoryOutbox` that has it as `control`.

    Args:
        lock: Guards them.
        entries: The entries by their ids.
        remove: Removes entries, and messages that no entry needs any more.
        clock: Returns this moment with a time zone.
    """

    def __init__(
        self,
        lock: AbstractContextManager[object],
        entries: Mapping[str, OutboxEntry],
        remove: Callable[[Iterable[str]], None],
        clock: UtcClock,
    ) -> None:
        self._lock: Final = lock
        self._entries: Final = entries
        self._remove: Final = remove
        self._clock: Final = clock
        self._paused_since: datetime | None = None
        self._workers: dict[str, datetime] = {}

    def pause(self) -> None:
        with self._lock:
            self._paused_since = self._paused_since or self._now()

    def resume(self) -> None:
        with self._lock:
            self._paused_since = None

    def paused_since(self) -> datetime | None:
        with self._lock:
            return self._paused_since

    def entries_to(self, recipient: str) -> tuple[str, ...]:
        sought = mailbox_key(recipient)
        with self._lock:
            return tuple(
                entry.id
                for entry in self._entries.values()
                if mailbox_key(entry.recipient) == sought
            )

    def erase(self, entry_ids: Iterable[str]) -> Erased:
        with self._lock:
            now = self._now()
            found = [self._entries[each] for each in entry_ids if each in self._entries]
            gone = [entry for entry in found if lifecycle.may_be_erased(entry, now)]
            self._remove([entry.id for entry in gone])
            kept = {entry.message_key for entry in self._entries.values()}
            return Erased(
                by_state=Counter(entry.state for entry in gone),
                in_flight=len(found) - len(gone),
                shared=sum(entry.message_key in kept for entry in gone),
            )

    def activity(self, since: datetime) -> Activity:
        with self._lock:
            return Counter(
                ((entry.created_at - since) // HOUR, entry.state, entry.route)
                for entry in self._entries.values()
                if entry.created_at >= since
            )

    def causes(self) -> Mapping[str, int]:
        with self._lock:
            now = self._now()
            return Counter(
                entry.code
                for entry in self._entries.values()
                if entry.code and lifecycle.made_due(entry, entry.code, now)
            )

    def announce(self, worker: str) -> None:
        with self._lock:
            self._workers[worker] = self._now() + PRESENCE

    def leave(self, worker: str) -> None:
        with self._lock:
            self._workers.pop(worker, None)

    def workers(self) -> int:
        with self._lock:
            now = self._now()
            return sum(now < until <= now + PRESENCE for until in self._workers.values())

    def _now(self) -> datetime:
        return whole_ms(self._clock())
