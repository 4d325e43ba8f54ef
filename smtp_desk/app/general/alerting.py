"""The alerts of the General page without their widgets: where they are sent, and their test.

A saved URL is a secret: only its scheme is ever shown.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Protocol

from smtp_desk.app.extras import Extra, installed, missing_text
from smtp_desk.app.notice import Notice
from smtp_desk.app.page_presenter import Busy, PagePresenter, PageState, quietly
from smtp_desk.app.routes.notifying import add_alert_urls, load_notify, save_alert_urls, try_alerts
from smtp_desk.app.runner import Runner
from smtp_desk.app.services import Services
from smtp_desk.app.words import failure_text
from smtp_desk.core.secret import Secret
from smtp_desk.sender.alerts import AlertUrlError

_SENT: Final = "Sent. Check that it arrived."


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertsState(PageState):
    """What is shown about alerts.

    Attributes:
        schemes: The scheme of each saved URL.
        results: The results of the latest test alert: a scheme, and what to say about it.
        missing: What to do if the part that sends alerts isn't installed, or "".
        added: The number of URLs added since the page was opened; each time it grows, the
            field is cleared.
    """

    schemes: tuple[str, ...] = ()
    results: tuple[tuple[str, Notice], ...] = ()
    missing: str = ""
    added: int = 0


class AlertsFace(Protocol):
    """What the presenter needs of a face; called in the face's own thread."""

    def render_alerts(self, state: AlertsState) -> None:
        """Show this."""


class AlertsPresenter(PagePresenter[AlertsState]):
    """Keeps the addresses of alerts, and tests them.

    Args:
        services: The services to use.
        runner: A thread in which an alert may take its ten seconds.
        view: The page.
    """

    def __init__(self, services: Services, runner: Runner, view: AlertsFace) -> None:
        super().__init__(runner, view.render_alerts, AlertsState())
        self._services = services

    def load(self) -> None:
        """Read the saved URLs."""
        services = self._services

        def read() -> tuple[tuple[str, ...], str]:
            if not installed(Extra.ALERTS):
                return (), missing_text(Extra.ALERTS, services.catalogue)
            return load_notify(services).services, ""

        def done(found: tuple[tuple[str, ...], str]) -> None:
            self._show(schemes=found[0], missing=found[1])

        self._do(Busy.LOADING, read, done)

    def add(self, text: str) -> None:
        """Save further URLs, separated by spaces."""
        services, added = self._services, self._state.added + 1

        def done(schemes: tuple[str, ...]) -> None:
            self._show(schemes=schemes, added=added, notice=Notice("Saved."))

        self._do(Busy.SAVING, lambda: add_alert_urls(services, Secret(text)), done)

    def remove(self) -> None:
        """Send no alerts any more."""
        services = self._services

        def done(_done: None) -> None:
            self._show(schemes=(), notice=Notice("Removed. No alerts are sent."))

        self._do(Busy.REMOVING, lambda: save_alert_urls(services, Secret("")), done)

    def test(self) -> None:
        """Send a test alert to all services."""

        def done(results: list[tuple[str, str]]) -> None:
            self._show(
                results=tuple(
                    (scheme, Notice(_sentence(problem) or _SENT, error=bool(problem)))
                    for scheme, problem in results
                )
            )

        self._do(Busy.SENDING, lambda: try_alerts(self._services), done)

    def _do(self, busy: Busy, work: Callable[[], object], done: Callable[..., None]) -> None:
        if self._idle:
            self._show(notice=None, results=())
            self._run(
                busy,
                quietly(work),
                done,
                failed=lambda error: failure_text(error, AlertUrlError),
            )


def _sentence(problem: str) -> str:
    return f"{problem[:1].upper()}{problem[1:]}." if problem else ""
