"""Values stay whole, and arrows point on, among words that are read from right to left."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import QPoint, QRect, QSize, Qt
from PySide6.QtGui import QFontMetrics, QImage

from smtp_desk.ui.widgets.bidi import elidable, readable
from smtp_desk.ui.widgets.icons import IconLabel
from smtp_desk.ui.widgets.label import Label

if TYPE_CHECKING:
    from PySide6.QtWidgets import QWidget
    from pytestqt.qtbot import QtBot

    from smtp_desk.ui.widgets.theme import Theme

HEBREW = "שלום"
VALUES = [
    "/usr/sbin/sendmail",
    "smtp://",
    "https://help.example.net/limits?a=b",
    "desk@example.org",
    "_submission._tcp.example.org",
    "smtp.example.org",
    "[192.0.2.50]",
    "2001:db8::10",
    "C:\\Users\\ann",
    "535",
]


@pytest.mark.parametrize("around", ["{}", "“{}”.", "({}),", "<{}>", "{}:"])
@pytest.mark.parametrize("value", VALUES)
def test_a_value_stays_whole(value: str, around: str) -> None:
    text = f"{HEBREW} {around.format(value)} {HEBREW}"
    shown = readable(text)
    assert re.sub("[\u2066\u2069\u200f]", "", shown) == text
    if value != "535":
        assert f"\u2066{value}\u2069" in shown


def test_words_and_texts_of_the_other_direction_stay_as_they_are() -> None:
    assert readable("From /usr/sbin/sendmail → smtp.example.org") == (
        "From /usr/sbin/sendmail → smtp.example.org"
    )
    assert readable(f"STARTTLS, SMTP Desk. {HEBREW}") == (f"\u200fSTARTTLS, SMTP Desk. {HEBREW}")


def test_an_arrow_points_where_reading_goes_on() -> None:
    shown = readable(f"{HEBREW}: desk → Ann Example")
    assert "→" not in shown
    # Between marks it takes the direction of the line, whatever stands beside it.
    assert "desk \u200f←\u200f Ann Example" in shown


def test_a_cut_text_keeps_its_ellipsis_at_its_end(qtbot: QtBot, theme: Theme) -> None:
    del theme
    label = Label()
    qtbot.addWidget(label)
    metrics = QFontMetrics(label.font())
    text = "ann.example@customers.example.org"
    cut = metrics.elidedText(elidable(text), Qt.TextElideMode.ElideRight, 90)
    # Nothing closes the isolate before the ellipsis, so it belongs to the address.
    assert cut.startswith("\u2068ann")
    assert cut.endswith("…")
    assert "\u2069" not in cut


def ink(widget: QWidget) -> QRect:
    """Where a widget is drawn on."""
    picture = widget.grab().toImage().convertToFormat(QImage.Format.Format_ARGB32)
    ground = picture.pixel(0, 0)
    places = [
        QPoint(x, y)
        for x in range(picture.width())
        for y in range(picture.height())
        if picture.pixel(x, y) != ground
    ]
    xs, ys = [each.x() for each in places], [each.y() for each in places]
    return QRect(QPoint(min(xs), min(ys)), QPoint(max(xs), max(ys)))


@pytest.mark.parametrize("selectable", [False, True])
@pytest.mark.parametrize("text", ["smtp.example.org", HEBREW, "a\nb"])
def test_a_label_begins_where_reading_begins(
    text: str, qtbot: QtBot, theme: Theme, *, selectable: bool
) -> None:
    theme.prefer("light")
    parent = Label()
    qtbot.addWidget(parent)
    parent.setLayoutDirection(Qt.LayoutDirection.RightToLeft)
    label = Label(text, parent=parent)
    if selectable:
        label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
    label.resize(QSize(300, 60))
    assert label.width() - ink(label).right() < 10


def test_an_icon_that_points_turns_with_the_reading(qtbot: QtBot, theme: Theme) -> None:
    theme.prefer("light")
    pictures = {}
    for name in ("apply", "running"):
        for direction in (Qt.LayoutDirection.LeftToRight, Qt.LayoutDirection.RightToLeft):
            icon = IconLabel(name)
            qtbot.addWidget(icon)
            icon.setLayoutDirection(direction)
            pictures[name, direction] = icon.grab().toImage()
    ways = Qt.LayoutDirection
    turned = pictures["apply", ways.LeftToRight].flipped(Qt.Orientation.Horizontal)
    assert pictures["apply", ways.RightToLeft] == turned
    assert pictures["apply", ways.RightToLeft] != pictures["apply", ways.LeftToRight]
    assert pictures["running", ways.RightToLeft] == pictures["running", ways.LeftToRight]
