"""Which keyrings count, what is said where none can be used, and that no call hangs."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING, Final

import keyring.core
import pytest
from keyring.backends import chainer
from keyring.backends.fail import Keyring as FailKeyring
from keyring.backends.null import Keyring as NullKeyring
from keyring.errors import InitError, KeyringLocked, PasswordDeleteError, PasswordSetError

from smtp_desk.app.words import failure_text
from smtp_desk.core.secret import KeyringEntry, Secret
from smtp_desk.store.credentials import (
    CredentialsUnavailableError,
    KeyringCredentials,
    MemoryCredentials,
    UnavailableReason,
)
from smtp_desk.store.paths import Paths
from smtp_desk.store.settings_store import SettingsStore
from smtp_desk.store.unattended import GivenSecrets, UnattendedCredentials, open_credentials

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.servers.secret_service import SecretService

ANN: Final = Secret("ann's secret")


class Backend:
    """Stands for a back end of the library; no subclass, since the library enlists those."""

    priority = 5

    def __init__(self, **secrets: str) -> None:
        self.secrets = secrets
        self.error: Exception | None = None

    def _fail_if_told(self) -> None:
        if self.error is not None:
            raise self.error

    def get_password(self, service: str, key: str) -> str | None:
        self._fail_if_told()
        return self.secrets.get(key)

    def set_password(self, service: str, key: str, password: str) -> None:
        self._fail_if_told()
        self.secrets[key] = password

    def delete_password(self, service: str, key: str) -> None:
        self._fail_if_told()
        if key not in self.secrets:
            raise PasswordDeleteError("No such password!")
        del self.secrets[key]


def back_end(module: str, **secrets: str) -> Backend:
    """A back end that pretends to live in a module of the library or of somebody else."""
    kind: type[Backend] = type("Keyring", (Backend,), {"__module__": module})
    return kind(**secrets)


def new(kind: Callable[[], object]) -> object:
    """One of the library's back ends, whose constructors have no types."""
    return kind()


def choose(monkeypatch: pytest.MonkeyPatch, backend: object) -> KeyringCredentials:
    monkeypatch.setattr(keyring.core, "_keyring_backend", backend)
    return KeyringCredentials(interactive=True)


def chain(monkeypatch: pytest.MonkeyPatch, *backends: Backend) -> KeyringCredentials:
    monkeypatch.setattr(chainer.ChainerBackend, "backends", list(backends))
    return choose(monkeypatch, new(chainer.ChainerBackend))


@pytest.mark.parametrize("module", ["SecretService", "libsecret", "kwallet", "macOS", "Windows"])
def test_keyrings_of_the_system_count(monkeypatch: pytest.MonkeyPatch, module: str) -> None:
    credentials = choose(monkeypatch, back_end(f"keyring.backends.{module}"))
    credentials.set("key", ANN)
    assert credentials.get("key") == ANN


@pytest.mark.parametrize(
    "backend",
    [
        new(NullKeyring),
        back_end("keyrings.alt.file"),
        back_end("keyring.backends.SecretService.impostor"),
    ],
    ids=["null", "plaintext", "unknown"],
)
def test_others_are_none(monkeypatch: pytest.MonkeyPatch, backend: object) -> None:
    credentials = choose(monkeypatch, backend)
    for call in every_call(credentials):
        with pytest.raises(CredentialsUnavailableError) as caught:
            call()
        assert caught.value.reason is UnavailableReason.MISSING
        assert "SMTP_DESK_PASSWORD" in failure_text(caught.value)


@pytest.mark.parametrize("name", ["keyring.backends.fail.Keyring", "keyring.backends.null.Keyring"])
def test_a_keyring_switched_off_stays_off(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", name)
    monkeypatch.setattr(keyring.core, "_keyring_backend", None)
    with pytest.raises(CredentialsUnavailableError, match="missing"):
        KeyringCredentials(interactive=True).get("key")


def test_a_chosen_keyring_that_can_not_be_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "no.such.module.Keyring")
    monkeypatch.setattr(keyring.core, "_keyring_backend", None)
    with pytest.raises(CredentialsUnavailableError, match="No module named 'no'"):
        KeyringCredentials(interactive=True).get("key")


def test_none_at_first(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(CredentialsUnavailableError, match="missing"):
        choose(monkeypatch, new(FailKeyring)).get("key")


@pytest.mark.parametrize(
    ("platform", "hint"),
    [("darwin", "Keychain Access"), ("win32", "Credential Manager"), ("linux", "GNOME Keyring")],
)
def test_says_how_to_get_one(monkeypatch: pytest.MonkeyPatch, platform: str, hint: str) -> None:
    monkeypatch.setattr(sys, "platform", platform)
    with pytest.raises(CredentialsUnavailableError) as caught:
        choose(monkeypatch, new(NullKeyring)).get("key")
    assert hint in failure_text(caught.value)


def test_of_a_chain_the_first_that_counts_is_written(monkeypatch: pytest.MonkeyPatch) -> None:
    plain = back_end("keyrings.alt.file")
    first, second = back_end("keyring.backends.kwallet"), back_end("keyring.backends.SecretService")
    chain(monkeypatch, plain, first, second).set("key", ANN)
    assert first.secrets == {"key": ANN.reveal()}
    assert not plain.secrets
    assert not second.secrets


def test_of_a_chain_all_that_count_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """A service can see the keyrings in another order than the desktop session."""
    plain = back_end("keyrings.alt.file", plain="x")
    first = back_end("keyring.backends.kwallet")
    second = back_end("keyring.backends.SecretService", key=ANN.reveal())
    credentials = chain(monkeypatch, plain, first, second)
    assert credentials.get("key") == ANN
    assert credentials.get("plain") is None
    first.error = KeyringLocked()
    assert credentials.get("key") == ANN
    with pytest.raises(CredentialsUnavailableError, match="locked"):
        credentials.get("other")
    credentials.delete("key")
    assert not second.secrets


def every_call(credentials: KeyringCredentials) -> list[Callable[[], object]]:
    return [
        lambda: credentials.get("key"),
        lambda: credentials.set("key", ANN),
        lambda: credentials.delete("key"),
    ]


def caused(error: Exception, cause: str) -> Exception:
    error.__cause__ = type(cause, (Exception,), {})()
    return error


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (KeyringLocked("Failed to unlock the collection!"), UnavailableReason.LOCKED),
        (type("LockedException", (Exception,), {})(), UnavailableReason.LOCKED),
        (PasswordSetError("Cancelled by user"), UnavailableReason.DENIED),
        (caused(InitError(), "PromptDismissedException"), UnavailableReason.DENIED),
        (caused(KeyringLocked(), "KeychainDenied"), UnavailableReason.DENIED),
        (InitError("Failed to create the collection"), UnavailableReason.FAILED),
        (TimeoutError("no reply"), UnavailableReason.FAILED),
    ],
)
@pytest.mark.parametrize("interactive", [True, False])
def test_says_why(
    monkeypatch: pytest.MonkeyPatch,
    error: Exception,
    reason: UnavailableReason,
    interactive: bool,
) -> None:
    backend = back_end("keyring.backends.SecretService")
    backend.error = error
    choose(monkeypatch, backend)
    for call in every_call(KeyringCredentials(interactive=interactive)):
        with pytest.raises(CredentialsUnavailableError) as caught:
            call()
        assert caught.value.reason is reason
        assert "{" not in failure_text(caught.value)


def test_a_secret_that_can_not_be_deleted(monkeypatch: pytest.MonkeyPatch) -> None:
    class Stubborn(Backend):
        def delete_password(self, service: str, key: str) -> None:
            raise PasswordDeleteError("Prompt was closed")

    Stubborn.__module__ = "keyring.backends.SecretService"
    credentials = choose(monkeypatch, Stubborn(key="x"))
    credentials.delete("other")
    with pytest.raises(CredentialsUnavailableError, match="Prompt was closed"):
        credentials.delete("key")


def test_no_error_holds_the_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    """Encoders tell what they failed on."""
    backend = back_end("keyring.backends.SecretService")
    backend.error = UnicodeEncodeError("utf-8", ANN.reveal(), 0, 1, ANN.reveal())
    credentials = choose(monkeypatch, backend)
    with pytest.raises(CredentialsUnavailableError) as caught:
        credentials.set("key", ANN)
    assert ANN.reveal() not in str(caught.value) + caught.value.detail
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__


CALLS: Final = """
from smtp_desk.core.secret import KeyringEntry, Secret
from smtp_desk.store.credentials import CredentialsUnavailableError, KeyringCredentials
credentials = KeyringCredentials(interactive=False, limit_s=LIMIT)
for call in (
    lambda: credentials.get("key"),
    lambda: credentials.set("key", Secret("x")),
    lambda: credentials.delete("key"),
):
    try:
        call()
    except CredentialsUnavailableError as error:
        print(error.reason)
    else:
        print("done")
"""


def reasons(service: SecretService, *, limit_s: float) -> list[str]:
    done = service.run_python(CALLS.replace("LIMIT", str(limit_s)))
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


@pytest.mark.needs("gnome_keyring")
def test_the_states_of_a_real_keyring(
    secret_service: SecretService, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret_service.env["PYTHONPATH"] = ":".join(sys.path)
    assert reasons(secret_service, limit_s=30) == ["done"] * 3
    secret_service.lock()
    assert set(reasons(secret_service, limit_s=30)) <= {"locked", "denied"}
    secret_service.hang_on_prompts()
    assert reasons(secret_service, limit_s=0.5) == ["timeout"] * 3


def test_no_bus(no_bus_env: dict[str, str]) -> None:
    command = [sys.executable, "-c", CALLS.replace("LIMIT", "30")]
    env = {**no_bus_env, "PYTHONPATH": ":".join(sys.path)}
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["missing"] * 3


def test_unattended_without_a_keyring(monkeypatch: pytest.MonkeyPatch) -> None:
    credentials = UnattendedCredentials(GivenSecrets(ANN), choose(monkeypatch, new(NullKeyring)))
    credentials.set("key", ANN)
    assert credentials.get("key") == ANN
    with pytest.raises(CredentialsUnavailableError):
        credentials.set("key", Secret("another"))
    with pytest.raises(CredentialsUnavailableError):
        credentials.delete("key")


def test_unattended_with_a_keyring() -> None:
    keyring_behind = MemoryCredentials()
    credentials = UnattendedCredentials(GivenSecrets(ANN), keyring_behind)
    credentials.set("key", Secret("another"))
    assert keyring_behind.get("key") == Secret("another")
    assert credentials.get("key") == Secret("another")
    assert credentials.get("other") == ANN


CUSTOM: Final = ("SMTP_DESK_PASSWORD", "smtp-desk.password")
RELAY: Final = ("SMTP_DESK_DEFAULT_PASSWORD", "smtp-desk.default-password")
for_both: Final = pytest.mark.parametrize("names", [CUSTOM, RELAY])


@for_both
def test_secret_from_the_variable(tmp_path: Path, names: tuple[str, str]) -> None:
    (tmp_path / names[1]).write_text("of systemd")
    environ = {names[0]: " x\n", "CREDENTIALS_DIRECTORY": str(tmp_path)}
    before = dict(environ)
    given = GivenSecrets.read(environ)
    assert given.of(default=names is RELAY) == Secret(" x\n")
    assert environ == before
    assert "x" not in repr(given).replace("GivenSecrets", "")


@pytest.mark.parametrize(
    ("content", "secret"),
    [
        (b" x y ", " x y "),
        (b"x\n", "x"),
        (b"x\r\n", "x"),
        (b"x\n\n", "x\n"),
        ("pässwörd\n".encode(), "pässwörd"),
        (b"\xff", "\udcff"),
        (b"", None),
        (b"\n", None),
    ],
)
@for_both
def test_secret_from_systemd(
    tmp_path: Path, names: tuple[str, str], content: bytes, secret: str | None
) -> None:
    (tmp_path / names[1]).write_bytes(content)
    expected = None if secret is None else Secret(secret)
    given = GivenSecrets.read({names[0]: "", "CREDENTIALS_DIRECTORY": str(tmp_path)})
    assert given.of(default=names is RELAY) == expected


def test_nothing_given(tmp_path: Path) -> None:
    nothing = {"SMTP_DESK_PASSWORD": "", "SMTP_DESK_DEFAULT_PASSWORD": ""}
    for environ in ({}, nothing, {"CREDENTIALS_DIRECTORY": str(tmp_path)}):
        assert not GivenSecrets.read(environ)
        credentials = open_credentials(environ, interactive=False)
        assert credentials.name == "keyring"


@for_both
def test_a_credential_that_can_not_be_read(tmp_path: Path, names: tuple[str, str]) -> None:
    (tmp_path / names[1]).mkdir()
    with pytest.raises(CredentialsUnavailableError, match=rf"systemd \({names[1]}: "):
        open_credentials({"CREDENTIALS_DIRECTORY": str(tmp_path)}, interactive=False)


def test_each_server_gets_the_one_that_is_given_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    no_keyring = choose(monkeypatch, new(NullKeyring))
    bo = Secret("bo's secret")
    both = UnattendedCredentials(GivenSecrets(ANN, bo), no_keyring)
    assert (both.get("key"), both.get("default-key")) == (ANN, bo)
    both.set("default-key", KeyringEntry(bo, bytes(32)).write())
    with pytest.raises(CredentialsUnavailableError):
        both.set("key", bo)
    one = UnattendedCredentials(GivenSecrets(ANN), no_keyring)
    assert one.get("default-key") == ANN, "its proof tells whether it is the right one"
    other = UnattendedCredentials(GivenSecrets(default=bo), no_keyring)
    assert other.get("default-key") == bo
    with pytest.raises(CredentialsUnavailableError, match="missing"):
        other.get("key")
    with pytest.raises(CredentialsUnavailableError, match="missing"):
        other.set("key", bo)


def test_alert_urls_from_systemd(tmp_path: Path) -> None:
    """Of a store whose file names none, and beside a keyring that has none."""
    urls = "jsons://example.org/x\ngotifys://example.org/y"
    (tmp_path / "smtp-desk.alerts").write_text(f"{urls}\n")
    given = GivenSecrets.read({"CREDENTIALS_DIRECTORY": str(tmp_path)})
    assert given.alerts == Secret(urls)
    assert given.of(default=False) is None
    credentials = UnattendedCredentials(given, MemoryCredentials())
    store = SettingsStore(Paths.below(tmp_path / "home"), credentials)
    assert store.alerts() == Secret(urls)
    only_password = UnattendedCredentials(GivenSecrets(ANN), MemoryCredentials())
    assert not SettingsStore(Paths.below(tmp_path / "home"), only_password).alerts()
