"""Send one email by the saved routes, for as long as the person wants to wait."""

import contextlib
import selectors
import threading
from collections.abc import Callable, Iterator
from typing import Final, TypeAlias

from smtp_desk.app.services import Services
from smtp_desk.sender.mail.kinds import Email
from smtp_desk.sender.outbox.entries import OutboxMessage
from smtp_desk.sender.outbox.outbox import OutboxError
from smtp_desk.sender.receipts import Receipt
from smtp_desk.sender.sender import Sender
from smtp_desk.smtp.net.deadline import Cancel, CancelledError
from smtp_desk.smtp.session.envelope import Status

Send: TypeAlias = Callable[[Email | OutboxMessage, Cancel], Receipt]
"""Sends one email by the routes that are configured; may take minutes.

Cancelled, it raises `CancelledError` where the email will not be sent any more.
"""

_END_S: Final = 3.0
"""How long the thread that waits for a cancel may take to end."""


def sending(services: Services) -> Send:
    """Return a function that sends an email by the routes saved at that moment."""

    def send(email: Email | OutboxMessage, cancel: Cancel) -> Receipt:
        cancel.check()
        with services.open_sender() as sender, _cut_by(cancel, sender):
            receipt = sender.send(email)
        if cancel.cancelled and _dropped(services, receipt):
            raise CancelledError
        return receipt

    return send


@contextlib.contextmanager
def _cut_by(cancel: Cancel, sender: Sender) -> Iterator[None]:
    """Close `sender`, which cuts what it sends, as soon as `cancel` is cancelled."""
    done = Cancel()

    def wait() -> None:
        with selectors.DefaultSelector() as selector:
            for each in (cancel, done):
                selector.register(each, selectors.EVENT_READ)
            selector.select()
        if not done.cancelled:
            sender.close()

    waiting = threading.Thread(target=wait, name="send once", daemon=True)
    waiting.start()
    try:
        yield
    finally:
        done.cancel()
        waiting.join(_END_S)


def _dropped(services: Services, receipt: Receipt) -> bool:
    """Give up what waits in the outbox; return whether no server may have the email."""
    if any(each.status is not Status.QUEUED for each in receipt.recipients):
        return False
    try:
        for each in receipt.recipients:
            services.outbox.drop(each.entry_id)
    except OutboxError:
        return False
    return True
