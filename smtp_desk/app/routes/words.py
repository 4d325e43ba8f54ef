"""The words about the routes, chosen by their status."""

from datetime import datetime
from typing import Final

from smtp_desk.app.routes.route_status import HealthReport, HealthState, RouteStatus
from smtp_desk.app.words import NEEDS_PROOF
from smtp_desk.core.translation import _, mark, plural
from smtp_desk.sender.routes.health import Ending, Needed
from smtp_desk.sender.routes.route import CUSTOM, DEFAULT
from smtp_desk.store.stored import ServerState

# Translated where they are shown.
NAMES: Final = {CUSTOM: mark("Custom SMTP server"), DEFAULT: mark("Default email service")}
SHORT_NAMES: Final = {CUSTOM: mark("Custom"), DEFAULT: mark("Default")}
WITHDRAWN: Final = mark("The sign-in was revoked at the provider.")
NOT_WITHDRAWN: Final = mark(
    "We couldn’t revoke the sign-in at the provider. Remove the application’s access there."
)
PAUSED: Final = mark("Sending is paused. Nothing is sent until you resume it.")
"""What is added to a text that says what would leave, where nothing does."""
TRY_AGAIN: Final = mark("Try again")
SIGN_IN_AGAIN: Final = mark("Sign in again…")

_NO_RELAY: Final = mark("No relay is set up yet.")
_UNREADABLE: Final = mark("The settings file can’t be read and won’t be overwritten: {why}")
_TRIES_AGAIN: Final = mark("The next email, or a worker, tries it again.")
_HEALTH: Final = {
    HealthState.USABLE: mark("In use."),
    HealthState.PROBING: mark("Trying it right now."),
    HealthState.DUE: _TRIES_AGAIN,
}
_EXPIRES: Final = {
    Needed.SERVER_CERTIFICATE: mark(
        "The mail server’s certificate expires on {date}, {left}. "
        "Ask the mail administrator to renew it."
    ),
    Needed.CLIENT_CERTIFICATE: mark(
        "The application’s certificate expires on {date}, {left}. "
        "Register a new one before then, and configure the server with it."
    ),
    Needed.CLIENT_SECRET: mark(
        "By the date in the settings, the client secret expires on {date}, {left}. "
        "Create a new one before then, and configure the server with it."
    ),
    Needed.REFRESH_TOKEN: mark("The sign-in expires on {date}, {left}. Sign in again before then."),
    Needed.COMPANY_CA: mark(
        "The company CA’s certificate expires on {date}, {left}. "
        "Get the new one before then, and configure the server with it."
    ),
}
_EXPIRED: Final = {
    Needed.SERVER_CERTIFICATE: mark(
        "The mail server’s certificate expired on {date}. Ask the mail administrator to renew it."
    ),
    Needed.CLIENT_CERTIFICATE: mark(
        "The application’s certificate expired on {date}. "
        "Register a new one, and configure the server with it."
    ),
    Needed.CLIENT_SECRET: mark(
        "By the date in the settings, the client secret expired on {date}. "
        "Create a new one, and configure the server with it."
    ),
    Needed.REFRESH_TOKEN: mark("The sign-in expired on {date}. Sign in again."),
    Needed.COMPANY_CA: mark(
        "The company CA’s certificate expired on {date}. "
        "Get the new one, and configure the server with it."
    ),
}


def ending_text(ending: Ending, now: datetime) -> str:
    """Return what expires, and what to do."""
    date, days = f"{ending.at:%Y-%m-%d}", (ending.at - now).days
    if days < 0:
        return _(_EXPIRED[ending.what], date=date)
    # Translators: how long until it expires, behind the date.
    left = plural("in {count} day", "in {count} days", days) if days else _("today")
    return _(_EXPIRES[ending.what], date=date, left=left)


def instead(status: RouteStatus) -> str:
    """Return what happens to emails that the custom server doesn't accept."""
    if status.held:
        return _("System emails wait in the outbox.")
    return _("System emails are sent by the default email service.")


def status_text(status: RouteStatus) -> str:
    """Return the status line of the custom server."""
    match status.kind:
        case ServerState.UNREADABLE:
            return _(_UNREADABLE, why=status.why)
        case ServerState.NOT_CONFIGURED:
            return f"{_('Not configured.')} {instead(status)}"
        case ServerState.OFF:
            return f"{_('Off.')} {instead(status)}"
        case ServerState.SECRET_UNAVAILABLE | ServerState.UNPROVEN:
            return f"{_unusable(status)} {_until_then(status)}"
    return _outage(status) if status.out else _active(status)


def _until_then(status: RouteStatus) -> str:
    if status.held:
        return _("Until then, system emails wait in the outbox.")
    return _("Until then, system emails are sent by the default email service.")


def _outage(status: RouteStatus) -> str:
    since = out_since(status)
    if status.held:
        return _("Unavailable, emails wait in the outbox since {since}.", since=since)
    return _("Unavailable, using the default service since {since}.", since=since)


def _active(status: RouteStatus) -> str:
    if status.paused_since is not None and status.health is not None:
        since = local_time(status.paused_since, status.health.at)
        return _(
            "Active, but sending has been paused since {since}. Emails are stored and wait.",
            since=since,
        )
    return _("Active. System emails are sent through {host}.", host=status.host)


def relay_text(status: RouteStatus) -> str:
    """Return the status line of the relay, which has no switch."""
    match status.kind:
        case ServerState.NOT_CONFIGURED:
            return _(_NO_RELAY)
        case ServerState.SECRET_UNAVAILABLE | ServerState.UNPROVEN:
            return _unusable(status)
        case ServerState.ACTIVE:
            return _("Proven. {host} can send emails.", host=status.host)
    return status_text(status)


def _unusable(status: RouteStatus) -> str:
    """Return what is missing: a proof, or what the keyring doesn't give."""
    if status.kind is ServerState.UNPROVEN:
        return f"{_('Not proven.')} {status.why}"
    by_token = status.server is not None and status.server.settings.oauth is not None
    missing = _("Sign-in not available.") if by_token else _("Password not available.")
    return f"{missing} {status.why}"


def switch_reason(status: RouteStatus) -> str:
    """Return why the switch can't be used, or ""."""
    if status.kind is ServerState.UNREADABLE:
        return _("The settings file can’t be read.")
    return "" if status.on or status.proven else _(NEEDS_PROOF)


def after_save(status: RouteStatus) -> str:
    """Return what to say after saving."""
    if status.route == DEFAULT:
        return _("Saved. This relay is now the default email service.")
    if status.on:
        return _("Saved. System emails are now sent through this server.")
    return _("Saved. Turn on the switch to send system emails through this server.")


def after_removal(status: RouteStatus) -> str:
    """Return what to say after removing."""
    if status.route == DEFAULT:
        return _("The relay and its password were removed.")
    return f"{_('Configuration removed.')} {instead(status)}"


def out_since(status: RouteStatus) -> str:
    """Return since when the route is unavailable; "" if it isn't."""
    health = status.health
    if health is None or health.known.out_since is None:
        return ""
    return local_time(health.known.out_since, health.at)


def outage_title(status: RouteStatus) -> str:
    """Return what happened."""
    return _("Your mail server has been unavailable since {since}.", since=out_since(status))


def outage_consequence(status: RouteStatus) -> str:
    """Return what an outage means for emails, and what happens next."""
    health = status.health
    fate = instead(status) if status.held else _sent_instead(health)
    if health is None or health.state is not HealthState.SHUT:
        return f"{fate} {_(_TRIES_AGAIN)}"
    if health.needs_sign_in:
        next_try = _("We won’t retry until you sign in again or save new settings.")
    else:
        next_try = _("We won’t retry until you press Try again or save new settings.")
    return f"{fate} {next_try}"


def _sent_instead(health: HealthReport | None) -> str:
    return plural(
        "{count} email was sent by the default email service instead.",
        "{count} emails were sent by the default email service instead.",
        health.known.fallbacks if health else 0,
    )


def route_text(status: RouteStatus) -> str:
    """Return the status of a route, for a list of both."""
    default, health = status.route == DEFAULT, status.health
    match status.kind:
        case ServerState.UNREADABLE:
            return _("The settings file can’t be read. No email is sent until it can be.")
        case ServerState.OFF:
            return _("Off: the switch on Integrations is off.")
        case ServerState.NOT_CONFIGURED:
            waiting = _("None. Emails the custom server can’t send wait in the outbox.")
            return waiting if default else _("Not configured.")
    if health is not None and health.state is not HealthState.USABLE:
        return health_text(health, _("Unavailable until you save new settings or press Try again."))
    if default:
        return _("Ready for emails that the custom server can’t send.")
    return _(_HEALTH[HealthState.USABLE])


def health_text(health: HealthReport, shut: str) -> str:
    """Return the health of a route; `shut` says how one is tried again that needs a person."""
    if health.state is HealthState.SHUT:
        if health.needs_sign_in:
            return _(
                "Unavailable until you save new settings or sign in again (“smtp-desk sign-in”)."
            )
        return shut
    if health.state is HealthState.RESTING and health.until is not None:
        return _(
            "Unavailable until {time}. The next email after that, or a worker, tries it again.",
            time=local_time(health.until, health.at),
        )
    return _(_HEALTH[health.state])


def fallbacks_text(status: RouteStatus) -> str:
    """Return how many emails another route sent in the latest outage; "" for none."""
    health = status.health
    if health is None or not health.known.fallbacks:
        return ""
    count, since = health.known.fallbacks, out_since(status)
    if status.route == CUSTOM and since:
        return plural(
            "{count} email sent by the default email service since {since}.",
            "{count} emails sent by the default email service since {since}.",
            count,
            since=since,
        )
    if status.route == CUSTOM:
        return plural(
            "{count} email sent by the default email service in the newest outage.",
            "{count} emails sent by the default email service in the newest outage.",
            count,
        )
    if since:
        return plural(
            "{count} email sent by the custom server since {since}.",
            "{count} emails sent by the custom server since {since}.",
            count,
            since=since,
        )
    return plural(
        "{count} email sent by the custom server in the newest outage.",
        "{count} emails sent by the custom server in the newest outage.",
        count,
    )


def emails(count: int) -> str:
    """Return a number of emails, in words: where nothing else of the sentence depends on it."""
    return plural("{count} email", "{count} emails", count)


def local_time(moment: datetime, now: datetime) -> str:
    """Return a moment in local time, with the date unless it is today."""
    here = moment.astimezone()
    if here.date() == now.astimezone().date():
        return f"{here:%H:%M}"
    return f"{here:%Y-%m-%d %H:%M}"
