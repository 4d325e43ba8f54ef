"""What the Delivery page shows besides its list, as one value."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from smtp_desk.app.delivery.rows import Details
from smtp_desk.app.delivery.words import DeliveryStatus
from smtp_desk.app.page_presenter import PageState
from smtp_desk.app.routes.route_status import RouteStatus


class Emptiness(StrEnum):
    """Why the list shows nothing."""

    UNREAD = "unread"
    NOT_EMPTY = "not_empty"
    NO_EMAILS = "no_emails"
    NO_MATCHES = "no_matches"


class SearchProgress(StrEnum):
    """Whether older emails are searched: not if all were, or enough was found to be shown."""

    IDLE = "idle"
    RUNNING = "running"
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryState(PageState):
    """Everything that the Delivery page shows, except the rows of its list.

    Attributes:
        routes: Both routes, the custom one first; () before they were read.
        counts: The number of emails by status, among those that match the search; empty if that
            means to search through too many of them.
        text: What is searched for.
        progress: How far the search is.
        status: The status of the emails shown; None for all.
        emptiness: Why the list shows nothing.
        details: The selected email; None if there is none, or while it is being read.
        selected: The identifier of the selected email, or "".
        trouble: What is wrong with the outbox and what to do, or "".
        undrained: Whether emails are due, a route is open, and nothing sends them.
    """

    routes: tuple[RouteStatus, ...] = ()
    counts: Mapping[DeliveryStatus, int] = field(default_factory=dict)
    text: str = ""
    progress: SearchProgress = SearchProgress.IDLE
    status: DeliveryStatus | None = None
    emptiness: Emptiness = Emptiness.UNREAD
    details: Details | None = None
    selected: str = ""
    trouble: str = ""
    undrained: bool = False

    @property
    def total(self) -> int:
        """All emails that match the search."""
        return sum(self.counts.values())
