"""The rules of the house that no other tool holds: sizes, names, circles, what loads when."""

import ast
import io
import subprocess
import sys
import tokenize
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Final

import grimp
import pytest

from tests.table import each_row

ROOT = Path(__file__).resolve().parent.parent
MAX_FILE, MAX_TESTS, MAX_FUNCTION, MAX_METHODS = 300, 340, 50, 15
JUNK_DRAWERS = {"utils", "util", "helpers", "helper", "common", "manager", "misc"}

SOURCES = sorted(
    path for folder in ("smtp_desk", "tests") for path in (ROOT / folder).rglob("*.py")
    if "node_modules" not in path.parts
)  # fmt: skip

PROGRAM = [path for path in SOURCES if path.is_relative_to(ROOT / "smtp_desk")]

_PAGE: Final = "one a page"
_COMMAND: Final = "the command, and what it is about"
SAME_FILE_NAMES: Final = {
    "action_bar": _PAGE,
    "faults": "those of the program that the window shows, and those that the sandbox plays",
    "form": _PAGE,
    "presenter": _PAGE,
    "state": _PAGE,
    "view": _PAGE,
    "words": _PAGE,
    "delivery": "one page: what it decides in app, what it shows in ui",
    "diagnostics": "as delivery",
    "email_types": "as delivery",
    "integrations": "as delivery",
    "general": "as delivery",
    "oauth": "its settings in core, and the wing that gets tokens by them",
    "arrived": "the command, the header that it reads, and the page",
    "check": _COMMAND,
    "default": _COMMAND,
    "outbox": _COMMAND,
    "proof": _COMMAND,
    "report": _COMMAND,
    "sandbox": _COMMAND + ", and its window",
    "saved": _COMMAND,
    "sendmail": _COMMAND,
    "sign_in": _COMMAND,
    "status": _COMMAND,
    "worker": _COMMAND + ", and the thread of a window that works",
    "handover": "what sendmail and worker say to each other, and sendmail's side of it",
    "domain": "the facts of a domain, and the use case that asks for them",
    "routes": "the routes, and the use cases about them",
    "rows": "of the outbox's table, and of Delivery's",
    "smtp": "the protocol, and the route that speaks it",
}
"""File names that stand twice: why that is one concept. No new one without such a reason."""

SAME_CLASS_NAMES: Final = {
    "ActionBar": _PAGE,
}
"""As `SAME_FILE_NAMES`, of classes."""

SAME_FUNCTION_NAMES: Final = {
    "encode": "values to a file of the store, one a format",
    "decode": "as encode",
    "main": "of the program, and of its command line",
}
"""As `SAME_FILE_NAMES`, of public functions that are no commands."""


def statements(tree: ast.AST) -> Iterator[ast.AST]:
    """Every statement, however deep: expressions, most of a tree, hold none."""
    for part in ("body", "orelse", "finalbody", "handlers", "cases"):
        for node in getattr(tree, part, ()):
            yield node
            yield from statements(node)


def body_lines(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Lines of a function from its `def` on, its docstring not counted."""
    docstring = ast.get_docstring(function, clean=False)
    spent = docstring.count("\n") + 1 if docstring else 0
    return (function.end_lineno or 0) - function.lineno + 1 - spent


def code_lines(text: str, tree: ast.Module) -> int:
    """Lines of code: docstrings, comments, imports and blank lines are free."""
    free = set[int]()
    for node in (tree, *statements(tree)):
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


@each_row("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_size_budget(path: Path) -> None:
    text = path.read_text("utf-8")
    ours = path.is_relative_to(ROOT / "smtp_desk")
    budget, tree = MAX_FILE if ours else MAX_TESTS, ast.parse(text)
    # Most files have not even that many lines of any kind.
    assert text.count("\n") < budget or code_lines(text, tree) <= budget
    for node in statements(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            assert body_lines(node) <= MAX_FUNCTION, node.name
        elif isinstance(node, ast.ClassDef) and ours:
            public = [item for item in node.body if isinstance(item, ast.FunctionDef)
                      and not item.name.startswith("_")]  # fmt: skip
            assert len(public) <= MAX_METHODS, node.name


def test_no_junk_drawers() -> None:
    names = {part.removesuffix(".py") for path in SOURCES for part in path.relative_to(ROOT).parts}
    assert not names & JUNK_DRAWERS


def circles(imports: grimp.ImportGraph) -> Iterable[str]:
    """Return the modules that import themselves round about, late and for types included."""
    for module in imports.modules:
        above, below = (
            imports.find_downstream_modules(module),
            imports.find_upstream_modules(module),
        )
        if above & below:
            yield module


def test_no_circle_of_imports() -> None:
    imports = grimp.build_graph("smtp_desk", cache_dir=None)
    assert set(circles(imports)) == set()


def test_circles_are_found_however_they_are_imported(tmp_path: Path) -> None:
    late = "def call():\n    from circular import b\n"
    typed = "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import circular.c\n"
    folder = tmp_path / "circular"
    folder.mkdir()
    for name, text in {"__init__": "", "a": late, "b": typed, "c": "from circular.a import call",
                       "d": "import circular.a"}.items():  # fmt: skip
        (folder / f"{name}.py").write_text(text, "utf-8")
    program = (
        "import grimp; from tests.test_architecture import circles;"
        "print(*sorted(circles(grimp.build_graph('circular', cache_dir=None))))"
    )
    found = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, check=True, timeout=60, capture_output=True,
        text=True, env={"PYTHONPATH": f"{tmp_path}:{ROOT}"},
    )  # fmt: skip
    assert found.stdout.split() == ["circular.a", "circular.b", "circular.c"]


def twice(homes: Mapping[str, set[Path]]) -> set[str]:
    return {name for name, places in homes.items() if len(places) > 1}


def test_no_file_name_stands_twice_but_for_one_concept() -> None:
    homes = defaultdict[str, set[Path]](set)
    for path in PROGRAM:
        home = path.parent if path.stem == "__init__" else path.with_suffix("")
        # A folder and the file of its name in it are one thing.
        homes[home.name].add(home.parent if home.parent.name == home.name else home)
    assert twice(homes) == set(SAME_FILE_NAMES)


def is_command(function: ast.FunctionDef) -> bool:
    decorators = map(ast.unparse, function.decorator_list)
    return any("command" in each or "group" in each for each in decorators)


def test_modules_say_what_they_are_for_and_no_name_stands_twice_but_for_one_concept() -> None:
    classes, functions = (defaultdict[str, set[Path]](set) for _ in range(2))
    silent = []
    for path in PROGRAM:
        module = ast.parse(path.read_text("utf-8"))
        if not ast.get_docstring(module):
            silent.append(str(path))
        for node in module.body:
            if isinstance(node, ast.ClassDef):
                classes[node.name].add(path)
            elif (
                isinstance(node, ast.FunctionDef)
                and not node.name.startswith("_")
                and not is_command(node)
            ):
                functions[node.name].add(path)
    assert twice(classes) == set(SAME_CLASS_NAMES)
    assert twice(functions) == set(SAME_FUNCTION_NAMES)
    assert silent == [], "every module says what it is for"


@pytest.mark.usefixtures("unmeasured")
def test_nothing_is_loaded_before_the_first_paint_but_an_empty_window() -> None:
    code = (
        "import sys, smtp_desk.ui.application;"
        "print(*(name for name in sys.modules if name.startswith('smtp_desk')));"
        "sys.exit(any(name in sys.modules for name in ('ssl', 'sqlite3', 'email', 'jinja2')))"
    )
    run = subprocess.run(
        [sys.executable, "-c", code], check=True, timeout=60, capture_output=True, text=True
    )
    window = {"application", "desk", "main_window"}
    assert set(run.stdout.split()) == {"smtp_desk", "smtp_desk.ui"} | {
        f"smtp_desk.ui.{name}" for name in window
    }


@pytest.mark.parametrize("module", ["smtp_desk.cli.main", "smtp_desk.app.integrations.presenter"])
def test_no_face_but_the_window_loads_qt(module: str) -> None:
    code = (
        f"import sys, {module}; sys.exit(any(name.startswith('PySide6') for name in sys.modules))"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
