"""Trying a route again, while emails are sent by another one.

Telling the health of failed sessions, refused sign-ins until it is written down.
"""

import logging
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Final, TypeAlias, final

from smtp_desk.core.findings.finding import Scope
from smtp_desk.sender.outbox.outbox import OutboxError, OutboxRecords
from smtp_desk.sender.routes.health import Health, refuses_login
from smtp_desk.sender.routes.route import Route, always
from smtp_desk.smtp.net.forks import run_after_fork

_Refusal: TypeAlias = tuple[str, str, Callable[[], bool]]


@final
class Refusals:
    """Records failures. If the storage fails, a refused sign-in is kept for later.

    Otherwise the next session would sign in again with the refused password.

    Args:
        health: Where failures are recorded.
    """

    def __init__(self, health: Health) -> None:
        self._health: Final = health
        self._untold: Final[list[_Refusal]] = []

    def tell(
        self, route: str, code: str, probe: str = "", *, current: Callable[[], bool] = always
    ) -> None:
        """Record that a session failed; see `Health.record_failure`.

        Args:
            route: The route.
            code: The finding.
            probe: The probe's token; "" if it wasn't a probe.
            current: Whether its settings are still the saved ones; otherwise nothing is recorded.

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
        """Record what could not be recorded before.

        Raises:
            OutboxUnavailableError: The storage doesn't work yet: no route must be used.
        """
        for refusal in tuple(self._untold):
            route, code, current = refusal
            if current():
                self._health.record_failure(route, code)
            with suppress(ValueError):  # another thread told it too
                self._untold.remove(refusal)


_log: Final = logging.getLogger(__name__)
# Of the route: it was cancelled, is the fault of this process, or our own connections left no room.
_SAYS_NOTHING: Final = (Scope.NONE, Scope.PROCESS, Scope.SLOW)


@final
class Prober:
    """Runs the probes that `Health.may_use` grants, each in a thread of its own.

    Args:
        health: Where each probe's end is recorded.
        outbox: Its waiting emails are made due when a route works again.
        refusals: Records failures in `health`.
    """

    def __init__(
        self, health: Health, outbox: OutboxRecords, refusals: Refusals | None = None
    ) -> None:
        self._health = health
        self._outbox = outbox
        self._refusals = refusals or Refusals(health)
        self.after_fork()
        run_after_fork(self.after_fork)

    def after_fork(self) -> None:
        """Forget what belongs to the parent process; see `forks`."""
        self._granted: list[threading.Thread] = []
        self._threads: set[threading.Thread] = set()
        self._lock = threading.Lock()

    def grant(self, route: Route, token: str, current: Callable[[], bool] = always) -> None:
        """Note that `route` is to be probed.

        Args:
            route: The route.
            token: The token of the granted probe.
            current: Whether its settings are still the saved ones; otherwise nothing is recorded.
        """
        self._grant(route, lambda: self._probe(route, token, current), "probe")

    def grant_look(self, route: Route, current: Callable[[], bool] = always) -> None:
        """Note that `route` is to be checked: whether it still works, and what expires soon."""
        self._grant(route, lambda: self._look(route, current), "look")

    def _grant(self, route: Route, work: Callable[[], None], what: str) -> None:
        arguments, name = (route, work), f"{what}-{route.name}"
        thread = threading.Thread(target=self._run, args=arguments, name=name, daemon=True)
        with self._lock:
            self._granted.append(thread)

    def start_granted(self) -> None:
        """Start the granted probes and checks; returns at once."""
        with self._lock:
            granted, self._granted = self._granted, []
            self._threads.update(granted)
        for thread in granted:
            try:
                thread.start()
            except RuntimeError as error:  # none is to be had: it is granted anew later
                _log.warning("%s can't begin: %s", thread.name, error)
                with self._lock:
                    self._threads.discard(thread)

    def wait(self, seconds: float) -> None:
        """Give running probes this long to end; an abandoned one is granted again later."""
        end = time.monotonic() + seconds
        with self._lock:
            running = list(self._threads)
        for thread in running:
            thread.join(max(end - time.monotonic(), 0.0))

    def _run(self, route: Route, work: Callable[[], None]) -> None:
        try:
            work()
        except OutboxError as error:
            _log.warning("the probe of the route %s could not be recorded: %s", route.name, error)
        except Exception:  # noqa: BLE001 - a probe that fails must not end unheard
            _log.exception("the probe of the route %s failed by our own fault", route.name)
        finally:
            with self._lock:
                self._threads.discard(threading.current_thread())

    def _probe(self, route: Route, token: str, current: Callable[[], bool]) -> None:
        finding = route.probe()
        if not current():
            _log.info("the route %s has other settings by now", route.name)
        elif finding is None:
            self._health.record_success(route.name, token)
            count = self._outbox.make_due()
            _log.info("the route %s works again; %d waiting emails are due", route.name, count)
        elif finding.scope in _SAYS_NOTHING:
            _log.info("the probe of the route %s says nothing: %s", route.name, finding.code)
        else:
            self._refusals.tell(route.name, finding.code, token, current=current)
            _log.info("the route %s still fails: %s", route.name, finding.code)

    def _look(self, route: Route, current: Callable[[], bool]) -> None:
        finding = route.probe()
        if not current():
            return
        if finding is None:
            self._health.record_endings(route.name, route.endings())
            _log.info("the route %s works", route.name)
        elif finding.scope not in _SAYS_NOTHING:
            self._refusals.tell(route.name, finding.code, current=current)
            _log.warning("the route %s fails: %s", route.name, finding.code)
