"""Problems of the form: the field, the broken rule, and values for its text."""

import dataclasses
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Field(StrEnum):
    """The fields of the form; the values are the `objectName`s and the file's keys."""

    HOST = "host"
    PORT = "port"
    USERNAME = "username"
    PASSWORD = "password"  # noqa: S105 - a field's name
    FROM_NAME = "from_name"
    FROM_EMAIL = "from_email"
    SECURITY = "security"
    CA_FILE = "ca_file"
    EHLO_NAME = "ehlo_name"
    AUTH_METHOD = "auth_method"
    PER_HOUR = "per_hour"
    RECIPIENT = "recipient"
    OAUTH_PROVIDER = "oauth_provider"
    OAUTH_FLOW = "flow"
    CLIENT_ID = "client_id"
    TENANT = "tenant"
    OAUTH_AUTHORIZE_URL = "oauth_authorize_url"
    OAUTH_TOKEN_URL = "oauth_token_url"  # noqa: S105 - a field's name
    OAUTH_DEVICE_URL = "oauth_device_url"
    OAUTH_SCOPE = "oauth_scope"
    OAUTH_CA_FILE = "oauth_ca_file"
    CLIENT_SECRET_EXPIRES = "client_secret_expires"  # noqa: S105 - as above


OAUTH_FIELDS: Final = frozenset(
    {
        Field.OAUTH_PROVIDER,
        Field.OAUTH_FLOW,
        Field.CLIENT_ID,
        Field.TENANT,
        Field.OAUTH_AUTHORIZE_URL,
        Field.OAUTH_TOKEN_URL,
        Field.OAUTH_DEVICE_URL,
        Field.OAUTH_SCOPE,
        Field.OAUTH_CA_FILE,
        Field.CLIENT_SECRET_EXPIRES,
    }
)
"""Those of the sign-in by OAuth 2.0, which no remedy changes."""


class Severity(StrEnum):
    """Whether a problem prevents the test or is only a notice."""

    ERROR = "error"
    NOTICE = "notice"


@dataclass(frozen=True, slots=True)
class Problem:
    """One broken rule, or a notice, for one field.

    Attributes:
        field: The field beside which it is shown.
        code: The rule, a key of `texts.PROBLEMS`.
        params: Values for the text.
        severity: ERROR prevents the test; NOTICE doesn't.
    """

    field: Field
    code: str
    params: Mapping[str, str] = dataclasses.field(default_factory=dict)
    severity: Severity = Severity.ERROR


def errors_among(problems: Iterable[Problem]) -> tuple[Problem, ...]:
    """Return those that prevent the test."""
    return tuple(problem for problem in problems if problem.severity is Severity.ERROR)
