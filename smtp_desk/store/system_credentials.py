"""The system-wide secrets: encrypted files that systemd passes only to the worker.

Written and read by root, through `systemd-creds`; no password is ever an argument. One file holds
the secret of one server, under the name by which the worker's unit asks for it. Since a save first
writes the new secret, then the settings that name it, the one before stays beside it until then.
"""

import contextlib
import json
import subprocess
from pathlib import Path
from typing import Final

from smtp_desk.core.secret import Secret
from smtp_desk.store.credentials import (
    ALERTS_SYSTEMD_CREDENTIAL,
    DEFAULT_SYSTEMD_CREDENTIAL,
    SYSTEMD_CREDENTIAL,
    CredentialsUnavailableError,
    UnavailableReason,
)
from smtp_desk.store.files import read_regular, write_atomic
from smtp_desk.store.unattended import ALERTS_KEY, RELAY_KEY

_PROGRAM: Final = "systemd-creds"
_LIMIT_S: Final = 30.0
_MOST_OCTETS: Final = 256 * 1024
_BEFORE: Final = ".before"
_KEY: Final = "key"
_NAMES: Final = {
    RELAY_KEY: DEFAULT_SYSTEMD_CREDENTIAL,
    ALERTS_KEY: ALERTS_SYSTEMD_CREDENTIAL,
}


class SystemCredentials:
    """A `CredentialStore` of systemd's encrypted credentials.

    Args:
        folder: Where systemd looks for them: `/etc/credstore.encrypted`.
        program: What encrypts and decrypts.
    """

    name: Final = "systemd"

    def __init__(self, folder: Path, program: str = _PROGRAM) -> None:
        self._folder = folder
        self._program = program

    def get(self, key: str) -> Secret | None:
        """Return the secret, or None if neither the file nor the previous one has this key."""
        for path in self._files(key):
            held = self._read(path)
            if held is not None and held[0] in (key, ""):
                return held[1]
        return None

    def set(self, key: str, secret: Secret) -> None:
        """Keep the secret; that of another key stays beside it until it is deleted."""
        path, before = self._files(key)
        head, _, fields = secret.reveal().partition("\n")
        text = f"{head}\n{json.dumps({**json.loads(fields), _KEY: key})}"
        octets = self._run("encrypt", path, "-", text.encode("utf-8", "surrogatepass"))
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            held = self._read(path)
            if held is not None and held[0] != key:
                before.unlink(missing_ok=True)
                before.hardlink_to(path)
            write_atomic(path, octets)
        except OSError as error:
            raise _failed(f"{error.filename}: {error.strerror}") from error

    def delete(self, key: str) -> None:
        """Delete the secret; the previous one takes its place again."""
        path, before = self._files(key)
        try:
            for each in (path, before):
                held = self._read(each)
                if held is None or held[0] != key:
                    continue
                if each is path and before.exists():
                    before.replace(path)
                else:
                    each.unlink()
        except OSError as error:
            raise _failed(f"{error.filename}: {error.strerror}") from error

    def _files(self, key: str) -> tuple[Path, Path]:
        name = next(
            (_NAMES[start] for start in _NAMES if key.startswith(start)), SYSTEMD_CREDENTIAL
        )
        path = self._folder / name
        return path, path.with_name(f"{name}{_BEFORE}")

    def _read(self, path: Path) -> tuple[str, Secret] | None:
        """Return key and text of a file; the key is "" where an administrator made it by hand."""
        try:
            octets = read_regular(path, _MOST_OCTETS)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise _failed(f"{path}: {error.strerror}") from error
        text = self._run("decrypt", path, "-", octets).decode("utf-8", "surrogatepass")
        with contextlib.suppress(ValueError, AttributeError):
            fields = json.loads(text.partition("\n")[2])
            return str(fields.get(_KEY, "")), Secret(text)
        return "", Secret(text.removesuffix("\n"))

    def _run(self, act: str, path: Path, source: str, octets: bytes) -> bytes:
        """Let systemd encrypt or decrypt what becomes, or was, the file at `path`."""
        name = path.name.removesuffix(_BEFORE)
        command = [self._program, f"--name={name}", act, source, "-"]
        try:
            done = subprocess.run(  # noqa: S603 - the machine's own program
                command, input=octets, capture_output=True, timeout=_LIMIT_S, check=True
            )
        except FileNotFoundError as error:
            raise CredentialsUnavailableError(
                UnavailableReason.NO_SYSTEMD, self._program
            ) from error
        except subprocess.CalledProcessError as error:
            # Not chained: the error holds what was encrypted.
            said = error.stderr.decode("utf-8", "replace").strip().splitlines()[-1:]
            raise _failed(f"{self._program}: {' '.join(said)}") from None
        except (OSError, subprocess.TimeoutExpired) as error:
            raise _failed(f"{self._program}: {type(error).__name__}") from None
        return done.stdout


def _failed(said: str) -> CredentialsUnavailableError:
    return CredentialsUnavailableError(UnavailableReason.NOT_GIVEN, said)
