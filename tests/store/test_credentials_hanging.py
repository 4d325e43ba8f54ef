"""A keyring that does not answer: no call waits for ever, and little is left behind."""

from __future__ import annotations

import threading

import pytest
from keyring.errors import KeyringLocked

from smtp_desk.store.credentials import (
    CredentialsUnavailableError,
    KeyringCredentials,
    UnavailableReason,
)
from tests.store.test_credentials import ANN, Backend, choose


class Prompting(Backend):
    """Hangs, as on a prompt that nobody answers, until told to go on."""

    __module__ = "keyring.backends.SecretService"

    def __init__(self, **secrets: str) -> None:
        super().__init__(**secrets)
        self.go_on = threading.Event()
        self.deleted = threading.Event()

    def set_password(self, service: str, key: str, password: str) -> None:
        assert self.go_on.wait(10)
        super().set_password(service, key, password)

    def get_password(self, service: str, key: str) -> str | None:
        assert self.go_on.wait(10)
        self._fail_if_told()
        return super().get_password(service, key)

    def delete_password(self, service: str, key: str) -> None:
        super().delete_password(service, key)
        self.deleted.set()


def hanging() -> list[threading.Thread]:
    """The calls that were given up, and hang."""
    return [thread for thread in threading.enumerate() if thread.name == "keyring"]


def join_all() -> None:
    for thread in hanging():
        thread.join(10)
        assert not thread.is_alive()


def unattended(monkeypatch: pytest.MonkeyPatch, backend: Backend) -> KeyringCredentials:
    choose(monkeypatch, backend)
    return KeyringCredentials(interactive=False, limit_s=0.01)


def test_a_secret_that_gets_through_too_late_is_taken_back(monkeypatch: pytest.MonkeyPatch) -> None:
    backend = Prompting()
    with pytest.raises(CredentialsUnavailableError) as caught:
        unattended(monkeypatch, backend).set("key", ANN)
    assert caught.value.reason is UnavailableReason.TIMEOUT
    backend.go_on.set()
    assert backend.deleted.wait(10)
    assert not backend.secrets


@pytest.mark.parametrize("error", [None, KeyringLocked()])
def test_an_answer_too_late_is_dropped(
    monkeypatch: pytest.MonkeyPatch, error: Exception | None
) -> None:
    backend = Prompting()
    with pytest.raises(CredentialsUnavailableError, match=r"timeout \(0\.01 s\)"):
        unattended(monkeypatch, backend).get("key")
    backend.error = error
    backend.go_on.set()
    join_all()


def test_a_keyring_that_hangs_for_hours_costs_few_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    backend = Prompting(key=ANN.reveal())
    choose(monkeypatch, backend)
    minutes = 0
    credentials = KeyringCredentials(interactive=False, limit_s=0.01, clock=lambda: minutes * 60.0)
    asked = []
    for minutes in range(12 * 60):
        before = len(hanging())
        with pytest.raises(CredentialsUnavailableError, match="timeout"):
            credentials.get("key")
        asked += [minutes] * (len(hanging()) - before)
    assert asked == [0, 1, 3, 7, 15, 31, 63, 127, 255, 511]
    backend.go_on.set()
    join_all()
    assert credentials.get("key") == ANN


def test_a_keyring_that_hangs_costs_the_same_however_many_ask(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A program that opens a sender for each email asks by another object each time."""
    backend = Prompting(key=ANN.reveal())
    for _ in range(50):
        with pytest.raises(CredentialsUnavailableError, match="timeout"):
            unattended(monkeypatch, backend).get("key")
    assert len(hanging()) == 1
    backend.go_on.set()
    join_all()
    assert unattended(monkeypatch, backend).get("key") == ANN


def test_a_time_out_of_the_keyring_itself_is_not_the_limit() -> None:
    def fails() -> None:
        raise TimeoutError("the bus")

    with pytest.raises(TimeoutError, match="the bus"):
        KeyringCredentials(interactive=False)._within_limit(fails)
