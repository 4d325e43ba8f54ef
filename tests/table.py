"""A table of many cheap rows is one test, which names each row that fails."""

from __future__ import annotations

import functools
import inspect
from typing import TYPE_CHECKING, Any, TypeVar

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from _pytest.mark import ParameterSet

R = TypeVar("R")


def each_row(
    names: str | Sequence[str],
    rows: Iterable[Any],
    *,
    ids: Iterable[object] | Callable[[Any], object] | None = None,
) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Run a test on each row, as `pytest.mark.parametrize` does, but as one test.

    pytest spends more on a test than a cheap row takes. All rows run; those that fail come
    together in one group of exceptions, which has their names. They share the test's fixtures:
    rows that change something need `parametrize`.
    """
    arguments = [name.strip() for name in names.split(",")] if isinstance(names, str) else names
    table = list(_named(arguments, rows, ids))
    assert table, f"no rows of {names}"

    def decorate(test: Callable[..., None]) -> Callable[..., None]:
        @functools.wraps(test)
        def run(*args: object, **fixtures: object) -> None:
            failed: dict[str, BaseException] = {}
            for name, row in table:
                try:
                    test(*args, **fixtures, **row)
                except (Exception, pytest.fail.Exception) as error:  # noqa: BLE001 - all are told
                    error.add_note(f"row: {name}")
                    failed[name] = error
            if failed:
                told = f"{len(failed)} of {len(table)} rows fail: {'; '.join(failed)}"
                raise BaseExceptionGroup(told, list(failed.values()))

        signature = inspect.signature(test)
        wanted = [each for each in signature.parameters.values() if each.name not in arguments]
        run.__signature__ = signature.replace(parameters=wanted)  # type: ignore[attr-defined]
        return run

    return decorate


def _named(
    arguments: Sequence[str],
    rows: Iterable[Any],
    ids: Iterable[object] | Callable[[Any], object] | None,
) -> Iterator[tuple[str, dict[str, Any]]]:
    given = None if ids is None or callable(ids) else iter(ids)
    for number, row in enumerate(rows):
        values, name = _values(row, single=len(arguments) == 1)
        if given:
            name = str(next(given))
        elif name is None:
            told = (ids(value) if callable(ids) else None for value in values)
            name = ", ".join(
                str(said or repr(value)[:100]) for said, value in zip(told, values, strict=True)
            )
        yield f"{number} {name}", dict(zip(arguments, values, strict=True))


def _values(row: Any, *, single: bool) -> tuple[Sequence[Any], str | None]:  # noqa: ANN401
    """Return the values of a row, and its name if it was given one."""
    if isinstance(row, type(pytest.param())):
        given: ParameterSet = row
        assert not given.marks, "a row with a mark needs a test of its own"
        return given.values, str(given.id) if given.id else None
    return ((row,) if single else row), None
