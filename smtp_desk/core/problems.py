"""Problems of the form: which field, which rule, with what in it."""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


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
    RECIPIENT = "recipient"


class Severity(StrEnum):
    """Whether a problem forbids the test or is only said."""

    ERROR = "error"
    NOTICE = "notice"


@dataclass(frozen=True, slots=True)
class Problem:
    """One broken rule, or a notice, for one field.

    Attributes:
        field: The field beside which it is shown.
        code: The rule, a key of `texts.PROBLEMS`.
        params: Values for the text.
        severity: ERROR forbids the test; NOTICE does not.
    """

    field: Field
    code: str
    params: Mapping[str, str] = dataclasses.field(default_factory=dict)
    severity: Severity = Severity.ERROR
