"""What differs by system is asked in one place, and each branch is known."""

from __future__ import annotations

import ast
import os
import re
import signal
import socket
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Final

import pytest

import smtp_desk
from smtp_desk.core.system import System, flag, system_of

if TYPE_CHECKING:
    from collections.abc import Iterator

PACKAGE: Final = Path(smtp_desk.__file__).parent
OF_ONE_SYSTEM: Final = frozenset(
    {"_winapi", "fcntl", "grp", "msvcrt", "pwd", "resource", "syslog", "termios", "winreg"}
)
VARYING: Final = frozenset(
    {"errno", "os", "select", "selectors", "signal", "socket", "ssl", "stat", "sys", "time"}
)
ASKING: Final = frozenset(
    {("sys", "platform"), ("os", "name"), ("os", "uname"), ("sys", "getwindowsversion")}
)
WORTH_PARSING: Final = re.compile(
    rf"\b(platform|uname|getwindowsversion|getattr|hasattr|{'|'.join(sorted(OF_ONE_SYSTEM))})\b"
    r"|\bos\s*\.\s*name\b"
)
ELSEWHERE: Final = {
    # Asks nothing: a report says on which system it was made.
    ("app/services.py", "platform.system"),
    # Who owns what; each is called only where files have owners.
    ("store/ownership.py", "pwd"),
    ("store/ownership.py", "grp"),
    # Where Windows has Program Files.
    ("store/paths.py", "winreg"),
    # Not the system, but whether Python is in a bundle.
    ("app/installation.py", "getattr sys.frozen"),
}


@pytest.mark.parametrize(
    ("platform", "system", "true"),
    [
        ("linux", System.UNIX, {"has_owners", "forks", "has_poll"}),
        ("freebsd14", System.UNIX, {"has_owners", "forks", "has_poll"}),
        (
            "darwin",
            System.MACOS,
            {"has_owners", "forks", "has_poll", "always_has_display", "verifies_certificates"},
        ),
        ("win32", System.WINDOWS, {"always_has_display", "verifies_certificates"}),
    ],
)
def test_each_system(platform: str, system: System, true: set[str]) -> None:
    found = system_of(platform)
    assert found is system
    asked = [name for name, kind in vars(System).items() if isinstance(kind, property)]
    assert {name for name in asked if getattr(found, name)} == true


def test_a_flag_that_a_system_lacks_changes_nothing() -> None:
    here = ModuleType("os")
    here.__dict__["O_CLOEXEC"] = 0o2000000
    assert (flag(here, "O_CLOEXEC"), flag(here, "O_BINARY")) == (0o2000000, 0)
    assert flag(os, "O_CLOEXEC") == os.O_CLOEXEC
    assert flag(socket, "SO_PEERCRED") == socket.SO_PEERCRED
    assert flag(signal, "SIGHUP") == signal.SIGHUP


def test_no_other_module_asks_which_system_this_is() -> None:
    texts = {file: file.read_text("utf-8") for file in PACKAGE.rglob("*.py")}
    asked = {
        (file.relative_to(PACKAGE).as_posix(), question)
        for file, text in texts.items()
        if WORTH_PARSING.search(text)
        for question in questions(ast.parse(text))
    }
    of_one = {(name, question) for name, question in asked if name != "core/system.py"}
    assert of_one == ELSEWHERE
    assert ("core/system.py", "sys.platform") in asked


@pytest.mark.parametrize(
    ("code", "question"),
    [
        ("sys.platform == 'win32'", "sys.platform"),
        ("os.name", "os.name"),
        ("platform.system()", "platform.system"),
        ("import fcntl", "fcntl"),
        ("from msvcrt import locking", "msvcrt"),
        ("importlib.import_module('winreg')", "winreg"),
        ("hasattr(os, 'fork')", "hasattr os.fork"),
        ("getattr(signal, 'SIGHUP', None)", "getattr signal.SIGHUP"),
        ("from sys import platform", "sys.platform"),
    ],
)
def test_a_question_is_found_however_it_is_asked(code: str, question: str) -> None:
    assert list(questions(ast.parse(code))) == [question]


def questions(tree: ast.Module) -> Iterator[str]:
    """What a module asks about its system."""
    for node in ast.walk(tree):
        match node:
            case ast.Attribute(value=ast.Name(id="platform"), attr="system"):
                yield "platform.system"
            case ast.Attribute(value=ast.Name(id=module), attr=name) if (module, name) in ASKING:
                yield f"{module}.{name}"
            case ast.Import(names=names):
                yield from (each.name for each in names if each.name in OF_ONE_SYSTEM)
            case ast.ImportFrom(module=str(module), names=names):
                if module in OF_ONE_SYSTEM:
                    yield module
                yield from (
                    f"{module}.{each.name}" for each in names if (module, each.name) in ASKING
                )
            case ast.Call(args=[ast.Constant(value=str(module))]) if module in OF_ONE_SYSTEM:
                yield module
            case ast.Call(
                func=ast.Name(id="getattr" | "hasattr" as way),
                args=[ast.Name(id=module), ast.Constant(value=str(name)), *_],
            ) if module in VARYING:
                yield f"{way} {module}.{name}"
