"""What is saved, as the faces show it: the draft, the status, whether it is proven."""

import logging
from dataclasses import dataclass, field, replace
from typing import Final

from smtp_desk.app.notice import StatusKind, StatusLine
from smtp_desk.app.routes.outage import make_due
from smtp_desk.app.services import Services
from smtp_desk.core.address import parse_host
from smtp_desk.core.oauth import OAuthDraft, oauth_draft
from smtp_desk.core.secret import Secret, StoredSecret
from smtp_desk.core.settings import OAUTH, CaFile, ServerSettings, SettingsDraft, Snapshot
from smtp_desk.store.save_protocol import SaveError
from smtp_desk.store.settings_file import SettingsFileError
from smtp_desk.store.stored import (
    DefaultKind,
    NotProvenError,
    ServerState,
    ServerStatus,
    StoredServer,
    StoredSettings,
)

_log: Final = logging.getLogger(__name__)

_USES_DEFAULT: Final = "System emails leave through the default email service."
_HOLDS: Final = "System emails wait in the outbox until a route works."
_NEEDS_PROOF: Final = "Save settings that a test email has proven first."
_NOTHING: Final = StatusLine(StatusKind.NOT_CONFIGURED, f"Not configured. {_HOLDS}")
_NO_RELAY: Final = StatusLine(StatusKind.NOT_CONFIGURED, "No relay is set up yet.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Saved:
    """What is saved; the default is what a fresh machine has.

    Attributes:
        draft: The form's texts for it.
        status: The status line of the custom server.
        enabled: Position of the switch.
        switch_reason: Why the switch can't be moved, or "".
        settings: The saved settings, or None.
        ca: What the copied CA file holds, or None.
        ca_host: The only host that this CA was trusted for, or "" for a CA of any host.
        proven: The saved values if their proof holds, with the mark of the stored secret.
        default: Whether it is the relay of the default email service, which has no switch.
        instead: What becomes of emails without it.
    """

    draft: SettingsDraft = field(default_factory=SettingsDraft)
    status: StatusLine = _NOTHING
    enabled: bool = False
    switch_reason: str = _NEEDS_PROOF
    settings: ServerSettings | None = None
    ca: CaFile | None = None
    ca_host: str = ""
    proven: Snapshot | None = None
    default: bool = False
    instead: str = _HOLDS

    @property
    def after_save(self) -> str:
        """What to say once it was saved."""
        if self.default:
            return "Saved. This relay is the default email service now."
        if self.enabled:
            return "Saved. System emails now leave through this server."
        return "Saved. Turn the switch on to send system emails through this server."

    @property
    def after_removal(self) -> str:
        """What to say once it was removed."""
        if self.default:
            return "The relay and its password were removed."
        return f"Configuration removed. {self.instead}"


def load_saved(services: Services, *, default: bool = False) -> Saved:
    """Read what is saved; asks the keyring for the secret to check the proof.

    What a killed process left behind is settled first. A settings file that can't be
    read is a state to show, not an error to raise.

    Args:
        services: Where it is saved.
        default: Read the relay of the default email service instead of the custom server.
    """
    if not services.store.recover():
        _log.info("what a killed process left is not settled yet; the next start tries again")
    try:
        stored = services.store.load()
    except SettingsFileError as error:
        text = f"The settings file can’t be read and will not be overwritten: {error}"
        reason = "The settings file can’t be read."
        status = StatusLine(StatusKind.FILE_UNREADABLE, text)
        return Saved(status=status, switch_reason=reason, default=default)
    server, instead = stored.default.server if default else stored.server, _instead(stored)
    if server is None:
        draft = SettingsDraft(from_name=stored.preferences.company_name)
        if not default:
            draft = services.managed.fill(draft)
        status = _NO_RELAY if default else _not_configured(stored)
        return Saved(draft=draft, status=status, default=default, instead=instead)
    judged = judge(services, stored, default=default)
    proven = judged.state is ServerState.ACTIVE
    password = StoredSecret(server.key) if server.key else Secret("")
    ca_file = services.store.ca_file(server)
    settings = server.settings
    trusted = ca_file and services.trusted_cas.has(settings.host, settings.ca_pem)
    return Saved(
        draft=saved_draft(server, ca_file, services.store.ca_file(server, oauth=True)),
        status=_relay_line(server, judged) if default else status_line(stored, judged),
        enabled=stored.enabled,
        switch_reason="" if proven or stored.enabled else _NEEDS_PROOF,
        settings=settings,
        ca=CaFile(ca_file, settings.ca_pem) if ca_file else None,
        ca_host=settings.host if trusted else "",
        proven=Snapshot(settings, password) if proven else None,
        default=default,
        instead=instead,
    )


def remove_saved(services: Services, *, default: bool = False) -> Saved:
    """Forget the custom server, or the relay of the default email service, and its secret.

    A CA that was trusted by its fingerprint is trusted no more where nothing saved needs it.

    Raises:
        SaveError: It could not be removed; nothing changed.
    """
    services.store.remove_server(default=default)
    left = [server.settings for server in services.store.load().servers]
    services.trusted_cas.keep_only([(settings.host, settings.ca_pem) for settings in left])
    return load_saved(services, default=default)


def switch_saved(services: Services, *, on: bool) -> Saved:
    """Move the switch.

    Raises:
        NotProvenError: It can't go on: the settings are not proven.
        SaveError: It could not be saved.
    """
    services.store.set_enabled(on)
    if on:
        make_due(services)
    return load_saved(services)


def saved_draft(server: StoredServer, ca_file: str, oauth_ca_file: str = "") -> SettingsDraft:
    """Return the form's texts for a saved server; the password stays in the keyring."""
    settings = server.settings
    oauth = oauth_draft(settings.oauth, oauth_ca_file) if settings.oauth else OAuthDraft()
    return SettingsDraft(
        host=parse_host(settings.host).unicode,
        port=str(settings.port),
        username=settings.username,
        password=StoredSecret(server.key) if server.key else Secret(""),
        from_name=settings.from_name,
        from_email=settings.from_email,
        security=settings.security,
        ca_file=ca_file,
        ehlo_name=settings.ehlo_name,
        auth_method=OAUTH if settings.oauth else settings.auth_method,
        oauth=oauth,
    )


def failure_text(error: Exception) -> str:
    """Return what to tell a person about a background job that failed."""
    if isinstance(error, SaveError):
        return error.text
    if isinstance(error, NotProvenError):
        return error.status.reason or _NEEDS_PROOF
    if isinstance(error, SettingsFileError):
        return f"The settings file can’t be read and will not be overwritten: {error}"
    return f"SMTP Desk itself failed ({type(error).__name__}). The log says more."


def judge(services: Services, stored: StoredSettings, *, default: bool = False) -> ServerStatus:
    """Return what a saved server is good for, whether or not it is in use; asks the keyring."""
    relay = replace(stored.default, kind=DefaultKind.SMTP)
    in_use = replace(stored, enabled=True, default=relay)
    return services.store.status(in_use, default=default)


def status_line(stored: StoredSettings, judged: ServerStatus) -> StatusLine:
    """Return the status of the custom server, an outage aside.

    Args:
        stored: What is saved.
        judged: What the custom server would be good for if it were switched on.
    """
    server, instead = stored.server, _instead(stored)
    if server is None:
        return _not_configured(stored)
    if judged.state is ServerState.SECRET_UNAVAILABLE:
        text = f"Password not available. {judged.reason} Until then: s{instead[1:]}"
        return StatusLine(StatusKind.PASSWORD_UNAVAILABLE, text)
    if judged.state is ServerState.UNPROVEN:
        text = f"Not proven. {judged.reason} Until then: s{instead[1:]}"
        return StatusLine(StatusKind.NOT_PROVEN, text)
    if not stored.enabled:
        return StatusLine(StatusKind.OFF, f"Off. {instead}")
    host = parse_host(server.settings.host).unicode
    return StatusLine(StatusKind.ACTIVE, f"Active. System emails leave through {host}.")


def with_default(status: StatusLine, kind: DefaultKind) -> StatusLine:
    """Return a status line of before, now that the default email service is `kind`."""
    now = _way_of(kind)[1:]
    text = status.text.replace(_HOLDS[1:], now).replace(_USES_DEFAULT[1:], now)
    return replace(status, text=text)


def _instead(stored: StoredSettings) -> str:
    return _way_of(stored.default.kind)


def _way_of(kind: DefaultKind) -> str:
    return _HOLDS if kind is DefaultKind.OUTBOX else _USES_DEFAULT


def _not_configured(stored: StoredSettings) -> StatusLine:
    return StatusLine(StatusKind.NOT_CONFIGURED, f"Not configured. {_instead(stored)}")


def _relay_line(server: StoredServer, judged: ServerStatus) -> StatusLine:
    host = parse_host(server.settings.host).unicode
    if judged.state is ServerState.SECRET_UNAVAILABLE:
        text = f"Password not available. {judged.reason}"
        return StatusLine(StatusKind.PASSWORD_UNAVAILABLE, text)
    if judged.state is ServerState.UNPROVEN:
        return StatusLine(StatusKind.NOT_PROVEN, f"Not proven. {judged.reason}")
    return StatusLine(StatusKind.ACTIVE, f"Proven. {host} can take emails.")
