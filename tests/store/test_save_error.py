"""How a save fails, what is said, and that what was there still is."""

from __future__ import annotations

import errno
import os
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

import filelock
import pytest

from smtp_desk.app.words import failure_text
from smtp_desk.core.secret import Secret
from smtp_desk.core.settings import Security
from smtp_desk.store.credentials import (
    CredentialsUnavailableError,
    MemoryCredentials,
    UnavailableReason,
)
from smtp_desk.store.save_protocol import SaveError, SaveReason, SaveStep
from smtp_desk.store.settings_file import SettingsFileError, SettingsFileProblem
from smtp_desk.store.settings_store import SettingsStore
from smtp_desk.store.stored import Preferences, StoredSettings
from tests.store.failing_credentials import FailingCredentials, keys, save_old
from tests.store.settings import NEW, NEW_SECRET, OLD, OLD_SECRET, secret_of
from tests.store.tiny_disk import tiny_disk
from tests.store.told import names_in

if TYPE_CHECKING:
    from collections.abc import Callable

    from smtp_desk.store.paths import Paths


@pytest.mark.parametrize(
    ("call", "step"),
    [("set", SaveStep.SECRET), ("get", SaveStep.READ_BACK)],
)
@pytest.mark.parametrize("reason", list(UnavailableReason))
def test_keyring_refuses(
    paths: Paths, call: str, step: SaveStep, reason: UnavailableReason
) -> None:
    credentials = FailingCredentials(error=CredentialsUnavailableError(reason, "ten words"))
    store = SettingsStore(paths, credentials)
    before = save_old(store)
    credentials.failing = {call, "delete"}
    with pytest.raises(SaveError) as caught:
        store.save_server(NEW, Security.TLS, NEW_SECRET)
    error = caught.value
    assert (error.step, error.reason) == (step, SaveReason.KEYRING)
    assert isinstance(error.cause, CredentialsUnavailableError)
    assert (error.cause.reason, error.cause.detail) == (reason, "ten words")
    assert store.load() == before
    credentials.failing.clear()
    assert store.recover()
    assert keys(credentials) == before.keys
    assert not paths.journal_file.exists()


def test_no_keyring_leaves_nothing_to_clean(paths: Paths) -> None:
    """Else each start would search for a keyring that was never written to."""
    store = SettingsStore(paths, FailingCredentials("get", "set", "delete"))
    with pytest.raises(SaveError):
        save_old(store)
    assert not paths.journal_file.exists()
    assert store.recover()


class AlteringCredentials(MemoryCredentials):
    def __init__(self, alter: Callable[[str], str]) -> None:
        super().__init__()
        self._alter = alter

    def set(self, key: str, secret: Secret) -> None:
        super().set(key, Secret(self._alter(secret.reveal())))


@pytest.mark.parametrize(
    "alter",
    [
        lambda text: text[:80],
        str.upper,
        lambda text: text.replace("\n", "\r\n"),
        lambda text: text.replace("\n", " "),
        lambda text: text.encode("ascii", "replace").decode(),
        lambda text: text.replace("  ", " "),
        lambda text: text + "}",
    ],
)
def test_keyring_that_alters(paths: Paths, alter: Callable[[str], str]) -> None:
    credentials = AlteringCredentials(alter)
    store = SettingsStore(paths, credentials)
    with pytest.raises(SaveError, match="altered") as caught:
        store.save_server(OLD, Security.TLS, Secret("ends in  a spacé "))
    assert caught.value.step is SaveStep.READ_BACK
    assert not keys(credentials)
    assert store.load() == StoredSettings()


def test_keyring_that_trims(paths: Paths) -> None:
    """A password can end in a space, an entry can't."""
    store = SettingsStore(paths, AlteringCredentials(str.strip))
    stored = store.save_server(OLD, Security.TLS, Secret(" a space "))
    assert stored.server
    assert secret_of(store, stored.server) == Secret(" a space ")


def test_removal_without_the_keyring_is_finished_later(paths: Paths) -> None:
    credentials = FailingCredentials()
    store = SettingsStore(paths, credentials)
    save_old(store)
    credentials.failing = {"delete"}
    assert store.remove_server().server is None
    assert len(keys(credentials)) == 1
    assert not store.recover()
    store.save_preferences(Preferences("Example"))
    credentials.failing.clear()
    assert store.recover()
    assert not keys(credentials)


def failing_replace(name: str, number: int) -> Callable[[str, str], None]:
    really = os.replace

    def replacing(source: str, target: str) -> None:
        if str(target).endswith(name):
            raise OSError(number, os.strerror(number), target)
        really(source, target)

    return replacing


@pytest.mark.parametrize(
    ("number", "reason"),
    [
        (errno.ENOSPC, SaveReason.DISK_FULL),
        (errno.EDQUOT, SaveReason.QUOTA),
        (errno.EROFS, SaveReason.READ_ONLY),
        (errno.EACCES, SaveReason.DENIED),
        (errno.EPERM, SaveReason.DENIED),
        (errno.EIO, SaveReason.FAILED),
    ],
)
@pytest.mark.parametrize(
    ("name", "step"),
    [
        ("settings.journal", SaveStep.JOURNAL),
        (".pem", SaveStep.FILE),
        ("settings.toml", SaveStep.FILE),
    ],
)
def test_disk_refuses(
    *,
    store: SettingsStore,
    paths: Paths,
    credentials: MemoryCredentials,
    monkeypatch: pytest.MonkeyPatch,
    ca_pem: str,
    name: str,
    step: SaveStep,
    number: int,
    reason: SaveReason,
) -> None:
    before = save_old(store)
    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", failing_replace(name, number))
        with pytest.raises(SaveError) as caught:
            store.save_server(replace(NEW, ca_pem=ca_pem), Security.TLS, NEW_SECRET)
    assert (caught.value.step, caught.value.reason) == (step, reason)
    assert name in failure_text(caught.value)
    assert store.load() == before
    assert keys(credentials) == before.keys
    assert names_in(paths) == {"settings.toml", "settings.lock"}


def test_really_full_disk(
    store: SettingsStore, paths: Paths, credentials: MemoryCredentials
) -> None:
    paths.config.mkdir(parents=True)
    with tiny_disk(paths.config, kib=64):
        before = save_old(store)
        filler = paths.config / "filler"
        with suppress(OSError):
            filler.write_bytes(b"x" * 64 * 1024)
        changes: list[Callable[[], object]] = [lambda: save_old(store), store.remove_server]
        for change in changes:
            with pytest.raises(SaveError) as caught:
                change()
            assert caught.value.reason is SaveReason.DISK_FULL
        assert store.load() == before
        filler.unlink()
        assert store.recover()
        assert keys(credentials) == before.keys
        assert names_in(paths) == {"settings.toml", "settings.lock"}


def test_unsure_disk_keeps_both_secrets(
    store: SettingsStore, credentials: MemoryCredentials, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file is replaced, its folder's fsync fails: after a crash it may be either."""
    save_old(store)
    replaced: list[object] = []
    fsync, really = os.fsync, os.replace

    def replacing(source: str, target: str) -> None:
        really(source, target)
        replaced.append(target)

    def failing(descriptor: int) -> None:
        if replaced and str(replaced[-1]).endswith("settings.toml"):
            raise OSError(errno.EIO, "Input/output error")
        fsync(descriptor)

    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", replacing)
        patch.setattr(os, "fsync", failing)
        with pytest.raises(SaveError, match="Input/output error"):
            store.save_server(NEW, Security.TLS, NEW_SECRET)
    assert len(keys(credentials)) == 2
    assert store.recover()
    assert keys(credentials) == store.load().keys


def test_folder_can_not_be_made(paths: Paths, store: SettingsStore) -> None:
    paths.config.parent.write_text("a file where the folder should be")
    with pytest.raises(SaveError) as caught:
        store.save_preferences(Preferences("Example"))
    assert (caught.value.step, caught.value.reason) == (SaveStep.LOCK, SaveReason.FAILED)


def test_settings_that_parse_did_not_make(
    store: SettingsStore, credentials: MemoryCredentials
) -> None:
    with pytest.raises(SaveError) as caught:
        store.save_server(replace(OLD, from_name="\ud800"), Security.TLS, OLD_SECRET)
    assert (caught.value.step, caught.value.reason) == (SaveStep.FILE, SaveReason.FAILED)
    assert not keys(credentials)


def test_lock_is_held(store: SettingsStore, paths: Paths) -> None:
    save_old(store)
    with filelock.FileLock(paths.lock_file):
        with pytest.raises(SaveError) as caught:
            store.remove_server()
        assert not store.recover()
    assert (caught.value.step, caught.value.reason) == (SaveStep.LOCK, SaveReason.LOCK_HELD)
    assert store.load().server is not None


def test_unreadable_file_is_never_overwritten(
    store: SettingsStore, paths: Paths, credentials: MemoryCredentials
) -> None:
    save_old(store)
    damaged = paths.settings_file.read_bytes()[:40]
    paths.settings_file.write_bytes(damaged)
    paths.journal_file.write_text("unrelated\n")
    calls: list[Callable[[], object]] = [
        lambda: save_old(store),
        store.remove_server,
        lambda: store.set_enabled(False),
        lambda: store.save_preferences(Preferences()),
    ]
    for call in calls:
        with pytest.raises(SaveError) as caught:
            call()
        assert "won’t be overwritten" in failure_text(caught.value)
        assert caught.value.reason is SaveReason.SETTINGS_UNREADABLE
    with pytest.raises(SettingsFileError) as unreadable:
        store.status()
    assert unreadable.value.kind is SettingsFileProblem.NOT_TOML
    assert not store.recover()
    assert paths.settings_file.read_bytes() == damaged
    assert len(keys(credentials)) == 1

    assert store.copy_aside().read_bytes() == damaged
    assert store.load() == StoredSettings()
    assert store.save_preferences(Preferences("Example")) == store.load()


def test_nothing_to_copy_aside(store: SettingsStore) -> None:
    with pytest.raises(SaveError, match="No such file"):
        store.copy_aside()
