"""Send a platform's system emails through the customer's own SMTP server.

    from smtp_desk.sender import Invitation, Sender

    with Sender.from_settings() as sender:
        receipt = sender.send(
            Invitation(to="ann@example.org", invited_by="Bo", link="https://example.org/join")
        )

A sender also takes an `EmailMessage` of the standard library, and sends it to the addresses in
To, Cc and Bcc. It uses the settings that were proven with SMTP Desk. If that server fails, it
uses the default email service; an email that no route accepts now waits in the outbox for
`smtp-desk worker`. After a fork, parent and child can both send; see `Sender`.
`AsyncSender` does the same for asyncio. `testing.MemorySender` is for the tests of your own
program: it keeps the emails in memory.
"""

import warnings
from importlib import import_module
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from smtp_desk.core.findings.finding import Finding, FindingSeverity, Remedy, Scope, Who
    from smtp_desk.core.reply import Reply
    from smtp_desk.core.stages import Stage
    from smtp_desk.sender.async_sender import AsyncSender
    from smtp_desk.sender.composer import AnyEmail, KeyedEmail
    from smtp_desk.sender.mail.kinds import (
        Attachment,
        Email,
        EmailError,
        Invitation,
        Message,
        Notification,
        WelcomeAdvertiser,
        WelcomeAffiliate,
    )
    from smtp_desk.sender.outbox.entries import OutboxMessage, SendingKey
    from smtp_desk.sender.outbox.outbox import (
        KeyReusedError,
        MessageTooLargeError,
        OutboxError,
        OutboxFullError,
        OutboxUnavailableError,
    )
    from smtp_desk.sender.receipts import EmailRefusedError, Receipt, RecipientReceipt
    from smtp_desk.sender.sender import Sender
    from smtp_desk.smtp.net.deadline import Cancel
    from smtp_desk.smtp.session.envelope import Status
    from smtp_desk.store.credentials import CredentialsUnavailableError

    Fate = Status

__all__ = [
    "AnyEmail",
    "AsyncSender",
    "Attachment",
    "Cancel",
    "CredentialsUnavailableError",
    "Email",
    "EmailError",
    "EmailRefusedError",
    "Finding",
    "FindingSeverity",
    "Invitation",
    "KeyReusedError",
    "KeyedEmail",
    "Message",
    "MessageTooLargeError",
    "Notification",
    "OutboxError",
    "OutboxFullError",
    "OutboxMessage",
    "OutboxUnavailableError",
    "Receipt",
    "RecipientReceipt",
    "Remedy",
    "Reply",
    "Scope",
    "Sender",
    "SendingKey",
    "Stage",
    "Status",
    "WelcomeAdvertiser",
    "WelcomeAffiliate",
    "Who",
]

_HOMES: Final = {
    "core.findings.finding": ("Finding", "FindingSeverity", "Remedy", "Scope", "Who"),
    "core.reply": ("Reply",),
    "core.stages": ("Stage",),
    "sender.async_sender": ("AsyncSender",),
    "sender.composer": ("AnyEmail", "KeyedEmail"),
    "sender.outbox.entries": ("OutboxMessage", "SendingKey"),
    "sender.outbox.outbox": (
        *("KeyReusedError", "MessageTooLargeError"),
        *("OutboxError", "OutboxFullError", "OutboxUnavailableError"),
    ),
    "sender.receipts": ("EmailRefusedError", "Receipt", "RecipientReceipt"),
    "sender.sender": ("Sender",),
    "smtp.net.deadline": ("Cancel",),
    "smtp.session.envelope": ("Status",),
    "store.credentials": ("CredentialsUnavailableError",),
}
"""Where the names stand; the others are `mail.kinds`'."""


def __getattr__(name: str) -> object:
    """Load what is asked for: whoever needs the outbox alone waits for no template and no TLS."""
    if name == "Fate":  # for one release
        warnings.warn("Fate is now Status", DeprecationWarning, stacklevel=2)
        name = "Status"
    if name in __all__:
        home = next((home for home, names in _HOMES.items() if name in names), "sender.mail.kinds")
        found: object = getattr(import_module(f"smtp_desk.{home}"), name)
        return found
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
