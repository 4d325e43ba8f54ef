"""Where secrets are kept: the keyring of the operating system, or memory."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from enum import StrEnum
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Final, Protocol, TypeVar

from smtp_desk.core.secret import Secret

if TYPE_CHECKING:
    from keyring.backend import KeyringBackend

PASSWORD_VARIABLE: Final = "SMTP_DESK_PASSWORD"  # noqa: S105 - a variable's name
"""Gives the custom server's secret to an unattended machine."""
DEFAULT_PASSWORD_VARIABLE: Final = "SMTP_DESK_DEFAULT_PASSWORD"  # noqa: S105 - as above
"""The same for the relay of the default email service."""
SYSTEMD_CREDENTIAL: Final = "smtp-desk.password"
DEFAULT_SYSTEMD_CREDENTIAL: Final = "smtp-desk.default-password"
ALERTS_SYSTEMD_CREDENTIAL: Final = "smtp-desk.alerts"
"""Names of the systemd credentials that give these secrets, and alert URLs, to a service."""

_T = TypeVar("_T")
_LIMIT_S: Final = 10.0
# A keyring that hangs is asked again so late, and doubly as late for each call that hangs.
_LET_BE_S: Final = 60.0
# The null, fail and plaintext back ends, and all we do not know, are no place for a secret.
_KEYRINGS: Final = frozenset(
    f"keyring.backends.{name}"
    for name in ("SecretService", "libsecret", "kwallet", "macOS", "Windows")
)
_REFUSED_BY_PERSON: Final = frozenset({"PromptDismissedException", "KeychainDenied"})


class UnavailableReason(StrEnum):
    """Why a credential store can't be used."""

    MISSING = "missing"
    UNUSABLE = "unusable"
    NOT_FOUND = "not_found"
    LOCKED = "locked"
    DENIED = "denied"
    TIMEOUT = "timeout"
    ALTERED = "altered"
    REMOVED = "removed"
    FAILED = "failed"
    SYSTEMD = "systemd"
    NO_SYSTEMD = "no_systemd"
    NOT_GIVEN = "not_given"


class CredentialsUnavailableError(Exception):
    """The credential store can't be used now.

    Attributes:
        reason: Why.
        detail: What the system said, the limit that was exceeded, or "".
    """

    def __init__(self, reason: UnavailableReason, detail: str = "") -> None:
        more = f" ({detail})" if detail else ""
        super().__init__(f"the credential store can't be used: {reason}{more}")
        self.reason = reason
        self.detail = detail


class CredentialStore(Protocol):
    """Keeps secrets under keys. Every method raises `CredentialsUnavailableError`."""

    @property
    def name(self) -> str:
        """Its name, for logs."""
        ...

    def get(self, key: str) -> Secret | None:
        """Return the secret, or None if there is none under this key."""
        ...

    def set(self, key: str, secret: Secret) -> None:
        """Keep the secret under the key, replacing another."""
        ...

    def delete(self, key: str) -> None:
        """Delete the secret, if there is one."""
        ...


class MemoryCredentials:
    """Keeps secrets in memory, for the sandbox and for tests."""

    name: Final = "memory"

    def __init__(self) -> None:
        self._secrets: dict[str, Secret] = {}

    def get(self, key: str) -> Secret | None:
        """Return the secret, or None."""
        return self._secrets.get(key)

    def set(self, key: str, secret: Secret) -> None:
        """Keep the secret."""
        self._secrets[key] = secret

    def delete(self, key: str) -> None:
        """Forget the secret."""
        self._secrets.pop(key, None)


class KeyringCredentials:
    """Keeps secrets in the keyring of the operating system.

    That is the Secret Service, KWallet, the macOS Keychain or the Windows Credential
    Manager; other back ends aren't used. If several are available, the first by the keyring
    library's order is written, and all are read, since the order can differ between a
    desktop session and a service.
    """

    name: Final = "keyring"

    def __init__(
        self,
        service: str = "smtp-desk",
        *,
        interactive: bool,
        limit_s: float = _LIMIT_S,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Touch nothing yet; `limit_s` is the longest wait where nobody answers a prompt."""
        self._service = service
        self._limit_s = None if interactive else limit_s
        self._clock = clock

    def get(self, key: str) -> Secret | None:
        """Return the secret, or None if no available keyring has it."""
        return self._within_limit(lambda: self._get(key))

    def set(self, key: str, secret: Secret) -> None:
        """Keep the secret; if that succeeds only after the time limit, it is deleted again."""
        self._within_limit(lambda: self._set(key, secret), undo=lambda: self._delete(key))

    def delete(self, key: str) -> None:
        """Forget the secret."""
        self._within_limit(lambda: self._delete(key))

    def _get(self, key: str) -> Secret | None:
        failure: CredentialsUnavailableError | None = None
        for backend in _backends():
            try:
                value = backend.get_password(self._service, key)
            except Exception as error:  # noqa: BLE001 - the caller decides what an error means
                failure = failure or _unavailable(error)
            else:
                if value is not None:
                    return Secret(value)
        if failure is not None:
            raise failure
        return None

    def _set(self, key: str, secret: Secret) -> None:
        backend = _backends()[0]
        try:
            backend.set_password(self._service, key, secret.reveal())
        except Exception as error:  # noqa: BLE001 - the caller decides what an error means
            # Neither chained nor quoted: the error of an encoder holds the secret.
            raise _unavailable(error, quote=False) from None

    def _delete(self, key: str) -> None:
        failure: CredentialsUnavailableError | None = None
        for backend in _backends():
            try:
                if _delete_if_there(backend, self._service, key):
                    return
            except Exception as error:  # noqa: BLE001 - the caller decides what an error means
                failure = failure or _unavailable(error)
        if failure is not None:
            raise failure

    def _within_limit(self, work: Callable[[], _T], undo: Callable[[], None] | None = None) -> _T:
        """Do `work`, or give it up at the limit; a prompt can't be interrupted.

        What was given up goes on in its thread. As long as it does, others are given up at
        once, but for one now and then: the next may get an answer, and threads are few.
        """
        if self._limit_s is None:
            return work()
        given_up = _given_up
        given_up.threads = tuple(each for each in given_up.threads if each.is_alive())
        if given_up.threads and self._clock() < given_up.let_be_until:
            raise _no_answer(self._limit_s)
        _load_back_ends()
        outcome: Future[_T] = Future()
        arguments = (outcome, work, undo)
        thread = threading.Thread(target=_settle, args=arguments, name="keyring", daemon=True)
        thread.start()
        with suppress(TimeoutError):
            return outcome.result(self._limit_s)
        if not outcome.cancel():  # it came in at the last moment
            return outcome.result()
        given_up.let_be_until = self._clock() + _LET_BE_S * (1 << len(given_up.threads))
        given_up.threads = (*given_up.threads, thread)
        raise _no_answer(self._limit_s)


class _GivenUp:
    """The calls of the whole process that were given up: the keyring is one, senders are many."""

    def __init__(self) -> None:
        self.threads: tuple[threading.Thread, ...] = ()
        self.let_be_until = 0.0


_given_up: Final = _GivenUp()


def _settle(outcome: "Future[_T]", work: Callable[[], _T], undo: Callable[[], None] | None) -> None:
    try:
        result = work()
    except Exception as error:  # noqa: BLE001 - the caller decides what an error means
        if outcome.set_running_or_notify_cancel():
            outcome.set_exception(error)
        return
    if outcome.set_running_or_notify_cancel():
        outcome.set_result(result)
    elif undo is not None:
        with suppress(CredentialsUnavailableError):
            undo()


@cache
def _load_back_ends() -> None:
    """Load the library and its back ends in the caller's thread, who may keep forks waiting.

    A child that was forked while the thread of a call imports would wait for ever at its own.
    """
    from importlib.metadata import entry_points  # noqa: PLC0415 - slow, as the next

    import_module("keyring.core")
    for back_end in entry_points(group="keyring.backends"):
        with suppress(Exception):  # one of another system; the library leaves it out, too
            back_end.load()
    # The Secret Service gives secrets encrypted, and its library loads this for the first one.
    import_module("cryptography.hazmat.backends.openssl.backend")


def _backends() -> "list[KeyringBackend]":
    """Return the keyrings in reach, best first.

    Raises:
        CredentialsUnavailableError: There is none.
    """
    try:
        found = [backend for backend in _candidates() if type(backend).__module__ in _KEYRINGS]
    except Exception as error:  # a chosen back end that can't be loaded
        raise CredentialsUnavailableError(UnavailableReason.UNUSABLE, _said(error)) from error
    if not found:
        raise CredentialsUnavailableError(UnavailableReason.MISSING)
    return found


def _candidates() -> "list[KeyringBackend]":
    # Imported here: 100 ms that a program without credentials never pays.
    import keyring.backend  # noqa: PLC0415
    from keyring.backends import chainer, fail  # noqa: PLC0415

    chosen = keyring.get_keyring()
    if isinstance(chosen, chainer.ChainerBackend):
        return list(chosen.backends)
    if type(chosen) is fail.Keyring and not _is_configured():
        # The library remembers that there was none; one may run by now.
        viable = [kind() for kind in keyring.backend.KeyringBackend.get_viable_backends()]
        return sorted(viable, key=keyring.backend.by_priority, reverse=True)
    return [chosen]


def _is_configured() -> bool:
    """Whether the person chose the back end, by variable or configuration file."""
    import keyring.core  # noqa: PLC0415 - as above

    return (keyring.core.load_env() or keyring.core.load_config()) is not None


def _delete_if_there(backend: "KeyringBackend", service: str, key: str) -> bool:
    from keyring.errors import PasswordDeleteError  # noqa: PLC0415 - as above

    try:
        backend.delete_password(service, key)
    except PasswordDeleteError:
        if backend.get_password(service, key) is not None:
            raise
        return False
    return True


def _unavailable(error: Exception, *, quote: bool = True) -> CredentialsUnavailableError:
    """Translate what a back end raised; without `quote` none of its words are told."""
    from keyring.errors import KeyringLocked  # noqa: PLC0415 - as above

    cause = type(error.__cause__).__name__
    if cause in _REFUSED_BY_PERSON or "Cancelled by user" in str(error):
        return CredentialsUnavailableError(UnavailableReason.DENIED)
    if isinstance(error, KeyringLocked) or type(error).__name__ == "LockedException":
        return CredentialsUnavailableError(UnavailableReason.LOCKED)
    said = _said(error) if quote else type(error).__name__
    return CredentialsUnavailableError(UnavailableReason.FAILED, said)


def _no_answer(limit_s: float) -> CredentialsUnavailableError:
    return CredentialsUnavailableError(UnavailableReason.TIMEOUT, f"{limit_s:g} s")


def _said(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"
