"""What people are told: an outage of the custom server began or ended, emails were refused.

By email to "Notify this address", and by alert.
"""

import logging
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Final, TypeAlias, final

from smtp_desk.core.findings.catalogue import Catalogue, cause
from smtp_desk.core.reply import visible
from smtp_desk.sender.alerts import Alerts
from smtp_desk.sender.mail.kinds import Notification
from smtp_desk.sender.outbox.clock import UtcClock, to_ms, utc_now
from smtp_desk.sender.outbox.entries import NOTICES, OutboxEntry, first_identifier
from smtp_desk.sender.outbox.outbox import OutboxError, OutboxRecords, Query
from smtp_desk.sender.routes.health import Ending, Health, HealthEvent, HealthEventKind, Needed
from smtp_desk.sender.routes.route import CUSTOM, DEFAULT, Routes

_log: Final = logging.getLogger(__name__)

_TITLES: Final = {
    HealthEventKind.BEGAN: "Your SMTP server is unavailable",
    HealthEventKind.ENDED: "Your SMTP server is available again",
    HealthEventKind.UNCERTAIN: "Your SMTP server doesn’t confirm emails",
    HealthEventKind.ENDING: "A certificate, client secret or sign-in expires soon",
}
_ENDINGS: Final = {
    Needed.SERVER_CERTIFICATE: (
        "The certificate of {server} expires on {day}. {then} Ask the administrator of that "
        "mail server to renew it."
    ),
    Needed.CLIENT_CERTIFICATE: (
        "The certificate that SMTP Desk uses to sign in to {server} expires on {day}. {then} "
        "Register a new one with the application, and configure the server with it."
    ),
    Needed.CLIENT_SECRET: (
        "By the date in the settings, the client secret for the sign-in to {server} is valid until"
        " {day}. {then} Create a new one, and configure the server with it."
    ),
    Needed.REFRESH_TOKEN: (
        "The sign-in to {server} is valid until {day}. {then} Sign in again before then, in SMTP"
        " Desk or with “smtp-desk sign-in”."
    ),
    Needed.COMPANY_CA: (
        "The company CA that is trusted for {server} expires on {day}. {then} Ask the mail"
        " administrator for the new CA certificate file, and save the settings with it."
    ),
}
_THEN: Final = "After that no email can be sent through the server."
_NAMES: Final = {CUSTOM: "your SMTP server", DEFAULT: "the default email service"}
_ANOTHER_WAY: Final = (
    "system emails are sent by the default email service, or wait in the outbox until a server"
    " is available. No email is lost."
)
_TRIES_AGAIN: Final = (
    "SMTP Desk retries automatically, unless the server refused the sign-in: then correct the"
    " settings, or press Try again on the Delivery page."
)
_ALARM: Final = (
    "ALARM: Someone may be attacking the connection to the server, to read or redirect your"
    " emails. Ask the network administrator to check it."
)
_HELD: Final = (
    "These emails may have been delivered. SMTP Desk no longer resends emails that the server"
    " doesn’t confirm: they wait on the Delivery page until you retry or drop them."
)


_REFUSED_TITLE: Final = "Stored emails were refused"
_WHERE: Final = (
    "Delivery in SMTP Desk, or “smtp-desk outbox list --state refused”, shows all of them. They can"
    " be sent again from there."
)
_BUNDLED_FOR: Final = timedelta(minutes=10)
_APART: Final = timedelta(hours=1)
_MOST_TOLD: Final = 10_000
_MOST_LISTED: Final = 20
_UNTOLD: Final = Query(untold=True)
_TOLD: Final = Query(submitter=NOTICES, text=_REFUSED_TITLE)

Store: TypeAlias = Callable[[Notification, Routes], Callable[[], object]]


@final
class Notices:
    """Reports each event to people once; refused emails together, at most once an hour.

    Args:
        health: Has the events; those that were reported are acknowledged there.
        outbox: Has the refused emails; those that were reported are marked there.
        catalogue: The causes of failures.
        store: Stores one email, for the default email service if there is one, and
            returns a function that sends it.
        alerts: Sends alerts.
        clock: Returns the current time, with a time zone.
    """

    def __init__(
        self,
        health: Health,
        outbox: OutboxRecords,
        catalogue: Catalogue,
        store: Store,
        *,
        alerts: Alerts,
        clock: UtcClock = utc_now,
    ) -> None:
        self._health = health
        self._outbox = outbox
        self._catalogue = catalogue
        self._store = store
        self._alerts = alerts
        self._clock = clock
        self._alerted_at: datetime | None = None

    def tell(self, routes: Routes) -> None:
        """Report everything that has happened since the last call.

        Nothing is raised: the email that was just sent has its receipt, whatever happens to
        these reports. If the storage fails, they are sent later.
        """
        try:
            while event := self._health.take_event():
                self._tell(event, routes)
        except OutboxError as error:
            _log.error("nobody could be told of an outage: %s", error)

    def tell_refusals(self, routes: Routes) -> None:
        """Report the stored emails that were refused, once the oldest has waited for others.

        Nothing is raised, as in `tell`. Refused notices aren't reported: that could go on
        forever.
        """
        try:
            newest = self._outbox.page(_UNTOLD, limit=_MOST_TOLD).entries
            if newest and self._is_time_for(newest):
                self._tell_refusals(newest, routes)
        except OutboxError as error:
            _log.error("nobody could be told of refused emails: %s", error)

    def _is_time_for(self, refused: Sequence[OutboxEntry]) -> bool:
        now = self._clock()
        if now - min(each.changed_at for each in refused) < _BUNDLED_FOR:
            return False
        moments = (self._alerted_at, self._told_at(now))
        return all(at is None or not timedelta() <= now - at < _APART for at in moments)

    def _told_at(self, now: datetime) -> datetime | None:
        """Return when refusals were last told by email, if within the time they are told apart."""
        oldest = first_identifier(to_ms(now - _APART))
        before: str | None = None
        while before is None or before >= oldest:
            page = self._outbox.page(_TOLD, before=before, limit=1)
            if page.entries or page.next is None:
                return next((entry.created_at for entry in page.entries), None)
            before = page.next
        return None

    def _tell_refusals(self, refused: Sequence[OutboxEntry], routes: Routes) -> None:
        urls = self._alerts.urls()
        causes = Counter(cause(self._catalogue, each.code).summary for each in refused)
        counted = "\n\n".join(f"{count} × {summary}" for summary, count in causes.most_common())
        begin = f"{_count(len(refused))} permanently refused since the last notice."
        listed = "\n\n".join(_line(each) for each in refused[:_MOST_LISTED])
        more = len(refused) - _MOST_LISTED
        parts = (begin, counted, listed, f"and {more} more." if more > 0 else "", _WHERE)
        send = self._stored(_REFUSED_TITLE, "\n\n".join(filter(None, parts)), routes)
        if urls:
            self._alerted_at = self._clock()
            self._alerts.send(urls, _REFUSED_TITLE, f"{begin}\n\n{counted}")
        self._outbox.mark_told(each.id for each in refused)
        send()

    def _tell(self, event: HealthEvent, routes: Routes) -> None:
        send: Callable[[], object] = _nothing
        urls: tuple[str, ...] = ()
        title, body = _TITLES[event.kind], "\n\n".join(self._paragraphs(event))
        if event.route == CUSTOM or event.kind is HealthEventKind.ENDING:
            send = self._stored(title, body, routes)
            urls = self._alerts.urls()
        # It is stored: no other process tells of it too, however long it takes to be sent.
        self._health.acknowledge(event)
        self._alerts.send(urls, title, body)
        send()

    def _stored(self, title: str, body: str, routes: Routes) -> Callable[[], object]:
        """Store an email to the address to notify, and return what sends it.

        Raises:
            OutboxError: The outbox can't take it.
        """
        if not routes.notify:
            return _nothing
        try:
            return self._store(Notification(to=routes.notify, title=title, body=body), routes)
        except OutboxError:
            raise
        except Exception:  # noqa: BLE001 - a notice that fails must not stop the sending
            _log.exception("%s could not be told of “%s”", routes.notify, title)
            return _nothing

    def _paragraphs(self, event: HealthEvent) -> list[str]:
        at = f"{event.at:%Y-%m-%d %H:%M} UTC"
        if event.kind is HealthEventKind.ENDED:
            since = (
                f"{event.out_since:%Y-%m-%d %H:%M} UTC" if event.out_since else "an unknown time"
            )
            emails = "1 email was" if event.fallbacks == 1 else f"{event.fallbacks} emails were"
            return [
                f"It has been available again since {at}. The outage began at {since}.",
                f"{emails} sent by the default email service meanwhile.",
            ]
        if event.kind is HealthEventKind.ENDING:
            return [_ending_text(each, event.route) for each in event.endings]
        if event.kind is HealthEventKind.UNCERTAIN:
            return [f"At {at} it didn’t confirm an email for the third time in a row.", _HELD]
        finding = cause(self._catalogue, event.code)
        return [
            f"Since {at} {_ANOTHER_WAY}",
            f"Cause: {finding.summary}",
            *([_ALARM] if finding.alarm else []),
            *(f"What to do: {remedy.text}" for remedy in finding.remedies[:1]),
            _TRIES_AGAIN,
        ]


def _nothing() -> None:
    """There is nothing to send."""


def _ending_text(ending: Ending, route: str) -> str:
    server, day = _NAMES.get(route, route), f"{ending.at:%Y-%m-%d}"
    return _ENDINGS[ending.what].format(server=server, day=day, then=_THEN)


def _count(emails: int) -> str:
    return "1 stored email was" if emails == 1 else f"{emails} stored emails were"


def _line(entry: OutboxEntry) -> str:
    said = entry.attempts[-1].reply if entry.attempts else ""
    words = f"{visible(entry.recipient)}: {visible(entry.subject)}"
    return f"{words} (the server said: {visible(said)})" if said else words
