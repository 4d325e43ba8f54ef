from __future__ import annotations

from email import policy

import hypothesis
import pytest
from hypothesis import strategies as st

from smtp_desk.sender.mail.address_list import AddressListError, addresses
from tests.table import each_row

WORDS = st.text("abcXYZ019-_+!'", min_size=1, max_size=8)
ADDRESSES = st.builds("{}@{}.example".format, WORDS, st.text("abc", min_size=1, max_size=5))
NAMES = st.one_of(
    WORDS,
    st.builds('"{}, {}"'.format, WORDS, WORDS),
    st.just("=?utf-8?q?J=C3=B6rg?="),
    st.just('"say \\"hi\\" (no comment) <no@address>; "'),
)
COMMENTS = st.sampled_from(["", " (a comment)", " (with, (a <b@c.example> in it) \\) )"])
MAILBOXES = st.one_of(
    st.tuples(ADDRESSES, COMMENTS).map(lambda drawn: (drawn[0], "".join(drawn))),
    st.tuples(NAMES, ADDRESSES).map(lambda drawn: (drawn[1], f"{drawn[0]} <{drawn[1]}>")),
)
SEPARATORS = st.sampled_from([",", ", ", ",\r\n ", " ,\t"])


@hypothesis.given(st.lists(st.tuples(MAILBOXES, SEPARATORS), max_size=6), st.booleans())
def test_a_valid_list_is_read_as_the_standard_library_reads_it(
    drawn: list[tuple[tuple[str, str], str]], group: bool
) -> None:
    text = "".join(written + separator for (_, written), separator in drawn)
    if group:
        text = "The group: " + text.rstrip(", \t\r\n") + ";"
    expected = [address for (address, _), _ in drawn]
    assert addresses(text) == expected
    unfolded = text.replace("\r\n", "")
    field = policy.SMTP.header_factory("To", unfolded)
    assert [address.addr_spec for address in field.addresses] == expected


@each_row(
    ("text", "expected"),
    [
        ("", []),
        (" , ,", []),
        ("undisclosed-recipients:;", []),
        ("root", ["root"]),
        ("root (Cron Daemon)", ["root"]),
        ("ann @ example . org (Ann)", ["ann@example.org"]),
        ("<@relay.example,@other.example:ann@example.org>", ["ann@example.org"]),
        ("<ann(the (first) one)@example.org>", ["ann@example.org"]),
        ('"ann @ desk"@example.org', ['"ann @ desk"@example.org']),
        ('"a>b" <"c>d"@example.org>', ['"c>d"@example.org']),
        ("ann@[192.0.2.1], <bo@[IPv6:2001:db8::1]>", ["ann@[192.0.2.1]", "bo@[IPv6:2001:db8::1]"]),
        ("ann@example.org <ann@example.org>", ["ann@example.org"]),
        ('Ann "the" B. <ann@example.org> (Ann, again)', ["ann@example.org"]),
        ("Friends: ann@example.org, bo@example.org;, cy@example.org",
         ["ann@example.org", "bo@example.org", "cy@example.org"]),
        ("jörg@bücher.example", ["jörg@bücher.example"]),
        # What is no address is still there, for the rule of addresses to name.
        ("<>", [""]),
        ("Ann ann@example.org", ["Ann ann@example.org"]),
        ("ann@example@org", ["ann@example@org"]),
    ],
)  # fmt: skip
def test_what_lists_hold(text: str, expected: list[str]) -> None:
    assert addresses(text) == expected


@each_row(
    "text",
    [
        "ann@example.org, bo <",
        '"Ann <ann@example.org>',
        "ann@example.org (Ann",
        "ann@example.org)bo@example.org",
        "Ann <ann@example.org> bo@example.org",
        "Ann <ann@example.org>\n\tBo <bo@example.org>",
        "ann@example.org:bo@example.org",
        "ann@[192.0.2.1",
        "ann\\@example.org",
        "<ann@example.org (>",
    ],
)
def test_a_list_that_can_not_be_read_is_never_read_in_part(text: str) -> None:
    with pytest.raises(AddressListError):
        addresses(text)


@hypothesis.given(st.text('ab@.,;:<>()[]"\\ \t\r\n', max_size=40))
def test_every_text_is_read_or_refused(text: str) -> None:
    try:
        found = addresses(text)
    except AddressListError:
        return
    assert len("".join(found)) <= len(text)
    assert len(found) <= text.count(",") + text.count(";") + 1


def test_a_long_list_takes_no_long_time() -> None:
    assert len(addresses(", ".join(f"user{n}@example.org" for n in range(20_000)))) == 20_000
    for hostile in ("(" * 100_000, '"' + "\\" * 100_001, "<" + "[" * 100_000, " " * 100_000 + "@"):
        with pytest.raises(AddressListError):
            addresses(hostile + "<")
