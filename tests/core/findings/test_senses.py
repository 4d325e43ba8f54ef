"""Wordings that no row knows, by the things that they speak of."""

import tomllib
from typing import Final

import pytest

from smtp_desk.core.errors import SmtpFailure
from smtp_desk.core.stages import Stage
from tests.core import replies
from tests.table import each_row

_CATALOGUE: Final = replies.load_catalogue()
_SENSES: Final = replies.load_senses()
_TABLES: Final = [tomllib.loads(text) for text in replies.texts("senses")]
_CIRCUMSTANCES: Final = {
    "4xx",
    "5xx",
    *(f"at_{stage}" for stage in Stage),
    "number",
    "name",
    "count",
}


def _code(stage: Stage, said: str) -> str:
    return _CATALOGUE.find(SmtpFailure(stage, reply=replies.reply_of(said)), {}).code


@each_row(
    ("stage", "said", "code"),
    [
        (Stage.SENDER, "550 You must send from an address of your account", "sender.not_owned"),
        (Stage.SENDER, "550 None of your identities is this sender", "sender.not_owned"),
        (Stage.MESSAGE, "550 Ownership of the domain was not shown", "sender.not_verified"),
        (Stage.SENDER, "550 Your company was not onboarded", "sender.account_restricted"),
        (Stage.RECIPIENT, "550 Your machine has low trust here", "sender.blocked"),
        (Stage.MESSAGE, "550 All emails of this month have been consumed", "sender.quota"),
        (Stage.RECIPIENT, "550 We don't forward mail for others", "recipient.relay_denied"),
        (Stage.RECIPIENT, "550 The addressee could not be located", "recipient.unknown"),
        (Stage.RECIPIENT, "451 You are new here, come back soon", "recipient.greylisted"),
        (Stage.MESSAGE, "554 A naked LF was found", "message.malformed"),
        (Stage.AUTH, "535 Nobody with these credentials could log on", "auth.rejected"),
        (Stage.AUTH, "535 Basic sign-on is switched off", "auth.basic_retired"),
    ],
)
def test_words_in_any_order(stage: Stage, said: str, code: str) -> None:
    assert _code(stage, said) == code


def test_things_of_two_sentences_are_not_put_together() -> None:
    assert _code(Stage.SENDER, "550 No. Sender. Identities.") == "sender.refused"


def test_two_causes_name_none() -> None:
    said = "550 The sender has no such identity and your machine low trust"
    assert _code(Stage.SENDER, said) == "sender.refused"


@pytest.mark.parametrize(
    "said",
    [
        "550 The sender of this list is none of the identities",
        "550 You must not send from an address of that country",
        "550 your callout for the sender has no identity",
    ],
)
def test_what_no_sense_is_about_is_left_alone(said: str) -> None:
    assert _code(Stage.SENDER, said) == "sender.refused"


def test_a_sense_of_one_class_of_replies_is_none_of_the_other() -> None:
    assert _code(Stage.RECIPIENT, "451 We don't forward mail") == "recipient.temporary"


def test_the_longest_phrase_counts() -> None:
    assert "spam" not in _SENSES.things("return path")
    assert "sender" in _SENSES.things("the return path")
    assert "sender" not in _SENSES.things("a path to return")


def test_each_code_is_known_and_each_sense_has_words() -> None:
    for table in _TABLES:
        known = {*table["things"], *_CIRCUMSTANCES}
        for code, senses in table["senses"].items():
            assert code in _CATALOGUE.codes
            for sense in filter(None, senses.splitlines()):
                things = {thing.removeprefix("-") for thing in sense.split()}
                assert things <= known, (code, sense)
                assert len(things) > 1, (code, sense)


def test_each_thing_stands_in_a_sense() -> None:
    for table in _TABLES:
        used = {
            thing.removeprefix("-")
            for senses in table["senses"].values()
            for thing in senses.split()
        }
        assert set(table["things"]) - used == {"other", "listing"}
