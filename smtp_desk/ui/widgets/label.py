"""Labels: always plain text, wrapped, never wider than the window allows.

Disabled controls say why.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QLabel, QSizePolicy

from smtp_desk.ui.widgets.bidi import readable
from smtp_desk.ui.widgets.colours import Space

if TYPE_CHECKING:
    from PySide6.QtGui import QFocusEvent
    from PySide6.QtWidgets import QWidget

_LONGEST_WORD: Final = 32
_ENDLESS_WORD: Final = re.compile(rf"\S{{{_LONGEST_WORD + 1},}}")
_PIECE: Final = re.compile(
    rf".{{1,{_LONGEST_WORD}}}$|.{{1,{_LONGEST_WORD - 1}}}[^\w\s]|.{{1,{_LONGEST_WORD}}}"
)
"""As much of a word as may stand in a line, up to a sign between its parts where it has one."""
_BREAK: Final = "\u200b"


class Label(QLabel):
    """Plain, wrapping text; `rank` is its place in the type scale of the style sheet."""

    def __init__(self, text: str = "", rank: str = "", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setWordWrap(True)
        self.setProperty("rank", rank)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Minimum)
        if self.isRightToLeft():
            # Qt moves a wrapped line that ends with left-to-right words by its blank at the end.
            self.setContentsMargins(Space.S, 0, 0, 0)
            # Else a host name, or any text that isn't translated, stands at the other side.
            sides = Qt.AlignmentFlag
            self.setAlignment(sides.AlignRight | sides.AlignAbsolute | sides.AlignVCenter)
        self.show_text(text)

    def show_text(self, text: str) -> None:
        """Show `text`; a word of endless length may break anywhere."""
        broken = breakable(text)
        if self.isRightToLeft():
            broken = readable(broken)
        if broken != self.text():
            self.setText(broken)


class FocusLabel(Label):
    """Text that takes the focus, so that screen readers speak it; the box around it shows that.

    Signals:
        focused: It has the focus, or has lost it.
    """

    focused = Signal(bool)

    def __init__(self, text: str = "", rank: str = "") -> None:
        super().__init__(text, rank)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)

    def focusInEvent(self, event: QFocusEvent) -> None:
        """Let the box show it."""
        super().focusInEvent(event)
        self.focused.emit(True)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """Let the box show it."""
        super().focusOutEvent(event)
        self.focused.emit(False)


def breakable(text: str) -> str:
    """Let words that no window could hold break: a label is as wide as its longest word."""
    return _ENDLESS_WORD.sub(lambda word: _broken(word.group()), text)


def _broken(word: str) -> str:
    return _BREAK.join(_PIECE.findall(word))


_PURPOSE: Final = "purpose"
"""The property that keeps a control's own tooltip while a reason stands in its place."""


def enable(widget: QWidget, reason: str) -> None:
    """Enable `widget`, or disable it and say why.

    Args:
        widget: A control.
        reason: Why it is disabled, as tooltip and accessible description; "" enables it and
            gives it back its own tooltip.
    """
    widget.setEnabled(not reason)
    if widget.accessibleDescription() != reason:
        if widget.property(_PURPOSE) is None:
            # A control that has nothing but a name for screen readers tells that.
            widget.setProperty(_PURPOSE, widget.toolTip() or widget.accessibleName())
        widget.setAccessibleDescription(reason)
        widget.setToolTip(reason or widget.property(_PURPOSE))
