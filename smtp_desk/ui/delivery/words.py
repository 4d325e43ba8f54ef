"""The words of the Delivery page, chosen from codes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from smtp_desk.app.delivery.state import DeliveryState, Emptiness
from smtp_desk.app.page_presenter import Busy

if TYPE_CHECKING:
    from collections.abc import Mapping

BUSY: Final[Mapping[Busy, str]] = {
    Busy.NOTHING: "",
    Busy.RETRYING: "Queuing the email…",
    Busy.DROPPING: "Dropping the email…",
    Busy.EXPORTING: "Exporting the email…",
    Busy.TRYING: "Trying the server…",
}

OVERVIEW_BUSY: Final[Mapping[Busy, str]] = {
    Busy.NOTHING: "",
    Busy.PAUSING: "Pausing…",
    Busy.RESUMING: "Resuming…",
    Busy.RETRYING: "Queuing the emails…",
    Busy.COUNTING: "Looking up the address…",
    Busy.ERASING: "Erasing…",
    Busy.SENDING: "Sending the copy…",
}

UNDRAINED: Final = (
    "Emails are due, and no worker is sending them. Start one here, or run “smtp-desk worker”."
)
LOOK_FIRST: Final = "Look up an address first."


def choose_reason(state: DeliveryState) -> str:
    """Return why no action on an email is possible, or ""."""
    if state.busy:
        return BUSY[state.busy]
    if state.trouble:
        return "The outbox can’t be read."
    if state.emptiness in (Emptiness.NO_EMAILS, Emptiness.NO_MATCHES):
        return "The list is empty."
    if not state.selected:
        return "Select an email in the list first."
    return "" if state.details else "Reading the email…"
