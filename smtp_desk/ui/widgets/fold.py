"""A card that folds: its header is a button, its body hidden until wanted."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import QSize, Qt, Slot
from PySide6.QtWidgets import QFrame, QHBoxLayout, QPushButton, QSizePolicy, QVBoxLayout, QWidget

from smtp_desk.ui.widgets.card import column
from smtp_desk.ui.widgets.colours import Space
from smtp_desk.ui.widgets.icons import IconLabel, set_look
from smtp_desk.ui.widgets.label import Label
from smtp_desk.ui.widgets.page import Page


class RowButton(QPushButton):
    """A button as wide as its row, with text that wraps; `kind` chooses its look."""

    def __init__(self, text: str, kind: str, icon: str = "") -> None:
        super().__init__()
        self.setProperty("kind", kind)
        self.setAccessibleName(text)
        self.head: Final = Label(text, "strong")
        self.detail: Final = Label(rank="small")
        self.detail.hide()
        self.mark: Final = IconLabel(icon)
        self._inside = QHBoxLayout(self)
        side = Space.L if kind == "fold" else Space.M
        self._inside.setContentsMargins(side, Space.M, side, Space.M)
        self._inside.setSpacing(Space.M)
        words = column(space=2)
        words.addWidget(self.head)
        words.addWidget(self.detail)
        self._inside.addLayout(words, 1)
        self._inside.addWidget(self.mark)
        for part in (self.head, self.detail, self.mark):
            part.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        policy = QSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Minimum)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)

    def show_detail(self, text: str) -> None:
        """Show a second, smaller line, or none."""
        self.detail.show_text(text)
        self.detail.setVisible(bool(text))
        self.setAccessibleDescription(text)

    def hasHeightForWidth(self) -> bool:
        """The text wraps."""
        return True

    def heightForWidth(self, width: int) -> int:
        """Height of the wrapped text."""
        return self._inside.totalHeightForWidth(width)

    def sizeHint(self) -> QSize:
        """Size of the parts, where a button would ask for its empty text."""
        return self._inside.totalSizeHint()

    def minimumSizeHint(self) -> QSize:
        """Smallest size of the parts."""
        return self._inside.totalMinimumSize()


class Fold(QFrame):
    """A card whose content is shown on demand."""

    def __init__(self, title: str, detail: str, name: str) -> None:
        super().__init__()
        self.setProperty("card", True)
        self._title = title.replace("&", "")
        self._detail = detail
        self.header: Final = RowButton(self._title, "fold", "chevron-down")
        self.header.setObjectName(name)
        self.header.head.setProperty("rank", "heading")
        self.header.head.setText(title)
        self.header.head.setBuddy(self.header)
        self.header.clicked.connect(self._clicked)
        self._content = QWidget()
        self.body: Final = QVBoxLayout(self._content)
        self.body.setContentsMargins(Space.L, Space.S, Space.L, Space.L)
        self.body.setSpacing(Space.L)
        self._content.hide()
        outer = column(self, 0)
        outer.addWidget(self.header)
        outer.addWidget(self._content)
        self.show_trouble("")

    @property
    def opened(self) -> bool:
        """Whether the content is shown."""
        return not self._content.isHidden()

    def open(self, *, opened: bool = True) -> None:
        """Show the content, or hide it."""
        self._content.setVisible(opened)
        self.header.mark.show_icon("chevron-up" if opened else "chevron-down")
        self._describe()

    def show_trouble(self, text: str) -> None:
        """Say in the header, also while folded, that something inside needs a look."""
        self.header.show_detail(text or self._detail)
        self._describe()
        set_look(self.header.detail, "tone", "danger" if text else "")

    @Slot()
    def _clicked(self) -> None:
        self.open(opened=not self.opened)
        page = self.parentWidget()
        while page is not None and not isinstance(page, Page):
            page = page.parentWidget()
        if page is not None and self.opened:
            page.bring_into_view(self, self.header)

    def _describe(self) -> None:
        """Qt has no role for such a button: its state is in the description."""
        state = "Unfolded" if self.opened else "Folded"
        self.header.setAccessibleDescription(f"{state}. {self.header.detail.text()}")
