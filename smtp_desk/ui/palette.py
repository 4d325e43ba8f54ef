"""The palette: type what you want to do, and do it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QEvent, QObject, QSize, Qt, QTimer, Slot
from PySide6.QtGui import QKeyEvent, QPainter
from PySide6.QtWidgets import (
    QAbstractItemView,
    QDialog,
    QListWidget,
    QListWidgetItem,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QWidget,
)

from smtp_desk.ui.widgets.announce import announce
from smtp_desk.ui.widgets.card import column
from smtp_desk.ui.widgets.colours import Space
from smtp_desk.ui.widgets.field import LineEdit
from smtp_desk.ui.widgets.label import Label
from smtp_desk.ui.widgets.row_words import RowWords, row_height

if TYPE_CHECKING:
    from collections.abc import Sequence

    from PySide6.QtCore import QModelIndex, QPersistentModelIndex

    from smtp_desk.ui.palette_entries import PaletteEntry

    Index = QModelIndex | QPersistentModelIndex

FIND: Final = "Find a command or a page"
_NOTHING: Final = "No command or page matches. Try another word."
_COMMAND: Final = Qt.ItemDataRole.UserRole
_WIDTH: Final = 560
_ROWS: Final = 7
_SHARE: Final = 0.9
_MOVES: Final = (Qt.Key.Key_Up, Qt.Key.Key_Down, Qt.Key.Key_PageUp, Qt.Key.Key_PageDown)


class Palette(QDialog):
    """Lists what can be done in a window, narrows it down as one types, and does the chosen one.

    It goes when it has done so, and when another window is looked at.
    """

    def __init__(self, window: QWidget, commands: Sequence[PaletteEntry]) -> None:
        """Create it in front of `window`."""
        super().__init__(window, Qt.WindowType.Dialog | Qt.WindowType.FramelessWindowHint)
        self.setObjectName("palette")
        self.setWindowTitle(FIND)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._window = window
        self._commands = commands
        self._edit = LineEdit()
        self._edit.setObjectName("palette_text")
        self._edit.setAccessibleName(FIND)
        self._edit.setPlaceholderText(FIND)
        self._edit.installEventFilter(self)
        self._list = _EntryList()
        self._list.setObjectName("palette_list")
        self._list.setAccessibleName("Commands and pages")
        self._nothing = Label(_NOTHING, "muted")
        self._nothing.setObjectName("palette_nothing")
        self._nothing.setAlignment(Qt.AlignmentFlag.AlignTop)
        body = column(self, Space.S)
        body.setContentsMargins(Space.M, Space.M, Space.M, Space.M)
        body.addWidget(self._edit)
        for part in (self._list, self._nothing):
            body.addWidget(part, 1)
        self._edit.textChanged.connect(self._narrow)
        self._edit.returnPressed.connect(self._run)
        self._list.itemClicked.connect(self._run)
        self._list.currentItemChanged.connect(self._tell)
        self._narrow("")

    def show_over(self) -> None:
        """Show it in the upper middle of its window."""
        parent = self._window
        width = min(_WIDTH * self.fontMetrics().height() // 18, int(parent.width() * _SHARE))
        height = min(self.sizeHint().height(), int(parent.height() * _SHARE))
        self.resize(width, height)
        corner = parent.mapToGlobal(parent.rect().topLeft())
        left = corner.x() + (parent.width() - width) // 2
        self.move(left, corner.y() + (parent.height() - height) // 4)
        self.show()
        self.activateWindow()
        self._edit.setFocus()

    def event(self, event: QEvent) -> bool:
        """Go when another window is looked at."""
        if event.type() is QEvent.Type.WindowDeactivate:
            self.close()
        return super().event(event)

    def done(self, result: int) -> None:
        """Give the focus back, unless it went elsewhere."""
        if self.isActiveWindow():
            self._window.activateWindow()
        super().done(result)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Let the arrows choose in the list while one types."""
        if (
            isinstance(event, QKeyEvent)
            and event.type() is QEvent.Type.KeyPress
            and event.key() in _MOVES
            and not event.modifiers()
        ):
            self._list.keyPressEvent(event)
            return True
        return super().eventFilter(watched, event)

    @Slot(str)
    def _narrow(self, text: str) -> None:
        found = matching(self._commands, text)
        self._list.show_commands(found)
        self._list.setVisible(bool(found))
        self._nothing.setVisible(not found)
        if not found:
            announce(self._edit, _NOTHING)

    @Slot()
    def _run(self) -> None:
        command = self._list.chosen
        if command is None:
            return
        if command.reason:
            announce(self._edit, command.reason, urgent=True)
            return
        self.accept()
        # The window below has the focus again by then.
        QTimer.singleShot(0, self._window, command.run)

    @Slot()
    def _tell(self) -> None:
        """Say the choice: the focus stays where one types."""
        command = self._list.chosen
        if command is not None:
            announce(self._edit, spoken(command))


def matching(commands: Sequence[PaletteEntry], text: str) -> list[PaletteEntry]:
    """Return those that have each typed word in title or place; titles that begin so first."""
    words = text.casefold().split()
    typed = " ".join(words)

    def rank(command: PaletteEntry) -> tuple[bool, bool]:
        title = command.title.casefold()
        return not title.startswith(typed), not all(word in title for word in words)

    found = [
        command
        for command in commands
        if all(word in f"{command.title} {command.place}".casefold() for word in words)
    ]
    return sorted(found, key=rank)


def spoken(command: PaletteEntry) -> str:
    """Return a command as screen readers say it."""
    parts = (command.title, command.keys, command.reason or command.place)
    return ", ".join(part for part in parts if part)


class _EntryList(QListWidget):
    def __init__(self) -> None:
        super().__init__()
        self.setItemDelegate(_Row(self))
        self.setUniformItemSizes(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)

    @property
    def chosen(self) -> PaletteEntry | None:
        """The chosen one; None where nothing is listed."""
        found: PaletteEntry | None = self.currentIndex().data(_COMMAND)
        return found

    def show_commands(self, commands: Sequence[PaletteEntry]) -> None:
        """List these; the first is chosen."""
        self.clear()
        for command in commands:
            item = QListWidgetItem(command.title)
            item.setData(_COMMAND, command)
            item.setData(Qt.ItemDataRole.AccessibleTextRole, spoken(command))
            self.addItem(item)
        self.setCurrentRow(0)

    def sizeHint(self) -> QSize:
        """High enough for a few rows."""
        return QSize(_WIDTH, _ROWS * max(self.sizeHintForRow(0), 1) + 2 * Space.S)


class _Row(QStyledItemDelegate):
    """Draws a command in two lines: what it does, and where it stands or why it can't be done."""

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        """Return the height of two lines."""
        del index
        return QSize(0, row_height(option))

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        """Draw the ground as the style sheet says, then the words."""
        command: PaletteEntry = index.data(_COMMAND)
        ground = QStyleOptionViewItem(option)
        self.initStyleOption(ground, index)
        ground.text = ""
        view: QWidget = option.widget
        view.style().drawControl(QStyle.ControlElement.CE_ItemViewItem, ground, painter, view)
        words = RowWords(painter, ground)
        words.draw(0, command.title, command.keys, muted=bool(command.reason))
        words.draw(1, command.reason or command.place, "", muted=True)
