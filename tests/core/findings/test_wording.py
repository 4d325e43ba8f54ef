"""Texts read well whatever is known."""

from smtp_desk.core.findings.wording import Condition, Wording, fill
from smtp_desk.core.stages import Facts
from tests.table import each_row


@each_row(
    ("facts", "text"),
    [
        ({}, "A. Z."),
        ({"host": "h"}, "A. On h. Z."),
        ({"host": "h", "port": 25}, "A. On h, 25. Z."),
        ({"host": "h", "port": ""}, "A. On h. Z."),
        ({"last": ["Yes", "x"]}, "A. Y."),
    ],
)
def test_sentences_and_alternatives(facts: Facts, text: str) -> None:
    last = {"text": "Y.", "when": {"last": "yes"}}
    assert (
        Wording.parse(["A.", ["On {host}, {port}.", "On {host}."], [last, "Z."]]).fill(facts)
        == text
    )


@each_row(
    ("value", "shown"),
    [
        (5, "5"),
        (0, "0"),
        (["a", "b"], "a, b"),
        (["a", "b", "c", "d", "e", "f", "g"], "a, b, c, d, e and 2 more"),
        ("two\n lines", "two lines"),
        ("{x}", "{x}"),
        ("y" * 300, "y" * 199 + "…"),
        (None, None),
        (True, None),
        ({}, None),
        ([], None),
        (" ", None),
    ],
)
def test_fill(value: Facts | None, shown: str | None) -> None:
    assert fill("{x}", {"x": value}) == shown  # type: ignore[dict-item]  # any JSON


@each_row(
    ("condition", "facts", "holds"),
    [
        ({"when": {"a": True}}, {"a": "x"}, True),
        ({"when": {"a": True}}, {"a": ""}, False),
        ({"when": {"a": False}}, {}, False),
        ({"when": {"a": False}}, {"a": ""}, True),
        ({"when": {"a": "X"}}, {"a": "x"}, True),
        ({"when": {"a": ["x", "y"]}}, {"a": "y"}, True),
        ({"when": {"a": "x"}}, {"a": ["x", "z"]}, True),
        ({"when": {"a": "25"}}, {"a": 25}, True),
        ({"unless": {"a": True}}, {}, True),
        ({"unless": {"a": "x", "b": True}}, {"b": 1}, False),
        ({"when": {"a": True}, "unless": {"b": True}}, {"a": 1, "b": 1}, False),
    ],
)
def test_condition(condition: dict[str, Facts], facts: Facts, *, holds: bool) -> None:
    assert Condition.parse(condition).holds(facts) is holds
