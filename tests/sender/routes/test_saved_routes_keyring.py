"""Routes over a keyring that can not be read, or gives another answer than a moment ago."""

from __future__ import annotations

import os
import threading
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from smtp_desk.core.findings.finding import Finding
from smtp_desk.core.secret import Secret
from smtp_desk.sender.routes.route import CUSTOM, DEFAULT
from smtp_desk.sender.routes.saved import SavedRoutes
from smtp_desk.sender.routes.smtp import SmtpRoute
from smtp_desk.sender.sender import Sender
from smtp_desk.sender.testing import MemoryThrottle
from smtp_desk.store.credentials import CredentialsUnavailableError, UnavailableReason
from smtp_desk.store.settings_store import SettingsStore
from smtp_desk.store.unattended import GivenSecrets, UnattendedCredentials
from tests.sender.homes import Home, Keyring, code
from tests.sender.ways import CATALOGUE
from tests.store.settings import NEW_SECRET, OLD, OLD_SECRET, RELAY

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    home = Home(tmp_path)
    yield home
    home.source.close()


def test_a_locked_keyring_is_asked_again_after_a_minute(home: Home) -> None:
    home.save(OLD, OLD_SECRET)
    home.keyring.locked = True
    home.source = SavedRoutes(
        home.store, CATALOGUE, MemoryThrottle(), monotonic=lambda: home.seconds
    )
    assert code(home.routes.custom) == "settings.secret_unavailable"
    home.keyring.locked = False
    assert code(home.routes.custom) == "settings.secret_unavailable"
    home.seconds = 60
    assert isinstance(home.routes.custom, SmtpRoute)


def test_a_relay_never_gets_the_password_of_the_machine_for_the_custom_server(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The keyring answers once, then it is locked, and the given password stands in."""
    home.save(OLD, OLD_SECRET)
    home.save(replace(RELAY, username="relay"), NEW_SECRET, default=True)
    answers = [NEW_SECRET]

    def get(key: str) -> Secret:
        server = home.store.load().default.server
        if server is not None and key == server.key and answers:
            return answers.pop()
        raise CredentialsUnavailableError(UnavailableReason.LOCKED)

    monkeypatch.setattr(home.keyring, "get", get)
    store = SettingsStore(home.paths, UnattendedCredentials(GivenSecrets(OLD_SECRET), home.keyring))
    home.source = SavedRoutes(store, CATALOGUE, MemoryThrottle())
    given = {way.name: way._pool._credential for way in home.ways()}
    assert given == {CUSTOM: OLD_SECRET, DEFAULT: NEW_SECRET}


@pytest.mark.parametrize("relay_secret", [NEW_SECRET, Secret("not the tested one"), None])
def test_without_a_keyring_each_server_gets_its_own_password(
    home: Home, relay_secret: Secret | None
) -> None:
    home.save(OLD, OLD_SECRET)
    home.save(replace(RELAY, username="relay"), NEW_SECRET, default=True)
    home.keyring.locked = True
    machine = UnattendedCredentials(GivenSecrets(OLD_SECRET, relay_secret), home.keyring)
    home.source = SavedRoutes(SettingsStore(home.paths, machine), CATALOGUE, MemoryThrottle())
    given = {way.name: way._pool._credential for way in home.ways()}
    if relay_secret == NEW_SECRET:
        assert given == {CUSTOM: OLD_SECRET, DEFAULT: NEW_SECRET}
    else:
        assert given == {CUSTOM: OLD_SECRET}
        assert code(home.routes.default) == "settings.secret_differs"


def test_the_environment_of_the_host_stays_as_it_is(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SMTP_DESK_HOME", str(home.paths.config.parent))
    monkeypatch.setenv("SMTP_DESK_PASSWORD", "one")
    monkeypatch.setenv("SMTP_DESK_DEFAULT_PASSWORD", "two")
    before = dict(os.environ)
    with Sender.from_settings():
        assert dict(os.environ) == before
    assert dict(os.environ) == before


@pytest.mark.parametrize("reason", [None, *UnavailableReason])
def test_why_a_secret_is_not_to_be_had(home: Home, reason: UnavailableReason | None) -> None:
    home.save(OLD, OLD_SECRET)
    home.keyring = Keyring()
    home.keyring.reason = reason
    home.source = SavedRoutes(SettingsStore(home.paths, home.keyring), CATALOGUE, MemoryThrottle())
    custom = home.routes.custom
    assert code(custom) == "settings.secret_unavailable"
    assert isinstance(custom, Finding)
    words = {
        None: "has no entry",
        UnavailableReason.LOCKED: "is locked.",
        UnavailableReason.MISSING: "has no keyring",
        UnavailableReason.UNUSABLE: "has no keyring",
        UnavailableReason.NOT_FOUND: "has no entry",
        UnavailableReason.TIMEOUT: "didn’t answer in time",
    }
    assert words.get(reason, "is locked, isn’t running") in custom.explanation


def test_asking_the_keyring_again_leaves_what_works_alone(home: Home) -> None:
    home.save(OLD, OLD_SECRET)
    home.save(RELAY, None, default=True)
    home.keyring.locked = True
    home.source = SavedRoutes(
        home.store, CATALOGUE, MemoryThrottle(), monotonic=lambda: home.seconds
    )
    before = home.routes
    assert code(before.custom) == "settings.secret_unavailable"
    for _ in range(3):
        home.seconds += 60
        assert home.routes.default is before.default
    home.keyring.locked = False
    home.seconds += 60
    assert isinstance(home.routes.custom, SmtpRoute)
    assert home.routes.default is before.default


def test_a_keyring_that_stays_locked_makes_no_mail_due_anew(home: Home) -> None:
    home.save(OLD, OLD_SECRET)
    home.keyring.locked = True
    home.source = SavedRoutes(
        home.store, CATALOGUE, MemoryThrottle(), monotonic=lambda: home.seconds
    )
    before = home.routes
    for _ in range(3):
        home.seconds += 60
        assert home.routes is before
    home.keyring.locked = False
    home.seconds += 60
    assert home.routes is not before


def test_nobody_waits_for_a_keyring_that_is_asked_again(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    home.save(OLD, OLD_SECRET)
    home.keyring.locked = True
    home.source = SavedRoutes(
        home.store, CATALOGUE, MemoryThrottle(), monotonic=lambda: home.seconds
    )
    before = home.routes
    asked, answer = threading.Event(), threading.Event()

    def hanging(_key: str) -> Secret | None:
        asked.set()
        assert answer.wait(10)
        return OLD_SECRET

    monkeypatch.setattr(home.keyring, "get", hanging)
    home.seconds += 60
    first = threading.Thread(target=home.source.routes)
    first.start()
    assert asked.wait(10)
    second = threading.Thread(target=home.source.routes)
    second.start()
    second.join(5)
    assert not second.is_alive()
    assert home.routes is before
    answer.set()
    first.join(10)
    assert isinstance(home.routes.custom, SmtpRoute)
