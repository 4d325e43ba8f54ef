"""What a person has to do now to sign in: the page, and its code if it needs one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from PySide6.QtCore import Qt, QUrl, Slot
from PySide6.QtGui import QDesktopServices, QGuiApplication

from smtp_desk.ui.widgets.buttons import button
from smtp_desk.ui.widgets.card import Panel
from smtp_desk.ui.widgets.flow import flow
from smtp_desk.ui.widgets.label import Label

if TYPE_CHECKING:
    from PySide6.QtWidgets import QWidget

    from smtp_desk.oauth.prompt import Prompt

_BROWSER: Final = "The browser has opened the sign-in page of {host}. Sign in there within {time}."
_NO_BROWSER: Final = "No browser opened here. Copy the address and open it within {time}."
_CODE: Final = "Within {time}, open {host} on any device and enter this code there:"


class SignInPrompt(Panel):
    """Guides a person through a sign-in; hidden if nobody has to sign in."""

    def __init__(self) -> None:
        super().__init__("plain")
        self._prompt: Prompt | None = None
        self._text = Label(rank="strong")
        self._text.setObjectName("sign_in_text")
        self._code = Label(rank="heading")
        self._code.setObjectName("user_code")
        self._code.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._open = button("Open the page", "open_sign_in")
        self._open.clicked.connect(self._opened)
        self._copy = button("Copy address", "copy_sign_in", "link")
        self._copy.clicked.connect(self._copied)
        self.body.addWidget(self._text)
        self.body.addWidget(self._code)
        self.body.addWidget(flow(self._open, self._copy))
        self.hide()

    @property
    def text(self) -> str:
        """What it says, for screen readers."""
        return f"{self._text.text()} {self._code.text()}".strip()

    @property
    def stops(self) -> tuple[QWidget, ...]:
        """What Tab visits, in order."""
        return (self._open, self._copy)

    def show_prompt(self, prompt: Prompt | None) -> bool:
        """Show a prompt, and open its page in the browser if needed; return whether it is new."""
        if prompt is self._prompt:
            return False
        self._prompt = prompt
        self.setVisible(prompt is not None)
        if prompt is None:
            return False
        self._code.show_text(prompt.user_code)
        self._code.setAccessibleName(f"Code: {prompt.user_code}")
        self._code.setVisible(bool(prompt.user_code))
        if prompt.user_code:
            self._say(_CODE)
        else:
            self._opened()
        return True

    def _say(self, text: str) -> None:
        if self._prompt is not None:
            minutes = max(round(self._prompt.seconds / 60), 1)
            time = "1 minute" if minutes == 1 else f"{minutes} minutes"
            host = QUrl(self._prompt.url).host(QUrl.ComponentFormattingOption.FullyEncoded)
            self._text.show_text(text.format(host=host, time=time))

    @Slot()
    def _opened(self) -> None:
        if self._prompt is None:
            return
        opens = QDesktopServices.openUrl(QUrl(self._prompt.url))
        if not self._prompt.user_code:
            self._say(_BROWSER if opens else _NO_BROWSER)

    @Slot()
    def _copied(self) -> None:
        if self._prompt is not None:
            QGuiApplication.clipboard().setText(self._prompt.url)
