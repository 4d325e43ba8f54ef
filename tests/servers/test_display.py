"""A Qt program appears on the screen, takes keys, and is read by assistive technology."""

from __future__ import annotations

import contextlib
import subprocess
import sys
from typing import TYPE_CHECKING, Final

import pytest

from tests.servers.child import Child

if TYPE_CHECKING:
    import pathlib
    from collections.abc import Iterator

    from tests.servers.display import AccessibilityBus, Display

pytestmark = pytest.mark.needs("x_display")

TITLE: Final = "A window of the test"

PROGRAM: Final = f"""
from PySide6.QtWidgets import QApplication, QLineEdit
app = QApplication([])
edit = QLineEdit()
edit.setWindowTitle({TITLE!r})
edit.setAccessibleName("Name of the thing")
edit.resize(300, 60)
edit.returnPressed.connect(lambda: (print(edit.text()), app.quit()))
edit.show()
app.exec()
"""

READER: Final = """
import pyatspi, time
def names(node):
    yield node.name
    for child in node:
        if child is not None:
            yield from names(child)
deadline = time.monotonic() + 20
found = []
while "Name of the thing" not in found and time.monotonic() < deadline:
    found = list(names(pyatspi.Registry.getDesktop(0)))
print(found)
"""


@contextlib.contextmanager
def program(env: dict[str, str]) -> Iterator[subprocess.Popen[str]]:
    with Child(
        [sys.executable, "-c", PROGRAM], env=env, stdout=subprocess.PIPE, text=True
    ) as child:
        try:
            yield child
        finally:
            child.kill()


def test_keys_and_pictures(x_display: Display, tmp_path: pathlib.Path) -> None:
    with program(x_display.env) as child:
        window = x_display.focus(TITLE)
        assert x_display.screenshot(tmp_path / "window.png", window).stat().st_size > 100
        x_display.type("ann@example.org")
        x_display.keys("Return")
        assert child.communicate(timeout=30)[0] == "ann@example.org\n"
    assert x_display.screenshot(tmp_path / "screen.png").stat().st_size > 100


@pytest.mark.needs("accessibility")
def test_assistive_technology(x_display: Display, accessibility_bus: AccessibilityBus) -> None:
    with program(x_display.env | accessibility_bus.env):
        result = accessibility_bus.run_pyatspi(READER)
    assert "Name of the thing" in result.stdout, result.stderr
