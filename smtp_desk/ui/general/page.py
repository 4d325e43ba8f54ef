"""The General page: preferences that act at once, without a Save button."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from PySide6.QtCore import Slot

from smtp_desk.store.stored import Preferences
from smtp_desk.ui.card import Card
from smtp_desk.ui.field import ChoiceField, TextField
from smtp_desk.ui.message import Line
from smtp_desk.ui.page import Page

if TYPE_CHECKING:
    from smtp_desk.ui.general.preferences import PreferencesKeeper

_EXPLANATION: Final = "Changes on this page act at once."
_THEMES: Final = {"system": "As the system", "light": "Light", "dark": "Dark"}


class GeneralPage(Page):
    """Company name and theme."""

    def __init__(self, keeper: PreferencesKeeper) -> None:
        super().__init__("general", "General", _EXPLANATION)
        self._keeper = keeper
        self._company = TextField(
            "company_name",
            "&Company name",
            hint="A new configuration starts with it as From name. Nothing else changes.",
        )
        self._theme = ChoiceField("theme", "T&heme", _THEMES)
        self._line = Line()
        company, look = Card("Company"), Card("Appearance")
        company.body.addWidget(self._company)
        look.body.addWidget(self._theme)
        for part in (company, look, self._line):
            self.body.addWidget(part)
        self.body.addStretch(1)
        self._company.finished.connect(self._company_left)
        self._theme.edited.connect(self._theme_chosen)
        keeper.changed.connect(self._show)
        keeper.saved.connect(self._saved)
        keeper.failed.connect(self._failed)
        self._show(keeper.preferences)

    @Slot(Preferences)
    def _show(self, preferences: Preferences) -> None:
        if not self._company.edit.hasFocus():
            self._company.set_text(preferences.company_name)
        self._theme.set_value(preferences.theme)

    @Slot(str)
    def _company_left(self, _key: str) -> None:
        self._keeper.change(company_name=self._company.edit.text().strip())

    @Slot(str, str)
    def _theme_chosen(self, _key: str, theme: str) -> None:
        self._keeper.change(theme=theme)

    @Slot()
    def _saved(self) -> None:
        self._line.show_line("Saved.", "success")

    @Slot(str)
    def _failed(self, text: str) -> None:
        self._line.show_line(text)
