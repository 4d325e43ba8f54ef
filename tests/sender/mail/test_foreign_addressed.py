"""Whatever a program hands over leaves as one message that begins and ends where it should."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import hypothesis
from hypothesis import strategies as st

from smtp_desk.core.address import Mailbox, parse_mailbox
from smtp_desk.sender.mail.addressing import Identity, addressed
from smtp_desk.sender.mail.submission import Submission, read_foreign

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
IDENTITY = Identity("desk@example.org", "Example Ltd", "answers@example.org")
NAMES = st.sampled_from(
    b"From from To Bcc Sender Reply-To Subject Date Message-ID X Resent-Bcc Return-Path".split()
)
OCTETS = st.binary(max_size=20).map(lambda octets: octets.replace(b"\0", b""))
VALUES = st.one_of(
    OCTETS,
    st.sampled_from(
        [
            *(b"", b" ann@example.org", b" Ann <ann@example.org>", b" root (Cron)", b" <>"),
            *(b" A <a@example.org>,\n b@x.org", b" =?utf-8?q?=0A?= <a@b.c>", b" a@b, c"),
            *(b" ann@example.org (\n", " jörg@example.org".encode()),
        ]
    ),
)
LINE_ENDS = st.sampled_from([b"\n", b"\r\n", b"\r", b"\n ", b"\r\r\n"])
FIELDS = st.tuples(NAMES, st.sampled_from([b":", b" :", b""]), VALUES, LINE_ENDS).map(b"".join)
MESSAGES = st.tuples(st.lists(FIELDS, max_size=6).map(b"".join), OCTETS).map(b"".join)
HOMES = st.sampled_from([None, parse_mailbox("desk@example.org")])


def as_sent(octets: bytes) -> bytes:
    return re.sub(rb"\r+\n|\r|\n", b"\r\n", octets)


@hypothesis.given(MESSAGES, st.sampled_from(["", "Jörg, Desk"]), HOMES)
def test_every_message_leaves_whole(message: bytes, full_name: str, home: Mailbox | None) -> None:
    submission = Submission(("ann@example.org",), full_name=full_name, home=home)
    stored = read_foreign(message, submission, now=NOW).message
    content = addressed(stored, stored.recipients, IDENTITY).content
    header, empty_line, body = as_sent(content).partition(b"\r\n\r\n")
    assert empty_line
    assert body == as_sent(stored.payload).partition(b"\r\n\r\n")[2]
    assert as_sent(message).endswith(body)
    fields = re.split(rb"\r\n(?![ \t])", header)
    names = [field.partition(b":")[0].strip().lower() for field in fields]
    assert all(re.match(rb"[!-9;-~]+[ \t]*:", field) for field in fields)
    assert names[0] == b"received"
    assert names.count(b"from") == 1
    assert not {b"bcc", b"resent-bcc", b"return-path"} & set(names)
    stored.subject.encode()
    stored.message_id.encode()
