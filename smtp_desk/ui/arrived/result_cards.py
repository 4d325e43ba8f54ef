"""The explanation of a received email: whether it was believed, its way, what was added."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from PySide6.QtCore import Qt, Slot

from smtp_desk.app.arrived.words import (
    BELIEFS,
    counted_text,
    hop_details,
    hop_way,
    result_meaning,
    result_tone,
    spam_text,
)
from smtp_desk.core.arrived import Belief
from smtp_desk.ui.widgets.card import Card, Panel, column, row
from smtp_desk.ui.widgets.colours import Space
from smtp_desk.ui.widgets.icons import IconLabel, set_look
from smtp_desk.ui.widgets.label import FocusLabel, Label

if TYPE_CHECKING:
    from collections.abc import Iterator

    from PySide6.QtWidgets import QLayout, QWidget

    from smtp_desk.core.arrived import Arrival, AuthResult, Hop

_ICON: Final = 18
_LONGEST: Final = 400
_MOST_RESULTS: Final = 30
_MOST_HOPS: Final = 40
_MOST_ADDED: Final = 80
_TONES: Final = {
    Belief.BELIEVED: "success",
    Belief.DOUBTED: "warning",
    Belief.DISBELIEVED: "danger",
    Belief.UNKNOWN: "plain",
}
_ICONS: Final = {"success": "success", "warning": "warning", "danger": "failed", "muted": "info"}
_METHODS: Final = "What the receiver checked, with its results. Nothing was checked again here."
_WAY: Final = (
    "Each server that accepted the email, starting with the first. Only the last ones belong "
    "to the receiver. The sender could have forged the entries before them."
)
_ADDED: Final = "Headers that servers added on the way."


class BeliefCard(Card):
    """The first card: the result.

    Attributes:
        line: The verdict, which takes the focus.
    """

    def __init__(self, source: str, found: Arrival) -> None:
        super().__init__()
        self.setObjectName("belief")
        self.setAccessibleName("Result")
        self.line: Final = FocusLabel(BELIEFS[found.belief], "heading")
        self.line.setObjectName("belief_line")
        self._panel = Panel(_TONES[found.belief])
        self._panel.body.addWidget(self.line)
        self.line.focused.connect(self._focused)
        origin = f"{source}\nFrom: {found.sender}" if found.sender else source
        self.body.addWidget(Label(_cut(origin), "small"))
        self.body.addWidget(self._panel)
        self.body.addWidget(Label(_cut(counted_text(found), 2 * _LONGEST)))

    @Slot(bool)
    def _focused(self, focused: bool) -> None:  # noqa: FBT001 - a signal's signature
        set_look(self._panel, "ring", "on" if focused else "off")


def result_cards(found: Arrival) -> Iterator[QWidget]:
    """Make the cards below the first."""
    yield _checks(found)
    if found.hops:
        yield _way(found.hops)
    if found.added:
        yield _added(found.added)


def _checks(found: Arrival) -> QWidget:
    card = Card("SPF, DKIM, DMARC and spam", _METHODS)
    card.setObjectName("checks")
    lines = column(space=Space.M)
    for result in found.results[:_MOST_RESULTS]:
        title = f"{result.method.upper()}: {result.result}"
        lines.addLayout(_line(title, _meaning(result), result_tone(result)))
    if left_out := found.results[_MOST_RESULTS:]:
        lines.addWidget(Label(f"Results not shown: {len(left_out)}.", "muted"))
    spam = found.spam
    tone = "muted" if spam is None or spam.spam is None else ("danger" if spam.spam else "success")
    lines.addLayout(_line("Spam", spam_text(spam), tone))
    card.body.addLayout(lines)
    return card


def _meaning(result: AuthResult) -> str:
    parts = (
        result_meaning(result) or result.domain,
        result.selector and f"Selector {result.selector}.",
        result.reason,
    )
    return " ".join(filter(None, parts))


def _way(hops: tuple[Hop, ...]) -> QWidget:
    card = Card("How it traveled", _WAY)
    card.setObjectName("hops")
    lines = column(space=Space.M)
    for number, hop in enumerate(hops[:_MOST_HOPS], start=1):
        # Handed over inside one server, nothing needs encryption.
        tls = hop.tls if hop.tls or hop.sent_by else None
        tone = {True: "success", False: "warning", None: "muted"}[tls]
        lines.addLayout(_line(f"{number}. {hop_way(hop)}", hop_details(hop), tone))
    if left_out := hops[_MOST_HOPS:]:
        lines.addWidget(Label(f"Servers not shown: {len(left_out)}.", "muted"))
    card.body.addLayout(lines)
    return card


def _added(names: tuple[str, ...]) -> QWidget:
    card = Card("Added on the way", _ADDED)
    card.setObjectName("added")
    told = ", ".join(_cut(name, 80) for name in names[:_MOST_ADDED])
    more = f" and {len(names) - _MOST_ADDED} more" if len(names) > _MOST_ADDED else ""
    text = Label(told + more)
    text.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
    card.body.addWidget(text)
    return card


def _line(title: str, text: str, tone: str) -> QLayout:
    line = row(space=Space.M)
    mark = IconLabel(size=_ICON)
    mark.show_icon(_ICONS[tone], tone)
    line.addWidget(mark, alignment=Qt.AlignmentFlag.AlignTop)
    said = column(space=2)
    said.addWidget(Label(_cut(title), "strong"))
    if text:
        detail = Label(_cut(text), "muted")
        detail.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        said.addWidget(detail)
    line.addLayout(said, 1)
    return line


def _cut(text: str, longest: int = _LONGEST) -> str:
    return text if len(text) <= longest else f"{text[:longest]}…"
