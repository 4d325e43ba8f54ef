"""The content of the settings file as values, and whether a saved server can be used."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from smtp_desk.core.proof import Proof, Verdict, verify
from smtp_desk.core.secret import KeyringEntry
from smtp_desk.core.settings import Security, ServerSettings
from smtp_desk.store.credentials import UnavailableReason


@dataclass(frozen=True, slots=True)
class StoredServer:
    """A saved SMTP server.

    Attributes:
        settings: The SMTP fields.
        mode: How TLS begins, as the test found it; the sender never searches.
        key: The secret's key in the keyring; "" without credentials.
        proof: The proof that exactly these settings were tested; None without one.
    """

    settings: ServerSettings
    mode: Security
    key: str
    proof: Proof | None


@dataclass(frozen=True, slots=True)
class Preferences:
    """Settings that don't belong to one server.

    Attributes:
        company_name: The company's name.
        notify: The address that gets an email when an outage begins and ends, and when stored
            emails were refused; "" for nobody.
        language: Language of the window; "" for the system's.
        theme: `system`, `light` or `dark`.
        text_size: `system`, or a percentage of the system's size.
        updates: The https address of the package index that is asked for a newer version; ""
            for none. Set by hand or by an administrator.
    """

    company_name: str = ""
    notify: str = ""
    language: str = ""
    theme: str = "system"
    text_size: str = "system"
    updates: str = ""


class DefaultKind(StrEnum):
    """The kind of default email service."""

    OUTBOX = "outbox"
    SENDMAIL = "sendmail"
    SMTP = "smtp"


@dataclass(frozen=True, slots=True)
class DefaultService:
    """The default email service.

    Attributes:
        kind: Its kind.
        sendmail_path: Absolute path of the machine's MTA, for SENDMAIL.
        from_email: Its own From address, for SENDMAIL; for SMTP that of `server`.
        server: The organization's relay, for SMTP.
    """

    kind: DefaultKind = DefaultKind.OUTBOX
    sendmail_path: str = ""
    from_email: str = ""
    server: StoredServer | None = None


class Uncertain(StrEnum):
    """What to do with an email whose final dot was not answered."""

    RESEND = "resend"
    HOLD = "hold"


@dataclass(frozen=True, slots=True)
class SystemRules:
    """The rules for users of the system-wide worker; root isn't restricted.

    Attributes:
        trusted_users: Names of those whose envelope sender counts (`sendmail -f`).
        emails_per_hour: The number of recipients that a user may have per hour.
        message_octets: The largest message.
    """

    trusted_users: tuple[str, ...] = ()
    emails_per_hour: int = 1000
    message_octets: int = 32 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class StoredSettings:
    """Everything in the settings file; the default is that of a new machine.

    Attributes:
        enabled: The switch: system emails are sent through the custom server.
        server: The custom server, or None if none is configured.
        default: The default email service.
        preferences: The rest.
        uncertain: RESEND: an uncertain email is sent once more by the same route. HOLD: it
            is held for a person at once.
        system: The rules of the system-wide worker.
        alerts: The key of the alert URLs in the keyring; "" for none.
        keep_emails_days: How long an email stays in the outbox once its result is final.
        keep_keys_days: How long an email's idempotency key is remembered.
        outbox: The URL of the shared database; "" for this machine's own outbox.
    """

    enabled: bool = False
    server: StoredServer | None = None
    preferences: Preferences = field(default_factory=Preferences)
    default: DefaultService = field(default_factory=DefaultService)
    uncertain: Uncertain = Uncertain.RESEND
    system: SystemRules = field(default_factory=SystemRules)
    alerts: str = ""
    keep_emails_days: int = 30
    keep_keys_days: int = 7
    outbox: str = field(default="", repr=False)  # a person may have written a password into it

    @property
    def servers(self) -> tuple[StoredServer, ...]:
        """The saved servers, the custom one first."""
        return tuple(server for server in (self.server, self.default.server) if server)

    @property
    def ca_pems(self) -> tuple[str, ...]:
        """The CAs of the saved servers and of their sign-in."""
        each = [server.settings for server in self.servers]
        found = [settings.ca_pem for settings in each]
        found += [settings.oauth.ca_pem for settings in each if settings.oauth]
        return tuple(dict.fromkeys(filter(None, found)))

    @property
    def keys(self) -> frozenset[str]:
        """The keys in the keyring that the file names."""
        keys = (self.alerts, *(server.key for server in self.servers))
        return frozenset(filter(None, keys))


class ServerState(StrEnum):
    """The state of a saved server before anything is sent."""

    NOT_CONFIGURED = "not_configured"
    OFF = "off"
    UNPROVEN = "unproven"
    ACTIVE = "active"
    SECRET_UNAVAILABLE = "secret_unavailable"  # noqa: S105 - a state's name
    UNREADABLE = "unreadable"


class UnprovenReason(StrEnum):
    """Why a saved server can't be used for sending."""

    NO_RELAY = "no_relay"
    NEVER_TESTED = "never_tested"
    ALIEN_SECRET = "alien_secret"  # noqa: S105 - a reason's name
    CHANGED = "changed"
    SECRET_DIFFERS = "secret_differs"  # noqa: S105 - a reason's name
    SECRET_OR_SETTINGS_DIFFER = "secret_or_settings_differ"  # noqa: S105 - as above


_CODES: Final[Mapping[UnprovenReason | UnavailableReason, str]] = {
    UnprovenReason.NO_RELAY: "settings.not_proven",
    UnprovenReason.NEVER_TESTED: "settings.not_proven",
    UnprovenReason.CHANGED: "settings.not_proven",
    UnprovenReason.ALIEN_SECRET: "settings.secret_differs",
    UnprovenReason.SECRET_DIFFERS: "settings.secret_differs",
    UnprovenReason.SECRET_OR_SETTINGS_DIFFER: "settings.secret_differs",
}


@dataclass(frozen=True, slots=True)
class ServerStatus:
    """The state of a saved server.

    Attributes:
        state: The state.
        reason: Why, if it is UNPROVEN or SECRET_UNAVAILABLE.
        detail: What the keyring said, or "".
        by_token: Whether what is missing or differs is a sign-in (OAuth 2.0), not a password.
    """

    state: ServerState
    reason: UnprovenReason | UnavailableReason | None = None
    detail: str = ""
    by_token: bool = False

    @property
    def code(self) -> str:
        """The finding's code for the reason; "" for none."""
        if self.reason is None:
            return ""
        return _CODES.get(self.reason, "settings.secret_unavailable")


class NotProvenError(Exception):
    """The switch can be turned on only with proven settings.

    Attributes:
        status: Their actual status.
    """

    def __init__(self, status: ServerStatus) -> None:
        super().__init__(str(status.reason or status.state))
        self.status = status


def evaluate(server: StoredServer, entry: KeyringEntry | None) -> ServerStatus:
    """Return by its proof whether a server can be used; `entry` is None without its secret."""
    by_token = server.settings.oauth is not None
    if entry is None:
        missing = ServerState.SECRET_UNAVAILABLE
        return ServerStatus(missing, UnavailableReason.NOT_FOUND, by_token=by_token)
    if server.proof is None:
        # A secret without the keyring's key may be that of another server.
        alien = entry.secret and not entry.proof_key
        reason = UnprovenReason.ALIEN_SECRET if alien else UnprovenReason.NEVER_TESTED
        return ServerStatus(ServerState.UNPROVEN, reason)
    verdict = verify(server.proof, server.settings, server.mode, entry)
    if verdict is Verdict.PROVEN:
        return ServerStatus(ServerState.ACTIVE)
    if verdict is Verdict.CHANGED:
        return ServerStatus(ServerState.UNPROVEN, UnprovenReason.CHANGED)
    # Without the keyring's key nobody can tell.
    known = bool(entry.proof_key)
    differs = UnprovenReason.SECRET_DIFFERS if known else UnprovenReason.SECRET_OR_SETTINGS_DIFFER
    return ServerStatus(ServerState.UNPROVEN, differs, by_token=by_token)
