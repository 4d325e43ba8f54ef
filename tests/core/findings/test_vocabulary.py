"""Classes of words and gaps in the patterns of replies."""

import re

import pytest

from smtp_desk.core.findings.vocabulary import expanded
from tests.table import each_row


@each_row(
    ("pattern", "words", "found"),
    [
        ("{account} … {inactive}", "Your account is not yet activated", True),
        ("{account} … {inactive}", "this organization is pending approval", True),
        ("{account} … {inactive}", "account unknown. Sender not verified", False),
        ("{account} … {inactive}", "accountant verified", False),
        ("{not} (allowed)", "isn't allowed", True),
        ("{not} (allowed)", "is allowed", False),
        ("{field} … {broken}", "From is malformed", True),
        ("a … b", "a example.org b", True),
        ("a … b", "a; b", False),
        ("a … b", "a" + " word" * 30 + " b", False),
        (r"\d{2}", "42", True),
    ],
)
def test_classes_and_gaps(pattern: str, words: str, *, found: bool) -> None:
    assert bool(re.search(expanded(pattern), words, re.IGNORECASE)) is found


def test_an_unknown_class_is_a_fault_of_the_table() -> None:
    with pytest.raises(KeyError):
        expanded("{invented} … x")
