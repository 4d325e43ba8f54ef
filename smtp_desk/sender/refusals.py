"""Telling the health of failed sessions, refused sign-ins until it is written down."""

from collections.abc import Callable
from contextlib import suppress
from typing import Final, TypeAlias, final

from smtp_desk.sender.health import Health
from smtp_desk.sender.outbox import OutboxError
from smtp_desk.sender.route_health import refuses_login
from smtp_desk.sender.routes import always

_Refusal: TypeAlias = tuple[str, str, Callable[[], bool]]


@final
class Refusals:
    """Tells of failures. A refused sign-in that the storage does not take is kept for later.

    Forgotten, it would let the next session sign in again with the refused password.

    Args:
        health: What is told.
    """

    def __init__(self, health: Health) -> None:
        self._health: Final = health
        self._untold: Final[list[_Refusal]] = []

    def tell(
        self, route: str, code: str, probe: str = "", *, current: Callable[[], bool] = always
    ) -> None:
        """Tell that a session failed; see `Health.record_failure`.

        Args:
            route: The route.
            code: The finding.
            probe: The probe's token; "" where it was no probe.
            current: Whether its settings are still what is saved; of others nothing is told.

        Raises:
            OutboxUnavailableError: The storage does not work.
        """
        try:
            self._health.record_failure(route, code, probe)
        except OutboxError:
            if refuses_login(code):
                self._untold.append((route, code, current))
            raise

    def catch_up(self) -> None:
        """Tell what was not told when it came.

        Raises:
            OutboxUnavailableError: The storage does not work yet: no route is to be used.
        """
        for refusal in tuple(self._untold):
            route, code, current = refusal
            if current():
                self._health.record_failure(route, code)
            with suppress(ValueError):  # another thread told it too
                self._untold.remove(refusal)
