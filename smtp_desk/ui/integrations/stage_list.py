"""The live list of the stages of a test."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QTimer, Slot
from PySide6.QtGui import QPainter
from PySide6.QtWidgets import QSizePolicy, QStyle, QWidget

from smtp_desk.core.stages import Stage, StageStatus
from smtp_desk.ui.integrations import words
from smtp_desk.ui.widgets.card import column, row
from smtp_desk.ui.widgets.colours import Space
from smtp_desk.ui.widgets.icons import IconLabel, pixmap, set_look
from smtp_desk.ui.widgets.label import Label
from smtp_desk.ui.widgets.slices import Slices

if TYPE_CHECKING:
    from collections.abc import Iterator

    from PySide6.QtGui import QHideEvent, QPaintEvent, QShowEvent

    from smtp_desk.core.report import StageResult

_USUAL: Final = tuple(stage for stage in Stage if stage is not Stage.TOKEN)
"""The stages of every test."""
_ICON: Final = 18
_STEP_MS: Final = 90
_STEP_DEGREES: Final = 36


class _StateIcon(IconLabel):
    """The state of a stage; turns while the stage runs and is seen."""

    def __init__(self) -> None:
        super().__init__(size=_ICON)
        self._angle = 0
        self._timer = QTimer(self)
        self._timer.setInterval(_STEP_MS)
        self._timer.timeout.connect(self._turn)

    def show_icon(self, name: str, tone: str = "") -> None:
        """Show a state."""
        super().show_icon(name, tone)
        self._angle = 0
        self._run(seen=self.isVisible())

    def showEvent(self, event: QShowEvent) -> None:
        """Turn again."""
        super().showEvent(event)
        self._run(seen=True)

    def hideEvent(self, event: QHideEvent) -> None:
        """Rest while nobody looks."""
        super().hideEvent(event)
        self._run(seen=False)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the icon at its angle."""
        if not self._angle:
            super().paintEvent(event)
            return
        colour = self.palette().color(self.foregroundRole())
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        painter.translate(_ICON / 2, _ICON / 2)
        painter.rotate(self._angle)
        drawn = pixmap(self.name, colour, _ICON, self.devicePixelRatioF())
        painter.drawPixmap(-_ICON // 2, -_ICON // 2, drawn)

    def _run(self, *, seen: bool) -> None:
        moves = self.style().styleHint(QStyle.StyleHint.SH_Widget_Animation_Duration) > 0
        if seen and moves and self.name == "running":
            self._timer.start()
        else:
            self._timer.stop()

    @Slot()
    def _turn(self) -> None:
        self._angle = (self._angle + _STEP_DEGREES) % 360
        self.update()


class _StageRow(QWidget):
    """One stage: its state, what it does, what came of it and how long it took."""

    def __init__(self) -> None:
        super().__init__()
        self._icon = _StateIcon()
        self._name = Label()
        self._said = Label(rank="small")
        self._said.setWordWrap(False)
        self._said.setSizePolicy(QSizePolicy.Policy.Minimum, QSizePolicy.Policy.Preferred)
        layout = row(self)
        layout.addWidget(self._icon)
        layout.addWidget(self._name, 1)
        layout.addWidget(self._said)

    def show_result(self, result: StageResult, *, dimmed: bool) -> None:
        """Show a stage that began."""
        icon, tone = words.STAGE_LOOK[result.status]
        running = result.status is StageStatus.STARTED
        timed = not running and result.status is not StageStatus.SKIPPED
        self._show(
            words.STAGES[result.stage],
            words.STATUSES[result.status],
            words.duration(result.ms) if timed else "",
            # The icon says passed; whatever else happened is said in words too.
            told=result.status is not StageStatus.PASSED,
        )
        self._icon.show_icon(icon, "muted" if dimmed else tone)
        set_look(self._name, "tone", "muted" if dimmed else "")

    def show_waiting(self, stage: Stage) -> None:
        """Show a stage that has not begun."""
        self._show(words.STAGES[stage], words.WAITING, "", told=False)
        self._icon.show_icon("pending", "muted")
        set_look(self._name, "tone", "muted")

    def _show(self, name: str, state: str, time: str, *, told: bool) -> None:
        self._name.show_text(name)
        self._said.show_text(" · ".join(part for part in (state if told else "", time) if part))
        said = ", ".join(part for part in (state, time) if part)
        self.setAccessibleName(f"{name}: {said}")


class StageList(QWidget):
    """All stages of a test, in the order in which they began; the rest wait."""

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("stages")
        self.setAccessibleName("Stages of the test")
        self._layout = column(self, Space.XS)
        self._layout.addWidget(Label("Stages", "label"))
        self._rows: list[_StageRow] = []
        self._count = 0
        self.hide()
        # Before the first test begins, which has more to do.
        self._slices = Slices(self)
        self._slices.run(self._make_rows())

    def show_stages(
        self, stages: tuple[StageResult, ...], *, testing: bool, last_test: bool = False
    ) -> None:
        """Show the stages so far; while the test runs also those that will follow.

        Stages of the `last_test`, with values other than those in the form, are dimmed.
        """
        begun = {result.stage for result in stages}
        waiting = [stage for stage in _USUAL if stage not in begun] if testing else []
        self._keep_rows(len(stages) + len(waiting))
        for line, result in zip(self._rows, stages, strict=False):
            line.show_result(result, dimmed=last_test)
        for line, stage in zip(self._rows[len(stages) :], waiting, strict=False):
            line.show_waiting(stage)
        self.setVisible(bool(self._count))

    def _keep_rows(self, count: int) -> None:
        """Have so many rows, all laid out at once: each that is shown alone costs a layout."""
        if count == self._count:
            return
        self._count = count
        self.hide()
        while len(self._rows) < count:
            self._add_row()
        for index, line in enumerate(self._rows):
            line.setVisible(index < count)

    def _make_rows(self) -> Iterator[None]:
        while len(self._rows) < len(_USUAL):
            self._add_row()
            yield

    def _add_row(self) -> None:
        line = _StageRow()
        line.hide()
        self._rows.append(line)
        self._layout.addWidget(line)
