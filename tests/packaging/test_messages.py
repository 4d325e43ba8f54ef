"""The template has every text of the program; a language is offered when it is complete."""

from __future__ import annotations

import runpy
from pathlib import Path
from typing import Any, Final

import pytest
from babel.messages.catalog import Catalog, Message
from babel.messages.pofile import read_po

from smtp_desk.core.translation import ENGLISH, OFFERED, names_in
from tests.table import each_row

_PACKAGING: Final = Path(__file__).resolve().parents[2] / "packaging"


@pytest.fixture(scope="module")
def messages() -> dict[str, Any]:
    return runpy.run_path(str(_PACKAGING / "messages.py"))


@pytest.fixture(scope="module")
def texts(messages: dict[str, Any]) -> Catalog:
    found: Catalog = messages["collect"]()
    return found


def keys(catalogue: Catalog) -> set[tuple[str | None, str]]:
    return {(each.context, str(each.id)) for each in catalogue if each.id}


def read(path: Path) -> Catalog:
    with path.open("rb") as file:
        return read_po(file, locale=None if path.suffix == ".pot" else path.stem)


def test_the_template_is_as_new_as_the_program(messages: dict[str, Any], texts: Catalog) -> None:
    """Else run `make messages`."""
    assert keys(read(messages["TEMPLATE"])) == keys(texts)


def test_texts_come_from_code_and_findings(texts: Catalog) -> None:
    assert len(keys(texts)) > 700
    for text in ("Enter an email address.", "The server refused the username or password."):
        assert text in texts
    assert texts["{count} email"].id == ("{count} email", "{count} emails")


@each_row(
    ("source", "found"),
    [
        ('_("It is on.")', ("It is on.", [], None)),
        ("a = f\"{_('It is on.')} {b}\"", ("It is on.", [], None)),
        ('mark("{n} is on.", n=f"{n:g}")', ("{n} is on.", [], None)),
        (
            'plural("{count} day", "{count} days", days)',
            (("{count} day", "{count} days"), [], None),
        ),
        ('pgettext("a switch", "on")', ("on", [], "a switch")),
        ('# Translators: a\n# lamp.\n_("It is on.")', ("It is on.", ["a", "lamp."], None)),
        ('# A lamp.\n_("It is on.")', ("It is on.", [], None)),
        ("_(english)", None),
        ('say("It is on.")', None),
    ],
)
def test_what_translators_get_of_a_line(
    messages: dict[str, Any], source: str, found: tuple[object, ...] | None
) -> None:
    assert list(messages["texts_in"](source)) == ([found] if found else [])


def test_what_an_english_count_says_is_said_of_one_alike(texts: Catalog) -> None:
    for each in texts:
        if isinstance(each.id, tuple):
            one, many = map(names_in, each.id)
            assert one - {"count"} == many - {"count"}, each.id


@pytest.mark.parametrize("code", sorted(OFFERED.keys() - {ENGLISH}) or [""])
def test_a_language_is_offered_when_it_is_complete(
    messages: dict[str, Any], texts: Catalog, code: str
) -> None:
    if not code:
        pytest.skip("no other language is offered yet")
    catalogue = read(messages["TRANSLATIONS"] / f"{code}.po")
    assert problems(catalogue, texts) == []


def problems(catalogue: Catalog, texts: Catalog) -> list[str]:
    found = []
    for text in (each for each in texts if each.id):
        said = catalogue.get(text.id, text.context)
        told = () if said is None else forms(said.string)
        if said is None or not told or not all(told):
            found.append(f"missing: {text.id}")
        elif said.fuzzy:
            found.append(f"fuzzy: {text.id}")
        elif any(names_in(form) != wanted(text, form) for form in told):
            found.append(f"placeholders: {text.id}")
    return found


def forms(text: str | tuple[str, ...] | list[str] | None) -> tuple[str, ...]:
    return (text,) if isinstance(text, str) else tuple(text or ())


def wanted(text: Message, form: str) -> frozenset[str]:
    """The names of facts; where there is a count, a form may say it in a word."""
    names = names_in(forms(text.id)[-1])
    return names - ({"count"} - names_in(form) if text.pluralizable else set())


def test_what_makes_a_language_incomplete_is_found() -> None:
    texts, german = Catalog(), Catalog(locale="de")
    for each in (
        "{host} is down",
        "Save",
        "Send",
        "{port} is open",
        ("{count} of {all}", "{count}s of {all}"),
    ):
        texts.add(each)
    german.add("{host} is down", "{hots} ist aus")
    german.add("Save", "Sichern", flags=["fuzzy"])
    german.add("Send", "")
    german.add("{port} is open", "{port} ist offen")
    german.add(("{count} of {all}", "{count}s of {all}"), ("eins von {all}", "{count} von {alle}"))
    assert [each.partition(":")[0] for each in problems(german, texts)] == [
        "placeholders", "fuzzy", "missing", "placeholders",
    ]  # fmt: skip
