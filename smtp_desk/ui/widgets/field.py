"""One field of a form: label, control, hint and problems, tied together for every reader."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from PySide6.QtCore import (
    QCoreApplication,
    QEvent,
    QObject,
    QSignalBlocker,
    QSize,
    Qt,
    QTimer,
    Signal,
    Slot,
)
from PySide6.QtGui import QDragEnterEvent, QFocusEvent, QGuiApplication, QWheelEvent
from PySide6.QtWidgets import QComboBox, QLineEdit, QSpacerItem, QWidget

from smtp_desk.app.notice import Notice
from smtp_desk.core.problems import Severity
from smtp_desk.core.texts import problem_text
from smtp_desk.ui.widgets.card import Columns, column, row
from smtp_desk.ui.widgets.colours import Space
from smtp_desk.ui.widgets.icons import draw_chevron, set_look
from smtp_desk.ui.widgets.label import Label
from smtp_desk.ui.widgets.line import NoticeList

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from PySide6.QtGui import QPaintEvent

    from smtp_desk.core.problems import Problem

_AWAY: Final = Qt.FocusReason.ActiveWindowFocusReason


class LineEdit(QLineEdit):
    """A line of text as typed; leaving the window does not count as leaving the field.

    Signals:
        left: As `editingFinished`, but not because another window was looked at, and not before
            the mouse button is up that was pressed elsewhere: what is said then may move what
            is being clicked.
    """

    left = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._leaving_window = False
        self._clicking = False
        self._owed = False
        self.editingFinished.connect(self._finished)
        self.setMinimumWidth(0)
        # Addresses and host names are written left to right in every language.
        self.setCursorMoveStyle(Qt.CursorMoveStyle.LogicalMoveStyle)

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        """Leave files to the window, which opens them; take text."""
        if event.mimeData().hasUrls():
            event.ignore()
        else:
            super().dragEnterEvent(event)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """Note whether the person only looks at another window, or is about to click."""
        self._leaving_window = event.reason() is _AWAY
        pressed = QGuiApplication.mouseButtons() != Qt.MouseButton.NoButton
        if pressed and event.reason() is Qt.FocusReason.MouseFocusReason and not self._clicking:
            self._clicking = True
            _application().installEventFilter(self)
        super().focusOutEvent(event)
        if self._owed and not self._leaving_window:
            self._finished()
        self._leaving_window = False

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Count as left once the click was done."""
        if event.type() is QEvent.Type.MouseButtonRelease and self._clicking:
            self._clicking = False
            _application().removeEventFilter(self)
            QTimer.singleShot(0, self, self._clicked)
        return super().eventFilter(watched, event)

    def leave(self) -> None:
        """Count as left: the window closes, and nobody comes back."""
        if self._owed or self.hasFocus():
            self._owed = False
            self.left.emit()

    def minimumSizeHint(self) -> QSize:
        """Give way in a narrow window."""
        return QSize(0, super().minimumSizeHint().height())

    @Slot()
    def _finished(self) -> None:
        # Qt says it once an edit: what was kept back must be made up for later.
        self._owed = self._leaving_window or self._clicking
        if not self._owed:
            self.left.emit()

    @Slot()
    def _clicked(self) -> None:
        if self._owed:
            self._finished()


def _application() -> QCoreApplication:
    application = QCoreApplication.instance()
    if application is None:
        raise RuntimeError("a field without an application")
    return application


class Choice(QComboBox):
    """A few choices; the wheel scrolls the page, never a value that nobody looks at."""

    def __init__(self) -> None:
        super().__init__()
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Leave the wheel to the page."""
        event.ignore()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the arrow, in the colour of the text."""
        super().paintEvent(event)
        draw_chevron(self)


class FormField(QWidget):
    """The frame of every field: label above, control, then hint or problems.

    Signals:
        edited: The person changed the value: key and value; setting it never emits.
        finished: The person left the field or pressed Enter in it: key.
    """

    edited = Signal(str, str)
    finished = Signal(str)

    def __init__(self, key: str, label: str, control: QWidget, hint: str = "") -> None:
        """Build the field.

        Args:
            key: Which one; names the control.
            label: The visible label, with its mnemonic.
            control: What the person works with.
            hint: What helps to fill it; gives way to problems.
        """
        super().__init__()
        self.key: Final = key
        self.control: Final = control
        self.name: Final = label.replace("&", "")
        self.said: Final = NoticeList()
        self._above = QSpacerItem(0, 0)
        self._label = Label(label, "label")
        self._label.setBuddy(control)
        self._usual_hint = hint
        self._managed = ""
        self._hint = Label(hint, "small")
        if not hint:
            self._hint.hide()
        control.setObjectName(key)
        control.setAccessibleName(self.name)
        control.setAccessibleDescription(hint)
        self.controls = row()
        self.controls.addWidget(control, 1)
        self.below = column(space=Space.XS)
        self._layout = column(self, 6)
        self._layout.addSpacerItem(self._above)
        self._layout.addWidget(self._label)
        self._layout.addLayout(self.controls)
        self._layout.addLayout(self.below)
        self.below.addWidget(self._hint)
        self.below.addWidget(self.said)

    @property
    def label_height(self) -> int:
        """What the label needs where it stands."""
        return self._label.heightForWidth(self._label.width())

    def lower_label(self, by: int) -> None:
        """Leave so much room above the label."""
        if by != self._above.sizeHint().height():
            self._above.changeSize(0, by)
            self._layout.invalidate()
            self.updateGeometry()

    @property
    def tab_chain(self) -> tuple[QWidget, ...]:
        """What Tab visits, in order."""
        return (self.control,)

    def set_read_only(self, read_only: bool) -> None:  # noqa: FBT001 - as Qt's setReadOnly
        """Refuse edits."""
        self.control.setEnabled(not read_only)

    def show_managed(self, managed: str) -> None:
        """Say, in place of the hint, that others decide the value; "" where nobody does."""
        self.control.setToolTip(managed)
        set_look(self.control, "kind", "managed" if managed else "")
        if managed:
            self.show_hint(managed)
        elif self._managed:
            self.show_hint("")
        self._managed = managed

    def rename(self, label: str) -> None:
        """Show another label: the field stands for something else now."""
        self._label.setText(label)
        self.control.setAccessibleName(label.replace("&", ""))

    def show_hint(self, hint: str) -> None:
        """Show another hint for now; "" brings the usual one back."""
        self._hint.show_text(hint or self._usual_hint)
        self._describe()

    def show_problems(self, problems: Sequence[Problem]) -> None:
        """Show exactly these problems, and tell them to screen readers."""
        self.show_notices(
            [
                Notice(problem_text(problem), error=problem.severity is Severity.ERROR)
                for problem in problems
            ]
        )

    def show_notices(self, notices: Sequence[Notice]) -> None:
        """Show exactly these sentences, and tell them to screen readers."""
        self.said.show_notices(notices)
        errors = any(notice.error for notice in notices)
        set_look(self.control, "trouble", "danger" if errors else "")
        self._describe()

    def _describe(self) -> None:
        """Let the hint give way to problems, for every reader."""
        hint = self._hint.text()
        self._hint.setVisible(bool(hint) and not self.said.text)
        description = self.said.text or hint
        if self.control.accessibleDescription() != description:
            self.control.setAccessibleDescription(description)

    def take_focus(self) -> None:
        """Put the focus into the control."""
        self.control.setFocus(Qt.FocusReason.OtherFocusReason)


class FieldPair(Columns):
    """Two fields side by side, their controls in one line however their labels wrap."""

    def __init__(self, narrow: int, *fields: tuple[FormField, int]) -> None:
        """Place them; see `Columns`."""
        super().__init__(narrow, *fields)
        self._fields = [field for field, _ in fields]

    def event(self, event: QEvent) -> bool:
        """Level the labels anew when the fields have other widths or texts."""
        done = super().event(event)
        if event.type() in (QEvent.Type.LayoutRequest, QEvent.Type.Resize):
            shown = [each for each in self._fields if not each.isHidden()]
            level = self.side_by_side and len(shown) > 1
            tallest = max(each.label_height for each in shown) if level else 0
            for each in self._fields:
                each.lower_label(tallest - each.label_height if level else 0)
        return done


class TextField(FormField):
    """A line of text."""

    def __init__(
        self,
        key: str,
        label: str,
        *,
        hint: str = "",
        placeholder: str = "",
        edit: LineEdit | None = None,
    ) -> None:
        self.edit: Final = edit or LineEdit()
        super().__init__(key, label, self.edit, hint)
        self.edit.setPlaceholderText(placeholder)
        self.edit.textChanged.connect(self._changed)
        self.edit.left.connect(self._left)

    def set_text(self, text: str) -> None:
        """Show `text`, from its beginning, without telling anybody.

        The cursor stays where nothing changes, and where the person types.
        """
        if self.edit.text() != text:
            blocker = QSignalBlocker(self.edit)
            self.edit.setText(text)
            if not self.edit.hasFocus():
                self.edit.home(False)
            blocker.unblock()

    def take_focus(self) -> None:
        """Put the focus into the field, and the cursor behind what stands there."""
        self.edit.end(False)
        super().take_focus()

    def set_read_only(self, read_only: bool) -> None:  # noqa: FBT001 - as Qt's setReadOnly
        """Refuse typing; what stands there can still be read and copied."""
        self.edit.setReadOnly(read_only)

    @Slot(str)
    def _changed(self, text: str) -> None:
        self.edited.emit(self.key, text)

    @Slot()
    def _left(self) -> None:
        self.finished.emit(self.key)


class ChoiceField(FormField):
    """One of a few values."""

    def __init__(self, key: str, label: str, choices: Mapping[str, str], *, hint: str = "") -> None:
        self._box = Choice()
        for value, text in choices.items():
            self._box.addItem(text, value)
        super().__init__(key, label, self._box, hint)
        self._box.currentIndexChanged.connect(self._chosen)

    def show_choices(self, choices: Mapping[str, str]) -> None:
        """Offer these instead; the value stays if it is one of them, else it is the first."""
        value = self._box.currentData()
        blocker = QSignalBlocker(self._box)
        self._box.clear()
        for each, text in choices.items():
            self._box.addItem(text, each)
        self._box.setCurrentIndex(max(self._box.findData(value), 0))
        blocker.unblock()

    def set_value(self, value: str) -> None:
        """Show `value` without telling anybody; an unknown one is shown as it is."""
        index = self._box.findData(value)
        if index == self._box.currentIndex():
            return
        blocker = QSignalBlocker(self._box)
        if index < 0:
            self._box.addItem(value, value)
            index = self._box.count() - 1
        self._box.setCurrentIndex(index)
        blocker.unblock()

    @Slot(int)
    def _chosen(self, index: int) -> None:
        self.edited.emit(self.key, str(self._box.itemData(index)))
        self.finished.emit(self.key)
