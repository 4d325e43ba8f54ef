"""The secrets that a machine supplies, for when no keyring answers."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

from smtp_desk.core.secret import KeyringEntry, Secret
from smtp_desk.store.credentials import (
    ALERTS_SYSTEMD_CREDENTIAL,
    DEFAULT_PASSWORD_VARIABLE,
    DEFAULT_SYSTEMD_CREDENTIAL,
    PASSWORD_VARIABLE,
    SYSTEMD_CREDENTIAL,
    CredentialStore,
    CredentialsUnavailableError,
    KeyringCredentials,
    UnavailableReason,
)
from smtp_desk.store.files import read_regular
from smtp_desk.store.split_credentials import SplitCredentials

RELAY_KEY: Final = "default-"
"""How the keys of the default email service's secrets begin."""
ALERTS_KEY: Final = "alerts-"
"""How the keys of alert URLs begin."""
_CREDENTIAL_BYTES: Final = 64 * 1024


@dataclass(frozen=True, slots=True)
class GivenSecrets:
    """The secrets that a machine supplies at each start.

    Attributes:
        custom: The secret of the custom server.
        default: The secret of the relay of the default email service.
        alerts: The alert URLs, one per line.
    """

    custom: Secret | None = None
    default: Secret | None = None
    alerts: Secret | None = None

    def __bool__(self) -> bool:
        return self != GivenSecrets()

    def of(self, *, default: bool) -> Secret | None:
        """Return the secret supplied for one of the two servers.

        If none is supplied for the relay, the other one is used: the proof tells whether it is
        the right one.
        """
        return (self.default or self.custom) if default else self.custom

    @classmethod
    def read(cls, environ: Mapping[str, str]) -> Self:
        """Read the secrets from the variables, or else from the systemd credentials.

        Raises:
            CredentialsUnavailableError: A credential is there and can't be read.
        """
        return cls(
            _given(environ, PASSWORD_VARIABLE, SYSTEMD_CREDENTIAL),
            _given(environ, DEFAULT_PASSWORD_VARIABLE, DEFAULT_SYSTEMD_CREDENTIAL),
            _given(environ, "", ALERTS_SYSTEMD_CREDENTIAL),
        )


class UnattendedCredentials:
    """The secrets that the machine supplies, for when no keyring answers.

    The keyring comes first, so that a supplied secret is never used instead of another server's.
    """

    name: Final = "unattended"

    def __init__(self, given: GivenSecrets, keyring: CredentialStore) -> None:
        self._secrets = given
        self._keyring = keyring

    def get(self, key: str) -> Secret | None:
        """Return the keyring's secret, or else the supplied one."""
        given = self._given(key)
        if given is None:
            return self._keyring.get(key)
        with suppress(CredentialsUnavailableError):
            stored = self._keyring.get(key)
            if stored is not None:
                return stored
        return given

    def set(self, key: str, secret: Secret) -> None:
        """Keep the secret in the keyring; without a keyring only the supplied one is accepted."""
        try:
            self._keyring.set(key, secret)
        except CredentialsUnavailableError:
            entry = KeyringEntry.parse(secret)
            if entry is None or entry.refresh_token or entry.secret != self._given(key):
                raise

    def delete(self, key: str) -> None:
        """Delete the keyring's secret."""
        self._keyring.delete(key)

    def _given(self, key: str) -> Secret | None:
        if key.startswith(ALERTS_KEY):
            return self._secrets.alerts
        return self._secrets.of(default=key.startswith(RELAY_KEY))


def open_credentials(environ: Mapping[str, str], *, interactive: bool) -> CredentialStore:
    """Return the keyring, backed by what the machine supplies; `environ` isn't changed.

    Raises:
        CredentialsUnavailableError: A systemd credential is there and can't be read.
    """
    given = GivenSecrets.read(environ)
    keyring = SplitCredentials(KeyringCredentials(interactive=interactive))
    return UnattendedCredentials(given, keyring) if given else keyring


def _given(environ: Mapping[str, str], variable: str, credential: str) -> Secret | None:
    """Return the secret of a variable, or of a systemd credential without its final line end."""
    if value := environ.get(variable):
        return Secret(value)
    folder = environ.get("CREDENTIALS_DIRECTORY")
    if not folder:
        return None
    try:
        data = read_regular(Path(folder) / credential, _CREDENTIAL_BYTES)
    except FileNotFoundError:
        return None
    except OSError as error:
        detail = f"{credential}: {error.strerror}"
        raise CredentialsUnavailableError(UnavailableReason.SYSTEMD, detail) from error
    text = data.decode("utf-8", "surrogateescape")
    return Secret(text.removesuffix("\n").removesuffix("\r")) if text.strip("\r\n") else None
