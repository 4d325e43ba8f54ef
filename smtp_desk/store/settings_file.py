"""The settings file and the copied CA files beside it."""

import re
import tomllib
from contextlib import suppress
from enum import StrEnum
from itertools import count
from pathlib import Path
from typing import Final

from smtp_desk.store.company_ca import read_ca_file
from smtp_desk.store.files import PRIVATE, read_regular, remove_leftovers, write_atomic
from smtp_desk.store.ownership import group_id, refuse_changeable
from smtp_desk.store.settings_toml import (
    BadValueError,
    NewerSchemaError,
    ca_name,
    decode,
    encode,
)
from smtp_desk.store.stored import (
    StoredSettings,
)

_MAX_BYTES: Final = 1024 * 1024
_READABLE: Final = 0o640
_CA_NAME: Final = re.compile(r"ca-[0-9a-f]{12}\.pem")


class SettingsFileProblem(StrEnum):
    """Why the settings file can't be read."""

    NOT_TOML = "not_toml"
    BINARY = "binary"
    NEWER_SCHEMA = "newer_schema"
    UNREADABLE = "unreadable"
    DANGLING_LINK = "dangling_link"
    IS_DIRECTORY = "is_directory"
    CHANGEABLE_BY_OTHERS = "changeable_by_others"
    BAD_VALUE = "bad_value"


class SettingsFileError(Exception):
    """The settings file can't be read; the program doesn't overwrite it.

    Attributes:
        kind: Why.
        path: The file.
        detail: The place in it, or the system's words; "" if `kind` says everything.
    """

    def __init__(self, kind: SettingsFileProblem, path: Path, detail: str = "") -> None:
        super().__init__(f"{path}: {detail or kind}")
        self.kind = kind
        self.path = path
        self.detail = detail


def ca_copy(settings_file: Path, ca_pem: str) -> Path:
    """Return the path of the copy of a CA's content, beside the settings."""
    return settings_file.with_name(ca_name(ca_pem))


class SettingsFile:
    """Reads and replaces the settings file; whoever changes it holds the lock."""

    def __init__(self, path: Path, readers: str = "") -> None:
        """Touch nothing yet; `readers` is the group that may read what is written."""
        self._path = path
        self._readers = readers

    def read(self) -> StoredSettings:
        """Return the content of the file; empty settings for a missing or empty file.

        Raises:
            SettingsFileError: The file can't be read.
        """
        text = self._text()
        try:
            return decode(text, self._ca_content)
        except tomllib.TOMLDecodeError as error:
            raise self._error(SettingsFileProblem.NOT_TOML, str(error)) from error
        except NewerSchemaError as error:
            raise self._error(SettingsFileProblem.NEWER_SCHEMA, str(error)) from error
        except BadValueError as error:
            raise self._error(SettingsFileProblem.BAD_VALUE, str(error)) from error

    def write(self, stored: StoredSettings) -> None:
        """Replace the file; a company CA is copied beside it first.

        Raises:
            SettingsFileError: The existing file can't be read, or others may change it.
            ValueError: The settings would not read back the same; nothing was changed.
            OSError: The disk refuses.
        """
        self._refuse_changeable()
        contents = {ca_name(ca_pem): ca_pem for ca_pem in ("", *stored.ca_pems)}
        text = encode(self._text(), stored)
        if decode(text, contents.__getitem__) != stored:
            raise ValueError("the settings don’t keep their values in the file")
        mode, group = (_READABLE, group_id(self._readers)) if self._readers else (PRIVATE, None)
        for ca_pem in stored.ca_pems:
            write_atomic(ca_copy(self._path, ca_pem), ca_pem.encode(), mode=mode, group=group)
        write_atomic(self._path, text.encode(), mode=mode, group=group)

    def sweep(self, stored: StoredSettings) -> None:
        """Remove unused CA copies, and what killed writers left."""
        named = {ca_name(ca_pem) for ca_pem in stored.ca_pems}
        remove_leftovers(self._path)
        for copy in self._path.parent.glob("ca-*.pem"):
            if _CA_NAME.fullmatch(copy.name) and copy.name not in named:
                with suppress(OSError):
                    copy.unlink()
        for leftover in self._path.parent.glob(".ca-*.pem.*.tmp"):
            with suppress(OSError):
                leftover.unlink()

    def fingerprint(self) -> tuple[int, ...]:
        """Return a value that changes with each replacement, at the cost of one stat."""
        try:
            found = self._path.stat()
        except OSError:
            return ()
        return (found.st_mtime_ns, found.st_ino, found.st_size)

    def move_aside(self) -> Path:
        """Rename the file, whatever it is, and return its new path.

        Raises:
            OSError: It can't be renamed.
        """
        names = (self._path.with_name(f"{self._path.name}.unreadable-{n}") for n in count(1))
        aside = next(name for name in names if not name.exists() and not name.is_symlink())
        self._path.rename(aside)
        return aside

    def _text(self) -> str:
        try:
            data = read_regular(self._path, _MAX_BYTES)
        except FileNotFoundError as error:
            if self._path.is_symlink():
                raise self._error(SettingsFileProblem.DANGLING_LINK) from error
            return ""
        except IsADirectoryError as error:
            raise self._error(SettingsFileProblem.IS_DIRECTORY) from error
        except (OSError, RuntimeError) as error:
            raise self._error(SettingsFileProblem.UNREADABLE, _words(error)) from error
        self._refuse_changeable()
        if b"\0" in data:
            raise self._error(SettingsFileProblem.BINARY)
        try:
            return data.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            raise self._error(SettingsFileProblem.BINARY) from error

    def _refuse_changeable(self) -> None:
        try:
            refuse_changeable(self._path)
        except OSError as error:
            raise self._error(SettingsFileProblem.CHANGEABLE_BY_OTHERS, _words(error)) from error

    def _ca_content(self, name: str) -> str:
        """Content of a CA copy; "" for any other name or where it is missing or damaged."""
        if not _CA_NAME.fullmatch(name):
            return ""
        return read_ca_file(str(self._path.with_name(name))).pem

    def _error(self, kind: SettingsFileProblem, detail: str = "") -> SettingsFileError:
        return SettingsFileError(kind, self._path, detail)


def _words(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error)
