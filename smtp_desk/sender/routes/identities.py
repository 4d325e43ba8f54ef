"""The sender of emails on each of the saved routes."""

from smtp_desk.core.address import AddressError, has_control, parse_mailbox
from smtp_desk.core.reply import visible
from smtp_desk.sender.mail.addressing import Identity
from smtp_desk.store.stored import DefaultKind, StoredSettings


def identity_problem(identity: Identity) -> dict[str, str] | None:
    """Return why no email can be sent from `identity`, or None: its values aren't proven.

    Returns:
        The `field` whose value can't be used, and the `reason`, a sentence without its full stop.
    """
    if not is_mailbox(identity.from_email):
        reason = f"“{visible(identity.from_email)}” is no email address"
        return {"field": "From email", "reason": reason}
    if has_control(identity.from_name):
        reason = "it has a line break or another control character"
        return {"field": "Company name", "reason": reason}
    return None


def custom_identity(stored: StoredSettings) -> Identity | None:
    """Return the sender on the custom route, or None if it is off or not set up."""
    if stored.server is None or not stored.enabled:
        return None
    settings = stored.server.settings
    return Identity(settings.from_email, settings.from_name)


def default_identity(stored: StoredSettings) -> Identity | None:
    """Return the sender on the default route, or None if emails wait in the outbox.

    From is the address of the service, so that the custom domain's DMARC isn't violated. An
    address written by hand may be invalid.
    """
    service, server = stored.default, stored.server
    match service.kind:
        case DefaultKind.SMTP if service.server is not None:
            from_email = service.server.settings.from_email
        case DefaultKind.SENDMAIL:
            from_email = service.from_email
        case _:
            return None
    if server is None:
        return Identity(from_email, stored.preferences.company_name)
    reply_to = server.settings.from_email if stored.enabled else ""
    return Identity(from_email, server.settings.from_name, reply_to)


def is_mailbox(text: str) -> bool:
    """Whether `text` is an email address."""
    try:
        parse_mailbox(text)
    except AddressError:
        return False
    return True
