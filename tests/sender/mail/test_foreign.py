from __future__ import annotations

import email
import email.policy
import re
from datetime import UTC, datetime
from email.message import EmailMessage

import hypothesis
import pytest
from hypothesis import strategies as st

from smtp_desk.core.address import AddressError, parse_mailbox
from smtp_desk.sender.mail.address_list import AddressListError
from smtp_desk.sender.mail.submission import (
    MOST_HEADER_OCTETS,
    ForeignMessageError,
    Submission,
    envelope_sender,
    read_foreign,
)
from smtp_desk.sender.outbox.entries import OutboxMessage
from tests.table import each_row

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
HOME = parse_mailbox("desk@example.org")
TO_ANN = Submission(recipients=("ann@example.org",), home=HOME)
FROM_HEADER = Submission(from_header=True, home=HOME)
WHOLE = b"Date: Mon, 23 Nov 2026 09:00:00 +0000\nMessage-ID: <1@example.org>\n"


def read(octets: bytes, submission: Submission = TO_ANN) -> OutboxMessage:
    return read_foreign(octets, submission, now=NOW).message


def parsed(octets: bytes, submission: Submission = TO_ANN) -> EmailMessage:
    payload = read(octets, submission).payload
    return email.message_from_bytes(payload, policy=email.policy.default)


def after_received(octets: bytes, submission: Submission = TO_ANN) -> bytes:
    """The payload behind the Received field that stands in front."""
    first, _, rest = read(octets, submission).payload.partition(b"\n")
    assert first.startswith(b"Received: by localhost ")
    return rest


@pytest.mark.parametrize("line_end", [b"\n", b"\r\n"])
def test_a_whole_message_is_kept_octet_by_octet(line_end: bytes) -> None:
    message = WHOLE + (
        b"From:  Ann\t<ann@example.org> (folded\n\t so)\nTO: bo@example.org\n"
        b"Subject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\n\n\n.\n..\nFrom here\n\xff\x80" + b"x" * 990
    )
    message = message.replace(b"\n", line_end)
    assert after_received(message) == message
    stored = read(message)
    assert stored.kind == "foreign"
    assert stored.message_id == "<1@example.org>"
    assert stored.subject == "Grüße"
    assert stored.recipients == ("ann@example.org",)
    assert stored.metadata == {}


@hypothesis.given(st.binary().filter(lambda body: b"\0" not in body))
def test_no_octet_of_a_body_is_lost(body: bytes) -> None:
    assert after_received(WHOLE + b"\n" + body) == WHOLE + b"\n" + body


@hypothesis.given(st.text("aF:\n\r \t-", max_size=40).map(str.encode))
def test_no_octet_of_a_damaged_message_is_lost_either(octets: bytes) -> None:
    """Only line ends between header and body come in, or the empty line there."""
    submission = Submission(recipients=("ann@example.org",))
    payload = read(octets, submission).payload
    kept = bytes(octet for octet in payload if octet not in b"\r\n")
    assert kept.endswith(bytes(octet for octet in octets if octet not in b"\r\n"))


@each_row(
    ("octets", "body"),
    [
        (b"", b""),
        (b"disk full\n", b"disk full\n"),
        (b"disk full", b"disk full"),
        (b"\ndisk: full\n", b"disk: full\n"),
        (b" indented: text\n", b" indented: text\n"),
        (b"two words: text\r\n", b"two words: text\r\n"),
        (b"Subject: hi\nthis is no field\nX: y\n", b"this is no field\nX: y\n"),
        (b"From ann Mon Nov 23 09:00:00 2026\nSubject: hi\n\nbody", b"body"),
        (b"Subject: hi", b""),
        (b"Subject: hi\r\n\r\nbody", b"body"),
        (b"Subject: hi\r\rbody", b"body"),
    ],
)
def test_where_the_body_begins(octets: bytes, body: bytes) -> None:
    payload = read(octets).payload
    line_end = b"\r\n" if b"\r" in octets else b"\n"
    assert payload.partition(line_end * 2)[2] == body
    assert not payload.startswith(b"From ")


def test_a_bare_cr_in_the_header_never_joins_a_line_end_of_ours() -> None:
    payload = read(b"A: b\rBcc: x\n\n\nbody\r").payload
    assert payload.startswith(b"Received: ")
    assert payload.endswith(b"\nA: b Bcc: x\n\n\nbody\r")


def test_what_is_missing_is_added() -> None:
    message = parsed(b"disk full\n")
    assert message["Date"] == "Mon, 23 Nov 2026 12:00:00 +0000"
    assert message["Message-ID"].endswith("@example.org>")
    assert read(b"disk full\n").message_id != read(b"disk full\n").message_id
    assert message.get_content() == "disk full\n"


def test_an_empty_date_is_replaced_and_a_strange_message_id_kept() -> None:
    octets = b"Date:\nMessage-ID: not in \xff brackets\nMessage-ID: <2@x>\n\n"
    message = parsed(octets)
    assert message.get_all("Date") == ["Mon, 23 Nov 2026 12:00:00 +0000"]
    assert message.get_all("Message-ID") == ["not in ? brackets"]
    assert read(octets).message_id == "not in ? brackets"


def test_the_message_id_that_is_added_is_the_one_stored() -> None:
    stored = read(b"Subject: hi\n\n")
    assert f"Message-ID: {stored.message_id}\n".encode() in stored.payload


def test_the_received_field_names_no_machine() -> None:
    (received,) = parsed(b"x").get_all("Received", [])
    assert received.startswith("by localhost (SMTP Desk) id ")
    assert received.endswith("; Mon, 23 Nov 2026 12:00:00 +0000")


def test_mail_that_goes_in_circles_is_refused() -> None:
    octets = b"x"
    for _ in range(26):
        octets = read(octets).payload
    with pytest.raises(ForeignMessageError, match="circles"):
        read(octets)


@each_row("name", [b"Bcc", b"BCC ", b"Resent-Bcc"])
@each_row("from_header", [False, True])
def test_bcc_goes_always(name: bytes, from_header: bool) -> None:
    octets = WHOLE + name + b": bo@example.org,\n cy@example.org\nTo: ann@example.org\n\nBcc: x\n"
    submission = Submission(recipients=("dee@example.org",), from_header=from_header)
    assert after_received(octets, submission) == WHOLE + b"To: ann@example.org\n\nBcc: x\n"


@each_row(
    ("header", "recipients"),
    [
        (b"To: ann@example.org", "ann@example.org"),
        (b"To: a@x.org\nCc: B <b@x.org>, c@x.org (C)\nBcc: d@x.org\nTo: e@x.org",
         "a@x.org b@x.org c@x.org d@x.org e@x.org"),
        (b"to:\n =?utf-8?q?J=C3=B6rg=2C_A?= <a@x.org>,\r\n\tb@x.org", "a@x.org b@x.org"),
        (b'To: Team: a@x.org, "B, b" <b@x.org>;, root', "a@x.org b@x.org root@example.org"),
        (b"To: a@x.org, <a@X.org>, A@x.org, a@x.org", "a@x.org A@x.org"),
        ("To: a@bücher.example, b@XN--BCHER-KVA.example".encode(),
         "a@bücher.example b@bücher.example"),
        ("To: a@bücher.example, a@XN--BCHER-KVA.example".encode(), "a@bücher.example"),
        ("To: jörg@example.org".encode(), "jörg@example.org"),
        (b"To: \xff\xfe <a@x.org>", "a@x.org"),
        (b"To: a@[192.0.2.1], b@localhost", "a@[192.0.2.1] b@example.org"),
        (b"To: undisclosed-recipients:;\nBcc: a@x.org", "a@x.org"),
        (b"To: a@x.org\nResent-To: b@x.org\nResent-Cc: c@x.org\nResent-Bcc: d@x.org",
         "b@x.org c@x.org d@x.org"),
        (b"Resent-From: c@x.org\nResent-To: b@x.org\nResent-From: b@x.org\nResent-To: a@x.org",
         "b@x.org"),
    ],
)  # fmt: skip
def test_recipients_of_the_header(header: bytes, recipients: str) -> None:
    assert read(header + b"\n\nTo: no@x.org\n", FROM_HEADER).recipients == tuple(recipients.split())


def test_recipients_of_the_command_line_come_first() -> None:
    submission = Submission(("root, Bo <bo@x.org>", "a@x.org"), from_header=True, home=HOME)
    stored = read(b"To: cy@x.org, bo@x.org\n\n", submission)
    assert stored.recipients == ("root@example.org", "bo@x.org", "a@x.org", "cy@x.org")


def test_the_header_names_nobody_unless_asked() -> None:
    assert read(b"To: bo@example.org\n\n").recipients == ("ann@example.org",)


@each_row(
    ("header", "text"),
    [
        (b"Subject: hi", "names no recipient"),
        (b"To: undisclosed-recipients:;", "names no recipient"),
        (b"To: ann@", "“ann@” in To isn’t an address. "),
        (b"CC: a b@x.org", "“a b@x.org” in Cc isn’t an address. "),
        (b"To: <>", "“” in To isn’t an address. Enter"),
        (b"To: j\xf6rg@example.org", " in To isn’t an address. "),
        (b"To: =?utf-8?q?ann=40example=2Eorg?=", "isn’t an address. An email address has a name"),
        (b"To: a@ <", "The recipients in To can’t all be read: "),
        (b"To: A <a@x.org> B <b@x.org>", "can’t all be read: a comma is missing"),
        (b"To: " + b"x" * 65 + b"@x.org", " in To isn’t an address. "),
    ],
)
def test_recipients_that_are_none(header: bytes, text: str) -> None:
    with pytest.raises(ForeignMessageError) as caught:
        read(header + b"\n\n", FROM_HEADER)
    assert text in str(caught.value)


def test_a_bare_name_needs_a_configured_domain() -> None:
    with pytest.raises(ForeignMessageError, match="“root” in the command line has no domain"):
        read(b"x", Submission(recipients=("root",)))
    home = parse_mailbox("desk@bücher.example")
    stored = read(b"x", Submission(recipients=("root",), home=home))
    assert stored.recipients == ("root@bücher.example",)


@pytest.mark.parametrize("line_end", [b"\n", b"\r\n"])
def test_nuls_are_removed_and_the_first_is_named_with_its_line(line_end: bytes) -> None:
    octets = b"a: b\n\nxyz\0\n\0".replace(b"\n", line_end)
    submitted = read_foreign(octets, TO_ANN, now=NOW)
    assert submitted.message.payload.endswith(b"xyz\n".replace(b"\n", line_end))
    (remark,) = submitted.remarks
    assert "removed, the first from line 3 of the message" in remark


def test_limits() -> None:
    with pytest.raises(ForeignMessageError, match="more than 10 octets"):
        read_foreign(b"x" * 11, TO_ANN, now=NOW, most_octets=10)
    read_foreign(b"x" * 10, TO_ANN, now=NOW, most_octets=10)
    with pytest.raises(ForeignMessageError, match="The header has more than"):
        read(b"X: " + b" y\n" * MOST_HEADER_OCTETS)


@each_row(
    ("header", "expected"),
    [
        ("From: ann@example.org", "Ann Desk <ann@example.org>"),
        ("From: <ann@bücher.example>", "Ann Desk <ann@xn--bcher-kva.example>"),
        ("From: Ann <ann@example.org>", "Ann <ann@example.org>"),
        ("From: root", "Ann Desk <desk@example.org>"),
        ("From: root (Cron Daemon)", "Cron Daemon <desk@example.org>"),
        ("From: =?utf-8?q?Gr=C3=BCn?= <root>", "=?utf-8?b?R3LDvG4=?= <desk@example.org>"),
        ("From: ann@example.org, bo@example.org", "ann@example.org"),
        ("From: jörg@example.org", "Ann Desk <jörg@example.org>"),
        ("From: ann@example.org (", "ann@example.org ("),
        ("From: ann@", "Ann Desk <desk@example.org>"),
        ("Subject: hi", "Ann Desk <desk@example.org>"),
    ],
)
def test_the_full_name_is_for_a_from_without_name(header: str, expected: str) -> None:
    submission = Submission(("ann@example.org",), full_name="Ann Desk", home=HOME)
    payload = read(f"{header}\nX: y\n\nFrom: body".encode(), submission).payload
    assert payload.count(b"\nFrom: ") == 2
    assert re.findall(r"^From: (.*?)\r?$", payload.decode(), re.MULTILINE)[0] == expected
    assert payload.endswith(b"\n\nFrom: body")


def test_a_full_name_is_encoded_and_breaks_nothing() -> None:
    submission = Submission(("ann@example.org",), full_name='Jörg, "Desk"', home=HOME)
    (address,) = parsed(b"From: ann@example.org\n\n", submission)["From"].addresses
    assert address.display_name == 'Jörg, "Desk"'
    with pytest.raises(ForeignMessageError, match="full name"):
        read(b"x", Submission(("ann@example.org",), full_name="Ann\nBcc: bo@example.org"))


def test_a_from_without_domain_or_name_is_left_to_the_route() -> None:
    assert "From" not in parsed(b"From: root\n\n")
    assert "From" not in parsed(b"From: =?utf-8?q?a=0Ab?= <root>\n\n")


def test_a_from_is_left_where_nothing_better_is_known() -> None:
    submission = Submission(("ann@example.org",), full_name="Ann")
    assert "From" not in parsed(b"x", submission)
    assert b"\nFrom: root (Cron)\n" in read(b"From: root (Cron)\n\n", submission).payload


def test_the_envelope_sender_is_kept_beside_the_message() -> None:
    submission = Submission(("ann@example.org",), envelope_sender="<>")
    assert read(b"x", submission).metadata == {"envelope_sender": "<>"}


@each_row(
    ("text", "expected"),
    [
        ("ann@example.org", "ann@example.org"),
        ("Ann <ann@bücher.example>", "ann@xn--bcher-kva.example"),
        ("<>", "<>"),
        ("", "<>"),
        ("www-data", ""),
    ],
)
def test_what_a_program_names_as_envelope_sender(text: str, expected: str) -> None:
    assert envelope_sender(text) == expected


@pytest.mark.parametrize("text", ["ann@", "a@x.org, b@x.org", "ann@example.org\r\nRCPT TO:<b@x>"])
def test_what_is_no_envelope_sender(text: str) -> None:
    with pytest.raises((AddressError, AddressListError)):
        envelope_sender(text)


@each_row(
    ("octets", "subject"),
    [
        (b"Subject: a\r\n b\n\n", "a b"),
        (b"Subject: =?utf-8?b?broken\n\n", "=?utf-8?b?broken"),
        (b"Subject: =?nonsense?q?x?=\n\n", "x"),
        (b"Subject: \xff\n\n", "ÿ"),
        (b"Subject: =?utf-8?q?=FF=ED=A0=80?=\n\n", "\ufffd" * 4),
        (b"x", ""),
    ],
)
def test_the_subject_for_lists(octets: bytes, subject: str) -> None:
    assert read(octets).subject == subject
