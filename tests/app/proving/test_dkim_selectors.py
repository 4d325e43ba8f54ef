"""DKIM selectors as people and received emails give them."""

import pytest

from smtp_desk.app.proving.dkim_selectors import read_selectors, selectors_of
from smtp_desk.smtp.domain.facts import Selector
from tests.table import each_row


@each_row(
    ("text", "selectors"),
    [
        ("", ()),
        ("  ", ()),
        ("mail", (Selector("mail"),)),
        (" k1, k2;k1  k3.sub ", (Selector("k1"), Selector("k2"), Selector("k3.sub"))),
        ("mail._domainkey.example.test", (Selector("mail"),)),
        ("Mail._DomainKey", (Selector("Mail"),)),
        ("s1_2-x", (Selector("s1_2-x"),)),
        (
            "DKIM-Signature: v=1; a=rsa-sha256; d=Example.test; s=2026;\n bh=x; b=y",
            (Selector("2026", "example.test"),),
        ),
        ("v=1; d=example.test; s=mail", (Selector("mail", "example.test"),)),
    ],
)
def test_selectors_as_a_person_gives_them(text: str, selectors: tuple[Selector, ...]) -> None:
    assert read_selectors(text) == selectors


@each_row(
    "text",
    [
        "a..b",
        "-a",
        "a-",
        "a/b",
        "ä",
        "a@b",
        "x" * 64,
        ".".join(["x" * 60] * 4),
        "s=a; d=",
        "a\0b",
        "._domainkey.a.test",
    ],
)
def test_what_is_no_selector(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - what is named is tested below
        read_selectors(text)


@pytest.mark.parametrize(
    ("text", "named"),
    [("a b/c", "b/c"), ("s=a/b; d=c.test", "a/b"), ("s=a; d=-c.test", "-c.test")],
)
def test_what_can_not_be_read_is_named(text: str, named: str) -> None:
    with pytest.raises(ValueError, match=named):
        read_selectors(text)


def test_no_more_selectors_are_asked_about_than_a_domain_has() -> None:
    assert len(read_selectors(" ".join(f"s{n}" for n in range(300)))) == 10


@pytest.mark.parametrize(
    ("header", "selectors"),
    [
        ("d=a.test; s=one", (Selector("one", "a.test"),)),
        ("d=a.test; s=o/ne\r\nDKIM-Signature: d=b.test; s=two", (Selector("two", "b.test"),)),
        ("d=a b.test; s=x\r\nDKIM-Signature: d=-.test; s=two", (Selector("x", "ab.test"),)),
        ("d=xn--bcher-kva.test; s=one", (Selector("one", "xn--bcher-kva.test"),)),
    ],
)
def test_the_selectors_of_an_email(header: str, selectors: tuple[Selector, ...]) -> None:
    message = f"DKIM-Signature: {header}\r\nFrom: a@a.test\r\n\r\n".encode()
    assert selectors_of(message) == selectors


@each_row(
    "header",
    [
        "From: a@a.test",
        "DKIM-Signature: d=a..test; s=one",
        "DKIM-Signature: d=\x1b[31m.test; s=one",
        "DKIM-Signature: d=\u202eb.test; s=one",
        "DKIM-Signature: d=a.test; s=\u202e",
        "DKIM-Signature: s=one",
        "",
    ],
)
def test_an_email_without_a_selector(header: str) -> None:
    with pytest.raises(ValueError, match=r"^$"):
        selectors_of(f"{header}\r\n\r\n".encode())
