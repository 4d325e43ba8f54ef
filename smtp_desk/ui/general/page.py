"""The General page: preferences that act at once, without a Save button."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from PySide6.QtCore import Signal, Slot

from smtp_desk.app.routes.default import address_problems
from smtp_desk.store.stored import Preferences
from smtp_desk.ui.general.default_card import DefaultCard
from smtp_desk.ui.widgets.card import Card
from smtp_desk.ui.widgets.field import ChoiceField, TextField
from smtp_desk.ui.widgets.line import Line
from smtp_desk.ui.widgets.page import Page

if TYPE_CHECKING:
    from smtp_desk.app.notice import Notice
    from smtp_desk.ui.general.default_keeper import DefaultKeeper
    from smtp_desk.ui.general.preferences import PreferencesKeeper
    from smtp_desk.ui.widgets.field import FormField

_EXPLANATION: Final = "Changes on this page act at once."
_THEMES: Final = {"system": "As the system", "light": "Light", "dark": "Dark"}
_TELL: Final = (
    "Gets one email by the default email service when an outage of the custom server begins, "
    "and one when it ends. Empty: nobody."
)


class GeneralPage(Page):
    """Company name, default email service, who is told of outages, and theme.

    Signals:
        relay_wanted: Open the form of the organisation's relay.
    """

    relay_wanted = Signal()

    def __init__(self, keeper: PreferencesKeeper, default: DefaultKeeper) -> None:
        super().__init__("general", "General", _EXPLANATION)
        self._keeper = keeper
        self._company = TextField(
            "company_name",
            "&Company name",
            hint="A new configuration starts with it as From name. Nothing else changes.",
        )
        self._tell = TextField("tell_address", "&Tell this address", hint=_TELL)
        self._tell_complains = False
        self._theme = ChoiceField("theme", "The&me", _THEMES)
        self._line = Line()
        company, outages, look = Card("Company"), Card("Outages"), Card("Appearance")
        service = DefaultCard(default)
        company.body.addWidget(self._company)
        outages.body.addWidget(self._tell)
        look.body.addWidget(self._theme)
        for part in (self._line, company, service, outages, look):
            self.body.addWidget(part)
        self.body.addStretch(1)
        service.relay_wanted.connect(self.relay_wanted)
        service.looked_at.connect(self.bring_into_view)
        self._company.finished.connect(self._company_left)
        self._tell.edited.connect(self._tell_typed)
        self._tell.finished.connect(self._tell_left)
        self._theme.edited.connect(self._theme_chosen)
        keeper.changed.connect(self._show)
        keeper.saved.connect(self._saved)
        keeper.failed.connect(self._failed)
        self._show(keeper.preferences)

    @Slot(Preferences)
    def _show(self, preferences: Preferences) -> None:
        for field, text in (
            (self._company, preferences.company_name),
            (self._tell, preferences.tell_address),
        ):
            if not field.edit.hasFocus():
                field.set_text(text)
        if not self._tell_complains:
            # A file written by hand can hold what nobody could type here.
            wrong = [each for each in _address_notices(preferences.tell_address) if each.error]
            self._tell.show_notices(tuple(wrong))
        self._theme.set_value(preferences.theme)

    @Slot(str)
    def _company_left(self, _key: str) -> None:
        self._change(self._company, self._company.edit.text().strip())

    @Slot(str, str)
    def _tell_typed(self, _key: str, text: str) -> None:
        """Complain once the field was left, then with every keystroke."""
        if self._tell_complains:
            self._tell.show_notices(_address_notices(text))

    @Slot(str)
    def _tell_left(self, _key: str) -> None:
        self._tell_complains = True
        address = self._tell.edit.text().strip()
        notices = _address_notices(address)
        self._tell.show_notices(notices)
        if not any(notice.error for notice in notices):
            self._change(self._tell, address)

    @Slot(str, str)
    def _theme_chosen(self, _key: str, theme: str) -> None:
        self._change(self._theme, theme)

    def _change(self, field: FormField, value: str) -> None:
        """Save a changed preference; what comes of it will stand below its field."""
        if getattr(self._keeper.preferences, field.key) != value:
            self._line.show_line("")
            field.below.addWidget(self._line)
            self._keeper.change(**{field.key: value})

    @Slot()
    def _saved(self) -> None:
        self._line.show_line("Saved.", "success")

    @Slot(str)
    def _failed(self, text: str) -> None:
        self._line.show_line(text)


def _address_notices(text: str) -> tuple[Notice, ...]:
    return address_problems(text) if text.strip() else ()
