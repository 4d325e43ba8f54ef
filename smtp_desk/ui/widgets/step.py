"""One thing that a person can do: a sentence, and the websites it names, one press away."""

from __future__ import annotations

import re
from typing import Final

from PySide6.QtCore import Qt, QUrl, Slot
from PySide6.QtGui import QDesktopServices, QGuiApplication
from PySide6.QtWidgets import QLayout, QPushButton

from smtp_desk.ui.widgets.buttons import Question
from smtp_desk.ui.widgets.card import column, row
from smtp_desk.ui.widgets.icons import IconLabel
from smtp_desk.ui.widgets.label import Label, breakable

_ICON: Final = 18
_WEBSITE: Final = re.compile(r"https://[^\s“”\"<>]+")
# Names of permissions of a token; there is nothing to read at them.
_SCOPES: Final = frozenset({"https://outlook.office.com/SMTP.Send", "https://mail.google.com/"})
_AFTER_IT: Final = ".,;:!?)’"
_NAMED_BY_SERVER: Final = "The mail server named this address in its reply."
_COPIED: Final = "No browser opens here; the address was copied"


def step(text: str, *, links: bool, link: str = "") -> QLayout:
    """Return `text` behind a mark.

    Args:
        text: What to do; it can be selected with the mouse.
        links: Offer to open the websites it names: for our own words, never for a stranger's.
        link: A page that the server names, offered in place of those: opened after a look at the
            whole address.
    """
    layout = row()
    icon = IconLabel(size=_ICON)
    icon.show_icon("pending", "muted")
    layout.addWidget(icon, alignment=Qt.AlignmentFlag.AlignTop)
    words = column(space=0)
    label = Label(text)
    label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
    words.addWidget(label)
    addresses = [QUrl(link)] if link else _websites(text)
    for address in addresses if links else ():
        website = WebsiteButton(address, asks=bool(link))
        words.addWidget(website, alignment=Qt.AlignmentFlag.AlignLeading)
    layout.addLayout(words, 1)
    return layout


class WebsiteButton(QPushButton):
    """Opens a website in the browser; `asks` before where a stranger named it."""

    def __init__(self, address: QUrl, *, asks: bool = False) -> None:
        host = address.host(QUrl.ComponentFormattingOption.FullyEncoded)
        super().__init__(f"Open {host}…" if asks else f"Open {host}")
        self._address = address
        self._host = host
        self._whole = address.toString(QUrl.ComponentFormattingOption.FullyEncoded)
        self.setObjectName("open_website")
        self.setProperty("kind", "link")
        if asks:
            self.setToolTip("Shows the whole address first")
        else:
            self.setToolTip(f"Opens {self._whole} in the browser")
        self.clicked.connect(self._ask if asks else self._open)

    @Slot()
    def _ask(self) -> None:
        text = f"Open this page of {self._host} in the browser?"
        meaning = f"{breakable(self._whole)}\n\n{_NAMED_BY_SERVER}"
        box = Question(self, "confirm_website", "Open page", text, meaning)
        box.setTextFormat(Qt.TextFormat.PlainText)
        box.keep("&Don’t open", "keep_closed")
        box.offer("&Open in browser", "confirmed_website").clicked.connect(self._open)
        box.open()

    @Slot()
    def _open(self) -> None:
        if not QDesktopServices.openUrl(self._address):
            QGuiApplication.clipboard().setText(self._address.toString())
            self.setText(_COPIED)


def _websites(text: str) -> list[QUrl]:
    found = [each.rstrip(_AFTER_IT) for each in _WEBSITE.findall(text)]
    addresses = (QUrl(each) for each in found if each not in _SCOPES)
    return [address for address in addresses if address.isValid() and address.host()]
