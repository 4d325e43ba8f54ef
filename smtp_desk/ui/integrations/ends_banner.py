"""The banner shown while something that the server needs expires soon."""

from __future__ import annotations

from smtp_desk.core.translation import _
from smtp_desk.ui.widgets.card import Panel
from smtp_desk.ui.widgets.label import Label


class EndsBanner(Panel):
    """What expires when, and what to do: a certificate, a client secret, a sign-in."""

    def __init__(self) -> None:
        super().__init__("warning")
        self.setObjectName("ends")
        self.setAccessibleName(_("Something expires soon"))
        self._text = Label()
        self.body.addWidget(self._text)
        self.hide()

    def show_text(self, text: str) -> None:
        """Show these sentences; nothing for none."""
        self._text.show_text(text)
        self.setAccessibleDescription(text)
        self.setVisible(bool(text))
