"""The settings file's text, read and written while preserving what we don't know."""

import tomllib
from collections.abc import Callable, Mapping, MutableMapping
from dataclasses import asdict, fields, replace
from datetime import date, datetime
from hashlib import sha256
from typing import Any, Final, TypeVar

from smtp_desk.core.oauth import OAuthDraft, OAuthSettings, oauth_draft
from smtp_desk.core.proof import FIRST_VERSION, Proof
from smtp_desk.core.secret import Secret, StoredSecret
from smtp_desk.core.settings import OAUTH, CaFile, Security, ServerSettings, SettingsDraft
from smtp_desk.core.validation import InvalidDraftError, parse
from smtp_desk.store.stored import (
    DefaultKind,
    DefaultService,
    Preferences,
    StoredServer,
    StoredSettings,
    SystemRules,
    Uncertain,
)

SCHEMA: Final = 2
_OLDEST_SCHEMA: Final = 1  # its proofs are of the first version

_OLD_NOTIFY: Final = "tell_address"
"""Where the address to notify stood before it had a table of its own."""

_MOST: Final = 2**63 - 1  # TOML asks for no greater one

_MOST_DAYS: Final = 3660

_Choice = TypeVar("_Choice", Security, DefaultKind, Uncertain)


class BadValueError(ValueError):
    """A value of the file isn't valid; the message names it."""


class NewerSchemaError(ValueError):
    """A newer version of the program wrote the file."""


def decode(text: str, ca_content: Callable[[str], str]) -> StoredSettings:
    """Return the settings in the file's text.

    Args:
        text: The text; empty for empty settings.
        ca_content: Returns the content of a copied CA file by its name; "" if there is none.

    Raises:
        NewerSchemaError: A newer version wrote it.
        BadValueError: A value has the wrong type or breaks a rule of the form.
        tomllib.TOMLDecodeError: It isn't TOML.
    """
    root = _Table("", _parsed(text))
    if root.is_empty:
        return StoredSettings()
    schema = root.number("schema")
    if schema > SCHEMA:
        raise NewerSchemaError(f"schema {schema}, but this version only knows {SCHEMA}")
    if schema < _OLDEST_SCHEMA:
        raise BadValueError(f"schema: schema {schema} doesn’t exist")
    return StoredSettings(
        enabled=root.flag("enabled"),
        server=_server(root.table("server"), ca_content),
        preferences=_preferences(root.table("preferences"), root.table("notify")),
        default=_default(root.table("default"), ca_content),
        uncertain=root.choice("uncertain", Uncertain, Uncertain.RESEND),
        system=_system(root.table("system")),
        alerts=(root.table("notify") or _Table("", {})).text("alerts"),
        outbox=root.text("outbox"),
        keep_emails_days=root.days("keep_emails_days", StoredSettings().keep_emails_days),
        keep_keys_days=root.days("keep_keys_days", StoredSettings().keep_keys_days),
    )


def encode(text: str, stored: StoredSettings) -> str:
    """Return the file's text with these settings; unknown keys, comments and order stay.

    Raises:
        ValueError: The text isn't TOML, or a value can't be written.
    """
    # Imported here: 40 ms that only a save pays.
    import tomlkit  # noqa: PLC0415

    document = tomlkit.parse(text)
    _put(document, {"schema": SCHEMA, "enabled": stored.enabled})
    if "uncertain" in document or stored.uncertain is not Uncertain.RESEND:
        _put(document, {"uncertain": str(stored.uncertain)})
    if "outbox" in document or stored.outbox:
        _put(document, {"outbox": stored.outbox})
    _put_server(document, stored.server)
    if "preferences" in document or stored.preferences != Preferences():
        _put_table(document, "preferences", _preferences_values(stored.preferences))
    notify = {"address": stored.preferences.notify, "alerts": stored.alerts or None}
    if "notify" in document or any(notify.values()):
        _put_table(document, "notify", notify)
    if "default" in document or stored.default != DefaultService():
        _put_table(document, "default", _default_values(stored.default))
        _put_server(document["default"], stored.default.server)
    return tomlkit.dumps(document)


def ca_name(ca_pem: str) -> str:
    """Name of the copy of a CA's content in the config directory; "" for no CA."""
    return f"ca-{sha256(ca_pem.encode()).hexdigest()[:12]}.pem" if ca_pem else ""


def _parsed(text: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        raise
    except RecursionError as error:
        raise BadValueError("it’s nested too deeply") from error
    except ValueError as error:  # a number too long to convert
        raise BadValueError("it contains a number that’s too large") from error


class _Table:
    """A table of the file whose values are read with their type.

    A value of another type raises `BadValueError`.
    """

    def __init__(self, name: str, values: Mapping[str, object]) -> None:
        self.name = name
        self._values = values

    @property
    def is_empty(self) -> bool:
        return not self._values

    def text(self, key: str, default: str = "") -> str:
        value = self._values.get(key, default)
        if not isinstance(value, str):
            raise self._bad(key, "text in quotes")
        return value

    def day(self, key: str) -> str:
        """Return a day as text, whether it is written as TOML's own kind of value or in quotes."""
        value = self._values.get(key)
        if isinstance(value, date) and not isinstance(value, datetime):
            return str(value)
        return self.text(key)

    def flag(self, key: str) -> bool:
        value = self._values.get(key, False)
        if not isinstance(value, bool):
            raise self._bad(key, "true or false")
        return value

    def number(self, key: str, default: int | None = None) -> int:
        value = self._values.get(key, default)
        if not isinstance(value, int) or isinstance(value, bool) or abs(value) > _MOST:
            raise self._bad(key, "a number")
        return value

    def count(self, key: str, default: int) -> int:
        value = self.number(key, default)
        if value < 1:
            raise self._bad(key, "a number of 1 or more")
        return value

    def days(self, key: str, default: int) -> int:
        value = self.number(key, default)
        if not 1 <= value <= _MOST_DAYS:
            raise self._bad(key, f"a number from 1 to {_MOST_DAYS}")
        return value

    def texts(self, key: str) -> tuple[str, ...]:
        value = self._values.get(key, [])
        if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
            raise self._bad(key, "a list of quoted texts")
        return tuple(value)

    def table(self, key: str) -> "_Table | None":
        value = self._values.get(key)
        if value is None:
            return None
        if not isinstance(value, dict):
            raise self._bad(key, "a table")
        return _Table(f"{self.name}{key}.", value)

    def choice(self, key: str, choices: type[_Choice], default: _Choice) -> _Choice:
        value = self.text(key, default)
        if value not in list(choices):
            raise self._bad(key, f"one of {', '.join(choices)}")
        return choices(value)

    def _bad(self, key: str, expected: str) -> BadValueError:
        return BadValueError(f"{self.name}{key} should be {expected}")


def _server(table: _Table | None, ca_content: Callable[[str], str]) -> StoredServer | None:
    if table is None:
        return None
    key = table.text("key")
    return StoredServer(
        settings=_settings(table, key, ca_content),
        mode=table.choice("mode", Security, Security.AUTO),
        key=key,
        proof=_proof(table.table("proof")),
    )


def _settings(table: _Table, key: str, ca_content: Callable[[str], str]) -> ServerSettings:
    ca_pem = ca_content(table.text("ca_file"))
    oauth = table.table("oauth") or _Table("", {})
    oauth_pem = ca_content(oauth.text("ca_file"))
    draft = SettingsDraft(
        host=table.text("host"),
        port=str(table.number("port")),
        username=table.text("username"),
        secret=StoredSecret(key) if key else Secret(""),
        from_name=table.text("from_name"),
        from_email=table.text("from_email"),
        security=table.text("security", Security.AUTO),
        ca_file=table.text("ca_file") if ca_pem else "",
        ehlo_name=table.text("ehlo_name"),
        per_hour=str(table.number("per_hour", 0) or ""),
        auth_method=table.text("auth_method", "auto"),
        oauth=OAuthDraft(
            provider=oauth.text("provider"),
            flow=oauth.text("flow"),
            client_id=oauth.text("client_id"),
            tenant=oauth.text("tenant"),
            authorize_url=oauth.text("authorize_url"),
            token_url=oauth.text("token_url"),
            device_url=oauth.text("device_url"),
            scope=oauth.text("scope"),
            ca_file=oauth.text("ca_file") if oauth_pem else "",
            client_secret_expires=oauth.day("client_secret_expires"),
        ),
    )
    cas = CaFile(draft.ca_file, ca_pem), CaFile(draft.oauth.ca_file, oauth_pem)
    try:
        settings = parse(draft, cas[0], oauth_ca=cas[1]).settings
    except InvalidDraftError as error:
        raise BadValueError(f"{table.name}{error}") from error
    if settings.oauth is None:
        return settings
    issuer, subject = oauth.text("issuer"), oauth.text("subject")
    return replace(settings, oauth=replace(settings.oauth, issuer=issuer, subject=subject))


def _proof(table: _Table | None) -> Proof | None:
    if table is None:
        return None
    version, salt = table.number("version"), table.text("salt")
    if version == FIRST_VERSION:
        return Proof(version, salt, given=table.text("mac"))
    return Proof(version, salt, table.text("given"), table.text("fields"), table.text("secret"))


def _preferences(table: _Table | None, notify: _Table | None) -> Preferences:
    table = table or _Table("", {})
    return Preferences(
        company_name=table.text("company_name"),
        notify=notify.text("address") if notify else table.text(_OLD_NOTIFY),
        language=table.text("language"),
        theme=table.text("theme", Preferences().theme),
        text_size=table.text("text_size", Preferences().text_size),
        updates=table.text("updates"),
    )


def _system(table: _Table | None) -> SystemRules:
    """Read what only an administrator's hand writes."""
    usual = SystemRules()
    if table is None:
        return usual
    return SystemRules(
        trusted_users=table.texts("trusted_users"),
        emails_per_hour=table.count("emails_per_hour", usual.emails_per_hour),
        message_octets=table.count("message_octets", usual.message_octets),
    )


def _default(table: _Table | None, ca_content: Callable[[str], str]) -> DefaultService:
    if table is None:
        return DefaultService()
    return DefaultService(
        kind=table.choice("kind", DefaultKind, DefaultKind.OUTBOX),
        sendmail_path=table.text("sendmail_path"),
        from_email=table.text("from_email"),
        server=_server(table.table("server"), ca_content),
    )


def _server_values(server: StoredServer | None) -> dict[str, object] | None:
    """The server's part of the file; keys with None are absent from it."""
    if server is None:
        return None
    settings, proof = server.settings, server.proof
    return {
        "host": settings.host,
        "port": settings.port,
        "username": settings.username,
        "from_name": settings.from_name,
        "from_email": settings.from_email,
        "security": str(settings.security),
        "mode": str(server.mode),
        "auth_method": OAUTH if settings.oauth else str(settings.auth_method),
        "ehlo_name": settings.ehlo_name,
        "per_hour": settings.per_hour or None,
        "ca_file": ca_name(settings.ca_pem) or None,
        "key": server.key or None,
        "proof": proof and _proof_values(proof),
    }


def _oauth_values(settings: OAuthSettings | None) -> dict[str, object] | None:
    """The table of a sign-in by OAuth 2.0; what the program knows itself is absent from it."""
    if settings is None:
        return None
    draft = asdict(oauth_draft(settings, ca_name(settings.ca_pem)))
    account = {"issuer": settings.issuer, "subject": settings.subject}
    return {name: str(value) or None for name, value in (draft | account).items()}


def _proof_values(proof: Proof) -> dict[str, object]:
    if proof.version == FIRST_VERSION:
        return {"version": proof.version, "salt": proof.salt, "mac": proof.given}
    return {each.name: getattr(proof, each.name) for each in fields(proof)}


def _preferences_values(preferences: Preferences) -> dict[str, object]:
    return {
        "company_name": preferences.company_name,
        _OLD_NOTIFY: None,
        "language": preferences.language,
        "theme": preferences.theme,
        "text_size": preferences.text_size,
        "updates": preferences.updates or None,
    }


def _default_values(service: DefaultService) -> dict[str, object]:
    return {
        "kind": str(service.kind),
        "sendmail_path": service.sendmail_path,
        "from_email": service.from_email,
    }


def _put_server(parent: MutableMapping[str, Any], server: StoredServer | None) -> None:
    _put_table(parent, "server", _server_values(server))
    if server is not None:
        _put_table(parent["server"], "oauth", _oauth_values(server.settings.oauth))


def _put_table(
    parent: MutableMapping[str, Any], name: str, values: Mapping[str, object] | None
) -> None:
    if values is None:
        parent.pop(name, None)
        return
    import tomlkit  # noqa: PLC0415

    if name not in parent:
        parent[name] = tomlkit.table()
    _put(parent[name], values)


def _put(table: MutableMapping[str, Any], values: Mapping[str, object]) -> None:
    """Set only what differs, so that the rest keeps its spelling and comments."""
    for key, value in values.items():
        if value is None:
            table.pop(key, None)
        elif key not in table or table[key] != value:
            table[key] = _inline(value)


def _inline(value: object) -> object:
    import tomlkit  # noqa: PLC0415

    if not isinstance(value, dict):
        return value
    inline = tomlkit.inline_table()
    inline.update(value)
    return inline
