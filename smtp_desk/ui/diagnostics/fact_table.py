"""Facts as labels and values."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QGridLayout, QSizePolicy, QWidget

from smtp_desk.ui.diagnostics import words
from smtp_desk.ui.widgets.colours import Space
from smtp_desk.ui.widgets.label import Label

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from smtp_desk.core.stages import Facts

    Row = tuple[str, str]

_MOST_ROWS: Final = 40


class FactTable(QWidget):
    """Two columns, labels and values; values can be selected with the mouse."""

    def __init__(
        self, rows: Iterable[Row], *, fixed_width: frozenset[str] = frozenset(), rank: str = "fact"
    ) -> None:
        """Show `rows`; the values of labels in `fixed_width` in a fixed-width font.

        `rank` is that of the labels: fact, or short-fact where there is a table beside it.
        """
        super().__init__()
        layout = QGridLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setHorizontalSpacing(Space.L)
        layout.setVerticalSpacing(Space.XS)
        layout.setColumnStretch(1, 1)
        for number, (name, text) in enumerate(rows):
            if number == _MOST_ROWS:
                layout.addWidget(Label("More is in the report file.", "small"), number, 1)
                break
            what = Label(name, rank)
            what.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Minimum)
            found = Label(text)
            found.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
            found.setAccessibleName(f"{name}: {text}")
            if name in fixed_width:
                found.setProperty("face", "fixed")
            layout.addWidget(what, number, 0, Qt.AlignmentFlag.AlignTop)
            layout.addWidget(found, number, 1, Qt.AlignmentFlag.AlignTop)


def facts_in_words(facts: Facts, *, without: frozenset[str] = frozenset()) -> Iterator[Row]:
    """Return the facts that mean something to people, in words."""
    for name, found in facts.items():
        if name not in without and found not in (None, "", [], {}):
            yield words.label(name), words.value(name, found)
