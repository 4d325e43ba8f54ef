"""The design tokens: colours of both schemes, spacing and type."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import IntEnum
from typing import Final


class Space(IntEnum):
    """Distances in logical pixels."""

    XS = 4
    S = 8
    M = 12
    L = 16
    XL = 24


READABLE_WIDTH: Final = 720
"""Widest column of content, in logical pixels."""
USUAL_LINE: Final = 18
"""Height of a line of text for which limits are given; a larger font has larger ones."""
SMALLEST_TYPE: Final = 10.0
"""Point size below which the system's font is enlarged."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Colours:
    """The colours of one scheme; every text colour reaches WCAG AA on its grounds.

    Attributes:
        window: Ground of pages.
        sidebar: Ground of the navigation.
        surface: Ground of cards.
        field: Ground of line edits.
        raised: Ground of plain buttons.
        hover: Ground of what the pointer is over.
        selected: Ground of the chosen page.
        line: Hairlines; decoration only.
        edge: Borders that show where a control is (3:1).
        text: Text.
        muted: Text of second rank.
        accent: Primary action, links, focus.
        accent_hover: The primary action under the pointer.
        on_accent: Text on the accent.
        ring: Focus ring of a control that is itself accent-coloured.
        success: Success, as text and icon.
        success_ground: Ground of a success.
        warning: Notices, as text and icon.
        warning_ground: Ground of a notice.
        danger: Errors, as text and icon.
        danger_ground: Ground of an error.
    """

    window: str
    sidebar: str
    surface: str
    field: str
    raised: str
    hover: str
    selected: str
    line: str
    edge: str
    text: str
    muted: str
    accent: str
    accent_hover: str
    on_accent: str
    ring: str
    success: str
    success_ground: str
    warning: str
    warning_ground: str
    danger: str
    danger_ground: str


LIGHT: Final = Colours(
    window="#f5f6f8",
    sidebar="#eceef2",
    surface="#ffffff",
    field="#ffffff",
    raised="#f5f6f8",
    hover="#e9ecf1",
    selected="#dbe4f5",
    line="#dfe2e8",
    edge="#858d99",
    text="#1a1d23",
    muted="#565e6b",
    accent="#1d5fd3",
    accent_hover="#174fb2",
    on_accent="#ffffff",
    ring="#0a1f47",
    success="#14713a",
    success_ground="#e6f4ea",
    warning="#845200",
    warning_ground="#fdf3dc",
    danger="#b3231d",
    danger_ground="#fceceb",
)

DARK: Final = Colours(
    window="#1b1d21",
    sidebar="#16181b",
    surface="#25282d",
    field="#1d1f23",
    raised="#31353b",
    hover="#3a3f46",
    selected="#2c3a55",
    line="#373b42",
    edge="#7d8590",
    text="#eef0f3",
    muted="#adb4be",
    accent="#86b1ff",
    accent_hover="#a6c6ff",
    on_accent="#0c1c3b",
    ring="#f4f8ff",
    success="#6fd394",
    success_ground="#1d3527",
    warning="#f0c060",
    warning_ground="#3a301a",
    danger="#ff9d94",
    danger_ground="#402322",
)

HIGH_LIGHT: Final = replace(
    LIGHT,
    window="#ffffff",
    sidebar="#ffffff",
    raised="#ffffff",
    line="#000000",
    edge="#000000",
    text="#000000",
    muted="#1f1f1f",
    accent="#003c9e",
    accent_hover="#002a70",
    success="#00501f",
    warning="#5c3a00",
    danger="#8a0f0a",
)
"""Light, for a desktop that asks for high contrast: text reaches WCAG AAA."""
HIGH_DARK: Final = replace(
    DARK,
    window="#000000",
    sidebar="#000000",
    surface="#000000",
    field="#000000",
    raised="#000000",
    line="#ffffff",
    edge="#ffffff",
    text="#ffffff",
    muted="#e6e6e6",
    hover="#2a2e33",
    accent="#b5d1ff",
    accent_hover="#d6e5ff",
    success="#9ff0bb",
    warning="#ffd98a",
    danger="#ffc2bd",
)
"""Dark, likewise."""
