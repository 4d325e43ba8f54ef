"""What every credential store must do, in memory, behind a given secret, and in a real keyring."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import keyring.core
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from keyring.backends import fail

from smtp_desk.core.secret import Secret
from smtp_desk.store.credentials import CredentialStore, KeyringCredentials, MemoryCredentials
from smtp_desk.store.split_credentials import SplitCredentials
from smtp_desk.store.unattended import GivenSecrets, UnattendedCredentials
from tests.table import each_row

if TYPE_CHECKING:
    from tests.servers.secret_service import SecretService

PASSWORDS: Final = {
    "plain": "s3cret",
    "one letter": "x",
    "quotes": "\"'`",
    "backslashes": "\\n\\\\",
    "per cent": "%s %20 %%",
    "spaces around": "  a b  ",
    "non-ASCII": "pässwörd-пароль-密码",
    "astral": "𝄞🗝️",
    "longest": "x" * 255,
    "longest, astral": "𝄞" * 255,
    "decomposed": "e\u0301",
    "markup": "<b>&amp;</b>",
}
# What the form accepts: no control characters, no half surrogate pairs.
PASSWORD = st.text(
    st.characters(exclude_categories=("Cc", "Cs", "Zl", "Zp")), min_size=1, max_size=255
)


SMALL: Final = 24


class SmallCredentials(MemoryCredentials):
    """Takes little for one secret, as the Windows Credential Manager does."""

    def set(self, key: str, secret: Secret) -> None:
        entry = secret.reveal().startswith("smtp-desk parts\n")
        assert entry or len(secret.reveal().encode("utf-16-le", "surrogatepass")) <= SMALL
        super().set(key, secret)


@pytest.fixture(
    params=[
        "memory",
        "unattended",
        "split",
        pytest.param("keyring", marks=pytest.mark.needs("gnome_keyring")),
        pytest.param("keyring, nobody there", marks=pytest.mark.needs("gnome_keyring")),
    ]
)
def store(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> CredentialStore:
    if request.param == "memory":
        return MemoryCredentials()
    if request.param == "unattended":
        return UnattendedCredentials(GivenSecrets(Secret("given")), MemoryCredentials())
    if request.param == "split":
        return SplitCredentials(SmallCredentials(), SMALL)
    no_keyring = fail.Keyring()  # type: ignore[no-untyped-call]
    keyring.get_keyring()  # the library remembers the first answer: there was none
    monkeypatch.setattr(keyring.core, "_keyring_backend", no_keyring)
    service: SecretService = request.getfixturevalue("secret_service")
    for name, value in service.env.items():
        monkeypatch.setenv(name, value)
    interactive = request.param == "keyring"
    return SplitCredentials(KeyringCredentials("smtp-desk test", interactive=interactive))


@each_row("password", PASSWORDS.values(), ids=PASSWORDS.keys())
def test_gives_back_exactly_what_was_put(store: CredentialStore, password: str) -> None:
    store.set("key", Secret(password))
    assert store.get("key") == Secret(password)


@settings(
    # Each example is several conversations with a keyring that keeps what it is told on disk.
    max_examples=min(settings().max_examples // 5, 500),
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(password=PASSWORD)
def test_gives_back_any_password(store: CredentialStore, password: str) -> None:
    store.set("key", Secret(password))
    assert store.get("key") == Secret(password)


@pytest.mark.parametrize("size", [2_560, pytest.param(20_000, marks=pytest.mark.soak)])
def test_gives_back_a_large_secret(store: CredentialStore, size: int) -> None:
    """As a token of a provider that writes much into it."""
    for letter in "a𝄞":
        store.set("key", Secret(letter * size))
        assert store.get("key") == Secret(letter * size)
    store.set("key", Secret("small"))
    assert store.get("key") == Secret("small")
    store.delete("key")
    assert store.get("key") in (None, Secret("given"))


def test_replaces(store: CredentialStore) -> None:
    store.set("key", Secret("one"))
    store.set("key", Secret("two"))
    assert store.get("key") == Secret("two")


def test_keys_are_apart(store: CredentialStore) -> None:
    store.set("first", Secret("one"))
    store.set("second", Secret("two"))
    store.delete("first")
    assert store.get("first") != Secret("one")
    assert store.get("second") == Secret("two")


def test_deleting_what_is_missing_is_fine(store: CredentialStore) -> None:
    store.delete("nothing")
    store.set("key", Secret("one"))
    store.delete("key")
    store.delete("key")
    assert store.get("key") != Secret("one")
