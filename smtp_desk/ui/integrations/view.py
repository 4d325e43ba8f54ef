"""The Integrations page: what its presenter sees of it."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QObject, Signal, Slot
from PySide6.QtWidgets import QLineEdit, QWidget

from smtp_desk.app.integrations.state import IntegrationsState
from smtp_desk.app.page_presenter import Busy
from smtp_desk.core.findings.finding import SIGN_IN_AGAIN, Remedy
from smtp_desk.core.gate import Outcome
from smtp_desk.core.problems import Field
from smtp_desk.core.texts import OUTCOMES
from smtp_desk.ui.integrations import words
from smtp_desk.ui.integrations.action_bar import ActionBar
from smtp_desk.ui.integrations.earlier_fold import EarlierFold
from smtp_desk.ui.integrations.ends_banner import EndsBanner
from smtp_desk.ui.integrations.form import SettingsForm
from smtp_desk.ui.integrations.outage_banner import OutageBanner
from smtp_desk.ui.integrations.server_card import ServerCard
from smtp_desk.ui.integrations.test_panel import TestPanel
from smtp_desk.ui.integrations.trust_dialog import TrustDialog
from smtp_desk.ui.widgets.announce import announce
from smtp_desk.ui.widgets.page import Page
from smtp_desk.ui.widgets.slices import once_a_frame

if TYPE_CHECKING:
    from collections.abc import Mapping

    from smtp_desk.app.integrations.ca_offer import CaOffer
    from smtp_desk.app.integrations.earlier import EarlierPresenter, EarlierState
    from smtp_desk.app.integrations.presenter import IntegrationsPresenter
    from smtp_desk.app.proposals.presenter import FindPresenter
    from smtp_desk.core.settings import SettingsDraft
    from smtp_desk.ui.integrations.find_panel import FindPanel
    from smtp_desk.ui.widgets.theme import Theme

_UNREAD: Final = IntegrationsState(busy=Busy.LOADING)


class IntegrationsView(QObject):
    """Shows what it is told and reports what the person does; decides nothing.

    Attributes:
        page: The widget.

    Signals:
        details_wanted: Open Diagnostics.
        left: Escape was pressed while no test runs.
    """

    details_wanted = Signal()
    left = Signal()

    def __init__(
        self,
        theme: Theme,
        *,
        form: SettingsForm | None = None,
        test: TestPanel | None = None,
        said: words.PageWords = words.CUSTOM,
        parent: QWidget | None = None,
    ) -> None:
        """Create it.

        Args:
            theme: Its colours.
            form: Its fields, where they were built before.
            test: Its test, where it was built before, or there is a page for the details.
            said: What it says of the server that it configures.
            parent: What the page will be shown in.
        """
        super().__init__()
        self.page: Final = Page(said.name, said.title, said.explanation, parent=parent)
        self._state: IntegrationsState | None = None
        self._actions: IntegrationsPresenter | None = None
        self._typed = False
        self._ask_for_stages = once_a_frame(self.page, self._draw_stages)
        self._question: TrustDialog | None = None
        self._banner = OutageBanner()
        self._ends = EndsBanner()
        self._server = ServerCard(theme, said)
        self._form = form or SettingsForm(finds=said is words.CUSTOM)
        self._test = test or TestPanel(offer_details=False)
        self._bar = ActionBar(said)
        self._earlier = EarlierFold()
        for part in (self._banner, self._ends, self._server, self._form, self._earlier):
            self.page.body.addWidget(part)
        self.page.set_aside(self._test)
        self.page.body.addStretch(1)
        self.page.set_action_bar(self._bar)
        self.page.arranged.connect(self._arranged)
        self._test.details_wanted.connect(self.details_wanted)
        self.render(_UNREAD)

    def attach(self, actions: IntegrationsPresenter) -> None:
        """Report to `actions` from now on."""
        form, test, bar = self._form, self._test, self._bar
        self._actions = actions
        for source in (form, test.recipient):
            source.edited.connect(self._edited)
            source.finished.connect(self._finished)
        form.offer_accepted.connect(actions.accept)
        form.key_file_chosen.connect(actions.key_file.choose)
        form.sign_in_wanted.connect(self._sign_in)
        self.finder.next_wanted.connect(self.focus_field)
        self.finder.focused.connect(self.page.bring_into_view)
        test.send_wanted.connect(actions.send_test)
        test.cancel_wanted.connect(actions.cancel_test)
        test.remedy_chosen.connect(actions.apply)
        bar.send_wanted.connect(actions.send_test)
        bar.turn_on_wanted.connect(self._turn_on)
        bar.overwrite_wanted.connect(self._overwrite)
        bar.save_wanted.connect(actions.save)
        bar.discard_wanted.connect(actions.discard)
        bar.remove_wanted.connect(actions.remove)
        self._server.switched.connect(self._switched)
        self._banner.try_again_wanted.connect(actions.try_again)

    def attach_finder(self, finding: FindPresenter) -> None:
        """Let Find settings report to `finding`."""
        self.finder.attach(finding, lambda: self.focus_field(Field.FROM_EMAIL))

    def attach_earlier(self, earlier: EarlierPresenter) -> None:
        """Let what was saved before report to `earlier`."""
        self._earlier.take_wanted.connect(earlier.take)

    def render_earlier(self, state: EarlierState) -> None:
        """Show what was saved before."""
        with self.page.changing():
            self._earlier.render_state(state)

    @property
    def finder(self) -> FindPanel:
        """Find settings."""
        return self._form.sender_card.finder

    def add_shortcuts(self) -> None:
        """Let the page act at the keys that the menus have in the window itself."""
        self.page.add_shortcut("Ctrl+S", self.save)
        self.page.add_shortcut("Ctrl+T", self.send)
        self.page.add_shortcut("Esc", self.escape)

    @Slot()
    def send(self) -> None:
        """Send the test email as by the button, if it is enabled."""
        self._test.send()

    @Slot()
    def save(self) -> None:
        """Save as by the button, if it is enabled."""
        self._bar.save()

    @Slot()
    def discard(self) -> None:
        """Discard as by the button, if it is enabled."""
        self._bar.discard()

    def show_draft(self, draft: SettingsDraft, recipient: str) -> None:
        """Put these texts into the fields without reporting them as edits."""
        self._form.show_draft(draft)
        self._test.recipient.set_text(recipient)

    def type_in(self, values: Mapping[Field, str]) -> None:
        """Type values into the fields for the person: each is reported as an edit."""
        for field, text in values.items():
            edit = self.page.findChild(QLineEdit, field)
            if isinstance(edit, QLineEdit):
                edit.setText(text)

    def render(self, state: IntegrationsState) -> None:
        """Show everything else; the same state twice changes nothing."""
        if state == self._state:
            return
        before = self._state
        if before is not None and replace(before, stages=state.stages) == state:
            self._state = state
            self._ask_for_stages()
            return
        begins = state.testing and not (before and before.testing)
        self._state = state
        if before is not None:
            self._announce(before, state)
        if self._banner.has_focus and not state.status.out:
            # The server is back, and the banner goes: to the status, not to the switch below it.
            self._server.focus_status()
        with self.page.changing():
            self._banner.render_state(state)
            self._ends.show_text(state.ends)
            self._server.render_state(state)
            self._form.render_state(state)
            self._test.show_beside(beside=self.page.wide)
            self._test.render_state(state)
            self._bar.render_state(state, beside=self.page.wide)
        self._order_tabs()
        self._ask_about(state.ca_offer)
        if begins:
            self._typed = False
            self.page.bring_into_view(*self._test.progress)

    @Slot()
    def _draw_stages(self) -> None:
        if self._state is not None:
            self._test.show_stages(self._state)

    def _announce(self, before: IntegrationsState, state: IntegrationsState) -> None:
        """Tell screen readers what came of it, wherever the focus is."""
        failed = state.outcome is Outcome.UNREACHABLE
        if state.outcome is not None and (
            state.outcome is not before.outcome or (before.testing and not state.testing)
        ):
            why = state.finding.summary if state.finding and failed else ""
            text = f"{OUTCOMES[state.outcome]} {why}".strip()
            announce(self.page, text, urgent=state.outcome is not Outcome.CHANGED)
        for told, known in (
            (state.notice, before.notice),
            (state.test_notice, before.test_notice),
            (state.outage_notice, before.outage_notice),
        ):
            if told is not None and told != known:
                announce(self.page, told.text, urgent=told.error)

    def _order_tabs(self) -> None:
        """Let Tab go from the form to the test, to what came of it, and to the bar last."""
        stops = (self._form.last_stop, *self._test.stops, *self._bar.stops)
        for before, after in pairwise(stops):
            QWidget.setTabOrder(before, after)

    def focus_field(self, field: Field) -> None:
        """Move the focus to the field and bring it into view."""
        if field is Field.RECIPIENT:
            self._test.recipient.take_focus()
            self.page.bring_into_view(self._test.recipient)
        else:
            self.page.bring_into_view(self._form.focus(field))

    def focus_outcome(self) -> None:
        """Move the focus to the outcome line and bring it into view.

        Whoever went on typing during the test is left in peace.
        """
        if self._typed:
            return
        self._test.focus_outcome()
        self.page.bring_into_view(*self._test.results)

    def _ask_about(self, offer: CaOffer | None) -> None:
        """Show the question about this CA, or none."""
        shown, actions = self._question, self._actions
        if actions is None or offer == (shown.offer if shown is not None else None):
            return
        self._question = None
        if shown is not None:
            shown.close()
        if offer is not None:
            self._question = TrustDialog(offer, self.page)
            self._question.confirmed.connect(actions.trust.confirm)
            self._question.rejected.connect(actions.trust.dismiss)
            self._question.open()

    @Slot()
    def _arranged(self) -> None:
        if self._state is not None:
            self._test.show_beside(beside=self.page.wide)
            self._bar.render_state(self._state, beside=self.page.wide)
            self._order_tabs()

    @Slot()
    def _sign_in(self) -> None:
        if self._actions is not None:
            self._actions.apply(Remedy(SIGN_IN_AGAIN, ""))

    @Slot()
    def _turn_on(self) -> None:
        self._switched(True)

    @Slot()
    def _overwrite(self) -> None:
        if self._actions is not None:
            self._actions.save(overwrite=True)

    @Slot(bool)
    def _switched(self, on: bool) -> None:  # noqa: FBT001 - a signal's signature
        """Ask for it, and show what is so until it is: a screen reader hears the truth."""
        if self._actions is not None:
            self._actions.switch(on)
        if self._state is not None:
            self._server.render_state(self._state)

    @Slot()
    def escape(self) -> None:
        """Cancel the test that runs, or tell that the page is to be left."""
        if self._state is not None and self._state.testing:
            self._test.cancel()
        else:
            self.left.emit()

    @Slot(str, str)
    def _edited(self, key: str, text: str) -> None:
        self._typed = True
        if self._actions is not None:
            self._actions.edit(Field(key), text)

    @Slot(str)
    def _finished(self, key: str) -> None:
        if self._actions is not None:
            self._actions.finish_editing(Field(key))
