"""The routes that the saved settings define, rebuilt when those change."""

import logging
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Final, final
from weakref import WeakSet

from smtp_desk.core.findings.catalogue import Catalogue, cause
from smtp_desk.core.findings.finding import Finding
from smtp_desk.core.stages import Facts, Json
from smtp_desk.sender.mail.addressing import Identity
from smtp_desk.sender.outbox.clock import UtcClock, utc_now
from smtp_desk.sender.routes.expiry import known_endings
from smtp_desk.sender.routes.health import Ending
from smtp_desk.sender.routes.identities import (
    custom_identity,
    default_identity,
    identity_problem,
    is_mailbox,
)
from smtp_desk.sender.routes.route import CUSTOM, DEFAULT, Route, Routes
from smtp_desk.sender.routes.sendmail import SendmailRoute
from smtp_desk.sender.routes.smtp import SmtpRoute
from smtp_desk.sender.routes.throttle import Throttle
from smtp_desk.smtp.net.forks import gate, run_after_fork
from smtp_desk.smtp.net.resolve import Resolver
from smtp_desk.store.credentials import CredentialsUnavailableError
from smtp_desk.store.settings_file import SettingsFileError
from smtp_desk.store.settings_store import SettingsStore
from smtp_desk.store.stored import (
    DefaultKind,
    ServerState,
    StoredServer,
    StoredSettings,
    Uncertain,
    evaluate,
)

if TYPE_CHECKING:
    from smtp_desk.core.oauth import OAuthSettings
    from smtp_desk.core.secret import KeyringEntry
    from smtp_desk.oauth.link import ProviderLink
    from smtp_desk.oauth.source import TokenSource

_LOOK_AGAIN_S: Final = 60.0
"""A keyring that could not be read may be unlocked by now, and tells nobody."""

_UNREADABLE: Final = "settings.file_unreadable"
_INTERNAL: Final = "session.internal_error"

_log: Final = logging.getLogger(__name__)


@final
class SavedRoutes:
    """A `RouteSource` over the saved settings. Safe to use from several threads.

    Args:
        store: The saved settings; the keyring is asked when they change.
        catalogue: Says why a route can't be used.
        throttle: The limits that all processes share.
        monotonic: Returns seconds that never jump.
        resolver: Finds addresses; by default the system.
        link_to: Returns how to reach a sign-in service; by default `link_to` of `oauth.link`.
        now: Returns this moment with a time zone.
    """

    def __init__(
        self,
        store: SettingsStore,
        catalogue: Catalogue,
        throttle: Throttle,
        *,
        monotonic: Callable[[], float] = time.monotonic,
        resolver: Resolver | None = None,
        link_to: "Callable[[OAuthSettings], ProviderLink] | None" = None,
        now: UtcClock = utc_now,
    ) -> None:
        self._now = now
        self._link_to = link_to
        self._store = store
        self._catalogue = catalogue
        self._throttle = throttle
        self._monotonic = monotonic
        self._resolver = resolver
        self._routes: Routes | None = None
        self._fingerprint: tuple[int, ...] = ()
        self._look_again_at = 0.0
        self._parents: list[Route] = []
        self.after_fork()
        run_after_fork(self.after_fork)

    def after_fork(self) -> None:
        """Forget what belongs to the parent process; see `forks`."""
        self._parents += _routes_of(self._routes)
        self._lock = threading.Lock()
        self._routes = None
        self._retired: WeakSet[Route] = WeakSet()

    @gate
    def routes(self) -> Routes:
        """See `RouteSource.routes`.

        After a save all callers wait until the keyring has answered. If it gave no secret, one
        caller asks it again from time to time, and the others go on meanwhile.
        """
        with self._lock:
            fingerprint = self._store.fingerprint()
            known = self._routes
            if known is None or fingerprint != self._fingerprint:
                return self._replace(known, self._read(fingerprint, Routes()), fingerprint)
            if not _is_blocked(known) or self._monotonic() < self._look_again_at:
                return known
            self._look_again_at = self._monotonic() + _LOOK_AGAIN_S
        found = self._read(fingerprint, Routes() if _is_of_older_file(known) else known)
        with self._lock:
            # What has not changed stays what it is: mail is not due anew, delays go on growing.
            if self._routes is known and _ways(found) != _ways(known):
                return self._replace(known, found, fingerprint)
            return self._routes or known  # saved anew or closed meanwhile

    def close(self) -> None:
        """See `RouteSource.close`."""
        with self._lock:
            for route in (*self._retired, *_routes_of(self._routes)):
                route.close()
            self._routes = None

    def _replace(self, known: Routes | None, found: Routes, fingerprint: tuple[int, ...]) -> Routes:
        self._routes, self._fingerprint = found, fingerprint
        self._look_again_at = self._monotonic() + _LOOK_AGAIN_S
        kept = _routes_of(found)
        for route in _routes_of(known):
            if route not in kept:
                route.retire()
                self._retired.add(route)
        return found

    def _read(self, fingerprint: tuple[int, ...], kept: Routes) -> Routes:
        """Return the routes of the saved settings; those of `kept` that work stay as they are."""

        def current() -> bool:
            return self._store.fingerprint() == fingerprint

        try:
            return self._built(self._store.load(), kept, current)
        except SettingsFileError as error:
            # Somebody may be writing it by hand: what it said of the default service
            # before is still the best that is known.
            _log.error("the settings can't be read: %s", error)
            facts = {"reason": str(error.kind), "path": str(error.path), "detail": error.detail}
            problem = self._told(_UNREADABLE, **facts)
        except Exception:  # noqa: BLE001 - our fault must not stop the other route
            _log.exception("our own fault while reading the settings")
            problem = self._told(_INTERNAL)
        before = self._routes
        default = problem if before is None else before.default
        return replace(before or kept, custom=problem, default=default, current=current)

    def _built(self, stored: StoredSettings, kept: Routes, current: Callable[[], bool]) -> Routes:
        return Routes(
            custom=_usable(kept.custom) or self._custom(stored),
            default=_usable(kept.default) or self._default(stored),
            resend_uncertain=stored.uncertain is Uncertain.RESEND,
            current=current,
            from_email=_from_email(stored),
            company_name=stored.preferences.company_name,
            notify=stored.preferences.notify,
        )

    def _custom(self, stored: StoredSettings) -> Route | Finding | None:
        server, identity = stored.server, custom_identity(stored)
        if server is None or identity is None:
            return None
        return self._smtp(CUSTOM, server, identity)

    def _default(self, stored: StoredSettings) -> Route | Finding | None:
        service, identity = stored.default, default_identity(stored)
        if identity is None:
            return None
        problem = identity_problem(identity)
        if problem is not None:
            return self._told("settings.value_invalid", **problem)
        if service.kind is DefaultKind.SMTP and service.server is not None:
            return self._smtp(DEFAULT, service.server, identity)
        return SendmailRoute(service.sendmail_path, identity, self._catalogue)

    def _smtp(self, name: str, server: StoredServer, identity: Identity) -> Route | Finding:
        oauth = server.settings.oauth
        facts: Facts = {"oauth_flow": str(oauth.flow)} if oauth else {}
        try:
            entry = self._store.entry(server)
        except CredentialsUnavailableError as error:
            return self._told("settings.secret_unavailable", reason=str(error.reason), **facts)
        # The proof is that of the very secret which is used: a store may give another when it
        # is asked again, and no server gets a secret that was not proven with it.
        status = evaluate(server, entry)
        if entry is None or status.state is not ServerState.ACTIVE:
            return self._told(status.code, reason=str(status.reason), **facts)
        source = self._source(server)
        return SmtpRoute(
            name,
            server.settings,
            server.mode,
            source or entry.secret or None,
            identity,
            self._catalogue,
            self._throttle,
            resolver=self._resolver,
            ends=partial(self._endings, server),
        )

    def _endings(self, server: StoredServer) -> tuple[Ending, ...]:
        entry: KeyringEntry | None = None
        if server.settings.oauth is not None:
            with suppress(CredentialsUnavailableError, SettingsFileError):
                entry = self._store.entry(server)
        return tuple(known_endings(server.settings, entry, self._now()))

    def _source(self, server: StoredServer) -> "TokenSource | None":
        """Return who gives the tokens of a server; None where it has a password."""
        oauth = server.settings.oauth
        if oauth is None:
            return None
        # Imported here: a server with a password does without all of it.
        from smtp_desk.oauth.link import link_to  # noqa: PLC0415
        from smtp_desk.oauth.source import SavedVault, TokenSource  # noqa: PLC0415

        link = (self._link_to or link_to)(oauth)
        return TokenSource(oauth, server.settings.username, SavedVault(self._store, server), link)

    def _told(self, code: str, **facts: Json) -> Finding:
        return cause(self._catalogue, code, facts)


def _from_email(stored: StoredSettings) -> str:
    """Return the address that emails come from if all goes well."""
    custom = stored.server.settings.from_email if stored.server else ""
    known = (custom, stored.default.from_email)
    return next(filter(is_mailbox, known), Routes().from_email)


def _usable(way: Route | Finding | None) -> Route | None:
    return None if isinstance(way, Finding) else way


def _ways(routes: Routes) -> tuple[Route | Finding | None, Route | Finding | None]:
    return routes.custom, routes.default


def _is_blocked(routes: Routes) -> bool:
    """Whether a route can't be used now, but maybe later with the same settings."""
    return isinstance(routes.custom, Finding) or isinstance(routes.default, Finding)


def _is_of_older_file(routes: Routes) -> bool:
    """Whether the file could not be read: the default service is what it said before."""
    return isinstance(routes.custom, Finding) and routes.custom.code in (_UNREADABLE, _INTERNAL)


def _routes_of(routes: Routes | None) -> tuple[Route, ...]:
    if routes is None:
        return ()
    ways = (_usable(routes.custom), _usable(routes.default))
    return tuple(way for way in ways if way is not None)
