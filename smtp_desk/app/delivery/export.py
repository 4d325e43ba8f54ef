"""An email of the outbox as a file: the octets as they would be sent now.

What a person asks of the outbox, by the identifier of an email or its beginning.

The outbox as JSON: `smtp-desk/outbox/1`, for scripts.

    {"schema": "smtp-desk/outbox/1", "counts": {STATE: int}, "more": bool, "entries": [ENTRY…]}

`counts` are all emails that match the search, whatever their state. STATE is one of `ready`,
`sending`, `in_doubt`, `accepted`, `refused`, `held` (uncertain, for a person to decide) and
`dropped`. Times are RFC 3339 in UTC. `doubts` says how often no answer came after the email
was handed over; `code` is a finding, "" where the route accepted the email.

    ENTRY: {"id", "message_id", "kind", "subject", "recipient", "state", "route", "why",
            "size": octets, "created_at", "changed_at", "next_attempt_at": null unless `ready`,
            "expires_at": null once settled, "doubts": int,
            "attempts": [{"at", "route", "code", "reply"}…]}
"""

import contextlib
import os
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from smtp_desk.app.delivery.words import Cause, kind_name, minute, reason, short_route_name
from smtp_desk.app.services import Services
from smtp_desk.core.reply import visible
from smtp_desk.core.stages import Json
from smtp_desk.core.system import flag
from smtp_desk.sender.mail.addressing import Identity, addressed
from smtp_desk.sender.mail.submission import FOREIGN
from smtp_desk.sender.outbox.entries import EntryState, OutboxEntry, OutboxMessage
from smtp_desk.sender.outbox.outbox import Counts, EntryNotFoundError, OutboxError, OutboxRecords
from smtp_desk.store.files import write_atomic
from smtp_desk.store.settings_file import SettingsFileError

_NEW_FILE: Final = os.O_WRONLY | os.O_CREAT | os.O_EXCL | flag(os, "O_CLOEXEC")
_PRIVATE: Final = 0o600
_UNSAFE: Final = re.compile(r"[^a-z0-9]+")


def eml(services: Services, entry_id: str) -> bytes:
    """Return an email in the Internet Message Format (RFC 5322).

    It is built as for the custom server. If none is configured its sender isn't known, and it is
    returned as stored.

    Raises:
        EntryNotFoundError: There is no such entry.
        OutboxUnavailableError: The outbox does not work.
    """
    message = services.outbox.message(entry_id)
    identity = _custom_identity(services)
    if identity is not None:
        return addressed(message, message.recipients, identity).content
    return message.payload if message.kind == FOREIGN else _with_to(message)


def entry_line(entry: OutboxEntry, cause: Cause) -> str:
    """Return an email as one line, for scripts, with tabs between its parts."""
    return "\t".join(
        (
            entry.id,
            minute(entry.created_at),
            str(entry.state),
            visible(entry.recipient),
            short_route_name(entry.route),
            kind_name(entry.kind),
            visible(entry.subject),
            visible(reason(entry, cause)),
        )
    )


def export(services: Services, entry_id: str, file: Path, *, replace: bool = False) -> None:
    """Write an email to a file that only its owner may read.

    Args:
        services: The services to use.
        entry_id: The email's entry.
        file: The file.
        replace: Whether a person agreed to replace an existing file.

    Raises:
        EntryNotFoundError: There is no such entry.
        FileExistsError: The file exists, and nobody agreed to replace it.
        OSError: It can't be written.
        OutboxUnavailableError: The outbox does not work.
    """
    octets = eml(services, entry_id)
    if replace:
        write_atomic(file, octets)
    else:
        _write_new(file, octets)


def file_name(entry_id: str) -> str:
    """Return the name to propose; it contains nothing from the message."""
    return f"email-{_UNSAFE.sub('', entry_id.lower())}.eml"


def _custom_identity(services: Services) -> Identity | None:
    try:
        server = services.store.load().server
    except SettingsFileError:
        return None
    if server is None:
        return None
    return Identity(server.settings.from_email, server.settings.from_name)


def _with_to(message: OutboxMessage) -> bytes:
    recipients = ", ".join(message.recipients)
    return f"To: {recipients}\r\n".encode() + message.payload


def _write_new(file: Path, octets: bytes) -> None:
    descriptor = os.open(file, _NEW_FILE, _PRIVATE)
    try:
        with os.fdopen(descriptor, "wb") as opened:
            opened.write(octets)
            opened.flush()
            os.fsync(opened.fileno())
    except BaseException:
        with contextlib.suppress(OSError):
            file.unlink()
        raise


SHORTEST_PREFIX: Final = 6
"""So many characters of an identifier stand for it where only one begins so."""

_BEHIND_ALL: Final = "~"


class AmbiguousEntryError(OutboxError):
    """More than one entry begins like this."""


def entry_by_prefix(records: OutboxRecords, given: str) -> OutboxEntry:
    """Return the one entry that `given` names: its identifier, or the beginning of it.

    Raises:
        AmbiguousEntryError: More than one begins like this.
        EntryNotFoundError: None does, or `given` is too short.
        OutboxUnavailableError: The outbox does not work.
    """
    sought = given.strip().lower()
    if len(sought) < SHORTEST_PREFIX:
        raise EntryNotFoundError(
            f"“{given}” is too short to name an email:"
            f" give at least {SHORTEST_PREFIX} characters of its ID."
        )
    # Identifiers sort by their characters: those that begin so stand together.
    page = records.page(before=sought + _BEHIND_ALL, limit=2)
    found = [entry for entry in page.entries if entry.id.startswith(sought)]
    exact = [entry for entry in found if entry.id == sought]
    if not found:
        raise EntryNotFoundError(f"There is no email {given} in the outbox.")
    if len(found) > 1 and not exact:
        raise AmbiguousEntryError(f"More than one email begins with {given}: give more of its ID.")
    return (exact or found)[0]


SCHEMA: Final = "smtp-desk/outbox/1"


def outbox_json(
    entries: Sequence[OutboxEntry], counts: Counts, cause: Cause, *, more: bool
) -> dict[str, Json]:
    """Return the document of the schema.

    Args:
        entries: The emails.
        counts: Of all that match.
        cause: Names the findings.
        more: Whether there are more than these.
    """
    return {
        "schema": SCHEMA,
        "counts": {str(state): counts.of(state) for state in EntryState},
        "more": more,
        "entries": [_entry(entry, cause) for entry in entries],
    }


def _entry(entry: OutboxEntry, cause: Cause) -> dict[str, Json]:
    return {
        "id": entry.id,
        "message_id": entry.message_id,
        "kind": entry.kind,
        "subject": entry.subject,
        "recipient": entry.recipient,
        "state": str(entry.state),
        "route": entry.route,
        "why": reason(entry, cause),
        "size": entry.size,
        "created_at": _time(entry.created_at),
        "changed_at": _time(entry.changed_at),
        "next_attempt_at": _time(entry.next_attempt_at)
        if entry.state is EntryState.READY
        else None,
        "expires_at": None if entry.state.settled else _time(entry.expires_at),
        "doubts": entry.doubts,
        "attempts": [
            {
                "at": _time(attempt.at),
                "route": attempt.route,
                "code": attempt.code,
                "reply": attempt.reply,
            }
            for attempt in entry.attempts
        ],
    }


def _time(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
