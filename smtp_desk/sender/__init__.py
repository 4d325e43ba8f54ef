"""Send a platform's system emails through the customer's own SMTP server.

    from smtp_desk.sender import Invitation, Sender

    with Sender.from_settings() as sender:
        receipt = sender.send(
            Invitation(to="ann@example.org", invited_by="Bo", link="https://example.org/join")
        )

It also takes an `EmailMessage` of the standard library, to whom To, Cc and Bcc name.
What was configured and proven with SMTP Desk is used; where that fails, the default email
service is, and what no route takes now waits in the outbox for `smtp-desk worker`. After a
fork parent and child both go on; see `Sender`.
`AsyncSender` is the same for asyncio. `testing.MemorySender` is one for the tests of your own
program, from which nothing leaves.
"""

import warnings
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from smtp_desk.sender.async_sender import AsyncSender
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
    from smtp_desk.sender.outbox.outbox import (
        KeyReusedError,
        MessageTooLargeError,
        OutboxError,
        OutboxFullError,
        OutboxUnavailableError,
    )
    from smtp_desk.sender.receipts import EmailRefusedError, Receipt, RecipientReceipt
    from smtp_desk.sender.sender import Sender
    from smtp_desk.smtp.session.envelope import Status

    Fate = Status

__all__ = [
    "AsyncSender",
    "Attachment",
    "Email",
    "EmailError",
    "EmailRefusedError",
    "Invitation",
    "KeyReusedError",
    "Message",
    "MessageTooLargeError",
    "Notification",
    "OutboxError",
    "OutboxFullError",
    "OutboxUnavailableError",
    "Receipt",
    "RecipientReceipt",
    "Sender",
    "Status",
    "WelcomeAdvertiser",
    "WelcomeAffiliate",
]

_MODULES = ("mail.kinds", "receipts", "outbox.outbox", "sender", "async_sender")


def __getattr__(name: str) -> object:
    """Load what is asked for: whoever needs the outbox alone waits for no template and no TLS."""
    if name == "Fate":  # for one release
        warnings.warn("Fate is now Status", DeprecationWarning, stacklevel=2)
        name = "Status"
    if name in __all__:
        for module in _MODULES:
            found: object = getattr(import_module(f"{__name__}.{module}"), name, None)
            if found is not None:
                return found
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
