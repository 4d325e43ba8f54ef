"""What the program offers to fill in for the person, and never fills in unasked."""

import re
from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Final, TypeAlias

from smtp_desk.app.integrations.form import Form
from smtp_desk.core.address import AddressError, parse_host
from smtp_desk.core.secret import Secret, StoredSecret
from smtp_desk.core.settings import SettingsDraft
from smtp_desk.core.validation import app_password_without_spaces

Changes: TypeAlias = Mapping[str, Any]
"""Fields of the draft, and what would be typed there."""

_ENDS: Final = "\r\n\t\v\f\x85\N{LINE SEPARATOR}\N{PARAGRAPH SEPARATOR}"
_URL: Final = re.compile(
    r"(?:(?P<scheme>[a-z][a-z0-9+.-]*):/+(?:[^@/]*@)?)?"
    r"(?P<host>\[[^]]*\]|[^:/?#\[\]@\s]+)(?:(?:\s*:\s*|\s+)(?P<port>\d{1,5}))?(?:[/?#].*)?",
    re.IGNORECASE,
)
_TLS_SCHEMES: Final = ("smtps", "ssl", "tls")


class Offer(StrEnum):
    """What the program would fill in if the person agrees."""

    STORED_PASSWORD = "stored_password"  # noqa: S105 - an offer's name
    PASSWORD_SPACES = "password_spaces"  # noqa: S105 - an offer's name
    PASSWORD_END = "password_end"  # noqa: S105 - an offer's name
    HOST_AND_PORT = "host_and_port"
    MANAGED_VALUES = "managed_values"


def offers_of(form: Form) -> dict[Offer, Changes]:
    """Return the offers for the form's content, and what each would change."""
    draft = form.draft
    host, port = host_and_port(draft.host)
    secrets = {
        Offer.STORED_PASSWORD: form.stored_secret,
        Offer.PASSWORD_SPACES: _without_spaces(draft),
        Offer.PASSWORD_END: _without_ends(draft),
    }
    found: dict[Offer, Changes] = {
        offer: {"secret": secret} for offer, secret in secrets.items() if secret is not None
    }
    if host:
        found[Offer.HOST_AND_PORT] = {"host": host, "port": port or draft.port}
    if against := form.managed.against_locks(draft):
        found[Offer.MANAGED_VALUES] = {str(name): form.managed.values[name] for name in against}
    return found


def host_and_port(typed: str) -> tuple[str, str]:
    """Return host and port of a pasted host, or two empty texts if it has none.

    The port is "" if neither a number nor the scheme names one.
    """
    typed = typed.strip()
    found = _URL.fullmatch(typed)
    if found is None:
        return "", ""
    host = found["host"].strip("[]")
    try:
        parse_host(host)
    except AddressError:
        return "", ""
    implied = "465" if (found["scheme"] or "").lower() in _TLS_SCHEMES else ""
    return ("", "") if host == typed.strip("[]") else (host, found["port"] or implied)


def _without_spaces(draft: SettingsDraft) -> Secret | None:
    """Return an app password without its cosmetic spaces, or None where it has none."""
    secret = draft.secret
    if isinstance(secret, StoredSecret):
        return None
    return app_password_without_spaces(draft.host, secret)


def _without_ends(draft: SettingsDraft) -> Secret | None:
    """Return a password without the line breaks and tabs around it, or None where it has none."""
    secret = draft.secret
    if isinstance(secret, StoredSecret):
        return None
    stripped = Secret(secret.reveal().strip(_ENDS))
    return stripped if stripped and stripped != secret else None
