"""An outbox as it looks after a busy morning: every state, realistic words."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from smtp_desk.sender.outbox.entries import (
    Accept,
    Attempt,
    Change,
    Claim,
    Doubt,
    MarkInDoubt,
    OutboxMessage,
    Postpone,
    Refuse,
)
from smtp_desk.sender.routes.route import CUSTOM, DEFAULT

if TYPE_CHECKING:
    from collections.abc import Callable

    from smtp_desk.sender.outbox.outbox import Outbox
    from smtp_desk.sender.routes.health import Health
    from tests.sender.outboxes import TurnedClock

LEASE: Final = timedelta(minutes=2)
SUBJECTS: Final = (
    ("welcome_affiliate", "Welcome to Example Partners, Ann"),
    ("invitation", "Bo invites you to Example Partners"),
    ("notification", "Your payment for October is on its way"),
    ("message", "New creatives for the winter campaign are ready for download"),
    ("welcome_advertiser", "Your advertiser account is being reviewed"),
    ("foreign", "cron on web-1: nightly report"),
)
PEOPLE: Final = ("ann", "bo", "chris", "dana", "eli", "fay", "gus")


def mail(number: int, to: str = "") -> OutboxMessage:
    kind, subject = SUBJECTS[number % len(SUBJECTS)]
    person = PEOPLE[number % len(PEOPLE)]
    return OutboxMessage(
        message_id=f"<{number:08}@example.org>",
        kind=kind,
        payload=f"Subject: {subject}\r\n\r\nHello,\r\nall is well.\r\n".encode(),
        recipients=(to or f"{person}.{number}@example.org",),
        subject=subject,
    )


def claim_new(outbox: Outbox, message: OutboxMessage) -> Claim:
    """Store a message and begin to send it."""
    (claim,) = outbox.add_claimed([message], "mail-1", LEASE)
    return claim


def attempt(clock: TurnedClock, route: str, code: str = "", reply: str = "") -> Attempt:
    return Attempt(clock(), route, code, reply or ("" if code else "250 2.0.0 Ok: queued as 4F2A"))


def sent(outbox: Outbox, clock: TurnedClock, number: int, route: str = CUSTOM) -> str:
    """Send a message; by the default route after the custom one refused the connection."""
    claim = claim_new(outbox, mail(number))
    tried = [attempt(clock, CUSTOM, "connect.refused")] if route == DEFAULT else []
    outbox.apply(
        [MarkInDoubt(claim, route), Accept(claim, (*tried, attempt(clock, route)))],
    )
    return claim.entry.id


def refused(outbox: Outbox, clock: TurnedClock, number: int) -> str:
    reply = "550 5.1.1 <gus.6@example.org>: Recipient address rejected: User unknown"
    return _ended(
        outbox,
        number,
        lambda claim: Refuse(claim, (attempt(clock, CUSTOM, "recipient.unknown", reply),)),
    )


def waiting(outbox: Outbox, clock: TurnedClock, number: int) -> str:
    """A message that both routes could not take just now."""
    tried = (
        attempt(clock, CUSTOM, "auth.rejected", "535 5.7.8 Error: authentication failed"),
        attempt(clock, DEFAULT, "recipient.greylisted", "450 4.2.0 Greylisted, come back later"),
    )
    until = clock() + timedelta(minutes=7)
    return _ended(outbox, number, lambda claim: Postpone(claim, until, tried))


def uncertain(outbox: Outbox, clock: TurnedClock, number: int) -> str:
    claim = claim_new(outbox, mail(number))
    tried = (attempt(clock, CUSTOM, "message.unconfirmed"),)
    outbox.apply([MarkInDoubt(claim, CUSTOM), Doubt(claim, resend=False, attempts=tried)])
    return claim.entry.id


def busy_morning(outbox: Outbox, health: Health, clock: TurnedClock, mails: int = 40) -> None:
    """Fill an outbox, minutes apart; the custom route fell out at the end."""
    for number in range(mails):
        clock.turn(minutes=3)
        if number % 11 == 7:
            refused(outbox, clock, number)
        elif number % 17 == 9:
            uncertain(outbox, clock, number)
        elif number > mails - 6:
            waiting(outbox, clock, number)
        else:
            sent(outbox, clock, number, DEFAULT if number > mails - 14 else CUSTOM)
    dropped = outbox.add([mail(mails)])[0]
    outbox.drop(dropped.id)
    claim_new(outbox, mail(mails + 1))
    health.record_failure(CUSTOM, "auth.rejected")
    health.record_fallback(CUSTOM, 12)
    health.record_failure(DEFAULT, "greeting.busy")


def _ended(outbox: Outbox, number: int, change: Callable[[Claim], Change]) -> str:
    claim = claim_new(outbox, mail(number))
    outbox.apply([change(claim)])
    return claim.entry.id
