"""The mails to "Notify this address": an outage of the custom server began, or ended."""

import logging
from collections.abc import Callable
from typing import Final, TypeAlias, final

from smtp_desk.core.findings.catalogue import Catalogue, cause
from smtp_desk.sender.mail.kinds import Notification
from smtp_desk.sender.outbox.outbox import OutboxError
from smtp_desk.sender.routes.health import Health, HealthEvent, HealthEventKind
from smtp_desk.sender.routes.route import CUSTOM, Routes

_log: Final = logging.getLogger(__name__)

_TITLES: Final = {
    HealthEventKind.BEGAN: "Your SMTP server is unavailable",
    HealthEventKind.ENDED: "Your SMTP server is available again",
    HealthEventKind.UNCERTAIN: "Your SMTP server doesn’t confirm emails",
}
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


Store: TypeAlias = Callable[[Notification, Routes], Callable[[], object]]


@final
class Notices:
    """Tells people what happened to the custom server, once each.

    Args:
        health: Where the events come from; what is told is acknowledged there.
        catalogue: Tells causes.
        store: Stores one email, for the default email service where there is one, and
            returns what sends it.
    """

    def __init__(self, health: Health, catalogue: Catalogue, store: Store) -> None:
        self._health = health
        self._catalogue = catalogue
        self._store = store

    def tell(self, routes: Routes) -> None:
        """Tell of all that happened since.

        Nothing is raised: the email that was just sent has its receipt, whatever becomes of
        these. Where the storage fails they are told later.
        """
        try:
            while event := self._health.take_event():
                self._tell(event, routes)
        except OutboxError as error:
            _log.error("nobody could be told of an outage: %s", error)

    def _tell(self, event: HealthEvent, routes: Routes) -> None:
        send = None
        try:
            if event.route == CUSTOM and routes.tell_address:
                send = self._store(self._email(event, routes.tell_address), routes)
        except OutboxError:
            raise
        except Exception:  # noqa: BLE001 - a window that fails must not stop the server
            _log.exception("%s could not be told of an outage", routes.tell_address)
        # It is stored: no other process tells of it too, however long it takes to be sent.
        self._health.acknowledge(event)
        if send is not None:
            send()

    def _email(self, event: HealthEvent, address: str) -> Notification:
        return Notification(
            to=address, title=_TITLES[event.kind], body="\n\n".join(self._paragraphs(event))
        )

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
