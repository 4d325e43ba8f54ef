"""The design tokens: colours of both schemes, spacing and type, and the palette made of them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from PySide6.QtCore import QObject, Qt, Signal, Slot
from PySide6.QtGui import QColor, QPalette
from PySide6.QtWidgets import QApplication

from smtp_desk.ui.stylesheet import stylesheet


class Space(IntEnum):
    """Distances in logical pixels."""

    XS = 4
    S = 8
    M = 12
    L = 16
    XL = 24


READABLE_WIDTH: Final = 720
"""Widest column of content, in logical pixels."""
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


def palette(colours: Colours) -> QPalette:
    """Return the Qt palette of a scheme, for all that no style sheet names."""
    role = QPalette.ColorRole
    made = QPalette()
    for which, colour in (
        (role.Window, colours.window),
        (role.WindowText, colours.text),
        (role.Base, colours.field),
        (role.AlternateBase, colours.raised),
        (role.Text, colours.text),
        (role.PlaceholderText, colours.muted),
        (role.Button, colours.raised),
        (role.ButtonText, colours.text),
        (role.BrightText, colours.danger),
        (role.Highlight, colours.accent),
        (role.HighlightedText, colours.on_accent),
        (role.Link, colours.accent),
        (role.LinkVisited, colours.accent),
        (role.ToolTipBase, colours.surface),
        (role.ToolTipText, colours.text),
        (role.Accent, colours.accent),
    ):
        made.setColor(which, QColor(colour))
    for which in (role.WindowText, role.Text, role.ButtonText):
        made.setColor(QPalette.ColorGroup.Disabled, which, QColor(colours.muted))
    return made


def theme_of_application() -> Theme:
    """Return the theme of the running application, made when first asked for."""
    application = QApplication.instance()
    if not isinstance(application, QApplication):
        raise TypeError("there is no application to paint")
    return application.findChild(Theme) or Theme(application)


class Theme(QObject):
    """Keeps palette and style sheet of the application in the person's or the system's scheme.

    Signals:
        changed: The scheme changed; palette and style sheet are already the new ones.
    """

    changed = Signal()

    def __init__(self, application: QApplication) -> None:
        super().__init__(application)
        self._application = application
        self._preference = "system"
        font = application.font()
        if 0 < font.pointSizeF() < SMALLEST_TYPE:
            font.setPointSizeF(SMALLEST_TYPE)
            application.setFont(font)
        application.setStyle("fusion")
        application.styleHints().colorSchemeChanged.connect(self._follow_system)
        self._apply()

    @property
    def colours(self) -> Colours:
        """The colours now in use."""
        if self._preference == "system":
            dark = self._application.styleHints().colorScheme() is Qt.ColorScheme.Dark
        else:
            dark = self._preference == "dark"
        return DARK if dark else LIGHT

    def prefer(self, preference: str) -> None:
        """Use "light" or "dark", or follow the "system"; acts at once."""
        if preference == self._preference:
            return
        self._preference = preference
        schemes = {"light": Qt.ColorScheme.Light, "dark": Qt.ColorScheme.Dark}
        # Title bars and native dialogs follow too, where the platform can.
        self._application.styleHints().setColorScheme(
            schemes.get(preference, Qt.ColorScheme.Unknown)
        )
        self._apply()

    @Slot()
    def _follow_system(self) -> None:
        self._apply()

    def _apply(self) -> None:
        self._application.setPalette(palette(self.colours))
        self._application.setStyleSheet(
            stylesheet(self.colours, self._application.font().pointSizeF())
        )
        self.changed.emit()
