"""The list of received mails: sender and time, below them the subject."""

from __future__ import annotations

from email.utils import parseaddr
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import (
    QDateTime,
    QLocale,
    QModelIndex,
    QPersistentModelIndex,
    QRect,
    QSize,
    Qt,
    Signal,
    Slot,
)
from PySide6.QtGui import QFont, QFontMetrics, QPainter, QPalette
from PySide6.QtWidgets import (
    QListWidget,
    QListWidgetItem,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
)

from smtp_desk.sandbox.inbox import MAX_MAILS, ReceivedMail
from smtp_desk.ui.widgets.colours import Space

if TYPE_CHECKING:
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
        self.setAccessibleName("Received mails")
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
        height = _LINES * option.fontMetrics.height() + Space.XS + 2 * Space.M
        return QSize(_NARROWEST, height)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        """Draw the ground as the style sheet says, then the words."""
        mail = index.data(_MAIL)
        ground = QStyleOptionViewItem(option)
        self.initStyleOption(ground, index)
        ground.text = ""
        view: QWidget = option.widget
        view.style().drawControl(QStyle.ControlElement.CE_ItemViewItem, ground, painter, view)
        words = _RowWords(painter, ground)
        words.draw(0, _name_of(mail), time_of(mail))
        words.draw(1, subject_of(mail), "")


class _RowWords:
    """Draws lines of text into a row, from the side where reading begins."""

    def __init__(self, painter: QPainter, option: QStyleOptionViewItem) -> None:
        self._painter = painter
        self._inside = option.rect.adjusted(Space.M, Space.M, -Space.M, -Space.M)
        self._direction = option.direction
        self._font = option.font
        self._palette = option.palette

    def draw(self, line: int, text: str, aside: str) -> None:
        """Draw `text`, the first line strong, and `aside` at the far end of the line."""
        strong, plain = QFont(self._font), QFont(self._font)
        strong.setWeight(QFont.Weight.DemiBold)
        height = QFontMetrics(plain).height()
        taken = QFontMetrics(plain).horizontalAdvance(aside) + (Space.S if aside else 0)
        row = QRect(self._inside)
        row.setTop(row.top() + line * (height + Space.XS))
        row.setHeight(height)
        start, end = QRect(row), QRect(row)
        start.setRight(row.right() - taken)
        end.setLeft(row.right() - taken)
        leading, trailing = Qt.AlignmentFlag.AlignLeading, Qt.AlignmentFlag.AlignTrailing
        self._painter.setPen(self._palette.color(QPalette.ColorRole.Text))
        self._put(self._mirrored(row, start), strong if line == 0 else plain, text, leading)
        self._painter.setPen(self._palette.color(QPalette.ColorRole.PlaceholderText))
        self._put(self._mirrored(row, end), plain, aside, trailing)

    def _mirrored(self, row: QRect, part: QRect) -> QRect:
        return QStyle.visualRect(self._direction, row, part)

    def _put(self, place: QRect, font: QFont, text: str, side: Qt.AlignmentFlag) -> None:
        shown = QFontMetrics(font).elidedText(text, Qt.TextElideMode.ElideRight, place.width())
        align = QStyle.visualAlignment(self._direction, side | Qt.AlignmentFlag.AlignVCenter)
        self._painter.setFont(font)
        self._painter.drawText(place, align | Qt.TextFlag.TextSingleLine, shown)


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
