"""Patterns taken apart: what they need is needed, and together they find what the whole finds."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smtp_desk.core.findings.needles import alternatives, that_may_match
from smtp_desk.core.findings.pattern import (
    NormalisedReply,
    ReplyPattern,
    alternatives_of,
    compiled,
    plain,
)
from smtp_desk.core.findings.vocabulary import expanded
from tests.core import replies


@pytest.mark.parametrize(
    ("pattern", "needed"),
    [
        ("mailbox full", [[{"mailbox full"}]]),
        ("quota|over limit", [[{"quota"}], [{"over limit"}]]),
        ("(?:mail|post)box(?: is)? full", [[{"mail", "post"}, {"box"}, {" full"}]]),
        ("user(?:s|name)? unknown", [[{"user"}, {" unknown"}]]),
        ("users? unknown", [[{"user"}, {" unknown"}]]),
        ("colou?r", [[{"colo"}]]),
        ("e-?mail", [[{"mail"}]]),
        ("(?:spam)* found", [[{" found"}]]),
        ("(?:spam){0,3} found", [[{" found"}]]),
        ("(?:spam){,3} found", [[{" found"}]]),
        ("(?:spam){1,3} found", [[{"spam"}, {" found"}]]),
        ("(?:spam)+ found", [[{"spam"}, {" found"}]]),
        ("(?:spam|x?) found", [[{" found"}]]),
        ("denied(?! by policy)", [[{"denied"}]]),
        ("(?<!not )denied(?= now)", [[{"denied"}]]),
        (r"\bno\b|[a-z]{4}", [[{"no"}], []]),
        (r"[(|)]abc\(def", [[{"abc"}, {"def"}]]),
        ("[]|]abc", [[{"abc"}]]),
        ("((?:a|cde)|fgh) later", [[{" later"}]]),
        ("((?:ab|cde)|fgh) later", [[{" later"}, {"ab", "cde", "fgh"}]]),
        ("(?:(?:abc|cde)|fgh) later", [[{" later"}, {"abc", "cde", "fgh"}]]),
        ("密码", [[{"密码"}]]),
        ("", [[]]),
        ("a(?P<b>c)|abcdef", [[]]),
        ("(?i:abc)|def", [[]]),
    ],
)
def test_what_a_text_needs(pattern: str, needed: list[list[set[str]]]) -> None:
    parts = alternatives(pattern)

    found = [sorted(map(sorted, part.needles)) for part in parts]
    assert found == [sorted(map(sorted, each)) for each in needed]
    assert "|".join(part.pattern for part in parts) == pattern


_WORDS = st.sampled_from(
    ["abc", "bca", "cab", "ab", "c", "a b", "abcabc", "[ab]", r"\w", ".", r"\b"]
)
_PATTERNS = st.recursive(
    _WORDS,
    lambda inner: st.one_of(
        st.lists(inner, min_size=1, max_size=3).map("".join),
        st.lists(inner, min_size=1, max_size=3).map("|".join),
        st.tuples(inner, st.sampled_from(["", "?", "*", "+", "{0,2}", "{2}", "*?", "??"])).map(
            lambda each: f"(?:{each[0]}){each[1]}"
        ),
        st.tuples(st.sampled_from(["ab", "abc"]), st.sampled_from("?*+")).map("".join),
        st.tuples(st.sampled_from(["(?=", "(?!"]), inner).map(lambda each: f"{each[0]}{each[1]})"),
    ),
    max_leaves=12,
)


@given(_PATTERNS, st.text("abc ", max_size=30))
def test_the_parts_find_what_the_whole_finds(pattern: str, text: str) -> None:
    whole = re.search(pattern, text)

    found = [re.search(part.pattern, text) for part in that_may_match(alternatives(pattern), text)]
    first = min(filter(None, found), key=re.Match.start, default=None)
    assert (first and first.span()) == (whole and whole.span())


def _rows() -> list[ReplyPattern]:
    return [row for entry in replies.load_catalogue().entries for row in entry.replies]


def _differences(step: int) -> list[tuple[str, str]]:
    words = {
        NormalisedReply.of(example.reply).words
        for example in [*replies.examples(*replies.FILES)][::step]
    }
    different = []
    for pattern in {row.words for row in _rows() if row.words}:
        whole = re.compile(f"(?<![a-z])(?:{plain(expanded(pattern))})")
        parts = alternatives_of(pattern)
        for text in words:
            found = (compiled(part.pattern).search(text) for part in that_may_match(parts, text))
            first = min(filter(None, found), key=re.Match.start, default=None)
            right = whole.search(text)
            if (first and first.span()) != (right and right.span()):
                different.append((pattern, text))
    return different


def test_the_table_is_taken_apart_without_a_difference() -> None:
    assert not _differences(step=50)


@pytest.mark.soak
def test_no_reply_of_the_collections_tells_a_difference() -> None:
    assert not _differences(step=1)


def test_a_reply_compiles_few_patterns() -> None:
    said = NormalisedReply.of(
        replies.reply_of("535 5.7.8 Error: authentication failed: bad secret")
    )
    parts = [part for row in _rows() if row.words for part in alternatives_of(row.words)]

    assert len(list(that_may_match(parts, said.words))) < len(parts) / 10
