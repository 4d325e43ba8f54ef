"""Recipients that fail on purpose, so that a person can see what failures look like."""

from dataclasses import dataclass

from smtp_desk.core.translation import mark

DOMAIN = "sandbox.test"
NO_SUCH_MAILBOX = "550 5.1.1 Recipient address rejected: no such mailbox here"
GREYLISTED = "450 4.7.1 Recipient address rejected: greylisted, please try again later"
MAILBOX_FULL = "452 4.2.2 Recipient address rejected: mailbox full"


@dataclass(frozen=True, slots=True)
class SpecialRecipient:
    """A local part, at any domain, that the sandbox treats specially.

    Attributes:
        local_part: Before the @, compared without regard to case.
        reply: The reply to RCPT TO.
        slow: Whether the reply is held back for a while.
        what_happens: For the person who tries it.
    """

    local_part: str
    reply: str
    what_happens: str
    slow: bool = False


SPECIAL_RECIPIENTS = (
    SpecialRecipient(
        "unknown",
        NO_SUCH_MAILBOX,
        # Translators: follows “mail to ADDRESS”; in the window it is a line of its own.
        mark("is refused permanently: the mailbox doesn’t exist (550 5.1.1)"),
    ),
    SpecialRecipient(
        "greylisted",
        GREYLISTED,
        # Translators: follows “mail to ADDRESS”; in the window it is a line of its own.
        mark("is refused for now: the server asks for a second attempt later (450 4.7.1)"),
    ),
    SpecialRecipient(
        "full",
        MAILBOX_FULL,
        # Translators: follows “mail to ADDRESS”; in the window it is a line of its own.
        mark("is refused for now: the mailbox is full (452 4.2.2)"),
    ),
    SpecialRecipient(
        "slow",
        "250 2.1.5 OK, at last",
        # Translators: follows “mail to ADDRESS”; in the window it is a line of its own.
        mark("is accepted after a few seconds, so that you can watch the stages and try Cancel"),
        slow=True,
    ),
)

TRY_THESE: tuple[tuple[str, str], ...] = tuple(
    (f"{special.local_part}@{DOMAIN}", special.what_happens) for special in SPECIAL_RECIPIENTS
)
"""Addresses worth a try, each with what happens to a mail for it."""

_BY_LOCAL_PART = {special.local_part: special for special in SPECIAL_RECIPIENTS}


def special_recipient(address: str) -> SpecialRecipient | None:
    """Return how the sandbox treats `address` specially, or None for a normal address."""
    return _BY_LOCAL_PART.get(address.rpartition("@")[0].casefold())
