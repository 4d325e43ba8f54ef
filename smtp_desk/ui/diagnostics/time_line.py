"""The stages of a session on a time line, each with its facts on demand."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QRectF, QSize, Qt, Slot
from PySide6.QtGui import QPainter, QPalette
from PySide6.QtWidgets import QLabel, QSizePolicy, QVBoxLayout, QWidget

from smtp_desk.core.stages import StageStatus
from smtp_desk.ui.diagnostics import words
from smtp_desk.ui.diagnostics.fact_table import FactTable, facts_in_words
from smtp_desk.ui.integrations.words import STAGE_LOOK, STAGES, duration
from smtp_desk.ui.widgets.card import Card, column
from smtp_desk.ui.widgets.colours import Space
from smtp_desk.ui.widgets.fold import RowButton
from smtp_desk.ui.widgets.icons import IconLabel, set_look
from smtp_desk.ui.widgets.label import Label

if TYPE_CHECKING:
    from PySide6.QtGui import QPaintEvent

    from smtp_desk.core.report import CheckReport, StageResult

_MOST_STAGES: Final = 40
_BAR = QSize(120, 8)
_SHORTEST: Final = 4.0
_ICON: Final = 18
_ELSEWHERE: Final = frozenset(
    {"chain", "other_ports", "ca", "enhanced", "banner", "server_name", "stage"}
)
_UNTIMED: Final = frozenset({StageStatus.SKIPPED, StageStatus.STARTED})


class TimeBar(QLabel):
    """When a stage began and how long it took, within the whole session."""

    def __init__(self, begin: int, length: int, whole: int, tone: str) -> None:
        """Create it; `begin`, `length` and `whole` in milliseconds."""
        super().__init__()
        self._begin, self._length, self._whole = begin, length, max(whole, 1)
        set_look(self, "tone", tone)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setMinimumSize(_BAR)
        self.setMaximumHeight(_BAR.height())

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the track and, on it, the stage."""
        del event
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        radius = self.height() / 2
        painter.setBrush(self.palette().color(QPalette.ColorRole.AlternateBase))
        painter.drawRoundedRect(QRectF(self.rect()), radius, radius)
        wide = max(self.width() * self._length / self._whole, _SHORTEST)
        start = min(self.width() * self._begin / self._whole, self.width() - wide)
        if self.layoutDirection() is Qt.LayoutDirection.RightToLeft:
            start = self.width() - start - wide
        painter.setBrush(self.palette().color(self.foregroundRole()))
        painter.drawRoundedRect(QRectF(start, 0, wide, self.height()), radius, radius)


class _StageButton(RowButton):
    """The line of one stage; opens its facts."""

    def __init__(self, result: StageResult, begin: int, whole: int) -> None:
        super().__init__(STAGES[result.stage], "fold", "chevron-down")
        icon, tone = STAGE_LOOK[result.status]
        status = words.STATUSES[result.status]
        timed = result.status not in _UNTIMED
        time = duration(result.ms) if timed else ""
        self.setObjectName(f"stage_{result.stage}")
        self.setCheckable(True)
        said = ", ".join(part for part in (status, time) if part)
        self.setAccessibleName(f"{STAGES[result.stage]}: {said}")
        if result.status is not StageStatus.PASSED:
            self.show_detail(status)
            if result.status is StageStatus.FAILED:
                set_look(self.detail, "tone", "danger")
        state = IconLabel(size=_ICON)
        state.show_icon(icon, tone)
        took = Label(time, "time")
        took.setWordWrap(False)
        took.setAlignment(Qt.AlignmentFlag.AlignTrailing | Qt.AlignmentFlag.AlignVCenter)
        self._inside.setContentsMargins(Space.S, Space.S, Space.S, Space.S)
        self._inside.insertWidget(0, state)
        shown: list[QWidget] = [state, took]
        if timed:
            bar = TimeBar(begin, result.ms, whole, tone)
            self._inside.insertWidget(2, bar, 1)
            shown.append(bar)
        self._inside.insertWidget(self._inside.count() - 1, took)
        for part in shown:
            part.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)


class StageRow(QWidget):
    """One stage: its line, and below it what it is for and what was learned."""

    def __init__(self, result: StageResult, begin: int, whole: int) -> None:
        super().__init__()
        self._result = result
        self._facts: QWidget | None = None
        self.button: Final = _StageButton(result, begin, whole)
        self.button.toggled.connect(self._toggled)
        self._layout = column(self, 0)
        self._layout.addWidget(self.button)

    @Slot(bool)
    def _toggled(self, opened: bool) -> None:  # noqa: FBT001 - Qt's signature
        if self._facts is None:
            self._facts = self._made()
            self._layout.addWidget(self._facts)
        self._facts.setVisible(opened)
        self.button.mark.show_icon("chevron-up" if opened else "chevron-down")

    def _made(self) -> QWidget:
        made = QWidget()
        layout = QVBoxLayout(made)
        layout.setContentsMargins(Space.S + _ICON + Space.M, 0, Space.S, Space.M)
        layout.setSpacing(Space.S)
        layout.addWidget(Label(words.MEANINGS[self._result.stage], "muted"))
        facts = list(facts_in_words(self._result.facts, without=_ELSEWHERE))
        if facts:
            layout.addWidget(FactTable(facts))
        return made


class TimeLine(Card):
    """All stages of a report, those that failed opened."""

    def __init__(self, report: CheckReport) -> None:
        super().__init__(
            "Step by step",
            "A longer bar means that the step took longer. Select a step to see its details.",
        )
        self.setObjectName("time_line")
        self.body.setSpacing(Space.XS)
        stages = report.stages[:_MOST_STAGES]
        whole = sum(result.ms for result in stages)
        begin = 0
        for result in stages:
            row = StageRow(result, begin, whole)
            begin += result.ms
            self.body.addWidget(row)
            if result.status is StageStatus.FAILED:
                row.button.setChecked(True)
        if left_out := len(report.stages) - len(stages):
            self.body.addWidget(
                Label(f"Steps not shown: {left_out}. They are in the report file.", "muted")
            )
