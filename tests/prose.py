"""The texts for people in a module that no translator has seen: what isn't marked."""

from __future__ import annotations

import ast
import re
from typing import Final

MARKING: Final = {"_", "mark", "plural", "pgettext"}
_OF_PROGRAMMERS: Final = {
    *(
        "AssertionError",
        "KeyError",
        "LookupError",
        "NotImplementedError",
        "OSError",
        "RuntimeError",
    ),
    *("ConnectionAbortedError", "TimeoutError", "TypeError", "ValueError"),
}
_LOGGING: Final = {"debug", "info", "warning", "error", "exception", "critical", "log"}
_LOGS: Final = {"_log", "log", "logger", "logging"}
_MACHINES: Final = {
    *("compile", "execute", "executemany", "setStyleSheet", "add_argument"),
    *("show_command", "SubmitAnswer"),  # a command line, and a reply of SMTP
}
_PROSE: Final = re.compile(r"[A-Za-z’]{2,}[,.;:?!…”)]* [“(]?[A-Za-z’]{2,}")
_CODE: Final = re.compile(
    r"\\|\(\?|^\s*(?:SELECT|INSERT|UPDATE|DELETE|CREATE|ALTER|DROP|BEGIN|PRAGMA|WITH|FROM|WHERE|"
    r"AND|OR|SET|VALUES|ORDER|ON|UNION|NOTIFY|LISTEN|GRANT|LIMIT|RETURNING)\b|[{;]\s*\w[\w-]*:|"
    r"^[2-5]\d\d[ -]|^(?:smtp-desk|sudo) \w|^[A-Z_]+,? [A-Z_]+$|^bold [a-z]+$|"
    r"^SMTP Desk (?:— Sandbox|\{\}|%\(version\)s)$|^Example Ltd$"
)


def unmarked(source: str) -> list[tuple[int, str]]:
    """Return the line and the text of prose that stands in no call of `_`, `mark` or `plural`.

    An f-string, or text that is put together, in such a call is none that a translator sees.
    """
    found = _Unmarked()
    found.visit(ast.parse(source))
    return found.texts


class _Unmarked(ast.NodeVisitor):
    def __init__(self) -> None:
        self.texts: list[tuple[int, str]] = []

    def visit_Expr(self, node: ast.Expr) -> None:
        if not isinstance(node.value, ast.Constant):  # a docstring
            self.generic_visit(node)

    def visit_Call(self, node: ast.Call) -> None:
        name = _name(node.func)
        owner = _name(node.func.value) if isinstance(node.func, ast.Attribute) else ""
        if name in MARKING:
            for argument in node.args:
                if not isinstance(argument, ast.Constant):
                    self.visit(argument)
            for keyword in node.keywords:
                self.visit(keyword.value)
        elif name not in _MACHINES and not (name in _LOGGING and owner in _LOGS):
            self.generic_visit(node)

    def visit_keyword(self, node: ast.keyword) -> None:
        if node.arg == "examples" and isinstance(node.value, ast.List):
            for example in node.value.elts:  # what it does, and the command line
                self.visit(example.elts[0] if isinstance(example, ast.Tuple) else example)
        else:
            self.visit(node.value)

    def visit_Raise(self, node: ast.Raise) -> None:
        if not (isinstance(node.exc, ast.Call) and _name(node.exc.func) in _OF_PROGRAMMERS):
            self.generic_visit(node)

    def visit_JoinedStr(self, node: ast.JoinedStr) -> None:
        parts = [part.value if isinstance(part, ast.Constant) else "{}" for part in node.values]
        self._take(node, "".join(map(str, parts)))
        for part in node.values:
            if isinstance(part, ast.FormattedValue):
                self.visit(part.value)

    def visit_Constant(self, node: ast.Constant) -> None:
        if isinstance(node.value, str):
            self._take(node, node.value)

    def _take(self, node: ast.expr, text: str) -> None:
        if _PROSE.search(text) and not _CODE.search(text):
            self.texts.append((node.lineno, text))


def _name(node: ast.expr) -> str:
    if isinstance(node, ast.Name):
        return node.id
    return node.attr if isinstance(node, ast.Attribute) else ""
