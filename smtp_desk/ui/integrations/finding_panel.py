"""A finding: the true cause, who can fix it and what to do."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtGui import QTextOption
from PySide6.QtWidgets import QLayout, QPlainTextEdit, QPushButton, QSizePolicy, QWidget

from smtp_desk.app.diagnostics.report_text import WHO
from smtp_desk.core.findings.finding import SIGN_IN_AGAIN, TRUST_CA, Finding, Remedy
from smtp_desk.ui.integrations import words
from smtp_desk.ui.widgets.card import Panel, column, row
from smtp_desk.ui.widgets.colours import Space
from smtp_desk.ui.widgets.fold import RowButton
from smtp_desk.ui.widgets.icons import IconLabel
from smtp_desk.ui.widgets.label import Label
from smtp_desk.ui.widgets.step import step

if TYPE_CHECKING:
    from PySide6.QtGui import QResizeEvent, QShowEvent

_MOST_LINES: Final = 8
_PERSON: Final = 18
_DETAILS: Final = {
    TRUST_CA: "Asks for the fingerprint first.",
    SIGN_IN_AGAIN: "Opens the sign-in.",
}
_CHANGES: Final = "Changes the form. Then send another test email."


class ServerWords(QPlainTextEdit):
    """What the server said: plain text in a fixed-width font, as high as its lines.

    Signals:
        folds: Whether some of the lines are folded away.
    """

    folds = Signal(bool)

    def __init__(self, text: str, folded: int = 0) -> None:
        """Show `text`; only so many lines as `folded` at first, if it is given."""
        super().__init__(text)
        self._folded = folded
        self.setObjectName("words")
        self.setAccessibleName("Server’s reply")
        self.setReadOnly(True)
        self.setProperty("face", "fixed")
        self.setWordWrapMode(QTextOption.WrapMode.WrapAtWordBoundaryOrAnywhere)
        self.setTextInteractionFlags(
            Qt.TextInteractionFlag.TextSelectableByMouse
            | Qt.TextInteractionFlag.TextSelectableByKeyboard
        )
        self.setTabChangesFocus(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Be as high as the wrapped lines, up to a limit; scroll beyond it."""
        super().resizeEvent(event)
        self._fit()

    def showEvent(self, event: QShowEvent) -> None:
        """Fit again: only now the style has given the frame its width."""
        super().showEvent(event)
        self.ensurePolished()
        self._fit()

    @Slot()
    def unfold(self) -> None:
        """Show all lines, and take the focus: the button for that is gone then."""
        self._folded = 0
        self.setFocus(Qt.FocusReason.OtherFocusReason)
        self._fit()

    def _fit(self) -> None:
        wrapped = max(int(self.document().size().height()), 1)
        lines = min(wrapped, self._folded or _MOST_LINES)
        folded = bool(self._folded) and wrapped > lines
        self.folds.emit(folded)
        # A scroll bar that comes and goes would change how the lines wrap.
        policies = Qt.ScrollBarPolicy
        scrolls = wrapped > lines and not folded
        self.setVerticalScrollBarPolicy(
            policies.ScrollBarAsNeeded if scrolls else policies.ScrollBarAlwaysOff
        )
        # Not of the viewport: handed a widget that Qt made, its binding makes the types of all
        # widgets there are, to find which one it is.
        edges = self.height() - self.maximumViewportSize().height()
        # Where lines are folded away the next one begins right below the last.
        margins = (1 if folded else 2) * math.ceil(self.document().documentMargin())
        self.setFixedHeight(lines * math.ceil(self._line_height()) + margins + edges)

    def _line_height(self) -> float:
        return self.blockBoundingRect(self.firstVisibleBlock()).height() / max(
            self.firstVisibleBlock().layout().lineCount(), 1
        )


class RemedyButton(RowButton):
    """A remedy that the program can carry out in the form."""

    chosen = Signal(Remedy)

    def __init__(self, remedy: Remedy, changes: str = _CHANGES) -> None:
        """Offer `remedy`; `changes` says what pressing does."""
        super().__init__(words.cut(remedy.text), "row", "apply")
        self._remedy = remedy
        self.setObjectName(f"remedy_{remedy.id}")
        self.show_detail(_DETAILS.get(remedy.id, changes))
        self.clicked.connect(self._clicked)

    @Slot()
    def _clicked(self) -> None:
        self.chosen.emit(self._remedy)


class FindingPanel(QWidget):
    """One finding in full.

    Signals:
        remedy_chosen: Make the changes of this remedy in the form.
        details_wanted: Open Diagnostics.
    """

    remedy_chosen = Signal(Remedy)
    details_wanted = Signal()

    def __init__(self, *, offer_details: bool) -> None:
        """Create it empty; `offer_details` where there is a page to open."""
        super().__init__()
        self.setObjectName("finding")
        self._offer_details = offer_details
        self._finding: Finding | None = None
        self._shown: QWidget | None = None
        self._layout = column(self)
        self._origin = Label(rank="chip")
        self._origin.setObjectName("last_test")
        self._origin.setToolTip(words.LAST_TEST_DETAIL)
        self._origin.hide()
        self._layout.addWidget(self._origin, alignment=Qt.AlignmentFlag.AlignLeading)
        self.hide()

    @property
    def stops(self) -> tuple[QPushButton, ...]:
        """What Tab visits, in order."""
        return tuple(self.findChildren(QPushButton)) if not self.isHidden() else ()

    def show_finding(self, finding: Finding | None, origin: str = "") -> None:
        """Show `finding`, or nothing; `origin` says which test it is from, if not this form's."""
        self._origin.show_text(origin)
        self._origin.setVisible(bool(origin))
        if finding == self._finding:
            return
        self._finding = finding
        if self._shown is not None:
            self._layout.removeWidget(self._shown)
            self._shown.deleteLater()
            self._shown = None
        if finding is not None:
            self._shown = self._built(finding)
            self._layout.addWidget(self._shown)
            self.setAccessibleName(finding.summary)
            self.setAccessibleDescription(finding.explanation)
        self.setVisible(finding is not None)

    def _built(self, finding: Finding) -> QWidget:
        built = QWidget()
        layout = column(built, Space.M)
        head = column(space=Space.XS)
        head.addWidget(Label(finding.summary, "heading"))
        head.addWidget(Label(finding.explanation))
        layout.addLayout(head)
        layout.addLayout(who_can_fix(WHO[finding.who]))
        if finding.remedies:
            layout.addLayout(self._remedies(finding))
        if said := words.server_words(finding):
            reply = column(space=Space.XS)
            reply.addWidget(Label("Server’s reply", "small"))
            reply.addWidget(ServerWords(said))
            layout.addLayout(reply)
        if self._offer_details:
            details = QPushButton("&Details")
            details.setObjectName("details")
            details.setAccessibleDescription("Opens Diagnostics, which shows the whole session")
            details.clicked.connect(self.details_wanted)
            layout.addWidget(details, alignment=Qt.AlignmentFlag.AlignLeading)
        return built

    def _remedies(self, finding: Finding) -> QLayout:
        layout = column(space=Space.S)
        layout.addWidget(Label("What to do", "small"))
        for remedy in finding.remedies:
            if remedy.doable:
                button = RemedyButton(remedy)
                button.chosen.connect(self.remedy_chosen)
                layout.addWidget(button)
            else:
                layout.addLayout(step(remedy.text, links=True, link=remedy.link))
        return layout


class WarningPanel(Panel):
    """What a successful test noticed: worth knowing, but no obstacle to sending."""

    def __init__(self, finding: Finding, *, links: bool = True) -> None:
        """Show `finding`; see `step` for `links`."""
        super().__init__("warning")
        self.body.setSpacing(Space.XS)
        self.body.addWidget(Label(finding.summary, "strong"))
        self.body.addWidget(Label(finding.explanation))
        for remedy in finding.remedies:
            self.body.addLayout(step(remedy.text, links=links, link=remedy.link))


def who_can_fix(person: str) -> QLayout:
    """Return a line that tells it: `person` in words."""
    layout = row()
    icon = IconLabel(size=_PERSON)
    icon.show_icon("person", "muted")
    layout.addWidget(icon, alignment=Qt.AlignmentFlag.AlignTop)
    layout.addWidget(Label(f"Who can fix this: {person}", "strong"), 1)
    return layout
