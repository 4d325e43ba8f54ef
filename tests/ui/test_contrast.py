"""Contrast, measured in the pixels of every page: WCAG 2.2 AA, AAA where the desktop asks."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

import pytest
from PySide6.QtCore import QPoint, QRect
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QApplication, QLabel, QPushButton, QWidget

from smtp_desk.ui.main_window import MainWindow
from smtp_desk.ui.navigation import Navigation
from smtp_desk.ui.widgets.icons import IconLabel
from smtp_desk.ui.widgets.theme import Theme
from tests.ui.screenshots import TALL, pages
from tests.ui.widgets.test_theme import contrast

if TYPE_CHECKING:
    from pathlib import Path

    from PySide6.QtGui import QImage
    from pytestqt.qtbot import QtBot

SCENES: Final = (
    "failure",
    "last_test",
    "outage",
    "problems",
    "saved_off",
    "success",
    "testing",
    "delivery_selected",
    "delivery_trouble",
    "diagnostics_company_ca",
    "diagnostics_domain",
    "diagnostics_missing",
    "diagnostics_welcome",
    "diagnostics_wrong_password",
    "email_types_sent",
    "email_types_wrong_address",
    "general_problems",
    "general_relay",
)
MADE: Final = {name: (kind, make) for name, kind, make in pages()}


def _weak(window: QWidget, picture: QImage, least: float) -> list[str]:
    """Return what is written in a colour that is too near to what lies below it."""
    found = []
    parts: list[QLabel | QPushButton] = list(window.findChildren(QLabel))
    parts += [button for button in window.findChildren(QPushButton) if button.isEnabled()]
    for part in parts:  # WCAG exempts the text of buttons that can't be pressed
        if not part.isVisible() or not part.text() or isinstance(part, IconLabel):
            continue
        seen = part.visibleRegion().boundingRect()  # the rest is scrolled away
        ground = _ground(picture, seen.translated(part.mapTo(window, QPoint(0, 0))))
        ink = part.palette().color(part.foregroundRole()).name()
        if ground and contrast(ink, ground) < least:
            found.append(f"{part.text()[:40]!r}: {ink} on {ground}, {contrast(ink, ground):.1f}")
    return found


def _ground(picture: QImage, place: QRect) -> str:
    """Return the colour that most of a place has: letters are thin."""
    seen = Counter(
        picture.pixel(x, y)
        for x in range(place.left() + 2, place.right(), 7)
        for y in range(place.top() + 2, place.bottom(), 3)
    )
    return QColor(seen.most_common(1)[0][0]).name() if seen else ""


@pytest.mark.parametrize("name", SCENES)
def test_what_is_written_can_be_read(
    name: str, qtbot: QtBot, theme: Theme, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kind, make = MADE[name]
    window = MainWindow(sandboxed=False)
    qtbot.addWidget(window)
    page, arrange = make(tmp_path, theme)
    navigation = Navigation({**dict.fromkeys(kind.others, QWidget), kind.name: lambda: page})
    window.setCentralWidget(navigation)
    window.resize(TALL)
    window.show()
    navigation.open_page(kind.name)
    arrange()
    for high in (False, True):
        monkeypatch.setattr(Theme, "high_contrast", high)
        for scheme in ("light", "dark"):
            theme.prefer(scheme)
            for _ in range(6):
                QApplication.processEvents()
            picture = window.grab().toImage()
            assert _weak(window, picture, 7.0 if high else 4.5) == [], (scheme, high)
