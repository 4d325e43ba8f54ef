"""A keyring that is not there, for some of its calls."""

from __future__ import annotations

from typing import TYPE_CHECKING

from smtp_desk.core.settings import Security
from smtp_desk.store.credentials import (
    CredentialsUnavailableError,
    MemoryCredentials,
    UnavailableReason,
)
from tests.store.settings import OLD, OLD_SECRET

if TYPE_CHECKING:
    from smtp_desk.core.secret import Secret
    from smtp_desk.store.settings_store import SettingsStore
    from smtp_desk.store.stored import StoredSettings

NOBODY_IS_THERE = CredentialsUnavailableError(UnavailableReason.MISSING)


class FailingCredentials(MemoryCredentials):
    """Fails in the calls it is told to fail in."""

    def __init__(self, *failing: str, error: CredentialsUnavailableError = NOBODY_IS_THERE) -> None:
        super().__init__()
        self.failing = set(failing)
        self._error = error

    def _may_fail(self, call: str) -> None:
        if call in self.failing:
            raise self._error

    def get(self, key: str) -> Secret | None:
        self._may_fail("get")
        return super().get(key)

    def set(self, key: str, secret: Secret) -> None:
        self._may_fail("set")
        super().set(key, secret)

    def delete(self, key: str) -> None:
        self._may_fail("delete")
        super().delete(key)


def keys(credentials: MemoryCredentials) -> frozenset[str]:
    return frozenset(credentials._secrets)


def save_old(store: SettingsStore) -> StoredSettings:
    return store.save_server(OLD, Security.STARTTLS, OLD_SECRET)
