"""The outbox in memory, for tests; within one process it keeps the same contract as on disk."""

import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final, final

from smtp_desk.sender.outbox import lifecycle
from smtp_desk.sender.outbox.clock import UtcClock, to_ms, utc_now, whole_ms
from smtp_desk.sender.outbox.control_memory import MemoryControl
from smtp_desk.sender.outbox.entries import (
    FINISHED,
    Change,
    Claim,
    EntryState,
    IdentifierSource,
    MarkInDoubt,
    OutboxEntry,
    OutboxMessage,
    new_token,
)
from smtp_desk.sender.outbox.outbox import (
    EVERYTHING,
    Counts,
    EntryNotFoundError,
    EntryPage,
    KeyKnownError,
    KnownKey,
    Outbox,
    OutboxFullError,
    OutboxLimits,
    Query,
)

_UNSETTLED: Final = (EntryState.READY, EntryState.SENDING, EntryState.IN_DOUBT)


@final
class MemoryOutbox(Outbox):
    """An `Outbox` in memory.

    Args:
        clock: Returns this moment with a time zone.
        limits: How much it accepts and keeps.

    Attributes:
        control: Pauses it, erases from it, and reports its activity.
    """

    def __init__(self, clock: UtcClock = utc_now, limits: OutboxLimits | None = None) -> None:
        self._clock = clock
        self._limits = limits or OutboxLimits()
        self._identifiers = IdentifierSource()
        self._lock = threading.RLock()
        self._entries: dict[str, OutboxEntry] = {}
        self._messages: dict[str, OutboxMessage] = {}
        self._keys: dict[str, tuple[str, str, str, datetime]] = {}
        self.control = MemoryControl(self._lock, self._entries, self._remove, clock)

    def add(self, messages: Iterable[OutboxMessage]) -> tuple[OutboxEntry, ...]:
        stored = lifecycle.admitted(messages, self._limits)
        with self._lock:
            now = self._now()
            if known := self._known(lifecycle.key_names(stored)):
                raise KeyKnownError(known)
            self._make_room(sum(message.size for message in stored))
            return tuple(entry for message in stored for entry in self._queue(message, now))

    def add_claimed(
        self, messages: Iterable[OutboxMessage], owner: str, lease: timedelta
    ) -> tuple[Claim, ...]:
        with self._lock:
            stored = tuple(messages)
            entries = self.add(stored)
            if self.control.paused_since():
                return tuple(Claim(entry, new_token(), awaited=True) for entry in entries)
            keyed = any(message.key for message in stored)
            now, token = self._now(), new_token()
            taken = [
                lifecycle.claimed_at_once(entry, owner, token, now, lease) for entry in entries
            ]
            self._entries.update((entry.id, entry) for entry in taken)
            return tuple(Claim(entry, token, awaited=True, keyed=keyed) for entry in taken)

    def claim(self, owner: str, limit: int, lease: timedelta) -> tuple[Claim, ...]:
        with self._lock:
            now, paused = self._now(), self.control.paused_since()
            entries = () if paused else self._entries.values()
            found = [entry for entry in entries if lifecycle.due(entry, now)]
            found.sort(key=lifecycle.claim_order)
            return self._take(found[:limit], owner, lease)

    def claim_in_doubt(self, owner: str, limit: int, lease: timedelta) -> tuple[Claim, ...]:
        with self._lock:
            now = self._now()
            found = [
                entry
                for entry in self._entries.values()
                if lifecycle.abandoned_in_doubt(entry, now)
            ]
            found.sort(key=lifecycle.claim_order)
            return self._take(found[:limit], owner, lease)

    def apply(self, changes: Iterable[Change]) -> frozenset[str]:
        lost = set()
        with self._lock:
            now = self._now()
            for change in changes:
                entry = self._entries.get(change.claim.entry.id)
                held_back = isinstance(change, MarkInDoubt) and self.control.paused_since()
                rule = lifecycle.given_back if held_back else lifecycle.changed
                after = entry and rule(entry, change, now)
                if after is None or held_back:
                    lost.add(change.claim.entry.id)
                if after is not None:
                    self._entries[after.id] = after
        return frozenset(lost)

    def next_due(self) -> datetime | None:
        with self._lock:
            now = self._now()
            left = (EntryState.IN_DOUBT,) if self.control.paused_since() else _UNSETTLED
            waiting = (entry for entry in self._entries.values() if entry.state in left)
            return min((lifecycle.due_at(entry, now) for entry in waiting), default=None)

    def get(self, entry_id: str) -> OutboxEntry:
        with self._lock:
            if entry_id not in self._entries:
                raise EntryNotFoundError(f"there is no entry {entry_id}")
            return self._entries[entry_id]

    def message(self, entry_id: str) -> OutboxMessage:
        with self._lock:
            entry = self.get(entry_id)
            stored = self._messages[entry.message_key]
            return replace(stored, recipients=(entry.recipient,), send_at=None, key=None)

    def page(
        self, query: Query = EVERYTHING, *, before: str | None = None, limit: int = 200
    ) -> EntryPage:
        with self._lock:
            end = self._end_of_slice(query, before) if query.searches else ""
            found = [
                entry
                for entry in self._matching(query)
                if end <= entry.id and (not before or entry.id < before)
            ]
        found.sort(key=lambda entry: entry.id, reverse=True)
        shown = tuple(found[:limit])
        return EntryPage(shown, shown[-1].id if len(found) > limit else end or None)

    def counts(self, query: Query = EVERYTHING) -> Counts:
        found = self._matching(query)
        return Counts(dict(Counter((entry.state, entry.route) for entry in found)))

    def retry(self, entry_id: str) -> OutboxEntry:
        return self._replace(entry_id, lifecycle.retried)

    def drop(self, entry_id: str) -> OutboxEntry:
        return self._replace(entry_id, lifecycle.dropped)

    def mark_told(self, entry_ids: Iterable[str]) -> None:
        with self._lock:
            for entry_id in self._entries.keys() & set(entry_ids):
                self._entries[entry_id] = replace(self._entries[entry_id], untold=False)

    def make_due(self, cause: str = "") -> int:
        with self._lock:
            now = self._now()
            moved_up = [lifecycle.made_due(entry, cause, now) for entry in self._entries.values()]
            moved = {entry.id: entry for entry in moved_up if entry}
            self._entries.update(moved)
            return len(moved)

    def prune(self) -> int:
        with self._lock:
            oldest = self._now() - self._limits.kept_for
            forgotten = self._now() - self._limits.keys_for
            self._keys = {key: known for key, known in self._keys.items() if known[3] >= forgotten}
            old = [
                entry.id
                for entry in self._entries.values()
                if entry.changed_at < oldest and lifecycle.may_be_pruned(entry)
            ]
            self._remove(old)
            finished = self._finished()
            beyond = finished[: max(len(finished) - self._limits.kept_rows, 0)]
            self._remove(beyond)
            return len(old) + len(beyond)

    def _now(self) -> datetime:
        return whole_ms(self._clock())

    def _queue(self, message: OutboxMessage, now: datetime) -> Iterator[OutboxEntry]:
        key = self._identifiers.next(to_ms(now))
        self._messages[key] = message
        if message.key is not None:
            self._keys[message.key.name] = (message.key.content, key, message.message_id, now)
        for recipient in message.recipients:
            entry = lifecycle.queued(
                message,
                entry_id=self._identifiers.next(to_ms(now)),
                message_key=key,
                recipient=recipient,
                now=now,
            )
            self._entries[entry.id] = entry
            yield entry

    def _matching(self, query: Query) -> list[OutboxEntry]:
        with self._lock:
            _, message, *_ = self._keys.get(query.key, ("", ""))
            return [
                entry
                for entry in self._entries.values()
                if query.matches(entry) and (not query.key or entry.message_key == message)
            ]

    def _end_of_slice(self, query: Query, before: str | None) -> str:
        ends = [""]
        for states in [{each} for each in query.states] or [set(EntryState)]:
            left = sorted(
                entry.id
                for entry in self._entries.values()
                if entry.state in states and (not before or entry.id < before)
            )
            ends += left[-self._limits.searched :][:1] if len(left) >= self._limits.searched else ()
        return max(ends)

    def _known(self, names: Iterable[str]) -> Mapping[str, KnownKey]:
        with self._lock:
            found = {name: self._keys[name] for name in names if name in self._keys}
            every = tuple(self._entries.values())
        return {
            name: KnownKey(
                message_id, content, tuple(each for each in every if each.message_key == stored)
            )
            for name, (content, stored, message_id, _) in found.items()
        }

    def _take(
        self, entries: Iterable[OutboxEntry], owner: str, lease: timedelta
    ) -> tuple[Claim, ...]:
        now, token = self._now(), new_token()
        taken = [lifecycle.claimed(entry, owner, token, now, lease) for entry in entries]
        self._entries.update((entry.id, entry) for entry in taken)
        return tuple(Claim(entry, token) for entry in taken)

    def _replace(
        self, entry_id: str, rule: Callable[[OutboxEntry, datetime], OutboxEntry]
    ) -> OutboxEntry:
        with self._lock:
            after = rule(self.get(entry_id), self._now())
            self._entries[entry_id] = after
            return after

    def _finished(self) -> list[str]:
        return sorted(key for key, entry in self._entries.items() if entry.state in FINISHED)

    def _make_room(self, octets: int) -> None:
        finished = self._finished()
        while self._used() + octets > self._limits.total_octets:
            if not finished:
                raise OutboxFullError(self._limits.total_octets)
            self._remove([finished.pop(0)])

    def _used(self) -> int:
        return sum(message.size for message in self._messages.values())

    def _remove(self, entry_ids: Iterable[str]) -> None:
        for entry_id in entry_ids:
            del self._entries[entry_id]
        named = {entry.message_key for entry in self._entries.values()}
        self._messages = {key: value for key, value in self._messages.items() if key in named}
