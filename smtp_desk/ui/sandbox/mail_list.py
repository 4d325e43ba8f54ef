"""The list of received mails: sender and time, below them the subject."""

from __future__ import annotations

from email.utils import parseaddr
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import (
    QDateTime,
    QLocale,
    QModelIndex,
    QPersistentModelIndex,
    QSize,
    Qt,
    Signal,
    Slot,
)
from PySide6.QtWidgets import (
    QListWidget,
    QListWidgetItem,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
)

from smtp_desk.sandbox.inbox import MAX_MAILS, ReceivedMail
from smtp_desk.ui.widgets.row_words import RowWords, row_height

if TYPE_CHECKING:
    from PySide6.QtGui import QPainter
    from PySide6.QtWidgets import QWidget

    Index = QModelIndex | QPersistentModelIndex

_MAIL: Final = Qt.ItemDataRole.UserRole
_NARROWEST: Final = 180
_LINES: Final = 2


class MailList(QListWidget):
    """The mails, newest first.

    Signals:
        chosen: Show this mail.
    """

    chosen = Signal(ReceivedMail)

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("mails")
        self.setAccessibleName("Received emails")
        self.setItemDelegate(_MailRow(self))
        self.setUniformItemSizes(True)
        self.setMinimumWidth(_NARROWEST)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollMode(QListWidget.ScrollMode.ScrollPerPixel)
        self.currentItemChanged.connect(self._choose)

    def add(self, mail: ReceivedMail) -> None:
        """Put `mail` on top; it is chosen, unless the person reads an older one."""
        reads_older = self.currentRow() > 0
        item = QListWidgetItem(_name_of(mail))
        item.setData(_MAIL, mail)
        words = f"{author_of(mail)}, {subject_of(mail)}, {time_of(mail)}"
        item.setData(Qt.ItemDataRole.AccessibleTextRole, words)
        self.insertItem(0, item)
        while self.count() > MAX_MAILS:
            self.takeItem(self.count() - 1)
        if not reads_older:
            self.setCurrentItem(item)

    @Slot()
    def _choose(self) -> None:
        mail = self.currentItem().data(_MAIL)
        if isinstance(mail, ReceivedMail):
            self.chosen.emit(mail)


class _MailRow(QStyledItemDelegate):
    """Draws one mail in two lines; what does not fit ends in an ellipsis."""

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        """Return the height of two lines."""
        del index
        return QSize(_NARROWEST, row_height(option))

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        """Draw the ground as the style sheet says, then the words."""
        mail = index.data(_MAIL)
        ground = QStyleOptionViewItem(option)
        self.initStyleOption(ground, index)
        ground.text = ""
        view: QWidget = option.widget
        view.style().drawControl(QStyle.ControlElement.CE_ItemViewItem, ground, painter, view)
        words = RowWords(painter, ground)
        words.draw(0, _name_of(mail), time_of(mail))
        words.draw(1, subject_of(mail), "")


def author_of(mail: ReceivedMail) -> str:
    """Return who wrote: the From header, else the envelope sender."""
    return mail.sender or mail.envelope_from or "(no sender)"


def _name_of(mail: ReceivedMail) -> str:
    name, _address = parseaddr(mail.sender)
    return name or author_of(mail)


def subject_of(mail: ReceivedMail) -> str:
    """Return the subject, or words that say that there is none."""
    return mail.subject or "(no subject)"


def time_of(mail: ReceivedMail) -> str:
    """Return when it came, in the person's time zone and manner."""
    moment = QDateTime.fromSecsSinceEpoch(int(mail.received_at.timestamp()))
    return QLocale().toString(moment.time(), QLocale.FormatType.ShortFormat)
