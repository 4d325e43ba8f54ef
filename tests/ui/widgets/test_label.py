"""Words that no window could hold break where their parts end."""

from __future__ import annotations

import pytest

from smtp_desk.ui.widgets.label import breakable


@pytest.mark.parametrize(
    ("word", "pieces"),
    [
        (
            "welcome_affiliate_approved.subject.txt",
            ["welcome_affiliate_approved.", "subject.txt"],
        ),
        (
            "/var/lib/smtp-desk/configuration/templates",
            ["/var/lib/smtp-desk/", "configuration/templates"],
        ),
        (
            "submission.mail-hosting.customers.example.net",
            ["submission.mail-hosting.", "customers.example.net"],
        ),
        ("x" * 70, ["x" * 32, "x" * 32, "x" * 6]),
        ("smtp.example.org", ["smtp.example.org"]),
    ],
)
def test_an_endless_word_breaks_between_its_parts(word: str, pieces: list[str]) -> None:
    assert breakable(word).split("\u200b") == pieces
    assert breakable(f"In {word}, and on.").replace("\u200b", "") == f"In {word}, and on."
