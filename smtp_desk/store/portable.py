"""Settings exported to another workstation: without secrets, proof, files or programs.

A file from elsewhere isn't trusted: the allowed keys are listed here, and any other is refused by
name. Its values are a draft, to be proven like one that was typed.
"""

import tomllib
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

from smtp_desk.core.address import has_control
from smtp_desk.core.oauth import OAuthDraft, OAuthProvider
from smtp_desk.core.settings import OAUTH, ServerSettings, SettingsDraft
from smtp_desk.store.files import read_regular, write_atomic

SCHEMA: Final = "smtp-desk/settings/"
VERSION: Final = 1
MAX_OCTETS: Final = 64 * 1024

_TEXTS: Final = (
    *("host", "username", "from_name", "from_email", "security", "auth_method", "ehlo_name"),
)
_OAUTH_TEXTS: Final = ("provider", "flow", "client_id", "tenant")
_LONGEST_NAME: Final = 60


class Unusable(StrEnum):
    """Why a file can't be imported."""

    UNREADABLE = "unreadable"
    TOO_LARGE = "too_large"
    NOT_TOML = "not_toml"
    OTHER_SCHEMA = "other_schema"
    NEWER = "newer"
    UNKNOWN_KEY = "unknown_key"
    BAD_VALUE = "bad_value"


class PortableError(ValueError):
    """The file can't be imported.

    Attributes:
        why: Why not.
        detail: What about it, or "".
    """

    def __init__(self, why: Unusable, detail: str = "") -> None:
        super().__init__(f"{why} {detail}".strip())
        self.why = why
        self.detail = detail


def write_portable(path: Path, settings: ServerSettings) -> None:
    """Write settings without secrets, readable by their owner only.

    Raises:
        OSError: The file can't be written.
    """
    write_atomic(path, encode(settings).encode())


def read_portable(path: Path) -> SettingsDraft:
    """Read the draft in a file; it has no password, and no CA.

    Raises:
        PortableError: It isn't such a file; the error says why.
    """
    try:
        octets = read_regular(path, MAX_OCTETS)
    except OSError as error:
        raise PortableError(Unusable.UNREADABLE, error.strerror or "") from error
    return decode(octets)


def encode(settings: ServerSettings) -> str:
    """Return the file's text for settings."""
    # Imported here: 40 ms that only an export pays.
    import tomlkit  # noqa: PLC0415

    oauth = settings.oauth
    travels = oauth is not None and oauth.provider is not OAuthProvider.CUSTOM
    document = tomlkit.document()
    document.add(tomlkit.comment("SMTP Desk settings, without the password and CA certificate."))
    document.add("schema", f"{SCHEMA}{VERSION}")
    server = tomlkit.table()
    for name in _TEXTS:
        server.add(name, str(getattr(settings, name)))
    server.add("port", settings.port)
    if travels:
        server["auth_method"] = OAUTH
    document.add("server", server)
    if oauth is not None and travels:
        table = tomlkit.table()
        for name in _OAUTH_TEXTS:
            table.add(name, str(getattr(oauth, name)))
        document.add("oauth", table)
    return tomlkit.dumps(document)


def decode(octets: bytes) -> SettingsDraft:
    """Return the draft in a file's octets.

    Raises:
        PortableError: They aren't such a file; the error says why.
    """
    if len(octets) > MAX_OCTETS:
        raise PortableError(Unusable.TOO_LARGE)
    root = _parsed(octets)
    _check_schema(root.get("schema"))
    _refuse_unknown(root, {"schema", "server", "oauth"}, "")
    server, oauth = _table(root, "server"), _table(root, "oauth")
    _refuse_unknown(server, {*_TEXTS, "port"}, "server.")
    _refuse_unknown(oauth, set(_OAUTH_TEXTS), "oauth.")
    port = server.get("port", 587)
    if not isinstance(port, int) or isinstance(port, bool):
        raise PortableError(Unusable.BAD_VALUE, "server.port")
    if oauth.get("provider") == OAuthProvider.CUSTOM:
        raise PortableError(Unusable.BAD_VALUE, "oauth.provider")
    texts: dict[str, Any] = {name: _text(server, name, "server.") for name in _TEXTS}
    given = {name: value for name, value in texts.items() if value}
    credential = OAuthDraft(**{name: _text(oauth, name, "oauth.") for name in _OAUTH_TEXTS})
    return SettingsDraft(**given, port=str(port), oauth=credential)


def _parsed(octets: bytes) -> Mapping[str, Any]:
    try:
        return tomllib.loads(octets.decode("utf-8"))
    # No UTF-8, no TOML, a number too long to convert; or nested too deeply.
    except (ValueError, RecursionError) as error:
        raise PortableError(Unusable.NOT_TOML) from error


def _check_schema(schema: object) -> None:
    text = schema if isinstance(schema, str) else ""
    version = text.removeprefix(SCHEMA)
    if not text.startswith(SCHEMA) or not (version.isascii() and version.isdigit()):
        raise PortableError(Unusable.OTHER_SCHEMA)
    if version != str(VERSION):
        raise PortableError(Unusable.NEWER, version[:_LONGEST_NAME])


def _refuse_unknown(table: Mapping[str, Any], known: set[str], where: str) -> None:
    for name in table:
        if name not in known:
            raise PortableError(Unusable.UNKNOWN_KEY, f"{where}{name}"[:_LONGEST_NAME])


def _table(root: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = root.get(name, {})
    if not isinstance(value, dict):
        raise PortableError(Unusable.BAD_VALUE, name)
    return value


def _text(table: Mapping[str, Any], name: str, where: str) -> str:
    value = table.get(name, "")
    if not isinstance(value, str) or has_control(value):
        raise PortableError(Unusable.BAD_VALUE, f"{where}{name}")
    return value
