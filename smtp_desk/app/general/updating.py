"""The check for updates of the General page, without its widgets."""

from typing import Final, Protocol

from smtp_desk.app.installation import this_installation
from smtp_desk.app.page_presenter import Busy, PagePresenter, PageState
from smtp_desk.app.runner import Emit, Runner
from smtp_desk.app.services import Services
from smtp_desk.app.updates import Updates, UpdatesError, find_updates
from smtp_desk.app.words import failure_text
from smtp_desk.smtp.net.deadline import Cancel, CancelledError

_CANCELLED: Final = "The check was stopped."


class UpdatesFace(Protocol):
    """What the presenter needs of a face; called in the face's own thread."""

    def render_updates(self, state: PageState) -> None:
        """Show this."""


class UpdatesPresenter(PagePresenter[PageState]):
    """Checks for a newer version when the person asks, never on its own.

    Args:
        services: Whose settings name the address to ask.
        runner: A thread in which a check may take its ten seconds.
        view: The page.
    """

    def __init__(self, services: Services, runner: Runner, view: UpdatesFace) -> None:
        super().__init__(runner, view.render_updates, PageState())
        self._services = services

    def check(self) -> None:
        """Ask for the newest version."""
        if not self._idle:
            return
        services = self._services

        def ask(_emit: Emit, cancel: Cancel) -> Updates | None:
            try:
                return find_updates(services, cancel)
            except CancelledError:
                return None

        def done(found: Updates | None) -> None:
            if found is None:
                self._tell(_CANCELLED, plain=True)
            else:
                self._tell(" ".join(found.lines(this_installation())))

        self._show(notice=None)
        self._run(Busy.CHECKING, ask, done, failed=lambda error: failure_text(error, UpdatesError))

    def cancel(self) -> None:
        """Stop asking; answers at once."""
        if self._cancel is not None:
            self._cancel.cancel()
            self._show(busy=Busy.CANCELLING)
