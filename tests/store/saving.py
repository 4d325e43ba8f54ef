"""A child that saves again and again: home, keyring folder, host and count are its arguments."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

from smtp_desk.core import proof
from smtp_desk.core.secret import Secret
from smtp_desk.core.settings import Security
from smtp_desk.store.paths import Paths
from smtp_desk.store.settings_store import SettingsStore
from tests.store.folder_credentials import FolderCredentials
from tests.store.settings import OLD, secret_of


def main(home: str, keyring: str, host: str, count: str) -> None:
    """Save, read what is there, and remove now and then."""
    proof._COSTS[proof.VERSION] = 2  # not what is tested
    store = SettingsStore(
        Paths.below(Path(home)), FolderCredentials(Path(keyring)), lock_timeout=60
    )
    for number in range(int(count)):
        store.save_server(replace(OLD, host=host), Security.STARTTLS, Secret(f"secret of {host}"))
        server = store.load().server
        if server is not None:
            secret = secret_of(store, server)
            whole = secret in (None, Secret(f"secret of {server.settings.host}"))
            assert whole, "settings of one with the secret of the other"
        if number % 3 == 2:
            store.remove_server()


if __name__ == "__main__":
    main(*sys.argv[1:])
