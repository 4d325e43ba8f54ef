"""Settings of a sign-in by OAuth 2.0: what stands in the file, and what in the keyring only."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING, Final

import pytest

from smtp_desk.core.oauth import OAuthFlow, OAuthProvider, OAuthSettings
from smtp_desk.core.secret import AccessToken, KeyringEntry, Secret
from smtp_desk.core.settings import Security, ServerSettings
from smtp_desk.store.credentials import CredentialsUnavailableError, MemoryCredentials
from smtp_desk.store.save_protocol import SaveError
from smtp_desk.store.settings_file import SettingsFileError, ca_copy
from smtp_desk.store.settings_store import SettingsStore
from smtp_desk.store.split_credentials import SplitCredentials
from smtp_desk.store.stored import ServerState, evaluate
from smtp_desk.store.unattended import GivenSecrets, UnattendedCredentials
from tests.store.failing_credentials import FailingCredentials, keys
from tests.store.settings import OLD, OLD_SECRET

if TYPE_CHECKING:
    from smtp_desk.store.paths import Paths
    from smtp_desk.store.stored import StoredServer

TOKEN: Final = Secret("refresh token of ann " * 100)
CLIENT_SECRET: Final = Secret("client secret")
ACCESS: Final = AccessToken(Secret("access token"), 1_000.0, 4_600.5)
BROWSER: Final = OAuthSettings(
    provider=OAuthProvider.CUSTOM,
    flow=OAuthFlow.BROWSER,
    client_id="desk",
    authorize_url="https://login.example.com/authorize",
    token_url="https://login.example.com/token",
    scopes=("smtp", "offline_access"),
    issuer="https://login.example.com",
    subject="ann",
)
APP: Final = OAuthSettings(
    provider=OAuthProvider.MICROSOFT,
    flow=OAuthFlow.APP,
    client_id="0f8fad5b-d9cb-469f-a165-70867728950e",
    tenant="example.com",
    token_url="https://login.microsoftonline.com/example.com/oauth2/v2.0/token",
    scopes=("https://outlook.office365.com/.default",),
)


def by(oauth: OAuthSettings) -> ServerSettings:
    return replace(OLD, oauth=oauth)


def saved(store: SettingsStore, *, default: bool = False) -> StoredServer:
    """Sign in as ann, and save."""
    stored = store.save_server(
        by(BROWSER), Security.STARTTLS, None, refresh_token=TOKEN, default=default
    )
    server = stored.default.server if default else stored.server
    assert server is not None
    return server


def test_it_is_saved_and_read_back(store: SettingsStore, paths: Paths) -> None:
    server = saved(store)
    store.set_enabled(True)
    assert server == store.load().server
    assert server.settings == by(BROWSER)
    assert store.status().state is ServerState.ACTIVE
    text = paths.settings_file.read_text()
    assert 'auth_method = "oauth"' in text
    assert "[server.oauth]" in text
    assert "refresh" not in text
    entry = store.entry(server)
    assert entry is not None
    assert (entry.secret, entry.refresh_token) == (Secret(""), TOKEN)


def test_what_the_program_knows_stands_in_no_file(store: SettingsStore, paths: Paths) -> None:
    stored = store.save_server(by(APP), Security.STARTTLS, CLIENT_SECRET)
    assert store.load() == stored
    text = paths.settings_file.read_text()
    assert "login.microsoftonline.com" not in text
    assert CLIENT_SECRET.reveal() not in text


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('client_id = "desk"', 'client_id = "evil"'),
        ('token_url = "https://login.example.com', 'token_url = "https://evil.example'),
        ('scope = "smtp ', 'scope = "files '),
        ('subject = "ann"', 'subject = "bo"'),
        ('issuer = "https://login', 'issuer = "https://evil'),
        ('flow = "browser"', 'flow = "device"\ndevice_url = "https://evil.example"'),
        ('auth_method = "oauth"', 'auth_method = "auto"'),
        ("ann@example.org", "eve@example.org"),
    ],
)
def test_edited_by_hand_is_unproven(store: SettingsStore, paths: Paths, old: str, new: str) -> None:
    saved(store)
    store.set_enabled(True)
    text = paths.settings_file.read_text()
    assert old in text
    paths.settings_file.write_text(text.replace(old, new))
    status = store.status()
    assert (status.state, status.code) == (ServerState.UNPROVEN, "settings.not_proven")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('provider = "custom"', 'provider = "other"'),
        ('provider = "custom"', 'provider = "google"'),
        ('token_url = "https:', 'token_url = "http:'),
        ('client_id = "desk"', 'client_id = ""'),
        ('client_id = "desk"', "client_id = 3"),
        ("[server.oauth]", "[server.other]"),
    ],
)
def test_values_that_break_a_rule_are_named(
    store: SettingsStore, paths: Paths, old: str, new: str
) -> None:
    saved(store)
    text = paths.settings_file.read_text()
    assert old in text
    paths.settings_file.write_text(text.replace(old, new))
    with pytest.raises(SettingsFileError, match="server"):
        store.load()


def test_a_password_takes_the_place_of_a_sign_in_and_back(
    store: SettingsStore, paths: Paths, credentials: MemoryCredentials
) -> None:
    saved(store)
    stored = store.save_server(OLD, Security.STARTTLS, OLD_SECRET)
    assert store.load() == stored
    assert "oauth" not in paths.settings_file.read_text()
    saved(store)
    assert keys(credentials) == store.load().keys


def test_its_ca_is_copied_apart_from_that_of_the_mail_server(
    store: SettingsStore, ca_pem: str, other_ca_pem: str, paths: Paths
) -> None:
    settings = replace(by(replace(BROWSER, ca_pem=other_ca_pem)), ca_pem=ca_pem)
    stored = store.save_server(settings, Security.STARTTLS, None, refresh_token=TOKEN)
    assert stored.server is not None
    assert store.load() == stored
    copies = [ca_copy(paths.settings_file, each) for each in (ca_pem, other_ca_pem)]
    assert [each.read_text() for each in copies] == [ca_pem, other_ca_pem]
    saved(store)
    assert not list(paths.config.glob("ca-*"))


def test_a_rotated_token_keeps_the_proof(
    store: SettingsStore, credentials: MemoryCredentials
) -> None:
    server = saved(store)
    store.set_enabled(True)
    before = store.fingerprint()
    for number in range(3):
        store.keep_tokens(server, Secret(f"rotated {number}"), ACCESS)
        entry = store.entry(server)
        assert entry is not None
        assert entry.refresh_token == Secret(f"rotated {number}")
        assert entry.access_token == ACCESS
        assert store.status().state is ServerState.ACTIVE
    assert store.fingerprint() == before
    assert keys(credentials) == {server.key}


@pytest.mark.parametrize("call", ["get", "set"])
def test_a_token_that_can_not_be_kept_is_told(paths: Paths, call: str) -> None:
    credentials = FailingCredentials()
    store = SettingsStore(paths, credentials)
    server = saved(store)
    credentials.failing = {call}
    with pytest.raises(SaveError, match="missing"):
        store.keep_tokens(server, Secret("rotated"), ACCESS)
    credentials.failing = set()
    entry = store.entry(server)
    assert entry is not None
    assert entry.refresh_token == TOKEN


def test_a_token_of_a_sign_in_that_was_removed_is_not_kept(
    store: SettingsStore, credentials: MemoryCredentials
) -> None:
    server = saved(store)
    store.remove_server()
    with pytest.raises(SaveError, match="removed"):
        store.keep_tokens(server, Secret("rotated"), ACCESS)
    assert not keys(credentials)


def test_a_token_finds_the_sign_in_that_was_saved_anew_meanwhile(store: SettingsStore) -> None:
    server = saved(store)
    fresh = saved(store)
    assert fresh.key != server.key
    store.keep_tokens(server, Secret("rotated"), ACCESS)
    entry = store.entry(fresh)
    assert entry is not None
    assert entry.refresh_token == Secret("rotated")
    other = replace(BROWSER, token_url="https://elsewhere.example.com/token")
    store.save_server(by(other), Security.STARTTLS, None, refresh_token=TOKEN)
    with pytest.raises(SaveError, match="removed"):
        store.keep_tokens(server, Secret("rotated"), ACCESS)


def test_a_large_token_in_a_keyring_that_takes_little(paths: Paths) -> None:
    behind = MemoryCredentials()
    store = SettingsStore(paths, SplitCredentials(behind))
    server = saved(store)
    assert len(keys(behind)) > 2
    store.keep_tokens(server, Secret("x" * 20_000), ACCESS)
    entry = store.entry(server)
    assert entry is not None
    assert entry.refresh_token == Secret("x" * 20_000)
    store.remove_server()
    assert not keys(behind)


@pytest.mark.parametrize("default", [False, True])
def test_without_a_keyring_a_machine_signs_in_by_itself(paths: Paths, default: bool) -> None:
    given = GivenSecrets(CLIENT_SECRET, Secret("of the relay") if default else None)
    secret = given.of(default=default)
    store = SettingsStore(paths, UnattendedCredentials(given, FailingCredentials("get", "set")))
    stored = store.save_server(by(APP), Security.STARTTLS, secret, default=default)
    assert store.status(stored, default=default).state is not ServerState.UNPROVEN
    other = UnattendedCredentials(GivenSecrets(Secret("x"), Secret("x")), FailingCredentials("get"))
    store.set_enabled(not default)
    status = SettingsStore(paths, other).status(default=default)
    assert status.code == "settings.secret_differs"
    assert status.by_token


@pytest.mark.parametrize("client_secret", [None, CLIENT_SECRET])
def test_without_a_keyring_nobody_stays_signed_in(
    paths: Paths, client_secret: Secret | None
) -> None:
    no_keyring = FailingCredentials("get", "set", "delete")
    store = SettingsStore(paths, UnattendedCredentials(GivenSecrets(CLIENT_SECRET), no_keyring))
    with pytest.raises(SaveError, match="missing"):
        store.save_server(by(BROWSER), Security.TLS, client_secret, refresh_token=TOKEN)
    assert store.load().server is None


def test_a_keyring_of_an_earlier_version_of_the_entry_has_no_token() -> None:
    entry = KeyringEntry(CLIENT_SECRET, bytes(32))
    assert "refresh_token" not in entry.write().reveal()
    assert KeyringEntry.parse(entry.write()) == entry
    with pytest.raises(CredentialsUnavailableError):
        UnattendedCredentials(GivenSecrets(CLIENT_SECRET), FailingCredentials("set")).set(
            "key", replace(entry, refresh_token=TOKEN).write()
        )


DAY: Final = date(2027, 5, 30)


@pytest.mark.parametrize("default", [False, True])
def test_when_a_client_secret_expires_is_saved_alone_and_proves_nothing(
    store: SettingsStore, credentials: MemoryCredentials, paths: Paths, *, default: bool
) -> None:
    before = store.save_server(by(APP), Security.STARTTLS, CLIENT_SECRET, default=default)
    saved(store, default=not default)
    known = keys(credentials)

    def stored() -> StoredServer:
        found = store.load()
        server = found.default.server if default else found.server
        assert server is not None
        return server

    for day in (DAY, date(2028, 2, 29), None):
        store.save_expiry(day, default=default)
        assert stored().settings.client_secret_expires == day
        assert ("client_secret_expires" in paths.settings_file.read_text()) == (day is not None)
        assert stored() == (before.default.server if default else before.server)
        entry = store.entry(stored())
        assert evaluate(stored(), entry).state is ServerState.ACTIVE
        assert keys(credentials) == known
    (latest, _, first, *_rest) = store.history.changes()
    name = "default.oauth.client_secret_expires" if default else "oauth.client_secret_expires"
    assert (first.field, first.before, first.after) == (name, "", "2027-05-30")
    assert (latest.before, latest.after) == ("2028-02-29", "")
    assert store.history.previous() is None


def test_without_a_sign_in_there_is_no_day(store: SettingsStore) -> None:
    for default in (False, True):
        with pytest.raises(ValueError, match=r"OAuth 2\.0"):
            store.save_expiry(DAY, default=default)


def test_the_previous_settings_know_no_day_as_they_know_no_secret(store: SettingsStore) -> None:
    dated = by(APP).with_expiry(DAY)
    store.save_server(dated, Security.STARTTLS, CLIENT_SECRET)
    store.save_server(replace(dated, port=2525), Security.STARTTLS, CLIENT_SECRET)
    previous = store.history.previous()
    assert previous is not None
    assert previous.draft.oauth.client_id == APP.client_id
    assert previous.draft.oauth.client_secret_expires == ""


@pytest.mark.parametrize(
    ("written", "day"),
    [
        ("2027-05-30", DAY),
        ('"2027-05-30"', DAY),
        ("2020-02-29", date(2020, 2, 29)),
        ('""', None),
    ],
)
def test_a_day_written_by_hand(
    store: SettingsStore, paths: Paths, written: str, day: date | None
) -> None:
    """As a date of TOML, or in quotes; what is saved later keeps the rest of the file."""
    store.save_server(by(APP), Security.STARTTLS, CLIENT_SECRET)
    text = paths.settings_file.read_text()
    paths.settings_file.write_text(
        text.replace("[server.oauth]", f"[server.oauth]\nclient_secret_expires = {written}  # mine")
    )
    server = store.load().server
    assert server is not None
    assert server.settings.client_secret_expires == day
    store.set_enabled(True)
    assert store.status().state is ServerState.ACTIVE
    again = store.load().server
    assert again is not None
    assert again.settings.client_secret_expires == day


@pytest.mark.parametrize(
    "written", ["2027-05-30T10:00:00Z", "10:00:00", "20270530", '"soon"', '"2027-02-29"', "true"]
)
def test_what_is_no_day_is_named(store: SettingsStore, paths: Paths, written: str) -> None:
    store.save_server(by(APP), Security.STARTTLS, CLIENT_SECRET)
    text = paths.settings_file.read_text()
    paths.settings_file.write_text(
        text.replace("[server.oauth]", f"[server.oauth]\nclient_secret_expires = {written}")
    )
    with pytest.raises(SettingsFileError, match=r"client_secret_expires"):
        store.load()
