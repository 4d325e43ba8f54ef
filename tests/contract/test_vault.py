"""What every vault of a sign-in has to do, in memory or in the keyring."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

import pytest

from smtp_desk.core.secret import AccessToken, KeyringEntry, Lifetime, Secret
from smtp_desk.core.settings import Security
from smtp_desk.oauth.client import Grant
from smtp_desk.oauth.source import OwnVault, SavedVault, Vault
from smtp_desk.smtp.net.deadline import Cancel, CancelledError
from smtp_desk.store.credentials import MemoryCredentials
from smtp_desk.store.paths import Paths
from smtp_desk.store.settings_store import SettingsStore
from tests.store.test_oauth import BROWSER, by

LIFETIME = Lifetime(1_000.0, 600_000.5)
ACCESS = AccessToken(Secret("access"), 1_000.0, 2_000.0)
Opened: TypeAlias = Callable[[], Vault]


@pytest.fixture(params=["own", "saved"])
def opened(request: pytest.FixtureRequest, tmp_path: Path) -> Opened:
    """Opens the same vault, as often as it is called; it holds the refresh token `first`."""
    entry = KeyringEntry(Secret("client"), b"", Secret("first"))
    if request.param == "own":
        own = OwnVault(entry)
        return lambda: own
    store = SettingsStore(Paths.below(tmp_path), MemoryCredentials())
    stored = store.save_server(
        by(BROWSER), Security.STARTTLS, entry.secret, refresh_token=entry.refresh_token
    )
    server = stored.server
    assert server is not None
    return lambda: SavedVault(store, server)


def test_what_is_kept_is_read(opened: Opened) -> None:
    entry = opened().read()
    assert (entry.secret, entry.refresh_token) == (Secret("client"), Secret("first"))
    assert entry.access_token is None
    opened().keep(Grant(ACCESS, Secret("second"), Secret(""), lifetime=LIFETIME))
    entry = opened().read()
    assert (entry.secret, entry.refresh_token) == (Secret("client"), Secret("second"))
    assert (entry.access_token, entry.refresh_lifetime) == (ACCESS, LIFETIME)
    opened().keep(Grant(ACCESS, Secret("third"), Secret("")))
    assert opened().read().refresh_lifetime is None


def test_one_at_a_time(opened: Opened) -> None:
    inside = threading.Event()
    order: list[str] = []

    def second() -> None:
        inside.wait(10)
        with opened().exclusively(Cancel()):
            order.append("second")

    thread = threading.Thread(target=second)
    thread.start()
    with opened().exclusively(Cancel()):
        inside.set()
        thread.join(0.2)
        order.append("first")
    thread.join(10)
    assert order == ["first", "second"]


def test_a_fault_inside_lets_the_next_in(opened: Opened) -> None:
    with pytest.raises(ZeroDivisionError), opened().exclusively(Cancel()):
        raise ZeroDivisionError
    with opened().exclusively(Cancel()):
        pass


def test_who_was_cancelled_does_not_get_in(opened: Opened) -> None:
    cancel = Cancel()
    cancel.cancel()
    with opened().exclusively(Cancel()):
        thread_told: list[type[BaseException]] = []

        def second() -> None:
            try:
                with opened().exclusively(cancel):
                    pass
            except CancelledError as error:
                thread_told.append(type(error))

        thread = threading.Thread(target=second)
        thread.start()
        thread.join(0.3)
    thread.join(10)
    assert thread_told == [CancelledError]


def test_an_exchange_is_over_once_its_token_is_kept(opened: Opened) -> None:
    assert not opened().attempt(Secret("first"))
    opened().keep(Grant(ACCESS, Secret("second"), Secret("")))
    assert not opened().attempt(Secret("first"))
