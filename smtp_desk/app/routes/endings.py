"""What of a saved server ends soon: a certificate of its own, the application's, a company CA."""

from collections.abc import Iterator
from datetime import datetime

from smtp_desk.app.services import Services
from smtp_desk.core.oauth import ENDS_SOON, OAuthFlow
from smtp_desk.sender.routes.health import Ending, Needed, RouteHealth
from smtp_desk.store.credentials import CredentialsUnavailableError
from smtp_desk.store.settings_file import SettingsFileError
from smtp_desk.store.stored import StoredServer


def endings_of_saved(
    services: Services, server: StoredServer | None, known: RouteHealth | None = None
) -> tuple[Ending, ...]:
    """Return which of a server's certificates expire soon or have expired, the first first.

    Asks the disk and the keyring, never the network. No service says when a client secret ends.

    Args:
        services: The services to use.
        server: The saved server; None for none.
        known: What a worker's daily check found about the server's own certificate.
    """
    if server is None:
        return ()
    found = {each.what: each.at for each in known.endings} if known else {}
    found.update((each.what, each.at) for each in _read(services, server))
    return tuple(sorted(Ending(at, what) for what, at in found.items()))


def _read(services: Services, server: StoredServer) -> Iterator[Ending]:
    """Return what is to be had here."""
    if end := _client_certificate_end(services, server):
        yield Ending(end, Needed.CLIENT_CERTIFICATE)
    if server.settings.ca_pems:
        # Imported here, and below: it loads cryptography, which most servers do without.
        from smtp_desk.smtp.net.certificates import ca_files_end  # noqa: PLC0415

        if end := ca_files_end(server.settings.ca_pems, services.now()):
            yield Ending(end, Needed.COMPANY_CA)


def _client_certificate_end(services: Services, server: StoredServer) -> datetime | None:
    oauth = server.settings.oauth
    if oauth is None or oauth.flow is not OAuthFlow.APP:
        return None
    try:
        entry = services.store.entry(server)
    except (CredentialsUnavailableError, SettingsFileError):
        return None
    from smtp_desk.oauth.assertions import certificate_end  # noqa: PLC0415

    end = certificate_end(entry.secret) if entry else None
    return end if end is not None and end - services.now() <= ENDS_SOON else None
