"""Send a platform's system emails through the customer's own SMTP server.

    from smtp_desk.sender import Invitation, Sender

    with Sender.from_settings() as sender:
        receipt = sender.send(
            Invitation(to="ann@example.org", invited_by="Bo", link="https://example.org/join")
        )

What was configured and proven with SMTP Desk is used; where that fails, the default email
service is, and what no route takes now waits in the outbox for `smtp-desk worker`.
`testing` has an outbox and a route health in memory for the tests of your own program.
"""

from smtp_desk.sender.kinds import (
    Attachment,
    Email,
    EmailError,
    Invitation,
    Message,
    Notification,
    WelcomeAdvertiser,
    WelcomeAffiliate,
)
from smtp_desk.sender.outbox import (
    MessageTooLargeError,
    OutboxError,
    OutboxFullError,
    OutboxUnavailableError,
)
from smtp_desk.sender.receipts import Fate, Receipt, RecipientReceipt
from smtp_desk.sender.sender import Sender

__all__ = [
    "Attachment",
    "Email",
    "EmailError",
    "Fate",
    "Invitation",
    "Message",
    "MessageTooLargeError",
    "Notification",
    "OutboxError",
    "OutboxFullError",
    "OutboxUnavailableError",
    "Receipt",
    "RecipientReceipt",
    "Sender",
    "WelcomeAdvertiser",
    "WelcomeAffiliate",
]
