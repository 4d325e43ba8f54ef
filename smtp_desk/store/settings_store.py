"""Saving settings and their secret as one: killed anywhere, it is the old or the new."""

import os
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Final

import filelock

from smtp_desk.core.proof import SALT_BYTES, sign
from smtp_desk.core.secret import Secret
from smtp_desk.core.settings import Security, ServerSettings
from smtp_desk.store.credentials import (
    CredentialStore,
    CredentialsUnavailableError,
    UnavailableReason,
)
from smtp_desk.store.files import remove_leftovers
from smtp_desk.store.paths import Paths
from smtp_desk.store.save_protocol import Journal, SaveError, SaveStep, failing_at
from smtp_desk.store.settings_file import SettingsFile, SettingsFileError
from smtp_desk.store.stored import (
    DefaultKind,
    DefaultService,
    NotProvenError,
    Preferences,
    ServerState,
    ServerStatus,
    StoredServer,
    StoredSettings,
    judged,
)

_LOCK_TIMEOUT_S: Final = 10.0
# Where these refuse to write, nothing was written: there is nothing to take back.
_NOT_WRITTEN: Final = frozenset(
    {UnavailableReason.MISSING, UnavailableReason.LOCKED, UnavailableReason.DENIED}
)
_Change = Callable[[StoredSettings], StoredSettings]


def fresh_key() -> str:
    """Return a new key for the keyring."""
    return secrets.token_hex(16)


def fresh_salt() -> bytes:
    """Return a new salt for a proof."""
    return os.urandom(SALT_BYTES)


class SettingsStore:
    """The settings of one installation: the file, its secrets, and the protocol between them.

    Every change runs under a lock that all processes share and raises `SaveError` where
    it can't be made. Nothing here belongs on a UI thread: disk and keyring can block.
    """

    def __init__(
        self,
        paths: Paths,
        credentials: CredentialStore,
        *,
        token: Callable[[], str] = fresh_key,
        salt: Callable[[], bytes] = fresh_salt,
        lock_timeout: float = _LOCK_TIMEOUT_S,
    ) -> None:
        """Touch nothing yet.

        Args:
            paths: Where the files lie.
            credentials: Where secrets are kept.
            token: Makes the key of a new secret.
            salt: Makes the salt of a new proof.
            lock_timeout: Longest wait in seconds for another process that saves.
        """
        self._paths = paths
        self._credentials = credentials
        self._token = token
        self._salt = salt
        self._lock_timeout = lock_timeout
        self._file = SettingsFile(paths.settings_file)
        self._journal = Journal(paths.journal_file)

    def load(self) -> StoredSettings:
        """Return the saved settings; a missing file is the empty ones.

        Raises:
            SettingsFileError: The file can't be read.
        """
        return self._file.read()

    def fingerprint(self) -> tuple[int, ...]:
        """Return a value that differs after each save, at the price of one stat."""
        return self._file.fingerprint()

    def ca_file(self, server: StoredServer) -> str:
        """Return the path of the copied CA file of a saved server; "" where it has none."""
        ca_pem = server.settings.ca_pem
        return str(self._file.ca_path(ca_pem)) if ca_pem else ""

    def save_server(
        self,
        settings: ServerSettings,
        mode: Security,
        secret: Secret | None,
        *,
        default: bool = False,
    ) -> StoredSettings:
        """Save proven settings and their secret.

        Args:
            settings: The settings of the successful test.
            mode: The TLS mode that the test found.
            secret: The password; None or empty where there are no credentials.
            default: Save the organisation's relay of the default email service, and
                make that the default.
        """
        key = self._token() if secret else ""
        server = StoredServer(settings, mode, key, sign(settings, mode, secret, self._salt()))

        def change(before: StoredSettings) -> StoredSettings:
            if not default:
                return replace(before, server=server)
            service = replace(
                before.default,
                kind=DefaultKind.SMTP,
                from_email=settings.from_email,
                server=server,
            )
            return replace(before, default=service)

        return self._save(change, key, secret)

    def remove_server(self, *, default: bool = False) -> StoredSettings:
        """Forget a server and its secret: back to the default service, or to the outbox."""

        def change(before: StoredSettings) -> StoredSettings:
            if not default:
                return replace(before, enabled=False, server=None)
            if before.default.kind is DefaultKind.SMTP:
                return replace(before, default=DefaultService())
            return replace(before, default=replace(before.default, server=None))

        return self._save(change)

    def set_enabled(self, enabled: bool) -> StoredSettings:  # noqa: FBT001 - the switch itself
        """Turn the switch.

        Raises:
            NotProvenError: It can't go on: the settings are not proven.
            SaveError: It can't be saved.
        """

        def change(before: StoredSettings) -> StoredSettings:
            after = replace(before, enabled=enabled)
            status = self.status(after)
            if enabled and status.state is not ServerState.ACTIVE:
                raise NotProvenError(status)
            return after

        return self._save(change)

    def save_preferences(self, preferences: Preferences) -> StoredSettings:
        """Save what is no matter of one server."""
        return self._save(lambda before: replace(before, preferences=preferences))

    def save_default(self, service: DefaultService) -> StoredSettings:
        """Save what the default email service is; without `server` the saved one is forgotten.

        Raises:
            ValueError: `service.server` is not the saved one; only `save_server` saves that.
            SaveError: It can't be saved.
        """

        def change(before: StoredSettings) -> StoredSettings:
            if service.server not in (None, before.default.server):
                raise ValueError("a server is saved by save_server")
            if service.kind is DefaultKind.SMTP and service.server is None:
                raise ValueError("SMTP as default service needs a saved server")
            return replace(before, default=service)

        return self._save(change)

    def secret(self, server: StoredServer) -> Secret | None:
        """Return the secret of a saved server, None where there is none.

        A reader that misses it reads the file once more: another process may just have
        saved the same server with a fresh key.

        Raises:
            CredentialsUnavailableError: The keyring can't be used.
            SettingsFileError: The secret is gone and the file can't be read.
        """
        if not server.key:
            return None
        found = self._credentials.get(server.key)
        if found is not None:
            return found
        for fresh in self.load().servers:
            if fresh.key not in ("", server.key) and _same_place(fresh, server):
                return self._credentials.get(fresh.key)
        return None

    def status(
        self, stored: StoredSettings | None = None, *, default: bool = False
    ) -> ServerStatus:
        """Say what a saved server is good for; reads the keyring, not the network.

        Args:
            stored: What `load` gave; None to load anew.
            default: Ask for the relay of the default email service, which has no switch.

        Raises:
            SettingsFileError: The file can't be read.
        """
        server, enabled = _slot(self.load() if stored is None else stored, default=default)
        if server is None:
            return ServerStatus(ServerState.NOT_CONFIGURED)
        if not enabled:
            return ServerStatus(ServerState.OFF)
        try:
            secret = self._credentials.get(server.key) if server.key else None
            if secret is None and server.key:
                fresh, _ = _slot(self.load(), default=default)
                server = fresh or server
                secret = self._credentials.get(server.key) if server.key else None
        except CredentialsUnavailableError as error:
            return ServerStatus(ServerState.SECRET_UNAVAILABLE, error.text)
        return judged(server, secret)

    def recover(self) -> bool:
        """Finish what a killed process began; at every start, before anything is saved.

        Returns:
            Whether nothing is left to do; False where another process saves, the settings
            can't be read or the keyring does not answer: the next start tries again.
        """
        if not self._paths.config.is_dir():
            return True
        try:
            with self._locked():
                return self._settle()
        except SaveError:
            return False

    def copy_aside(self) -> Path:
        """Keep a settings file that can't be read under another name, and start anew.

        Returns:
            Where it is now. Its secrets stay in the keyring.

        Raises:
            SaveError: It can't be renamed.
        """
        with self._locked(), failing_at(SaveStep.FILE):
            return self._file.move_aside()

    def _save(self, change: _Change, key: str = "", secret: Secret | None = None) -> StoredSettings:
        with self._locked():
            with failing_at(SaveStep.FILE):
                before = self._file.read()
            after = change(before)
            try:
                self._write(before, after, key, secret)
            except SaveError as error:
                self._undo(before, key, error)
                raise
            self._settle()
            return after

    def _write(
        self, before: StoredSettings, after: StoredSettings, key: str, secret: Secret | None
    ) -> None:
        touched = before.keys ^ after.keys
        if touched:
            with failing_at(SaveStep.JOURNAL):
                self._journal.add(touched)
        if key and secret is not None:
            with failing_at(SaveStep.SECRET):
                self._credentials.set(key, secret)
            with failing_at(SaveStep.READ_BACK):
                if self._credentials.get(key) != secret:
                    reason, text = UnavailableReason.FAILED, "The keyring altered the password."
                    raise CredentialsUnavailableError(reason, text)
        with failing_at(SaveStep.FILE):
            self._file.write(after)

    def _undo(self, before: StoredSettings, key: str, error: SaveError) -> None:
        """Take back a new secret; where it is not sure what holds, the next start decides."""
        cause = error.__cause__
        if not isinstance(cause, CredentialsUnavailableError):
            # The file can be replaced although its folder's fsync failed.
            with suppress(SettingsFileError):
                if self._file.read() == before:
                    self._settle()
        elif error.step is SaveStep.SECRET and cause.reason in _NOT_WRITTEN:
            self._settle(not_written=key)
        elif cause.reason is not UnavailableReason.TIMEOUT:
            self._settle()

    def _settle(self, *, not_written: str = "") -> bool:
        """Delete every journalled key that the file does not name; then what else is left."""
        try:
            stored = self._file.read()
            self._file.sweep(stored)
            remove_leftovers(self._paths.journal_file)
            journalled = self._journal.keys()
            for key in sorted(journalled - stored.keys - {not_written}):
                self._credentials.delete(key)
            if journalled:
                self._journal.clear()
        except (OSError, SettingsFileError, CredentialsUnavailableError):
            return False
        return True

    @contextmanager
    def _locked(self) -> Iterator[None]:
        lock = filelock.FileLock(self._paths.lock_file, timeout=self._lock_timeout, mode=0o600)
        with failing_at(SaveStep.LOCK):
            self._paths.ensure()
            lock.acquire()
        try:
            yield
        finally:
            lock.release()


def _slot(stored: StoredSettings, *, default: bool) -> tuple[StoredServer | None, bool]:
    """Return a saved server and whether it is switched on."""
    if default:
        return stored.default.server, stored.default.kind is DefaultKind.SMTP
    return stored.server, stored.enabled


def _same_place(one: StoredServer, other: StoredServer) -> bool:
    return one.settings.identity == other.settings.identity
