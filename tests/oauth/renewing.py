"""Processes that renew one sign-in at once, round after round."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from smtp_desk.oauth.link import ProviderLink
from smtp_desk.oauth.source import SavedVault, TokenSource
from smtp_desk.smtp.net.deadline import Cancel
from smtp_desk.store.paths import Paths
from smtp_desk.store.settings_store import SettingsStore
from tests.store.folder_credentials import FolderCredentials

if TYPE_CHECKING:
    from multiprocessing.queues import Queue
    from multiprocessing.synchronize import Barrier


def store_at(home: Path) -> SettingsStore:
    """The settings of these processes, with their secrets in a folder."""
    (home / "keyring").mkdir(exist_ok=True)
    return SettingsStore(Paths.below(home), FolderCredentials(home / "keyring"), lock_timeout=60)


def renew(  # noqa: PLR0917 - what a process is started with
    home: str,
    ca_pem: str,
    start: float,
    step: float,
    rounds: int,
    together: Barrier,
    told: Queue[tuple[int, str]],
) -> None:
    """Ask for a token in each round, when the last one has ended, at once with all others."""
    store = store_at(Path(home))
    server = store.load().server
    assert server is not None
    oauth = server.settings.oauth
    assert oauth is not None
    now = [start]
    link = ProviderLink(ca_pem=ca_pem, now=lambda: now[0])
    source = TokenSource(oauth, server.settings.username, SavedVault(store, server), link)
    for number in range(rounds):
        now[0] = start + number * step
        together.wait(120)
        try:
            told.put((number, source.token(Cancel()).reveal()))
        except Exception as error:  # noqa: BLE001 - the test tells it
            told.put((number, f"{type(error).__name__}: {error}"))
