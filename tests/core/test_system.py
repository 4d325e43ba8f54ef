"""What differs by system is asked in one place, and each branch is known."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import Final

import pytest

import smtp_desk
from smtp_desk.core.system import System, system_of

PACKAGE: Final = Path(smtp_desk.__file__).parent


@pytest.mark.parametrize(
    ("platform", "system", "has_owners", "always_has_display", "verifies"),
    [
        ("linux", System.UNIX, True, False, False),
        ("freebsd14", System.UNIX, True, False, False),
        ("darwin", System.MACOS, True, True, True),
        ("win32", System.WINDOWS, False, True, True),
    ],
)
def test_each_system(
    platform: str, system: System, *, has_owners: bool, always_has_display: bool, verifies: bool
) -> None:
    found = system_of(platform)
    assert found is system
    assert (found.has_owners, found.always_has_display) == (has_owners, always_has_display)
    assert found.verifies_certificates is verifies


def test_no_other_module_asks_which_system_this_is() -> None:
    texts = {file: file.read_text("utf-8") for file in PACKAGE.rglob("*.py")}
    asked = {
        file.relative_to(PACKAGE).as_posix()
        for file, text in texts.items()
        if re.search(r"\b(sys|os)\s*\.\s*(platform|name)\b", text)
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and (node.value.id, node.attr) in {("sys", "platform"), ("os", "name")}
    }
    assert asked == {"core/system.py"}
