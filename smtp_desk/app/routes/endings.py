"""What a saved server needs and that expires soon."""

from smtp_desk.app.services import Services
from smtp_desk.core.secret import KeyringEntry
from smtp_desk.sender.routes.expiry import known_endings
from smtp_desk.sender.routes.health import Ending, Needed, RouteHealth
from smtp_desk.store.credentials import CredentialsUnavailableError
from smtp_desk.store.settings_file import SettingsFileError
from smtp_desk.store.stored import StoredServer


def endings_of_saved(
    services: Services, server: StoredServer | None, known: RouteHealth | None = None
) -> tuple[Ending, ...]:
    """Return what a server needs and that expires soon or has expired, the first first.

    Asks the disk and the keyring, never the network.

    Args:
        services: The services to use.
        server: The saved server; None for none.
        known: What a worker's daily check found: it alone sees the server's own certificate, and
            what the secrets tell if they can't be read here.
    """
    if server is None:
        return ()
    entry, readable = _entry(services, server)
    found = {each.what: each.at for each in known.endings} if known else {}
    if readable:
        found = {what: at for what, at in found.items() if what is Needed.SERVER_CERTIFICATE}
    here = known_endings(server.settings, entry, services.now())
    found.update((each.what, each.at) for each in here)
    return tuple(sorted(Ending(at, what) for what, at in found.items()))


def _entry(services: Services, server: StoredServer) -> tuple[KeyringEntry | None, bool]:
    """Return the secrets of a server, and whether all there is to know is known here."""
    if server.settings.oauth is None:
        return None, True
    try:
        entry = services.store.entry(server)
    except (CredentialsUnavailableError, SettingsFileError):
        return None, False
    return entry, entry is not None
