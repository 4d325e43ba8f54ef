"""The Delivery page, as its presenter sees it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QObject, Qt, QTimer, Signal, Slot
from PySide6.QtGui import QKeySequence

from smtp_desk.app.delivery.export import file_name
from smtp_desk.app.delivery.overview import OverviewState
from smtp_desk.app.delivery.overview_words import paused_text
from smtp_desk.app.delivery.state import DeliveryState, Emptiness
from smtp_desk.ui.delivery import words
from smtp_desk.ui.delivery.action_bar import ActionBar
from smtp_desk.ui.delivery.details_card import DetailsCard
from smtp_desk.ui.delivery.dialogs import CauseDialog, CopyDialog, EraseDialog
from smtp_desk.ui.delivery.filter_bar import SEARCH_MS, FilterBar
from smtp_desk.ui.delivery.overview_card import DayCard, SendingCard
from smtp_desk.ui.delivery.routes_card import RoutesCard
from smtp_desk.ui.delivery.table import EmailTable
from smtp_desk.ui.widgets.buttons import button
from smtp_desk.ui.widgets.card import Card, Panel
from smtp_desk.ui.widgets.file_dialog import ask_where_to_save
from smtp_desk.ui.widgets.label import Label
from smtp_desk.ui.widgets.page import Page

if TYPE_CHECKING:
    from PySide6.QtWidgets import QWidget

    from smtp_desk.app.delivery.listing import Part
    from smtp_desk.app.delivery.overview import OverviewPresenter, Stopped
    from smtp_desk.app.delivery.presenter import DeliveryPresenter

REFRESH_MS: Final = 3000
"""How often the page looks again while it is seen."""

_WIDTH: Final = 1120
_MOST: Final = 100
"""Share of the height that the list takes of what the cards leave."""
_EXPLANATION: Final = "Which emails were sent, by which route and why, and which are still waiting."
_FILTER: Final = "Emails (*.eml);;All files (*)"
_NOTHING: Final = (
    "No emails yet",
    (
        "When an email is sent, it appears here with its result: which route sent it, why, "
        "and what the server said. Emails that can’t be sent yet wait here."
    ),
)
_NO_MATCHES: Final = ("No emails match", "Search for something else, or show all emails.")


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
        refresh_ms: How often to refresh while the page is visible.
        search_ms: The pause in typing after which the search begins.

    Attributes:
        page: The widget.

    Signals:
        sample_wanted: Show the page that sends samples.
        sign_in_wanted: Sign in again for this route.
    """

    sample_wanted = Signal()
    sign_in_wanted = Signal(str)

    def __init__(
        self,
        *,
        refresh_ms: int = REFRESH_MS,
        search_ms: int = SEARCH_MS,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__()
        self.page: Final = Page("delivery", "Delivery", _EXPLANATION, width=_WIDTH, parent=parent)
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
        self._start_worker = button("Start a worker", "start_worker")
        self._undrained.body.addWidget(self._start_worker, alignment=Qt.AlignmentFlag.AlignLeading)
        self._paused = Panel("warning")
        self._paused.setObjectName("paused")
        self._paused_text = Label()
        self._resume = button("Resume sending", "resume_sending")
        self._paused.body.addWidget(self._paused_text)
        self._paused.body.addWidget(self._resume, alignment=Qt.AlignmentFlag.AlignLeading)
        self._paused.hide()
        self._sending = SendingCard()
        self._day = DayCard()
        self._all: OverviewPresenter | None = None
        self._seen_all = OverviewState()
        self._causes: CauseDialog | None = None
        self._eraser: EraseDialog | None = None
        self._copier: CopyDialog | None = None
        self._timer = QTimer(self)
        self._timer.setInterval(refresh_ms)
        self._list = Card()
        self._list.setAccessibleName("Emails")
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
        self._filter.search_line.stop_wanted.connect(actions.stop_search)
        self._filter.search_line.go_on_wanted.connect(actions.search_on)
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

    def attach_overview(self, actions: OverviewPresenter) -> None:
        """Report actions for the whole outbox to `actions` from now on."""
        self._all = actions
        self._timer.timeout.connect(actions.refresh)
        self.page.seen.connect(actions.refresh)
        self._resume.clicked.connect(actions.resume)
        self._start_worker.clicked.connect(actions.start_worker)
        self._sending.pause_wanted.connect(self._pause_wanted)
        self._sending.worker_wanted.connect(self._worker_wanted)
        self._sending.causes_wanted.connect(actions.ask_causes)
        self._sending.erase_wanted.connect(self._ask_whom_to_erase)
        self._bar.copy_wanted.connect(self._ask_where_to_copy)

    def render_overview(self, state: OverviewState) -> None:
        """Show the activity of the whole outbox."""
        before, self._seen_all = self._seen_all, state
        with self.page.changing():
            self._show_overview(state)
        if state.stopped is not None and before.stopped is None:
            self._causes = self._causes or self._cause_dialog()
            self._causes.show_causes(state.stopped)
        for dialog in (self._eraser, self._copier):
            if dialog is not None:
                dialog.render_state(state)

    def _show_overview(self, state: OverviewState) -> None:
        paused = state.paused_since is not None and state.at is not None
        if state.paused_since is not None and state.at is not None:
            text = paused_text(state.paused_since, state.at)
            self._paused_text.show_text(text)
            self._paused.setAccessibleName(text)
        had_focus = self._resume.hasFocus()
        self._paused.setVisible(paused)
        if had_focus and not paused:
            self._table.setFocus()
        self._sending.render_state(state)
        self._day.render_state(state)
        self._show_undrained()

    def show_part(self, part: Part) -> None:
        """Insert rows into the list."""
        self._table.show_part(part)

    def render(self, state: DeliveryState) -> None:
        """Show everything else."""
        self._state = state
        with self.page.changing():
            self._show_state(state)

    def _show_state(self, state: DeliveryState) -> None:
        self._trouble_text.show_text(state.trouble)
        self._trouble.setVisible(bool(state.trouble))
        self._show_undrained()
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
        """Refresh the page."""
        if self._actions is not None:
            self._actions.refresh(self._table.span)

    def _show_undrained(self) -> None:
        runs = self._seen_all.working or self._seen_all.workers > 0
        self._undrained.setVisible(self._state.undrained and not self._state.trouble and not runs)

    def _cause_dialog(self) -> CauseDialog:
        dialog = CauseDialog(self.page)
        dialog.chosen.connect(self._retry_cause)
        return dialog

    @Slot(object)
    def _retry_cause(self, stopped: Stopped) -> None:
        if self._all is not None:
            self._all.retry_cause(stopped)

    @Slot(bool)
    def _pause_wanted(self, wanted: bool) -> None:  # noqa: FBT001 - as the signal gives it
        if self._all is not None:
            (self._all.pause if wanted else self._all.resume)()

    @Slot(bool)
    def _worker_wanted(self, wanted: bool) -> None:  # noqa: FBT001 - as the signal gives it
        if self._all is not None:
            (self._all.start_worker if wanted else self._all.stop_worker)()

    @Slot()
    def _ask_whom_to_erase(self) -> None:
        if self._all is None:
            return
        if self._eraser is None:
            self._eraser = EraseDialog(self.page)
            self._eraser.look_wanted.connect(self._all.look_up)
            self._eraser.erase_wanted.connect(self._all.erase)
        self._eraser.ask()

    @Slot()
    def _ask_where_to_copy(self) -> None:
        if self._copier is None:
            self._copier = CopyDialog(self.page)
            self._copier.send_wanted.connect(self._send_copy)
        self._copier.ask()

    @Slot(str)
    def _send_copy(self, address: str) -> None:
        if self._all is not None:
            self._all.send_copy(self._state.selected, address)

    def _fill(self) -> None:
        self._list.body.addWidget(self._filter)
        self._list.body.addWidget(self._table, 1)
        body = self.page.body
        body.addWidget(self._trouble)
        body.addWidget(self._paused)
        body.addWidget(self._undrained)
        body.addWidget(self._routes)
        body.addWidget(self._list, _MOST)
        body.addWidget(self._empty)
        body.addWidget(self._details)
        body.addWidget(self._sending)
        body.addWidget(self._day)
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
