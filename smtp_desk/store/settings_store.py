"""Saving settings and secret together: a kill at any moment leaves the old or the new ones."""

import os
import secrets
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Final

from smtp_desk.core.proof import FIRST_VERSION, SALT_BYTES, sign
from smtp_desk.core.secret import PROOF_KEY_BYTES, AccessToken, KeyringEntry, Lifetime, Secret
from smtp_desk.core.settings import Security, ServerSettings
from smtp_desk.store.credentials import (
    CredentialStore,
    CredentialsUnavailableError,
    UnavailableReason,
)
from smtp_desk.store.files import remove_leftovers
from smtp_desk.store.history import History
from smtp_desk.store.paths import WORKER_USER, Paths
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
    evaluate,
)
from smtp_desk.store.unattended import ALERTS_KEY, RELAY_KEY, UnattendedCredentials

OUTBOX_VARIABLE: Final = "SMTP_DESK_OUTBOX"
"""Names the database of many machines; stronger than the settings."""

_LOCK_TIMEOUT_S: Final = 10.0
# Where these refuse to write, nothing was written: there is nothing to take back.
_NOT_WRITTEN: Final = frozenset(
    {
        UnavailableReason.MISSING,
        UnavailableReason.UNUSABLE,
        UnavailableReason.LOCKED,
        UnavailableReason.DENIED,
        UnavailableReason.NO_SYSTEMD,
    }
)
_Change = Callable[[StoredSettings], StoredSettings]


def fresh_key() -> str:
    """Return a new key for the keyring."""
    return secrets.token_hex(16)


class SettingsStore:
    """The settings of one installation: the file, its secrets, and the protocol between them.

    Attributes:
        paths: The paths of its files.
        history: What was saved before.

    Every change runs under a lock that all processes share and raises `SaveError` where
    it can't be made. Nothing here belongs on a UI thread: disk and keyring can block.
    """

    def __init__(
        self,
        paths: Paths,
        credentials: CredentialStore,
        *,
        token: Callable[[], str] = fresh_key,
        random: Callable[[int], bytes] = os.urandom,
        lock_timeout: float = _LOCK_TIMEOUT_S,
    ) -> None:
        """Touch nothing yet.

        `token` makes the key of a new secret, `random` as many bytes for salt and key of a new
        proof; `lock_timeout` is the longest wait for another process that saves.
        """
        self.paths: Final = paths
        self._credentials = credentials
        self._token = token
        self._random = random
        self._lock_timeout = lock_timeout
        self._file = SettingsFile(paths.settings_file, WORKER_USER if paths.run else "")
        self._journal = Journal(paths.journal_file)
        self.history: Final = History(paths.config)

    def load(self) -> StoredSettings:
        """Return the saved settings; empty ones if there is no file.

        Raises:
            SettingsFileError: The file can't be read.
        """
        return self._file.read()

    def fingerprint(self) -> tuple[int, ...]:
        """Return a value that changes with each save, at the cost of one stat."""
        return self._file.fingerprint()

    def save_server(
        self,
        settings: ServerSettings,
        mode: Security,
        secret: Secret | None,
        *,
        refresh_token: Secret | None = None,
        access_token: AccessToken | None = None,
        refresh_lifetime: Lifetime | None = None,
        default: bool = False,
    ) -> StoredSettings:
        """Save proven settings and their secret.

        Args:
            settings: The settings of the successful test.
            mode: The TLS mode that the test found.
            secret: The password, or for OAuth 2.0 the client secret or private key; None or
                empty if there is none.
            refresh_token: The refresh token of a person's sign-in by OAuth 2.0.
            access_token: The latest access token.
            refresh_lifetime: How long the refresh token lasts, if the service told.
            default: Save the organization's relay of the default email service, and
                make that the default.
        """
        none = Secret("")
        credential = KeyringEntry(
            secret or none, b"", refresh_token or none, access_token, refresh_lifetime
        )
        signed, entry = self._signed(settings, mode, credential, default=default)

        def change(before: StoredSettings) -> StoredSettings:
            if not default:
                return replace(before, server=signed)
            service = replace(
                before.default,
                kind=DefaultKind.SMTP,
                from_email=settings.from_email,
                server=signed,
            )
            return replace(before, default=service)

        return self._save(change, signed.key, entry)

    def keep_tokens(
        self,
        server: StoredServer,
        refresh_token: Secret,
        access_token: AccessToken,
        refresh_lifetime: Lifetime | None = None,
    ) -> None:
        """Replace the tokens of a saved server after the provider issued new ones.

        The proof doesn't change. The keyring's old tokens are deleted only once it has the new
        ones. If the server was just saved again, they are stored under its new key.

        Raises:
            SaveError: They could not be stored; the next sign-in may need a person.
        """
        with self._locked():
            with failing_at(SaveStep.FILE):
                saved = self._file.read().servers
            same = [each for each in saved if each.key and _same_place(each, server)]
            key = next((each.key for each in same if each.key == server.key), "")
            key = key or next((each.key for each in same), "")
            with failing_at(SaveStep.SECRET):
                entry = self._read_entry(key) if key else None
                if entry is None:
                    raise CredentialsUnavailableError(UnavailableReason.REMOVED)
                renewed = replace(
                    entry,
                    refresh_token=refresh_token,
                    access_token=access_token,
                    refresh_lifetime=refresh_lifetime,
                )
                self._credentials.set(key, renewed.write())
            with failing_at(SaveStep.READ_BACK):
                self._compare(key, renewed)

    def save_expiry(self, day: date | None, *, default: bool = False) -> StoredSettings:
        """Save when the client secret of a saved server expires; its proof stays valid.

        Raises:
            ValueError: The server has no sign-in by OAuth 2.0.
            SaveError: It can't be saved.
        """

        def change(before: StoredSettings) -> StoredSettings:
            server, _ = _slot(before, default=default)
            if server is None or server.settings.oauth is None:
                raise ValueError("only a sign-in by OAuth 2.0 has a client secret")
            dated = replace(server, settings=server.settings.with_expiry(day))
            if not default:
                return replace(before, server=dated)
            return replace(before, default=replace(before.default, server=dated))

        return self._save(change)

    def remove_server(self, *, default: bool = False) -> StoredSettings:
        """Remove a server and its secret: back to the default service, or to the outbox."""

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
            NotProvenError: It can't be turned on: the settings aren't proven.
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
        """Save what doesn't belong to one server."""
        return self._save(lambda before: replace(before, preferences=preferences))

    def save_alerts(self, urls: Secret) -> StoredSettings:
        """Save the URLs of alerts, one per line; empty for none."""
        key = f"{ALERTS_KEY}{self._token()}" if urls else ""
        return self._save(lambda before: replace(before, alerts=key), key, KeyringEntry(urls))

    def alerts(self) -> Secret:
        """Return the URLs of alerts, one per line; empty for none.

        Raises:
            CredentialsUnavailableError: The keyring can't be used.
            SettingsFileError: The file can't be read.
        """
        key = self.load().alerts
        if not key and not isinstance(self._credentials, UnattendedCredentials):
            return Secret("")
        try:
            entry = self._read_entry(key or ALERTS_KEY)
        except CredentialsUnavailableError:
            if key:
                raise
            entry = None  # the machine gives other secrets than these
        return entry.secret if entry else Secret("")

    def save_default(self, service: DefaultService) -> StoredSettings:
        """Save the default email service; without `server` the saved relay is removed.

        Raises:
            ValueError: `service.server` isn't the saved one; only `save_server` saves another.
            SaveError: It can't be saved.
        """

        def change(before: StoredSettings) -> StoredSettings:
            if service.server not in (None, before.default.server):
                raise ValueError("a server is saved by save_server")
            if service.kind is DefaultKind.SMTP and service.server is None:
                raise ValueError("SMTP as default service needs a saved server")
            return replace(before, default=service)

        return self._save(change)

    def entry(self, server: StoredServer) -> KeyringEntry | None:
        """Return the secret of a saved server and its proof's key, or None if it is missing.

        The secret is empty if there are no credentials. If it is missing the file is read once
        more: another process may just have saved the same server with a new key.

        Raises:
            CredentialsUnavailableError: The keyring can't be used.
            SettingsFileError: The secret is missing and the file can't be read.
        """
        found = self._read_entry(server.key)
        if found is not None:
            return found
        for fresh in self.load().servers:
            if fresh.key not in ("", server.key) and _same_place(fresh, server):
                return self._read_entry(fresh.key)
        return None

    def status(
        self, stored: StoredSettings | None = None, *, default: bool = False
    ) -> ServerStatus:
        """Return whether a saved server can be used; reads the keyring, not the network.

        Args:
            stored: What `load` returned; None to load again.
            default: Check the relay of the default email service, which has no switch.

        Raises:
            SettingsFileError: The file can't be read.
        """
        server, enabled = _slot(self.load() if stored is None else stored, default=default)
        if server is None:
            return ServerStatus(ServerState.NOT_CONFIGURED)
        if not enabled:
            return ServerStatus(ServerState.OFF)
        try:
            entry = self._read_entry(server.key)
            if entry is None:
                fresh, _ = _slot(self.load(), default=default)
                server = fresh or server
                entry = self._read_entry(server.key)
        except CredentialsUnavailableError as error:
            by_token = server.settings.oauth is not None
            return ServerStatus(
                ServerState.SECRET_UNAVAILABLE, error.reason, error.detail, by_token=by_token
            )
        return evaluate(server, entry)

    def recover(self) -> bool:
        """Finish what a killed process began; called at every start, before anything is saved.

        A valid proof of the first version is signed anew.

        Returns:
            Whether nothing is left to do; False if another process is saving, the settings
            can't be read or the keyring doesn't answer: the next start tries again.
        """
        if not self.paths.config.is_dir():
            return True
        try:
            with self._locked():
                return self._settle() and self._sign_anew()
        except (SaveError, SettingsFileError, CredentialsUnavailableError):
            return False

    def copy_aside(self) -> Path:
        """Rename a settings file that can't be read, and start with empty settings.

        Returns:
            Its new path. Its secrets stay in the keyring.

        Raises:
            SaveError: It can't be renamed.
        """
        with self._locked(), failing_at(SaveStep.FILE):
            return self._file.move_aside()

    def _signed(
        self, settings: ServerSettings, mode: Security, entry: KeyringEntry, *, default: bool
    ) -> tuple[StoredServer, KeyringEntry]:
        """Return a server with a fresh proof, and what the keyring is to hold for it."""
        key = ""
        if entry.secret or entry.refresh_token:
            key = f"{RELAY_KEY if default else ''}{self._token()}"
            entry = replace(entry, proof_key=self._random(PROOF_KEY_BYTES))
        proof = sign(settings, mode, entry, self._random(SALT_BYTES))
        return StoredServer(settings, mode, key, proof), entry

    def _sign_anew(self) -> bool:
        """Sign what a proof of the first version proves, secret and all, as one that has a key."""
        for default in (False, True):
            stored = self._file.read()
            server, _ = _slot(stored, default=default)
            if server is None or server.proof is None or server.proof.version != FIRST_VERSION:
                continue
            entry = self._read_entry(server.key)
            if evaluate(server, entry).state is ServerState.ACTIVE and entry is not None:
                signed, entry = self._signed(server.settings, server.mode, entry, default=default)
                service = replace(stored.default, server=signed)
                after = replace(stored, **{"default": service} if default else {"server": signed})
                self._replace(stored, after, signed.key, entry)
        return True

    def _read_entry(self, key: str) -> KeyringEntry | None:
        """Return what the keyring holds under `key`; a damaged entry is none."""
        text = self._credentials.get(key) if key else Secret("")
        return None if text is None else KeyringEntry.parse(text)

    def _save(
        self, change: _Change, key: str = "", entry: KeyringEntry | None = None
    ) -> StoredSettings:
        with self._locked():
            with failing_at(SaveStep.FILE):
                before = self._file.read()
            after = change(before)
            worked = self._worked(before, after)
            self._replace(before, after, key, entry)
            self.history.record(before, after, worked=worked)
            return after

    def _worked(self, before: StoredSettings, after: StoredSettings) -> bool:
        """Whether the custom server goes, and was proven; asked while its secret is there."""
        old, new = before.server, after.server
        if old is None or (new is not None and new.settings == old.settings):
            return False
        try:
            return self.status(replace(before, enabled=True)).state is ServerState.ACTIVE
        except SettingsFileError:
            return False

    def _replace(
        self, before: StoredSettings, after: StoredSettings, key: str, entry: KeyringEntry | None
    ) -> None:
        try:
            self._write(before, after, key, entry)
        except SaveError as error:
            self._undo(before, key, error)
            raise
        self._settle()

    def _write(
        self, before: StoredSettings, after: StoredSettings, key: str, entry: KeyringEntry | None
    ) -> None:
        touched = before.keys ^ after.keys
        if touched:
            with failing_at(SaveStep.JOURNAL):
                self._journal.add(touched)
        if key and entry is not None:
            with failing_at(SaveStep.SECRET):
                self._credentials.set(key, entry.write())
            with failing_at(SaveStep.READ_BACK):
                self._compare(key, entry)
        with failing_at(SaveStep.FILE):
            self._file.write(after)

    def _compare(self, key: str, entry: KeyringEntry) -> None:
        """Read back what was written; the secret alone comes back where the machine gives it."""
        given = KeyringEntry(entry.secret, b"", entry.refresh_token)
        if self._read_entry(key) not in (entry, given):
            raise CredentialsUnavailableError(UnavailableReason.ALTERED)

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
            remove_leftovers(self.paths.journal_file)
            self.history.sweep()
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
        import filelock  # noqa: PLC0415 - slow, and most commands only read

        lock = filelock.FileLock(self.paths.lock_file, timeout=self._lock_timeout, mode=0o600)
        with failing_at(SaveStep.LOCK):
            self.paths.ensure()
            lock.acquire()
        try:
            yield
        finally:
            lock.release()


def outbox_address(store: SettingsStore, environ: Mapping[str, str]) -> str:
    """Return the URL of the shared database; "" for this machine's own outbox."""
    if given := environ.get(OUTBOX_VARIABLE, ""):
        return given
    try:
        return store.load().outbox
    except SettingsFileError:
        return ""  # what is stored here meanwhile is handed over when they can be read


def _slot(stored: StoredSettings, *, default: bool) -> tuple[StoredServer | None, bool]:
    """Return a saved server and whether it is switched on."""
    if default:
        return stored.default.server, stored.default.kind is DefaultKind.SMTP
    return stored.server, stored.enabled


def _same_place(one: StoredServer, other: StoredServer) -> bool:
    return one.settings.identity == other.settings.identity
