"""Draws the program's icon in the sizes that desktops, Windows and macOS ask for.

usage: python packaging/icons.py FOLDER; writes FOLDER/SIZExSIZE/apps/smtp-desk.png
"""

from __future__ import annotations

import sys
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtGui import QImage, QPainter
from PySide6.QtSvg import QSvgRenderer

from smtp_desk.store.resources import resource_path

_SIZES = (16, 24, 32, 48, 64, 128, 256, 512)


def draw_icons(folder: Path) -> None:
    """Write the icons into a folder laid out as that of an icon theme."""
    renderer = QSvgRenderer(str(resource_path("icons", "smtp-desk.svg")))
    for size in _SIZES:
        image = QImage(size, size, QImage.Format.Format_ARGB32)
        image.fill(Qt.GlobalColor.transparent)
        painter = QPainter(image)
        renderer.render(painter)
        painter.end()
        file = folder / f"{size}x{size}" / "apps" / "smtp-desk.png"
        file.parent.mkdir(parents=True, exist_ok=True)
        if not image.save(str(file)):
            sys.exit(f"{file} can't be written")


if __name__ == "__main__":
    draw_icons(Path(sys.argv[1]))
