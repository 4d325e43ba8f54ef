"""Erasing everything about one recipient: emails, our own notices that name them, and the log."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from smtp_desk.app.delivery.words import DeliveryStatus
from smtp_desk.app.logs import blot_out, log_files, spelled
from smtp_desk.app.services import Services
from smtp_desk.core.address import AddressError, mailbox_key, parse_mailbox
from smtp_desk.sender.mail.body_text import body_text
from smtp_desk.sender.outbox.entries import NOTICES, EntryState
from smtp_desk.sender.outbox.outbox import EntryNotFoundError, OutboxRecords, Query
from smtp_desk.sender.routes.route import CUSTOM, DEFAULT

_OURS: Final = Query(submitter=NOTICES)


@dataclass(frozen=True, slots=True, kw_only=True)
class Erasure:
    """What is stored about a recipient, or the result of erasing it.

    Attributes:
        address: The address as given.
        emails: How many by status.
        notices: How many notices of ours to the administrator name the address.
        in_flight: How many of all these are being sent at this moment, and stay.
        shared: How many emails were stored together with emails to others, which keep the
            message, and the addresses in its header.
        log_lines: How often the address was in the log, and was made illegible.
        notified: Whether it is the address that is notified of outages, which stays.
    """

    address: str
    emails: Mapping[DeliveryStatus, int] = field(default_factory=dict)
    notices: int = 0
    in_flight: int = 0
    shared: int = 0
    log_lines: int = 0
    notified: bool = False

    @property
    def total(self) -> int:
        """All emails to the recipient."""
        return sum(self.emails.values())


def find_stored(services: Services, address: str) -> Erasure:
    """Return what is stored about a recipient, and change nothing.

    Raises:
        OutboxUnavailableError: The outbox can't be read.
    """
    outbox = services.outbox
    ids = services.control.entries_to(address)
    states = [state for each in ids if (state := _state(outbox, each)) is not None]
    return Erasure(
        address=address,
        emails=_by_status((state, 1) for state in states),
        notices=len(_naming(outbox, spellings(services, address, ids))),
        notified=_is_notified(services, address),
    )


def erase(services: Services, address: str) -> Erasure:
    """Erase what is stored about a recipient; what is being sent at this moment stays.

    Raises:
        OutboxUnavailableError: The outbox can't be written; what was erased before stays so.
        OSError: The log can't be written.
    """
    control, health = services.control, services.health
    ids = control.entries_to(address)
    known = spellings(services, address, ids)
    for route in (CUSTOM, DEFAULT):
        health.forget(route, address)
    notices = control.erase(set(_naming(services.outbox, known)) - set(ids))
    emails = control.erase(ids)
    return Erasure(
        address=address,
        emails=_by_status(emails.by_state.items()),
        notices=notices.total,
        in_flight=emails.in_flight + notices.in_flight,
        shared=emails.shared,
        log_lines=blot_out(_texts(services), known),
        notified=_is_notified(services, address),
    )


def spellings(services: Services, address: str, ids: Iterable[str]) -> frozenset[str]:
    """Return how texts may spell the address: as given, as stored, and in both spellings."""
    known = {address.strip()}
    for entry_id in ids:
        try:
            known.add(services.outbox.get(entry_id).recipient)
        except EntryNotFoundError:
            continue
    for each in tuple(known):
        try:
            box = parse_mailbox(each)
        except AddressError:
            continue
        known |= {box.address, box.wire}
    return frozenset(known - {""})


def _texts(services: Services) -> tuple[Path, ...]:
    """Return the files of ours in which an address may stand among other things."""
    return (*log_files(services.paths.logs), services.store.history.changes_file)


def _state(records: OutboxRecords, entry_id: str) -> EntryState | None:
    try:
        return records.get(entry_id).state
    except EntryNotFoundError:
        return None


def _naming(records: OutboxRecords, known: frozenset[str]) -> list[str]:
    """Return the ids of our notices whose text names the address."""
    pattern = spelled(known)
    found = []
    for entry_id in _notices(records):
        try:
            text = body_text(records.message(entry_id).payload)
        except EntryNotFoundError:
            continue
        if pattern.search(text.encode()):
            found.append(entry_id)
    return found


def _notices(records: OutboxRecords) -> Iterator[str]:
    before: str | None = None
    while True:
        page = records.page(_OURS, before=before)
        yield from (entry.id for entry in page.entries)
        before = page.next
        if before is None:
            return


def _by_status(states: Iterable[tuple[EntryState, int]]) -> dict[DeliveryStatus, int]:
    counted: dict[DeliveryStatus, int] = {}
    for state, count in states:
        status = DeliveryStatus.of(state)
        counted[status] = counted.get(status, 0) + count
    return counted


def _is_notified(services: Services, address: str) -> bool:
    notify = services.store.load().preferences.notify
    return bool(notify) and mailbox_key(notify) == mailbox_key(address)
