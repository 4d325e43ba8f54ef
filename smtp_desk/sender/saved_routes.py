"""The routes that the saved settings give, built anew when those change."""

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Final, final

from smtp_desk.core.catalogue import Catalogue
from smtp_desk.core.findings import Finding
from smtp_desk.sender.causes import cause
from smtp_desk.sender.routes import Routes
from smtp_desk.sender.sendmail_route import SendmailRoute
from smtp_desk.sender.smtp_route import SmtpRoute
from smtp_desk.sender.transport import CUSTOM, DEFAULT, Identity, Route
from smtp_desk.smtp.resolve import Resolver
from smtp_desk.store.credentials import CredentialsUnavailableError
from smtp_desk.store.server_status import ServerState
from smtp_desk.store.settings_file import SettingsFileError
from smtp_desk.store.settings_store import SettingsStore
from smtp_desk.store.stored import DefaultKind, StoredServer, StoredSettings, Uncertain

_LOOK_AGAIN_S: Final = 60.0
"""A keyring that could not be read may be unlocked by now, and tells nobody."""

_log: Final = logging.getLogger(__name__)


@final
class SavedRoutes:
    """A `RouteSource` over the saved settings. Many threads may use it.

    Args:
        store: The saved settings; the keyring is asked when they change.
        catalogue: Tells why a route can't be used.
        monotonic: Returns seconds that never jump.
        resolver: Finds addresses; by default the system.
    """

    def __init__(
        self,
        store: SettingsStore,
        catalogue: Catalogue,
        *,
        monotonic: Callable[[], float] = time.monotonic,
        resolver: Resolver | None = None,
    ) -> None:
        self._store = store
        self._catalogue = catalogue
        self._monotonic = monotonic
        self._resolver = resolver
        self._lock = threading.Lock()
        self._routes: Routes | None = None
        self._fingerprint: tuple[int, ...] = ()
        self._look_again_at = 0.0
        self._retired: list[Route] = []

    def routes(self) -> Routes:
        """See `RouteSource.routes`."""
        with self._lock:
            fingerprint = self._store.fingerprint()
            if self._routes is None or self._is_stale(self._routes, fingerprint):
                self._read(fingerprint)
            return self._routes or Routes()

    def close(self) -> None:
        """See `RouteSource.close`."""
        with self._lock:
            for route in (*self._retired, *_routes_of(self._routes)):
                route.close()
            self._retired, self._routes = [], None

    def _is_stale(self, routes: Routes, fingerprint: tuple[int, ...]) -> bool:
        if fingerprint != self._fingerprint:
            return True
        blocked = isinstance(routes.custom, Finding) or isinstance(routes.default, Finding)
        return blocked and self._monotonic() >= self._look_again_at

    def _read(self, fingerprint: tuple[int, ...]) -> None:
        before = self._routes
        try:
            self._routes = self._built(self._store.load(), fingerprint)
        except SettingsFileError as error:
            # Somebody may be writing it by hand: what it said of the default service
            # before is still the best that is known.
            _log.error("the settings can't be read: %s", error)
            problem = self._told("settings.file_unreadable", reason=str(error))
            default = problem if before is None else before.default
            self._routes = replace(before or Routes(), custom=problem, default=default)
        self._fingerprint = fingerprint
        self._look_again_at = self._monotonic() + _LOOK_AGAIN_S
        kept = _routes_of(self._routes)
        for route in _routes_of(before):
            if route not in kept:
                route.retire()
                self._retired.append(route)

    def _built(self, stored: StoredSettings, fingerprint: tuple[int, ...]) -> Routes:
        return Routes(
            custom=self._custom(stored),
            default=self._default(stored),
            resend_uncertain=stored.uncertain is Uncertain.RESEND,
            current=lambda: self._store.fingerprint() == fingerprint,
            from_email=_from_email(stored),
            company_name=stored.preferences.company_name,
            tell_address=stored.preferences.tell_address,
        )

    def _custom(self, stored: StoredSettings) -> Route | Finding | None:
        server = stored.server
        if server is None or not stored.enabled:
            return None
        settings = server.settings
        identity = Identity(settings.from_email, settings.from_name)
        return self._smtp(CUSTOM, server, identity, stored)

    def _default(self, stored: StoredSettings) -> Route | Finding | None:
        service, server = stored.default, stored.default.server
        if service.kind is DefaultKind.SENDMAIL:
            identity = _default_identity(stored, service.from_email)
            return SendmailRoute(service.sendmail_path, identity, self._catalogue)
        if service.kind is DefaultKind.SMTP and server is not None:
            identity = _default_identity(stored, server.settings.from_email)
            return self._smtp(DEFAULT, server, identity, stored)
        return None

    def _smtp(
        self, name: str, server: StoredServer, identity: Identity, stored: StoredSettings
    ) -> Route | Finding:
        status = self._store.status(stored, default=name == DEFAULT)
        if status.state is not ServerState.ACTIVE:
            unproven = status.state is ServerState.UNPROVEN
            code = "settings.not_proven" if unproven else "settings.secret_unavailable"
            return self._told(code, reason=status.reason)
        try:
            secret = self._store.secret(server)
        except CredentialsUnavailableError as error:
            return self._told("settings.secret_unavailable", reason=str(error.reason))
        return SmtpRoute(
            name,
            server.settings,
            server.mode,
            secret,
            identity,
            self._catalogue,
            resolver=self._resolver,
        )

    def _told(self, code: str, *, reason: str) -> Finding:
        return cause(self._catalogue, code, {"reason": reason})


def _default_identity(stored: StoredSettings, from_email: str) -> Identity:
    """Return who emails come from on the default route (DMARC of the custom domain stays whole)."""
    server = stored.server
    if server is None:
        return Identity(from_email, stored.preferences.company_name)
    reply_to = server.settings.from_email if stored.enabled else ""
    return Identity(from_email, server.settings.from_name, reply_to)


def _from_email(stored: StoredSettings) -> str:
    """Return the address that emails come from if all goes well."""
    custom = stored.server.settings.from_email if stored.server else ""
    return custom or stored.default.from_email or Routes().from_email


def _routes_of(routes: Routes | None) -> tuple[Route, ...]:
    if routes is None:
        return ()
    ways = (routes.custom, routes.default)
    return tuple(way for way in ways if way is not None and not isinstance(way, Finding))
