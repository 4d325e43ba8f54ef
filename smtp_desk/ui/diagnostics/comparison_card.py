"""What changed between two reports."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import Qt, Slot
from PySide6.QtWidgets import QGridLayout, QWidget

from smtp_desk.app.diagnostics.comparison import ASPECTS, NOTHING, Aspect, Difference
from smtp_desk.app.diagnostics.report_text import moment, shown
from smtp_desk.core.stages import Stage, StageStatus
from smtp_desk.ui.diagnostics import words
from smtp_desk.ui.integrations.words import STAGES, cut, duration
from smtp_desk.ui.widgets.buttons import button
from smtp_desk.ui.widgets.card import Card, column
from smtp_desk.ui.widgets.colours import Space
from smtp_desk.ui.widgets.icons import set_look
from smtp_desk.ui.widgets.label import FocusLabel, Label

if TYPE_CHECKING:
    from collections.abc import Iterable

    from PySide6.QtWidgets import QPushButton

    from smtp_desk.app.diagnostics.comparison import Comparison
    from smtp_desk.app.diagnostics.presenter import DiagnosisState
    from smtp_desk.core.report import CheckReport

_MOST: Final = 80
_LONGEST: Final = 300
_SAME: Final = "Only the times differ between the two reports."
_NAMES: Final = {
    "code": "Code",
    "summary": "What happened",
    "reply": "Server’s reply",
    "recipient": "Send test email to",
    "subject": "Issued to",
    "issuer": "Issued by",
    "names": "Valid for the hosts",
    "not_before": "Valid from",
    "not_after": "Valid until",
}
_LIFETIME: Final = frozenset({"not_before", "not_after"})
_NOT_REACHED: Final = "not reached"
_OFFERED: Final = {"yes": "offered", "": "not offered"}


class ComparisonCard(Card):
    """The first card while two reports are compared.

    Attributes:
        title: Gets the focus with a new comparison.
        end: Ends the comparison.
    """

    def __init__(self, state: DiagnosisState, comparison: Comparison) -> None:
        super().__init__()
        self.setObjectName("comparison")
        self.setAccessibleName("What changed")
        self.title: Final = FocusLabel("What changed", "heading")
        self.title.focused.connect(self._focused)
        self.end: Final[QPushButton] = button("&End comparison", "end_comparison")
        sources = (state.source, state.other_source)
        before, after = reversed(sources) if comparison.swapped else sources
        head = column(space=Space.XS)
        head.addWidget(self.title)
        told = (("Before", before, comparison.before), ("After", after, comparison.after))
        for label, source, report in told:
            head.addWidget(Label(f"{label}: {_origin(source, report)}", "muted"))
        self.body.addLayout(head)
        if not comparison.differences:
            self.body.addWidget(Label(_SAME, "strong"))
        for aspect, found in groupby(comparison.differences[:_MOST], key=lambda each: each.aspect):
            self.body.addWidget(_group(aspect, found))
        if (left_out := len(comparison.differences) - _MOST) > 0:
            self.body.addWidget(
                Label(f"Changes not shown: {left_out}. They are in the files.", "muted")
            )
        self.body.addWidget(self.end, alignment=Qt.AlignmentFlag.AlignLeading)

    @Slot(bool)
    def _focused(self, focused: bool) -> None:  # noqa: FBT001 - a signal's signature
        set_look(self, "ring", "on" if focused else "off")


def _origin(source: str, report: CheckReport) -> str:
    made = moment(shown(report.environment.get("time", "")))
    return cut(", ".join(filter(None, (source, made))), _LONGEST)


def _group(aspect: Aspect, differences: Iterable[Difference]) -> QWidget:
    group = QWidget()
    layout = QGridLayout(group)
    layout.setContentsMargins(0, 0, 0, 0)
    layout.setHorizontalSpacing(Space.L)
    layout.setVerticalSpacing(Space.XS)
    layout.setColumnStretch(0, 2)
    layout.setColumnStretch(1, 3)
    layout.setColumnStretch(2, 3)
    layout.addWidget(Label(ASPECTS[aspect], "strong"), 0, 0)
    layout.addWidget(Label("Before", "small"), 0, 1, Qt.AlignmentFlag.AlignBottom)
    layout.addWidget(Label("After", "small"), 0, 2, Qt.AlignmentFlag.AlignBottom)
    for number, each in enumerate(differences, start=1):
        name = cut(_name(each), _LONGEST)
        layout.addWidget(Label(name, "small"), number, 0, Qt.AlignmentFlag.AlignTop)
        values = (("before", each.before), ("after", each.after))
        for at, (when, value) in enumerate(values, start=1):
            text = cut(_value(each, value), _LONGEST)
            label = Label(text, "" if value else "muted")
            label.setAccessibleName(f"{name or ASPECTS[aspect]}, {when}: {text}")
            label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
            layout.addWidget(label, number, at, Qt.AlignmentFlag.AlignTop)
    return group


def _name(each: Difference) -> str:
    """Return what changed as a person reads it."""
    stage, _, rest = each.name.partition(" ")
    match each.aspect:
        case Aspect.STAGES:
            return f"{_stage(stage)}: time" if rest else _stage(stage)
        case Aspect.FACTS:
            return f"{_stage(stage)}: {words.label(rest)}"
        case Aspect.OUTCOME | Aspect.WARNINGS | Aspect.EXTENSIONS:
            return each.name
        case Aspect.ADDRESSES:
            return f"Found: {rest}" if stage == "found" else each.name
    return _NAMES.get(each.name) or words.label(each.name)


def _stage(name: str) -> str:
    return STAGES[Stage(name)] if name in list(Stage) else name


def _value(each: Difference, value: str) -> str:
    """Return one side of a change as a person reads it."""
    name = each.name.rpartition(" ")[2]
    match each.aspect:
        case Aspect.STAGES if value.isdigit():
            return duration(int(value))
        case Aspect.STAGES:
            return words.STATUSES[StageStatus(value)] if value else _NOT_REACHED
        case Aspect.EXTENSIONS:
            return _OFFERED.get(value, value)
        case Aspect.CERTIFICATE if name in _LIFETIME:
            return moment(value)
    return words.value(name, value) if value else NOTHING
