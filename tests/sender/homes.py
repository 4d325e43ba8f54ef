"""A home with saved settings, and the routes over them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from smtp_desk.core.findings.finding import Finding
from smtp_desk.core.secret import Secret
from smtp_desk.core.settings import Security
from smtp_desk.sender.mail.addressing import Identity
from smtp_desk.sender.routes.saved import SavedRoutes
from smtp_desk.sender.routes.sendmail import SendmailRoute
from smtp_desk.sender.routes.smtp import SmtpRoute
from smtp_desk.sender.testing import MemoryThrottle
from smtp_desk.store.credentials import (
    CredentialsUnavailableError,
    MemoryCredentials,
    UnavailableReason,
)
from smtp_desk.store.paths import Paths
from smtp_desk.store.settings_store import SettingsStore
from tests.sender.ways import CATALOGUE

if TYPE_CHECKING:
    from smtp_desk.core.settings import ServerSettings
    from smtp_desk.sender.routes.route import Routes


class Keyring(MemoryCredentials):
    """A keyring in memory that can be locked."""

    locked = False
    reason: UnavailableReason | None = None

    def get(self, key: str) -> Secret | None:
        reason = UnavailableReason.LOCKED if self.locked else self.reason
        if reason is not None:
            raise CredentialsUnavailableError(reason)
        return super().get(key)


class Home:
    """A home with saved settings, and the routes over them."""

    def __init__(self, folder: Path, keyring: Keyring | None = None) -> None:
        self.paths = Paths.below(folder)
        self.keyring = keyring or Keyring()
        self.store = SettingsStore(self.paths, self.keyring)
        self.seconds = 0.0
        self.source = SavedRoutes(
            self.store, CATALOGUE, MemoryThrottle(), monotonic=lambda: self.seconds
        )

    def save(
        self, settings: ServerSettings, secret: Secret | None, *, default: bool = False
    ) -> None:
        self.store.save_server(settings, Security.STARTTLS, secret, default=default)
        if not default:
            self.store.set_enabled(True)

    @property
    def routes(self) -> Routes:
        return self.source.routes()

    def ways(self) -> list[SmtpRoute]:
        """The routes of now that lead to a server."""
        routes = self.source.routes()
        return [way for way in (routes.custom, routes.default) if isinstance(way, SmtpRoute)]

    def edit(self, old: str, new: str) -> None:
        """Change the file by hand."""
        text = self.paths.settings_file.read_text("utf-8")
        assert old in text
        self.paths.settings_file.write_text(text.replace(old, new), "utf-8")


def code(way: object) -> str:
    assert isinstance(way, Finding)
    return way.code


def identity(way: object) -> Identity:
    assert isinstance(way, SmtpRoute | SendmailRoute)
    return way._identity
