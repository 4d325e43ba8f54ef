"""One thing that a person can do: a sentence, and the websites it names, one press away."""

from __future__ import annotations

import re
from typing import Final

from PySide6.QtCore import Qt, QUrl, Slot
from PySide6.QtGui import QDesktopServices, QGuiApplication
from PySide6.QtWidgets import QLayout, QPushButton

from smtp_desk.ui.widgets.card import column, row
from smtp_desk.ui.widgets.icons import IconLabel
from smtp_desk.ui.widgets.label import Label

_ICON: Final = 18
_WEBSITE: Final = re.compile(r"https://[^\s“”\"<>]+")
# Names of permissions of a token; there is nothing to read at them.
_SCOPES: Final = frozenset({"https://outlook.office.com/SMTP.Send", "https://mail.google.com/"})
_AFTER_IT: Final = ".,;:!?)’"
_COPIED: Final = "No browser opens here; the address was copied"


def step(text: str, *, links: bool) -> QLayout:
    """Return `text` behind a mark.

    Args:
        text: What to do; it can be selected with the mouse.
        links: Offer to open the websites it names: for our own words, never for a stranger's.
    """
    layout = row()
    icon = IconLabel(size=_ICON)
    icon.show_icon("pending", "muted")
    layout.addWidget(icon, alignment=Qt.AlignmentFlag.AlignTop)
    words = column(space=0)
    label = Label(text)
    label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
    words.addWidget(label)
    for address in _websites(text) if links else ():
        words.addWidget(WebsiteButton(address), alignment=Qt.AlignmentFlag.AlignLeading)
    layout.addLayout(words, 1)
    return layout


class WebsiteButton(QPushButton):
    """Opens a website in the browser; says which one before."""

    def __init__(self, address: QUrl) -> None:
        super().__init__(f"Open {address.host(QUrl.ComponentFormattingOption.FullyEncoded)}")
        self._address = address
        self.setObjectName("open_website")
        self.setProperty("kind", "link")
        whole = address.toString(QUrl.ComponentFormattingOption.FullyEncoded)
        self.setToolTip(f"Opens {whole} in the browser")
        self.clicked.connect(self._clicked)

    @Slot()
    def _clicked(self) -> None:
        if not QDesktopServices.openUrl(self._address):
            QGuiApplication.clipboard().setText(self._address.toString())
            self.setText(_COPIED)


def _websites(text: str) -> list[QUrl]:
    found = [each.rstrip(_AFTER_IT) for each in _WEBSITE.findall(text)]
    addresses = (QUrl(each) for each in found if each not in _SCOPES)
    return [address for address in addresses if address.isValid() and address.host()]
