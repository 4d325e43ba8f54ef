"""The Email types page: what its presenter sees of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Protocol

from PySide6.QtCore import QObject, Qt, QUrl, Signal
from PySide6.QtGui import QDesktopServices, QKeySequence, QShortcut
from PySide6.QtWidgets import QWidget

from smtp_desk.ui.email_types.action_bar import ActionBar
from smtp_desk.ui.email_types.preview_card import PreviewCard
from smtp_desk.ui.email_types.type_list import TypeList
from smtp_desk.ui.widgets.card import Columns, column
from smtp_desk.ui.widgets.page import Page

if TYPE_CHECKING:
    from pathlib import Path

    from PySide6.QtGui import QShowEvent

    from smtp_desk.app.email_types.presenter import EmailTypesState

_WIDTH: Final = 960
_NARROW: Final = 700
"""Below this width the preview stands below the list."""
_EXPLANATION: Final = "Every email that the platform sends, as its recipient sees it."


class EmailTypesActions(Protocol):
    """What the page asks of its presenter."""

    def refresh(self) -> None:
        """Look at templates and settings again."""

    def choose(self, variant: str) -> None:
        """Show this variant."""

    def edit_recipient(self, text: str) -> None:
        """The person types an address."""

    def send_sample(self, recipient: str) -> None:
        """Send the chosen variant."""

    def cancel_sample(self) -> None:
        """Stop the sample that is on its way."""

    def open_in_browser(self) -> None:
        """Show the HTML in the browser."""


class _Page(Page):
    """Tells when it is seen."""

    seen = Signal()

    def showEvent(self, event: QShowEvent) -> None:
        """Tell."""
        super().showEvent(event)
        self.seen.emit()


class EmailTypesView(QObject):
    """Shows what it is told and reports what the person does; decides nothing.

    Attributes:
        page: The widget.
    """

    def __init__(self) -> None:
        super().__init__()
        self.page: Final = _Page("email_types", "Email types", _EXPLANATION, width=_WIDTH)
        self._list = TypeList()
        self._preview = PreviewCard()
        self._bar = ActionBar(_WIDTH)
        left = column(holder := QWidget())
        left.addWidget(self._list)
        left.addStretch(1)
        fill = Qt.AlignmentFlag(0)
        both = Columns(_NARROW, (holder, 3), (self._preview, 8), align=fill)
        self.page.body.addWidget(both, 1)
        self.page.set_action_bar(self._bar)

    def attach(self, actions: EmailTypesActions) -> None:
        """Report to `actions` from now on."""
        self.page.seen.connect(actions.refresh)
        self._list.chosen.connect(actions.choose)
        self._bar.edited.connect(actions.edit_recipient)
        self._bar.send_wanted.connect(actions.send_sample)
        self._bar.cancel_wanted.connect(actions.cancel_sample)
        self._preview.browser_wanted.connect(actions.open_in_browser)
        shortcut = QShortcut(QKeySequence(QKeySequence.StandardKey.Refresh), self.page)
        shortcut.setContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
        shortcut.activated.connect(actions.refresh)

    def render(self, state: EmailTypesState) -> None:
        """Show this."""
        self._list.show_types(state.types, state.chosen)
        self._preview.render_state(state)
        self._bar.render_state(state)

    def focus_recipient(self) -> None:
        """Move the focus to the address."""
        self._bar.focus_recipient()

    def open_file(self, file: Path) -> bool:
        """Open a file in the browser; return whether there is one."""
        return QDesktopServices.openUrl(QUrl.fromLocalFile(str(file)))
