"""Texts in the language of the process, filled with facts."""

from __future__ import annotations

import copy
import gettext
import json
import pickle
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smtp_desk.core.translation import (
    Text,
    _,
    first_offered,
    install,
    language,
    language_of,
    mark,
    number,
    pgettext,
    plural,
    told,
)
from tests.pseudo import Pseudo, speaking_pseudo, untranslated
from tests.table import each_row

GERMAN = {
    "The server {host} is down.": "{host} ist aus.",
    "{problem}. Try {host}.": "Nimm {host}: {problem}.",
    "No answer.": "Keine Antwort.",
    "{name} is {nothing}": "{missing}",
    "1,234": "1.234",
}


class _German(gettext.NullTranslations):
    def gettext(self, message: str) -> str:
        return GERMAN.get(message, message)

    def ngettext(self, msgid1: str, msgid2: str, n: int) -> str:
        assert msgid2 == "{count} emails to {to}"
        return "{count} E-Mail an {to}" if n == 1 else "{count} E-Mails an {to}"

    def pgettext(self, context: str, message: str) -> str:
        return {"a switch": "Aus"}.get(context, message)


@pytest.fixture
def german() -> Iterator[None]:
    install("de", _German())
    yield
    install("en", None)


def test_english_is_what_is_written() -> None:
    assert language() == "en"
    assert _("The server {host} is down.", host="a.test") == "The server a.test is down."
    assert plural("1 email", "{count} emails", 1) == "1 email"
    assert plural("1 email", "{count} emails", 1234) == "1,234 emails"
    assert pgettext("a switch", "Off") == "Off"
    assert _("") == ""


def test_a_fact_that_is_missing_is_a_mistake_of_the_program() -> None:
    with pytest.raises(KeyError, match="host"):
        _("The server {host} is down.", port=25)


def test_braces_of_a_text_from_elsewhere_are_left_alone() -> None:
    """A report of another program has sentences of its own, and an address may have braces."""
    assert _("{name}: no such {user}") == "{name}: no such {user}"
    assert _(Text.of(("no such {user}", {}))) == "no such {user}"
    with speaking_pseudo():
        assert "{user}" in _("no such {user}")


@pytest.mark.usefixtures("german")
def test_another_language() -> None:
    assert language() == "de"
    assert _("The server {host} is down.", host="a.test") == "a.test ist aus."
    assert plural("{count} email to {to}", "{count} emails to {to}", 1, to="b") == "1 E-Mail an b"
    assert plural("{count} email to {to}", "{count} emails to {to}", 2000, to="b") == (
        "2.000 E-Mails an b"
    )
    assert number(1234567) == "1.234.567"
    assert pgettext("a switch", "Off") == "Aus"
    assert _("") == ""
    assert _("Nobody has translated this.") == "Nobody has translated this."


@pytest.mark.usefixtures("german")
def test_a_catalogue_that_asks_for_an_unknown_fact_is_passed_over() -> None:
    assert _("{name} is {nothing}", name="It", nothing="none") == "It is none"


@given(st.text())
def test_a_value_is_never_read(value: str) -> None:
    assert _("{host} and {port}", host=value, port="{host}") == f"{value} and {{host}}"


@pytest.mark.usefixtures("german")
def test_what_is_marked_is_english_and_is_translated_where_it_is_shown() -> None:
    text = mark("The server {host} is down.", host="{a}")
    assert text == "The server {a} is down."
    assert json.dumps([text]) == '["The server {a} is down."]'
    assert _(text) == "{a} ist aus."
    for copied in (copy.deepcopy(text), pickle.loads(pickle.dumps(text))):  # noqa: S301 - our own
        assert _(copied) == "{a} ist aus."
    assert type(mark("No answer.")) is str


def test_an_error_is_told_in_the_language_and_logged_in_english() -> None:
    error = OSError(mark("The disk of {path} is full.", path="/outbox"))
    with speaking_pseudo():
        assert told(error).startswith("⟦")
        assert "/outbox" in told(error)
        assert str(error) == "The disk of /outbox is full."
        assert told(ValueError()) == ""
        assert told(ValueError(mark("It is busy."))).startswith("⟦")
    assert told(FileNotFoundError(2, "No such file", "x")) == "[Errno 2] No such file: 'x'"
    assert told(ValueError("what {they} said")) == "what {they} said"


@pytest.mark.usefixtures("german")
def test_a_text_within_a_text_is_translated_too_and_has_one_period() -> None:
    inner = Text.of(("No answer.", {}))
    text = mark("{problem}. Try {host}.", problem=inner, host="a.test.")
    assert text == "No answer. Try a.test.."
    assert _(text) == "Nimm a.test.: Keine Antwort."
    assert _("{problem}. Try {host}.", problem=inner, host="b") == "Nimm b: Keine Antwort."


@pytest.mark.usefixtures("german")
def test_sentences_stand_beside_each_other() -> None:
    text = Text.of(("No answer.", {}), ("The server {host} is down.", {"host": "a"}))
    assert text == "No answer. The server a is down."
    assert _(text) == "Keine Antwort. a ist aus."
    hidden = text.with_facts(lambda name, fact: fact.upper() if name == "host" else "")
    assert (hidden, _(hidden)) == ("No answer. The server A is down.", "Keine Antwort. A ist aus.")


@each_row(
    ("variables", "code"),
    [
        ({}, "en"),
        ({"LANG": "de_AT.UTF-8@euro"}, "de"),
        ({"LANG": "de_DE.UTF-8", "LC_MESSAGES": "C"}, "en"),
        ({"LANG": "C", "LC_MESSAGES": "cs_CZ"}, "cs"),
        ({"LANG": "en_US.UTF-8", "LC_MESSAGES": "de_DE.UTF-8", "LC_TIME": "en_GB"}, "de"),
        ({"LC_MESSAGES": "en_US.UTF-8", "LC_TIME": "de_DE.UTF-8"}, "en"),
        ({"LC_ALL": "cs", "LC_MESSAGES": "de"}, "cs"),
        ({"LC_ALL": "", "LANG": "de"}, "de"),
        ({"LC_ALL": "C.UTF-8", "LANG": "de"}, "en"),
        ({"LC_ALL": "POSIX", "LANGUAGE": "de"}, "en"),
        ({"LC_ALL": "C.UTF-8", "LANGUAGE": "de"}, "en"),
        ({"LANGUAGE": "de"}, "en"),
        ({"LANG": "en_US.UTF-8", "LANGUAGE": "xy:cs:de"}, "cs"),
        ({"LANG": "de_DE.UTF-8", "LANGUAGE": "en:de"}, "en"),
        ({"LANG": "xy_XY.UTF-8"}, "en"),
        ({"LANG": "pt_BR"}, "pt_BR"),
        ({"LANG": "pt_PT"}, "en"),
        ({"LANG": "../../etc/passwd"}, "en"),
        ({"LANG": "\ud800"}, "en"),
    ],
)
def test_a_terminal_asks_for_a_language(variables: dict[str, str], code: str) -> None:
    assert language_of(variables, {"en": "", "de": "", "cs": "", "pt_BR": ""}) == code


def test_a_window_asks_for_a_language() -> None:
    assert first_offered(["fr-FR", "de-AT", "en-US"], {"en": "", "de": ""}) == "de"
    assert first_offered([], {"en": ""}) == "en"


def test_the_pseudo_language_shows_what_is_not_translated() -> None:
    with speaking_pseudo():
        said = _("The server {host} is down.", host="a.test")
        assert said.startswith("⟦Thé sérvér")
        assert "a.test" in said
        assert number(1234) == "1,234"
        shown = f"{said} {plural('1 email', '{count} emails', 2)}"
        assert len(shown) > 1.3 * len("The server a.test is down. 2 emails")
        assert not untranslated(shown)
    assert untranslated("The server is down.")
    assert untranslated("⟦Thé⟧ server")
    assert not untranslated("12:30 – 5 %")
    assert Pseudo().gettext("See https://example.org/ {x:day}").count("https://example.org/") == 1
