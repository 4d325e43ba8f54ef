"""The rules of the house that no other tool holds: sizes, names, Qt where it belongs."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
MAX_FILE, MAX_FUNCTION, MAX_METHODS = 400, 50, 15
JUNK_DRAWERS = {"utils", "util", "helpers", "helper", "common", "manager", "misc"}

SOURCES = sorted(
    path for folder in ("smtp_desk", "tests") for path in (ROOT / folder).rglob("*.py")
    if "node_modules" not in path.parts
)  # fmt: skip


def functions(tree: ast.AST) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def body_lines(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Lines of a function from its `def` on, its docstring not counted."""
    docstring = ast.get_docstring(function, clean=False)
    spent = docstring.count("\n") + 1 if docstring else 0
    return (function.end_lineno or 0) - function.lineno + 1 - spent


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_size_budget(path: Path) -> None:
    text = path.read_text("utf-8")
    assert text.count("\n") <= MAX_FILE
    tree = ast.parse(text)
    for function in functions(tree):
        assert body_lines(function) <= MAX_FUNCTION, function.name
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef) and path.is_relative_to(ROOT / "smtp_desk"):
            public = [item for item in node.body if isinstance(item, ast.FunctionDef)
                      and not item.name.startswith("_")]  # fmt: skip
            assert len(public) <= MAX_METHODS, node.name


def test_no_junk_drawers() -> None:
    names = {part.removesuffix(".py") for path in SOURCES for part in path.relative_to(ROOT).parts}
    assert not names & JUNK_DRAWERS


@pytest.mark.parametrize("module", ["smtp_desk.cli.main", "smtp_desk.app.presenter"])
def test_no_face_but_the_window_loads_qt(module: str) -> None:
    code = (
        f"import sys, {module}; sys.exit(any(name.startswith('PySide6') for name in sys.modules))"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


def test_every_module_says_what_it_is_for() -> None:
    silent = [
        str(path)
        for path in (ROOT / "smtp_desk").rglob("*.py")
        if not ast.get_docstring(ast.parse(path.read_text("utf-8")))
    ]
    assert silent == []
