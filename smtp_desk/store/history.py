"""What was saved before: the settings that last worked, and a log of changes; never a secret.

Both are stored beside the settings and only shown, never used directly: the previous settings
become a draft, to be tested like one that was typed. A file that can't be read counts as missing.
"""

import json
import logging
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, fields, replace
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

from smtp_desk.core.address import has_control
from smtp_desk.core.oauth import OAuthDraft, OAuthSettings, oauth_draft
from smtp_desk.core.settings import OAUTH, ServerSettings, SettingsDraft
from smtp_desk.store.files import read_regular, remove_leftovers, write_atomic
from smtp_desk.store.stored import StoredSettings

MOST_CHANGES: Final = 200

_MOST_OCTETS: Final = 256 * 1024
_LONGEST_VALUE: Final = 300
_SCHEMA: Final = "smtp-desk/previous/1"
_LATE: Final = datetime(9000, 1, 1, tzinfo=UTC)
_TEXTS: Final = (
    "host",
    "username",
    "from_name",
    "from_email",
    "security",
    "ehlo_name",
    "auth_method",
)

_log: Final = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class SavedChange:
    """One value that was saved in place of another.

    Attributes:
        at: When it was saved.
        field: A field of the form, with `default.` before it for the default email service.
        before: The old value; "" for none.
        after: The new value; "" for none.
    """

    at: datetime
    field: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Previous:
    """Settings that were proven, and in use until others were saved.

    Attributes:
        until: When others were saved.
        draft: The form's values, without a password.
    """

    until: datetime
    draft: SettingsDraft


def _utc_now() -> datetime:
    return datetime.now(UTC)


class History:
    """Two files beside the settings.

    Args:
        folder: Where the settings are.
        clock: Returns this moment with a time zone.

    Attributes:
        changes_file: The log of changes, a line of JSON for each save.
        previous_file: The settings that were proven and in use before the current ones.
    """

    def __init__(self, folder: Path, clock: Callable[[], datetime] = _utc_now) -> None:
        self.changes_file: Final = folder / "changes.jsonl"
        self.previous_file: Final = folder / "previous.json"
        self._ca_file: Final = folder / "previous-ca.pem"
        self._oauth_ca_file: Final = folder / "previous-oauth-ca.pem"
        self._clock = clock

    def record(self, before: StoredSettings, after: StoredSettings, *, worked: bool) -> None:
        """Note what a save changed; if that can't be written, the save is still valid.

        Args:
            before: What was saved.
            after: What is saved now.
            worked: Whether the custom server of `before` was proven.
        """
        now = self._clock()
        try:
            self._append(now, changes_between(before, after))
            old, new = before.server, after.server
            if worked and old is not None and (new is None or new.settings != old.settings):
                self._keep(now, old.settings)
        except (OSError, ValueError) as error:
            _log.warning("what was changed could not be noted: %s", error)

    def changes(self) -> tuple[SavedChange, ...]:
        """Return what was changed, the latest first, without lines that make no sense."""
        found = (_change_of(line) for line in self._lines())
        return tuple(change for changes in reversed(tuple(found)) for change in changes)

    def previous(self) -> Previous | None:
        """Return the settings that last worked; None if there are none, or they can't be read."""
        try:
            root = json.loads(read_regular(self.previous_file, _MOST_OCTETS))
        except (OSError, ValueError, RecursionError):
            return None
        return _previous_of(root, self._ca_file, self._oauth_ca_file)

    def sweep(self) -> None:
        """Remove what killed writers left; call it while a lock keeps others from writing."""
        cas = (self._ca_file, self._oauth_ca_file)
        for file in (self.changes_file, self.previous_file, *cas):
            remove_leftovers(file)

    def _append(self, now: datetime, changed: Mapping[str, tuple[str, str]]) -> None:
        if not changed:
            return
        line = json.dumps({"at": now.isoformat(timespec="seconds"), "changes": changed})
        lines = [*self._lines(), line.encode()][-MOST_CHANGES:]
        write_atomic(self.changes_file, b"".join(each + b"\n" for each in lines))

    def _lines(self) -> list[bytes]:
        try:
            return read_regular(self.changes_file, _MOST_OCTETS).splitlines()
        except OSError:
            return []

    def _keep(self, now: datetime, settings: ServerSettings) -> None:
        values: dict[str, Any] = {name: str(getattr(settings, name)) for name in _TEXTS}
        values |= {"port": str(settings.port), "per_hour": str(settings.per_hour or "")}
        oauth = settings.oauth
        document = {"schema": _SCHEMA, "until": now.isoformat(timespec="seconds"), "server": values}
        if oauth is not None:
            values["auth_method"] = OAUTH
            # The secret is not kept, nor is when it expires.
            shown = replace(oauth_draft(oauth), client_secret_expires="")
            document["oauth"] = asdict(shown)
        _keep_ca(self._ca_file, settings.ca_pem)
        _keep_ca(self._oauth_ca_file, oauth.ca_pem if oauth else "")
        write_atomic(self.previous_file, json.dumps(document, indent=2).encode())


def changes_between(before: StoredSettings, after: StoredSettings) -> dict[str, tuple[str, str]]:
    """Return each value that differs, with its name, the old and the new one; no secrets."""
    old, new = _values(before), _values(after)
    return {
        name: (old.get(name, ""), new.get(name, ""))
        for name in dict.fromkeys((*old, *new))
        if old.get(name, "") != new.get(name, "")
    }


def _values(stored: StoredSettings) -> dict[str, str]:
    preferences, default = stored.preferences, stored.default
    values = {"enabled": "on" if stored.enabled else "off"} if stored.server else {}
    if stored.server is not None:
        values |= _server_values(stored.server.settings, stored.server.key)
    values |= {"company_name": preferences.company_name, "notify": preferences.notify}
    values["alerts"] = _mark(stored.alerts)
    values["default.kind"] = str(default.kind)
    values["default.sendmail_path"] = default.sendmail_path
    if default.server is not None:
        server = _server_values(default.server.settings, default.server.key)
        values |= {f"default.{name}": value for name, value in server.items()}
    else:
        values["default.from_email"] = default.from_email
    return {name: value[:_LONGEST_VALUE] for name, value in values.items()}


def _server_values(settings: ServerSettings, key: str) -> dict[str, str]:
    values = {name: str(getattr(settings, name)) for name in _TEXTS}
    values |= {"port": str(settings.port), "per_hour": str(settings.per_hour or "")}
    values["ca_file"] = _mark(settings.ca_pem)
    # A fresh key comes with each save: that the secret was saved anew is all there is to say.
    values["secret"] = _mark(key)
    if settings.oauth is not None:
        values["auth_method"] = OAUTH
        values |= _oauth_values(settings.oauth)
    return values


def _oauth_values(oauth: OAuthSettings) -> dict[str, str]:
    shown = oauth_draft(oauth)
    return {
        f"oauth.{each.name}": str(getattr(shown, each.name))
        for each in fields(shown)
        if each.name != "ca_file"
    }


def _mark(value: str) -> str:
    """Tell one value from another without saying what it is."""
    return sha256(value.encode()).hexdigest()[:8] if value else ""


def _change_of(line: bytes) -> list[SavedChange]:
    with suppress(ValueError, TypeError, LookupError, RecursionError, AttributeError):
        root = json.loads(line)
        at = _moment(root["at"])
        return [
            SavedChange(at, _text(name), _text(values[0]), _text(values[1]))
            for name, values in root["changes"].items()
        ]
    return []


def _previous_of(root: Any, ca: Path, oauth_ca: Path) -> Previous | None:  # noqa: ANN401 - whatever JSON holds
    with suppress(ValueError, TypeError, LookupError, AttributeError):
        if root["schema"] != _SCHEMA:
            return None
        server, oauth = root["server"], root.get("oauth", {})
        texts: dict[str, Any] = {
            name: _text(server[name]) for name in (*_TEXTS, "port", "per_hour")
        }
        known = [each.name for each in fields(OAuthDraft)]
        credential = {name: _text(oauth.get(name, "")) for name in known if oauth}
        if oauth_ca.is_file():
            credential["ca_file"] = str(oauth_ca)
        draft = SettingsDraft(
            **texts, ca_file=str(ca) if ca.is_file() else "", oauth=OAuthDraft(**credential)
        )
        return Previous(_moment(root["until"]), draft)
    return None


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None or moment > _LATE:
        raise ValueError("no moment")
    return moment


def _text(value: object) -> str:
    if not isinstance(value, str) or has_control(value) or len(value) > _LONGEST_VALUE:
        raise ValueError("no text")
    return value


def _keep_ca(file: Path, pem: str) -> None:
    if pem:
        write_atomic(file, pem.encode())
    else:
        file.unlink(missing_ok=True)
