"""One page's states, read by others as well."""

from collections.abc import Callable

from smtp_desk.app.presenter import View
from smtp_desk.app.state import IntegrationsState
from smtp_desk.core.draft import SettingsDraft
from smtp_desk.core.problems import Field


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
