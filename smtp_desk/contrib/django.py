"""Sends Django's emails through SMTP Desk: proven settings, a fallback, and an outbox.

Up to Django 6.0, and as long as you have no `MAILERS`:

    EMAIL_BACKEND = "smtp_desk.contrib.django.EmailBackend"

From Django 6.1 on:

    MAILERS = {"default": {"BACKEND": "smtp_desk.contrib.django.EmailBackend"}}

`send_mail`, `EmailMessage`, attachments, `mail_admins` and password resets work unchanged. Each
process has one sender for all its emails, and a server may fork its workers at any time.

`QueueEmailBackend` only stores emails, so no request waits for a mail server; `smtp-desk worker`
sends them. With `MAILERS`, you can use both, under two names.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from django.conf import settings
from django.core.mail.backends.base import BaseEmailBackend

from smtp_desk.contrib.shared_sender import shared_sender
from smtp_desk.sender import EmailError, EmailRefusedError, OutboxError, Receipt, Sender
from smtp_desk.sender.dispatcher import PATIENCE_S
from smtp_desk.sender.mail.stdlib_message import stored_message
from smtp_desk.sender.outbox.clock import utc_now
from smtp_desk.sender.outbox.entries import OutboxMessage
from smtp_desk.sender.routes.route import Routes
from smtp_desk.store.credentials import CredentialsUnavailableError

_FAILURES = (EmailError, EmailRefusedError, OutboxError, CredentialsUnavailableError)


class EmailBackend(BaseEmailBackend):  # type: ignore[misc] # Django has no types
    """Stores each email and sends it at once, as `Sender.send` does.

    An email that no server accepts now counts as sent: it waits in the outbox and is sent later.
    The result of a message is in its attribute `smtp_desk_receipt`, a `Receipt`.
    """

    def __init__(
        self,
        fail_silently: bool = False,  # noqa: FBT001, FBT002 - Django may pass it by position
        *,
        timeout: float | None = None,
        **kwargs: object,
    ) -> None:
        """Create the backend without opening anything.

        Args:
            fail_silently: Don't raise the errors that `send_messages` lists.
            timeout: After this many seconds, a single email stays in the outbox for later; None
                for 30, or for `EMAIL_TIMEOUT` if you have no `MAILERS`.
            **kwargs: What Django passes to each backend: `alias` of `MAILERS`, and a username
                and a password, which are ignored: SMTP Desk's settings have them.
        """
        super().__init__(**kwargs)
        self.fail_silently = fail_silently
        if timeout is None and kwargs.get("alias") is None:
            timeout = getattr(settings, "EMAIL_TIMEOUT", None)
        self.timeout = PATIENCE_S if timeout is None else timeout

    def send_messages(self, email_messages: Sequence[Any] | None) -> int:
        """Send messages; return how many were sent, or stored to be sent.

        A message without recipients is skipped. If one of several is refused, the others are
        still sent before that is raised.

        Raises:
            EmailError: A message can't be sent as it is; none was sent.
            EmailRefusedError: A message was refused for all of its recipients.
            OutboxError: A message couldn't be stored, so it wasn't sent; earlier ones may have
                been.
            CredentialsUnavailableError: The systemd credential can't be read.
        """
        receipts: list[Receipt] = []
        try:
            messages = [each for each in email_messages or () if each.recipients()]
            stored = [(each, message) for each in messages if (message := self._stored(each))]
            if not stored:
                return 0
            sent = self._sent(shared_sender.get(), [message for _, message in stored])
            for (each, _), receipt in zip(stored, sent, strict=True):
                each.smtp_desk_receipt = receipt
                receipts.append(receipt)
            self._check(receipts)
        except _FAILURES:
            if not self.fail_silently:
                raise
        return sum(not receipt.refused for receipt in receipts)

    def _stored(self, message: Any) -> OutboxMessage | None:  # noqa: ANN401 - as Django's class
        """Return a message as it is stored; None for one that can't be sent, and may fail."""
        try:
            # Django tells apart what To shows and who gets the message.
            return stored_message(
                message.message(),
                from_email=Routes().from_email,  # for a Message-ID, which Django always writes
                now=utc_now(),
                envelope=message.recipients(),
            )
        except EmailError:
            if not self.fail_silently:
                raise
            return None

    def _sent(self, sender: Sender, messages: Sequence[OutboxMessage]) -> Iterable[Receipt]:
        if len(messages) == 1:
            return [sender.send(messages[0], timeout=self.timeout)]
        return sender.send_many(messages)

    def _check(self, receipts: Iterable[Receipt]) -> None:
        for receipt in receipts:
            if receipt.refused:
                raise EmailRefusedError(receipt)


class QueueEmailBackend(EmailBackend):
    """Stores each email for a worker to send. The rest is as in `EmailBackend`."""

    def _sent(self, sender: Sender, messages: Sequence[OutboxMessage]) -> Iterator[Receipt]:
        return (sender.queue(message) for message in messages)
