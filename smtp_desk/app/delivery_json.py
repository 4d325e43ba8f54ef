"""The outbox as JSON: `smtp-desk/outbox/1`, for scripts.

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

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

from smtp_desk.app.delivery_words import Cause, reason
from smtp_desk.core.stages import Json
from smtp_desk.sender.entries import Entry, State
from smtp_desk.sender.outbox import Counts

SCHEMA: Final = "smtp-desk/outbox/1"


def outbox_json(
    entries: Sequence[Entry], counts: Counts, cause: Cause, *, more: bool
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
        "counts": {str(state): counts.of(state) for state in State},
        "more": more,
        "entries": [_entry(entry, cause) for entry in entries],
    }


def _entry(entry: Entry, cause: Cause) -> dict[str, Json]:
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
        "next_attempt_at": _time(entry.next_attempt_at) if entry.state is State.READY else None,
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
