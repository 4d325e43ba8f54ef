"""Makes of each email that a program submits the message that is stored in the outbox."""

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from email.message import Message as StdlibMessage
from itertools import islice
from typing import Final, TypeAlias, final

from smtp_desk.sender.mail.content_digest import content_digest
from smtp_desk.sender.mail.kinds import Email
from smtp_desk.sender.mail.message import new_message_id, outbox_message
from smtp_desk.sender.mail.templates import Templates
from smtp_desk.sender.mail.variables import key_name, later
from smtp_desk.sender.outbox.clock import UtcClock
from smtp_desk.sender.outbox.entries import OutboxMessage, SendingKey
from smtp_desk.sender.outbox.outbox import MEBIBYTE
from smtp_desk.sender.routes.route import Routes
from smtp_desk.smtp.net.forks import gate

AnyEmail: TypeAlias = Email | StdlibMessage | OutboxMessage
"""What can be sent: a kind of email, a message of the standard library, or a stored one."""

_STORED_AT_ONCE: Final = 100
_OCTETS_AT_ONCE: Final = 16 * MEBIBYTE

_log: Final = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class KeyedEmail:
    """An email with its key, for `Sender.send_many`.

    Attributes:
        email: The email.
        key: As in `Sender.send`.
    """

    email: AnyEmail
    key: str


@final
class Composer:
    """Renders, addresses and names emails.

    Args:
        templates: The texts of the emails.
        clock: Returns the current time, with a time zone.
    """

    def __init__(self, templates: Templates, clock: UtcClock) -> None:
        self._templates = templates
        self._clock = clock

    def message(
        self,
        email: AnyEmail,
        routes: Routes,
        key: str | None = None,
        send_at: datetime | None = None,
    ) -> OutboxMessage:
        """Return the message to store; `key` and `send_at` are as in `Sender.send`.

        Raises:
            EmailError: The email can't be sent as it is, or `key` or `send_at` is wrong.
        """
        now = self._clock()
        when = None if send_at is None else later(send_at, now)
        known = None if key is None else key_name(key)
        message = self._composed(email, routes, when or now)
        if known is not None:
            message = replace(message, key=SendingKey(known, content_digest(email)))
        return message if when is None else replace(message, send_at=when)

    def next_messages(
        self, emails: Iterator[AnyEmail | KeyedEmail], routes: Callable[[], Routes]
    ) -> list[OutboxMessage]:
        """Take the next emails, as many as may lie in memory at once.

        Raises:
            EmailError: As `message`.
        """
        taken: list[OutboxMessage] = []
        octets = 0
        for each in islice(emails, _STORED_AT_ONCE):
            email, key = (each.email, each.key) if isinstance(each, KeyedEmail) else (each, None)
            taken.append(self.message(email, routes(), key))
            octets += taken[-1].size
            if octets >= _OCTETS_AT_ONCE:
                break
        return taken

    def _composed(self, email: AnyEmail, routes: Routes, now: datetime) -> OutboxMessage:
        if isinstance(email, OutboxMessage):
            return email
        if isinstance(email, StdlibMessage):
            with gate:  # only those who send such messages wait for what writes them
                from smtp_desk.sender.mail.stdlib_message import stored_message  # noqa: PLC0415
            return stored_message(email, from_email=routes.from_email, now=now)
        rendered = self._templates.render(email, company=routes.company_name)
        if rendered.problem:
            _log.warning("own templates are not used: %s", rendered.problem)
        return outbox_message(
            email, rendered, message_id=new_message_id(routes.from_email), now=now
        )
