"""Secrets too large for a keyring, kept in parts that one entry connects."""

import hashlib
import re
from itertools import count
from typing import Final

from smtp_desk.core.secret import Secret
from smtp_desk.core.system import KEYRING_OCTETS
from smtp_desk.store.credentials import (
    CredentialStore,
    CredentialsUnavailableError,
    UnavailableReason,
)

# No password and no entry of ours begins so: neither holds a line break there.
_HEAD: Final = "smtp-desk parts\n"
_ENTRY: Final = re.compile(rf"{_HEAD}([ab]) ([0-9]{{1,4}}) ([0-9a-f]{{64}})")
_SLOTS: Final = ("a", "b")
_TRIES: Final = 3


class SplitCredentials:
    """Keeps secrets that are too large for a store in parts there.

    The parts are in one of two slots, and the entry under the key itself names the slot, so that
    writing this entry is the one decisive step. Parts are written upwards and deleted downwards:
    what a killed process left is found by counting, and removed by the next `set` or `delete`
    of its key. One process at a time changes a key; any number may read it.
    """

    def __init__(self, store: CredentialStore, limit: int = KEYRING_OCTETS) -> None:
        """Touch nothing yet; `store` takes `limit` octets of UTF-16 for one secret."""
        self._store = store
        self._limit = limit

    @property
    def name(self) -> str:
        """The name of the store."""
        return self._store.name

    def get(self, key: str) -> Secret | None:
        """Return the secret; None if there is none, or not all of it."""
        for _ in range(_TRIES):  # another process may exchange it meanwhile
            entry = self._store.get(key)
            if entry is None or not entry.reveal().startswith(_HEAD):
                return entry
            if (named := _ENTRY.fullmatch(entry.reveal())) is None:
                return None
            parts = (self._store.get(_part(key, named[1], n)) for n in range(int(named[2])))
            whole = Secret("".join(part.reveal() for part in parts if part is not None))
            if _digest(whole) == named[3]:
                return whole
        return None

    def set(self, key: str, secret: Secret) -> None:
        """Keep the secret under the key, replacing another."""
        if _octets(secret) <= self._limit:
            self._store.set(key, secret)
            self._clear(key, *_SLOTS)
            return
        entry = self._store.get(key)
        taken = entry is not None and entry.reveal().startswith(f"{_HEAD}{_SLOTS[0]}")
        old, new = _SLOTS if taken else reversed(_SLOTS)
        self._clear(key, new)
        parts = _parts(secret, self._limit // 4)  # a character takes at most four octets
        try:
            for number, part in enumerate(parts):
                self._store.set(_part(key, new, number), part)
            self._store.set(key, Secret(f"{_HEAD}{new} {len(parts)} {_digest(secret)}"))
        except CredentialsUnavailableError as error:
            # Whatever the reason is, something may have been written.
            raise CredentialsUnavailableError(
                UnavailableReason.FAILED, error.detail or error.reason
            ) from error
        self._clear(key, old)

    def delete(self, key: str) -> None:
        """Delete the secret, if there is one."""
        self._clear(key, *_SLOTS)
        self._store.delete(key)

    def _clear(self, key: str, *slots: str) -> None:
        for slot in slots:
            found = next(n for n in count() if self._store.get(_part(key, slot, n)) is None)
            for number in reversed(range(found)):
                self._store.delete(_part(key, slot, number))


def _parts(secret: Secret, size: int) -> list[Secret]:
    value = secret.reveal()
    return [Secret(value[start : start + size]) for start in range(0, len(value), size)]


def _part(key: str, slot: str, number: int) -> str:
    return f"{key}.{slot}{number}"


def _octets(secret: Secret) -> int:
    return len(secret.reveal().encode("utf-16-le", "surrogatepass"))


def _digest(secret: Secret) -> str:
    return hashlib.sha256(secret.reveal().encode("utf-8", "surrogatepass")).hexdigest()
