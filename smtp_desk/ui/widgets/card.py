"""The boxes that pages are made of."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import QEvent, Qt
from PySide6.QtWidgets import QBoxLayout, QFrame, QHBoxLayout, QSizePolicy, QVBoxLayout, QWidget

from smtp_desk.ui.widgets.colours import USUAL_LINE, Space
from smtp_desk.ui.widgets.icons import IconLabel, set_look
from smtp_desk.ui.widgets.label import Label

_LEAST: Final = 240
"""What the others need beside widgets that take what they need."""
_ICONS: Final = {"success": "success", "warning": "warning", "danger": "error", "plain": "info"}


def column(parent: QWidget | None = None, space: int = Space.S) -> QVBoxLayout:
    """Return a vertical layout without margins."""
    layout = QVBoxLayout() if parent is None else QVBoxLayout(parent)
    layout.setContentsMargins(0, 0, 0, 0)
    layout.setSpacing(space)
    return layout


def row(parent: QWidget | None = None, space: int = Space.S) -> QHBoxLayout:
    """Return a horizontal layout without margins."""
    layout = QHBoxLayout() if parent is None else QHBoxLayout(parent)
    layout.setContentsMargins(0, 0, 0, 0)
    layout.setSpacing(space)
    return layout


class Card(QFrame):
    """A white box, with a heading and a line of explanation if given; a group for readers."""

    def __init__(self, title: str = "", explanation: str = "") -> None:
        super().__init__()
        self.setProperty("card", True)
        self.setAccessibleName(title)
        self.body = QVBoxLayout(self)
        self.body.setContentsMargins(Space.L, Space.L, Space.L, Space.L)
        self.body.setSpacing(Space.L)
        if title:
            head = column(space=Space.XS)
            head.addWidget(Label(title, "heading"))
            if explanation:
                head.addWidget(Label(explanation, "muted"))
            self.body.addLayout(head)


class Panel(QFrame):
    """A tinted box that says something: `tone` is success, warning, danger or plain."""

    def __init__(self, tone: str) -> None:
        super().__init__()
        self.icon = IconLabel()
        outer = QHBoxLayout(self)
        outer.setContentsMargins(Space.M, Space.M, Space.M, Space.M)
        outer.setSpacing(Space.M)
        outer.addWidget(self.icon, alignment=Qt.AlignmentFlag.AlignTop)
        self.body = column()
        outer.addLayout(self.body, 1)
        self.set_tone(tone)

    def set_tone(self, tone: str, icon: str = "") -> None:
        """Change what the colours and the icon say."""
        set_look(self, "panel", tone)
        self.icon.show_icon(icon or _ICONS[tone], "" if tone == "plain" else tone)


class Columns(QWidget):
    """Widgets side by side where there is room, one below the other where there is none."""

    def __init__(
        self,
        narrow: int,
        *widgets: tuple[QWidget, int],
        align: Qt.AlignmentFlag = Qt.AlignmentFlag.AlignTop,
        space: int = Space.L,
    ) -> None:
        """Place `widgets` with their shares of the width; below `narrow` pixels they stack.

        `space` is between them then; side by side it is that of a card.

        So they do where one without a share, which takes what it needs, would leave the others
        too little, and where one with a share needs more than that.
        """
        super().__init__()
        self._narrow = narrow
        self._width = 2**24 - 1
        self._greedy = [widget for widget, share in widgets if not share]
        self._modest = [(widget, share) for widget, share in widgets if share]
        self._shares = [share for _, share in widgets]
        self._stacked = False
        self._reversed = False
        self._layout = QBoxLayout(QBoxLayout.Direction.LeftToRight, self)
        self._layout.setContentsMargins(0, 0, 0, 0)
        self._space = space
        self._layout.setSpacing(Space.L)
        for widget, share in widgets:
            self._layout.addWidget(widget, share, align)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)

    def fit(self, width: int) -> None:
        """Choose the arrangement for `width`, the width of the page's column."""
        self._width = width
        self._arrange()

    def event(self, event: QEvent) -> bool:
        """Arrange anew what has come, gone or grown."""
        if event.type() is QEvent.Type.LayoutRequest:
            self._arrange()
        return super().event(event)

    @property
    def side_by_side(self) -> bool:
        """Whether they stand side by side now."""
        ways = QBoxLayout.Direction
        return self._layout.direction() in (ways.LeftToRight, ways.RightToLeft)

    def stack(self, *, stacked: bool) -> None:
        """Stack the widgets although there is room: one of them has much to say."""
        self._stacked = stacked
        self._arrange()

    def reverse(self, *, reverse: bool) -> None:
        """Begin with the last widget."""
        self._reversed = reverse
        self._arrange()

    def _arrange(self) -> None:
        ways = QBoxLayout.Direction
        across = ways.RightToLeft if self._reversed else ways.LeftToRight
        down = ways.BottomToTop if self._reversed else ways.TopToBottom
        side_by_side = self._fits() and not self._stacked
        self._layout.setDirection(across if side_by_side else down)
        self._layout.setSpacing(Space.L if side_by_side else self._space)
        # Below each other, height to spare goes to the last one: no gap opens between them.
        last = 0 if self._reversed else len(self._shares) - 1
        for index, share in enumerate(self._shares):
            self._layout.setStretch(index, share if side_by_side else int(index == last))

    def _fits(self) -> bool:
        em = self.fontMetrics().height()
        taken = sum(each.sizeHint().width() for each in self._greedy)
        needed = max(self._narrow * em // USUAL_LINE, taken and taken + _LEAST * em // USUAL_LINE)
        if self._width < needed:
            return False
        whole = sum(self._shares)
        inside = self._width - taken - 2 * Space.L - Space.L * (len(self._shares) - 1)
        return all(
            each.minimumSizeHint().width() * whole <= inside * share for each, share in self._modest
        )
