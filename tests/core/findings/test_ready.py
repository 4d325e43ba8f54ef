"""The tables that the build has made ready: the same as the TOML, whatever happened to them."""

from __future__ import annotations

import json
import tomllib
from typing import TYPE_CHECKING

import pytest

from smtp_desk.core.findings import ready
from smtp_desk.core.findings.catalogue import Catalogue
from smtp_desk.core.findings.making import make_ready
from smtp_desk.core.findings.ready import ReadyTables
from smtp_desk.store.resources import READY, read_catalogue, read_maker, read_texts, resource_path
from tests.core import replies

if TYPE_CHECKING:
    from collections.abc import Callable

    from smtp_desk.core.findings.ready import Tables

_TEXT = '[a]\nb = "é"\n[c]\nreplies = []\n'
_MAKER = "code"


@pytest.fixture
def toml(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The texts that were read as TOML, from now on."""
    read: list[str] = []

    def loads(text: str) -> Tables:
        read.append(text)
        return tomllib.loads(text)

    monkeypatch.setattr(ready, "tomllib", type("watched", (), {"loads": staticmethod(loads)}))
    return read


def test_what_is_ready_is_not_read_as_toml(toml: list[str]) -> None:
    made = make_ready([_TEXT], _MAKER)
    toml.clear()

    assert ReadyTables(lambda: (made.encode(), _MAKER)).load(_TEXT) == tomllib.loads(_TEXT)
    assert ReadyTables(lambda: (made.encode(), "")).load(_TEXT) == tomllib.loads(_TEXT)
    assert not toml


@pytest.mark.parametrize(
    "damage",
    [
        lambda made: "",
        lambda made: made[: len(made) // 2],
        lambda made: made[:-1],
        lambda made: made.replace("{", "["),
        lambda made: made[: made.index("{")] + "[]",
        lambda made: made[: made.index("{")] + "null",
        lambda made: made[: made.index("{")] + "[" * 100_000,
        lambda made: made.replace("\n", " "),
        lambda made: "\n" + made,
        lambda made: made.replace("é", "\0"),
    ],
)
def test_what_is_damaged_is_read_as_toml(damage: Callable[[str], str], toml: list[str]) -> None:
    made = damage(make_ready([_TEXT], _MAKER))
    toml.clear()

    assert ReadyTables(lambda: (made.encode(), _MAKER)).load(_TEXT) == tomllib.loads(_TEXT)
    assert toml == [_TEXT]


def test_a_changed_text_and_changed_code_are_read_anew(toml: list[str]) -> None:
    made = make_ready([_TEXT], _MAKER)
    toml.clear()

    assert ReadyTables(lambda: (made.encode(), _MAKER)).load(_TEXT + "d = 1") != tomllib.loads(
        _TEXT
    )
    assert ReadyTables(lambda: (made.encode(), "other code")).load(_TEXT) == tomllib.loads(_TEXT)
    assert toml == [_TEXT + "d = 1", _TEXT]


def test_the_build_has_made_the_tables_ready(toml: list[str]) -> None:
    made = resource_path(READY).read_bytes()
    tables = ReadyTables(lambda: (made, read_maker()))

    for folder in ("findings", "languages", "providers", "senses"):
        for text in read_texts(folder):
            tables.load(text)
    assert not toml, "out of date: run make venv"


def test_they_are_the_same_each_time_and_plain_json() -> None:
    texts = read_texts("findings")

    made = make_ready(texts, _MAKER)
    assert made == make_ready(texts, _MAKER)
    assert all(json.loads(line.partition(" ")[2]) for line in made.splitlines()[1:])


def test_a_ready_catalogue_says_what_the_texts_say() -> None:
    """The verdicts over all collections are tested with the texts themselves."""
    quick, slow = read_catalogue(), replies.load_catalogue()
    sample = [*replies.examples(*replies.FILES)][::40]

    def said(catalogue: Catalogue) -> list[list[tuple[object, str]]]:
        return [
            [
                (match.rank, match.row.finding)
                for match in catalogue.matches(each.stage, each.reply, each.context)
            ]
            for each in sample
        ]

    assert said(quick) == said(slow)
    assert quick.codes == slow.codes
