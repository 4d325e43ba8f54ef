"""Records the film of README: fill in, prove, save, with the real program and its sandbox.

    python -m tests.ui.readme_recording packaging/screenshots/prove-and-save.gif

ImageMagick makes the file. It is drawn in Noto Sans, as the pictures are.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Final

if __name__ == "__main__":
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from PySide6.QtCore import QSize, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLineEdit, QWidget

from smtp_desk.ui.sandbox.sandbox_desk import RECIPIENT
from tests.ui.readme_pictures import (
    find_part,
    make_light_application,
    open_sandbox,
    settle,
    wait_until,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

SIZE: Final = QSize(1200, 720)
_TYPED: Final = ("from_email", "host", "port", "username", "password", "recipient")
_KEYS_A_FRAME: Final = 3
_COLOURS: Final = 96
# In hundredths of a second.
_SHORT: Final = 6
_PAUSE: Final = 60
_LONG: Final = 220


class Film:
    """Frames of one window, each with how long it is shown."""

    def __init__(self, window: QWidget, folder: Path) -> None:
        self._window = window
        self._folder = folder
        self._frames: list[tuple[int, Path]] = []

    def shoot(self, duration: int = _SHORT) -> None:
        """Add what the window shows now, for `duration` hundredths of a second."""
        frame = self._folder / f"{len(self._frames):04}.png"
        QApplication.processEvents()
        self._window.grab().save(str(frame))
        self._frames.append((duration, frame))

    def save(self, file: Path) -> None:
        """Make the film that repeats for ever."""
        convert = shutil.which("convert")
        assert convert, "ImageMagick is not installed"
        arguments = [convert, "-loop", "0"]
        for duration, frame in self._frames:
            arguments += ["-delay", str(duration), str(frame)]
        arguments += ["-dither", "None", "-colors", str(_COLOURS), "-layers", "Optimize"]
        subprocess.run([*arguments, str(file)], check=True)


def _pieces(text: str) -> Iterator[str]:
    for start in range(0, len(text), _KEYS_A_FRAME):
        yield text[start : start + _KEYS_A_FRAME]


def _line_edit(window: QWidget, name: str) -> QLineEdit:
    found = find_part(window, name)
    assert isinstance(found, QLineEdit)
    return found


def _fill_in(film: Film, window: QWidget, values: dict[str, str]) -> None:
    for name, value in values.items():
        edit = _line_edit(window, name)
        edit.setFocus(Qt.FocusReason.TabFocusReason)
        film.shoot()
        for keys in _pieces(value):
            QTest.keyClicks(edit, keys)
            film.shoot()
        film.shoot(_PAUSE // 2)


def record(file: Path) -> None:
    """Fill in the form of the sandbox's desk, prove it, save it and turn it on."""
    sandbox, desk = open_sandbox(SIZE)
    window = desk.window
    window.activateWindow()  # only there what has the focus is brought into view
    wait_until(window.isActiveWindow)
    values = {name: _line_edit(window, name).text() for name in _TYPED}
    values["recipient"] = RECIPIENT
    for name in _TYPED:
        _line_edit(window, name).clear()
    with tempfile.TemporaryDirectory() as folder:
        film = Film(window, Path(folder))
        film.shoot(_PAUSE)
        _fill_in(film, window, values)
        _press(film, window, "send_test")
        stages = find_part(window, "send_test")
        while not stages.isEnabled():
            film.shoot()
        film.shoot(_LONG)
        _press(film, window, "save")
        wait_until(lambda: find_part(window, "turn_on").isVisible())
        settle()
        film.shoot(_LONG)
        film.save(file)
    sandbox.close()


def _press(film: Film, window: QWidget, name: str) -> None:
    button = find_part(window, name)
    button.setFocus(Qt.FocusReason.TabFocusReason)
    film.shoot(_PAUSE)
    QTest.keyClick(button, Qt.Key.Key_Space)
    film.shoot()


def main() -> None:
    """Record it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", type=Path)
    file: Path = parser.parse_args().file
    make_light_application(parser)
    record(file)


if __name__ == "__main__":
    main()
