"""The saved settings, as window and terminal show them: draft, status of the route, proof."""

import logging
from dataclasses import dataclass, field, replace
from typing import Final

from smtp_desk.app.routes.endings import endings_of_saved
from smtp_desk.app.routes.outage import make_due
from smtp_desk.app.routes.route_status import (
    RouteStatus,
    custom_status,
    evaluate_saved,
    relay_status,
    try_with_health,
)
from smtp_desk.app.routes.sign_in import to_withdraw
from smtp_desk.app.routes.words import ending_text
from smtp_desk.app.services import Services
from smtp_desk.app.words import file_text
from smtp_desk.core.address import parse_host
from smtp_desk.core.oauth import OAuthDraft, oauth_draft
from smtp_desk.core.secret import Secret, StoredSecret
from smtp_desk.core.settings import OAUTH, CaFile, ServerSettings, SettingsDraft, Snapshot
from smtp_desk.sender.routes.health import Ending
from smtp_desk.sender.routes.route import CUSTOM, DEFAULT
from smtp_desk.store.managed import Managed
from smtp_desk.store.paths import Paths
from smtp_desk.store.settings_file import SettingsFileError, ca_copy
from smtp_desk.store.stored import ServerState, StoredServer

_log: Final = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Saved:
    """The saved settings; the default is that of a new machine.

    Attributes:
        draft: The form's texts for them.
        status: The status of the route.
        ca: The content of the copied CA file, or None.
        ca_host: The only host that this CA was trusted for, or "" for a CA of any host.
        proven: The saved values if their proof is valid, with the mark of the stored secret.
        version: The version of the file they were read from; another version may differ.
        managed: What the organization fills in and locks.
        ends: What the server needs and that expires soon, in sentences; "" for nothing.
        withdrawn: Whether the provider withdrew the sign-in that was just removed; None if
            there was none.
    """

    draft: SettingsDraft = field(default_factory=SettingsDraft)
    status: RouteStatus = field(default_factory=RouteStatus)
    ca: CaFile | None = None
    ca_host: str = ""
    proven: Snapshot | None = None
    version: tuple[int, ...] = ()
    managed: Managed = field(default_factory=Managed)
    ends: str = ""
    withdrawn: bool | None = None

    @property
    def settings(self) -> ServerSettings | None:
        """The saved settings; None if there are none."""
        return self.status.server.settings if self.status.server else None

    @property
    def as_typed(self) -> Snapshot | None:
        """The proven values as the form contains them, or None."""
        return self.proven and self.proven.without_account


def load_saved(services: Services, *, default: bool = False) -> Saved:
    """Read what is saved; asks the keyring for the secret to check the proof.

    What a killed process left behind is cleaned up first. A settings file that can't be read
    is a state to show, not an error to raise.

    Args:
        services: The services to read with.
        default: Read the relay of the default email service instead of the custom server.
    """
    if not services.store.recover():
        _log.info("what a killed process left is not settled yet; the next start tries again")
    route = DEFAULT if default else CUSTOM
    version = services.store.fingerprint()
    managed = Managed() if default else services.managed
    try:
        stored = services.store.load()
    except SettingsFileError as error:
        status = RouteStatus(route=route, kind=ServerState.UNREADABLE, why=file_text(error))
        return Saved(status=status, version=version, managed=managed)
    evaluated = evaluate_saved(services, stored, default=default)
    if default:
        status = relay_status(stored, evaluated)
    else:
        status = try_with_health(services, custom_status(stored, evaluated))
    server = status.server
    if server is None:
        draft = managed.fill(SettingsDraft())
        draft = replace(draft, from_name=draft.from_name or stored.preferences.company_name)
        return Saved(draft=draft, status=status, version=version, managed=managed)
    secret = StoredSecret(server.key) if server.key else Secret("")
    settings = server.settings
    draft = saved_draft(server, services.store.paths)
    known = status.health.known if status.health else None
    endings = endings_of_saved(services, server, known)
    trusted = draft.ca_file and services.trusted_cas.has(settings.host, settings.ca_pem)
    return Saved(
        draft=draft,
        status=status,
        ca=CaFile(draft.ca_file, settings.ca_pem) if draft.ca_file else None,
        ca_host=settings.host if trusted else "",
        proven=Snapshot(settings, secret) if status.proven else None,
        version=version,
        managed=managed,
        ends=" ".join(ending_text(each, services.now()) for each in endings),
    )


def look_again(services: Services, known: Saved, *, default: bool) -> Saved:
    """Return what is saved, read anew only if a save or a worker's daily check changed something.

    The health of the custom server is always read anew.
    """
    if services.store.fingerprint() != known.version:
        return load_saved(services, default=default)
    if default:
        return known
    status = try_with_health(services, known.status)
    if _found_to_end(status) != _found_to_end(known.status):
        return load_saved(services)
    return replace(known, status=status)


def _found_to_end(status: RouteStatus) -> tuple[Ending, ...]:
    return status.health.known.endings if status.health else ()


def remove_saved(services: Services, *, default: bool = False) -> Saved:
    """Remove the custom server, or the relay of the default email service, and its secret.

    A CA that was trusted by its fingerprint isn't trusted any more if no saved server needs it.

    Raises:
        SaveError: It could not be removed; nothing changed.
    """
    withdraw = to_withdraw(services, default=default)
    services.store.remove_server(default=default)
    withdrawn = withdraw() if withdraw else None
    left = [server.settings for server in services.store.load().servers]
    services.trusted_cas.keep_only([(settings.host, settings.ca_pem) for settings in left])
    return replace(load_saved(services, default=default), withdrawn=withdrawn)


def switch_saved(services: Services, *, on: bool) -> Saved:
    """Move the switch.

    Raises:
        NotProvenError: It can't be turned on: the settings aren't proven.
        SaveError: It could not be saved.
    """
    services.store.set_enabled(on)
    if on:
        make_due(services)
    return load_saved(services)


def saved_draft(server: StoredServer, paths: Paths) -> SettingsDraft:
    """Return the form's texts for a saved server; the password stays in the keyring.

    Args:
        server: The server.
        paths: They tell where the copies of its CA files are.
    """
    settings, oauth = server.settings, OAuthDraft()
    if settings.oauth is not None:
        oauth = oauth_draft(settings.oauth, _copy(paths, settings.oauth.ca_pem))
    return SettingsDraft(
        host=parse_host(settings.host).unicode,
        port=str(settings.port),
        username=settings.username,
        secret=StoredSecret(server.key) if server.key else Secret(""),
        from_name=settings.from_name,
        from_email=settings.from_email,
        security=settings.security,
        ca_file=_copy(paths, settings.ca_pem),
        ehlo_name=settings.ehlo_name,
        per_hour=str(settings.per_hour or ""),
        auth_method=OAUTH if settings.oauth else settings.auth_method,
        oauth=oauth,
    )


def _copy(paths: Paths, ca_pem: str) -> str:
    """Return the path of the copy of a CA file; "" for none."""
    return str(ca_copy(paths.settings_file, ca_pem)) if ca_pem else ""
