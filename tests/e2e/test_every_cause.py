"""Every code of the catalogue is produced by a test of this folder, and none is invented.

A code counts where a test bears `@pytest.mark.cause(code, ...)` and takes the fixture `cause`,
which fails a test whose report does not name that code.
"""

from __future__ import annotations

import csv
import importlib
import inspect
from collections.abc import Iterator
from pathlib import Path
from types import FunctionType
from typing import Final

from tests.table import each_row

_HERE: Final = Path(__file__).parent
_CATALOGUE: Final = _HERE.parent / "core" / "findings.csv"


def _codes() -> set[str]:
    rows = csv.DictReader(_CATALOGUE.read_text("utf-8").splitlines())
    return {row["code"] for row in rows}


def _tests() -> Iterator[FunctionType]:
    for file in sorted(_HERE.glob("test_*.py")):
        yield from _tests_in(importlib.import_module(f"tests.e2e.{file.stem}"))


def _tests_in(home: object) -> Iterator[FunctionType]:
    for name, part in vars(home).items():
        if isinstance(part, FunctionType) and name.startswith("test_"):
            yield part
        elif isinstance(part, type) and name.startswith("Test"):
            yield from _tests_in(part)


def _marked(test: FunctionType) -> Iterator[str]:
    """The codes of a test's markers, those of its parameters among them."""
    for mark in getattr(test, "pytestmark", ()):
        if mark.name == "cause":
            yield mark.args[0]
        elif mark.name == "parametrize":
            for values in mark.args[1]:
                of_values = getattr(values, "marks", ())
                yield from (each.args[0] for each in of_values if each.name == "cause")


_MARKED: Final = [(code, test) for test in _tests() for code in _marked(test)]
_PRODUCED: Final = {code for code, _ in _MARKED}


@each_row("code", sorted(_codes()))
def test_is_produced(code: str) -> None:
    assert code in _PRODUCED


def test_no_marker_names_a_code_that_does_not_exist() -> None:
    assert not _PRODUCED - _codes()


def test_a_marked_test_is_held_to_its_marker() -> None:
    for code, test in _MARKED:
        assert "cause" in inspect.signature(test).parameters, (code, test.__qualname__)
