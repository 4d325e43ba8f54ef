"""A table that is one test still names each row that fails, and takes a table as pytest does."""

from __future__ import annotations

import inspect

import pytest

from tests.table import each_row


def test_every_row_that_fails_is_named_and_shown() -> None:
    @each_row("number", range(5))
    def even(number: int) -> None:
        assert number % 2 == 0, f"{number} is odd"

    with pytest.RaisesGroup(AssertionError, AssertionError) as caught:
        even()
    assert caught.value.message == "2 of 5 rows fail: 1 1; 3 3"
    assert [error.__notes__ for error in caught.value.exceptions] == [["row: 1 1"], ["row: 3 3"]]
    assert str(caught.value.exceptions[1]).startswith("3 is odd")


def test_any_exception_is_a_failure_of_its_row() -> None:
    @each_row("kind", [ValueError, KeyError, None])
    def raises(kind: type[Exception] | None) -> None:
        if kind is ValueError:
            with pytest.raises(KeyError):
                pass
        elif kind:
            raise kind

    with pytest.raises(BaseExceptionGroup) as caught:
        raises()
    assert [type(error) for error in caught.value.exceptions] == [pytest.fail.Exception, KeyError]


def test_rows_have_names_as_pytest_takes_them() -> None:
    def fails(**row: int) -> None:
        raise ValueError(row)

    def names(test: object) -> str:
        assert callable(test)
        with pytest.raises(ExceptionGroup) as caught:
            test()
        return str(caught.value.message.partition(": ")[2])

    assert names(each_row("a, b", [(1, 2), (3, 4)])(fails)) == "0 1, 2; 1 3, 4"
    assert names(each_row(("a", "b"), [(1, 2)], ids=["one"])(fails)) == "0 one"
    assert names(each_row("a", [1, 2], ids=lambda a: f"<{a}>")(fails)) == "0 <1>; 1 <2>"
    assert names(each_row("a", [pytest.param(1, id="one"), 2])(fails)) == "0 one; 1 2"
    assert names(each_row("a", ["x" * 1000])(fails)) == "0 '" + "x" * 99


def test_tables_within_a_table_run_each_row_of_both() -> None:
    seen = []

    @each_row("a", [1, 2])
    @each_row("b", [3, 4])
    def see(a: int, b: int) -> None:
        seen.append((a, b))

    see()
    assert seen == [(1, 3), (1, 4), (2, 3), (2, 4)]


@pytest.mark.parametrize("outer", ["outer"])
@each_row("inner", ["a", "b"])
def test_fixtures_and_parameters_come_from_pytest(
    outer: str, inner: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    assert (outer, inner in {"a", "b"}) == ("outer", True)
    assert tmp_path_factory.getbasetemp().is_dir()


class TestInAClass:
    @each_row("number", [1, 2])
    def test_it_is_a_method(self, number: int) -> None:
        assert isinstance(self, TestInAClass)
        assert number in {1, 2}


def test_an_empty_table_and_a_row_with_a_mark_are_refused() -> None:
    with pytest.raises(AssertionError, match="no rows of a"):
        each_row("a", [])
    with pytest.raises(AssertionError, match="a test of its own"):
        each_row("a", [pytest.param(1, marks=pytest.mark.soak)])


def test_pytest_is_not_asked_for_what_the_table_has() -> None:
    @each_row("a", [1])
    def test(a: int, page: object) -> None: ...

    assert list(inspect.signature(test).parameters) == ["page"]
