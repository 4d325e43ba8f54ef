"""The form as typed, and the settings of one SMTP server made from it, valid by construction."""

from dataclasses import dataclass, field, replace
from datetime import date
from enum import StrEnum
from typing import Final

from smtp_desk.core.oauth import OAuthDraft, OAuthSettings
from smtp_desk.core.secret import Secret, StoredSecret

DEFAULT_PORT: Final = "587"
OAUTH: Final = "oauth"
"""The form's sign-in method that is no mechanism but another kind of credential."""


class Security(StrEnum):
    """How TLS begins. There is no setting for a connection without TLS."""

    AUTO = "auto"
    STARTTLS = "starttls"
    TLS = "tls"


class AuthMethod(StrEnum):
    """The SASL mechanism to sign in with (RFC 4954)."""

    AUTO = "auto"
    PLAIN = "plain"
    LOGIN = "login"
    CRAM_MD5 = "cram-md5"
    SCRAM_SHA_256 = "scram-sha-256"


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerSettings:
    """What a test tests, Save saves and the sender uses. Only `validation.parse` makes them.

    Attributes:
        host: Host name as A-labels in lower case, or an IP address without brackets.
        port: 1 to 65535.
        username: Empty for a server that recognizes us by our IP address.
        from_name: Display name of the sender; may be empty.
        from_email: Address of the sender, domain as the person typed it.
        security: How TLS begins; AUTO is resolved by the test.
        ca_pem: Content of the company CA file (PEM), or "".
        ehlo_name: Name for EHLO; "" means the address literal of the socket.
        auth_method: The mechanism; AUTO takes the first that fits.
        oauth: How to obtain a token; None where the credential is a password.
        per_hour: Emails per hour at most, over all processes; 0 for no limit.
    """

    host: str
    port: int
    from_email: str
    username: str = ""
    from_name: str = ""
    security: Security = Security.AUTO
    ca_pem: str = ""
    ehlo_name: str = ""
    auth_method: AuthMethod = AuthMethod.AUTO
    oauth: OAuthSettings | None = None
    per_hour: int = 0

    @property
    def identity(self) -> tuple[object, ...]:
        """Where a stored secret may go: it is reused only while these stay the same."""
        return (self.host, self.port, self.security, self.ca_pem, self.username, self.oauth)

    @property
    def client_secret_expires(self) -> date | None:
        """The last day of the client secret; None where there is none, or nobody gave it."""
        return self.oauth.client_secret_expires if self.oauth else None

    def with_expiry(self, day: date | None) -> "ServerSettings":
        """Return the settings with another last day of the client secret."""
        oauth = self.oauth and replace(self.oauth, client_secret_expires=day)
        return replace(self, oauth=oauth)

    @property
    def ca_pems(self) -> tuple[str, ...]:
        """The content of each company CA file: of the mail server's, of the sign-in service's."""
        pems = (self.ca_pem, self.oauth.ca_pem if self.oauth else "")
        return tuple(filter(None, pems))


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The values of the form at one moment, as the gate compares them.

    Attributes:
        settings: The SMTP fields.
        secret: What was typed, or the mark of the untouched stored secret.
    """

    settings: ServerSettings
    secret: Secret | StoredSecret

    @property
    def without_account(self) -> "Snapshot":
        """The values as a form has them: only a test learns which account signed in by OAuth."""
        oauth = self.settings.oauth and replace(self.settings.oauth, issuer="", subject="")
        return replace(self, settings=replace(self.settings, oauth=oauth))

    def with_cas(self, ca_pem: str, oauth_ca_pem: str) -> "Snapshot":
        """Return the values with the content of the form's CA files, for server and sign-in."""
        oauth = self.settings.oauth and replace(self.settings.oauth, ca_pem=oauth_ca_pem)
        return replace(self, settings=replace(self.settings, ca_pem=ca_pem, oauth=oauth))


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
    """The fields of the form, as strings as typed; a half-typed port is normal.

    Attributes:
        host: SMTP server host.
        port: Port.
        username: Username.
        secret: What was typed, or the mark of the untouched stored secret.
        from_name: From name.
        from_email: From email.
        security: A value of `Security`.
        ca_file: Path of the company CA file.
        ehlo_name: EHLO name.
        per_hour: Emails per hour at most; "" for no limit.
        auth_method: A value of `AuthMethod`, or `OAUTH`.
        oauth: The fields of the sign-in by OAuth 2.0, which `OAUTH` asks for; `secret` is
            then a client secret, or the content of a key file.
    """

    host: str = ""
    port: str = DEFAULT_PORT
    username: str = ""
    secret: Secret | StoredSecret = field(default_factory=lambda: Secret(""))
    from_name: str = ""
    from_email: str = ""
    security: str = Security.AUTO
    ca_file: str = ""
    ehlo_name: str = ""
    per_hour: str = ""
    auth_method: str = AuthMethod.AUTO
    oauth: OAuthDraft = field(default_factory=OAuthDraft)
