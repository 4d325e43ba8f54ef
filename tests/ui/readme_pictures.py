"""Draws the pictures of README with the real program and its sandbox.

    python -m tests.ui.readme_pictures packaging/screenshots

They are drawn in Noto Sans, so that they look alike wherever they are made.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

if __name__ == "__main__":
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from PySide6.QtCore import QSize
from PySide6.QtGui import QFont, QFontInfo
from PySide6.QtWidgets import QApplication, QLineEdit, QPushButton, QWidget

from smtp_desk.ui.application import make_application
from smtp_desk.ui.main_window import MainWindow
from smtp_desk.ui.menus import Menus
from smtp_desk.ui.navigation import Navigation
from smtp_desk.ui.sandbox.sandbox_desk import SandboxDesk
from smtp_desk.ui.widgets.theme import Theme
from tests.ui import delivery_scenes
from tests.ui.fitting import squeezed

if TYPE_CHECKING:
    from collections.abc import Callable

    from smtp_desk.ui.desk import Desk

SIZE: Final = QSize(1120, 780)
_TALL: Final = QSize(1120, 1040)
"""So that the list of emails is seen below what goes on."""
FONT: Final = "Noto Sans"
POINTS: Final = 10
_PATIENCE_S: Final = 60.0
_TICK_S: Final = 0.01
_SETTLED_S: Final = 0.5


def wait_until(condition: Callable[[], bool]) -> None:
    """Let the window work until `condition` holds."""
    end = time.monotonic() + _PATIENCE_S
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError("the window did not come to where its picture is taken")
        QApplication.processEvents()
        time.sleep(_TICK_S)


def find_part(window: QWidget, name: str) -> QWidget:
    """Return the part of this objectName."""
    found = window.findChild(QWidget, name)
    assert isinstance(found, QWidget), name
    return found


def _test(window: QWidget) -> None:
    send = find_part(window, "send_test")
    assert isinstance(send, QPushButton)
    send.click()
    wait_until(lambda: not send.isEnabled())
    wait_until(send.isEnabled)


def settle() -> None:
    """Let the window lay itself out: cards of a report come one at a time."""
    settled = time.monotonic() + _SETTLED_S
    wait_until(lambda: time.monotonic() > settled)
    pages = [each for each in QApplication.topLevelWidgets() if each.isVisible()]
    wait_until(lambda: not any(squeezed(each) for each in pages))


def _draw(window: QWidget, file: Path) -> None:
    settle()
    window.grab().save(str(file))


def open_sandbox(size: QSize) -> tuple[SandboxDesk, Desk]:
    """Return a sandbox and its desk, filled in and without the strip that names it."""
    sandbox = SandboxDesk("light")
    sandbox.start()
    wait_until(lambda: sandbox.desk is not None)
    assert sandbox.desk is not None
    window = sandbox.desk.window
    window.resize(size)
    window.setWindowTitle("SMTP Desk")
    wait_until(lambda: window.findChild(QLineEdit, "password") is not None)
    password = find_part(window, "password")
    assert isinstance(password, QLineEdit)
    wait_until(lambda: bool(password.text()))
    find_part(window, "sandbox_strip").hide()
    return sandbox, sandbox.desk


def draw_job(folder: Path) -> None:
    """Fail against the sandbox."""
    sandbox, desk = open_sandbox(SIZE)
    window = desk.window
    password = find_part(window, "password")
    assert isinstance(password, QLineEdit)
    password.setText("mistyped")
    _test(window)
    _draw(window, folder / "wrong-password.png")
    navigation = desk.workshop.navigation
    navigation.open_page("diagnostics")
    _draw(window, folder / "diagnostics.png")
    sandbox.close()


def draw_delivery(folder: Path) -> None:
    """Draw a busy morning on Delivery."""
    with tempfile.TemporaryDirectory() as home:
        window = MainWindow(sandboxed=False)
        menus = Menus(window, sandboxed=False)
        scene = delivery_scenes.morning(Path(home))
        others = ("integrations", "email_types", "diagnostics", "arrived", "general")
        pages: dict[str, Callable[[], QWidget]] = dict.fromkeys(others, QWidget)
        navigation = Navigation({**pages, "delivery": lambda: scene.view.page})
        window.setCentralWidget(navigation)
        window.resize(_TALL)
        window.show()
        navigation.open_page("delivery")
        scene.runner.finish()
        scene.table.setFocus()
        QApplication.processEvents()
        scene.runner.finish()  # the email that the focus selected is read
        _draw(window, folder / "delivery.png")
        window.close()
        menus.deleteLater()


def make_light_application(parser: argparse.ArgumentParser) -> QApplication:
    """Return an application that looks alike on every machine; ends where its font is missing."""
    application = make_application([])
    font = QFont(FONT, POINTS)
    application.setFont(font)
    if QFontInfo(font).family() != FONT:
        parser.error(f"{FONT} is not installed")
    Theme(application).prefer("light")
    return application


def main() -> None:
    """Draw them all."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    folder: Path = parser.parse_args().folder
    make_light_application(parser)
    draw_job(folder)
    draw_delivery(folder)


if __name__ == "__main__":
    main()
