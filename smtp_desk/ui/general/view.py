"""The General page: preferences that act at once, without a Save button."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QObject, Signal, Slot

from smtp_desk.app.general.presenter import DEFAULT_PLACE, GeneralState
from smtp_desk.app.page_presenter import Busy
from smtp_desk.app.routes.default import address_problems
from smtp_desk.ui.general.alerts_card import AlertsCard
from smtp_desk.ui.general.default_card import DefaultCard
from smtp_desk.ui.general.updates_card import UpdatesCard
from smtp_desk.ui.widgets.card import Card
from smtp_desk.ui.widgets.field import ChoiceField, TextField
from smtp_desk.ui.widgets.line import Line
from smtp_desk.ui.widgets.page import Page
from smtp_desk.ui.widgets.theme import TEXT_SIZES

if TYPE_CHECKING:
    from PySide6.QtWidgets import QWidget

    from smtp_desk.app.general.alerting import AlertsPresenter, AlertsState
    from smtp_desk.app.general.presenter import GeneralPresenter
    from smtp_desk.app.general.updating import UpdatesPresenter
    from smtp_desk.app.notice import Notice
    from smtp_desk.app.page_presenter import PageState

_EXPLANATION: Final = "Changes on this page take effect immediately."
_THEMES: Final = {"system": "Follow system", "light": "Light", "dark": "Dark"}
_SIZES: Final = {"system": "Follow system", **{size: f"{size}%" for size in TEXT_SIZES}}
_ON_ALERTS: Final = (Busy.SAVING, Busy.REMOVING, Busy.SENDING)
"""What a person has asked for there, and wants to see the end of."""
_NOTIFY: Final = (
    "Gets an email from the default email service when an outage of the custom server begins "
    "and when it ends, and at most once an hour a list of stored emails that were refused. "
    "Leave empty to notify nobody."
)


class GeneralView(QObject):
    """Company name, default email service, who is notified of outages, look and updates.

    Attributes:
        page: The widget.

    Signals:
        relay_wanted: Open the form of the organization's relay.
    """

    relay_wanted = Signal()

    def __init__(self, *, parent: QWidget | None = None) -> None:
        super().__init__()
        self.page: Final = Page("general", "General", _EXPLANATION, parent=parent)
        self._actions: GeneralPresenter | None = None
        self._state = GeneralState()
        self._company = TextField(
            "company_name", "&Company name", hint="Used as the From name of new configurations."
        )
        self._notify = TextField("notify", "&Notify this address", hint=_NOTIFY)
        self._notify_complains = False
        self._theme = ChoiceField("theme", "The&me", _THEMES)
        self._size = ChoiceField("text_size", "Te&xt size", _SIZES)
        self._line = Line()
        company, outages, look = Card("Company"), Card("Outages"), Card("Appearance")
        self._default = DefaultCard()
        self._alerts = AlertsCard()
        self._updates = UpdatesCard()
        company.body.addWidget(self._company)
        outages.body.addWidget(self._notify)
        look.body.addWidget(self._theme)
        look.body.addWidget(self._size)
        cards = (company, self._default, outages, self._alerts, look, self._updates)
        for part in (self._line, *cards):
            self.page.body.addWidget(part)
        self.page.body.addStretch(1)
        self._default.relay_wanted.connect(self.relay_wanted)
        self._default.looked_at.connect(self.page.bring_into_view)

    def attach(self, actions: GeneralPresenter) -> None:
        """Report to `actions` from now on."""
        self._actions = actions
        self._default.attach(actions)
        self._company.finished.connect(self._company_left)
        self._notify.edited.connect(self._notify_typed)
        self._notify.finished.connect(self._notify_left)
        self._theme.edited.connect(self._chosen)
        self._size.edited.connect(self._chosen)
        self.render(actions.state)

    def attach_alerts(self, actions: AlertsPresenter) -> None:
        """Report actions on alerts to `actions` from now on."""
        self._alerts.attach(actions)
        self.page.seen.connect(actions.load)

    def attach_updates(self, actions: UpdatesPresenter) -> None:
        """Report to `actions` from now on when a check for updates is wanted."""
        self._updates.attach(actions)

    def render_updates(self, state: PageState) -> None:
        """Show what came of a check for updates."""
        with self.page.changing():
            self._updates.render_state(state)
        if state.busy is Busy.CHECKING:
            self.page.bring_into_view(self._updates)

    def render_alerts(self, state: AlertsState) -> None:
        """Show where alerts are sent."""
        with self.page.changing():
            self._alerts.render_state(state)
        if state.busy in _ON_ALERTS:
            self.page.bring_into_view(self._alerts)

    def render(self, state: GeneralState) -> None:
        """Show this, and keep a text that is being typed."""
        self._state = state
        preferences = state.preferences
        for field, text in (
            (self._company, preferences.company_name),
            (self._notify, preferences.notify),
        ):
            if not field.edit.hasFocus():
                field.set_text(text)
        if not self._notify_complains:
            # A file written by hand can hold what nobody could type here.
            wrong = [each for each in _address_notices(preferences.notify) if each.error]
            self._notify.show_notices(tuple(wrong))
        self._theme.set_value(preferences.theme)
        self._size.set_value(preferences.text_size)
        with self.page.changing():
            self._default.render_state(state)
            self._show_notice(state)

    def focus_sendmail(self, state: GeneralState) -> None:
        """Show all problems of path and address, and move the focus to the first."""
        self._default.focus_wrong(state)

    def _show_notice(self, state: GeneralState) -> None:
        """Show what came of the last change beside its field."""
        fields = (self._company, self._notify, self._theme, self._size)
        field = next((each for each in fields if each.key == state.place), None)
        if field is not None:
            field.below.addWidget(self._line)
        elif state.place == "":
            self.page.body.insertWidget(1, self._line)
        self._line.show_notice(state.notice if state.place != DEFAULT_PLACE else None)

    @Slot(str)
    def _company_left(self, _key: str) -> None:
        self._change(company_name=self._company.edit.text().strip())

    @Slot(str, str)
    def _notify_typed(self, _key: str, text: str) -> None:
        """Complain once the field was left, then with every keystroke."""
        if self._notify_complains:
            self._notify.show_notices(_address_notices(text))

    @Slot(str)
    def _notify_left(self, _key: str) -> None:
        self._notify_complains = True
        address = self._notify.edit.text().strip()
        notices = _address_notices(address)
        self._notify.show_notices(notices)
        if not any(notice.error for notice in notices):
            self._change(notify=address)

    @Slot(str, str)
    def _chosen(self, key: str, value: str) -> None:
        self._change(**{key: value})

    def _change(self, **values: str) -> None:
        if self._actions is not None:
            self._actions.change(**values)


def _address_notices(text: str) -> tuple[Notice, ...]:
    return address_problems(text) if text.strip() else ()
