"""Defaults that an organization sets for its workstations, and may lock.

One file in the site's config directory fills in fields of the form. It is trusted only because of
its owner: root, with nobody else able to write it or its folder. On Windows, where the standard
library can't read owners and permissions, it is trusted because of its place (`site_folder`). It
contains no secret, no program and nothing that weakens TLS: the allowed keys are listed here, and
any other makes it unusable.
"""

import dataclasses
import os
import stat
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

from smtp_desk.core.address import has_control
from smtp_desk.core.problems import Field
from smtp_desk.core.settings import SettingsDraft
from smtp_desk.core.system import System, this_system
from smtp_desk.store.files import read_regular
from smtp_desk.store.ownership import ROOT

SCHEMA: Final = "smtp-desk/managed/1"
MAX_OCTETS: Final = 64 * 1024

FIELDS: Final = (
    Field.HOST,
    Field.PORT,
    Field.USERNAME,
    Field.FROM_NAME,
    Field.FROM_EMAIL,
    Field.SECURITY,
    Field.AUTH_METHOD,
    Field.EHLO_NAME,
)
"""What can be managed."""

_LONGEST_NAME: Final = 60


class NotManaged(StrEnum):
    """Why a file isn't used."""

    UNREADABLE = "unreadable"
    UNTRUSTED = "untrusted"
    MALFORMED = "malformed"
    UNKNOWN_KEY = "unknown_key"
    BAD_VALUE = "bad_value"


class ManagedError(ValueError):
    """The file isn't used.

    Attributes:
        why: Why not.
        detail: What about it, or "".
    """

    def __init__(self, why: NotManaged, detail: str = "") -> None:
        super().__init__(f"{why} {detail}".strip())
        self.why = why
        self.detail = detail


@dataclass(frozen=True, slots=True)
class Managed:
    """What is managed; nothing by default.

    Attributes:
        values: The values of fields.
        locked: Those fields that nobody else may change.
        contact: Who to ask about it, or "".
    """

    values: Mapping[Field, str] = field(default_factory=dict)
    locked: frozenset[Field] = frozenset()
    contact: str = ""

    def fill(self, draft: SettingsDraft) -> SettingsDraft:
        """Fill in the fields that still have the program's own default."""
        fresh = SettingsDraft()
        values: dict[str, Any] = {
            str(name): value
            for name, value in self.values.items()
            if getattr(draft, name) == getattr(fresh, name)
        }
        return dataclasses.replace(draft, **values)

    def against_locks(self, draft: SettingsDraft) -> tuple[Field, ...]:
        """Return the locked fields whose value differs from the managed one."""
        return tuple(
            name
            for name in FIELDS
            if name in self.locked
            and str(getattr(draft, name)).strip().casefold() != self.values[name].casefold()
        )


def read_managed(path: Path, *, owner: int = ROOT, system: System | None = None) -> Managed:
    """Read the file; without one nothing is managed.

    Args:
        path: The file.
        owner: The user that it and its folder must belong to, where files have owners.
        system: None for the one that this is.

    Raises:
        ManagedError: There is one, but it isn't used.
    """
    try:
        folder, file = path.parent.lstat(), path.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return Managed()
    except OSError as error:
        raise ManagedError(NotManaged.UNREADABLE, error.strerror or "") from error
    for found in (folder, file):
        if not _is_trusted(found, owner, system or this_system()):
            raise ManagedError(NotManaged.UNTRUSTED)
    try:
        octets = read_regular(path, MAX_OCTETS)
    except OSError as error:
        raise ManagedError(NotManaged.UNREADABLE, error.strerror or "") from error
    return decode_managed(octets)


def decode_managed(octets: bytes) -> Managed:
    """Return what a file's octets manage.

    Raises:
        ManagedError: They are no such file.
    """
    try:
        root = tomllib.loads(octets.decode("utf-8"))
    # No UTF-8, no TOML, a number too long to convert; or nested too deeply.
    except (ValueError, RecursionError) as error:
        raise ManagedError(NotManaged.MALFORMED) from error
    if root.get("schema") != SCHEMA:
        raise ManagedError(NotManaged.MALFORMED, "schema")
    server = root.get("server", {})
    if not isinstance(server, dict):
        raise ManagedError(NotManaged.BAD_VALUE, "server")
    _refuse_unknown(root, {"schema", "contact", "locked", "server"}, "")
    _refuse_unknown(server, set(map(str, FIELDS)), "server.")
    values = {Field(name): _value(server, name) for name in server}
    return Managed(values, _locked(root, values), _text(root.get("contact", ""), "contact"))


def _is_trusted(found: os.stat_result, owner: int, system: System) -> bool:
    """Whether nobody but `owner` can change it; a link could be led elsewhere."""
    mode = found.st_mode
    plain = stat.S_ISREG(mode) or stat.S_ISDIR(mode)
    if not system.has_owners:
        # A junction is a folder to `S_ISDIR`; all that leads elsewhere is a reparse point.
        attributes = getattr(found, "st_file_attributes", 0)
        return plain and not attributes & stat.FILE_ATTRIBUTE_REPARSE_POINT
    return plain and found.st_uid == owner and not mode & (stat.S_IWGRP | stat.S_IWOTH)


def _refuse_unknown(table: Mapping[str, Any], known: set[str], where: str) -> None:
    for name in table:
        if name not in known:
            raise ManagedError(NotManaged.UNKNOWN_KEY, f"{where}{name}"[:_LONGEST_NAME])


def _value(server: Mapping[str, Any], name: str) -> str:
    value = server[name]
    if name == Field.PORT:
        if not isinstance(value, int) or isinstance(value, bool):
            raise ManagedError(NotManaged.BAD_VALUE, f"server.{name}")
        return str(value)
    return _text(value, f"server.{name}")


def _locked(root: Mapping[str, Any], values: Mapping[Field, str]) -> frozenset[Field]:
    names = root.get("locked", [])
    if not isinstance(names, list) or not all(name in values for name in names):
        raise ManagedError(NotManaged.BAD_VALUE, "locked")
    return frozenset(Field(name) for name in names)


def _text(value: object, name: str) -> str:
    if not isinstance(value, str) or has_control(value):
        raise ManagedError(NotManaged.BAD_VALUE, name)
    return value
