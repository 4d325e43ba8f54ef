"""What the Delivery page shows besides its list, as one value."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from smtp_desk.app.delivery_routes import RouteView
from smtp_desk.app.delivery_rows import Details
from smtp_desk.app.delivery_words import Standing
from smtp_desk.app.state import Notice


class DeliveryBusy(StrEnum):
    """What runs for the person; the values are texts for the person."""

    NOTHING = ""
    RETRYING = "Making the email due now…"
    DROPPING = "Dropping the email…"
    EXPORTING = "Exporting the email…"
    TRYING = "Trying the server…"


class Emptiness(StrEnum):
    """Why the list shows nothing."""

    UNREAD = "unread"
    NOT_EMPTY = "not_empty"
    NO_EMAILS = "no_emails"
    NO_MATCHES = "no_matches"


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryState:
    """Everything that the Delivery page shows, but the rows of its list.

    Attributes:
        routes: Both routes, the custom one first; () before they were read.
        counts: How many emails stand where, among those that match the search.
        text: What is searched for.
        standing: The emails that are shown; None for all.
        emptiness: Why the list shows nothing.
        details: The selected email; None where none is, or it is still being read.
        selected: The identifier of the selected email, or "".
        busy: What runs.
        notice: What came of the last action.
        trouble: What is wrong with the outbox and what to do, or "".
    """

    routes: tuple[RouteView, ...] = ()
    counts: Mapping[Standing, int] = field(default_factory=dict)
    text: str = ""
    standing: Standing | None = None
    emptiness: Emptiness = Emptiness.UNREAD
    details: Details | None = None
    selected: str = ""
    busy: DeliveryBusy = DeliveryBusy.NOTHING
    notice: Notice | None = None
    trouble: str = ""

    @property
    def total(self) -> int:
        """All emails that match the search."""
        return sum(self.counts.values())

    @property
    def choose_reason(self) -> str:
        """Why nothing can be done with an email, or ""."""
        if self.busy:
            return str(self.busy)
        if self.trouble:
            return "The outbox can’t be read."
        if self.emptiness in (Emptiness.NO_EMAILS, Emptiness.NO_MATCHES):
            return "There is no email in the list."
        if not self.selected:
            return "Select an email in the list first."
        return "" if self.details else "The email is being read."
