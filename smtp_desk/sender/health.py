"""The health of the routes, shared by all processes that send.

`health_sqlite.SqliteHealth` keeps it in the outbox database, `testing.MemoryHealth` in
memory; tests/contract/test_health.py is what any other has to pass. The rules stand in
`route_health`.
"""

from datetime import timedelta
from typing import Final, Protocol

from smtp_desk.sender.route_health import HealthEvent, RouteHealth, Verdict

EVENT_LEASE: Final = timedelta(minutes=2)
"""A taken event that nobody acknowledged goes to another after this."""

KEPT_EVENTS: Final = 100
"""The oldest beyond these are forgotten: nobody wanted them."""


class Health(Protocol):
    """What is known of the routes. Each call may raise `OutboxUnavailableError`.

    Names of routes are free; the sender has `custom` and `default`. Tell only failures
    whose finding has the scope `route`.
    """

    def may_use(self, route: str) -> Verdict:
        """Return whether to use the route now.

        Whoever gets a `Probe` is the only one, and tells its end by `record_success` or
        `record_failure` with it. Asking costs no write unless a probe is granted.
        """

    def status(self, route: str) -> RouteHealth:
        """Return the route's health, for people; grants nothing."""

    def record_success(self, route: str, probe: str = "") -> None:
        """Tell that the route accepted an email, or that a probe came through.

        Args:
            route: The route.
            probe: The probe's token; "" for an email.
        """

    def record_failure(self, route: str, code: str, probe: str = "") -> None:
        """Tell that a session failed by the fault of the route: it rests, or is shut.

        Args:
            route: The route.
            code: The finding.
            probe: The probe's token; "" where it was no probe.
        """

    def record_uncertain(self, route: str) -> RouteHealth:
        """Tell that a dot got no answer; the result says whether it may be sent again."""

    def record_fallback(self, route: str, count: int = 1) -> None:
        """Tell that `count` emails took another route; a loss of power may forget it."""

    def reopen(self, route: str) -> None:
        """Make the route usable at once: new settings were proven and saved."""

    def try_again(self, route: str) -> None:
        """End the rest, or open what is shut, for one probe: a person asked for it."""

    def take_event(self) -> HealthEvent | None:
        """Return the oldest event that nobody told people of, or None.

        It is given to one asker; without `acknowledge` within `EVENT_LEASE` to the next.
        """

    def acknowledge(self, event: HealthEvent) -> None:
        """Tell that people were told, or that nobody wants to know."""
