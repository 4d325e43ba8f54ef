"""The Email types page, as its presenter sees it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QObject, Qt, QUrl
from PySide6.QtGui import QDesktopServices, QKeySequence
from PySide6.QtWidgets import QWidget

from smtp_desk.ui.email_types.action_bar import ActionBar
from smtp_desk.ui.email_types.preview_card import PreviewCard
from smtp_desk.ui.email_types.type_list import TypeList
from smtp_desk.ui.widgets.card import Columns, column
from smtp_desk.ui.widgets.page import Page

if TYPE_CHECKING:
    from pathlib import Path

    from smtp_desk.app.email_types.presenter import EmailTypesPresenter, EmailTypesState

_WIDTH: Final = 960
_NARROW: Final = 700
"""Below this width the preview stands below the list."""
_EXPLANATION: Final = "Every email that the platform sends, as its recipient sees it."


class EmailTypesView(QObject):
    """Shows what it is told and reports what the person does; decides nothing.

    Attributes:
        page: The widget.
    """

    def __init__(self, *, parent: QWidget | None = None) -> None:
        super().__init__()
        self.page: Final = Page(
            "email_types", "Email types", _EXPLANATION, width=_WIDTH, parent=parent
        )
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

    def attach(self, actions: EmailTypesPresenter) -> None:
        """Report to `actions` from now on."""
        self.page.seen.connect(actions.refresh)
        self._list.chosen.connect(actions.choose)
        self._bar.edited.connect(actions.edit_recipient)
        self._bar.send_wanted.connect(actions.send_sample)
        self._bar.cancel_wanted.connect(actions.cancel_sample)
        self._preview.browser_wanted.connect(actions.open_in_browser)
        self.page.add_shortcut(QKeySequence.StandardKey.Refresh, actions.refresh)

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
