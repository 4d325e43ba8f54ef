"""The parts of a save: its journal, and why it failed."""

import errno
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import Final

import filelock

from smtp_desk.store.credentials import CredentialsUnavailableError
from smtp_desk.store.files import read_regular, sync_folder, write_atomic
from smtp_desk.store.settings_file import SettingsFileError

_MAX_BYTES: Final = 1024 * 1024


class SaveStep(StrEnum):
    """Where a save failed."""

    LOCK = "lock"
    JOURNAL = "journal"
    SECRET = "secret"  # noqa: S105 - a step's name
    READ_BACK = "read_back"
    FILE = "file"


class SaveReason(StrEnum):
    """Why a save failed."""

    LOCK_HELD = "lock_held"
    DISK_FULL = "disk_full"
    READ_ONLY = "read_only"
    DENIED = "denied"
    KEYRING = "keyring"
    SETTINGS_UNREADABLE = "settings_unreadable"
    FAILED = "failed"


class SaveError(Exception):
    """Nothing was saved; what was there before still is.

    Attributes:
        step: Where it failed.
        reason: Why.
        text: The same for people. The cause, `SettingsFileError` or
            `CredentialsUnavailableError`, tells more.
    """

    def __init__(self, step: SaveStep, reason: SaveReason, text: str) -> None:
        super().__init__(text)
        self.step = step
        self.reason = reason
        self.text = text


_REASONS: Final = {
    getattr(errno, "EDQUOT", -1): (SaveReason.DISK_FULL, "Your disk quota is used up."),
    errno.ENOSPC: (SaveReason.DISK_FULL, "The disk is full."),
    errno.EROFS: (SaveReason.READ_ONLY, "The disk is read-only."),
    errno.EACCES: (SaveReason.DENIED, "Writing there is not allowed."),
    errno.EPERM: (SaveReason.DENIED, "Writing there is not allowed."),
}


@contextmanager
def failing_at(step: SaveStep) -> Iterator[None]:
    """Tell every failure of a step as `SaveError`."""
    try:
        yield
    except (OSError, ValueError, SettingsFileError, CredentialsUnavailableError) as error:
        raise _save_error(step, error) from error


def _save_error(step: SaveStep, error: Exception) -> SaveError:
    if isinstance(error, filelock.Timeout):
        return SaveError(step, SaveReason.LOCK_HELD, "Another SMTP Desk is saving. Try again.")
    if isinstance(error, CredentialsUnavailableError):
        return SaveError(step, SaveReason.KEYRING, error.text)
    if isinstance(error, SettingsFileError):
        text = f"The settings file can’t be used and is not overwritten: {error}"
        return SaveError(step, SaveReason.SETTINGS_UNREADABLE, text)
    number = error.errno if isinstance(error, OSError) else None
    reason, words = _REASONS.get(number or 0, (SaveReason.FAILED, f"{error}"))
    where = f" ({error.filename})" if isinstance(error, OSError) and error.filename else ""
    return SaveError(step, reason, f"Could not save{where}. {words}")


class Journal:
    """The keys that a save touches: a file, durable before the first of them is touched."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def keys(self) -> frozenset[str]:
        """Return the keys of saves that did not end; empty where all did.

        Raises:
            OSError: The journal can't be read.
        """
        try:
            data = read_regular(self._path, _MAX_BYTES)
        except FileNotFoundError:
            return frozenset()
        return frozenset(filter(None, data.decode(errors="replace").split("\n")))

    def add(self, keys: Iterable[str]) -> None:
        """Name more keys, durably.

        Raises:
            OSError: The journal can't be written; nothing must be touched then.
        """
        named = self.keys() | set(keys)
        write_atomic(self._path, "".join(f"{key}\n" for key in sorted(named)).encode())

    def clear(self) -> None:
        """Forget all keys, durably.

        Raises:
            OSError: The journal can't be removed.
        """
        self._path.unlink(missing_ok=True)
        sync_folder(self._path.parent)
