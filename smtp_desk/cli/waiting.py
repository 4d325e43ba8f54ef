"""Why emails wait in the outbox where no route takes them, and what a person can do."""

from typing import Final

from smtp_desk.app.outage import local_time
from smtp_desk.app.services import Services
from smtp_desk.app.status import Status, read_status
from smtp_desk.sender.entries import State
from smtp_desk.store.server_status import ServerState
from smtp_desk.store.settings_file import SettingsFileError

NOTHING: Final = "Nothing is configured. “smtp-desk configure” tests and saves a server."


def why_waiting(found: Status) -> str:
    """Return why no route can be used, and what a person can do; "" where one can."""
    if found.has_route:
        return ""
    if not found.configured:
        return NOTHING
    state = found.custom.status.state
    if state is ServerState.NOT_CONFIGURED:
        return "The default email service can’t be used now."
    return {
        ServerState.OFF: "The custom server is off: “smtp-desk enable” turns it on.",
        ServerState.UNPROVEN: "The custom server is not proven: “smtp-desk configure” tests and "
        "saves it.",
        ServerState.SECRET_UNAVAILABLE: "The password of the custom server is not available. "
        f"{found.custom.status.reason}",
        ServerState.ACTIVE: "The custom server is left alone: “smtp-desk enable” tries it again.",
    }[state]


def no_route(services: Services) -> str:
    """Return `why_waiting` as things stand now; "" where the settings can't be read."""
    try:
        return why_waiting(read_status(services))
    except SettingsFileError:
        return ""


def what_waits(services: Services) -> str:
    """Return how many emails wait, until when, and why; "" for none or no telling."""
    try:
        found = read_status(services)
    except SettingsFileError:
        return ""
    count = found.outbox.counts.of(State.READY) if found.outbox else 0
    if found.outbox is None or found.outbox.next_due is None or not count:
        return ""
    waiting = f"{count} email waits" if count == 1 else f"{count} emails wait"
    due = local_time(found.outbox.next_due, found.at)
    return f"{waiting} in the outbox; next attempt at {due}. {why_waiting(found)}".rstrip()
