"""The words about the routes, chosen by their status."""

from datetime import datetime
from typing import Final

from smtp_desk.app.routes.route_status import HealthReport, HealthState, RouteStatus
from smtp_desk.app.words import NEEDS_PROOF
from smtp_desk.sender.routes.health import Ending, Needed
from smtp_desk.sender.routes.route import CUSTOM, DEFAULT
from smtp_desk.store.stored import ServerState

NAMES: Final = {CUSTOM: "Custom SMTP server", DEFAULT: "Default email service"}
SHORT_NAMES: Final = {CUSTOM: "Custom", DEFAULT: "Default"}
WITHDRAWN: Final = "The sign-in was revoked at the provider."
NOT_WITHDRAWN: Final = (
    "We couldn’t revoke the sign-in at the provider. Remove the application’s access there."
)
PAUSED: Final = "Sending is paused. Nothing is sent until you resume it."
"""What is added to a text that says what would leave, where nothing does."""
TRY_AGAIN: Final = "Try again"
SIGN_IN_AGAIN: Final = "Sign in again…"
NO_RELAY: Final = "No relay is set up yet."

_USES_DEFAULT: Final = "System emails are sent by the default email service."
_HOLDS: Final = "System emails wait in the outbox."
_USES_DEFAULT_NOW: Final = "Until then, system emails are sent by the default email service."
_HOLDS_NOW: Final = "Until then, system emails wait in the outbox."
_NO_DEFAULT: Final = "None. Emails the custom server can’t send wait in the outbox."
_READY: Final = "Ready for emails that the custom server can’t send."
_UNREADABLE: Final = "The settings file can’t be read"
_HEALTH: Final = {
    HealthState.USABLE: "In use.",
    HealthState.PROBING: "Trying it right now.",
    HealthState.DUE: "The next email, or a worker, tries it again.",
}


_ENDINGS: Final = {
    Needed.SERVER_CERTIFICATE: (
        "The mail server’s certificate",
        "Ask the mail administrator to renew it",
    ),
    Needed.CLIENT_CERTIFICATE: (
        "The application’s certificate",
        "Register a new one{before}, and configure the server with it",
    ),
    Needed.COMPANY_CA: (
        "The company CA’s certificate",
        "Get the new one{before}, and configure the server with it",
    ),
}


def ending_text(ending: Ending, now: datetime) -> str:
    """Return what expires, and what to do."""
    name, act = _ENDINGS[ending.what]
    days = (ending.at - now).days
    if days < 0:
        return f"{name} expired on {ending.at:%Y-%m-%d}. {act.format(before='')}."
    left = "today" if days == 0 else "in 1 day" if days == 1 else f"in {days} days"
    act = act.format(before=" before then")
    return f"{name} expires on {ending.at:%Y-%m-%d}, {left}. {act}."


def instead(status: RouteStatus) -> str:
    """Return what happens to emails that the custom server doesn't accept."""
    return _HOLDS if status.held else _USES_DEFAULT


def status_text(status: RouteStatus) -> str:
    """Return the status line of the custom server."""
    until = _HOLDS_NOW if status.held else _USES_DEFAULT_NOW
    now = "emails wait in the outbox" if status.held else "using the default service"
    sent = f"Active. System emails are sent through {status.host}."
    if status.paused_since is not None and status.health is not None:
        since = local_time(status.paused_since, status.health.at)
        sent = f"Active, but sending has been paused since {since}. Emails are stored and wait."
    return {
        ServerState.UNREADABLE: f"{_UNREADABLE} and won’t be overwritten: {status.why}",
        ServerState.NOT_CONFIGURED: f"Not configured. {instead(status)}",
        ServerState.OFF: f"Off. {instead(status)}",
        ServerState.SECRET_UNAVAILABLE: f"{_missing(status)} {status.why} {until}",
        ServerState.UNPROVEN: f"Not proven. {status.why} {until}",
        ServerState.ACTIVE: f"Unavailable, {now} since {out_since(status)}."
        if status.out
        else sent,
    }[status.kind]


def relay_text(status: RouteStatus) -> str:
    """Return the status line of the relay, which has no switch."""
    return {
        ServerState.NOT_CONFIGURED: NO_RELAY,
        ServerState.SECRET_UNAVAILABLE: f"{_missing(status)} {status.why}",
        ServerState.UNPROVEN: f"Not proven. {status.why}",
        ServerState.ACTIVE: f"Proven. {status.host} can send emails.",
    }.get(status.kind) or status_text(status)


def _missing(status: RouteStatus) -> str:
    """Return what the keyring doesn't give."""
    by_token = status.server is not None and status.server.settings.oauth is not None
    return "Sign-in not available." if by_token else "Password not available."


def switch_reason(status: RouteStatus) -> str:
    """Return why the switch can't be used, or ""."""
    if status.kind is ServerState.UNREADABLE:
        return f"{_UNREADABLE}."
    return "" if status.on or status.proven else NEEDS_PROOF


def after_save(status: RouteStatus) -> str:
    """Return what to say after saving."""
    if status.route == DEFAULT:
        return "Saved. This relay is now the default email service."
    if status.on:
        return "Saved. System emails are now sent through this server."
    return "Saved. Turn on the switch to send system emails through this server."


def after_removal(status: RouteStatus) -> str:
    """Return what to say after removing."""
    if status.route == DEFAULT:
        return "The relay and its password were removed."
    return f"Configuration removed. {instead(status)}"


def out_since(status: RouteStatus) -> str:
    """Return since when the route is unavailable; "" if it isn't."""
    health = status.health
    if health is None or health.known.out_since is None:
        return ""
    return local_time(health.known.out_since, health.at)


def outage_title(status: RouteStatus) -> str:
    """Return what happened."""
    return f"Your mail server has been unavailable since {out_since(status)}."


def outage_consequence(status: RouteStatus) -> str:
    """Return what an outage means for emails, and what happens next."""
    health = status.health
    count = health.known.fallbacks if health else 0
    if status.held:
        fate = "System emails wait in the outbox."
    else:
        was = "was" if count == 1 else "were"
        fate = f"{emails(count)} {was} sent by the default email service instead."
    if health is not None and health.state is HealthState.SHUT:
        if health.needs_sign_in:
            return f"{fate} We won’t retry until you sign in again or save new settings."
        return f"{fate} We won’t retry until you press Try again or save new settings."
    return f"{fate} The next email, or a worker, tries it again."


def route_text(status: RouteStatus) -> str:
    """Return the status of a route, for a list of both."""
    default = status.route == DEFAULT
    unused = {
        ServerState.UNREADABLE: f"{_UNREADABLE}. No email is sent until it can be.",
        ServerState.OFF: "Off: the switch on Integrations is off.",
        ServerState.NOT_CONFIGURED: _NO_DEFAULT if default else "Not configured.",
    }
    health = status.health
    if status.kind in unused:
        return unused[status.kind]
    if health is None or health.state is HealthState.USABLE:
        return _READY if default else _HEALTH[HealthState.USABLE]
    return health_text(health, "press Try again")


def health_text(health: HealthReport, act: str) -> str:
    """Return the health of a route; `act` says how to try it again at once."""
    if health.state is HealthState.SHUT:
        if health.needs_sign_in:
            act = "sign in again (“smtp-desk sign-in”)"
        return f"Unavailable until you save new settings or {act}."
    if health.state is HealthState.RESTING and health.until is not None:
        out = f"Unavailable until {local_time(health.until, health.at)}."
        return f"{out} The next email after that, or a worker, tries it again."
    return _HEALTH[health.state]


def fallbacks_text(status: RouteStatus) -> str:
    """Return how many emails another route sent in the latest outage; "" for none."""
    health = status.health
    if health is None or not health.known.fallbacks:
        return ""
    other = "the default email service" if status.route == CUSTOM else "the custom server"
    said = f"{emails(health.known.fallbacks)} sent by {other}"
    since = out_since(status)
    return f"{said} since {since}." if since else f"{said} in the newest outage."


def emails(count: int) -> str:
    """Return a number of emails, in words."""
    return "1 email" if count == 1 else f"{count:,} emails"


def local_time(moment: datetime, now: datetime) -> str:
    """Return a moment in local time, with the date unless it is today."""
    here = moment.astimezone()
    if here.date() == now.astimezone().date():
        return f"{here:%H:%M}"
    return f"{here:%Y-%m-%d %H:%M}"
