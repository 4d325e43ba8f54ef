"""Settings that the first version saved: their proof is verified, then they are signed anew."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

from smtp_desk.core.secret import Secret
from smtp_desk.store.credentials import MemoryCredentials
from smtp_desk.store.settings_store import SettingsStore
from smtp_desk.store.stored import ServerState
from smtp_desk.store.unattended import GivenSecrets, UnattendedCredentials
from tests.store.failing_credentials import FailingCredentials, keys
from tests.store.settings import NEW_SECRET, OLD, OLD_SECRET, secret_of
from tests.store.test_killed import Installation, child, fresh, kills

if TYPE_CHECKING:
    from smtp_desk.store.paths import Paths

__all__ = ["child", "fresh"]

FILE: Final = Path(__file__).parent / "first_version" / "settings.toml"
ENTRIES: Final = {
    "6a94350b81ebeae5e81511ac89377049": OLD_SECRET,
    "6a0e3082939d6ab757b151c88a2ae677": NEW_SECRET,
}


@pytest.fixture(autouse=True)
def _quick_proofs() -> None:
    """The proofs in these files were signed at their full cost."""


@pytest.fixture
def credentials() -> FailingCredentials:
    """The keyring as the first version left it: passwords and nothing else."""
    credentials = FailingCredentials()
    for key, secret in ENTRIES.items():
        credentials.set(key, secret)
    return credentials


@pytest.fixture
def store(paths: Paths, credentials: MemoryCredentials) -> SettingsStore:
    paths.ensure()
    shutil.copy(FILE, paths.settings_file)
    return SettingsStore(paths, credentials)


def versions(store: SettingsStore) -> list[int]:
    return [server.proof.version for server in store.load().servers if server.proof]


def both_work(store: SettingsStore) -> bool:
    stored = store.load()
    secrets = [secret_of(store, server) for server in stored.servers]
    states = [store.status(default=default).state for default in (False, True)]
    return (
        stored.enabled
        and secrets == [OLD_SECRET, NEW_SECRET]
        and states == [ServerState.ACTIVE] * 2
    )


def test_it_works_before_and_after(
    store: SettingsStore, paths: Paths, credentials: FailingCredentials
) -> None:
    assert both_work(store)
    before = store.load()
    assert store.recover()
    assert both_work(store)
    assert versions(store) == [2, 2]
    assert [each.settings for each in store.load().servers] == [
        each.settings for each in before.servers
    ]
    assert "schema = 2" in paths.settings_file.read_text()
    assert keys(credentials) == store.load().keys
    assert not keys(credentials) & ENTRIES.keys()
    seen = store.fingerprint()
    assert store.recover()
    assert store.fingerprint() == seen, "once is enough"


def test_now_a_changed_file_and_another_secret_are_told_apart(
    store: SettingsStore, paths: Paths, credentials: FailingCredentials
) -> None:
    before = paths.settings_file.read_text()
    paths.settings_file.write_text(before.replace("ann@", "eve@"))
    assert store.status().code == "settings.secret_differs", "it could be either"
    paths.settings_file.write_text(before)
    store.recover()
    paths.settings_file.write_text(paths.settings_file.read_text().replace("ann@", "eve@"))
    assert store.status().code == "settings.not_proven"


def test_only_what_is_proven_is_signed_anew(
    store: SettingsStore, paths: Paths, credentials: FailingCredentials
) -> None:
    credentials.set("6a0e3082939d6ab757b151c88a2ae677", Secret("exchanged"))
    text = paths.settings_file.read_text().replace("old.example.test", "evil.example.test")
    paths.settings_file.write_text(text)
    assert store.recover()
    assert versions(store) == [1, 1]
    assert paths.settings_file.read_text() == text
    assert store.status().state is store.status(default=True).state is ServerState.UNPROVEN


def test_a_secret_that_is_gone_is_signed_by_nothing(
    store: SettingsStore, credentials: FailingCredentials
) -> None:
    credentials.delete("6a94350b81ebeae5e81511ac89377049")
    assert store.recover()
    assert versions(store) == [1, 2]
    assert store.status().state is ServerState.SECRET_UNAVAILABLE


@pytest.mark.parametrize("call", ["get", "set"])
def test_a_keyring_that_does_not_answer_is_asked_at_the_next_start(
    store: SettingsStore, credentials: FailingCredentials, call: str
) -> None:
    credentials.failing = {call}
    assert not store.recover()
    assert versions(store) == [1, 1]
    credentials.failing = set()
    assert store.recover()
    assert both_work(store)
    assert versions(store) == [2, 2]


def test_other_changes_leave_the_proof_as_it_is(
    store: SettingsStore, credentials: FailingCredentials
) -> None:
    store.set_enabled(False)
    store.set_enabled(True)
    assert versions(store) == [1, 1]
    assert both_work(store)
    store.remove_server(default=True)
    assert versions(store) == [1]
    assert keys(credentials) == store.load().keys


def test_where_a_machine_gives_the_secret(paths: Paths) -> None:
    paths.ensure()
    shutil.copy(FILE, paths.settings_file)
    store = SettingsStore(
        paths, UnattendedCredentials(GivenSecrets(OLD_SECRET), FailingCredentials("get", "set"))
    )
    assert store.recover()
    assert versions(store) == [2, 1], "the relay has another password"
    assert store.status().state is ServerState.ACTIVE
    assert store.status(default=True).code == "settings.secret_differs"
    stored = store.load().server
    assert stored is not None
    assert stored.settings == OLD


# Old proofs are costly to verify: fewer steps than elsewhere.
@pytest.mark.parametrize("every", [20, pytest.param(1, marks=pytest.mark.soak)])
def test_killed_anywhere(fresh: Installation, every: int) -> None:
    fresh.config.mkdir(parents=True)
    shutil.copy(FILE, fresh.config)
    for key, secret in ENTRIES.items():
        (fresh.folder / "keyring" / key).write_text(secret.reveal())
    unharmed = fresh.copy("after")
    steps = unharmed.done("recover and be killed")["steps"]
    assert unharmed.ask("read")["states"] == ["active", "active"]
    assert "version = 1" not in str(unharmed.everything())
    secrets = fresh.ask("read")["secrets"]
    for kill_at in kills(steps, every):
        victim = fresh.copy("victim")
        assert victim.ask("recover and be killed", kill_at=kill_at)["killed"]
        now = victim.ask("read")
        assert (now["secrets"], now["states"]) == (secrets, ["active", "active"])
        assert victim.ask("recover") == {"recovered": True}
        left = victim.everything()
        assert left["files"].keys() == {"settings.toml"}
        assert "version = 1" not in left["files"]["settings.toml"]
        assert victim.ask("read")["states"] == ["active", "active"]
        assert len(left["keys"]) == 2, "no orphan"
