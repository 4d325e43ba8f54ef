"""The settings that last worked, and the log of changes: bounded, without secrets, never obeyed."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from smtp_desk.core.settings import Security, SettingsDraft
from smtp_desk.store.history import MOST_CHANGES, History, changes_between
from smtp_desk.store.stored import (
    DefaultKind,
    DefaultService,
    Preferences,
    StoredServer,
    StoredSettings,
)
from tests.store.settings import NEW, NEW_SECRET, OLD, OLD_SECRET, RELAY

if TYPE_CHECKING:
    from pathlib import Path

    from smtp_desk.store.paths import Paths
    from smtp_desk.store.settings_store import SettingsStore


def save_both(store: SettingsStore) -> None:
    store.save_server(OLD, Security.STARTTLS, OLD_SECRET)
    store.save_server(NEW, Security.TLS, NEW_SECRET)


def ca_of(paths: Paths) -> Path:
    return paths.config / "previous-ca.pem"


def files(paths: Paths) -> tuple[Path, ...]:
    history = History(paths.config)
    return (history.changes_file, history.previous_file)


def test_before_anything_was_saved_there_is_nothing(store: SettingsStore) -> None:
    assert store.history.changes() == ()
    assert store.history.previous() is None


def test_what_worked_is_kept_when_other_settings_are_saved(store: SettingsStore) -> None:
    store.save_server(OLD, Security.STARTTLS, OLD_SECRET)
    assert store.history.previous() is None
    store.save_server(NEW, Security.TLS, NEW_SECRET)
    previous = store.history.previous()
    assert previous is not None
    assert previous.draft == SettingsDraft(
        host="old.example.test",
        port="587",
        username="ann@example.org",
        from_name="Example",
        from_email="desk@example.org",
    )
    assert abs(previous.until - datetime.now(UTC)) < timedelta(minutes=5)


def test_saving_the_same_settings_anew_keeps_what_was_before(store: SettingsStore) -> None:
    save_both(store)
    before = store.history.previous()
    store.save_server(NEW, Security.TLS, OLD_SECRET)
    assert store.history.previous() == before


def test_what_is_removed_worked_before(store: SettingsStore) -> None:
    save_both(store)
    store.remove_server()
    previous = store.history.previous()
    assert previous is not None
    assert previous.draft.host == "new.example.test"


def test_what_was_changed_by_hand_did_not_work(store: SettingsStore, paths: Paths) -> None:
    store.save_server(OLD, Security.STARTTLS, OLD_SECRET)
    text = paths.settings_file.read_text("utf-8")
    paths.settings_file.write_text(text.replace("old.example.test", "hand.example.test"), "utf-8")
    store.save_server(NEW, Security.TLS, NEW_SECRET)
    assert store.history.previous() is None


def test_the_ca_comes_back_with_it(store: SettingsStore, paths: Paths, ca_pem: str) -> None:
    store.save_server(replace(OLD, ca_pem=ca_pem), Security.STARTTLS, OLD_SECRET)
    store.save_server(NEW, Security.TLS, NEW_SECRET)
    previous = store.history.previous()
    assert previous is not None
    assert previous.draft.ca_file == str(ca_of(paths))
    assert ca_of(paths).read_text() == ca_pem
    store.save_server(RELAY, Security.STARTTLS, None)
    assert not ca_of(paths).exists()
    assert (store.history.previous() or previous).draft.ca_file == ""


def test_no_secret_stands_there_and_only_we_may_read(store: SettingsStore, paths: Paths) -> None:
    save_both(store)
    for file in files(paths):
        text = file.read_text("utf-8")
        for secret in (OLD_SECRET, NEW_SECRET):
            assert secret.reveal() not in text
            assert json.dumps(secret.reveal())[1:-1] not in text
        if os.name == "posix":
            assert file.stat().st_mode & 0o777 == 0o600


def test_each_change_is_told_newest_first(store: SettingsStore) -> None:
    store.save_server(OLD, Security.STARTTLS, OLD_SECRET)
    store.save_server(replace(OLD, port=465), Security.TLS, OLD_SECRET)
    store.save_preferences(Preferences("Example", "ann@example.org"))
    found = [(each.field, each.before, each.after) for each in store.history.changes()]
    assert found[:2] == [("company_name", "", "Example"), ("notify", "", "ann@example.org")]
    assert ("port", "587", "465") in found
    assert found.index(("port", "587", "465")) < found.index(("host", "", "old.example.test"))


def test_a_save_that_changes_nothing_is_not_noted(store: SettingsStore, paths: Paths) -> None:
    store.save_preferences(Preferences("Example"))
    before = files(paths)[0].read_bytes()
    store.save_preferences(Preferences("Example"))
    assert files(paths)[0].read_bytes() == before


def test_the_default_service_is_noted_apart() -> None:
    before = StoredSettings()
    after = replace(
        before, default=DefaultService(DefaultKind.SENDMAIL, "/usr/sbin/sendmail", "a@example.org")
    )
    assert changes_between(before, after) == {
        "default.kind": ("outbox", "sendmail"),
        "default.sendmail_path": ("", "/usr/sbin/sendmail"),
        "default.from_email": ("", "a@example.org"),
    }
    relay = replace(before, default=DefaultService(DefaultKind.SMTP, server=_stored()))
    assert changes_between(before, relay)["default.host"] == ("", "relay.corp.local")


def _stored() -> StoredServer:
    return StoredServer(RELAY, Security.STARTTLS, "", None)


def test_the_log_is_bounded(paths: Paths) -> None:
    paths.ensure()
    history = History(paths.config)
    for number in range(MOST_CHANGES + 30):
        before, after = (Preferences(f"Name {each}") for each in (number, number + 1))
        history.record(
            StoredSettings(preferences=before), StoredSettings(preferences=after), worked=False
        )
    changes = history.changes()
    assert len(changes) == MOST_CHANGES
    assert changes[0].after == f"Name {MOST_CHANGES + 30}"


@pytest.mark.parametrize(
    "octets",
    [
        b"",
        b"\xff\xfe\x00",
        b"{",
        b'[]\n1\nnull\n"x"',
        b'{"at": 5, "changes": {}}',
        b'{"at": "2026-01-01T00:00:00", "changes": {"a": ["b", "c"]}}',
        b'{"at": "2026-01-01T00:00:00+00:00", "changes": {"a": "b"}}',
        b'{"at": "2026-01-01T00:00:00+00:00", "changes": {"a": ["b\\n", "c"]}}',
        b'{"at": "2026-01-01T00:00:00+00:00", "changes": {"a": [1, 2]}}',
        b"[" * 100_000,
        b"x" * 300_000,
    ],
)
def test_files_that_were_broken_by_hand_hurt_nobody(
    store: SettingsStore, paths: Paths, octets: bytes
) -> None:
    store.save_server(OLD, Security.STARTTLS, OLD_SECRET)
    for file in files(paths):
        file.write_bytes(octets)
    assert store.history.changes() == ()
    assert store.history.previous() is None
    store.save_server(NEW, Security.TLS, NEW_SECRET)
    assert ("host", "old.example.test", "new.example.test") in [
        (each.field, each.before, each.after) for each in store.history.changes()
    ]
    assert store.history.previous() is not None


def test_a_folder_in_its_place_stops_no_save(store: SettingsStore, paths: Paths) -> None:
    paths.ensure()
    for file in files(paths):
        file.mkdir()
    save_both(store)
    server = store.load().server
    assert server is not None
    assert server.settings == NEW
    assert store.history.changes() == ()


@pytest.mark.parametrize(
    "change",
    [
        {"schema": "other"},
        {"until": "yesterday"},
        {"until": "2026-01-01T00:00:00"},
        {"server": {}},
        {"server": []},
        {"oauth": {"provider": 5}},
        {"server": {"host": "a\nb"}},
    ],
)
def test_what_is_none_of_ours_is_not_offered(
    store: SettingsStore, paths: Paths, change: dict[str, object]
) -> None:
    save_both(store)
    document = json.loads(files(paths)[1].read_text("utf-8"))
    files(paths)[1].write_text(json.dumps({**document, **change}), "utf-8")
    assert store.history.previous() is None
