"""What is saved, what is said of it, and what each failure leaves."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from smtp_desk.core.secret import KeyringEntry, Secret
from smtp_desk.core.settings import Security
from smtp_desk.store.credentials import (
    MemoryCredentials,
    UnavailableReason,
)
from smtp_desk.store.settings_file import ca_copy
from smtp_desk.store.settings_store import SettingsStore
from smtp_desk.store.stored import (
    DefaultKind,
    DefaultService,
    NotProvenError,
    Preferences,
    ServerState,
    ServerStatus,
    StoredSettings,
)
from tests.store.failing_credentials import FailingCredentials, keys, save_old
from tests.store.settings import NEW, NEW_SECRET, OLD, OLD_SECRET, RELAY, secret_of
from tests.store.told import names_in

if TYPE_CHECKING:
    from collections.abc import Callable

    from smtp_desk.store.paths import Paths


def test_fresh_machine(store: SettingsStore, paths: Paths) -> None:
    assert store.load() == StoredSettings()
    assert store.status() == ServerStatus(ServerState.NOT_CONFIGURED)
    assert store.status(default=True) == ServerStatus(ServerState.NOT_CONFIGURED)
    assert store.fingerprint() == ()
    assert store.recover()
    assert not paths.config.exists(), "reading makes nothing"


def test_save_and_read_back(
    store: SettingsStore, paths: Paths, credentials: MemoryCredentials, ca_pem: str
) -> None:
    settings = replace(OLD, ca_pem=ca_pem)
    stored = store.save_server(settings, Security.STARTTLS, OLD_SECRET)
    assert stored == store.load() == SettingsStore(paths, credentials).load()
    assert stored.server is not None
    assert stored.server.settings == settings
    assert stored.server.mode is Security.STARTTLS
    assert secret_of(store, stored.server) == OLD_SECRET
    assert keys(credentials) == {stored.server.key}
    assert OLD_SECRET.reveal() not in paths.settings_file.read_text()
    assert ca_copy(paths.settings_file, ca_pem).read_text() == ca_pem
    assert {entry.stat().st_mode & 0o777 for entry in paths.config.iterdir()} == {0o600}


def test_each_save_has_a_fresh_key(store: SettingsStore, credentials: MemoryCredentials) -> None:
    first, second = save_old(store), save_old(store)
    assert first.keys != second.keys
    assert keys(credentials) == second.keys


@pytest.mark.parametrize("nothing", [None, Secret("")])
def test_without_credentials_no_keyring_is_touched(paths: Paths, nothing: Secret | None) -> None:
    store = SettingsStore(paths, FailingCredentials("get", "set", "delete"))
    stored = store.save_server(RELAY, Security.STARTTLS, nothing)
    store.set_enabled(True)
    assert stored.server is not None
    assert secret_of(store, stored.server) is None
    assert store.status() == ServerStatus(ServerState.ACTIVE)
    store.remove_server()
    assert store.recover()
    assert names_in(paths) == {"settings.toml", "settings.lock"}


def test_switch(store: SettingsStore) -> None:
    assert not save_old(store).enabled
    assert store.status().state is ServerState.OFF
    assert store.set_enabled(True).enabled
    assert store.status().state is ServerState.ACTIVE
    store.save_server(NEW, Security.TLS, NEW_SECRET)
    assert store.status().state is ServerState.ACTIVE, "proven settings take over in service"
    assert not store.set_enabled(False).enabled
    assert store.status().state is ServerState.OFF


def test_switch_needs_settings(store: SettingsStore) -> None:
    with pytest.raises(NotProvenError) as caught:
        store.set_enabled(True)
    assert caught.value.status.state is ServerState.NOT_CONFIGURED
    assert not store.set_enabled(False).enabled


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("old.example.test", "evil.example.test"),
        ("port = 587", "port = 25"),
        ("desk@example.org", "ceo@example.org"),
        ("ann@example.org", "bo@example.org"),
        ('mode = "starttls"', 'mode = "tls"'),
        ('ehlo_name = ""', 'ehlo_name = "desk.example.org"'),
        ('from_name = "Example"', 'from_name = "Exampel"'),
        ("version = 2", "version = 1"),
        ("version = 2", "version = 3"),
        ('salt = "', 'salt = "zz'),
        ('given = "', 'given = "00'),
        ('fields = "', 'fields = "00'),
        (', secret = "', ', secret = "00'),
        ("proof = ", "old_proof = "),
    ],
)
def test_edited_by_hand_is_unproven(store: SettingsStore, paths: Paths, old: str, new: str) -> None:
    save_old(store)
    store.set_enabled(True)
    text = paths.settings_file.read_text()
    assert old in text
    paths.settings_file.write_text(text.replace(old, new))
    status = store.status()
    assert status.state is ServerState.UNPROVEN
    assert status.reason
    differs = old == ', secret = "'
    assert status.code == ("settings.secret_differs" if differs else "settings.not_proven")
    with pytest.raises(NotProvenError):
        store.set_enabled(True)
    # To type it back is to have what was proven.
    paths.settings_file.write_text(text)
    assert store.status().state is ServerState.ACTIVE


def test_ca_exchanged_by_hand_is_unproven(
    store: SettingsStore, paths: Paths, ca_pem: str, other_ca_pem: str
) -> None:
    settings = replace(OLD, ca_pem=ca_pem)
    stored = store.save_server(settings, Security.STARTTLS, OLD_SECRET)
    store.set_enabled(True)
    assert stored.server is not None
    ca_copy(paths.settings_file, ca_pem).write_text(other_ca_pem)
    assert store.status().state is ServerState.UNPROVEN


def test_secret_exchanged_is_unproven(store: SettingsStore, credentials: MemoryCredentials) -> None:
    (key,) = save_old(store).keys
    store.set_enabled(True)
    entry = KeyringEntry.parse(credentials.get(key) or Secret(""))
    assert entry is not None
    for exchanged in (NEW_SECRET, replace(entry, secret=NEW_SECRET).write(), OLD_SECRET):
        credentials.set(key, exchanged)
        status = store.status()
        assert status.state is ServerState.UNPROVEN or exchanged == OLD_SECRET
        assert status.code == ("" if exchanged == OLD_SECRET else "settings.secret_differs")
    credentials.set(key, Secret("smtp-desk 2\nno entry"))
    assert store.status().state is ServerState.SECRET_UNAVAILABLE


def test_secret_gone(store: SettingsStore, credentials: MemoryCredentials) -> None:
    stored = save_old(store)
    store.set_enabled(True)
    (key,) = stored.keys
    credentials.delete(key)
    assert stored.server is not None
    assert secret_of(store, stored.server) is None
    assert store.status().state is ServerState.SECRET_UNAVAILABLE
    with pytest.raises(NotProvenError):
        store.set_enabled(True)


def test_keyring_gone(paths: Paths) -> None:
    credentials = FailingCredentials()
    store = SettingsStore(paths, credentials)
    save_old(store)
    store.set_enabled(True)
    credentials.failing = {"get"}
    told = ServerStatus(ServerState.SECRET_UNAVAILABLE, UnavailableReason.MISSING)
    assert store.status() == told
    assert told.code == "settings.secret_unavailable"
    assert store.set_enabled(False) == store.load()


def test_reader_reads_once_more(
    store: SettingsStore, paths: Paths, credentials: MemoryCredentials
) -> None:
    """Another process saved between the reader's look at the file and at the keyring."""
    save_old(store)
    seen = store.set_enabled(True)
    assert seen.server is not None
    save_old(SettingsStore(paths, credentials))
    assert secret_of(store, seen.server) == OLD_SECRET
    assert store.status(seen).state is ServerState.ACTIVE
    # The secret of another server is none of the old one's.
    store.save_server(NEW, Security.TLS, NEW_SECRET)
    assert secret_of(store, seen.server) is None
    assert store.status(seen).state is ServerState.ACTIVE
    store.save_server(RELAY, Security.STARTTLS, None)
    assert store.status(seen).state is ServerState.ACTIVE
    store.remove_server()
    assert store.status(seen).state is ServerState.SECRET_UNAVAILABLE


def test_remove(store: SettingsStore, credentials: MemoryCredentials, paths: Paths) -> None:
    save_old(store)
    store.set_enabled(True)
    store.save_preferences(Preferences("Example"))
    assert store.remove_server() == StoredSettings(preferences=Preferences("Example"))
    assert not keys(credentials)
    assert store.remove_server() == store.load()
    assert names_in(paths) == {"settings.toml", "settings.lock"}


def test_default_service(store: SettingsStore, credentials: MemoryCredentials) -> None:
    save_old(store)
    relay = replace(RELAY, username="desk")
    stored = store.save_server(relay, Security.STARTTLS, NEW_SECRET, default=True)
    assert stored.default.kind is DefaultKind.SMTP
    assert stored.default.from_email == RELAY.from_email
    assert stored.server is not None
    assert stored.server.settings == OLD
    assert len(keys(credentials)) == 2, "never the custom credentials"
    assert store.status(default=True).state is ServerState.ACTIVE
    assert store.status().state is ServerState.OFF

    sendmail = DefaultService(DefaultKind.SENDMAIL, "/usr/sbin/sendmail", "a@example.org")
    with_server = replace(sendmail, server=stored.default.server)
    assert store.save_default(with_server).default == with_server
    assert store.status(default=True).state is ServerState.OFF
    assert store.remove_server(default=True).default == sendmail
    assert keys(credentials) == store.load().keys
    store.save_server(relay, Security.STARTTLS, NEW_SECRET, default=True)
    assert store.save_default(sendmail).default == sendmail
    assert len(keys(credentials)) == 1
    store.save_server(relay, Security.STARTTLS, NEW_SECRET, default=True)
    assert store.remove_server(default=True).default == DefaultService()
    assert store.status(default=True).state is ServerState.NOT_CONFIGURED


def test_default_server_comes_with_its_proof_only(store: SettingsStore) -> None:
    stored = save_old(store)
    with pytest.raises(ValueError, match="saved by save_server"):
        store.save_default(DefaultService(DefaultKind.SMTP, server=stored.server))
    with pytest.raises(ValueError, match="needs a saved server"):
        store.save_default(DefaultService(DefaultKind.SMTP))
    assert store.load() == stored


def test_fingerprint_tells_changes(store: SettingsStore) -> None:
    seen = {store.fingerprint()}
    changes: list[Callable[[], object]] = [
        lambda: save_old(store),
        lambda: store.set_enabled(True),
        lambda: store.save_preferences(Preferences("Example")),
        store.remove_server,
    ]
    for change in changes:
        change()
        assert store.fingerprint() == store.fingerprint()
        seen.add(store.fingerprint())
    assert len(seen) == 5
