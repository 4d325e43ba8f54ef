"""The question whether to trust a company CA, answered by digits that somebody else provides."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QSize, Qt, Signal, Slot
from PySide6.QtWidgets import QDialog, QFrame, QLayout, QPushButton, QScrollArea, QWidget

from smtp_desk.app.integrations.ca_offer import Typed
from smtp_desk.ui.integrations.words import TYPED
from smtp_desk.ui.widgets.card import Panel, column
from smtp_desk.ui.widgets.colours import Space
from smtp_desk.ui.widgets.field import TextField
from smtp_desk.ui.widgets.flow import flow
from smtp_desk.ui.widgets.icons import set_look
from smtp_desk.ui.widgets.label import Label, enable
from smtp_desk.ui.widgets.line import Line

if TYPE_CHECKING:
    from PySide6.QtGui import QShowEvent

    from smtp_desk.app.integrations.ca_offer import CaOffer

_TITLE: Final = "Trust this company CA"
_WIDTH: Final = 560
_SHARE_OF_SCREEN: Final = 0.85
_VERDICT_LINES: Final = 4
_HIDDEN: Final = "•• •• •• ••"
_DANGER: Final = (
    "Anyone who controls this CA can impersonate the server and read your password and "
    "emails. If someone is intercepting your connection, the CA shown here is theirs."
)
_ASK: Final = (
    "Ask the mail administrator for the SHA-256 fingerprint of the company CA in person or "
    "by phone. Don’t use email, or a phone number from an email. Compare it with the one "
    "above, and type its last 8 digits, which are deliberately not shown here."
)
_TONES: Final = {
    Typed.UNFINISHED: "muted",
    Typed.NOT_HEX: "danger",
    Typed.WRONG: "danger",
    Typed.RIGHT: "success",
}


class TrustDialog(QDialog):
    """Shows a CA, and lets only those trust it who know the end of its fingerprint.

    Attributes:
        offer: The CA.

    Signals:
        confirmed: Trust it; the digits as typed.
    """

    confirmed = Signal(str)

    def __init__(self, offer: CaOffer, parent: QWidget) -> None:
        super().__init__(parent)
        self.offer: Final = offer
        self.setObjectName("trust_ca_dialog")
        self.setWindowTitle(_TITLE)
        self.setAccessibleDescription(_DANGER)
        self._digits = TextField("ca_digits", "&Last 8 digits of the fingerprint")
        self._verdict = Line()
        self._verdict.label.setObjectName("ca_verdict")
        self._digits.below.addWidget(self._verdict)
        self._confirm = QPushButton(f"&Trust for {offer.host}")
        self._confirm.setObjectName("trust_ca")
        self._confirm.setProperty("kind", "primary")
        self._confirm.setDefault(True)
        self._cancel = QPushButton("&Don’t trust")
        self._cancel.setObjectName("dismiss_ca")
        self._cancel.setAutoDefault(False)
        self._lay_out()
        self._digits.edited.connect(self._typed)
        self._confirm.clicked.connect(self._confirmed)
        self._cancel.clicked.connect(self.reject)
        self.finished.connect(self.deleteLater)
        self._typed("", "")
        self._digits.take_focus()

    def showEvent(self, event: QShowEvent) -> None:
        """Use the whole height: Qt itself would use two thirds of the screen at most."""
        self.ensurePolished()
        self.resize(self.sizeHint())
        super().showEvent(event)

    def sizeHint(self) -> QSize:
        """As high as the whole text with the longest verdict, within the screen."""
        available = self.screen().availableSize() * _SHARE_OF_SCREEN
        width = min(_WIDTH * self.fontMetrics().height() // 18, available.width())
        inside = self._content.layout()
        high = inside.heightForWidth(width) if inside is not None else 0
        buttons = self._confirm.sizeHint().height() + 2 * Space.M
        verdict = _VERDICT_LINES * self.fontMetrics().lineSpacing()
        return QSize(width, min(high + buttons + verdict, available.height()))

    def _lay_out(self) -> None:
        self._content = QWidget()
        self._content.setObjectName("column")
        # Else the height in the narrowest width counts, and it scrolls into the void.
        self._content.setMinimumHeight(1)
        body = column(self._content, Space.L)
        body.setContentsMargins(Space.L, Space.L, Space.L, Space.L)
        head = column(space=Space.XS)
        head.addWidget(Label("Is this your company’s CA?", "heading"))
        head.addWidget(
            Label(
                f"The certificate of {self.offer.host} was issued by an authority (CA) that "
                "this computer doesn’t know. It would be trusted only for this host."
            )
        )
        body.addLayout(head)
        body.addLayout(_facts(self.offer))
        danger = Panel("danger")
        danger.body.addWidget(Label(_DANGER))
        body.addWidget(danger)
        body.addWidget(Label(_ASK))
        body.addWidget(self._digits)
        body.addStretch(1)
        area = self._area = QScrollArea()
        area.setWidgetResizable(True)
        area.setFrameShape(QFrame.Shape.NoFrame)
        area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        area.setWidget(self._content)
        area.verticalScrollBar().rangeChanged.connect(self._follow)
        buttons = QWidget()
        buttons.setObjectName("action_bar")
        buttons.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        row = column(buttons)
        row.setContentsMargins(Space.L, Space.M, Space.L, Space.M)
        row.addWidget(flow(self._cancel, self._confirm, at_end=True))
        outer = column(self, 0)
        outer.addWidget(area, 1)
        outer.addWidget(buttons)
        QWidget.setTabOrder(self._digits.edit, self._confirm)
        QWidget.setTabOrder(self._confirm, self._cancel)

    @Slot(str, str)
    def _typed(self, _key: str, text: str) -> None:
        verdict = self.offer.compare(text)
        self._verdict.show_line(TYPED[verdict], _TONES[verdict])
        self._digits.edit.setAccessibleDescription(TYPED[verdict])
        trouble = "danger" if _TONES[verdict] == "danger" else ""
        set_look(self._digits.edit, "trouble", trouble)
        enable(self._confirm, "" if verdict is Typed.RIGHT else TYPED[verdict])

    @Slot()
    def _follow(self) -> None:
        """Keep what is typed, and what it comes to, in view."""
        if self._digits.edit.text():
            self._area.ensureWidgetVisible(self._digits)

    @Slot()
    def _confirmed(self) -> None:
        self.accept()
        self.confirmed.emit(self._digits.edit.text())


def _facts(offer: CaOffer) -> QLayout:
    layout = column(space=Space.M)
    for name, text in (
        ("CA", offer.subject),
        ("Issued by", "itself" if offer.issuer == offer.subject else offer.issuer),
        ("Valid", f"{offer.not_before} to {offer.not_after}"),
    ):
        layout.addLayout(_fact(name, Label(text)))
    fingerprint = Label(f"{offer.fingerprint_start} {_HIDDEN}")
    fingerprint.setObjectName("ca_fingerprint")
    fingerprint.setProperty("face", "fixed")
    layout.addLayout(_fact("SHA-256 fingerprint", fingerprint))
    return layout


def _fact(name: str, value: Label) -> QLayout:
    layout = column(space=0)
    layout.addWidget(Label(name, "small"))
    layout.addWidget(value)
    return layout
