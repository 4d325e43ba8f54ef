"""The card where an email is opened, or its header pasted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtWidgets import QPlainTextEdit

from smtp_desk.core.arrived import MAX_BYTES
from smtp_desk.ui.widgets.buttons import button
from smtp_desk.ui.widgets.card import Card, column
from smtp_desk.ui.widgets.colours import Space
from smtp_desk.ui.widgets.flow import flow
from smtp_desk.ui.widgets.icons import set_look
from smtp_desk.ui.widgets.label import Label, enable

if TYPE_CHECKING:
    from PySide6.QtCore import QMimeData
    from PySide6.QtGui import QDragEnterEvent
    from PySide6.QtWidgets import QWidget

_HOW: Final = (
    "Send a test email to your own mailbox. Open it there and save it (.eml), or copy its "
    "internet headers and paste them here. Nothing is sent or looked up."
)
_LINES: Final = 6
_LONGEST_LINE: Final = 10_000
_MOST_LINES: Final = 20_000
_AS_READ_BACK: Final = str.maketrans(
    dict.fromkeys("\r\u2028\u2029\ufdd0\ufdd1", "\n") | {"\xa0": " "}
)
"""What Qt's documents make of these."""
_NOTHING: Final = "Paste the headers first."


class HeaderEdit(QPlainTextEdit):
    """Takes a header as text, limited to the size that a header can have.

    Qt takes the square of its length to break a line without blanks, and long for very many lines:
    what no header has is shown by its beginning, and `header` returns all of it.
    """

    def __init__(self) -> None:
        super().__init__()
        self._whole: dict[str, str] = {}

    @property
    def header(self) -> str:
        """What was pasted and typed."""
        text = self.toPlainText()
        if not self._whole:
            return text
        return "\n".join(self._whole.get(line, line) for line in text.split("\n"))

    def canInsertFromMimeData(self, source: QMimeData) -> bool:
        """Leave files to the window, which opens them."""
        return not source.hasUrls() and super().canInsertFromMimeData(source)

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        """As above."""
        if event.mimeData().hasUrls():
            event.ignore()
        else:
            super().dragEnterEvent(event)

    def insertFromMimeData(self, source: QMimeData) -> None:
        """Insert plain text, whatever else the clipboard contains."""
        if self.document().isEmpty():
            self._whole.clear()
        text = source.text()[:MAX_BYTES].replace("\r\n", "\n").translate(_AS_READ_BACK)
        lines = text.split("\n")
        if len(lines) > _MOST_LINES:
            lines[_MOST_LINES:] = ["\n".join(lines[_MOST_LINES:])]
        self.insertPlainText("\n".join(map(self._shown, lines)))

    def _shown(self, line: str) -> str:
        """Return what is seen of a line, or of the lines that are left."""
        start = line.partition("\n")[0][:_LONGEST_LINE]
        if start == line:
            return line
        shown = f"{start}… (part {len(self._whole) + 1} of what isn’t shown)"
        self._whole[shown] = line
        return shown


class PasteCard(Card):
    """The first card of the page.

    Signals:
        explain_wanted: Explain this header.
        filled: Whether the field contains text, so that explaining it is the next step.
    """

    explain_wanted = Signal(str)
    filled = Signal(bool)

    def __init__(self) -> None:
        super().__init__("Open the email, or paste its headers", _HOW)
        self.setObjectName("header_card")
        self._edit = HeaderEdit()
        self._edit.setObjectName("header")
        self._edit.setTabChangesFocus(True)
        self._edit.setPlaceholderText("Received: from …")
        self._edit.setAccessibleName("Headers")
        # Written left to right in every language.
        self._edit.setLayoutDirection(Qt.LayoutDirection.LeftToRight)
        option = self._edit.document().defaultTextOption()
        option.setTextDirection(Qt.LayoutDirection.LeftToRight)
        self._edit.document().setDefaultTextOption(option)
        lines = self._edit.fontMetrics().lineSpacing()
        self._edit.setFixedHeight(_LINES * lines + 2 * Space.M)
        label = Label("He&aders", "label")
        label.setBuddy(self._edit)
        self._explain = button("E&xplain", "explain_header")
        self._clear = button("&Clear", "clear_header")
        self._explain.clicked.connect(self._explain_clicked)
        self._clear.clicked.connect(self._edit.clear)
        self._edit.textChanged.connect(self._changed)
        pasted = column(space=Space.XS)
        pasted.addWidget(label)
        pasted.addWidget(self._edit)
        self.body.addLayout(pasted)
        self.body.addWidget(flow(self._explain, self._clear))
        self._busy = ""
        self._changed()

    @property
    def stops(self) -> tuple[QWidget, ...]:
        """What Tab visits, in order."""
        return (self._edit, self._explain, self._clear)

    def show_reason(self, busy: str) -> None:
        """Show why nothing can be opened: what is running."""
        self._busy = busy
        self._changed()

    @Slot()
    def _changed(self) -> None:
        empty = "" if self._edit.document().characterCount() > 1 else _NOTHING
        set_look(self._explain, "kind", "" if empty else "primary")
        self.filled.emit(not empty)
        enable(self._explain, self._busy or empty)
        enable(self._clear, self._busy or empty)

    @Slot()
    def _explain_clicked(self) -> None:
        self.explain_wanted.emit(self._edit.header)
