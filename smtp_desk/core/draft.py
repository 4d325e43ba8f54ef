"""The form exactly as typed."""

from dataclasses import dataclass, field

from smtp_desk.core.secret import Secret, StoredSecret
from smtp_desk.core.settings import AuthMethod, Security

DEFAULT_PORT = "587"


@dataclass(frozen=True, slots=True)
class CaFile:
    """What was read from the CA file named in the form.

    Attributes:
        path: The path as typed; the content belongs to this path only.
        pem: The certificates in it, PEM, or "".
        problem: Why there are none, a key of `texts.PROBLEMS`, or "".
    """

    path: str = ""
    pem: str = ""
    problem: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SettingsDraft:
    """The fields of the form, strings as typed; a half-typed port is normal.

    Attributes:
        host: SMTP server host.
        port: Port.
        username: Username.
        password: What was typed, or the mark of the untouched stored secret.
        from_name: From name.
        from_email: From email.
        security: A value of `Security`.
        ca_file: Path of the company CA file.
        ehlo_name: EHLO name.
        auth_method: A value of `AuthMethod`.
    """

    host: str = ""
    port: str = DEFAULT_PORT
    username: str = ""
    password: Secret | StoredSecret = field(default_factory=lambda: Secret(""))
    from_name: str = ""
    from_email: str = ""
    security: str = Security.AUTO
    ca_file: str = ""
    ehlo_name: str = ""
    auth_method: str = AuthMethod.AUTO
