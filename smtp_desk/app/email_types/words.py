"""The words for the sender of an email."""

from typing import Final

from smtp_desk.store.stored import DefaultKind, StoredSettings

_NO_ROUTE: Final = "Nobody yet. Emails wait in the outbox."


def sender_of(stored: StoredSettings) -> str:
    """Return From as recipients see it, by the route that the saved settings define."""
    server = stored.server
    if server is not None and stored.enabled:
        return _named(server.settings.from_name, server.settings.from_email)
    address = _default_address(stored)
    if not address:
        return _NO_ROUTE
    name = server.settings.from_name if server is not None else stored.preferences.company_name
    return _named(name, address)


def answers_to(stored: StoredSettings) -> str:
    """Return where replies go if the default service sends, if that is another address."""
    server, address = stored.server, _default_address(stored)
    if server is None or not stored.enabled or not address:
        return ""
    if address == server.settings.from_email:
        return ""
    name = _named(server.settings.from_name, address)
    return (
        f"While your own server isn’t available: {name}, with replies to "
        f"{server.settings.from_email}"
    )


def _default_address(stored: StoredSettings) -> str:
    service = stored.default
    match service.kind:
        case DefaultKind.SMTP:
            return service.server.settings.from_email if service.server is not None else ""
        case DefaultKind.SENDMAIL:
            return service.from_email
        case DefaultKind.OUTBOX:
            return ""


def _named(name: str, address: str) -> str:
    return f"{name} <{address}>" if name else address
