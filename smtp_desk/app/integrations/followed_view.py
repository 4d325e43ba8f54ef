"""Views of the Integrations page that also tell what happened elsewhere meanwhile."""

from collections.abc import Callable
from dataclasses import replace
from typing import Final

from smtp_desk.app.integrations.presenter import View
from smtp_desk.app.integrations.state import Busy, IntegrationsState
from smtp_desk.app.routes.custom import with_default
from smtp_desk.app.routes.default import DefaultState
from smtp_desk.app.routes.outage import Outage, in_outage
from smtp_desk.core.problems import Field
from smtp_desk.core.settings import SettingsDraft

_CHANGES: Final = frozenset({Busy.LOADING, Busy.SAVING, Busy.REMOVING, Busy.SWITCHING})


class OutageView:
    """Puts the outage and the default email service into the status line, whichever changed.

    Args:
        view: The view itself.
        look: Called when something was saved that may have ended an outage, or changed it.
    """

    def __init__(self, view: View, look: Callable[[], None]) -> None:
        self._view = view
        self._look = look
        self._state: IntegrationsState | None = None
        self._outage: Outage | None = None
        self._default: DefaultState | None = None

    def outage_changed(self, outage: Outage | None) -> None:
        """Show this outage, or that there is none."""
        self._outage = outage
        if self._state is not None:
            self._show(self._state)

    def default_changed(self, state: DefaultState) -> None:
        """Tell where emails go by this default email service."""
        before, self._default = self._default, state
        if self._state is not None:
            self._show(self._state)
        if before is not None and before.kind is not state.kind:
            self._look()

    def show_draft(self, draft: SettingsDraft, recipient: str) -> None:
        """See `View.show_draft`."""
        self._view.show_draft(draft, recipient)

    def render(self, state: IntegrationsState) -> None:
        """See `View.render`."""
        before, self._state = self._state, state
        self._show(state)
        if before is not None and before.busy in _CHANGES and state.busy is Busy.NOTHING:
            self._look()

    def focus_field(self, field: Field) -> None:
        """See `View.focus_field`."""
        self._view.focus_field(field)

    def focus_outcome(self) -> None:
        """See `View.focus_outcome`."""
        self._view.focus_outcome()

    def _show(self, state: IntegrationsState) -> None:
        status = in_outage(state.status, self._outage)
        if self._default is not None:
            status = with_default(status, self._default.kind)
        self._view.render(replace(state, status=status))


class FollowedView:
    """The view of the Integrations page, and other readers of its states."""

    def __init__(self, view: View) -> None:
        self._view = view
        self._followers: list[Callable[[IntegrationsState], None]] = []

    def followed_by(self, follow: Callable[[IntegrationsState], None]) -> None:
        """Tell `follow` too of every state from now on."""
        self._followers.append(follow)

    def show_draft(self, draft: SettingsDraft, recipient: str) -> None:
        """Put these texts into the fields without reporting them as edits."""
        self._view.show_draft(draft, recipient)

    def render(self, state: IntegrationsState) -> None:
        """Show everything else, and tell the others."""
        self._view.render(state)
        for follow in self._followers:
            follow(state)

    def focus_field(self, field: Field) -> None:
        """Move the focus to the field."""
        self._view.focus_field(field)

    def focus_outcome(self) -> None:
        """Move the focus to the outcome line."""
        self._view.focus_outcome()
