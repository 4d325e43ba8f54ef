"""Secrets that systemd encrypts for the worker: as a save wants them, killed where it will."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

from smtp_desk.app.words import failure_text
from smtp_desk.core.secret import KeyringEntry, Secret
from smtp_desk.store.credentials import CredentialsUnavailableError, UnavailableReason
from smtp_desk.store.system_credentials import SystemCredentials
from tests.servers import parts
from tests.servers.process import server_folder

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.needs("systemd_credentials")

OLD: Final = KeyringEntry(Secret("  old pässword  "), b"1" * 32)
NEW: Final = KeyringEntry(Secret("new"), b"2" * 32)


@pytest.fixture
def folder(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    with server_folder("credentials") as own:
        monkeypatch.setenv("SYSTEMD_CREDENTIAL_SECRET", str(own / "host-secret"))
        yield own / "credstore.encrypted"


def held(credentials: SystemCredentials, key: str) -> KeyringEntry | None:
    text = credentials.get(key)
    return None if text is None else KeyringEntry.parse(text)


def test_a_save_that_is_killed_anywhere_leaves_old_or_new(folder: Path) -> None:
    """Each step in a new process: nothing is remembered but what is on the disk."""
    assert held(SystemCredentials(folder), "old") is None
    SystemCredentials(folder).set("old", OLD.write())
    SystemCredentials(folder).set("new", NEW.write())
    assert held(SystemCredentials(folder), "old") == OLD
    assert held(SystemCredentials(folder), "new") == NEW
    SystemCredentials(folder).delete("new")  # the settings were not written: undone
    assert held(SystemCredentials(folder), "old") == OLD
    SystemCredentials(folder).set("new", NEW.write())
    SystemCredentials(folder).delete("old")
    SystemCredentials(folder).delete("old")
    assert held(SystemCredentials(folder), "new") == NEW
    assert held(SystemCredentials(folder), "old") is None
    SystemCredentials(folder).delete("new")
    assert list(folder.iterdir()) == []


def test_relay_and_alerts_have_files_of_their_own(folder: Path) -> None:
    credentials = SystemCredentials(folder)
    credentials.set("a", OLD.write())
    credentials.set("default-b", NEW.write())
    credentials.set("alerts-c", NEW.write())
    assert (held(credentials, "a"), held(credentials, "default-b")) == (OLD, NEW)
    files = sorted(folder.iterdir())
    assert [file.name for file in files] == [
        "smtp-desk.alerts", "smtp-desk.default-password", "smtp-desk.password",
    ]  # fmt: skip
    for file in files:
        assert file.stat().st_mode & 0o777 == 0o600
        for secret in (OLD, NEW):
            assert secret.secret.reveal().encode() not in file.read_bytes()
    assert folder.stat().st_mode & 0o777 == 0o700


def test_what_an_administrator_encrypts_by_hand_is_the_password(folder: Path) -> None:
    folder.mkdir()
    file = folder / "smtp-desk.password"
    program, name = parts.program("systemd-creds"), f"--name={file.name}"
    command = [program, "encrypt", name, "-", str(file)]
    subprocess.run(command, input=b"by hand\n", check=True, capture_output=True)
    credentials = SystemCredentials(folder)
    assert held(credentials, "any") == KeyringEntry(Secret("by hand"))
    credentials.delete("any")
    assert file.exists()
    credentials.set("new", NEW.write())
    credentials.delete("new")
    assert held(credentials, "any") == KeyringEntry(Secret("by hand"))


def test_without_systemd_it_says_what_is_missing(folder: Path) -> None:
    with pytest.raises(CredentialsUnavailableError) as caught:
        SystemCredentials(folder, "/nonexistent/systemd-creds").set("a", NEW.write())
    assert caught.value.reason is UnavailableReason.NO_SYSTEMD
    assert "systemd 252 or newer" in failure_text(caught.value)
    assert not folder.exists()


def test_a_failure_tells_no_secret(folder: Path) -> None:
    folder.mkdir()
    (folder / "smtp-desk.password").write_text("no credential")
    with pytest.raises(CredentialsUnavailableError) as caught:
        SystemCredentials(folder).get("a")
    assert caught.value.reason is UnavailableReason.NOT_GIVEN
    false = parts.program("false")
    with pytest.raises(CredentialsUnavailableError) as caught:
        SystemCredentials(folder, false).set("a", Secret('x\n{"password": "hush"}'))
    assert "hush" not in str(caught.value)
    assert caught.value.__cause__ is None
