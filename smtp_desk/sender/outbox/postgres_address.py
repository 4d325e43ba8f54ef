"""Where the outbox of many machines is: a PostgreSQL URL, and the rules for connecting to it."""

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Final

from smtp_desk.sender.outbox.outbox import OutboxAddressError, OutboxPartMissingError

_SCHEMES: Final = ("postgresql://", "postgres://")
_SECRETS: Final = ("password", "sslpassword")
_STRICT: Final = "verify-full"
_DEFAULTS: Final[Mapping[str, str]] = {
    "application_name": "smtp-desk",
    "client_encoding": "utf8",
    # A database that is cut off is noticed in seconds.
    "connect_timeout": "5",
    "keepalives_idle": "5",
    "keepalives_interval": "3",
    "keepalives_count": "3",
    "tcp_user_timeout": "10000",
}
_HOST_VARIABLES: Final = {"host": "PGHOST", "hostaddr": "PGHOSTADDR", "service": "PGSERVICE"}


@dataclass(frozen=True, slots=True)
class PostgresAddress:
    """How to reach the database.

    Attributes:
        parameters: The parameters for libpq, which takes the password from its own sources, such
            as pgpass.
        name: The name shown to people.
    """

    parameters: Mapping[str, str]
    name: str


def read_address(url: str, environ: Mapping[str, str]) -> PostgresAddress:
    """Return the address that `url` stands for.

    Unless it is reached by a Unix socket or this machine's loopback, the server must present a
    certificate for its name, whatever `PGSSLMODE` says; also a server named by a service file.

    Args:
        url: `postgresql://host/database`, with libpq's parameters after a question mark.
        environ: The environment, with libpq's variables.

    Raises:
        OutboxAddressError: It can't be used; the message contains no secret.
    """
    if not url.startswith(_SCHEMES):
        raise OutboxAddressError(
            "The setting “outbox” isn’t a PostgreSQL address."
            " It should look like postgresql://host/database."
        )
    if find_spec("psycopg") is None:
        raise OutboxPartMissingError(
            "An outbox on PostgreSQL needs a part that isn’t installed."
            ' Install it: python -m pip install "smtp-desk[postgres]".'
        )
    given = _parsed(url)
    if any(given.get(secret) for secret in _SECRETS):
        raise OutboxAddressError(
            "The setting “outbox” contains a password. Remove it there, and put it in the file"
            " ~/.pgpass, which only you may read."
        )
    known = {name: given.get(name) or environ.get(of, "") for name, of in _HOST_VARIABLES.items()}
    local = _is_local(known)
    if not local and given.get("sslmode", _STRICT) != _STRICT:
        raise OutboxAddressError(
            f"The setting “outbox” must use sslmode={_STRICT}: the database is on another machine."
        )
    strict = {} if local else {"sslmode": _STRICT, "gssencmode": "disable"}
    parameters = {**_DEFAULTS, **given, **strict}
    where = known["host"] or known["hostaddr"] or known["service"] or "this machine"
    return PostgresAddress(parameters, f"{given.get('dbname') or 'of the user'} on {where}")


def _parsed(url: str) -> dict[str, str]:
    # Loaded here: without such an address nothing needs it.
    from psycopg import ProgrammingError  # noqa: PLC0415
    from psycopg.conninfo import conninfo_to_dict  # noqa: PLC0415

    try:
        given = conninfo_to_dict(url)
    except (ProgrammingError, UnicodeError):
        # Not told why: the library's words quote what may be a password.
        raise OutboxAddressError(
            "The setting “outbox” isn’t a valid PostgreSQL address."
            " It should look like postgresql://host/database."
        ) from None
    return {name: str(value) for name, value in given.items() if value not in (None, "")}


def _is_local(known: Mapping[str, str]) -> bool:
    if known["service"] and not known["host"]:
        return False
    named = [*known["host"].split(","), *known["hostaddr"].split(",")]
    return all(map(_is_here, named))


def _is_here(host: str) -> bool:
    if host in ("", "localhost") or host.startswith(("/", "@")):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
