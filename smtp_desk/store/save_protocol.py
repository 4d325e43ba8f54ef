"""The parts of a save: its journal, and why it failed."""

import errno
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import Final

from smtp_desk.core.system import flag
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
    QUOTA = "quota"
    READ_ONLY = "read_only"
    DENIED = "denied"
    KEYRING = "keyring"
    SETTINGS_UNREADABLE = "settings_unreadable"
    FAILED = "failed"


class SaveError(Exception):
    """Nothing was saved; what was saved before is unchanged.

    Attributes:
        step: Where it failed.
        reason: Why.
        cause: What was raised there. For KEYRING it is a `CredentialsUnavailableError`, for
            SETTINGS_UNREADABLE a `SettingsFileError`.
    """

    def __init__(self, step: SaveStep, reason: SaveReason, cause: Exception) -> None:
        super().__init__(f"not saved, at {step}: {cause}")
        self.step = step
        self.reason = reason
        self.cause = cause


# Not 0, which stands for an error number that a system lacks.
_UNKNOWN: Final = -1
_REASONS: Final = {
    flag(errno, "EDQUOT"): SaveReason.QUOTA,
    errno.ENOSPC: SaveReason.DISK_FULL,
    errno.EROFS: SaveReason.READ_ONLY,
    errno.EACCES: SaveReason.DENIED,
    errno.EPERM: SaveReason.DENIED,
}


@contextmanager
def failing_at(step: SaveStep) -> Iterator[None]:
    """Tell every failure of a step as `SaveError`."""
    try:
        yield
    except (OSError, ValueError, SettingsFileError, CredentialsUnavailableError) as error:
        raise SaveError(step, _reason(error), error) from error


def _reason(error: Exception) -> SaveReason:
    from filelock import Timeout  # noqa: PLC0415 - slow, and most commands only read

    if isinstance(error, Timeout):
        return SaveReason.LOCK_HELD
    if isinstance(error, CredentialsUnavailableError):
        return SaveReason.KEYRING
    if isinstance(error, SettingsFileError):
        return SaveReason.SETTINGS_UNREADABLE
    number = error.errno if isinstance(error, OSError) else None
    return _REASONS.get(number or _UNKNOWN, SaveReason.FAILED)


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
