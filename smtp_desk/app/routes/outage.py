"""Ending the outage of a route: a person tries it again, or saves other settings."""

import logging
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Final

from smtp_desk.app.notice import Notice
from smtp_desk.app.routes.route_status import is_out, paused_since, server_of, summary_of
from smtp_desk.app.routes.words import PAUSED
from smtp_desk.app.services import Services
from smtp_desk.core.findings.finding import Finding
from smtp_desk.sender.outbox.outbox import OutboxUnavailableError
from smtp_desk.sender.routes.health import Probe
from smtp_desk.sender.routes.probing import Prober
from smtp_desk.sender.routes.route import CUSTOM
from smtp_desk.store.settings_file import SettingsFileError
from smtp_desk.store.stored import StoredServer

_log: Final = logging.getLogger(__name__)

_WORKS: Final = "The server works again. Emails in the outbox are queued to send now."
_WORKS_IN_A_PAUSE: Final = f"The server works again. {PAUSED}"
_LETS_US_IN: Final = (
    "The server can be reached. The next email will show whether it accepts emails again."
)
_PROBE_S: Final = 60.0
"""Longest wait for a session: connecting, greeting and signing in have limits of their own."""


def try_again(services: Services, route: str = CUSTOM) -> Notice:
    """Try a paused or shut route at once, by one session up to AUTH; blocks until it ends.

    If it works again, the emails waiting in the outbox become due.
    """
    try:
        services.health.try_again(route)
        unusable = _probe(services, route)
        health = services.health.status(route)
        works = _WORKS_IN_A_PAUSE if paused_since(services) else _WORKS
    except OutboxUnavailableError as error:
        return Notice(str(error), error=True)
    if unusable is not None:
        return Notice(f"Still unavailable. {unusable.summary}", error=True)
    if not is_out(health):
        return Notice(works if health.out_since is None else _LETS_US_IN)
    why = summary_of(services, health.code, _saved_server(services, route))
    return Notice(f"Still unavailable. {why}".rstrip(), error=True)


def _probe(services: Services, name: str) -> Finding | None:
    """Probe a route, unless somebody else does at this moment, and write down what came of it.

    Returns:
        What keeps only this process from using it; the route's health isn't changed by that.
    """
    with closing(services.open_routes()) as source:
        route = source.routes().of(name)
        if isinstance(route, Finding) or route is None:
            return route
        verdict = services.health.may_use(name)
        if not isinstance(verdict, Probe):
            return None
        prober = Prober(services.health, services.outbox)
        prober.grant(route, verdict.token)
        prober.start_granted()
        prober.wait(_PROBE_S)
    return None


def _saved_server(services: Services, route: str) -> StoredServer | None:
    try:
        return server_of(services.store.load(), route)
    except SettingsFileError:
        return None


def end_rest(services: Services, route: str) -> None:
    """Make a route usable at once after new settings were saved, and waiting emails due."""
    with _other_settings_count():
        if services.has_outbox:
            services.health.reopen(route)
    make_due(services)


def make_due(services: Services) -> None:
    """Make the emails waiting in the outbox due, because there is another way to send now."""
    with _other_settings_count():
        if services.has_outbox:
            services.outbox.make_due()


@contextmanager
def _other_settings_count() -> Iterator[None]:
    """Log where the outbox can't be told of other settings: they are saved all the same."""
    try:
        yield
    except OutboxUnavailableError:
        _log.warning("the outbox could not be told of other settings", exc_info=True)
