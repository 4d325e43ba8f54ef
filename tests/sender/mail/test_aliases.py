"""Mail for names of this machine goes to whom the table says."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from smtp_desk.core.address import parse_mailbox
from smtp_desk.sender.mail.aliases import Aliases, AliasLoopError
from smtp_desk.sender.mail.submission import ForeignMessageError, Submission, read_foreign
from tests.table import each_row

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
HOME = parse_mailbox("desk@example.org")
HOSTS = frozenset({"localhost", "web1", "web1.example.net"})
TABLE = """\
# who reads what
root:   admin@example.org, ops
ops: bo@example.org,
    cy@example.org
Postmaster: root
self: self, di@example.org
www-data: "odd name"@example.org
"""


@each_row(
    ("address", "expected"),
    [
        ("root", "admin@example.org bo@example.org cy@example.org"),
        ("ROOT@localhost", "admin@example.org bo@example.org cy@example.org"),
        ("root@Web1.example.net.", "admin@example.org bo@example.org cy@example.org"),
        ("postmaster@web1", "admin@example.org bo@example.org cy@example.org"),
        ("root@elsewhere.example", "root@elsewhere.example"),
        ("self", "self di@example.org"),
        ("nobody", "nobody"),
        ("www-data", '"odd_name"@example.org'),
        ("ann@example.org", "ann@example.org"),
    ],
)
def test_who_gets_it(address: str, expected: str) -> None:
    found = Aliases.parse(TABLE, HOSTS).expand(address)
    assert [each.replace("odd name", "odd_name") for each in found] == expected.split()


def test_all_other_names_have_a_default() -> None:
    aliases = Aliases.parse("default: ann@example.org\nroot: bo@example.org\n", HOSTS)
    assert aliases.expand("cron") == ["ann@example.org"]
    assert aliases.expand("root") == ["bo@example.org"]
    assert aliases.expand("cron@example.org") == ["cron@example.org"]
    assert Aliases.parse("default: ops").expand("cron") == ["ops"]


@pytest.mark.parametrize(
    "table",
    ["a: b\nb: a", "a: b\nb: c\nc: b, x@y.z", "\n".join(f"a{n}: a{n + 1}" for n in range(12))],
)
def test_a_circle_is_named(table: str) -> None:
    aliases = Aliases.parse(table.replace("a0", "a"))
    with pytest.raises(AliasLoopError, match="in a circle: a > "):
        aliases.expand("a")


@each_row(
    "line",
    [
        "root: |/usr/bin/procmail", 'root: "|/bin/sh -c x"', "root: /var/mail/root",
        "root: :include:/etc/list", "root:", "no colon here", ": ann@example.org", "root: a@b <",
        "root: ann@example.org, |/bin/sh",
    ],
)  # fmt: skip
def test_only_addresses_may_stand_there(line: str) -> None:
    aliases = Aliases.parse(f"ops: bo@example.org\n{line}\nweb: ops\n")
    (problem,) = aliases.problems
    assert problem.startswith("Line 2 of the aliases isn’t")
    assert aliases.expand("web") == ["bo@example.org"]
    assert aliases.expand("root") == ["root"]


def submission(*recipients: str, table: str = "", home: bool = True) -> Submission:
    aliases = Aliases.parse(table, HOSTS)
    return Submission(recipients, home=HOME if home else None, aliases=aliases)


def test_recipients_change_and_the_header_does_not() -> None:
    message = read_foreign(
        b"To: root\n\nx",
        submission("root", "ann@x.org", table="root: bo@x.org, ann@x.org"),
        now=NOW,
    ).message
    assert message.recipients == ("bo@x.org", "ann@x.org")
    assert b"\nTo: root@example.org\r\n" in message.payload


@pytest.mark.parametrize("recipient", ["root", "root@localhost", "root@web1.example.net"])
def test_a_name_without_alias_gets_the_configured_domain(recipient: str) -> None:
    message = read_foreign(b"x", submission(recipient), now=NOW).message
    assert message.recipients == ("root@example.org",)


def test_a_circle_costs_the_others_nothing() -> None:
    submitted = read_foreign(b"x", submission("a", "ann@x.org", table="a: b\nb: a"), now=NOW)
    assert submitted.message.recipients == ("ann@x.org",)
    assert "in a circle: a > b > a" in submitted.remarks[0]
    with pytest.raises(ForeignMessageError, match="in a circle"):
        read_foreign(b"x", submission("a", table="a: b\nb: a"), now=NOW)


@pytest.mark.parametrize(
    ("to", "good", "bad"),
    [
        (b"ann@x.org, root@, bo@x.org", "ann@x.org bo@x.org", "“root@” in To isn’t an address"),
        (b"ann@x.org, a b@x.org", "ann@x.org", "“a b@x.org” in To isn’t an address"),
        (b"ann@x.org, bo@x.org <, cy@x.org", "ann@x.org cy@x.org", "can’t all be read"),
        (b"ann@x.org, \xfc@", "ann@x.org", "isn’t an address"),
    ],
)
def test_good_recipients_get_it_and_bad_ones_are_named(to: bytes, good: str, bad: str) -> None:
    asked = Submission(from_header=True, home=HOME)
    submitted = read_foreign(b"To: " + to + b"\n\nx", asked, now=NOW)
    assert " ".join(submitted.message.recipients) == good
    assert bad in submitted.remarks[0]
