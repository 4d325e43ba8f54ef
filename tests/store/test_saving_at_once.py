"""Several processes that save the same settings at once."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

from smtp_desk.core.secret import Secret
from smtp_desk.store.paths import Paths
from smtp_desk.store.settings_store import SettingsStore
from smtp_desk.store.stored import ServerState
from tests.servers.child import Child
from tests.store.folder_credentials import FolderCredentials
from tests.store.settings import secret_of

if TYPE_CHECKING:
    from pathlib import Path


def test_never_a_mix_and_no_orphan(tmp_path: Path) -> None:
    keyring = tmp_path / "keyring"
    keyring.mkdir()
    hosts = ["one.example.test", "two.example.test", "three.example.test"]
    command = [sys.executable, "-m", "tests.store.saving", str(tmp_path / "home"), str(keyring)]
    savers = [Child[bytes]([*command, host, "10"], stderr=subprocess.PIPE) for host in hosts]
    for saver in savers:
        _, errors = saver.communicate(timeout=60)
        assert saver.returncode == 0, errors.decode()

    credentials = FolderCredentials(keyring)
    store = SettingsStore(Paths.below(tmp_path / "home"), credentials)
    stored = store.load()
    # Each saver ends with a save: the last of them all is in the file.
    assert stored.server is not None
    assert credentials.keys() == [stored.server.key]
    assert secret_of(store, stored.server) == Secret(f"secret of {stored.server.settings.host}")
    store.set_enabled(True)
    assert store.status().state is ServerState.ACTIVE
