"""Colours reach WCAG AA on the grounds they stand on, in both schemes."""

from __future__ import annotations

import dataclasses
import re

import pytest
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QApplication

from smtp_desk.ui.widgets.colours import DARK, HIGH_DARK, HIGH_LIGHT, LIGHT, Colours
from smtp_desk.ui.widgets.stylesheet import stylesheet
from smtp_desk.ui.widgets.theme import Theme, palette
from tests.table import each_row

HIGH = pytest.mark.parametrize("colours", [HIGH_LIGHT, HIGH_DARK], ids=["light", "dark"])
SCHEMES = pytest.mark.parametrize(
    "colours",
    [LIGHT, DARK, HIGH_LIGHT, HIGH_DARK],
    ids=["light", "dark", "high light", "high dark"],
)
TEXTS = [
    ("text", ground)
    for ground in ("window", "sidebar", "surface", "field", "raised", "hover", "selected")
] + [
    ("text", "success_ground"),
    ("text", "warning_ground"),
    ("text", "danger_ground"),
    ("muted", "window"),
    ("muted", "surface"),
    ("muted", "field"),
    ("muted", "raised"),
    ("muted", "hover"),
    ("accent", "surface"),
    ("accent", "hover"),
    ("on_accent", "accent"),
    ("on_accent", "accent_hover"),
    ("success", "surface"),
    ("success", "success_ground"),
    ("warning", "surface"),
    ("warning", "warning_ground"),
    ("danger", "surface"),
    ("danger", "window"),
    ("danger", "raised"),
    ("danger", "danger_ground"),
]
SHAPES = [
    ("edge", "surface"),
    ("edge", "window"),
    ("accent", "surface"),
    ("accent", "window"),
    ("accent", "sidebar"),
    ("accent", "selected"),
    ("accent", "success_ground"),
    ("accent", "warning_ground"),
    ("accent", "danger_ground"),
    ("danger", "field"),
    ("ring", "surface"),
]


def luminance(name: str) -> float:
    """WCAG 2.2: relative luminance."""

    def linear(channel: float) -> float:
        return channel / 12.92 if channel <= 0.04045 else ((channel + 0.055) / 1.055) ** 2.4

    colour = QColor(name)
    red, green, blue = (linear(c) for c in (colour.redF(), colour.greenF(), colour.blueF()))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


@HIGH
@each_row(("text", "ground"), TEXTS)
def test_high_contrast_reaches_aaa(colours: Colours, text: str, ground: str) -> None:
    assert contrast(getattr(colours, text), getattr(colours, ground)) >= 7


def test_a_desktop_that_asks_for_high_contrast_gets_it(
    qapp: QApplication, monkeypatch: pytest.MonkeyPatch
) -> None:
    theme = Theme(qapp)
    monkeypatch.setattr(Theme, "high_contrast", property(lambda _theme: True))
    theme.prefer("light")
    assert theme.colours == HIGH_LIGHT
    theme.prefer("dark")
    assert theme.colours == HIGH_DARK
    monkeypatch.undo()
    theme.prefer("system")
    theme.deleteLater()


def test_the_measure_itself() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#767676", "#ffffff") == pytest.approx(4.54, abs=0.01)


@SCHEMES
@each_row(("text", "ground"), TEXTS)
def test_text_reaches_aa(colours: Colours, text: str, ground: str) -> None:
    assert contrast(getattr(colours, text), getattr(colours, ground)) >= 4.5


@SCHEMES
@each_row(("shape", "ground"), SHAPES)
def test_edges_and_focus_can_be_seen(colours: Colours, shape: str, ground: str) -> None:
    assert contrast(getattr(colours, shape), getattr(colours, ground)) >= 3


@SCHEMES
def test_the_style_sheet_names_no_colour_of_its_own(colours: Colours) -> None:
    named = set(re.findall(r"#[0-9a-f]{6}\b", stylesheet(colours, 10, "monospace")))
    assert named <= set(dataclasses.astuple(colours))
    assert palette(colours).window().color() == QColor(colours.window)


def test_the_preference_acts_at_once(qapp: QApplication, theme: Theme) -> None:
    for preference, colours in (("dark", DARK), ("light", LIGHT)):
        theme.prefer(preference)
        assert theme.colours == colours
        assert qapp.palette().window().color() == QColor(colours.window)
        assert colours.accent in qapp.styleSheet()
    theme.prefer("system")
