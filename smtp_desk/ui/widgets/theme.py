"""The palette of a colour scheme; the scheme and the text size that the application follows."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import QObject, Qt, Signal, Slot
from PySide6.QtGui import QColor, QFontDatabase, QPalette
from PySide6.QtWidgets import QApplication

from smtp_desk.ui.widgets.colours import DARK, HIGH_DARK, HIGH_LIGHT, LIGHT, SMALLEST_TYPE, Colours
from smtp_desk.ui.widgets.stylesheet import stylesheet

TEXT_SIZES: Final = ("90", "110", "125", "150")
"""Percentages of the system's text size."""


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
    """Keeps the application in the person's or the system's scheme and text size.

    Signals:
        changed: Either changed; palette, font and style sheet are already the new ones.
    """

    changed = Signal()

    def __init__(self, application: QApplication) -> None:
        super().__init__(application)
        self._application = application
        self._preference = self._text_size = "system"
        font = application.font()
        if 0 < font.pointSizeF() < SMALLEST_TYPE:
            font.setPointSizeF(SMALLEST_TYPE)
            application.setFont(font)
        self._usual_points = font.pointSizeF()
        application.setStyle("fusion")
        # Both are kept: a wrapper of the second dies with that of the first.
        self._hints = application.styleHints()
        self._accessibility = self._hints.accessibility()
        self._hints.colorSchemeChanged.connect(self._follow_system)
        self._accessibility.contrastPreferenceChanged.connect(self._follow_system)
        self._apply()

    @property
    def colours(self) -> Colours:
        """The colours now in use."""
        if self._preference == "system":
            dark = self._application.styleHints().colorScheme() is Qt.ColorScheme.Dark
        else:
            dark = self._preference == "dark"
        if self.high_contrast:
            return HIGH_DARK if dark else HIGH_LIGHT
        return DARK if dark else LIGHT

    @property
    def high_contrast(self) -> bool:
        """Whether the desktop asks for high contrast."""
        return self._accessibility.contrastPreference() is Qt.ContrastPreference.HighContrast

    def prefer(self, preference: str, text_size: str = "system") -> None:
        """Use "light" or "dark", and one of `TEXT_SIZES`, or follow the "system"; acts at once."""
        if (preference, text_size) == (self._preference, self._text_size):
            return
        self._preference, self._text_size = preference, text_size
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
        percent = int(self._text_size) if self._text_size in TEXT_SIZES else 100
        points = self._usual_points * percent / 100
        font = self._application.font()
        if font.pointSizeF() != points > 0:
            font.setPointSizeF(points)
            self._application.setFont(font)
        self._application.setPalette(palette(self.colours))
        fixed = QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont).family()
        self._application.setStyleSheet(stylesheet(self.colours, font.pointSizeF(), fixed))
        self.changed.emit()
