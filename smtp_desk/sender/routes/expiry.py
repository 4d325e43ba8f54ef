"""What a saved server needs and that expires, as far as it is known without asking a server."""

from collections.abc import Iterator
from datetime import UTC, datetime

from smtp_desk.core.oauth import ENDS_SOON, OAuthFlow, OAuthSettings, end_of, is_pem
from smtp_desk.core.secret import KeyringEntry
from smtp_desk.core.settings import ServerSettings
from smtp_desk.sender.routes.health import Ending, Needed


def known_endings(
    settings: ServerSettings, entry: KeyringEntry | None, now: datetime
) -> Iterator[Ending]:
    """Yield what of a server's own expires soon, or has expired.

    Args:
        settings: The server.
        entry: Its secrets; None if they can't be read, so that only its CAs are judged.
        now: This moment, with a time zone.
    """
    if settings.oauth is not None and entry is not None:
        found = _of_sign_in(settings.oauth, entry, now.timestamp())
        yield from (each for each in found if each.at - now <= ENDS_SOON)
    if settings.ca_pems:
        # Imported here, and below: it loads cryptography, which most servers do without.
        from smtp_desk.smtp.net.certificates import ca_files_end  # noqa: PLC0415

        if end := ca_files_end(settings.ca_pems, now):
            yield Ending(end, Needed.COMPANY_CA)


def _of_sign_in(oauth: OAuthSettings, entry: KeyringEntry, now: float) -> Iterator[Ending]:
    day, lifetime = oauth.client_secret_expires, entry.refresh_lifetime
    if oauth.flow is OAuthFlow.APP and is_pem(entry.secret):
        from smtp_desk.oauth.assertions import certificate_end  # noqa: PLC0415

        if end := certificate_end(entry.secret):
            yield Ending(end, Needed.CLIENT_CERTIFICATE)
    elif entry.secret and day is not None:
        yield Ending(end_of(day), Needed.CLIENT_SECRET)
    # One that each use extends, as a worker does daily, is far from its end by then.
    if entry.refresh_token and lifetime is not None and lifetime.is_half_over(now):
        yield Ending(datetime.fromtimestamp(lifetime.until, UTC), Needed.REFRESH_TOKEN)
