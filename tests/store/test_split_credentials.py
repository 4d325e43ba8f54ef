"""Secrets in parts: whole or not there, wherever a process is killed or a keyring fails."""

from __future__ import annotations

from itertools import count
from traceback import TracebackException
from typing import TYPE_CHECKING, Final

import pytest

from smtp_desk.core.secret import Secret
from smtp_desk.store.credentials import (
    CredentialsUnavailableError,
    MemoryCredentials,
    UnavailableReason,
)
from smtp_desk.store.split_credentials import SplitCredentials
from tests.store.failing_credentials import keys
from tests.table import each_row

if TYPE_CHECKING:
    from collections.abc import Callable

LIMIT: Final = 40
VALUES: Final = {
    "nothing": None,
    "small": Secret("small"),
    "two parts": Secret("two parts of it"),
    "many parts": Secret("many parts " * 20),
    "astral": Secret("𝄞" * 31),
}


class KilledError(BaseException):
    """The process is gone."""


class Counting(MemoryCredentials):
    """Ends right before a chosen call."""

    def __init__(self, error: BaseException) -> None:
        super().__init__()
        self.left = -1
        self.error = error

    def _step(self) -> None:
        if self.left == 0:
            raise self.error
        self.left -= 1

    def get(self, key: str) -> Secret | None:
        self._step()
        return super().get(key)

    def set(self, key: str, secret: Secret) -> None:
        self._step()
        super().set(key, secret)

    def delete(self, key: str) -> None:
        self._step()
        super().delete(key)


def put(store: SplitCredentials, secret: Secret | None) -> None:
    if secret is None:
        store.delete("key")
    else:
        store.set("key", secret)


@each_row("new", VALUES.values(), ids=VALUES.keys())
@each_row("old", VALUES.values(), ids=VALUES.keys())
def test_killed_anywhere_it_is_the_old_or_the_new(old: Secret | None, new: Secret | None) -> None:
    seen = []
    for kill_at in count():
        keyring = Counting(KilledError())
        store = SplitCredentials(keyring, LIMIT)
        put(store, old)
        keyring.left = kill_at
        try:
            put(store, new)
        except KilledError:
            ended = False
        else:
            ended = True
        keyring.left = -1
        found = store.get("key")
        # A removal that was killed on its way is finished by the next start.
        assert found in (old, new) or (new is None and found is None)
        seen.append(found == new)
        store.set("key", Secret("again " * 9))
        assert store.get("key") == Secret("again " * 9)
        store.delete("key")
        assert not keys(keyring), "no orphan"
        if ended:
            break
    assert seen == sorted(seen), "one step makes the difference"


def test_what_is_there_is_no_more_than_one_secret() -> None:
    keyring = MemoryCredentials()
    store = SplitCredentials(keyring, LIMIT)
    for secret in (*VALUES.values(), *reversed(VALUES.values()), *VALUES.values()):
        put(store, secret)
        together = "".join(
            each.reveal() for key, each in sorted(keyring._secrets.items()) if key != "key"
        )
        assert len(together) <= len(secret.reveal() if secret else "")
        assert all(len(each.reveal()) * 4 <= LIMIT for key, each in keyring._secrets.items()
                   if key != "key")  # fmt: skip


@each_row("fail_at", range(1, 8))
def test_a_keyring_that_fails_half_way_may_have_been_written(fail_at: int) -> None:
    locked = CredentialsUnavailableError(UnavailableReason.LOCKED)
    keyring = Counting(locked)
    store = SplitCredentials(keyring, LIMIT)
    keyring.left = 2 + fail_at  # the looks at what is there
    with pytest.raises(CredentialsUnavailableError, match="locked") as caught:
        store.set("key", Secret("x" * 80))
    assert caught.value.reason is UnavailableReason.FAILED
    keyring.left = -1
    assert store.get("key") is None
    store.delete("key")
    assert not keys(keyring)


def test_no_traceback_shows_the_secret() -> None:
    keyring = Counting(CredentialsUnavailableError(UnavailableReason.LOCKED))
    store = SplitCredentials(keyring, LIMIT)
    keyring.left = 4
    with pytest.raises(CredentialsUnavailableError) as caught:
        store.set("key", Secret("s3cret " * 20))
    told = TracebackException.from_exception(caught.value, capture_locals=True)
    assert "parts = " in "".join(told.format())
    assert "s3cret" not in "".join(told.format()).replace('Secret("s3cret " * 20)', "")


@each_row(
    "damage",
    [
        lambda keyring: keyring.delete("key.a1"),
        lambda keyring: keyring.set("key.a1", Secret("another")),
        lambda keyring: keyring.set("key", Secret("smtp-desk parts\n")),
        lambda keyring: keyring.set("key", Secret("smtp-desk parts\na 99999999999 x")),
        lambda keyring: keyring.set("key", Secret(f"smtp-desk parts\na 1 {'0' * 64}")),
        lambda keyring: keyring.set("key", Secret(f"smtp-desk parts\nz 1 {'0' * 64}")),
    ],
)
def test_what_is_damaged_is_gone(damage: Callable[[MemoryCredentials], None]) -> None:
    keyring = MemoryCredentials()
    store = SplitCredentials(keyring, LIMIT)
    store.set("key", Secret("x" * 80))
    damage(keyring)
    assert store.get("key") is None
    store.set("key", Secret("y" * 80))
    assert store.get("key") == Secret("y" * 80)


def test_a_reader_beside_a_writer_gets_the_new_one() -> None:
    class Exchanged(MemoryCredentials):
        """Another process writes after the reader's look at the entry."""

        exchanges: int = 0

        def get(self, key: str) -> Secret | None:
            found = super().get(key)
            if key == "key" and self.exchanges:
                self.exchanges -= 1
                SplitCredentials(self, LIMIT).set("key", Secret(f"{self.exchanges} " * 30))
            return found

    keyring = Exchanged()
    store = SplitCredentials(keyring, LIMIT)
    store.set("key", Secret("old " * 30))
    keyring.exchanges = 1
    assert store.get("key") == Secret("0 " * 30)
    assert store.name == "memory"
