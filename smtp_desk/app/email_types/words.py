"""The words for who an email comes from, and for what came of one that was sent."""

from typing import Final

from smtp_desk.app.delivery.words import route_name
from smtp_desk.app.notice import Notice
from smtp_desk.sender.receipts import Receipt, RecipientReceipt
from smtp_desk.smtp.session.envelope import Status
from smtp_desk.store.stored import DefaultKind, StoredSettings

_NO_ROUTE: Final = "Nobody yet: emails wait in the outbox."
_UNCERTAIN: Final = (
    "The server did not say whether it took the sample. It may arrive; the Delivery page "
    "shows what comes next."
)


def sender_of(stored: StoredSettings) -> str:
    """Return From as recipients see it, by the route that the saved settings name."""
    server = stored.server
    if server is not None and stored.enabled:
        return _named(server.settings.from_name, server.settings.from_email)
    address = _default_address(stored)
    if not address:
        return _NO_ROUTE
    name = server.settings.from_name if server is not None else stored.preferences.company_name
    return _named(name, address)


def answers_to(stored: StoredSettings) -> str:
    """Return where answers go if the default service has to send, where that is another address."""
    server, address = stored.server, _default_address(stored)
    if server is None or not stored.enabled or not address:
        return ""
    if address == server.settings.from_email:
        return ""
    name = _named(server.settings.from_name, address)
    return (
        f"While your own server can’t be used: {name}, with answers to {server.settings.from_email}"
    )


def receipt_notice(receipt: Receipt) -> Notice:
    """Say what came of an email to one recipient."""
    (recipient,) = receipt.recipients
    fallback = receipt.fallback.summary if receipt.fallback is not None else ""
    why = recipient.finding.summary if recipient.finding is not None else fallback
    match recipient.status:
        case Status.ACCEPTED:
            return Notice(_accepted(recipient, fallback))
        case Status.QUEUED:
            waits = "No route takes it now: it waits in the outbox."
            return Notice(f"{waits} {why}".strip(), error=bool(why))
        case Status.REFUSED:
            return Notice(f"Refused. {why}".strip(), error=True)
        case Status.UNCERTAIN:
            return Notice(_UNCERTAIN, error=True)


def _accepted(recipient: RecipientReceipt, fallback: str) -> str:
    text = f"Accepted for {recipient.recipient} by: {route_name(recipient.route)}."
    return f"{text} Not by your own server: {fallback}" if fallback else text


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
