"""Access tokens for one account, each renewed in time by only one process.

A service that rotates refresh tokens ends the sign-in when an old one is used again. So only one
process asks at a time, and new tokens are stored before they are used; those that waited find them
in the store.
"""

import hashlib
import logging
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime
from typing import Final, Protocol, final
from urllib.parse import urlsplit

import filelock

from smtp_desk.core.errors import SmtpFailure
from smtp_desk.core.oauth import INTERACTIVE, OAuthSettings
from smtp_desk.core.secret import AccessToken, KeyringEntry, Secret
from smtp_desk.core.stages import Facts, Json, Stage
from smtp_desk.oauth.account import Account, account_of
from smtp_desk.oauth.client import Grant, TokenClient, wait
from smtp_desk.oauth.link import ProviderLink
from smtp_desk.oauth.prompt import Ask
from smtp_desk.smtp.net.deadline import Cancel, Deadline
from smtp_desk.store.credentials import CredentialsUnavailableError
from smtp_desk.store.files import read_regular, write_atomic
from smtp_desk.store.save_protocol import SaveError
from smtp_desk.store.settings_file import SettingsFileError
from smtp_desk.store.settings_store import SettingsStore
from smtp_desk.store.stored import StoredServer, evaluate

_PATIENCE: Final = 90.0
_LOOK_AGAIN: Final = 0.05
_DIGEST: Final = 64

_log: Final = logging.getLogger(__name__)


class Vault(Protocol):
    """The store of one account's secrets."""

    def exclusively(self, cancel: Cancel) -> AbstractContextManager[None]:
        """Keep all others out while the context lasts.

        Raises:
            SmtpFailure: The others take too long, or the lock can't be created.
            CancelledError: Cancelled.
        """
        ...

    def read(self) -> KeyringEntry:
        """Return the stored secrets.

        Raises:
            SmtpFailure: They can't be read.
        """
        ...

    def keep(self, grant: Grant) -> None:
        """Store new tokens.

        Raises:
            SaveError: They can't be stored.
        """
        ...

    def attempt(self, refresh: Secret) -> bool:
        """Note that a refresh token is being exchanged; return whether that was noted before.

        `keep` clears the note: if it is still there, a token was lost between service and keyring.
        """
        ...


@final
class OwnVault:
    """Keeps the secrets of an unsaved test in memory."""

    def __init__(self, entry: KeyringEntry) -> None:
        self._entry = entry
        self._lock = threading.Lock()

    @contextmanager
    def exclusively(self, cancel: Cancel) -> Iterator[None]:
        """See `Vault`."""
        with self._lock:
            cancel.check()
            yield

    def read(self) -> KeyringEntry:
        """See `Vault`."""
        return self._entry

    def keep(self, grant: Grant) -> None:
        """See `Vault`."""
        self._entry = _holding(self._entry, grant)

    def attempt(self, refresh: Secret) -> bool:  # noqa: ARG002 - memory ends with the process
        """See `Vault`."""
        return False


@final
class SavedVault:
    """Keeps the secrets with those of a saved server."""

    def __init__(self, store: SettingsStore, server: StoredServer) -> None:
        self._store = store
        self._paths = store.paths
        self._server = server

    @contextmanager
    def exclusively(self, cancel: Cancel) -> Iterator[None]:
        """See `Vault`."""
        end = Deadline.after(_PATIENCE)
        lock = filelock.FileLock(self._paths.token_lock_file, mode=0o600)
        try:
            self._paths.ensure()
            while not _taken(lock):
                if end.passed:
                    raise _failure("oauth.unreachable", error="another process is asking")
                wait(_LOOK_AGAIN, cancel)
        except OSError as error:
            raise _unavailable("failed", str(error)) from error
        try:
            yield
        finally:
            lock.release()

    def read(self) -> KeyringEntry:
        """See `Vault`."""
        try:
            entry = self._store.entry(self._server)
        except (CredentialsUnavailableError, SettingsFileError) as error:
            reason = getattr(error, "reason", "failed")
            raise _unavailable(str(reason), str(error)) from error
        if entry is None:
            raise _unavailable("not_found")
        status = evaluate(self._server, entry)
        if status.code == "settings.secret_differs":
            raise _failure(status.code, reason=str(status.reason))
        return entry

    def keep(self, grant: Grant) -> None:
        """See `Vault`."""
        self._store.keep_tokens(self._server, grant.refresh, grant.access, grant.lifetime)
        with suppress(OSError):
            self._paths.token_mark_file.unlink(missing_ok=True)

    def attempt(self, refresh: Secret) -> bool:
        """See `Vault`."""
        digest = hashlib.sha256(refresh.reveal().encode()).hexdigest()
        known = b""
        with suppress(OSError):
            known = read_regular(self._paths.token_mark_file, _DIGEST)
        if known == digest.encode():
            return True
        with suppress(OSError):
            write_atomic(self._paths.token_mark_file, digest.encode())
        return False


@final
class TokenSource:
    """Returns access tokens that remain valid for a while. Safe to use from several threads.

    Attributes:
        account: The account that signed in, as far as the latest token from the service tells.
        clock_ahead: Seconds by which that service's clock is ahead of ours; None where unknown.
    """

    def __init__(
        self,
        settings: OAuthSettings,
        username: str,
        vault: Vault,
        link: ProviderLink,
        *,
        ask: Ask | None = None,
    ) -> None:
        """Ask nobody yet.

        Args:
            settings: How tokens are obtained.
            username: The account.
            vault: Where its secrets are kept.
            link: Sends requests to the service.
            ask: Shows a person what to do where somebody has to sign in; None where nobody
                is there.
        """
        self._settings = settings
        self._username = username
        self._vault = vault
        self._link = link
        self._ask = ask
        self.account = Account()
        self.clock_ahead: float | None = None
        self._access: AccessToken | None = None
        self._refused: Secret | None = None
        self._unkept: tuple[Secret, Grant] | None = None

    @property
    def facts(self) -> Facts:
        """Facts about the latest token, without secrets."""
        settings, access = self._settings, self._access
        facts: dict[str, Json] = {
            "oauth_provider": str(settings.provider),
            "flow": str(settings.flow),
            "token_host": urlsplit(settings.token_url).hostname,
        }
        if self.account.name:
            facts["account"] = self.account.name
        if access is not None:
            facts["valid_until"] = datetime.fromtimestamp(access.until, UTC).isoformat(
                timespec="seconds"
            )
        return facts

    def token(self, cancel: Cancel) -> Secret:
        """Return an access token.

        Raises:
            SmtpFailure: No token could be obtained, and why.
            CancelledError: Cancelled.
        """
        access = self._access
        if access is None or not self._is_good(access):
            with self._vault.exclusively(cancel):
                access = self._renewed(cancel)
            self._access = access
        return access.secret

    def refuse(self, token: Secret) -> None:
        """Note that the mail server refused a token: the next one will be another."""
        self._refused = token

    def _is_good(self, access: AccessToken) -> bool:
        return access.secret != self._refused and access.is_fresh(self._link.now())

    def _renewed(self, cancel: Cancel) -> AccessToken:
        entry = self._caught_up(self._vault.read())
        known = entry.access_token
        if known is not None and self._is_good(known):
            return known
        client = TokenClient(
            settings=self._settings, secret=entry.secret, username=self._username, link=self._link
        )
        if self._settings.flow not in INTERACTIVE:
            grant = client.fetch(cancel)
        elif entry.refresh_token:
            grant = self._refreshed(client, entry, cancel)
        elif self._ask is not None:
            grant = client.sign_in(self._ask, cancel)
        else:
            raise _failure("auth.sign_in_again")
        self._keep(entry.refresh_token, grant)
        self.account = account_of(grant)
        self.clock_ahead = grant.clock_ahead
        return grant.access

    def _refreshed(self, client: TokenClient, entry: KeyringEntry, cancel: Cancel) -> Grant:
        refresh, known = entry.refresh_token, entry.refresh_lifetime
        was_cut = self._vault.attempt(refresh)
        try:
            grant = client.renew(refresh, cancel)
        except SmtpFailure as failure:
            if was_cut and failure.code == "auth.sign_in_again":
                # What it was exchanged for never came to be kept.
                facts = {**failure.facts, "reason": "lost"}
                raise SmtpFailure(failure.stage, failure.code, facts=facts) from failure
            raise
        if known is None or (grant.lifetime is None and grant.refresh != refresh):
            return grant  # what was told of one token is not told of another
        return replace(grant, lifetime=known.then(grant.lifetime or known))

    def _caught_up(self, entry: KeyringEntry) -> KeyringEntry:
        """Return what is kept, with what could not be kept when it came."""
        if self._unkept is None:
            return entry
        used, grant = self._unkept
        if entry.refresh_token == used:
            self._keep(used, grant)
            entry = _holding(entry, grant)
        self._unkept = None
        return entry

    def _keep(self, used: Secret, grant: Grant) -> None:
        try:
            self._vault.keep(grant)
        except SaveError as error:
            if grant.refresh in (used, Secret("")):
                # The next one can be had by what is kept already.
                _log.info("the access token stays in this process: %s", error)
                return
            self._unkept = (used, grant)
            cause = error.cause
            reason = getattr(cause, "reason", error.reason)
            raise _unavailable(str(reason), str(error)) from error


def _holding(entry: KeyringEntry, grant: Grant) -> KeyringEntry:
    return replace(
        entry,
        refresh_token=grant.refresh,
        access_token=grant.access,
        refresh_lifetime=grant.lifetime,
    )


def _taken(lock: filelock.BaseFileLock) -> bool:
    try:
        lock.acquire(blocking=False)
    except filelock.Timeout:
        return False
    return True


def _unavailable(reason: str, problem: str = "") -> SmtpFailure:
    return _failure("settings.secret_unavailable", reason=reason, problem=problem)


def _failure(code: str, **facts: Json) -> SmtpFailure:
    known = {name: value for name, value in facts.items() if value}
    return SmtpFailure(Stage.TOKEN, code, facts=known)
