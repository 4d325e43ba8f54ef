"""The routes of this moment, and what else the saved settings say of sending."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from smtp_desk.core.findings import Finding
from smtp_desk.sender.transport import CUSTOM, Route


def always() -> bool:
    """Say that these are still the settings that are saved."""
    return True


@dataclass(frozen=True, slots=True, kw_only=True)
class Routes:
    """The ways out that the saved settings give.

    Attributes:
        custom: The customer's own server, or why it can't be used; None where it is not
            configured or switched off.
        default: The default email service, or why it can't be used; None where it is the
            outbox: mail waits until a route works.
        resend_uncertain: Whether an email without an answer is sent once more.
        current: Whether these are still what is saved.
        from_email: The address that emails come from if all goes well; for Message-IDs.
        company_name: For templates and the From of the default email service.
        tell_address: Who gets a mail when an outage begins and ends; "" for nobody.
    """

    custom: Route | Finding | None = None
    default: Route | Finding | None = None
    resend_uncertain: bool = True
    current: Callable[[], bool] = always
    from_email: str = "smtp-desk@localhost"
    company_name: str = ""
    tell_address: str = ""

    def of(self, name: str) -> Route | Finding | None:
        """Return the route `name`."""
        return self.custom if name == CUSTOM else self.default


class RouteSource(Protocol):
    """Where the routes come from."""

    def routes(self) -> Routes:
        """Return the routes of this moment; cheap where nothing was saved since."""
        ...

    def close(self) -> None:
        """Close them all; what runs is cancelled."""
        ...
