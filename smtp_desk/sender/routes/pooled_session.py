"""One session of a pool, and what the pool knows of it."""

from dataclasses import dataclass
from typing import Final

from smtp_desk.sender.mail.addressing import Addressed
from smtp_desk.sender.outbox.entries import OutboxMessage
from smtp_desk.sender.routes.share import Connection
from smtp_desk.smtp.check.naming import StageFacts
from smtp_desk.smtp.net.deadline import Cancel
from smtp_desk.smtp.session.session import Session

# A connection sends so many messages; Exim ends it after this number, others later or never.
_MOST_MESSAGES: Final = 1000


@dataclass(frozen=True, slots=True)
class Ahead:
    """A message whose transaction was begun after the dot of the one before.

    Attributes:
        message: The stored message.
        recipients: Its recipients.
        mail: The message as it is sent.
    """

    message: OutboxMessage
    recipients: tuple[str, ...]
    mail: Addressed


@dataclass(slots=True, eq=False)
class PooledSession:
    """A session of the pool, used by one thread.

    Attributes:
        session: The session.
        heard: The facts of its stages.
        cancel: Ends it.
        reused: Whether it was open before it was borrowed: it may be dead without notice.
        idle: Whether it was unused for a while before that: a silent server is less likely busy.
        ahead: The message that was begun on it, for the same thread.
        messages: The number of messages sent over it.
        idle_since: When it was given back.
        connection: Its lease; None for a probe that got none.
    """

    session: Session
    heard: StageFacts
    cancel: Cancel
    reused: bool = False
    idle: bool = False
    ahead: Ahead | None = None
    messages: int = 0
    idle_since: float = 0.0
    connection: Connection | None = None

    @property
    def may_go_on(self) -> bool:
        """Whether another message can be sent on it."""
        return self.session.usable and self.takes_more(0)

    def takes_more(self, now: int = 1) -> bool:
        """Whether it takes a message behind the `now` that are being sent by it."""
        if self.connection is None or self.connection.spent:
            return False
        told = self.session.extensions.most_messages or _MOST_MESSAGES
        return self.messages + now < min(told, _MOST_MESSAGES)
