"""What can be done with the selected email; always in view."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from PySide6.QtCore import Signal, Slot
from PySide6.QtWidgets import QFrame, QMessageBox, QPushButton

from smtp_desk.ui.widgets.card import column
from smtp_desk.ui.widgets.colours import Space
from smtp_desk.ui.widgets.flow import flow
from smtp_desk.ui.widgets.icons import set_look
from smtp_desk.ui.widgets.label import enable
from smtp_desk.ui.widgets.line import Line
from smtp_desk.ui.widgets.page import centred

if TYPE_CHECKING:
    from smtp_desk.app.delivery.rows import Details
    from smtp_desk.app.delivery.state import DeliveryState

_TWICE: Final = (
    "Once no answer came after this email was handed over: it may have arrived already. If it is "
    "sent again, the recipient may get it twice."
)
_GONE: Final = "It will not be sent. It stays in the list, and Retry brings it back."


class ActionBar(QFrame):
    """The bar below the page.

    Signals:
        retry_wanted: Make the selected email due now.
        drop_wanted: Give it up; the person has confirmed.
        export_wanted: Ask for a file and write it there.
    """

    retry_wanted = Signal()
    drop_wanted = Signal()
    export_wanted = Signal()

    def __init__(self, width: int) -> None:
        super().__init__()
        self._details: Details | None = None
        self._line = Line()
        self._line.label.setObjectName("delivery_line")
        self._retry = _button("Re&try", "retry", "primary")
        self._drop = _button("&Drop…", "drop", "destructive")
        self._export = _button("&Export as .eml…", "export")
        self._retry.clicked.connect(self._retry_clicked)
        self._drop.clicked.connect(self._confirm_drop)
        self._export.clicked.connect(self.export_wanted)
        content = column(inner := QFrame(), Space.S)
        content.addWidget(self._line)
        content.addWidget(flow(self._retry, self._drop, self._export))
        inner.setMaximumWidth(width)
        outer = column(self)
        outer.setContentsMargins(Space.XL, Space.M, Space.XL, Space.M)
        outer.addWidget(centred(inner))

    def render_state(self, state: DeliveryState) -> None:
        """Show which actions are possible, and why others are not."""
        details = self._details = state.details
        reason = state.choose_reason
        enable(self._retry, reason or (details.retry_reason if details else ""))
        enable(self._drop, reason or (details.drop_reason if details else ""))
        enable(self._export, reason)
        if state.busy:
            self._line.show_busy(str(state.busy))
        elif state.notice is not None:
            self._line.show_notice(state.notice)
        else:
            self._line.show_line(reason or _hint(details), "muted")

    @Slot()
    def _retry_clicked(self) -> None:
        details = self._details
        if details is None or not details.may_arrive_twice:
            self.retry_wanted.emit()
            return
        box, confirmed = self._question("Send this email again?", _TWICE, "Send again")
        box.setObjectName("confirm_retry")
        confirmed.clicked.connect(self.retry_wanted)
        box.open()

    @Slot()
    def _confirm_drop(self) -> None:
        box, confirmed = self._question("Drop this email?", _GONE, "Drop email")
        box.setObjectName("confirm_drop")
        set_look(confirmed, "kind", "destructive")
        confirmed.clicked.connect(self.drop_wanted)
        box.open()

    def _question(self, text: str, meaning: str, action: str) -> tuple[QMessageBox, QPushButton]:
        box = QMessageBox(self)
        box.setIcon(QMessageBox.Icon.Warning)
        box.setWindowTitle(action)
        box.setText(text)
        box.setInformativeText(meaning)
        keep = box.addButton("Leave it as it is", QMessageBox.ButtonRole.RejectRole)
        confirmed = box.addButton(action, QMessageBox.ButtonRole.DestructiveRole)
        confirmed.setObjectName("confirmed")
        box.setDefaultButton(keep)
        box.setEscapeButton(keep)
        box.finished.connect(box.deleteLater)
        return box, confirmed


def _hint(details: Details | None) -> str:
    if details is None or details.retry_reason == details.drop_reason:
        return details.retry_reason if details else ""
    return details.retry_reason or details.drop_reason


def _button(text: str, name: str, kind: str = "") -> QPushButton:
    button = QPushButton(text)
    button.setObjectName(name)
    button.setProperty("kind", kind)
    return button
