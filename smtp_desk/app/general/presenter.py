"""The General page without its widgets: every change is saved at once."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Final, Protocol

from smtp_desk.app.notice import Notice
from smtp_desk.app.page_presenter import PagePresenter, PageState, quietly
from smtp_desk.app.routes.default import (
    DefaultState,
    InvalidSendmailError,
    address_problems,
    load_default,
    path_problems,
    use_outbox,
    use_relay,
    use_sendmail,
)
from smtp_desk.app.runner import Runner
from smtp_desk.app.services import Services
from smtp_desk.app.words import failure_text
from smtp_desk.store.stored import Preferences

DEFAULT_PLACE: Final = "default"
"""Where the answer to a choice of the default email service stands."""

_SAVED: Final = "Saved."
_INVALID: Final = "Fix the errors first. Nothing was changed."


@dataclass(frozen=True, slots=True, kw_only=True)
class GeneralState(PageState):
    """What the General page shows.

    Attributes:
        preferences: The saved preferences.
        default: The default email service.
        path: The notice about the path of sendmail.
        from_email: The notice about the address of sendmail.
        place: What the notice is shown beside: the name of a preference, `DEFAULT_PLACE`, or ""
            for the top of the page.
    """

    preferences: Preferences = field(default_factory=Preferences)
    default: DefaultState = field(default_factory=DefaultState)
    path: tuple[Notice, ...] = ()
    from_email: tuple[Notice, ...] = ()
    place: str = ""


class GeneralFace(Protocol):
    """What the presenter needs of a face; called in the face's own thread."""

    def render(self, state: GeneralState) -> None:
        """Show this."""

    def focus_sendmail(self, state: GeneralState) -> None:
        """Show all problems of path and address, and move the focus to the first."""


class GeneralPresenter(PagePresenter[GeneralState]):
    """Saves preferences and the default email service as the person chooses."""

    def __init__(self, services: Services, runner: Runner, view: GeneralFace) -> None:
        super().__init__(runner, view.render, GeneralState())
        self._services = services
        self._view = view

    @property
    def state(self) -> GeneralState:
        """What the page shows."""
        return self._state

    def load(self) -> None:
        """Read what is saved."""
        services = self._services

        def read() -> tuple[Preferences, DefaultState]:
            return services.store.load().preferences, load_default(services)

        def done(found: tuple[Preferences, DefaultState]) -> None:
            self._show(preferences=found[0], default=found[1])

        self._do(read, done, place="")

    def change(self, **values: str) -> None:
        """Change the named preferences and save them; equal values save nothing."""
        after = replace(self._state.preferences, **values)
        if after == self._state.preferences:
            return
        place = next(iter(values))
        self._show(preferences=after, notice=None, place=place)
        store = self._services.store

        def write() -> None:
            # What another process changed meanwhile stays.
            store.save_preferences(replace(store.load().preferences, **values))

        self._do(write, lambda _done: self._show(notice=Notice(_SAVED), place=place), place=place)

    def use_outbox(self) -> None:
        """Hold emails in the outbox."""
        self._use(lambda: use_outbox(self._services))

    def use_relay(self) -> None:
        """Use the saved relay."""
        self._use(lambda: use_relay(self._services))

    def use_sendmail(self, path: str, from_email: str) -> None:
        """Use the machine's MTA, or show why it can't be used."""
        self._use(lambda: use_sendmail(self._services, path, from_email))

    def check_sendmail(self, path: str, from_email: str) -> None:
        """Show what is wrong with the path and the address."""

        def check() -> tuple[tuple[Notice, ...], tuple[Notice, ...]]:
            return path_problems(path), address_problems(from_email)

        def done(found: tuple[tuple[Notice, ...], tuple[Notice, ...]]) -> None:
            self._show(path=found[0], from_email=found[1])

        self._do(check, done)

    def clear_notice(self) -> None:
        """Clear the notice about the last choice."""
        if self._state.notice is not None:
            self._show(notice=None)

    def _use(self, use: Callable[[], DefaultState]) -> None:
        def done(state: DefaultState) -> None:
            self._show(default=state, notice=Notice(_SAVED), place=DEFAULT_PLACE)

        self._show(notice=None)
        self._do(use, done)

    def _do(
        self,
        work: Callable[[], object],
        done: Callable[..., None],
        *,
        place: str = DEFAULT_PLACE,
    ) -> None:
        """Do it in the background; several may wait, for each is short and acts at once."""

        def failed(error: Exception) -> None:
            if isinstance(error, InvalidSendmailError):
                self._show(
                    path=error.path,
                    from_email=error.from_email,
                    notice=Notice(_INVALID, error=True),
                    place=place,
                )
                self._view.focus_sendmail(self._state)
            else:
                # A fresh value: the choice that failed is not shown as if it held.
                default = replace(self._state.default)
                notice = Notice(failure_text(error), error=True)
                self._show(default=default, notice=notice, place=place)

        self._runner.run(quietly(work), on_done=done, on_error=failed)
