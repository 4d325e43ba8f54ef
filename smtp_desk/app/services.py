"""The composition root: all that window and terminal need, built once and passed as argument.

What the program runs on, for reports.
"""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Final

from smtp_desk import __version__
from smtp_desk.store.credentials import CredentialStore, MemoryCredentials
from smtp_desk.store.managed import Managed, ManagedError, read_managed
from smtp_desk.store.ownership import is_root
from smtp_desk.store.paths import Paths
from smtp_desk.store.settings_store import SettingsStore, outbox_address
from smtp_desk.store.system_credentials import SystemCredentials
from smtp_desk.store.unattended import open_credentials

if TYPE_CHECKING:
    from smtp_desk.core.findings.catalogue import Catalogue
    from smtp_desk.core.findings.providers import Providers
    from smtp_desk.core.oauth import OAuthSettings
    from smtp_desk.core.stages import Json
    from smtp_desk.oauth.link import ProviderLink
    from smtp_desk.sender.outbox.control import Control
    from smtp_desk.sender.outbox.outbox import Outbox
    from smtp_desk.sender.routes.health import Health
    from smtp_desk.sender.routes.saved import SavedRoutes
    from smtp_desk.sender.routes.throttle import Throttle
    from smtp_desk.sender.sender import Sender
    from smtp_desk.sender.storage import Storage
    from smtp_desk.store.company_ca import TrustedCas

_log: Final = logging.getLogger(__name__)

_QT_DISTRIBUTIONS: Final = ("PySide6-Essentials", "PySide6")


def versions() -> "Mapping[str, Json]":
    """Return the versions of program, Python, OpenSSL, Qt and system; never the machine's name."""
    # Imported here, as in the next two: reports only.
    import platform  # noqa: PLC0415
    import ssl  # noqa: PLC0415

    return {
        "program": f"SMTP Desk {__version__}",
        "python": platform.python_version(),
        "openssl": ssl.OPENSSL_VERSION,
        "qt": _qt_version(),
        "system": _system(),
    }


def _qt_version() -> str:
    """Look up what is installed: importing Qt takes longer than a whole test."""
    from importlib import metadata  # noqa: PLC0415

    for name in _QT_DISTRIBUTIONS:
        try:
            return f"PySide6 {metadata.version(name)}"
        except metadata.PackageNotFoundError:
            continue
    return "not installed"


def _system() -> str:
    import platform  # noqa: PLC0415

    kernel = f"{platform.system()} {platform.release()} {platform.machine()}"
    try:
        return f"{platform.freedesktop_os_release()['PRETTY_NAME']} ({kernel})"
    except (OSError, KeyError):
        return kernel


def _utc_now() -> datetime:
    return datetime.now(UTC)


def _link_to(settings: "OAuthSettings") -> "ProviderLink":
    from smtp_desk.oauth.link import link_to  # noqa: PLC0415 - for OAuth 2.0 only

    return link_to(settings)


@dataclass(frozen=True, kw_only=True)
class Services:
    """What every use case works with.

    Attributes:
        paths: The paths of files.
        credentials: The store of secrets.
        store: The saved settings.
        now: The clock, with a time zone.
        link_to: Returns how to reach a sign-in service; replaced in tests.
        sandboxed: Whether this is a separate home that reaches nothing real.
        variables: The environment, for the variables that name the outbox.
    """

    paths: Paths
    credentials: CredentialStore
    store: SettingsStore
    now: Callable[[], datetime] = _utc_now
    link_to: "Callable[[OAuthSettings], ProviderLink]" = _link_to
    sandboxed: bool = False
    variables: Mapping[str, str] = field(default_factory=dict, repr=False)

    @classmethod
    def open(cls, environ: Mapping[str, str], *, interactive: bool) -> "Services":
        """Build the services for the real home and the keyring of the desktop.

        Args:
            environ: The environment; `SMTP_DESK_HOME` moves all files below one directory, and
                a machine may supply passwords in it.
            interactive: Whether somebody is there to answer a prompt of the keyring.

        Raises:
            CredentialsUnavailableError: A systemd credential is there and can't be read.
        """
        credentials = open_credentials(environ, interactive=interactive)
        return cls._at(Paths.default(environ), credentials, environ)

    @classmethod
    def system(cls, environ: Mapping[str, str]) -> "Services":
        """Build the system-wide services, for their worker, and for root who configures them.

        Raises:
            CredentialsUnavailableError: A systemd credential is there and can't be read.
        """
        paths = Paths.system(environ)
        if paths.credstore is not None and is_root():
            return cls._at(paths, SystemCredentials(paths.credstore), environ)
        return cls._at(paths, open_credentials(environ, interactive=False), environ)

    @classmethod
    def sandbox(cls, home: Path) -> "Services":
        """Build services whose files are below `home` and whose secrets stay in memory."""
        paths = Paths.below(home)
        return cls._at(paths, MemoryCredentials(), {}, sandboxed=True)

    @classmethod
    def _at(
        cls,
        paths: Paths,
        credentials: CredentialStore,
        environ: Mapping[str, str],
        *,
        sandboxed: bool = False,
    ) -> "Services":
        return cls(
            paths=paths,
            credentials=credentials,
            store=SettingsStore(paths, credentials),
            sandboxed=sandboxed,
            variables=environ,
        )

    @property
    def trusted_cas(self) -> "TrustedCas":
        """The company CAs that were trusted by their fingerprint."""
        # Imported here, as below: a command loads what it uses.
        from smtp_desk.store.company_ca import TrustedCas  # noqa: PLC0415

        return TrustedCas(self.paths.trusted_cas)

    @cached_property
    def managed(self) -> Managed:
        """What the organization manages; a file that can't be trusted is reported, and not used."""
        try:
            return read_managed(self.paths.managed_file)
        except ManagedError as error:
            _log.warning("%s is not used: %s", self.paths.managed_file, error)
            return Managed()

    @cached_property
    def catalogue(self) -> "Catalogue":
        """The findings and the provider data, read when first needed."""
        from smtp_desk.store.resources import read_catalogue  # noqa: PLC0415 - as above

        return read_catalogue()

    @cached_property
    def providers(self) -> "Providers":
        """The provider data, read when first needed."""
        from smtp_desk.store.resources import read_providers  # noqa: PLC0415 - as above

        return read_providers()

    @cached_property
    def _storage(self) -> "Storage":
        from smtp_desk.sender.storage import open_storage, outbox_limits  # noqa: PLC0415 - as above

        limits = outbox_limits(self.store)
        return open_storage(self.paths.outbox_file, self._outbox_address, self.now, limits)

    @property
    def _outbox_address(self) -> str:
        return "" if self.sandboxed else outbox_address(self.store, self.variables)

    @property
    def has_outbox(self) -> bool:
        """Whether there may be something in the outbox; doesn't create one."""
        return bool(self._outbox_address) or self.paths.outbox_file.exists()

    @cached_property
    def outbox(self) -> "Outbox":
        """The outbox, opened when first needed.

        Raises:
            OutboxUnavailableError: It can't be opened.
        """
        return self._storage.outbox

    @cached_property
    def control(self) -> "Control":
        """The controls of the whole outbox, opened when first needed.

        Raises:
            OutboxUnavailableError: It can't be opened.
        """
        return self._storage.control

    @cached_property
    def health(self) -> "Health":
        """The health of the routes, opened when first needed.

        Raises:
            OutboxUnavailableError: It can't be opened.
        """
        return self._storage.health

    @cached_property
    def throttle(self) -> "Throttle":
        """The limits that all processes share, opened when first needed.

        Raises:
            OutboxUnavailableError: It can't be opened.
        """
        return self._storage.throttle

    def open_routes(self) -> "SavedRoutes":
        """Return the saved routes; the caller closes them.

        Raises:
            OutboxUnavailableError: The storage that all processes share can't be opened.
        """
        from smtp_desk.sender.routes.saved import SavedRoutes  # noqa: PLC0415 - as above

        return SavedRoutes(
            self.store, self.catalogue, self.throttle, link_to=self.link_to, now=self.now
        )

    def open_sender(self) -> "Sender":
        """Return a sender over the saved settings; the caller closes it.

        Raises:
            OutboxUnavailableError: The outbox can't be opened.
        """
        from smtp_desk.sender.mail.templates import Templates  # noqa: PLC0415 - as above
        from smtp_desk.sender.sender import Sender  # noqa: PLC0415 - as above

        return Sender(
            self.outbox,
            self.health,
            self.open_routes(),
            Templates(self.paths.templates),
            self.catalogue,
            clock=self._storage.clock,
            alerts=self.store.alerts,
            control=self.control,
            wait_for=self._storage.wait_for,
            may_fork=False,
        )

    @property
    def environment(self) -> "Mapping[str, Json]":
        """What the program runs on, and the current time, for a report."""
        made = self.now().astimezone(UTC).isoformat(timespec="seconds")
        return {**self._versions, "time": made}

    @cached_property
    def _versions(self) -> "Mapping[str, Json]":
        return versions()
