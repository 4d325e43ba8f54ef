"""Buttons of every page, and the question before something can't be undone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from PySide6.QtWidgets import (
    QMessageBox,
    QPushButton,
    QStyle,
    QStyleOptionButton,
    QStylePainter,
    QWidget,
)

from smtp_desk.ui.widgets.icons import draw_chevron, set_look

if TYPE_CHECKING:
    from PySide6.QtGui import QPaintEvent

_MARK: Final = 16
"""What the mark of a menu takes beside the text."""


def button(text: str, name: str, kind: str = "", tip: str = "") -> QPushButton:
    """Return a button; `kind` is its look: primary, destructive, link, or "" for a plain one."""
    made = QPushButton(text)
    made.setObjectName(name)
    made.setProperty("kind", kind)
    made.setToolTip(tip)
    return made


class MenuButton(QPushButton):
    """A button that opens a menu; the mark for it stands where its text ends."""

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the mark: the style's own is a few pixels, and none from right to left."""
        del event
        option = QStyleOptionButton()
        self.initStyleOption(option)
        option.features &= ~QStyleOptionButton.ButtonFeature.HasMenu
        painter = QStylePainter(self)
        painter.drawControl(QStyle.ControlElement.CE_PushButtonBevel, option)
        words = self.rect().adjusted(0, 0, -_MARK, 0)
        option.rect = QStyle.visualRect(option.direction, self.rect(), words)
        painter.drawControl(QStyle.ControlElement.CE_PushButtonLabel, option)
        painter.end()
        draw_chevron(self)


class Question(QMessageBox):
    """Asks before something is done; Escape and Enter leave all as it is."""

    def __init__(self, parent: QWidget, name: str, title: str, text: str, meaning: str) -> None:
        """Create it.

        Args:
            parent: In front of which window.
            name: The `objectName`.
            title: What it is about.
            text: The question.
            meaning: What would happen.
        """
        super().__init__(parent)
        self.setObjectName(name)
        self.setIcon(QMessageBox.Icon.Warning)
        self.setWindowTitle(title)
        self.setText(text)
        self.setInformativeText(meaning)
        self.finished.connect(self.deleteLater)

    def offer(self, text: str, name: str, kind: str = "") -> QPushButton:
        """Add a button that does something."""
        roles = QMessageBox.ButtonRole
        destroys = kind == "destructive"
        made = self.addButton(text, roles.DestructiveRole if destroys else roles.NoRole)
        made.setObjectName(name)
        set_look(made, "kind", kind)
        return made

    def keep(self, text: str = "&Keep", name: str = "keep") -> QPushButton:
        """Add the button that leaves all as it is, and let Escape and Enter press it."""
        made = self.addButton(text, QMessageBox.ButtonRole.RejectRole)
        made.setObjectName(name)
        self.setDefaultButton(made)
        self.setEscapeButton(made)
        return made
