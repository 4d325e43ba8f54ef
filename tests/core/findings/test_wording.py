"""Texts read well whatever is known."""

from smtp_desk.core.findings.catalogue import cause
from smtp_desk.core.findings.wording import Condition, Wording, fill
from smtp_desk.core.stages import Facts, Json
from smtp_desk.core.translation import _
from smtp_desk.store.resources import read_catalogue
from tests.pseudo import speaking_pseudo, untranslated
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


def test_every_sentence_of_every_finding_can_be_translated() -> None:
    catalogue = read_catalogue()
    addresses: list[Json] = [
        {"address": f"192.0.2.{number}", "result": "not tried"} for number in range(7)
    ]
    facts: dict[str, Json] = {
        "host": "192.0.2.1",
        "port": 587,
        "addresses": addresses,
        "violation": "not_a_reply",
        "form_problems": [{"problem": "key_usage_missing", "certificate": "2.5.4.3"}],
    }
    with speaking_pseudo():
        for entry in catalogue.entries:
            found = cause(catalogue, entry.code, facts)
            for text in (found.summary, found.explanation, *(each.text for each in found.remedies)):
                shown = _(text).replace("(⟦", "⟦").replace("⟧)", "⟧")
                assert not text or not untranslated(shown), f"{entry.code}: {shown}"


def test_a_list_says_how_much_more_there_is_in_the_language_in_use() -> None:
    text = fill("Tried {tried}.", {"tried": [f"192.0.2.{number}" for number in range(7)]})
    assert text == "Tried 192.0.2.0, 192.0.2.1, 192.0.2.2, 192.0.2.3, 192.0.2.4 and 2 more."
    with speaking_pseudo():
        assert not untranslated(_(text))
