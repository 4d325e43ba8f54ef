"""The Delivery page: what its presenter sees of it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QObject, Qt, QTimer, Signal, Slot
from PySide6.QtGui import QKeySequence

from smtp_desk.app.delivery.export import file_name
from smtp_desk.app.delivery.state import DeliveryState, Emptiness
from smtp_desk.ui.delivery import words
from smtp_desk.ui.delivery.action_bar import ActionBar
from smtp_desk.ui.delivery.details_card import DetailsCard
from smtp_desk.ui.delivery.filter_bar import SEARCH_MS, FilterBar
from smtp_desk.ui.delivery.routes_card import RoutesCard
from smtp_desk.ui.delivery.table import EmailTable
from smtp_desk.ui.widgets.buttons import button
from smtp_desk.ui.widgets.card import Card, Panel
from smtp_desk.ui.widgets.file_dialog import ask_where_to_save
from smtp_desk.ui.widgets.label import Label
from smtp_desk.ui.widgets.page import Page

if TYPE_CHECKING:
    from smtp_desk.app.delivery.listing import Part
    from smtp_desk.app.delivery.presenter import DeliveryPresenter

REFRESH_MS: Final = 3000
"""How often the page looks again while it is seen."""

_WIDTH: Final = 1120
_MOST: Final = 100
"""Share of the height that the list takes of what the cards leave."""
_EXPLANATION: Final = "What was sent by which route and why, and what still waits."
_FILTER: Final = "Emails (*.eml);;All files (*)"
_NOTHING: Final = (
    "No emails yet",
    (
        "When an email is sent, it appears here with its result: which route sent it, why it took "
        "another route, and what the server said. Emails that can’t be sent yet wait here."
    ),
)
_NO_MATCHES: Final = ("No email matches", "Search for something else, or show all emails.")


class _Empty(Card):
    """Says in words why the list shows nothing."""

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("no_emails")
        self._title = Label(rank="heading")
        self._text = Label(rank="muted")
        self.show_all: Final = button("Show all emails", "show_all_emails")
        self.send_sample: Final = button("Send a sample", "send_first_sample")
        self.body.addWidget(self._title)
        self.body.addWidget(self._text)
        for each in (self.show_all, self.send_sample):
            self.body.addWidget(each, alignment=Qt.AlignmentFlag.AlignLeading)

    def show_reason(self, emptiness: Emptiness) -> None:
        """Show why."""
        title, text = _NO_MATCHES if emptiness is Emptiness.NO_MATCHES else _NOTHING
        self._title.show_text(title)
        self._text.show_text(text)
        self.show_all.setVisible(emptiness is Emptiness.NO_MATCHES)
        self.send_sample.setVisible(emptiness is Emptiness.NO_EMAILS)


class DeliveryView(QObject):
    """Shows what it is told and reports what the person does; decides nothing.

    Args:
        refresh_ms: How often to look again while the page is seen.
        search_ms: How long a pause in typing begins the search.

    Attributes:
        page: The widget.

    Signals:
        sample_wanted: Show the page that sends samples.
        sign_in_wanted: Sign in again for this route.
    """

    sample_wanted = Signal()
    sign_in_wanted = Signal(str)

    def __init__(self, *, refresh_ms: int = REFRESH_MS, search_ms: int = SEARCH_MS) -> None:
        super().__init__()
        self.page: Final = Page("delivery", "Delivery", _EXPLANATION, width=_WIDTH)
        self._actions: DeliveryPresenter | None = None
        self._state = DeliveryState()
        self._table = EmailTable()
        self._filter = FilterBar(search_ms)
        self._routes = RoutesCard()
        self._details = DetailsCard()
        self._empty = _Empty()
        self._empty.send_sample.clicked.connect(self.sample_wanted)
        self._bar = ActionBar(_WIDTH)
        self._trouble = Panel("danger")
        self._trouble_text = Label()
        self._trouble_text.setObjectName("trouble")
        self._trouble.body.addWidget(self._trouble_text)
        self._undrained = Panel("warning")
        self._undrained.setObjectName("undrained")
        self._undrained.body.addWidget(Label(words.UNDRAINED))
        self._undrained.setAccessibleName(words.UNDRAINED)
        self._timer = QTimer(self)
        self._timer.setInterval(refresh_ms)
        self._list = Card()
        self._list.setAccessibleName("Emails")
        self._list.body.addWidget(self._filter)
        self._list.body.addWidget(self._table, 1)
        self._fill()
        self.render(self._state)

    def attach(self, actions: DeliveryPresenter) -> None:
        """Report to `actions` from now on."""
        self._actions = actions
        self._timer.timeout.connect(self.refresh)
        self.page.seen.connect(self._seen)
        self.page.left.connect(self._timer.stop)
        self._filter.search_wanted.connect(actions.search)
        self._filter.only_wanted.connect(actions.show_only)
        self._empty.show_all.clicked.connect(self._show_all)
        self._table.emails.more_wanted.connect(actions.more)
        self._table.chosen.connect(actions.select)
        self._routes.try_wanted.connect(actions.try_again)
        self._routes.sign_in_wanted.connect(self.sign_in_wanted)
        self._bar.retry_wanted.connect(actions.retry)
        self._bar.drop_wanted.connect(actions.drop)
        self._bar.export_wanted.connect(self._ask_where_to_export)
        self.page.add_shortcut(QKeySequence.StandardKey.Find, self._filter.focus_search)
        self.page.add_shortcut(QKeySequence.StandardKey.Refresh, self.refresh)

    def show_part(self, part: Part) -> None:
        """Put rows into the list."""
        self._table.show_part(part)

    def render(self, state: DeliveryState) -> None:
        """Show everything else."""
        self._state = state
        self._trouble_text.show_text(state.trouble)
        self._trouble.setVisible(bool(state.trouble))
        self._undrained.setVisible(state.undrained and not state.trouble)
        self._routes.render_state(state)
        self._filter.render_state(state)
        nothing_yet = state.emptiness is Emptiness.NO_EMAILS
        empty = state.emptiness in (Emptiness.NO_EMAILS, Emptiness.NO_MATCHES)
        self._empty.setVisible(empty)
        if empty:
            self._empty.show_reason(state.emptiness)
        unreadable = bool(state.trouble) and state.emptiness is Emptiness.UNREAD
        self._list.setVisible(not nothing_yet and not unreadable)
        self._table.setVisible(not empty)
        self.page.body.setStretchFactor(self._list, 0 if empty else _MOST)
        self._details.setVisible(not empty and not unreadable)
        self._details.show_details(state.details)
        self._bar.render_state(state)

    @Slot()
    def refresh(self) -> None:
        """Look again."""
        if self._actions is not None:
            self._actions.refresh(self._table.span)

    def _fill(self) -> None:
        body = self.page.body
        body.addWidget(self._trouble)
        body.addWidget(self._undrained)
        body.addWidget(self._routes)
        body.addWidget(self._list, _MOST)
        body.addWidget(self._empty)
        body.addWidget(self._details)
        body.addStretch(1)
        self.page.set_action_bar(self._bar)

    @Slot()
    def _seen(self) -> None:
        self._timer.start()
        self.refresh()

    @Slot()
    def _show_all(self) -> None:
        if self._actions is not None:
            self._actions.show_all()
            self._filter.focus_search()

    @Slot()
    def _ask_where_to_export(self) -> None:
        name = file_name(self._state.selected)
        ask_where_to_save(
            self.page, "Export email", _FILTER, self._export, "export_dialog", proposed=name
        )

    @Slot(str)
    def _export(self, path: str) -> None:
        if self._actions is not None:
            self._actions.export(Path(path))
