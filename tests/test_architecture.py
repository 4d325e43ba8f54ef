"""The rules of the house that no other tool holds: sizes, names, Qt where it belongs."""

import ast
import io
import subprocess
import sys
import tokenize
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
MAX_FILE, MAX_TESTS, MAX_FUNCTION, MAX_METHODS = 300, 340, 50, 15
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


def code_lines(text: str) -> int:
    """Lines of code: docstrings, comments, imports and blank lines are free."""
    free = set[int]()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import | ast.ImportFrom):
            free.update(range(node.lineno, (node.end_lineno or 0) + 1))
        elif (
            isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
            and ast.get_docstring(node) is not None
        ):
            free.update(range(node.body[0].lineno, (node.body[0].end_lineno or 0) + 1))
    silent = {tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT,
              tokenize.ENDMARKER}  # fmt: skip
    spoken = set[int]()
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type not in silent:
            spoken.update(range(token.start[0], token.end[0] + 1))
    return len(spoken - free)


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_size_budget(path: Path) -> None:
    text = path.read_text("utf-8")
    ours = path.is_relative_to(ROOT / "smtp_desk")
    assert code_lines(text) <= (MAX_FILE if ours else MAX_TESTS)
    tree = ast.parse(text)
    for function in functions(tree):
        assert body_lines(function) <= MAX_FUNCTION, function.name
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef) and ours:
            public = [item for item in node.body if isinstance(item, ast.FunctionDef)
                      and not item.name.startswith("_")]  # fmt: skip
            assert len(public) <= MAX_METHODS, node.name


def test_no_junk_drawers() -> None:
    names = {part.removesuffix(".py") for path in SOURCES for part in path.relative_to(ROOT).parts}
    assert not names & JUNK_DRAWERS


@pytest.mark.parametrize("module", ["smtp_desk.cli.main", "smtp_desk.app.integrations.presenter"])
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
