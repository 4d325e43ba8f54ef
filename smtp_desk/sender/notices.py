"""The mails to "Tell this address": an outage of the custom server began, or ended."""

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
    HealthEventKind.ENDED: "Your SMTP server works again",
    HealthEventKind.UNCERTAIN: "Your SMTP server does not confirm emails",
}
_ANOTHER_WAY: Final = (
    "system emails leave by the default email service, or wait until a way out works."
    " Nothing is lost."
)
_TRIES_AGAIN: Final = (
    "SMTP Desk tries the server again by itself, unless the sign-in was refused: then correct"
    " the settings, or press Try again on the Delivery page."
)
_ALARM: Final = (
    "ALARM: This can be an attack on the connection to the server, from somebody who wants the"
    " emails unencrypted or on another way. Let the network administrator look at it."
)
_HELD: Final = (
    "These emails may have been delivered. The next ones without an answer are held on the"
    " Delivery page of SMTP Desk, and sent again only when a person asks for it."
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
            by_default = f"{event.fallbacks} emails took the default email service meanwhile."
            return [f"It works again since {at}. The outage began at {since}.", by_default]
        if event.kind is HealthEventKind.UNCERTAIN:
            return [f"At {at} it left the third email in a row without an answer.", _HELD]
        finding = cause(self._catalogue, event.code)
        return [
            f"Since {at} {_ANOTHER_WAY}",
            f"The cause: {finding.summary}",
            *([_ALARM] if finding.alarm else []),
            *(f"What to do: {remedy.text}" for remedy in finding.remedies[:1]),
            _TRIES_AGAIN,
        ]
