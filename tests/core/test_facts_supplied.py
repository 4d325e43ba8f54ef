"""Every fact that a text, a change or a condition of the catalogue asks for is found out somewhere.

A placeholder that nobody fills would be a remedy that is never offered: no other test sees that.
"""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from smtp_desk.core.findings.wording import placeholders
from tests.core import replies
from tests.table import each_row

_ROOT: Final = Path(__file__).parent.parent.parent / "smtp_desk"
# Where facts are found out; the faces only show them.
_FINDERS: Final = ("core", "smtp", "app", "sender", "store")
_CATALOGUE: Final = replies.load_catalogue()


def _names_given(tree: ast.AST) -> Iterator[str]:
    """Yield the keys of dictionaries, keywords of calls, and what is assigned by a key."""
    for node in ast.walk(tree):
        match node:
            case ast.Dict():
                keys = [key for key in node.keys if isinstance(key, ast.Constant)]
                yield from (key.value for key in keys if isinstance(key.value, str))
            case ast.Call():
                yield from (keyword.arg for keyword in node.keywords if keyword.arg)
            case ast.Subscript(slice=ast.Constant(value=str() as name), ctx=ast.Store()):
                yield name


def _supplied() -> set[str]:
    names: set[str] = set()
    for folder in _FINDERS:
        for path in (_ROOT / folder).rglob("*.py"):
            names.update(_names_given(ast.parse(path.read_text("utf-8"))))
    for entry in _CATALOGUE.entries:
        names.update(name for row in entry.replies for name in row.facts)
    for provider in _CATALOGUE._providers.all:
        names.update(provider.facts)
    return names


@pytest.fixture(scope="module")
def supplied() -> set[str]:
    return _supplied()


@each_row("code", sorted(_CATALOGUE.codes))
def test_what_a_row_asks_for_is_supplied(supplied: set[str], code: str) -> None:
    entry = _CATALOGUE._entry(code)
    wordings = [entry.summary, entry.explanation, *(remedy.text for remedy in entry.remedies)]
    parts = [part for wording in wordings for sentence in wording.sentences for part in sentence]
    asked = {name for part in parts for name in placeholders(part.text)}
    conditions = [
        *(part.condition for part in parts),
        *(remedy.condition for remedy in entry.remedies),
        *(condition for _, condition in entry.who_if),
        *(condition for _, condition in entry.scope_if),
        *(row.condition for row in entry.replies),
    ]
    for condition in conditions:
        asked |= condition.when.keys() | condition.unless.keys()
    for remedy in entry.remedies:
        asked |= {name for text in remedy.changes.values() for name in placeholders(text)}
    assert asked - supplied == set()
